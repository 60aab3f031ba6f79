// What doctor says of figures that a test machine does not have: old servers, wrong clocks, full disks.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import type { Cli } from '../../src/cli/cli.ts';
import { ouvertAuxAutres } from '../../src/cli/doctor/acces.ts';
import { checkServer, compareSchema, remedeDe } from '../../src/cli/doctor/base.ts';
import type { Constat } from '../../src/cli/doctor/constat.ts';
import { checkSpace, dossiers } from '../../src/cli/doctor/dossiers.ts';
import { checkKey } from '../../src/cli/doctor/sftp.ts';
import { checkNames, checkNode, checkTypes } from '../../src/cli/doctor/systeme.ts';
import { checkWorkers } from '../../src/cli/doctor/taches.ts';
import { excess } from '../../src/sources/erp/droits.ts';

/** Subjects with their states; whatever is not fine has a way out. */
function brief(constats: readonly Constat[]): string[] {
  for (const { etat, remede } of constats) expect(etat === 'bien').toBe(remede === undefined);
  return constats.map(({ quoi, etat }) => `${quoi} ${etat}`);
}

it('Node', () => {
  expect(brief([checkNode(process.version), checkNode('v27.0.0-pre'), checkNode('v22.4.1')])).toEqual([
    'Node bien',
    'Node bien',
    'Node mal',
  ]);
});

it('.env: a misspelt setting is named with the one that was meant; those of others are passed over', () => {
  expect(
    checkNames({ FUSEAU: '', CRON_LOGS: '', COMPOSE_PROJECT_NAME: 'a', https_proxy: 'b', TZ: 'c' }),
  ).toEqual([]);
  const found = checkNames({ CRON_LOG: '', ALERTE_SILENSE: '', fuseau: '', TOUT_AUTRE_CHOSE: '' });
  expect(brief(found)).toEqual(['Réglages attention']);
  for (const said of [
    'CRON_LOG (serait-ce CRON_LOGS ?)',
    '(serait-ce ALERTE_SILENCE ?)',
    '(serait-ce FUSEAU ?)',
  ])
    expect(found[0]!.detail).toContain(said);
  expect(found[0]!.detail).toMatch(/TOUT_AUTRE_CHOSE$/);
});

it('CENTRES: a type that looks like a slip of the finger; one of the house is fine', () => {
  const type = (type: string) => checkTypes([{ nom: 'DEM12', type }]);
  for (const fine of ['PVC', 'ALU', 'HYBRIDE', 'BOIS', 'INCONNU']) expect(type(fine)).toEqual([]);
  for (const slip of ['PCV', 'pvc', 'Alu', 'HIBRIDE'])
    expect(brief(type(slip))).toEqual(['CENTRES attention']);
});

it('secrets: others that can read them, but not the group through which a service reads what is of root', () => {
  const moi = { uid: 999, gid: 10_001 };
  const open = (mode: number, uid: number, gid: number): boolean => ouvertAuxAutres({ mode, uid, gid }, moi);
  expect([open(0o100600, 999, 10_001), open(0o100640, 0, 10_001)]).toEqual([false, false]);
  for (const mode of [0o644, 0o604, 0o660]) expect(open(mode, 0, 10_001)).toBe(true);
  expect([open(0o640, 999, 10_001), open(0o640, 0, 0)]).toEqual([true, true]);
});

it('folders that are not there yet are looked at from above, and not made; that of backups when some are planned', async () => {
  const home = mkdtempSync(join(tmpdir(), 'atelier-doctor-'));
  const look = async (env: Record<string, string>): Promise<readonly Constat[]> =>
    await dossiers.faire({
      config: loadConfig({ ATELIER_DIR: join(home, 'a/b'), LOGS_DIR: home, ...env }),
    } as Cli);
  try {
    writeFileSync(join(home, 'fichier'), '');
    expect(brief((await look({})).slice(1))).toEqual(['ARCHIVES_DIR bien', 'SYNC_LOGS_DIR bien']);
    expect((await look({}))[1]!.detail).toContain('sera créé');
    expect(readdirSync(home)).toEqual(['fichier']);
    const planned = { CRON_SAUVEGARDE: '01:30', SAUVEGARDE_DIR: join(home, 'fichier') };
    expect(brief((await look(planned)).slice(3))).toEqual(['SAUVEGARDE_DIR mal']);
  } finally {
    rmSync(home, { recursive: true });
  }
});

