import type { Coffre } from '../../base/chiffrement.ts';
import { CleDeCompte, type Poivre } from '../../base/cle-de-compte.ts';
import { squelettes } from '../../base/homographes.ts';
import type { Role } from '../../base/roles.ts';
import { type Client, type Pool, type Queryable, transaction, withClient } from '../pool.ts';
import { refuserCleDepassee, verrouillerComptes } from './coffre.ts';
import { fermerPorte, lirePorte } from './installation.ts';
import {
  COLONNES_CHIFFREES,
  chiffrerLigne,
  cleGardee,
  estAncienne,
  GARDER_CLE,
  ILLISIBLE,
  type LigneChiffree,
  lireOuDire,
  rangerLigne,
} from './lignes.ts';
import { CompteRefuse, garderUnAdmin, refuserDoublon } from './users-gardes.ts';

// The doors to accounts are all here.
export { ouvrirCoffre, rechiffrer } from './coffre.ts';
export { ILLISIBLE } from './lignes.ts';
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
  /** its row is damaged: what of it cannot be read says so; rights can be changed, and it can be deleted */
  readonly abime?: true;
}

/** What makes an account. */
export interface NouveauCompte {
  readonly username: string;
  readonly email: string;
  /** argon2id, PHC string; with the pepper of `cle` or none */
  readonly motDePasseHache: string;
  readonly role: Role;
}

/** What changes; absent fields stay. */
export type ChangementsCompte = { readonly [K in keyof NouveauCompte]?: NouveauCompte[K] | undefined } & {
  readonly actif?: boolean | undefined;
};

type Ligne = LigneChiffree & Omit<Compte, 'username' | 'email' | 'abime'>;

// `to_json` writes instants as ISO 8601 with offset, as every other answer of the API has them.
const COLUMNS = `${COLONNES_CHIFFREES}, role, actif, version, version_jetons,
  to_json(date_creation) #>> '{}' AS date_creation, to_json(derniere_connexion) #>> '{}' AS derniere_connexion`;

const TOUS = 1_000_000_000;

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
 * @param compte `cle`: its own key, when the password was hashed with the pepper of it
 * @returns undefined when it was to be the first, and is not
 * @throws CompteRefuse (ATL_A502) when the name or the address is taken, in whatever spelling
 */
export async function creerCompte(
  client: Client,
  coffre: Coffre,
  compte: NouveauCompte & { readonly cle?: CleDeCompte },
  options?: { seulementSiAucun?: false; essai?: boolean },
): Promise<Compte>;
export async function creerCompte(
  client: Client,
  coffre: Coffre,
  compte: NouveauCompte & { readonly cle?: CleDeCompte },
  options: { seulementSiAucun?: boolean; essai?: boolean },
): Promise<Compte | undefined>;
export async function creerCompte(
  client: Client,
  coffre: Coffre,
  compte: NouveauCompte & { readonly cle?: CleDeCompte },
  options: { seulementSiAucun?: boolean; essai?: boolean } = {},
): Promise<Compte | undefined> {
  return await ecrire(client, coffre, async () => {
    if (options.seulementSiAucun && !(await lirePorte(client)).ouverte) return undefined;
    const username = ranger(compte.username);
    const email = ranger(compte.email);
    await refuserDoublon(client, coffre, 'username', username);
    await refuserSosie(client, coffre, username);
    await refuserDoublon(client, coffre, 'email', email);
    const cle = compte.cle ?? CleDeCompte.tirer();
    const c = chiffrerLigne(coffre, cle, username, email);
    await client.query(
      `WITH garde AS (${GARDER_CLE})
       INSERT INTO "user" (id, username_chiffre, username_index, email_chiffre, email_index, cle_id, mot_de_passe, role)
       SELECT $1, $4, $5, $6, $7, $8, $9, $10 FROM garde`,
      [
        ...cleGardee(coffre, cle),
        ...[c.username_chiffre, c.username_index, c.email_chiffre, c.email_index],
        ...[coffre.cleId, cle.rangerHash(compte.motDePasseHache), compte.role],
      ],
    );
    if (!options.essai) await fermerPorte(client);
    return (await lireCompte(client, coffre, cle.compte))!;
  });
}

/** An account with what its password is checked against. */
export interface CompteTrouve extends Compte {
  /** the hash, a PHC string; undefined: none that is of this account, nobody signs in with it */
  readonly motDePasse: string | undefined;
  /** what the row holds of it, for {@link noterConnexion} */
  readonly motDePasseRange: string;
  /** undefined: the account has no key of its own yet */
  readonly poivre: Poivre | undefined;
}

