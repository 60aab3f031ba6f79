import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Compteurs } from '../../src/jobs/ingest/compteurs.ts';
import { DAY, type Installation, install, withoutPrivileges } from '../harness/cli.ts';

let place: Installation;
beforeEach(async () => {
  place = await install();
});
afterEach(() => place.close());

const REJECTED = 'kapot\r\n20250528 09:00:00|@MachineWait: lang\r\n';

async function count(table: string): Promise<number> {
  const { rows } = await place.pool.query(`SELECT count(*)::int AS n FROM ${table}`);
  return rows[0].n;
}

describe('answers', () => {
  test('a summary for people: what was seen, made, read, rejected; rejects are no failure', async () => {
    await place.write('DEM12/20250528.LOG', DAY + REJECTED);
    await place.write('SU12/20250528.LOG', DAY);
    const { code, stdout, stderr } = await place.run(['ingest']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('fichiers  2 vus, 0 inchangés, 2 lus');
    expect(stdout).toContain('sessions  2 créées, 0 modifiées');
    expect(stdout).toContain('lignes    14 lues, 2 rejetées, 0 ignorées');
    expect(stdout).toMatch(/rejets {4}.*sans_separateur 1/);
    expect(stdout).toMatch(/rejets {4}.*attente_sans_duree 1/);
    const again = await place.run(['ingest']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('sessions  0 créées, 0 modifiées');
    expect(await count('session_production')).toBe(2);
  });

  test('--json: stdout is one JSON object, the running log goes to stderr', async () => {
    await place.write('DEM12/20250528.LOG', DAY + REJECTED);
    const { code, stdout, stderr } = await place.run(['ingest', '--json']);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as Compteurs & { aBlanc: boolean };
    expect(answer).toMatchObject({
      fichiersVus: 1,
      fichiersLus: 1,
      sessionsCreees: 1,
      lignesLues: 8,
      lignesRejetees: 2,
      rejetsParRaison: { sans_separateur: 1, attente_sans_duree: 1 },
      aBlanc: false,
    });
    const log = stderr.trim().split('\n');
    for (const line of log) expect(Object.keys(JSON.parse(line))).toContain('msg');
    expect(log.length).toBeGreaterThan(0);
  });

  test('--centre takes this one only, --dir another folder', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.write('SU12 (HYBRIDE)/20250528.LOG', DAY);
    expect((await place.run(['ingest', '--centre', 'SU12'])).code).toBe(0);
    const { rows } = await place.pool.query('SELECT nom, type_cu FROM centre_usinage');
    expect(rows).toEqual([{ nom: 'SU12', type_cu: 'HYBRIDE' }]);
    const elsewhere = await place.run(['ingest', '--dir', place.logs, '--json'], {
      env: { LOGS_DIR: '/nulle/part' },
    });
    expect(elsewhere.code).toBe(0);
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ sessionsCreees: 1, fichiersVus: 2 });
  });

  test('--replace: the older bytes of the file no longer count, by relative or absolute path', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.run(['ingest']);
    const other = '20250528 05:00:00|@StukUitgevoerd: C\r\n';
    await place.write('DEM12/20250528.LOG', other);
    await place.run(['ingest']);
    expect(await count('piece_production')).toBe(3);
    expect((await place.run(['ingest', '--replace', 'DEM12/20250528.LOG'])).code).toBe(0);
    expect(await count('piece_production')).toBe(1);
    await place.write('DEM12/20250528.LOG', DAY);
    expect((await place.run(['ingest', '--replace', join(place.logs, 'DEM12/20250528.LOG')])).code).toBe(0);
    expect(await count('piece_production')).toBe(2);
  });
});

describe('--dry-run', () => {
  test('changes no row and no byte, and announces what the import then does', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.write('DEM12/20250529.LOG', DAY.replaceAll('20250528', '20250529'));
    await place.run(['ingest']);
    // A day that grows, one that is new, one that was sent before under another name.
    await place.write('DEM12/20250528.LOG', `${DAY}20250528 08:30:00|@StukUitgevoerd: C\r\n${REJECTED}`);
    await place.write('DEM12/20250530.LOG', DAY.replaceAll('20250528', '20250530'));
    await place.write('DEM12/copie.LOG', DAY.replaceAll('20250528', '20250529'));
    const before = await place.everything();
    const dry = await place.run(['ingest', '--dry-run', '--json']);
    expect(dry.code).toBe(0);
    expect(await place.everything()).toBe(before);
    const { aBlanc, ...announced } = JSON.parse(dry.stdout) as Compteurs & { aBlanc: boolean };
    expect(aBlanc).toBe(true);
    const real = await place.run(['ingest', '--json']);
    expect({ ...JSON.parse(real.stdout), aBlanc }).toEqual({ ...announced, aBlanc });
    expect(announced).toMatchObject({ sessionsCreees: 1, sessionsModifiees: 1, lignesRejetees: 2 });
    expect(await place.everything()).not.toBe(before);
  });

  test('of a --replace', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.run(['ingest']);
    await place.write('DEM12/20250528.LOG', '20250528 05:00:00|@StukUitgevoerd: C\r\n');
    const before = await place.everything();
    const dry = await place.run(['ingest', '--dry-run', '--replace', 'DEM12/20250528.LOG']);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('À blanc : rien n’a été changé');
    expect(dry.stdout).toContain('1 modifiées');
    expect(await place.everything()).toBe(before);
  });

  test('of a centre that is new', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    const before = await place.everything();
    const dry = await place.run(['ingest', '--dry-run', '--json']);
    expect(JSON.parse(dry.stdout)).toMatchObject({ sessionsCreees: 1 });
    expect(await place.everything()).toBe(before);
  });
});