it('PostgreSQL that lets nobody in: the way out fits what happened', () => {
  const way = (code: string): string => remedeDe(Object.assign(new Error('x'), { code }));
  expect(way('28P01')).toContain('POSTGRES_PASSWORD');
  expect(way('3D000')).toContain('createdb');
  expect(way('ENOTFOUND')).toContain('POSTGRES_HOST');
  expect(way('ECONNREFUSED')).toContain('POSTGRES_PORT');
});

it('PostgreSQL: version, encoding, clock', () => {
  const server = { version: 180_000, encodage: 'UTF8', avance: 0.4 };
  expect(brief(checkServer('h:1/b', server))).toEqual(['PostgreSQL bien', 'Horloge bien']);
  expect(brief(checkServer('h:1/b', { ...server, version: 130_012 }))[0]).toBe('PostgreSQL mal');
  expect(brief(checkServer('h:1/b', { ...server, version: 140_000 }))[0]).toBe('PostgreSQL bien');
  expect(brief(checkServer('h:1/b', { ...server, encodage: 'SQL_ASCII' }))[0]).toBe('PostgreSQL mal');
  for (const avance of [61, -3600]) {
    expect(brief(checkServer('h:1/b', { ...server, avance }))[1]).toBe('Horloge attention');
  }
});

it('LOGS_DIR: needed as long as one centre is not on a server', async () => {
  const home = mkdtempSync(join(tmpdir(), 'atelier-doctor-'));
  const found = async (centres: string): Promise<Constat> => {
    const config = loadConfig({
      LOGS_DIR: join(home, 'absent'),
      ARCHIVES_DIR: join(home, 'archives'),
      SYNC_LOGS_DIR: join(home, 'journaux'),
      CENTRES: centres,
      SFTP_CENTRES: 'DEM12=sftp://dem12@127.0.0.1/logs',
      SFTP_MOT_DE_PASSE: 'x',
    });
    return (await dossiers.faire({ config } as Cli))[0]!;
  };
  try {
    expect(brief([await found('DEM12=DEM12,PVC')])).toEqual(['LOGS_DIR bien']);
    expect(brief([await found('DEM12=DEM12,PVC;SU12=SU12,HYBRIDE')])).toEqual(['LOGS_DIR mal']);
  } finally {
    rmSync(home, { recursive: true });
  }
});

it('a disk short of bytes, or of files', () => {
  const disk = { bavail: 1e9, bsize: 4096, files: 1e6, ffree: 9e5 };
  const etat = (more: Partial<typeof disk>): string =>
    brief([checkSpace('X', '/x', { ...disk, ...more })])[0]!;
  expect(etat({})).toBe('X bien');
  expect(etat({ bavail: 200_000 })).toBe('X attention');
  expect(etat({ ffree: 1_000 })).toBe('X attention');
  expect(etat({ files: 0, ffree: 0 })).toBe('X bien');
});

