import type { Config } from '../../base/config.ts';
import { AtelierError } from '../../base/errors.ts';

/** Keys of backups at hand, the one that encrypts first. */
export function clesDeSauvegarde({ sauvegarde }: Config): Buffer[] {
  return [sauvegarde.cle, sauvegarde.clePrecedente].filter((cle) => cle !== undefined);
}

/**
 * Keys for making a backup: encrypted as soon as there is a key.
 *
 * @param exiger whether it must be encrypted
 * @throws AtelierError ATL_B903 when it must and there is no key
 */
export function clesPourEcrire(config: Config, exiger: boolean): Buffer[] {
  const { cle } = config.sauvegarde;
  if (!cle && exiger)
    throw new AtelierError('ATL_B903', 'Sauvegarde chiffrée demandée, mais CLE_SAUVEGARDE manque.');
  return cle ? [cle] : [];
}
