import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionDetail } from '../../src/postgres/production/session-detail.ts';
import { DAY, type Installation, install } from '../harness/cli.ts';

let place: Installation;

/** A day on which the machine was on and made nothing. */
const IDLE = '20250529 06:00:00|@MachineStart\r\n20250529 06:10:00|@MachineWait: 30 sec\r\n';
/** What a log may hold to hurt a spreadsheet or a terminal. */
const HOSTILE = ['=HYPERLINK("http://x";"y")', '+1', '-2', '@SUM(A1)', '\x1b]0;titre\x07\x1b[2J'];
/** What DEM12/20250528.LOG was at first: 3 of its lines. */
const PREFIX = DAY.split('\r\n').slice(0, 3).join('\r\n');

beforeAll(async () => {
  place = await install();
  await place.write('DEM12/20250528.LOG', PREFIX);
  expect((await place.run(['ingest'])).code).toBe(0);
  await place.write('DEM12/20250528.LOG', DAY);
  await place.write('DEM12/20250529.LOG', IDLE);
  await place.write('=1+1 (ALU)/20250528.LOG', DAY + HOSTILE.join('\r\n'));
  expect((await place.run(['ingest'])).code).toBe(0);
});
afterAll(() => place.close());

async function json(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout } = await place.run([...args, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

async function csv(...args: string[]): Promise<string[]> {
  const { code, stdout } = await place.run([...args, '--csv']);
  expect(code).toBe(0);
  return stdout.trimEnd().split('\n');
}

describe('sessions', () => {
  test('figures of the day, latest first', async () => {
    const rows = await json('sessions', '--centre', 'DEM12');
    expect(rows.map((row) => row['date_production'])).toEqual(['2025-05-29', '2025-05-28']);
    expect(rows[1]).toEqual({
      id: expect.any(Number),
      centre: 'DEM12',
      date_production: '2025-05-28',
      total_pieces: 2,
      heure_premiere_piece: '2025-05-28T06:00:10+02:00',
      heure_derniere_piece: '2025-05-28T08:00:10+02:00',
      duree_production_totale: 2,
      temps_attente: 0.0167,
      temps_arret_volontaire: 0.1667,
      temps_production_effectif: 1.8167,
      taux_occupation: 90.83,
      taux_attente: 0.83,
      taux_arret_volontaire: 8.33,
      fichier_log_source: 'DEM12/20250528.LOG',
    });
  });

  test('--du, --au, --limite', async () => {
    const days = async (...args: string[]): Promise<unknown[]> =>
      (await json('sessions', '--centre', 'DEM12', ...args)).map((row) => row['date_production']);
    expect(await days('--du', '2025-05-29')).toEqual(['2025-05-29']);
    expect(await days('--au', '2025-05-28')).toEqual(['2025-05-28']);
    expect(await days('--limite', '1')).toEqual(['2025-05-29']);
    expect(await days('--du', '2025-05-30')).toEqual([]);
  });

  test('as a table: no wider than 100 characters where nobody tells the width', async () => {
    const { code, stdout } = await place.run(['sessions', '--centre', 'DEM12']);
    expect(code).toBe(0);
    expect(stdout).toContain('90.83');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    const none = await place.run(['sessions', '--centre', 'ABSENT']);
    expect([none.code, none.stderr]).toEqual([0, expect.stringContaining('de ce centre')]);
  });

  test('--excel: what Excel in French opens as columns: BOM, semicolons, decimal commas', async () => {
    const { code, stdout } = await place.run(['sessions', '--centre', 'DEM12', '--excel']);
    expect(code).toBe(0);
    expect(stdout.startsWith('\ufeffid;centre;date_production;total_pieces;')).toBe(true);
    const row = stdout.split('\n')[2]!;
    expect(row).toContain(';DEM12;2025-05-28;2;');
    expect(row).toContain(';90,83;0,83;8,33;');
    const both = await place.run(['sessions', '--csv', '--excel']);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('--csv et --excel s’excluent')]);
  });

  test('as CSV: the columns of the table by name, formulas stay text', async () => {
    const [head, ...rows] = await csv('sessions', '--au', '2025-05-28');
    expect(head).toMatch(/^id,centre,date_production,total_pieces,/);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/^\d+,'=1\+1,2025-05-28,2,2025-05-28T06:00:10\+02:00,/);
  });
});

describe('rejets', () => {
  test('with file, line, byte, reason and text', async () => {
    const rows = await json('rejets');
    expect(rows.map((row) => row['texte'])).toEqual(HOSTILE);
    const [first] = rows;
    expect(first).toMatchObject({
      ...{ centre: '=1+1', chemin: '=1+1 (ALU)/20250528.LOG', ligne: 7 },
      ...{ octet: Buffer.byteLength(DAY), raison: 'sans_separateur' },
    });
  });

  test('as a table: control characters are shown, not sent', async () => {
    const { stdout } = await place.run(['rejets']);
    expect(stdout).toContain('\\x1b]0;titre\\x07\\x1b[2J');
    expect(stdout).not.toContain('\x1b');
  });

  test('as CSV: formulas stay text', async () => {
    const rows = await csv('rejets');
    const texts = ['"\'=HYPERLINK(""http://x"";""y"")"', "'+1", "'-2", "'@SUM(A1)"];
    for (const text of texts) expect(rows.some((row) => row.includes(`,${text},`))).toBe(true);
  });

  test('--par-raison, --raison, --fichier', async () => {
    expect(await json('rejets', '--par-raison')).toEqual([
      { centre: '=1+1', raison: 'sans_separateur', nombre: HOSTILE.length },
    ]);
    expect(await json('rejets', '--par-raison', '--centre', 'DEM12')).toEqual([]);
    expect(await json('rejets', '--raison', 'evenement_vide')).toEqual([]);
    expect(await json('rejets', '--fichier', '=1+1 (ALU)/20250528.LOG')).toHaveLength(HOSTILE.length);
    const { stdout } = await place.run(['rejets', '--par-raison']);
    expect(stdout).toContain('sans_separateur');
  });
});

