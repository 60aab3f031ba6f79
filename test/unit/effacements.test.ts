// R16: the journal of erasures as it lies on the disk; that it is obeyed: integration/rejeu-effacements.test.ts.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Effacement, Effacements, lireEffacements } from '../../src/archives/effacements.ts';

let base: string;
let journal: Effacements;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'atelier-effacements-'));
  journal = new Effacements(join(base, 'archives'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const compte = (id: string): Effacement => ({ genre: 'compte', id });
const AT = Date.parse('2027-05-29T08:00:00Z');

it('has what was noted, in this order, with the instant; nothing at first', async () => {
  expect(await journal.lire()).toEqual([]);
  await journal.ajouter(compte('a'), AT);
  await journal.ajouter(compte('b'), AT + 1);
  expect(await journal.lire()).toEqual([
    { genre: 'compte', id: 'a', le: '2027-05-29T08:00:00.000Z' },
    { genre: 'compte', id: 'b', le: '2027-05-29T08:00:00.001Z' },
  ]);
  expect(journal.path).toBe(join(base, 'archives', 'effacements.jsonl'));
  const lines = readFileSync(journal.path, 'utf8').split('\n').filter(Boolean);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(await journal.lire());
});

it('is noted as of now when nothing else is said', async () => {
  const before = Date.now();
  await journal.ajouter(compte('a'));
  const [entree] = await journal.lire();
  expect(Date.parse(entree!.le)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(entree!.le)).toBeLessThanOrEqual(Date.now());
});

it.skipIf(process.platform === 'win32')('is nobody else’s to read', async () => {
  await journal.ajouter(compte('a'), AT);
  expect(statSync(journal.path).mode & 0o777).toBe(0o600);
  expect(statSync(join(base, 'archives')).mode & 0o777).toBe(0o700);
});

it.runIf(process.platform === 'linux')('is not held open by whoever wrote to it', async () => {
  for (const id of ['a', 'b', 'c']) await journal.ajouter(compte(id), AT);
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  expect(open.filter((path) => path === journal.path)).toEqual([]);
});

it('a line that a crash cut short costs none of the others', async () => {
  await journal.ajouter(compte('a'), AT);
  appendFileSync(journal.path, '{"genre":"compte","id":"coup');
  await journal.ajouter(compte('b'), AT);
  const ids = (await journal.lire()).map((entree) => entree.genre === 'compte' && entree.id);
  expect(ids).toEqual(['a', 'b']);
  expect(lireEffacements('\n\n{"genre":')).toEqual([]);
  expect(lireEffacements('')).toEqual([]);
});

it('what cannot be written or read is said, with the file: nothing may be erased without it', async () => {
  mkdirSync(join(base, 'archives', 'effacements.jsonl'), { recursive: true });
  await expect(journal.ajouter(compte('a'), AT)).rejects.toMatchObject({
    code: 'ATL_R601',
    message: expect.stringContaining(`Écriture de ${journal.path}`),
    cause: { code: 'EISDIR' },
  });
  await expect(journal.lire()).rejects.toMatchObject({
    code: 'ATL_R601',
    message: expect.stringContaining(`Lecture de ${journal.path}`),
    cause: { code: 'EISDIR' },
  });
  expect(existsSync(journal.path)).toBe(true);
});
