import { randomUUID } from 'node:crypto';
import type { Role } from '../../base/roles.ts';
import { noter } from '../audit.ts';
import type { Client, Queryable } from '../pool.ts';
import { verrouillerComptes } from './coffre.ts';
import { garderUnAdmin } from './users-gardes.ts';

/** Other columns that name an account by its id. */
export const REFERENCES_COMPTE = [
  ['execution', 'demandeur'],
  ['alerte', 'acquittee_par'],
] as const;

/** How an account is forgotten. */
export interface OptionsOubli {
  /** why, for the audit log: `demande` (article 17), `inactivite`, `restauration` */
  readonly motif: 'demande' | 'inactivite' | 'restauration';
  /** called before anything is committed, once it is sure that it will be done: the journal outside of the database */
  readonly avant: () => Promise<void>;
  /** the account that asked for it, absent when it was a command on the server */
  readonly par?: string | undefined;
}

/**
 * Forgets an account (article 17), in the transaction that `client` is in: the row goes with its keys and sign-ins,
 * whose tokens are worth nothing from the commit on. In the audit log all its lines get the same tombstone, drawn at
 * random and written nowhere else, and lose key, network and request number: what was done stays, by whom does not.
 *
 * @param id a UUID
 * @returns the tombstone, or undefined when nothing is left of such an account
 * @throws CompteRefuse (ATL_A502) when it is the last active admin
 */
export async function oublierCompte(
  client: Client,
  id: string,
  { motif, avant, par }: OptionsOubli,
): Promise<string | undefined> {
  await verrouillerComptes(client);
  const { rows } = await client.query<{ id: string; role: Role; actif: boolean }>(
    'SELECT id, role, actif FROM "user" WHERE id = $1 FOR UPDATE',
    [id],
  );
  const [compte] = rows;
  if (!compte && !(await restes(client, id))) return undefined;
  // A backup knows only whom it had: after a restore the last admin may be one who was forgotten since.
  if (compte && motif !== 'restauration') await garderUnAdmin(client, compte, undefined);
  await avant();
  const tombe = randomUUID();
  const keys = await client.query<{ id: string }>('SELECT id FROM cle_api WHERE user_id = $1', [id]);
  await client.query('SELECT oublier_audit($1, $2, $3)', [id, tombe, keys.rows.map((row) => row.id)]);
  for (const [table, column] of REFERENCES_COMPTE) {
    await client.query(`UPDATE ${table} SET ${column} = $2 WHERE ${column} = $1`, [id, tombe]);
  }
  await client.query('DELETE FROM "user" WHERE id = $1', [id]);
  await noter(client, {
    evenement: 'compte_oublie',
    userId: par,
    cible: `users/${tombe}`,
    details: par === undefined ? { motif, origine: 'commande' } : { motif },
  });
  return tombe;
}

/** Whether an account that is gone is still named somewhere (it was deleted, not forgotten). */
async function restes(db: Queryable, id: string): Promise<boolean> {
  const elsewhere = REFERENCES_COMPTE.map(
    ([table, column]) => `EXISTS (SELECT FROM ${table} WHERE ${column} = $1::uuid)`,
  );
  const { rows } = await db.query<{ reste: boolean }>(
    `SELECT EXISTS (SELECT FROM journal_audit WHERE user_id = $1::uuid OR cible = 'users/' || $1::text
                       OR details::text LIKE '%' || $1::text || '%') OR ${elsewhere.join(' OR ')} AS reste`,
    [id],
  );
  return rows[0]!.reste;
}

/** An account that nobody has used for long. */
export interface CompteInactif {
  readonly id: string;
  readonly actif: boolean;
}

/** The last sign of life of account `u`: sign-in, refresh, key, or an admin who let it in again. */
const VIE = `greatest(u.date_creation, u.derniere_connexion, u.reactive_le,
  (SELECT max(greatest(j.date_creation, j.utilise)) FROM jeton_rafraichissement j WHERE j.user_id = u.id),
  (SELECT max(greatest(k.date_creation, k.derniere_utilisation)) FROM cle_api k WHERE k.user_id = u.id))`;

/**
 * Accounts without a sign of life since an instant (ms since the epoch), longest first. The last active admin is never
 * among them.
 */
export async function comptesInactifs(db: Queryable, avant: number): Promise<CompteInactif[]> {
  const { rows } = await db.query<CompteInactif>(
    `SELECT u.id, u.actif FROM "user" u
      WHERE ${VIE} < $1 AND NOT (u.role = 'admin' AND u.actif AND NOT EXISTS (
              SELECT FROM "user" o WHERE o.role = 'admin' AND o.actif AND o.id <> u.id))
      ORDER BY ${VIE}, u.id`,
    [new Date(avant)],
  );
  return rows;
}

/**
 * Closes an account that nobody uses, in the transaction that `client` is in: it cannot sign in, its tokens are worth
 * nothing; an admin may open it again.
 *
 * @returns false when it was closed, gone or used meanwhile
 * @throws CompteRefuse (ATL_A502) when it is the last active admin by now
 */
export async function desactiverInactif(client: Client, id: string, avant: number): Promise<boolean> {
  await verrouillerComptes(client);
  const { rows } = await client.query<{ id: string; role: Role; actif: boolean }>(
    `SELECT id, role, actif FROM "user" u WHERE id = $1 AND actif AND ${VIE} < $2 FOR UPDATE OF u`,
    [id, new Date(avant)],
  );
  const [compte] = rows;
  if (!compte) return false;
  await garderUnAdmin(client, compte, 'actif');
  await client.query(
    'UPDATE "user" SET actif = false, version = version + 1, version_jetons = version_jetons + 1 WHERE id = $1',
    [id],
  );
  await client.query('DELETE FROM jeton_rafraichissement WHERE user_id = $1', [id]);
  const details = { motif: 'inactivite', origine: 'purge' };
  await noter(client, { evenement: 'compte_desactive', cible: `users/${id}`, details });
  return true;
}
