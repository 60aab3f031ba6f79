import { messageOf } from '../../base/errors.ts';
import { comptesInactifs, desactiverInactif, oublierCompte } from '../../postgres/comptes/oubli.ts';
import { CompteRefuse } from '../../postgres/comptes/users.ts';
import { transaction } from '../../postgres/pool.ts';
import { oublierLesCles } from '../sauvegarde/cles-comptes.ts';
import type { Passage } from './contexte.ts';

/** Closes accounts that nobody uses. */
export async function desactiverComptes(passage: Passage): Promise<void> {
  for (const { id, actif } of await comptesInactifs(passage.client, passage.avant)) {
    passage.continuer();
    if (!actif) continue;
    await chacun(passage, id, async () => await desactiverInactif(passage.client, id, passage.avant));
  }
}

/** Forgets accounts that nobody has used for longer still. */
export async function oublierComptes(passage: Passage): Promise<void> {
  const { client, ctx, effacements, maintenant } = passage;
  const gone: string[] = [];
  for (const { id } of await comptesInactifs(client, passage.avant)) {
    passage.continuer();
    await chacun(passage, id, async () => {
      const avant = async (): Promise<void> => {
        await effacements.ajouter({ genre: 'compte', id }, maintenant);
        passage.etape('apres_journal');
      };
      const done = (await oublierCompte(client, id, { motif: 'inactivite', avant })) !== undefined;
      if (done) gone.push(id);
      return done;
    });
  }
  if (gone.length > 0) await oublierLesCles(ctx, gone);
}

/** One account in one transaction; the last admin is let alone, even if he became it just now. */
async function chacun(passage: Passage, id: string, work: () => Promise<boolean>): Promise<void> {
  if (passage.aBlanc) {
    await passage.compter(1);
    return;
  }
  try {
    await transaction(passage.client, async () => {
      if (await work()) await passage.compter(1);
      passage.etape('avant_validation');
    });
    passage.etape('apres_lot');
  } catch (error) {
    if (!(error instanceof CompteRefuse)) throw error;
    passage.ctx.logger.warn({ compte: id, raison: messageOf(error) }, 'compte inactif gardé');
  }
}
