import type { Coffre } from '../../base/chiffrement.ts';
import { CleDeCompte, type ColonneChiffree } from '../../base/cle-de-compte.ts';
import { FORMATS } from '../../base/enveloppe.ts';
import { AtelierError } from '../../base/errors.ts';
import type { Client } from '../pool.ts';

/** What of a row of `"user"` and of its key is needed to read it. */
export interface LigneChiffree {
  readonly id: string;
  readonly username_chiffre: Buffer;
  readonly email_chiffre: Buffer;
  readonly mot_de_passe: string;
  /** NULL: a row of before accounts had a key, or one whose key was erased */
  readonly cle_compte: Buffer | null;
}

/** Columns of {@link LigneChiffree}; the table must not have another name in the statement. */
export const COLONNES_CHIFFREES = `id, username_chiffre, email_chiffre, mot_de_passe,
  (SELECT k.enveloppe FROM compte_cle k WHERE k.user_id = "user".id) AS cle_compte`;

/** Whether a row is one of before accounts had a key: it is read with the master key. */
export function estAncienne(row: Pick<LigneChiffree, 'username_chiffre'>): boolean {
  return row.username_chiffre[0] === FORMATS.maitre;
}

/** The same as a condition on `"user"`. */
export const ANCIENNE = `substring(username_chiffre for 1) = '\\x01'`;

/**
 * What stands in a backup in place of the keyed hashes by which an account is found: with the master key they would
 * confirm a guess at the name of somebody who was erased since. They are computed again before the first use.
 */
export function sansIndex(colonne: ColonneChiffree): string {
  return `sha256(convert_to('sans index|${colonne}|' || id::text, 'UTF8'))`;
}

/** The key of a row. @returns undefined when it has none yet @throws AtelierError ATL_C103 */
export function cleDeLigne(coffre: Coffre, row: LigneChiffree): CleDeCompte | undefined {
  return row.cle_compte ? coffre.deballer(row.id, row.cle_compte) : undefined;
}

/** Name and address of a row. @throws AtelierError ATL_C103 */
export function lireLigne(coffre: Coffre, row: LigneChiffree): { username: string; email: string } {
  const cle = cleDeLigne(coffre, row);
  const { username_chiffre, email_chiffre } = row;
  return {
    username: lireNom(coffre, cle, row.id, 'username', username_chiffre),
    email: lireNom(coffre, cle, row.id, 'email', email_chiffre),
  };
}

function lireNom(
  coffre: Coffre,
  cle: CleDeCompte | undefined,
  id: string,
  colonne: ColonneChiffree,
  enveloppe: Buffer,
): string {
  const own = cle && enveloppe[0] !== FORMATS.maitre;
  return own ? cle.dechiffrer(colonne, enveloppe) : coffre.dechiffrer(colonne, id, enveloppe);
}

/** Shown for a name or address that cannot be read. */
export const ILLISIBLE = '(illisible)';

/**
 * Name and address of a row; of a damaged one, what can be read. One damaged row must not keep anybody from the others,
 * nor from taking it away.
 */
export function lireOuDire(
  coffre: Coffre,
  row: LigneChiffree,
): { cle: CleDeCompte | undefined; username: string; email: string; abime: boolean } {
  let abime = false;
  const or = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof AtelierError)) throw error;
      abime = true;
      return otherwise;
    }
  };
  const cle = or(() => cleDeLigne(coffre, row), undefined);
  if (abime) return { cle, username: ILLISIBLE, email: ILLISIBLE, abime };
  const username = or(() => lireNom(coffre, cle, row.id, 'username', row.username_chiffre), ILLISIBLE);
  const email = or(() => lireNom(coffre, cle, row.id, 'email', row.email_chiffre), ILLISIBLE);
  return { cle, username, email, abime };
}

/** The encrypted columns of a row. */
interface ColonnesChiffrees {
  readonly username_chiffre: Buffer;
  readonly username_index: Buffer;
  readonly email_chiffre: Buffer;
  readonly email_index: Buffer;
}

/** A row's encrypted columns, under the account's key; what finds it, under the current master key. */
export function chiffrerLigne(
  coffre: Coffre,
  cle: CleDeCompte,
  username: string,
  email: string,
): ColonnesChiffrees {
  return {
    username_chiffre: cle.chiffrer('username', username),
    username_index: coffre.index('username', username)[0]!,
    email_chiffre: cle.chiffrer('email', email),
    email_index: coffre.index('email', email)[0]!,
  };
}

/** Part of a statement: keeps the key of an account; one that it has stays, and is wrapped anew. Parameters $1 to $3. */
export const GARDER_CLE = `INSERT INTO compte_cle (user_id, cle, enveloppe) VALUES ($1::uuid, $2, $3)
  ON CONFLICT (user_id) DO UPDATE SET enveloppe = excluded.enveloppe WHERE compte_cle.cle = excluded.cle RETURNING 1`;

/** Parameters of {@link GARDER_CLE}. */
export function cleGardee(coffre: Coffre, cle: CleDeCompte): [string, string, Buffer] {
  return [cle.compte, cle.id, coffre.emballer(cle)];
}

/**
 * Writes everything of a row that depends on keys: its own (drawn now if it has none), wrapped with the current master
 * key; name and address under it; what they are found by, and an old hash, sealed. `version` stays: nothing changed that
 * anybody could see. Call it under `verrouillerComptes`, with the row locked.
 *
 * @param noms what the row says from now on; without, what it says
 * @throws AtelierError ATL_C103 when it cannot be read
 */
export async function rangerLigne(
  client: Client,
  coffre: Coffre,
  row: LigneChiffree,
  noms?: { readonly username: string; readonly email: string },
): Promise<CleDeCompte> {
  const { username, email } = noms ?? lireLigne(coffre, row);
  const known = cleDeLigne(coffre, row);
  const cle = known ?? CleDeCompte.tirer(row.id);
  const c = chiffrerLigne(coffre, cle, username, email);
  const { rowCount } = await client.query(
    `WITH garde AS (${GARDER_CLE})
     UPDATE "user" SET username_chiffre = $4, username_index = $5, email_chiffre = $6, email_index = $7, cle_id = $8,
            mot_de_passe = $9
      WHERE id = $1 AND EXISTS (SELECT FROM garde)`,
    [
      ...cleGardee(coffre, cle),
      ...[c.username_chiffre, c.username_index, c.email_chiffre, c.email_index, coffre.cleId],
      estAncienne(row) ? cle.rangerHash(row.mot_de_passe) : row.mot_de_passe,
    ],
  );
  if (rowCount !== 1)
    throw new AtelierError('ATL_C103', `Le compte ${row.id} a déjà une autre clé : recommencez.`);
  return cle;
}
