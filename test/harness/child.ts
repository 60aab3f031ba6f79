import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Result } from '../crash/child.ts';
import { CACHE_COMPILATION } from './cache.ts';

const SCRIPT = fileURLToPath(new URL('../crash/child.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** undefined when it was killed before it could tell */
  readonly result: Result | undefined;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly shell?: string;
  readonly flags?: readonly string[];
}

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/**
 * Starts a process of its own for one order.
 *
 * @param options `shell`: commands before it, for example `ulimit -f 16`; `flags`: options of Node
 */
export function startChild(order: Order, options: ChildOptions = {}): Child {
  const { shell, flags = [] } = options;
  const command = [process.execPath, ...flags, SCRIPT, JSON.stringify(order)];
  const [program, ...args] = shell ? ['sh', '-c', `${shell}; exec "$0" "$@"`, ...command] : command;
  // As bin/atelier.mjs does: types are stripped once, not at every start.
  const env = { ...process.env, NODE_COMPILE_CACHE: CACHE_COMPILATION };
  const child = spawn(program!, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    const result = stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Result);
    return { code, signal, result, stderr };
  });
  return { process: child, ended };
}

export async function runChild(order: Order, options: ChildOptions = {}): Promise<Ended> {
  return await startChild(order, options).ended;
}
