import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.ts';

/** The working tree. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * An earlier state of the program, checked out beside a run; it uses the dependencies of the working tree.
 *
 * @param dir a folder that is not there yet
 * @param commit anything that git names a commit by
 */
export async function checkOut(dir: string, commit: string): Promise<AsyncDisposable> {
  await run('git', ['-C', ROOT, 'worktree', 'add', '--detach', dir, commit]);
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return {
    [Symbol.asyncDispose]: async () =>
      void (await run('git', ['-C', ROOT, 'worktree', 'remove', '--force', dir])),
  };
}