/** The account of that name, however it is written, with the hash of its password. */
export async function trouverParNom(
  db: Queryable,
  coffre: Coffre,
  username: string,
): Promise<CompteTrouve | undefined> {
  const { rows } = await db.query<Ligne>(
    `SELECT ${COLUMNS} FROM "user" WHERE username_index = ANY ($1::bytea[])`,
    [coffre.index('username', username)],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { compte, cle } = lire(coffre, row);
  const motDePasse = compte.abime ? undefined : hashDe(cle, row);
  return { ...compte, motDePasse, motDePasseRange: row.mot_de_passe, poivre: cle?.poivre() };
}

/** An account; of one whose row is damaged the name and address say so. @param id a UUID */
export async function lireCompte(db: Queryable, coffre: Coffre, id: string): Promise<Compte | undefined> {
  const { rows } = await db.query<Ligne>(`SELECT ${COLUMNS} FROM "user" WHERE id = $1`, [id]);
  return rows[0] && lire(coffre, rows[0]).compte;
}

/**
 * The pepper for a new password of an account, which gets its own key if it has none yet.
 *
 * @param id a UUID
 * @returns undefined when there is no such account
 * @throws CompteRefuse (ATL_A502) when its row is damaged
 */
export async function poivreDe(pool: Pool, coffre: Coffre, id: string): Promise<Poivre | undefined> {
  return await withClient(pool, (client) =>
    ecrire(client, coffre, async () => {
      const row = await retenir(client, id);
      if (!row) return undefined;
      const { cle, compte } = lire(coffre, row);
      if (compte.abime) throw new CompteRefuse('abime', undefined, ABIME);
      return (cle && !estAncienne(row) ? cle : await rangerLigne(client, coffre, row)).poivre();
    }),
  );
}

/** Accounts, oldest first. Of one whose row is damaged the name and address say so; the others are shown all the same. */
export async function listerComptes(
  db: Queryable,
  coffre: Coffre,
  page: { skip: number; limit: number },
): Promise<{ comptes: Compte[]; total: number }> {
  const { rows } = await db.query<Ligne>(
    `SELECT ${COLUMNS} FROM "user" ORDER BY "user".date_creation, id OFFSET $1 LIMIT $2`,
    [page.skip, page.limit],
  );
  const count = await db.query<{ total: number }>('SELECT count(*) AS total FROM "user"');
  return { comptes: rows.map((row) => lire(coffre, row).compte), total: count.rows[0]!.total };
}

/**
 * Changes an account; in the transaction that `client` is in, or one of its own. A new password, role or state makes
 * all tokens worth nothing. What is the same already changes nothing, not even `version`.
 *
 * @param options `version`: only if it is still this one
 * @returns undefined when there is no such account, `'version'` when it is at another version
 * @throws CompteRefuse (ATL_A502) when the name or address is taken, nobody active would be left as admin, or the row
 *   is too damaged for it
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
    const { compte: before, cle } = lire(coffre, row);
    const username = changes.username === undefined ? before.username : ranger(changes.username);
    const email = changes.email === undefined ? before.email : ranger(changes.email);
    const role = changes.role ?? before.role;
    const actif = changes.actif ?? before.actif;
    const held = hashDe(cle, row);
    const hash = changes.motDePasseHache === held ? undefined : changes.motDePasseHache;
    const rights = role !== before.role || actif !== before.actif || hash !== undefined;
    const renamed = username !== before.username || email !== before.email;
    if (!rights && !renamed) return before;
    // A damaged name can be given anew; what is under a key that is lost cannot.
    const lost = before.abime && ((!cle && row.cle_compte) || username === ILLISIBLE || email === ILLISIBLE);
    if (lost && (renamed || hash !== undefined)) throw new CompteRefuse('abime', undefined, ABIME);
    if (!(actif && role === 'admin'))
      await garderUnAdmin(client, before, role === before.role ? 'actif' : 'role');
    if (username !== before.username) {
      await refuserDoublon(client, coffre, 'username', username, id);
      await refuserSosie(client, coffre, username, id);
    }
    if (email !== before.email) await refuserDoublon(client, coffre, 'email', email, id);
    const own = renamed ? await rangerLigne(client, coffre, row, { username, email }) : cle;
    await client.query(
      `UPDATE "user" SET mot_de_passe = coalesce($2, mot_de_passe), role = $3, actif = $4, version = version + 1,
              version_jetons = version_jetons + $5
        WHERE id = $1`,
      [id, hash === undefined ? null : (own?.rangerHash(hash) ?? hash), role, actif, rights ? 1 : 0],
    );
    return await lireCompte(client, coffre, id);
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

const ABIME =
  'La ligne de ce compte est abîmée dans la base : son nom et son mot de passe ne peuvent plus changer. Supprimez-le, puis refaites-le.';

/** The hash of a row; undefined when it is none of this account. */
function hashDe(cle: CleDeCompte | undefined, row: LigneChiffree): string | undefined {
  return cle && !estAncienne(row) ? cle.lireHash(row.mot_de_passe) : row.mot_de_passe;
}

function lire(coffre: Coffre, row: Ligne): { compte: Compte; cle: CleDeCompte | undefined } {
  const { cle, username, email, abime } = lireOuDire(coffre, row);
  const { id, role, actif, version, version_jetons, date_creation, derniere_connexion } = row;
  const rest = { role, actif, version, version_jetons, date_creation, derniere_connexion };
  return { compte: { id, username, email, ...rest, ...(abime ? { abime } : {}) }, cle };
}

/**
 * Refuses a name that cannot be told from another account's. Under the lock of who writes accounts; they are few, so that
 * all names are looked at: nothing more is kept of them than before.
 */
async function refuserSosie(
  client: Client,
  coffre: Coffre,
  username: string,
  saufId?: string,
): Promise<void> {
  const wanted = new Set(squelettes(username));
  const { comptes } = await listerComptes(client, coffre, { skip: 0, limit: TOUS });
  if (comptes.some((c) => c.id !== saufId && squelettes(c.username).some((one) => wanted.has(one))))
    throw new CompteRefuse('doublon', 'username', 'Ce nom ne se distingue pas à l’œil de celui d’un compte.');
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
