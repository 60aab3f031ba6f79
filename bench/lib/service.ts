import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

/** A server under measure, in a process of its own. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  /** largest resident size so far, bytes (Linux) */
  peak(): Promise<number>;
  /** processor time that it took so far, seconds (Linux): what neighbours on the machine do weighs less on it */
  cpu(): Promise<number>;
}

/**
 * Starts a program that serves and waits until it says where.
 *
 * @param found finds its port in what it wrote so far
 */
export async function serve(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  found: (text: string) => string | undefined,
): Promise<Service> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await portOf(child, args, found);
  return {
    url: `http://127.0.0.1:${port}`,
    async peak() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]) * 1024;
    },
    async cpu() {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
}

function portOf(
  child: ChildProcess,
  args: readonly string[],
  found: (text: string) => string | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (piece: Buffer): void => {
      // Later output is thrown away, but read: a full pipe would stop the server.
      if (text.length > 100_000) return;
      text += piece.toString();
      const port = found(text);
      if (port !== undefined) resolve(port);
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    child.once('close', (code) => reject(new Error(`${args.join(' ')}: ${code}\n${text.slice(-4000)}`)));
  });
}
