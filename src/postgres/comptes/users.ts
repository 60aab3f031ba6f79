import { randomUUID } from 'node:crypto';
import type { Coffre } from '../../base/chiffrement.ts';
import { AtelierError } from '../../base/errors.ts';
import type { Role } from '../../base/roles.ts';
import { type Client, type Queryable, transaction } from '../pool.ts';
import { chiffrerLigne, refuserCleDepassee, verrouillerComptes } from './coffre.ts';
import { fermerPorte, lirePorte } from './installation.ts';
import { garderUnAdmin, refuserDoublon } from './users-gardes.ts';

// The doors to accounts are all here.
export { ouvrirCoffre, rechiffrer } from './coffre.ts';
export { CompteRefuse } from './users-gardes.ts';

/** An account as its owner and admins see it. Instants are ISO 8601 with offset, in the connection's time zone. */
export interface Compte {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly role: Role;
  readonly actif: boolean;
  /** advances with every change (`If-Match`) */
  readonly version: number;
  /** advances when tokens made before are worth nothing any more */
  readonly version_jetons: number;
  readonly date_creation: string;
  readonly derniere_connexion: string | null;
}

/** What makes an account. */
export interface NouveauCompte {
  readonly username: string;
  readonly email: string;
  /** argon2id, PHC string */
  readonly motDePasseHache: string;
  readonly role: Role;
}

/** What changes; absent fields stay. */
export type ChangementsCompte = { readonly [K in keyof NouveauCompte]?: NouveauCompte[K] | undefined } & {
  readonly actif?: boolean | undefined;
};

interface Ligne extends Omit<Compte, 'username' | 'email'> {
  readonly username_chiffre: Buffer;
  readonly email_chiffre: Buffer;
  readonly mot_de_passe: string;
}

// `to_json` writes instants as ISO 8601 with offset, as every other answer of the API has them.
const COLUMNS = `id, username_chiffre, email_chiffre, mot_de_passe, role, actif, version, version_jetons,
  to_json(date_creation) #>> '{}' AS date_creation, to_json(derniere_connexion) #>> '{}' AS derniere_connexion`;

/** Whether anybody has an account. */
export async function existeUnCompte(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ existe: boolean }>('SELECT EXISTS (SELECT FROM "user") AS existe');
  return rows[0]!.existe;
}

/**
 * Makes an account; in the transaction that `client` is in, or one of its own.
 *
 * @param options `seulementSiAucun`: only as the very first account that there ever was; `essai`: an account of the
 *   demonstration, after which this is still a new installation
 * @returns undefined when it was to be the first, and is not
 * @throws CompteRefuse (ATL_A502) when the name or the address is taken, in whatever spelling
 */
export async function creerCompte(
  client: Client,
  coffre: Coffre,
  compte: NouveauCompte,
  options?: { seulementSiAucun?: false; essai?: boolean },
): Promise<Compte>;
export async function creerCompte(
  client: Client,
  coffre: Coffre,
  compte: NouveauCompte,
  options: { seulementSiAucun?: boolean; essai?: boolean },
): Promise<Compte | undefined>;
export async function creerCompte(
  client: Client,
  coffre: Coffre,
  compte: NouveauCompte,
  options: { seulementSiAucun?: boolean; essai?: boolean } = {},
): Promise<Compte | undefined> {
  return await ecrire(client, coffre, async () => {
    if (options.seulementSiAucun && !(await lirePorte(client)).ouverte) return undefined;
    const username = ranger(compte.username);
    const email = ranger(compte.email);
    await refuserDoublon(client, coffre, 'username', username);
    await refuserDoublon(client, coffre, 'email', email);
    const id = randomUUID();
    const c = chiffrerLigne(coffre, id, username, email);
    const { rows } = await client.query<Ligne>(
      `INSERT INTO "user" (id, username_chiffre, username_index, email_chiffre, email_index, cle_id, mot_de_passe, role)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${COLUMNS}`,
      [
        ...[id, c.username_chiffre, c.username_index, c.email_chiffre, c.email_index],
        ...[coffre.cleId, compte.motDePasseHache, compte.role],
      ],
    );
    if (!options.essai) await fermerPorte(client);
    return lire(coffre, rows[0]!);
  });
}

