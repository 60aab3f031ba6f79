// A folder on an SFTP server against the same folder read in place, with a real sshd.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DossierLocal } from '../../src/sources/dossier.ts';
import { FENETRE_FIN, FENETRE_TETE, REPOS, TIEDE } from '../../src/sources/sftp/copies.ts';
import type { DossierSftp } from '../../src/sources/sftp/dossier-sftp.ts';
import type { EntreeSource } from '../../src/sources/source.ts';
import { filesOf, listAll, openSftp, readAll, sftpSettings } from '../harness/sftp.ts';
import { type Sshd, startSshd } from '../harness/sshd.ts';
import { randomFrom } from '../harness/tree.ts';

const WINDOWS = FENETRE_TETE + FENETRE_FIN;
const CHEMIN = 'DEM12/20250528.LOG';

let sshd: Sshd;
let home: string;
let logs: string;
let source: DossierSftp;
let now: number;
const opened: DossierSftp[] = [];

beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'atelier-sftp-'));
  logs = join(home, 'logs');
  mkdirSync(join(logs, 'DEM12'), { recursive: true });
  now = Date.now();
  source = reopen();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.fermer()));
  rmSync(home, { recursive: true, force: true });
});

function reopen(): DossierSftp {
  const settings = sftpSettings(sshd, { path: join(logs, 'DEM12') });
  const one = openSftp(settings, { miroirs: join(home, 'miroirs'), maintenant: () => now });
  opened.push(one);
  return one;
}

const bytes = (length: number, seed = 1): Buffer => {
  const random = randomFrom(seed);
  return Buffer.from(Array.from({ length }, () => 32 + Math.floor(random() * 90)));
};
const write = (content: Buffer | string): void => writeFileSync(join(logs, CHEMIN), content);
const append = (content: Buffer | string): void => appendFileSync(join(logs, CHEMIN), content);

/** Lists, then reads the one file, and says what came over the line. */
async function look(
  from = source,
): Promise<{ octets: Buffer; cout: number; listee: string | undefined; lue: string | undefined }> {
  const before = from.octetsDistants;
  const [fichier] = filesOf(await listAll(from));
  const { octets, signature } = await readAll(from, fichier!);
  return { octets, cout: from.octetsDistants - before, listee: fichier!.signature, lue: signature };
}

const plain = (entrees: EntreeSource[]): unknown[] =>
  entrees.map((entree) => {
    if (entree.kind !== 'fichier') return entree;
    const { dossier, chemin, taille } = entree.fichier;
    return { dossier, chemin, taille };
  });

describe('listing', () => {
  it('F21-F23, L: hidden names, leftovers, links, pipes, folders, names that are no UTF-8: as a local folder', async () => {
    const centre = join(logs, 'DEM12');
    for (const name of [
      '20250528.LOG',
      'b.log',
      '.cache.LOG',
      'x.LOG.filepart',
      'y.tmp',
      'notes.txt',
      'é à.LOG',
      'a\nb.LOG',
    ]) {
      writeFileSync(join(centre, name), name);
    }
    writeFileSync(
      Buffer.concat([Buffer.from(`${centre}/pi`), Buffer.from([0xe8]), Buffer.from('ce.LOG')]),
      'latin',
    );
    mkdirSync(join(centre, '2025/mai'), { recursive: true });
    writeFileSync(join(centre, '2025/mai/z.Log'), 'zz');
    mkdirSync(join(centre, '.cache'));
    writeFileSync(join(centre, '.cache/c.LOG'), 'c');
    mkdirSync(join(centre, 'dossier.LOG'));
    writeFileSync(join(centre, 'dossier.LOG/d.LOG'), 'd');
    symlinkSync('/etc', join(centre, 'lien'));
    symlinkSync('/etc/passwd', join(centre, 'lien.LOG'));
    execFileSync('mkfifo', [join(centre, 'tube.LOG')]);
    const deep = join(centre, ...Array.from({ length: 4 }, () => 'd'.repeat(180)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'long.LOG'), 'l');
    const [remote, local] = [await listAll(source), await listAll(new DossierLocal(logs))];
    expect(plain(remote)).toEqual(plain(local));
    expect(filesOf(remote).length).toBe(7);
    for (const [i, fichier] of filesOf(remote).entries()) {
      const here = filesOf(local)[i]!;
      expect((await readAll(source, fichier)).octets).toEqual(
        (await readAll(new DossierLocal(logs), here)).octets,
      );
    }
  });

  it('F21: a file that goes between listing and reading is ENOENT; a link in its place is not followed', async () => {
    write('a');
    const [fichier] = filesOf(await listAll(source));
    rmSync(join(logs, CHEMIN));
    await expect(source.open(fichier!)).rejects.toMatchObject({ code: 'ENOENT' });
    symlinkSync('/etc/passwd', join(logs, CHEMIN));
    await expect(source.open(fichier!)).rejects.toThrow('pas un fichier ordinaire');
  });

  it('F34: a folder that is not there is an error of its centre, not an empty centre', async () => {
    rmSync(join(logs, 'DEM12'), { recursive: true });
    const raison = expect.stringMatching(/fichier ou dossier absent.*ATL_L216/) as string;
    expect(await listAll(source)).toEqual([
      { kind: 'dossier', dossier: 'DEM12' },
      { kind: 'ecarte', chemin: 'DEM12', raison, erreur: true },
    ]);
  });

  it('a thousand files come in order', async () => {
    for (let i = 0; i < 1000; i++)
      writeFileSync(join(logs, 'DEM12', `${String(i).padStart(4, '0')}.LOG`), '');
    const names = filesOf(await listAll(source)).map(({ chemin }) => chemin);
    expect(names.length).toBe(1000);
    expect(names).toEqual([...names].sort());
  });
});

