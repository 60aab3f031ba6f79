import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAMMES = [
  'awk',
  'cat',
  'chmod',
  'cp',
  'cut',
  'grep',
  'head',
  'install',
  'ln',
  'mkdir',
  'mv',
  'od',
  'rm',
  'sed',
  'tail',
  'tr',
];

/**
 * Stand-ins that note their arguments, then do what they are asked: what every account of the machine could have read in the
 * list of processes while a shell script ran.
 *
 * @param dir a new folder, to be put first in PATH
 * @returns what was noted so far
 */
export function temoins(dir: string): () => string {
  const noted = join(dir, 'arguments.txt');
  mkdirSync(dir);
  writeFileSync(noted, '');
  for (const name of PROGRAMMES)
    writeFileSync(
      join(dir, name),
      `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${noted}'\nPATH=/usr/local/bin:/usr/bin:/bin exec ${name} "$@"\n`,
      { mode: 0o755 },
    );
  return () => readFileSync(noted, 'utf8');
}
