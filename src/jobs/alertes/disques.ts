import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Config } from '../../base/config.ts';
import { type Place, placeDe } from '../../base/disques.ts';
import type { Logger } from '../../base/logger.ts';
import type { FaitsDisque } from '../../domain/alertes/evaluer.ts';

/** The disks that this machine writes to or reads from, each once, under the first of the settings that lie on it. */
export async function mesurerDisques(
  config: Pick<Config, 'archivesDir' | 'logsDir' | 'syncLogsDir' | 'dataDir'>,
  logger: Logger,
): Promise<FaitsDisque[]> {
  const disques = new Map<number, FaitsDisque & { dossiers: string[] }>();
  for (const [reglage, dossier] of [
    ['ARCHIVES_DIR', config.archivesDir],
    ['LOGS_DIR', config.logsDir],
    ['SYNC_LOGS_DIR', config.syncLogsDir],
    ['ATELIER_DIR', config.dataDir],
  ] as const) {
    const found = await mesurer(dossier);
    if (!found) {
      logger.debug({ reglage }, 'place libre inconnue : dossier illisible ou muet');
      continue;
    }
    const known = disques.get(found.disque);
    if (known) known.dossiers.push(reglage);
    else {
      const { libre, total } = found;
      disques.set(found.disque, { hote: hostname(), dossiers: [reglage], libre, total });
    }
  }
  return [...disques.values()];
}

/** A folder that is not there yet will be made on the disk of the nearest one above it; undefined: nobody knows. */
async function mesurer(dossier: string): Promise<Place | undefined> {
  for (let place = dossier; ; place = dirname(place)) {
    try {
      return await placeDe(place);
    } catch {
      if (dirname(place) === place) return undefined;
    }
  }
}
