import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'pg-connection-string';
import { afterAll, describe, expect, test } from 'vitest';
import { SETTINGS } from '../../src/base/config/settings.ts';
import { loadConfig, readEnv } from '../../src/base/config.ts';
import { AtelierError } from '../../src/base/errors.ts';

const home = mkdtempSync(join(tmpdir(), 'atelier-reglages-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(AtelierError);
    expect((error as AtelierError).code).toBe('ATL_C101');
    return (error as AtelierError).message;
  }
  return '';
}

test('without any setting: the embedded server, everything below .atelier', () => {
  expect(loadConfig({})).toEqual({
    databaseUrl: undefined,
    logsDir: resolve('logs'),
    dataDir: resolve('.atelier'),
    dossiersIgnores: [],
    syncLogsDir: resolve('.atelier/sync_logs'),
    archivesDir: resolve('.atelier/archives'),
    archives: { cle: undefined, clePrecedente: undefined },
    fuseau: 'Europe/Paris',
    journeeDebut: 0,
    centres: [
      { dossier: 'DEM12', nom: 'DEM12', type: 'PVC', attente: 'debut' },
      { dossier: 'DEMALU', nom: 'DEMALU', type: 'ALU', attente: 'debut' },
      { dossier: 'SU12', nom: 'SU12', type: 'HYBRIDE', attente: 'debut' },
    ],
    logLevel: 'info',
    api: {
      hotes: [],
      host: '127.0.0.1',
      port: 8000,
      secretKey: undefined,
      secretKeyPrecedente: undefined,
      cleChiffrement: undefined,
      cleChiffrementPrecedente: undefined,
      corsOrigines: [],
      proxys: [],
      dureeJeton: 900,
      databaseReadUrl: undefined,
      replicaRetardMax: 10,
      databaseApiUrl: undefined,
      connexions: 10,
    },
    erp: undefined,
    purge: { seuilPart: 0.2 },
    // test/unit/config-sftp.test.ts has them.
    sftp: expect.objectContaining({ centres: [] }),
    observation: {
      metricsJeton: undefined,
      metricsHost: '127.0.0.1',
      metricsPort: 9464,
      journalTaille: 20_000_000,
      journalFichiers: 10,
      traces: undefined,
      arretPreavis: 0,
    },
    planification: expect.objectContaining({ rattrapage: 'un' }),
    conservation: expect.objectContaining({ sessions: undefined }),
    sauvegarde: expect.objectContaining({ cle: undefined, dossier: resolve('.atelier/sauvegardes') }),
    // test/unit/config-alertes.test.ts has them.
    alertes: expect.objectContaining({ webhook: undefined, mail: undefined }),
    liens: [],
    tlsPostgres: { mode: 'auto', ca: '', reseaux: [] },
  });
});

test('blank is absent', () => {
  const blank = Object.fromEntries(SETTINGS.map(({ name }) => [name, '  ']));
  expect(loadConfig(blank)).toEqual(loadConfig({}));
});

test('every problem is told at once, by name, and no secret with it', () => {
  const message = refusal({
    DATABASE_URL: 'mysql://u:mot-de-passe@h/b',
    FUSEAU: 'Europe/Pariss',
    JOURNEE_DEBUT: '25:00',
    CENTRES: 'DEM12;A=a,T;A=b,T',
    NIVEAU_JOURNAL: 'bavard',
  });
  for (const name of ['DATABASE_URL', 'FUSEAU', 'JOURNEE_DEBUT', 'CENTRES', 'NIVEAU_JOURNAL']) {
    expect(message).toContain(`- ${name} :`);
  }
  expect(message.match(/- CENTRES/g)).toHaveLength(2);
  expect(message).not.toContain('mot-de-passe');
});

test.each(['pas une adresse mot-de-passe', 'postgresql//u:mot-de-passe@h', 'http://mot-de-passe@h'])(
  'the address %j is refused and not repeated',
  (DATABASE_URL) => {
    expect(refusal({ DATABASE_URL })).toMatch(/^Configuration invalide :\n {2}- DATABASE_URL : /);
    expect(refusal({ DATABASE_URL })).not.toContain('mot-de-passe');
  },
);

