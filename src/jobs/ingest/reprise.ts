import type { Logger } from '../../base/logger.ts';
import { formatDay } from '../../base/time.ts';
import { pendingDays } from '../../postgres/journaux/jours.ts';
import { type Client, transaction } from '../../postgres/pool.ts';
import type { Centre } from './centres.ts';
import type { Compteurs } from './compteurs.ts';
import type { IngestContext } from './context.ts';
import type { Lecture } from './lecture.ts';
import { raisonEcart } from './nouvelles-versions.ts';
import { concerneTous, type Pannes } from './pannes.ts';
import { type Recalcul, recalculer } from './recalcul.ts';

/**
 * Recomputes the days of the given centres (by id) that an import left marked: it was killed, is still at it, or could
 * not. A day that cannot be computed stays marked, and keeps no other from it.
 */
export async function reprendreJournees(
  ctx: IngestContext,
  client: Client,
  centres: ReadonlyMap<number, Centre>,
  onRecalcul: (recalcul: Recalcul) => void,
  pannes: Pannes,
): Promise<void> {
  for (const { centreId, jours: marked } of await pendingDays(client)) {
    const centre = centres.get(centreId);
    if (!centre) continue;
    const ou = (jour: number): string => `${centre.nom}, journée ${formatDay(jour)}`;
    const jours = marked.filter((jour) => !pannes.attend(ou(jour)));
    if (jours.length === 0) continue;
    const reprendre = async (lot: readonly number[]): Promise<void> =>
      onRecalcul(await transaction(client, () => recalculer(ctx, client, centre, [...lot])));
    ctx.logger.info({ centre: centre.nom, jours: jours.length }, 'reprise de journées à recalculer');
    try {
      await reprendre(jours);
    } catch (error) {
      ctx.shutdown.signal.throwIfAborted();
      if (concerneTous(error)) throw error;
      for (const jour of jours) {
        try {
          await reprendre([jour]);
          pannes.lever(ou(jour));
        } catch (cause) {
          pannes.noter(ou(jour), cause);
        }
      }
      continue;
    }
    for (const jour of jours) pannes.lever(ou(jour));
  }
}

/** Says in the log what a registered file was; counts it when it was put aside. */
export function direLecture(logger: Logger, centre: string, lecture: Lecture, compteurs: Compteurs): void {
  const { fichier, taille, contenu } = lecture;
  const entry = { centre, fichier: fichier.chemin, octets: taille };
  // A line a second and machine would drown everything else: of a file that grows, the first reading is told.
  const level = lecture.suite ? 'debug' : 'info';
  if (!contenu) {
    logger.info(entry, 'contenu déjà connu');
    return;
  }
  const ecart = raisonEcart(contenu);
  if (ecart !== undefined) {
    compteurs.fichiersEcartes++;
    logger.error({ ...entry, raison: ecart }, 'fichier archivé mais écarté');
    return;
  }
  const { lignes, lignesEvenements: evenements, lignesRejetees: rejets } = contenu.reading.compte;
  logger[level]({ ...entry, encodage: contenu.encodage.name, lignes, evenements, rejets }, 'fichier lu');
}