/** The account of that name, however it is written, with the hash of its password. */
export async function trouverParNom(
  db: Queryable,
  coffre: Coffre,
  username: string,
): Promise<(Compte & { motDePasse: string }) | undefined> {
  const { rows } = await db.query<Ligne>(
    `SELECT ${COLUMNS} FROM "user" WHERE username_index = ANY ($1::bytea[])`,
    [coffre.index('username', username)],
  );
  const [row] = rows;
  return row && { ...lire(coffre, row), motDePasse: row.mot_de_passe };
}

/** @param id a UUID */
export async function lireCompte(db: Queryable, coffre: Coffre, id: string): Promise<Compte | undefined> {
  const { rows } = await db.query<Ligne>(`SELECT ${COLUMNS} FROM "user" WHERE id = $1`, [id]);
  return rows[0] && lire(coffre, rows[0]);
}

/** Accounts, oldest first. Of one whose row is damaged the name and address say so; the others are shown all the same. */
export async function listerComptes(
  db: Queryable,
  coffre: Coffre,
  page: { skip: number; limit: number },
): Promise<{ comptes: Compte[]; total: number }> {
  const { rows } = await db.query<Ligne>(
    `SELECT ${COLUMNS} FROM "user" u ORDER BY u.date_creation, u.id OFFSET $1 LIMIT $2`,
    [page.skip, page.limit],
  );
  const count = await db.query<{ total: number }>('SELECT count(*) AS total FROM "user"');
  return { comptes: rows.map((row) => lireOuDire(coffre, row)), total: count.rows[0]!.total };
}

/**
 * Changes an account; in the transaction that `client` is in, or one of its own. A new password, role or state makes
 * all tokens worth nothing. What is the same already changes nothing, not even `version`.
 *
 * @param options `version`: only if it is still this one
 * @returns undefined when there is no such account, `'version'` when it is at another version
 * @throws CompteRefuse (ATL_A502) when the name or address is taken, or nobody active would be left as admin
 */
export async function modifierCompte(
  client: Client,
  coffre: Coffre,
  id: string,
  changes: ChangementsCompte,
  options: { version?: number | undefined } = {},
): Promise<Compte | undefined | 'version'> {
  return await ecrire(client, coffre, async () => {
    const row = await retenir(client, id);
    if (!row) return undefined;
    if (options.version !== undefined && options.version !== row.version) return 'version';
    const before = lire(coffre, row);
    const username = changes.username === undefined ? before.username : ranger(changes.username);
    const email = changes.email === undefined ? before.email : ranger(changes.email);
    const role = changes.role ?? before.role;
    const actif = changes.actif ?? before.actif;
    const password = changes.motDePasseHache ?? row.mot_de_passe;
    const rights = role !== before.role || actif !== before.actif || password !== row.mot_de_passe;
    if (!rights && username === before.username && email === before.email) return before;
    if (!(actif && role === 'admin'))
      await garderUnAdmin(client, before, role === before.role ? 'actif' : 'role');
    if (username !== before.username) await refuserDoublon(client, coffre, 'username', username, id);
    if (email !== before.email) await refuserDoublon(client, coffre, 'email', email, id);
    const c = chiffrerLigne(coffre, row.id, username, email);
    const { rows } = await client.query<Ligne>(
      `UPDATE "user" SET username_chiffre = $2, username_index = $3, email_chiffre = $4, email_index = $5, cle_id = $6,
              mot_de_passe = $7, role = $8, actif = $9, version = version + 1, version_jetons = version_jetons + $10
        WHERE id = $1 RETURNING ${COLUMNS}`,
      [
        ...[id, c.username_chiffre, c.username_index, c.email_chiffre, c.email_index, coffre.cleId],
        ...[password, role, actif, rights ? 1 : 0],
      ],
    );
    return lire(coffre, rows[0]!);
  });
}

/**
 * Deletes an account with its keys and sessions; in the transaction that `client` is in, or one of its own. Lines of
 * the audit log keep its id, which then leads nowhere.
 *
 * @returns false when there is no such account, `'version'` when it is at another version
 * @throws CompteRefuse (ATL_A502) when it is the last active admin
 */
