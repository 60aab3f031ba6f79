// Settings of the ERP, as an installer writes them.
import { describe, expect, test } from 'vitest';
import { ERP_SETTINGS, type ErpConfig, readErp } from '../../src/base/config/erp.ts';
import { loadConfig } from '../../src/base/config.ts';

const DEFAULTS = Object.fromEntries(ERP_SETTINGS.map((setting) => [setting.name, setting.default]));

function read(env: Record<string, string>): { erp: ErpConfig | undefined; problems: string[] } {
  const problems: string[] = [];
  const erp = readErp(
    (name) => env[name]?.trim() || DEFAULTS[name]!,
    problems,
    () => 'ailleurs',
    [],
  );
  return { erp, problems };
}

const COMMON = { tls: { mode: 'oui', ca: undefined }, delaiMax: 300, seuilBaisse: 0.5 };

test('nothing set: no ERP, no problem', () => {
  expect(read({})).toEqual({ erp: undefined, problems: [] });
  expect(read({ MYSQL_USER: 'x', MYSQL_PASSWORD: 'y' }).erp).toBeUndefined();
  expect(loadConfig({}).erp).toBeUndefined();
});

test('MYSQL_HOST alone: everything else has its default', () => {
  expect(read({ MYSQL_HOST: 'erp.local' })).toEqual({
    erp: {
      ...COMMON,
      host: 'erp.local',
      port: 3306,
      user: 'atelier_lecture',
      password: '',
      database: 'erp',
    },
    problems: [],
  });
});

test('all parts, one by one', () => {
  const { erp, problems } = read({
    MYSQL_HOST: '10.0.0.7',
    MYSQL_PORT: '3307',
    MYSQL_DB: 'produktion',
    MYSQL_USER: 'lecteur',
    MYSQL_PASSWORD: 'p@ss:/?#%',
    MYSQL_TLS: 'oui',
    MYSQL_TLS_CA: '/etc/erp.pem',
    SYNC_DELAI_MAX: '12.5',
    SYNC_SEUIL_BAISSE: '1',
  });
  expect(problems).toEqual([]);
  expect(erp).toEqual({
    host: '10.0.0.7',
    port: 3307,
    user: 'lecteur',
    password: 'p@ss:/?#%',
    database: 'produktion',
    tls: { mode: 'oui', ca: '/etc/erp.pem' },
    delaiMax: 12.5,
    seuilBaisse: 1,
  });
});

describe('MYSQL_URL', () => {
  test.each([
    ['mysql://u:p@h:3307/base', { host: 'h', port: 3307, user: 'u', password: 'p', database: 'base' }],
    ['mariadb://u@h/b', { host: 'h', port: 3306, user: 'u', password: 'de l’environnement', database: 'b' }],
    [
      'mysql://h/b',
      { host: 'h', port: 3306, user: 'atelier_lecture', password: 'de l’environnement', database: 'b' },
    ],
    ['mysql://u:p@[::1]:3306/b', { host: '::1', port: 3306, user: 'u', password: 'p', database: 'b' }],
    [
      'mysql://l%C3%A9o:%40%3A%2F%3F%23%25@h/b%20c',
      { host: 'h', port: 3306, user: 'léo', password: '@:/?#%', database: 'b c' },
    ],
  ])('%s', (url, server) => {
    const { erp, problems } = read({
      MYSQL_URL: url,
      MYSQL_HOST: 'un-autre',
      MYSQL_PASSWORD: 'de l’environnement',
    });
    expect(problems).toEqual([]);
    expect(erp).toEqual({ ...COMMON, ...server });
  });

  test.each([
    'erp.local',
    'http://u:Sesame@h/b',
    'postgresql://u:Sesame@h/b',
    'mysql://u:Sesame@h',
    'mysql://u:Sesame@h/',
    'mysql://u:Sesame@/b',
    'mysql://u:Sesame@h:99999/b',
    'mysql://u:Sesame@h:0/b',
    'mysql://u:Sesame%ZZ@h/b',
    'mysql://u:Sesame@h/b?ssl-mode=REQUIRED',
    'mysql://u:Sesame@h/b#x',
  ])('%s: refused, the value is never repeated', (url) => {
    const { problems } = read({ MYSQL_URL: url });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^MYSQL_URL : /);
    expect(problems[0]).not.toMatch(/Sesame/);
    expect(() => loadConfig({ MYSQL_URL: url })).toThrow(/MYSQL_URL/);
  });
});

test.each([
  ['MYSQL_PORT', ['0', '65536', '33o6', '3306.5', '-1']],
  ['MYSQL_TLS', ['yes', 'OUI', '1']],
  ['SYNC_DELAI_MAX', ['0', '-5', 'long', '86401']],
  ['SYNC_SEUIL_BAISSE', ['-0.1', '1.1', '0,5', 'demi', 'NaN']],
])('%s: what is out of range is a problem that names it', (name, values) => {
  for (const value of values) {
    const { problems } = read({ MYSQL_HOST: 'h', [name]: value });
    expect(problems, value).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} : attendu `));
  }
});

test.each([
  ['SYNC_SEUIL_BAISSE', ['0', '1', '0.001']],
  ['SYNC_DELAI_MAX', ['1', '86400']],
  ['MYSQL_TLS', ['auto', 'non', 'oui', 'sans-verification']],
  ['MYSQL_PORT', ['1', '65535']],
])('%s: the edges are in', (name, values) => {
  for (const value of values) expect(read({ MYSQL_HOST: 'h', [name]: value }).problems).toEqual([]);
});

test('a wrong mode of encryption never means none', () => {
  expect(read({ MYSQL_HOST: 'h', MYSQL_TLS: 'no' }).erp?.tls.mode).toBe('oui');
});

test('the secrets are marked as such', () => {
  const secrets = ERP_SETTINGS.filter((setting) => setting.secret).map((setting) => setting.name);
  expect(secrets).toEqual(['MYSQL_URL', 'MYSQL_PASSWORD']);
});
