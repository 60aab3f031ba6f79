import { AtelierError, messageOf } from '../../base/errors.ts';
import { controlerSource } from '../../sources/erp/controle.ts';
import { droitsDEcriture } from '../../sources/erp/droits.ts';
import { ErpSession } from '../../sources/erp/session.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** Seconds that the ERP may take over the whole look. */
const DELAI = 15;

/** The ERP answers, what we need of it is there and may be read, and nothing may be written. */
export const erp: Controle = {
  quoi: 'ERP',
  async faire({ config, shutdown }) {
    if (!config.erp) return [bien('ERP', 'non réglé : pas de commandes (MYSQL_URL)')];
    let session: ErpSession | undefined;
    try {
      const limits = { ...config.erp, delaiMax: Math.min(DELAI, config.erp.delaiMax) };
      session = await ErpSession.ouvrir(limits, { signal: shutdown.signal });
      const { version, problemes, avertissements } = await controlerSource(session);
      const constats: Constat[] = [
        problemes.length === 0
          ? bien('ERP', `${session.cible}, version ${version}`)
          : mal(
              'ERP',
              problemes.join(' ; '),
              'demo/init.sql montre les tables et les droits qu’il faut, colonne par colonne.',
            ),
      ];
      if (avertissements.length > 0) {
        constats.push(
          attention(
            'ERP, lecture',
            avertissements.join(' ; '),
            'docs/erp.md explique chacun et donne les index à créer.',
          ),
        );
      }
      return [...constats, checkRights(await droitsDEcriture(session))];
    } catch (error) {
      const conseil =
        error instanceof AtelierError ? error.conseil : 'Vérifiez MYSQL_URL, ou MYSQL_HOST et les siens.';
      return [mal('ERP', messageOf(error), conseil)];
    } finally {
      await session?.fermer();
    }
  },
};

function checkRights(rights: readonly string[]): Constat {
  if (rights.length === 0) return bien('ERP, droits', 'lecture seule');
  return attention(
    'ERP, droits',
    `le compte peut plus que lire : ${rights.slice(0, 5).join(', ')}${rights.length > 5 ? '…' : ''}`,
    'Donnez-lui SELECT sur les colonnes de demo/init.sql et rien d’autre (REVOKE le reste).',
  );
}