export async function supprimerCompte(
  client: Client,
  id: string,
  options: { version?: number | undefined } = {},
): Promise<boolean | 'version'> {
  return await enTransaction(client, async () => {
    await verrouillerComptes(client);
    const row = await retenir(client, id);
    if (!row) return false;
    if (options.version !== undefined && options.version !== row.version) return 'version';
    await garderUnAdmin(client, row, undefined);
    await client.query('DELETE FROM "user" WHERE id = $1', [id]);
    return true;
  });
}

/** What every request asks of the account behind its token. */
export interface EtatCompte {
  readonly role: Role;
  readonly actif: boolean;
  readonly version_jetons: number;
}

/** The states of accounts by id; one that is not there is missing. @param ids UUIDs */
export async function etatsComptes(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, EtatCompte>> {
  // Named: each connection plans it once.
  const { rows } = await db.query<EtatCompte & { id: string }>({
    name: 'etats-comptes',
    text: 'SELECT id, role, actif, version_jetons FROM "user" WHERE id = ANY ($1::uuid[])',
    values: [ids],
  });
  return new Map(rows.map(({ id, ...etat }) => [id, etat]));
}

/** @param id a UUID */
export async function etatCompte(db: Queryable, id: string): Promise<EtatCompte | undefined> {
  return (await etatsComptes(db, [id])).get(id);
}

/**
 * Notes that somebody signed in. With a new hash of the same password (its parameters have changed) it takes the place
 * of the one that was checked, unless that has been changed meanwhile: the new password must win.
 */
export async function noterConnexion(db: Queryable, id: string): Promise<void>;
export async function noterConnexion(
  db: Queryable,
  id: string,
  nouvelleEmpreinte: string | undefined,
  ancienneEmpreinte: string,
): Promise<void>;
export async function noterConnexion(
  db: Queryable,
  id: string,
  nouvelleEmpreinte?: string,
  ancienneEmpreinte?: string,
): Promise<void> {
  await db.query(
    `UPDATE "user" SET derniere_connexion = now(),
            mot_de_passe = CASE WHEN mot_de_passe = $3 THEN coalesce($2, mot_de_passe) ELSE mot_de_passe END
      WHERE id = $1`,
    [id, nouvelleEmpreinte ?? null, ancienneEmpreinte ?? null],
  );
}

function lire(coffre: Coffre, row: Ligne): Compte {
  return {
    id: row.id,
    username: coffre.dechiffrer('username', row.id, row.username_chiffre),
    email: coffre.dechiffrer('email', row.id, row.email_chiffre),
    role: row.role,
    actif: row.actif,
    version: row.version,
    version_jetons: row.version_jetons,
    date_creation: row.date_creation,
    derniere_connexion: row.derniere_connexion,
  };
}

/** Shown for a name or address that cannot be read. */
export const ILLISIBLE = '(illisible)';

function lireOuDire(coffre: Coffre, row: Ligne): Compte {
  try {
    return lire(coffre, row);
  } catch (error) {
    if (!(error instanceof AtelierError)) throw error;
    const { id, role, actif, version, version_jetons, date_creation, derniere_connexion } = row;
    return {
      ...{ id, username: ILLISIBLE, email: ILLISIBLE, role, actif, version, version_jetons },
      ...{ date_creation, derniere_connexion },
    };
  }
}

/** A name or address as it is kept. */
function ranger(text: string): string {
  return text.normalize('NFC').trim();
}

async function enTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  return client.getTransactionStatus() === 'T' ? await work() : await transaction(client, work);
}

/** Runs `work` alone among the writers of accounts, with a key that is still the one to write with. */
async function ecrire<T>(client: Client, coffre: Coffre, work: () => Promise<T>): Promise<T> {
  return await enTransaction(client, async () => {
    await verrouillerComptes(client);
    await refuserCleDepassee(client, coffre);
    return await work();
  });
}

async function retenir(client: Client, id: string): Promise<Ligne | undefined> {
  const { rows } = await client.query<Ligne>(`SELECT ${COLUMNS} FROM "user" WHERE id = $1 FOR UPDATE`, [id]);
  return rows[0];
}