describe('fetching by range', () => {
  it('F1: of a growing file only the new bytes and the windows are fetched', async () => {
    let content = bytes(3_000_000);
    write(content);
    expect(await look()).toMatchObject({ cout: content.length });
    for (let i = 1; i <= 3; i++) {
      const line = bytes(1_000, i);
      append(line);
      content = Buffer.concat([content, line]);
      const { octets, cout } = await look();
      expect(octets.equals(content)).toBe(true);
      expect(cout).toBe(line.length + WINDOWS);
    }
  });

  it('F1: also by a process that comes later', async () => {
    write(bytes(1_000_000));
    await look();
    await source.fermer();
    append('suite\n');
    const { octets, cout } = await look(reopen());
    expect(octets.length).toBe(1_000_006);
    expect(cout).toBe(6 + WINDOWS);
  });

  it('F30, F31: a damaged copy and one of a killed process are not used', async () => {
    write(bytes(200_000));
    await look();
    await source.fermer();
    const [name] = readdirSync(join(home, 'miroirs'));
    const path = join(home, 'miroirs', name!);
    truncateSync(path, 100_000);
    truncateSync(path, 200_512);
    const second = reopen();
    expect(await look(second)).toMatchObject({ octets: bytes(200_000), cout: 200_000 });
    await second.fermer();
    // A process of this host that is no more had it.
    const gone = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
    const host = execFileSync('hostname', { encoding: 'utf8' }).trim();
    const left = join(home, 'miroirs', `${host}~${gone}~abcdef01~0~${name!.replace('.copie', '')}`);
    writeFileSync(left, 'reste');
    const third = reopen();
    expect(await look(third)).toMatchObject({ octets: bytes(200_000) });
    expect(readdirSync(join(home, 'miroirs'))).not.toContain(left.split('/').at(-1));
  });

  it('F32: two processes at once both read the right bytes', async () => {
    write(bytes(300_000));
    await look();
    await source.fermer();
    append(bytes(10_000, 2));
    const expected = Buffer.concat([bytes(300_000), bytes(10_000, 2)]);
    const [first, second] = [reopen(), reopen()];
    const both = await Promise.all([look(first), look(second)]);
    for (const { octets } of both) expect(octets.equals(expected)).toBe(true);
    append('x');
    for (const { octets } of await Promise.all([look(first), look(second)]))
      expect(octets.length).toBe(310_001);
  });

  it.each([
    ['F11: truncated', (old: Buffer) => old.subarray(0, 60_000)],
    ['F12: rewritten at the same size', (old: Buffer) => Buffer.from(old).fill('z', 99_000, 99_100)],
    ['F12: rewritten at a greater size', () => bytes(150_000, 9)],
    ['F12: another head', (old: Buffer) => Buffer.concat([Buffer.from('A'), old.subarray(1), bytes(500, 4)])],
    [
      'F12: another end before new bytes',
      (old: Buffer) => Buffer.concat([old.subarray(0, 99_999), bytes(500, 4)]),
    ],
    ['F19: emptied', () => Buffer.alloc(0)],
  ])('%s: the bytes are those of the server', async (_name, change) => {
    const old = bytes(100_000);
    write(old);
    await look();
    const content = change(old);
    write(content);
    const { octets } = await look();
    expect(octets.equals(content)).toBe(true);
  });

  it('F12: what changed in the middle while the file grew is found once the file rests', async () => {
    const old = bytes(100_000);
    write(old);
    await look();
    const content = Buffer.concat([Buffer.from(old).fill('z', 50_000, 50_010), bytes(100, 5)]);
    write(content);
    now += TIEDE;
    const hidden = await look();
    expect(hidden.octets.equals(content)).toBe(false);
    now += REPOS;
    const { listee, lue, octets } = await look();
    expect(octets.equals(content)).toBe(true);
    expect(listee).toBe(lue);
    expect(lue).toMatch(/^sftp:v:/);
  });
});

describe('signatures', () => {
  it('none while the file may still change unseen; then one that does not move', async () => {
    write(bytes(50_000));
    expect(await look()).toMatchObject({ listee: undefined, lue: undefined });
    now += TIEDE;
    const calm = await look();
    expect(calm.listee).toBeUndefined();
    expect(calm.lue).toMatch(/^sftp:p:/);
    expect((await look()).listee).toBe(calm.lue);
    now += REPOS;
    // Says by another signature that it wants to be read once more.
    const rest = await look();
    expect(rest.listee).toMatch(/^sftp:v:/);
    expect(rest).toMatchObject({ lue: rest.listee, cout: 50_000 });
    expect((await look()).listee).toBe(rest.lue);
    append('x');
    expect((await look()).listee).toBeUndefined();
  });

  it('history has one at first sight, is read once, and leaves no copy', async () => {
    write(bytes(80_000));
    const old = (now - 3 * 24 * 3600 * 1000) / 1000;
    utimesSync(join(logs, CHEMIN), old, old);
    const first = await look();
    expect(first).toMatchObject({ cout: 80_000, lue: first.listee });
    expect(first.lue).toMatch(/^sftp:v:/);
    expect(readdirSync(join(home, 'miroirs'))).toEqual([]);
    const again = filesOf(await listAll(reopen()));
    expect(again[0]!.signature).toBe(first.lue);
  });

  it('a file that is gone leaves no copy', async () => {
    write(bytes(1_000));
    await look();
    expect(readdirSync(join(home, 'miroirs')).length).toBe(1);
    rmSync(join(logs, CHEMIN));
    await listAll(source);
    expect(readdirSync(join(home, 'miroirs'))).toEqual([]);
  });
});