describe('a file that cannot be read', () => {
  const before = withoutPrivileges();

  test('exit code 3; the others are imported, the file is named, and read once it can be', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.write('DEM12/20250529.LOG', DAY.replaceAll('20250528', '20250529'));
    const locked = join(place.logs, 'DEM12/20250528.LOG');
    await chmod(locked, 0o000);
    const first = await place.run(['ingest'], { before });
    expect(first.code).toBe(3);
    expect(first.stdout).toContain('1 illisibles');
    expect(await count('session_production')).toBe(1);
    const listed = await place.run(['fichiers', '--json']);
    expect(JSON.parse(listed.stdout)).toContainEqual(
      expect.objectContaining({
        chemin: 'DEM12/20250528.LOG',
        etat: 'erreur',
        erreur: expect.stringContaining('EACCES'),
      }),
    );
    expect(await place.log()).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'fichier illisible', fichier: 'DEM12/20250528.LOG' }),
    );
    await chmod(locked, 0o644);
    expect((await place.run(['ingest'], { before })).code).toBe(0);
    expect(await count('session_production')).toBe(2);
  });

  test('so for a folder', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.write('SU12/20250528.LOG', DAY);
    await chmod(join(place.logs, 'SU12'), 0o000);
    const { code, stdout } = await place.run(['ingest', '--json'], { before });
    await chmod(join(place.logs, 'SU12'), 0o755);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ fichiersIllisibles: 1, sessionsCreees: 1 });
  });

  test('F33: what the database refuses of one centre: code 3, named with what it is and why; the others are there', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.write('SU12/20250528.LOG', DAY);
    await place.pool.query("ALTER TABLE centre_usinage ADD CONSTRAINT refus CHECK (nom <> 'SU12')");
    const { code, stdout } = await place.run(['ingest']);
    await place.pool.query('ALTER TABLE centre_usinage DROP CONSTRAINT refus');
    expect(code).toBe(3);
    expect(stdout).toMatch(/de côté +dossier SU12 : refusé par PostgreSQL, .*refus.* \(ATL_L207\)/);
    expect(stdout).toMatch(/1 créées/);
    expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
    expect(await count('session_production')).toBe(2);
  });

  test('an archive that cannot be written is a failure, and nothing is registered', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.write('../archives/x', '');
    await chmod(place.archives, 0o555);
    const { code, stderr } = await place.run(['ingest'], { before });
    await chmod(place.archives, 0o755);
    expect(code).toBe(1);
    expect(stderr).toContain('ATL_L203');
    expect(await count('fichier_log_version')).toBe(0);
    expect(await count('session_production')).toBe(0);
  });
});

describe('ftp_log_service.log', () => {
  test('says what was read, from where, what came of it; one JSON object a line', async () => {
    await place.write('DEM12/20250528.LOG', DAY + REJECTED);
    await place.write('INCONNU/20250528.LOG', DAY);
    await place.run(['ingest']);
    const log = await place.log();
    for (const entry of log) {
      expect(entry).toMatchObject({
        pid: expect.any(Number),
        level: expect.any(String),
        msg: expect.any(String),
      });
      expect(String(entry['time'])).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
    expect(log).toContainEqual(
      expect.objectContaining({
        ...{ msg: 'fichier lu', centre: 'DEM12', fichier: 'DEM12/20250528.LOG', encodage: 'utf-8' },
        ...{ octets: Buffer.byteLength(DAY + REJECTED), lignes: 8, evenements: 6, rejets: 2 },
      }),
    );
    expect(log).toContainEqual(expect.objectContaining({ level: 'warn', dossier: 'INCONNU' }));
    expect(log.at(-1)).toMatchObject({ msg: 'import terminé', source: place.logs, sessionsCreees: 2 });
  });

  test.runIf(existsSync('/dev/full'))('on a full disk does not stop the import', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await mkdir(place.syncLogs);
    await symlink('/dev/full', join(place.syncLogs, 'ftp_log_service.log'));
    const { code, stderr } = await place.start(['ingest']).ended;
    expect(code).toBe(0);
    expect(stderr.match(/ENOSPC/g)).toHaveLength(1);
    expect(await count('session_production')).toBe(1);
  });

  test('is appended to, and says what failed', async () => {
    await place.write('DEM12/20250528.LOG', DAY);
    await place.run(['ingest']);
    const before = (await place.log()).length;
    await rm(place.logs, { recursive: true });
    expect((await place.run(['ingest'])).code).toBe(1);
    const added = (await place.log()).slice(before);
    expect(added).toEqual([
      expect.objectContaining({
        level: 'error',
        msg: 'import interrompu',
        source: place.logs,
        erreur: expect.stringContaining('ENOENT'),
      }),
    ]);
  });
});