it('rights of a key file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'atelier-cle-'));
  try {
    const file = join(dir, 'cle');
    writeFileSync(file, 'x', { mode: 0o600 });
    expect(await checkKey(file)).toEqual([]);
    writeFileSync(join(dir, 'ouverte'), 'x', { mode: 0o644 });
    const found = await checkKey(join(dir, 'ouverte'));
    expect(brief(found)).toEqual(['SFTP_CLE attention']);
    expect(found[0]!.remede).toBe(`chmod 600 ${join(dir, 'ouverte')}`);
    // Its absence is told by whoever enters the server.
    expect(await checkKey(join(dir, 'absente'))).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

describe('schema', () => {
  const SCHEMA = [
    '-- Made by a program',
    'CREATE TABLE a (',
    '  id integer NOT NULL,',
    '  nom text',
    ');',
    'CREATE INDEX a_idx ON public.a USING btree (nom);',
    'CREATE TABLE b (',
    '  id integer NOT NULL',
    ');',
  ].join('\n');

  it('the same, in another order or not delivered, is fine', () => {
    expect(compareSchema(SCHEMA, SCHEMA).etat).toBe('bien');
    expect(compareSchema(SCHEMA.replace('-- Made by a program\n', ''), SCHEMA).etat).toBe('bien');
    expect(compareSchema(SCHEMA, undefined).etat).toBe('bien');
  });

  it('what a restoration has read again is the same: PostgreSQL then writes fewer parentheses', () => {
    const trigger = 'CREATE TRIGGER t AFTER UPDATE ON public.a FOR EACH ROW WHEN (';
    const first = `${SCHEMA}\n${trigger}((a OR b) OR c)) EXECUTE FUNCTION f();`;
    const again = `${SCHEMA}\n${trigger}(a OR b OR c)) EXECUTE FUNCTION f();`;
    expect(compareSchema(again, first).etat).toBe('bien');
    expect(compareSchema(again.replace(' OR c', ''), first).etat).toBe('attention');
  });

  it.each([
    ['an index that is missing', SCHEMA.replace(/CREATE INDEX.*\n/, ''), 'manque : CREATE INDEX a_idx'],
    ['a column of another type', SCHEMA.replace('nom text', 'nom varchar'), 'manque : a : nom text'],
    [
      'a column of a table that has a namesake',
      SCHEMA.replace(/(b \(\n) {2}id.*/, '$1'),
      'manque : b : id integer',
    ],
    ['a table too many', `${SCHEMA}\nCREATE TABLE copie (\n  x text\n);`, 'en trop : CREATE TABLE copie'],
  ])('%s is told by name', (_what, actual, told) => {
    const found = compareSchema(actual, SCHEMA);
    expect(brief([found])).toEqual(['Schéma attention']);
    expect(found.detail).toContain(told);
  });
});

it('workers: there, never there, gone, late, failing', () => {
  const fine = { presents: 1, planifie: true, enRetard: [], echouees: [], abandons: 0 };
  expect(brief(checkWorkers(fine))).toEqual(['Worker bien']);
  expect(brief(checkWorkers({ ...fine, presents: 0, planifie: false }))).toEqual(['Worker bien']);
  expect(brief(checkWorkers({ ...fine, presents: 0, enRetard: ['sync'] }))).toEqual(['Worker attention']);
  expect(brief(checkWorkers({ ...fine, enRetard: ['sync'] }))).toEqual([
    'Worker bien',
    'Échéances attention',
  ]);
  const failing = { ...fine, abandons: 2, echouees: [{ tache: 'sync', erreur: 'ERP injoignable' }] };
  expect(brief(checkWorkers(failing))).toEqual(['Worker bien', 'Tâches attention', 'File attention']);
  expect(checkWorkers(failing)[1]!.detail).toContain('sync (ERP injoignable)');
});

it.each([
  ["GRANT USAGE ON *.* TO `lecture`@`%` IDENTIFIED BY PASSWORD '*1'", []],
  ['GRANT SELECT, SHOW VIEW ON `erp`.* TO `lecture`@`%`', []],
  ['GRANT SELECT (`ID`, `AuNummer`) ON `erp`.`A_Kopf` TO `lecture`@`%`', []],
  [
    'GRANT SELECT, INSERT (`ID`), UPDATE ON `erp`.`A_Kopf` TO `x`@`%`',
    ['INSERT ON erp.A_Kopf', 'UPDATE ON erp.A_Kopf'],
  ],
  ['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION', ['ALL PRIVILEGES ON *.*']],
  ['GRANT EXECUTE ON PROCEDURE `erp`.`purge` TO `x`@`%`', ['EXECUTE ON erp.purge']],
  ['GRANT `role` TO `x`@`%`', []],
])('rights of the ERP account: %s', (grant, expected) => {
  expect(excess(grant)).toEqual(expected);
});
