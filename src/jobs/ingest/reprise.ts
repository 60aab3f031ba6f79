import type { Logger } from '../../base/logger.ts';
import { pendingDays } from '../../postgres/jours.ts';
import { type Client, transaction } from '../../postgres/pool.ts';
import type { Centre } from './centres.ts';
import type { Compteurs } from './compteurs.ts';
import type { IngestContext } from './context.ts';
import type { Lecture } from './lecture.ts';
import { raisonEcart } from './nouvelles-versions.ts';
import { type Recalcul, recalculer } from './recalcul.ts';

/** Recomputes the days of the given centres (by id) that an import left marked: it was killed, or is still at it. */
export async function reprendreJournees(
  ctx: IngestContext,
  client: Client,
  centres: ReadonlyMap<number, Centre>,
  onRecalcul: (recalcul: Recalcul) => void,
): Promise<void> {
  for (const { centreId, jours } of await pendingDays(client)) {
    const centre = centres.get(centreId);
    if (!centre) continue;
    ctx.logger.info({ centre: centre.nom, jours: jours.length }, 'reprise de journées à recalculer');
    onRecalcul(await transaction(client, () => recalculer(ctx, client, centre, jours)));
  }
}

/** Says in the log what a registered file was; counts it when it was put aside. */
export function direLecture(logger: Logger, centre: string, lecture: Lecture, compteurs: Compteurs): void {
  const { fichier, taille, contenu } = lecture;
  const entry = { centre, fichier: fichier.chemin, octets: taille };
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
  logger.info({ ...entry, encodage: contenu.encodage.name, lignes, evenements, rejets }, 'fichier lu');
}
