import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from './server.ts';

/** A folder and a server for one run; both are gone after it, also after Ctrl+C. */
export interface Workplace extends AsyncDisposable {
  readonly dir: string;
  readonly server: Server;
}

export async function openWorkplace(): Promise<Workplace> {
  const dir = await mkdtemp(join(tmpdir(), 'atelier-bench-'));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  // Once, and waited for by all: what was going on fails as its server goes away, and would leave too soon.
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= stack.disposeAsync();
    return closing;
  };
  const stop = (): void => void close().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  stack.defer(() => void process.off('SIGINT', stop).off('SIGTERM', stop));
  const starting = startServer();
  stack.defer(async () => {
    const server = await starting.catch(() => undefined);
    await server?.remove();
  });
  try {
    return { dir, server: await starting, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
