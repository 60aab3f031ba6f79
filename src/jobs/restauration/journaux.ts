import { lireEffacements } from '../../archives/effacements.ts';
import type { Depot, Sauvegarde } from '../../archives/sauvegarde/depot.ts';
import { JOURNAUX, unirJournal } from '../../archives/sauvegarde/journaux.ts';
import type { BaseContext } from '../../base/context.ts';
import { messageOf } from '../../base/errors.ts';

const [EFFACEMENTS] = JOURNAUX;

/**
 * Unites the journals beside the archives with those that the backup has. When the journals were lost with the archives,
 * the other backups in the folder still tell who was forgotten since: that comes, too. (Nothing else of theirs does: they
 * may be of another database. What was purged for its age is past its age here, too.)
 *
 * @param exiger throws when another backup may not be believed
 * @throws AtelierError ATL_B901 (journal), ATL_B902, ATL_B903 (this backup)
 */
export async function unirJournaux(
  ctx: BaseContext,
  depot: Depot,
  sauvegarde: Sauvegarde,
  exiger: (autre: Sauvegarde) => void,
): Promise<void> {
  const { archivesDir } = ctx.config;
  for (const nom of JOURNAUX)
    await unirJournal(archivesDir, nom, await lireTout(depot.lireFichier(sauvegarde, nom)));
  for (const nom of await depot.noms()) {
    if (nom === sauvegarde.nom) continue;
    const comptes = await comptesOublies(depot, nom, exiger).catch((error: unknown) => {
      const raison = messageOf(error);
      ctx.logger.warn({ sauvegarde: nom, raison }, 'effacements d’une autre sauvegarde pas relus');
      return '';
    });
    await unirJournal(archivesDir, EFFACEMENTS, Buffer.from(comptes));
  }
}

/** Lines of the journal of a backup that tell of accounts. */
async function comptesOublies(
  depot: Depot,
  nom: string,
  exiger: (autre: Sauvegarde) => void,
): Promise<string> {
  const autre = await depot.ouvrir(nom);
  // Otherwise whoever can write here could have any account erased.
  exiger(autre);
  const bytes = await lireTout(depot.lireFichier(autre, EFFACEMENTS));
  const comptes = lireEffacements(bytes.toString('utf8')).filter(({ genre }) => genre === 'compte');
  return comptes.map((entree) => `${JSON.stringify(entree)}\n`).join('');
}

async function lireTout(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}
