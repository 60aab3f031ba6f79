import {
  CONSERVATION_SETTINGS,
  type ConservationConfig,
  readConservation,
} from '../../src/base/config/conservation.ts';
import type { EtapePurge, PurgeContext } from '../../src/jobs/purge/contexte.ts';
import { type BilanPurge, type PurgeOptions, purger } from '../../src/jobs/purge.ts';
import type { Pool } from '../../src/postgres/pool.ts';
import type { Settings } from './context.ts';
import type { Workshop } from './ingest.ts';

/** Retention periods as the settings give them; the rest is as usual. */
export function conservation(settings: Settings = {}): ConservationConfig {
  const problems: string[] = [];
  const text = (name: string): string =>
    settings[name] ?? CONSERVATION_SETTINGS.find((setting) => setting.name === name)!.default;
  const read = readConservation(text, problems);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return read;
}

/** A purge's context on a workshop. */
export function purgeContext(
  workshop: Workshop,
  settings: Settings = {},
  onEtape?: (etape: EtapePurge) => void,
): PurgeContext {
  const { config, logger, time, shutdown, pool, archive } = workshop.context;
  return {
    logger,
    time,
    shutdown,
    pool,
    archive,
    onEtape,
    config: { ...config, conservation: conservation(settings) },
  };
}

/**
 * Lets everything that was received look as if it had come on the day that it is about, at the latest: age is the later of a
 * day and its reception, and tests do not wait for years.
 */
export async function vieillir(pool: Pool): Promise<void> {
  await pool.query(`
    UPDATE fichier_log_version SET date_creation = least(date_creation, dernier_instant),
      derniere_reception = least(derniere_reception, dernier_instant) WHERE dernier_instant < derniere_reception;
    UPDATE fichier_log_jour SET recu_le = least(recu_le, jour);
    UPDATE session_production SET date_creation = date_production WHERE date_production < date_creation AND origine = 'manuel';
    UPDATE cle_api SET date_creation = least(date_creation, date_fin)`);
}

/** Purges at an instant, ISO 8601, whatever its share; what is stored is as old as it says. */
export async function purgeAt(
  workshop: Workshop,
  instant: string,
  settings: Settings = {},
  options: PurgeOptions = {},
): Promise<BilanPurge> {
  await vieillir(workshop.reader);
  const maintenant = Date.parse(instant);
  return await purger(purgeContext(workshop, settings), { maintenant, force: true, ...options });
}

/** Rows by kind, of kinds that lost any. */
export function lost({ categories }: BilanPurge): Record<string, number> {
  return Object.fromEntries(categories.flatMap((c) => (c.lignes > 0 ? [[c.categorie, c.lignes]] : [])));
}

/** Everything in every table as a dump would have it, and the archives as they are on the disk, decompressed. */
export async function everything(workshop: Workshop): Promise<string> {
  const { reader } = workshop;
  const tables = await reader.query<{ nom: string }>(
    `SELECT relname AS nom FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
  );
  const all: string[] = [];
  for (const { nom } of tables.rows) {
    const { rows } = await reader.query<{ r: string }>(
      `SELECT to_jsonb(t)::text AS r FROM "${nom}" t ORDER BY 1`,
    );
    all.push(...rows.map(({ r }) => `${nom} ${r}`));
  }
  return all.join('\n');
}

/** The bytes of all archives, as text. */
export async function archivedText(workshop: Workshop): Promise<string> {
  const { rows } = await workshop.reader.query<{ id: number }>('SELECT id FROM centre_usinage');
  let text = '';
  for (const { id } of rows) {
    for (const sha of await workshop.context.archive.list(id)) {
      for await (const piece of workshop.context.archive.read(id, sha)) text += piece.toString('latin1');
    }
  }
  return text;
}
