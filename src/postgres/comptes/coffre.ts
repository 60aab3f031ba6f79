import { Coffre } from '../../base/chiffrement.ts';
import type { Cles } from '../../base/config/api.ts';
import { AtelierError } from '../../base/errors.ts';
import { type Client, type Pool, transaction, withClient } from '../pool.ts';
import {
  ANCIENNE,
  COLONNES_CHIFFREES,
  type LigneChiffree,
  lireOuDire,
  rangerLigne,
  sansIndex,
} from './lignes.ts';

/** Advisory lock of everything that writes accounts or their keys: any constant that nobody else uses. */
const LOCK = 4_711_000_003;

/**
 * From here to the end of the transaction nobody else writes accounts. They are few and change rarely: one lock
 * makes « no other of that name », « nobody yet » and « not the last admin » true when they are acted on.
 */
export async function verrouillerComptes(client: Client): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
}

/**
 * Makes the coffer of these keys after checking that the database was encrypted with them; on a new database, or with
 * a new current key beside the known one, leaves a witness of the current key. Accounts that came out of a backup can be
 * found from here on.
 *
 * @throws AtelierError ATL_C103 when the database knows another key, or has rows under a key that is not given
 */
export async function ouvrirCoffre(pool: Pool, cles: Pick<Cles, 'chiffrement'>): Promise<Coffre> {
  const coffre = new Coffre(cles.chiffrement);
  await withClient(pool, (client) =>
    transaction(client, async () => {
      await verrouillerComptes(client);
      await controler(client, coffre);
    }),
  );
  // After a restoration nobody could be found by name.
  await rangerComptes(pool, coffre, SANS_INDEX, {});
  return coffre;
}

interface Temoin {
  readonly id: string;
  readonly temoin: Buffer;
  readonly lignes: boolean;
}

async function controler(client: Client, coffre: Coffre): Promise<void> {
  const known = await temoins(client);
  for (const { id, temoin } of known) {
    if (coffre.reconnait(id, temoin) === false)
      throw wrongKey(`Le témoin de la clé ${id} est altéré dans la base.`);
  }
  const missing = known.filter(({ id }) => !coffre.cleIds.includes(id));
  const held = missing.find(({ lignes }) => lignes);
  if (held) throw wrongKey(`Des comptes sont chiffrés avec la clé ${held.id}, qui n’est pas donnée.`);
  if (known.some(({ id }) => id === coffre.cleId)) {
    refuserDepassee(known, coffre);
    return;
  }
  if (known.length > 0 && missing.length === known.length) {
    throw wrongKey(
      `La base connaît la clé ${known.at(-1)!.id} ; CLE_CHIFFREMENT est une autre clé (${coffre.cleId}).`,
    );
  }
  await client.query('INSERT INTO cle_chiffrement (id, temoin) VALUES ($1, $2)', [
    coffre.cleId,
    coffre.temoin(),
  ]);
}

/** Oldest first. */
async function temoins(client: Client): Promise<Temoin[]> {
  const { rows } = await client.query<Temoin>(
    `SELECT c.id, c.temoin, EXISTS (SELECT FROM "user" u WHERE u.cle_id = c.id) AS lignes
       FROM cle_chiffrement c ORDER BY c.date_creation, c.id`,
  );
  return rows;
}

/**
 * A process that was started before the key changed does not see accounts under the new key: it must not write, or
 * the same name could come in twice, once under each key. Call it under {@link verrouillerComptes}.
 *
 * @throws AtelierError ATL_C103
 */
export async function refuserCleDepassee(client: Client, coffre: Coffre): Promise<void> {
  const known = await temoins(client);
  if (!known.some(({ id }) => id === coffre.cleId))
    throw wrongKey(`La clé ${coffre.cleId} n’est plus celle de la base : la clé a changé, relancez.`);
  refuserDepassee(known, coffre);
}

function refuserDepassee(known: readonly Temoin[], coffre: Coffre): void {
  const newest = known.at(-1)!.id;
  if (!coffre.cleIds.includes(newest))
    throw wrongKey(`La base est passée à la clé ${newest}, qui n’est pas donnée.`);
}

function wrongKey(message: string): AtelierError {
  return new AtelierError('ATL_C103', message);
}

