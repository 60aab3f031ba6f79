import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

/** A connection whose loss is told by the next question: what went wrong first is what should be seen. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A Node program that ends with this process. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  if (process.env['BANC_TOUT_DIRE']) child.stdout.pipe(process.stderr);
  else child.stdout.resume();
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

export async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** User and system time so far, all threads, ms (Linux: 100 ticks a second). */
export function cpuOf(child: ChildProcess): number {
  const fields = statOf(child.pid!);
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * The same of a whole PostgreSQL server, processes that have ended included.
 *
 * @param client a connection to it, whose own process does not count: it is who measures
 */
export async function cpuOfServer(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const own = rows[0]!.pid;
  const postmaster = Number(statOf(own)[1]);
  let ticks = statOf(postmaster)
    .slice(11, 15)
    .reduce((sum, one) => sum + Number(one), 0);
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === own) continue;
    try {
      const fields = statOf(Number(name));
      if (Number(fields[1]) === postmaster) ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended since, and is in its parent's figure.
    }
  }
  return ticks * 10;
}

/** Fields of `/proc/<pid>/stat` after the name, from the state on. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
