import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';

/** Advisory lock of the one worker that follows. */
const VERROU = 4_711_000_011;

/** Milliseconds. */
export const DELAIS_MENEUR = {
  /** between two signs of life of the leader, and between two looks of those that stand by */
  pouls: 2_000,
  /** for the server to answer */
  reponse: 5_000,
  /** without a sign of life after which a leader is put aside */
  silence: 20_000,
} as const;

export interface OptionsMeneur {
  readonly url: string;
  readonly logger: Logger;
  /** aborted when the worker stops */
  readonly signal: AbortSignal;
  /** what the leader does, until its signal is aborted; called again each time the role is won */
  readonly exercer: (signal: AbortSignal) => Promise<void>;
  /** other times, for tests that have none to wait */
  readonly delais?: { readonly [K in keyof typeof DELAIS_MENEUR]: number };
}

/**
 * Stands for the lead until the signal is aborted. The lock is held on a connection of its own: losing that is losing
 * the lead. A leader that is silent (stopped, cut off) is put aside by whoever stands by: its session is ended.
 */
export async function mener(options: OptionsMeneur): Promise<void> {
  const delais = options.delais ?? DELAIS_MENEUR;
  /** the failure that was told last */
  let told: string | undefined;
  while (!options.signal.aborted) {
    let since = Number.POSITIVE_INFINITY;
    const onPris = (): void => {
      since = performance.now();
      options.logger.info('suivi mené ici');
    };
    try {
      await candidater(options, delais, onPris);
    } catch (error) {
      const erreur = messageOf(error);
      // Held for a while, then lost: another story than the one that was told before.
      if (performance.now() - since > delais.silence) told = undefined;
      if (erreur !== told) options.logger.warn({ erreur }, 'suivi : meneur perdu, nouvel essai');
      told = erreur;
    }
    await sleep(delais.pouls, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function candidater(
  options: OptionsMeneur,
  delais: Record<keyof typeof DELAIS_MENEUR, number>,
  onPris: () => void,
): Promise<void> {
  const { url, signal, logger } = options;
  // Our own socket: one whose other end vanished is thrown away, not asked to close.
  const socket = new Socket();
  const client = new pg.Client({
    stream: () => socket,
    connectionString: url,
    application_name: 'atelier-suivi',
    connectionTimeoutMillis: delais.reponse,
    query_timeout: delais.reponse,
    keepAlive: true,
  });
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort(new Error('connexion fermée')));
  try {
    await client.connect();
    while (!(await prendre(client))) {
      await ecarterMuet(client, delais.silence, logger);
      await sleep(delais.pouls, undefined, { signal });
      lost.signal.throwIfAborted();
    }
    // The stop may have come while the lock was on its way.
    if (signal.aborted) return;
    onPris();
    await exercer(options, client, lost, delais.pouls);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    client.removeAllListeners();
    client.on('error', () => undefined);
    await Promise.race([client.end().catch(() => undefined), sleep(1_000, undefined, { ref: false })]);
    socket.destroy();
  }
}

async function exercer(
  options: OptionsMeneur,
  client: pg.Client,
  lost: AbortController,
  pouls: number,
): Promise<void> {
  const stop = AbortSignal.any([options.signal, lost.signal]);
  const work = options.exercer(stop);
  const over = work.then(
    () => undefined,
    (error: unknown) => lost.abort(error),
  );
  try {
    while (!stop.aborted) {
      await sleep(pouls, undefined, { signal: stop });
      await client.query('SELECT 1');
    }
  } catch (error) {
    lost.abort(error);
  }
  // The lock goes only when the work has stopped: the next leader finds nobody at it.
  await over;
  if (!options.signal.aborted) throw lost.signal.reason;
}

async function prendre(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ pris: boolean }>('SELECT pg_try_advisory_lock($1) AS pris', [VERROU]);
  return rows[0]!.pris;
}

/** Ends the session of a leader that has not asked anything for too long; the next try takes its lock. */
async function ecarterMuet(client: pg.Client, silence: number, logger: Logger): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid = ($1::bigint >> 32)::oid AND l.objid = ($1::bigint & 4294967295)::oid
        AND greatest(a.query_start, a.state_change) < clock_timestamp() - $2 * interval '1 ms'`,
    [VERROU, silence],
  );
  if (rowCount !== null && rowCount > 0) logger.warn('suivi : meneur muet écarté');
}
