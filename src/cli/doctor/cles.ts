import { Coffre } from '../../base/chiffrement.ts';
import { type ApiConfig, exigerCles } from '../../base/config/api.ts';
import { isGiven } from '../../base/config/secrets.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { compterComptes, comptesSansCle } from '../../postgres/comptes/cles-emballees.ts';
import { lireTemoins } from '../../postgres/comptes/controle-cles.ts';
import type { Pool } from '../../postgres/pool.ts';
import type { Cli } from '../cli.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** The keys of the API are there and strong enough. */
export const cles: Controle = {
  quoi: 'Clés',
  async faire({ config: { api, processus } }) {
    if (!isGiven('SECRET_KEY', processus)) {
      return [bien('Clés', `SECRET_KEY et CLE_CHIFFREMENT ne sont pas pour ce processus (${processus})`)];
    }
    return [checkKeys(api)];
  },
};

function checkKeys(api: ApiConfig): Constat {
  const quoi = 'Clés';
  if (api.secretKey === undefined && api.cleChiffrement === undefined) {
    return bien(
      quoi,
      'SECRET_KEY et CLE_CHIFFREMENT non données : l’API ne peut pas démarrer, le reste s’en passe',
    );
  }
  try {
    exigerCles(api);
    return bien(quoi, 'SECRET_KEY et CLE_CHIFFREMENT données');
  } catch (error) {
    if (!(error instanceof AtelierError)) throw error;
    return mal(quoi, error.message.replaceAll(/\n\s*/g, ' '), error.conseil);
  }
}

/** The key that is given is the one that the accounts were encrypted with. Nothing is written. */
export async function clesDeLaBase({ config: { api } }: Cli, pool: Pool): Promise<Constat[]> {
  const quoi = 'Clé de chiffrement';
  const witnesses = await lireTemoins(pool);
  const accounts = witnesses.reduce((sum, { comptes }) => sum + comptes, 0);
  if (witnesses.length === 0) return [];
  let coffre: Coffre;
  try {
    coffre = new Coffre(exigerCles(api).chiffrement);
  } catch {
    if (accounts === 0 || (api.secretKey === undefined && api.cleChiffrement === undefined)) return [];
    // The finding about the keys themselves says what is wrong with them.
    return [
      attention(quoi, `${accounts} compte(s) chiffré(s), clé non contrôlée`, 'Corrigez d’abord les clés.'),
    ];
  }
  for (const { id, temoin, comptes } of witnesses) {
    const known = coffre.reconnait(id, temoin);
    const held = known === undefined && (comptes > 0 || witnesses.at(-1)!.id === id);
    if (known === false || held) {
      const error = new AtelierError(
        'ATL_C103',
        `la base connaît la clé ${id}, ${comptes} compte(s) : ce n’est pas celle qui est donnée`,
      );
      return [mal(quoi, messageOf(error), error.conseil)];
    }
  }
  return [bien(quoi, `ouvre la base (${accounts} compte(s))`)];
}

/** Every account has a key of its own: only then do backups of before forget whoever is erased. */
export async function clesDesComptes(_cli: Cli, pool: Pool): Promise<Constat[]> {
  const quoi = 'Clés des comptes';
  const { tous, anciens } = await compterComptes(pool);
  const perdus = await comptesSansCle(pool);
  const constats: Constat[] = [];
  if (perdus.length > 0)
    constats.push(
      mal(
        quoi,
        `${perdus.length} compte(s) sur ${tous} illisible(s) : leur clé manque (${perdus.slice(0, 3).join(', ')}${perdus.length > 3 ? '…' : ''})`,
        `Restaurez une sauvegarde, ou \`npx atelier user forget ${perdus[0]}\`, puis refaites le compte.`,
      ),
    );
  if (anciens > 0)
    constats.push(
      attention(
        quoi,
        `${anciens} compte(s) sur ${tous} sans clé à eux : les sauvegardes faites d’ici là n’oublieront pas qui sera effacé`,
        'Quand la version d’avant ne tourne plus nulle part : `npx atelier user rotation` (serve le fait une heure après son démarrage).',
      ),
    );
  if (constats.length === 0 && tous > 0) constats.push(bien(quoi, `${tous} compte(s), chacun a la sienne`));
  return constats;
}