describe('fichiers', () => {
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

  test('with state, counts and versions', async () => {
    const [row] = await json('fichiers', '--fichier', 'DEM12/20250528.LOG');
    expect(row).toMatchObject({
      ...{ centre: 'DEM12', etat: 'lu', taille: DAY.length, lignes: 6, evenements: 6, rejets: 0 },
      ...{ encodage: 'utf-8', versions: 1, sha256: sha(DAY), erreur: null },
    });
    expect((await csv('fichiers')).length).toBe(4);
  });

  test('a table of 100 columns leaves encoding, versions and date out', async () => {
    const { stdout } = await place.run(['fichiers', '--centre', 'DEM12']);
    for (const title of ['Encodage', 'Versions', 'Lu le']) expect(stdout).not.toContain(title);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test.each([
    ['a version', DAY],
    ['a prefix of one', PREFIX],
    ['bytes that are no text', DAY + HOSTILE.join('\r\n')],
  ])('--octets gives the exact bytes of %s', async (_, content) => {
    const { code, bytes, stderr } = await place.run(['fichiers', '--octets', sha(content).toUpperCase()]);
    expect([code, stderr]).toEqual([0, '']);
    expect(bytes.equals(Buffer.from(content))).toBe(true);
  });

  test('--octets of bytes that the machine has long overwritten', async () => {
    const old = Buffer.concat([Buffer.from([0xff, 0, 0xe9]), Buffer.from(DAY), Buffer.alloc(300_000, 7)]);
    await place.write('SU12/20250601.LOG', old);
    await place.run(['ingest', '--centre', 'SU12']);
    await place.write('SU12/20250601.LOG', 'autre\r\n');
    await place.run(['ingest', '--centre', 'SU12']);
    const hash = createHash('sha256').update(old).digest('hex');
    const { bytes } = await place.run(['fichiers', '--octets', hash]);
    expect(bytes.equals(old)).toBe(true);
    expect(await readFile(join(place.logs, 'SU12/20250601.LOG'), 'utf8')).toBe('autre\r\n');
  });
});

describe('show', () => {
  test('by centre and day: figures, time line, periods with their lines, and where they come from', async () => {
    const { code, stdout } = await place.run(['show', 'DEM12/2025-05-28']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Session \d+ · DEM12 · 2025-05-28 · 2 pièces$/m);
    expect(stdout).toMatch(/Fenêtre +2\.0000 h +06:00:10 → 08:00:10/);
    expect(stdout).toMatch(/Effectif +1\.8167 h +90\.83 %/);
    expect(stdout).toMatch(/^ {2}█+▒█+_+█+$/m);
    expect(stdout).toMatch(/07:00:00 → 07:10:00 +600 s +lignes 4 à 5/);
    expect(stdout).toMatch(/06:30:00 → 06:31:00 +60 s +ligne 3/);
    expect(stdout).toMatch(/06:00:00 +215023 · 3359 mm · 7016 · 2 pièces +ligne 1/);
    expect(stdout).toMatch(/DEM12\/20250528\.LOG +\(5 lignes ; sha256 [0-9a-f]{16}…\)/);
  });

  test('by id the same, and --json', async () => {
    const byDay = await place.run(['show', 'DEM12/2025-05-28']);
    const detail = JSON.parse(
      (await place.run(['show', 'DEM12/2025-05-28', '--json'])).stdout,
    ) as SessionDetail;
    expect((await place.run(['show', String(detail.session.id)])).stdout).toBe(byDay.stdout);
    expect(detail.session).toMatchObject({ centre: 'DEM12', total_pieces: 2, taux_occupation: '90.83' });
    expect([detail.attentes.length, detail.arrets.length, detail.profils.length]).toEqual([1, 1, 1]);
    expect(detail.sources).toMatchObject([{ chemins: ['DEM12/20250528.LOG'] }]);
  });

  test('a session without pieces', async () => {
    const { code, stdout } = await place.run(['show', 'DEM12/2025-05-29']);
    expect(code).toBe(0);
    expect(stdout).toContain('· 0 pièces');
    expect(stdout).toMatch(/Fenêtre +0\.0000 h +— → —/);
    expect(stdout).toContain('Attentes (1)');
    expect(stdout).toContain('Premier MachineStart 06:00:00, dernier MachineStop —');
    expect(stdout).not.toContain('█');
  });

  test('a centre whose name is a formula', async () => {
    expect((await place.run(['show', '=1+1/2025-05-28'])).code).toBe(0);
  });

  test('more than 20 periods only with --tout', async () => {
    const waits = Array.from({ length: 25 }, (_, i) => `20250602 06:${10 + i}:00|@MachineWait: 5 sec`);
    await place.write('DEM12/20250602.LOG', waits.join('\n'));
    await place.run(['ingest', '--centre', 'DEM12']);
    const short = await place.run(['show', 'DEM12/2025-06-02']);
    expect(short.stdout).toContain('… et 5 autres (--tout)');
    const all = await place.run(['show', 'DEM12/2025-06-02', '--tout']);
    expect(all.stdout.match(/ s {2}ligne \d+/g)).toHaveLength(25);
  });
});

test('a reader that closes early is no failure', async () => {
  const before = ['sh', '-c', '"$@" | head -c 10', 'sh'];
  const { stderr } = await place.run(['rejets', '--json'], { before });
  expect(stderr).toBe('');
});
