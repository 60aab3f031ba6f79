import type { Client } from '../../postgres/pool.ts';
import { supprimerMisesDeCote } from '../../postgres/sauvegarde/mises-de-cote.ts';
import type { PurgeContext } from './contexte.ts';

const DAY = 24 * 3600 * 1000;

/** Drops what restorations put aside as long ago as backups may be old: nobody erases anything in there. */
export async function purgerMisesDeCote(
  ctx: PurgeContext,
  client: Client,
  maintenant: number,
): Promise<void> {
  const avant = maintenant - ctx.config.sauvegarde.conservation * DAY;
  const { supprimees, restent } = await supprimerMisesDeCote(client, avant);
  for (const schema of supprimees)
    ctx.logger.info({ schema }, 'purge : schéma mis de côté par une restauration supprimé');
  for (const schema of restent)
    ctx.logger.error(
      { schema },
      'purge : schéma mis de côté échu, qui appartient à un autre rôle : DROP SCHEMA … CASCADE',
    );
}
