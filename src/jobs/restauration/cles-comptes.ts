import { lireCle } from '../../base/config/cles.ts';
import type { BaseContext } from '../../base/context.ts';
import { messageOf } from '../../base/errors.ts';
import {
  type ClesEmballees,
  clesMisesDeCote,
  comptesSansCle,
  sqlDesCles,
} from '../../postgres/comptes/cles-emballees.ts';
import { donnerDesCles, ouvrirCoffre } from '../../postgres/comptes/coffre.ts';
import { oublierCompte } from '../../postgres/comptes/oubli.ts';
import { type Pool, transaction, withClient } from '../../postgres/pool.ts';
import { misesDeCote } from '../../postgres/sauvegarde/mises-de-cote.ts';

/**
 * Gives accounts out of a backup their keys again: those of the file beside the backups, then those of what was put aside.
 * One whose key is nowhere was erased since, and is erased here, too. Where CLE_CHIFFREMENT is at hand everybody can be
 * found by name from here on, and rows of before there were keys get theirs; else that happens at the first use.
 *
 * @returns how many accounts did not come back
 */
export async function rendreLesCles(
  ctx: BaseContext,
  pool: Pool,
  cles: ClesEmballees | undefined,
): Promise<number> {
  const lost = await withClient(pool, async (client) => {
    const aside = await clesMisesDeCote(
      client,
      (await misesDeCote(client)).map(({ schema }) => schema),
    );
    await transaction(client, async () => {
      for (const source of [...(cles ? [cles] : []), ...aside])
        for (const sql of sqlDesCles(source)) await client.query(sql);
    });
    const ids = await comptesSansCle(client);
    for (const id of ids)
      await transaction(client, () =>
        oublierCompte(client, id, { motif: 'restauration', avant: async () => undefined }),
      );
    return ids.length;
  });
  if (lost > 0)
    ctx.logger.warn(
      { comptes: lost },
      'comptes pas revenus : effacés depuis, leur clé n’est plus nulle part',
    );
  const chiffrement = [ctx.config.api.cleChiffrement, ctx.config.api.cleChiffrementPrecedente]
    .map((value) => (value === undefined ? undefined : lireCle(value)))
    .filter((cle) => Buffer.isBuffer(cle));
  if (chiffrement.length === 0) return lost;
  try {
    const coffre = await ouvrirCoffre(pool, { chiffrement });
    const { nombre, abimes } = await donnerDesCles(pool, coffre, { signal: ctx.shutdown.signal });
    if (nombre > 0) ctx.logger.info({ comptes: nombre }, 'comptes d’avant : chacun a maintenant sa clé');
    for (const compte of abimes) ctx.logger.error({ compte }, 'compte illisible : sa ligne est abîmée');
  } catch (error) {
    ctx.shutdown.signal.throwIfAborted();
    ctx.logger.warn(
      { raison: messageOf(error) },
      'comptes pas encore lisibles : donnez la CLE_CHIFFREMENT d’alors avant de lancer serve',
    );
  }
  return lost;
}