/** How rows are written anew. */
export interface OptionsRechiffrer {
  /** rows a transaction (default 100): others wait for no more than that */
  readonly lot?: number;
  /** stops between two transactions; what was done stays done */
  readonly signal?: AbortSignal | undefined;
  /** told after each transaction: rows done so far, in this run */
  readonly progres?: (faits: number) => void;
}

/** What became of the rows. */
export interface BilanRechiffrer {
  /** accounts written anew by this call */
  readonly nombre: number;
  /** ids of those that cannot be read: they stay as they are */
  readonly abimes: readonly string[];
}

/**
 * Brings every account under the current master key while the server works: the key of its own (drawn for those of before
 * there were any) is wrapped with it, what finds the account is computed with it. Then forgets the other master keys. May
 * be stopped or killed at any moment: the next call goes on. A damaged row stops none of the others, and keeps its master
 * key from being forgotten.
 */
export async function rechiffrer(
  pool: Pool,
  coffre: Coffre,
  options: OptionsRechiffrer = {},
): Promise<BilanRechiffrer> {
  const bilan = await rangerComptes(pool, coffre, AUTRE_CLE, options);
  await withClient(pool, (client) =>
    transaction(client, async () => {
      await verrouillerComptes(client);
      await refuserCleDepassee(client, coffre);
      // Under the lock nobody is about to write a row under an old key: when none is left, none can come.
      await client.query(
        'DELETE FROM cle_chiffrement c WHERE id <> $1 AND NOT EXISTS (SELECT FROM "user" u WHERE u.cle_id = c.id)',
        [coffre.cleId],
      );
    }),
  );
  return bilan;
}

/**
 * Gives every account that has none a key of its own, while the server works. To be called when no older program works on
 * this database any more: it could not read these rows. May be killed at any moment.
 */
export async function donnerDesCles(
  pool: Pool,
  coffre: Coffre,
  options: OptionsRechiffrer = {},
): Promise<BilanRechiffrer> {
  return await rangerComptes(pool, coffre, SANS_CLE, options);
}

const SANS_CLE = `(${ANCIENNE} OR NOT EXISTS (SELECT FROM compte_cle k WHERE k.user_id = "user".id))`;
/** Rows out of a backup. */
const SANS_INDEX = `(username_index = ${sansIndex('username')} OR email_index = ${sansIndex('email')})`;
const AUTRE_CLE = `(cle_id <> $1 OR ${SANS_CLE})`;

async function rangerComptes(
  pool: Pool,
  coffre: Coffre,
  lesquels: string,
  { lot = 100, signal, progres }: OptionsRechiffrer,
): Promise<BilanRechiffrer> {
  let [nombre, apres] = [0, NOBODY];
  const abimes: string[] = [];
  for (;;) {
    signal?.throwIfAborted();
    const rows = await withClient(pool, (client) =>
      transaction(client, async () => {
        // The lock before any row, as every writer does, or two of them could wait for each other.
        await verrouillerComptes(client);
        await refuserCleDepassee(client, coffre);
        const found = await client.query<LigneChiffree>(
          `SELECT ${COLONNES_CHIFFREES} FROM "user"
            WHERE $1::text IS NOT NULL AND ${lesquels} AND id > $2 ORDER BY id LIMIT $3 FOR UPDATE`,
          [coffre.cleId, apres, lot],
        );
        for (const row of found.rows) {
          if (lireOuDire(coffre, row).abime) abimes.push(row.id);
          else await rangerLigne(client, coffre, row);
        }
        return found.rows;
      }),
    );
    if (rows.length === 0) return { nombre, abimes };
    apres = rows.at(-1)!.id;
    nombre = nombre + rows.length - rows.filter(({ id }) => abimes.includes(id)).length;
    progres?.(nombre);
  }
}

/** Before every id. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Deletes every account under this key, and the key's witness: the database then takes another one. */
export async function oublierComptes(client: Client, coffre: Coffre): Promise<void> {
  await transaction(client, async () => {
    await verrouillerComptes(client);
    await client.query('DELETE FROM "user" WHERE cle_id = $1', [coffre.cleId]);
    await client.query('DELETE FROM cle_chiffrement WHERE id = $1', [coffre.cleId]);
  });
}