test.each(['0', '65536', 'abc', '5432.5', '-1'])('POSTGRES_PORT %j is refused', (port) => {
  expect(refusal({ POSTGRES_HOST: 'h', POSTGRES_PORT: port })).toContain('POSTGRES_PORT');
});

test('POSTGRES_HOST that is no name of a host is refused', () => {
  const message = refusal({ POSTGRES_HOST: 'ho te:x', POSTGRES_PASSWORD: 'mot-de-passe' });
  expect(message).toContain('POSTGRES_HOST');
  expect(message).not.toContain('mot-de-passe');
});

describe('POSTGRES_* reach the driver as they were written', () => {
  const PASSWORD = 'pé :/@?#%&+= %41\\';
  test.each([
    ['db.usine.local', 'db.usine.local'],
    ['10.0.0.7', '10.0.0.7'],
    ['::1', '::1'],
    ['/var/run/postgresql', '/var/run/postgresql'],
  ])('%s', (POSTGRES_HOST, host) => {
    const { databaseUrl } = loadConfig({
      POSTGRES_HOST,
      POSTGRES_PORT: '6543',
      POSTGRES_DB: 'suivi usine',
      POSTGRES_USER: 'chef@usine',
      POSTGRES_PASSWORD: PASSWORD,
    });
    const { host: h, port, database, user, password } = parse(databaseUrl!);
    expect({ host: h, port, database, user, password }).toEqual({
      host,
      port: '6543',
      database: 'suivi usine',
      user: 'chef@usine',
      password: PASSWORD,
    });
  });
});

test('DATABASE_URL goes before POSTGRES_*', () => {
  const DATABASE_URL = 'postgres://u@localhost/b';
  expect(loadConfig({ DATABASE_URL, POSTGRES_HOST: 'autre' }).databaseUrl).toBe(DATABASE_URL);
});

test('CENTRES: spaces, accents, wait stamps', () => {
  const { centres } = loadConfig({ CENTRES: ' Scie à onglet = SCIE , ALU , fin ;; DEM12=D12,PVC,debut; ' });
  expect(centres).toEqual([
    { dossier: 'Scie à onglet', nom: 'SCIE', type: 'ALU', attente: 'fin' },
    { dossier: 'DEM12', nom: 'D12', type: 'PVC', attente: 'debut' },
  ]);
});

test.each(['DEM12', 'DEM12=D12', '=D12,PVC', 'DEM12=D12,PVC,apres', 'DEM12=,PVC'])(
  'CENTRES %j is refused',
  (CENTRES) => {
    expect(refusal({ CENTRES })).toContain('CENTRES');
  },
);

test('JOURNEE_DEBUT', () => {
  expect(loadConfig({ JOURNEE_DEBUT: '05:30' }).journeeDebut).toBe(19_800);
  for (const text of ['5:30', '24:00', '05:60', '05:30:00', 'cinq']) {
    expect(refusal({ JOURNEE_DEBUT: text })).toContain('JOURNEE_DEBUT');
  }
});

test('.env is read, the environment goes before it', () => {
  const file = join(home, '.env');
  writeFileSync(file, '# commentaire\nFUSEAU=Pacific/Apia\nPATH=/ailleurs\nLOGS_DIR="./mes journaux"\n');
  const env = readEnv(file);
  expect(env['PATH']).toBe(process.env['PATH']);
  const config = loadConfig(env);
  expect(config.fuseau).toBe('Pacific/Apia');
  expect(config.logsDir).toBe(resolve('mes journaux'));
});

test('.env that is there and cannot be read is told', () => {
  const file = join(home, 'dossier.env');
  mkdirSync(file);
  chmodSync(file, 0o755);
  expect(() => readEnv(file)).toThrow(/Lecture de .*dossier\.env/);
});

test('the example changes nothing: it only says the defaults', () => {
  const example = parseEnv(readFileSync(new URL('../../.env_exemple', import.meta.url), 'utf8'));
  expect(loadConfig(example)).toEqual(loadConfig({}));
  const text = readFileSync(new URL('../../.env_exemple', import.meta.url), 'utf8');
  for (const { name } of SETTINGS) expect(text).toMatch(new RegExp(`^(# )?${name}=`, 'm'));
});
