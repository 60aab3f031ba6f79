import { AtelierError, messageOf } from '../../base/errors.ts';
import { type Client, type Pool, withClient } from '../pool.ts';

/** Advisory locks: one backup at a time, and no archive is erased while one runs. */
const SAUVEGARDE = `hashtextextended('atelier:sauvegarde', 0)`;
const ARCHIVES = `hashtextextended('atelier:effacement-archives', 0)`;

/** A sign of life every so many ms; whoever gives none for fifteen times as long has lost its locks. */
const BATTEMENT = 20_000;

/** The right to back up, while it lasts. */
export interface Verrou {
  /** @throws AtelierError ATL_D301 when it is lost: the process stood still for too long, or its connection broke */
  exiger(): Promise<void>;
}

/**
 * Runs `work` while no other backup runs in this database and no archive is erased. The locks belong to a transaction
 * of a connection of their own, so that they hold behind a pooler too, and before a snapshot is taken. A process that is
 * stopped does not keep them for ever, a connection on which nothing is said is not taken for a dead one.
 *
 * @param battement ms between two signs of life
 * @returns undefined when another backup is running
 */
export async function pendantSauvegarde<T>(
  pool: Pool,
  work: (verrou: Verrou) => Promise<T>,
  battement = BATTEMENT,
): Promise<T | undefined> {
  return await withClient(pool, async (client) => {
    await client.query('BEGIN');
    let beat: NodeJS.Timeout | undefined;
    try {
      await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${15 * battement}`);
      const { rows } = await client.query<{ seul: boolean }>(
        `SELECT pg_try_advisory_xact_lock(${SAUVEGARDE}) AS seul`,
      );
      if (!rows[0]!.seul) return undefined;
      await client.query(`SELECT pg_advisory_xact_lock(${ARCHIVES})`);
      // That it is lost is told by `exiger`.
      beat = setInterval(() => void client.query('SELECT 1').catch(() => undefined), battement);
      return await work({ exiger: () => exiger(client) });
    } finally {
      clearInterval(beat);
      await client.query('ROLLBACK').catch(() => undefined);
    }
  });
}

async function exiger(client: Client): Promise<void> {
  try {
    await client.query('SELECT 1');
  } catch (cause) {
    throw new AtelierError('ATL_D301', `Verrou de la sauvegarde perdu : ${messageOf(cause)}`, { cause });
  }
}

/**
 * Whether archives may be erased from the disk until the end of this transaction: no, while a backup runs that may
 * still need them. What is marked as no longer needed stays marked; the next import or purge erases it.
 */
export async function peutEffacerArchives(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ libre: boolean }>(
    `SELECT pg_try_advisory_xact_lock_shared(${ARCHIVES}) AS libre`,
  );
  return rows[0]!.libre;
}
