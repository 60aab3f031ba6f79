import { Coffre } from '../../base/chiffrement.ts';
import type { Cles } from '../../base/config/api.ts';
import { AtelierError } from '../../base/errors.ts';
import { type Client, type Pool, transaction, withClient } from '../pool.ts';

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
 * a new current key beside the known one, leaves a witness of the current key.
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

/** How a change of key is done. */
export interface OptionsRechiffrer {
  /** rows a transaction (default 100): others wait for no more than that */
  readonly lot?: number;
  /** stops between two transactions; what was done stays done */
  readonly signal?: AbortSignal;
  /** told after each transaction: rows done so far, in this run */
  readonly progres?: (faits: number) => void;
}

/**
 * Encrypts again, with the current key, every account that is under another one, while the server works; then forgets
 * the other keys. May be stopped or killed at any moment: the next call goes on.
 *
 * @returns accounts encrypted again by this call
 * @throws AtelierError ATL_C103 when a row does not decrypt; those before it stay done
 */
export async function rechiffrer(
  pool: Pool,
  coffre: Coffre,
  options: OptionsRechiffrer = {},
): Promise<number> {
  const { lot = 100, signal, progres } = options;
  let count = 0;
  for (;;) {
    signal?.throwIfAborted();
    const done = await withClient(pool, (client) =>
      transaction(client, async () => {
        // The lock before any row, as every writer does, or two of them could wait for each other. And under it nobody
        // is about to write a row under an old key: when none is left, none can come.
        await verrouillerComptes(client);
        await refuserCleDepassee(client, coffre);
        const rows = await rechiffrerLot(client, coffre, lot);
        if (rows === 0) await client.query('DELETE FROM cle_chiffrement WHERE id <> $1', [coffre.cleId]);
        return rows;
      }),
    );
    if (done === 0) return count;
    count += done;
    progres?.(count);
  }
}

/** Deletes every account under this key, and the key's witness: the database then takes another one. */
export async function oublierComptes(client: Client, coffre: Coffre): Promise<void> {
  await transaction(client, async () => {
    await verrouillerComptes(client);
    await client.query('DELETE FROM "user" WHERE cle_id = $1', [coffre.cleId]);
    await client.query('DELETE FROM cle_chiffrement WHERE id = $1', [coffre.cleId]);
  });
}

async function rechiffrerLot(client: Client, coffre: Coffre, lot: number): Promise<number> {
  const { rows } = await client.query<{ id: string; username_chiffre: Buffer; email_chiffre: Buffer }>(
    `SELECT id, username_chiffre, email_chiffre FROM "user"
      WHERE cle_id <> $1 ORDER BY id LIMIT $2 FOR UPDATE`,
    [coffre.cleId, lot],
  );
  const columns = rows.map((row) => {
    const username = coffre.dechiffrer('username', row.id, row.username_chiffre);
    const email = coffre.dechiffrer('email', row.id, row.email_chiffre);
    return chiffrerLigne(coffre, row.id, username, email);
  });
  // `version` stays: nothing changed that anybody could see.
  await client.query(
    `UPDATE "user" u SET username_chiffre = n.uc, username_index = n.ui, email_chiffre = n.ec, email_index = n.ei,
            cle_id = $6
       FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[]) n (id, uc, ui, ec, ei)
      WHERE u.id = n.id`,
    [
      rows.map(({ id }) => id),
      columns.map((c) => c.username_chiffre),
      columns.map((c) => c.username_index),
      columns.map((c) => c.email_chiffre),
      columns.map((c) => c.email_index),
      coffre.cleId,
    ],
  );
  return rows.length;
}

/** The encrypted columns of a row, under the current key. */
export interface ColonnesChiffrees {
  readonly username_chiffre: Buffer;
  readonly username_index: Buffer;
  readonly email_chiffre: Buffer;
  readonly email_index: Buffer;
}

export function chiffrerLigne(
  coffre: Coffre,
  id: string,
  username: string,
  email: string,
): ColonnesChiffrees {
  return {
    username_chiffre: coffre.chiffrer('username', id, username),
    username_index: coffre.index('username', username)[0]!,
    email_chiffre: coffre.chiffrer('email', id, email),
    email_index: coffre.index('email', email)[0]!,
  };
}
