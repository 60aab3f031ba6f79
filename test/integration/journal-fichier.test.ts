// The log files: several processes, put aside when full, by us or by others, and no line lost.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtelierError } from '../../src/base/errors.ts';
import { JournalFichier } from '../../src/base/journal-fichier.ts';

const CHILD = fileURLToPath(new URL('../crash/journal-child.ts', import.meta.url));
const NAME = 'ftp_log_service.log';
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'atelier-journal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What all files together hold, the oldest first. */
function lines(): string[] {
  const aside = readdirSync(dir).filter((name) => name.startsWith(`${NAME}.`) && !name.endsWith('.verrou'));
  return [...aside.sort(), ...(readdirSync(dir).includes(NAME) ? [NAME] : [])].flatMap((name) =>
    readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1),
  );
}

const numbered = (n: number): string => `${JSON.stringify({ n, texte: 'x'.repeat(80) })}\n`;

/** Runs a writer of its own; `before`: shell commands. */
async function writer(
  args: { taille: number; fichiers: number; qui: string; nombre: number },
  before = 'true',
): Promise<{ code: number | null; stderr: string }> {
  const { taille, fichiers, qui, nombre } = args;
  const command = [process.execPath, CHILD, dir, taille, fichiers, qui, nombre].map(String);
  const child = spawn('sh', ['-c', `${before}; exec "$0" "$@" >/dev/null`, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

describe('several processes, one file', () => {
  it('every line of every process is there once, whole, in its order, through dozens of files', async () => {
    const who = ['a', 'b', 'c', 'd'];
    const ended = await Promise.all(
      who.map((qui) => writer({ taille: 20_000, fichiers: 1000, qui, nombre: 1500 })),
    );
    expect(ended).toEqual(who.map(() => ({ code: 0, stderr: '' })));
    expect(readdirSync(dir).length).toBeGreaterThan(20);
    const found = lines().map((line) => JSON.parse(line) as { qui: string; n: number });
    for (const qui of who) {
      const own = found.filter((line) => line.qui === qui).map(({ n }) => n);
      expect(own.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1500 }, (_, n) => n));
    }
    expect(found).toHaveLength(6000);
    // Full ones, and little more than full; now and then one grows while whoever puts it aside waits for its turn.
    const sizes = readdirSync(dir).map((name) => statSync(join(dir, name)).size);
    expect(sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)]).toBeLessThan(25_000);
  });

  it('a lock that a killed process left is removed after a while; until then nothing waits for it', () => {
    const journal = new JournalFichier({ dir, name: NAME, taille: 1_000, fichiers: 3 });
    const lock = join(dir, `${NAME}.verrou`);
    closeSync(openSync(lock, 'wx'));
    for (let n = 0; n < 30; n++) journal.write(numbered(n));
    expect(readdirSync(dir).sort()).toEqual([NAME, `${NAME}.verrou`]);
    utimesSync(lock, new Date(0), new Date(0));
    journal.write(numbered(30));
    journal.write(numbered(31));
    expect(readdirSync(dir)).not.toContain(`${NAME}.verrou`);
    expect(readdirSync(dir)).toHaveLength(2);
    expect(lines()).toHaveLength(32);
  });
});

describe('put aside', () => {
  it('the newest files are kept, the number that was set; a line is never cut', () => {
    const journal = new JournalFichier({ dir, name: NAME, taille: 1_000, fichiers: 3 });
    for (let n = 0; n < 200; n++) journal.write(numbered(n));
    expect(readdirSync(dir)).toHaveLength(4);
    const kept = lines().map((line) => (JSON.parse(line) as { n: number }).n);
    expect(kept.at(-1)).toBe(199);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 200 - kept.length + i));
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(1_000);
  });

  it('files of other names stay', () => {
    for (const name of [`${NAME}.1`, `${NAME}.gz`, 'mysql_sync.log', `${NAME}.20250101T000000.000Z.note.txt`])
      closeSync(openSync(join(dir, name), 'w'));
    const journal = new JournalFichier({ dir, name: NAME, taille: 500, fichiers: 1 });
    for (let n = 0; n < 50; n++) journal.write(numbered(n));
    expect(readdirSync(dir)).toHaveLength(6);
  });

  it('a line longer than the limit is written all the same; size 0: never put aside', () => {
    const small = new JournalFichier({ dir, name: NAME, taille: 10 });
    small.write(numbered(1));
    small.write(numbered(2));
    expect(lines()).toHaveLength(2);
    const never = new JournalFichier({ dir, name: 'mysql_sync.log', taille: 0 });
    for (let n = 0; n < 100; n++) never.write(numbered(n));
    expect(readdirSync(dir).filter((name) => name.startsWith('mysql_sync.log'))).toHaveLength(1);
  });
});

describe('by others (logrotate)', () => {
  it('renamed, removed or cut by somebody else: the next line goes to the file of that name', () => {
    const journal = new JournalFichier({ dir, name: NAME });
    const path = join(dir, NAME);
    journal.write(numbered(1));
    renameSync(path, `${path}.1`);
    journal.write(numbered(2));
    expect(readFileSync(path, 'utf8')).toBe(numbered(2));
    expect(readFileSync(`${path}.1`, 'utf8')).toBe(numbered(1));
    rmSync(path);
    journal.write(numbered(3));
    expect(readFileSync(path, 'utf8')).toBe(numbered(3));
    truncateSync(path);
    journal.write(numbered(4));
    expect(readFileSync(path, 'utf8')).toBe(numbered(4));
    // `create` of logrotate: an empty file of that name is there already.
    renameSync(path, `${path}.2`);
    closeSync(openSync(path, 'w'));
    journal.write(numbered(5));
    expect(readFileSync(path, 'utf8')).toBe(numbered(5));
  });

  it('a folder that goes away and comes back stops nothing', () => {
    const inner = join(dir, 'sync');
    const journal = new JournalFichier({ dir: inner, name: NAME });
    renameSync(inner, `${inner}-ailleurs`);
    for (let n = 0; n < 3; n++) journal.write(numbered(n));
    renameSync(`${inner}-ailleurs`, inner);
    journal.write(numbered(9));
    expect(readFileSync(join(inner, NAME), 'utf8')).toBe(numbered(9));
  });
});

describe('O12: a full disk', () => {
  it('says it once, goes on, and leaves no half line before the next whole one', async () => {
    const { code, stderr } = await writer(
      { taille: 0, fichiers: 10, qui: 'plein', nombre: 2000 },
      "trap '' XFSZ; ulimit -f 16",
    );
    expect(code).toBe(0);
    expect(stderr.match(/atelier : journal/g)).toHaveLength(1);
    const path = join(dir, NAME);
    expect(statSync(path).size).toBe(16 * 512);
    // Room again: the half line stands alone.
    const journal = new JournalFichier({ dir, name: NAME });
    journal.write(numbered(1));
    const all = readFileSync(path, 'utf8');
    expect(all.endsWith(`\n${numbered(1)}`)).toBe(true);
    const broken = all
      .split('\n')
      .slice(0, -1)
      .filter((line) => !isJson(line));
    expect(broken.length).toBeLessThanOrEqual(1);
  });

  it('a folder that cannot be made is an error with a number, at the start', () => {
    closeSync(openSync(join(dir, 'fichier'), 'w'));
    const make = (): unknown => new JournalFichier({ dir: join(dir, 'fichier'), name: NAME });
    expect(make).toThrow(AtelierError);
  });
});

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
