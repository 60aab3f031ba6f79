import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('./fuse-server.ts', import.meta.url));

/** Whether a share that hangs can be made here. */
export const CAN_SHARE = process.getuid?.() === 0 && existsSync('/dev/fuse');

/** A folder seen through a share whose server can be made to fall silent. */
export interface Share {
  /** every question is taken from now on, none answered */
  hang(): void;
  /** it answers again, also what it was asked meanwhile */
  resume(): void;
  stop(): Promise<void>;
}

/** Shows `folder` at `mountpoint`. */
export async function mountShare(folder: string, mountpoint: string): Promise<Share> {
  const server: ChildProcess = spawn(process.execPath, [SERVER, folder, mountpoint], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  await Promise.race([once(server.stdout!, 'data'), ended]);
  if (server.exitCode !== null) throw new Error('partage impossible à monter');
  return {
    hang: () => void server.kill('SIGUSR1'),
    resume: () => void server.kill('SIGUSR2'),
    async stop() {
      server.kill('SIGKILL');
      await ended;
      spawnSync('umount', ['-l', mountpoint]);
    },
  };
}
