// M8: one rule for everything that goes out: encrypted and verified, unless it is this machine or a network that was named.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReseaux, situerParmi } from '../../src/base/config/liens.ts';
import { loadConfig } from '../../src/base/config.ts';
import { messageOf } from '../../src/base/errors.ts';

const URL_PG = 'postgresql://u:p@bd.exemple:5432/atelier';
const WEBHOOK = { ALERTE_WEBHOOK_SECRET: 'abcdefghijklmnopqrstuvwxyz012345' };
const MAIL = { ALERTE_MAIL_A: 'a@atelier.example', ALERTE_MAIL_DE: 'b@atelier.example' };

const base = (env: Record<string, string>): string => loadConfig(env).databaseUrl!;
const refus = (env: Record<string, string>): string => {
  try {
    loadConfig(env);
    return '';
  } catch (error) {
    return messageOf(error);
  }
};
const situer = (reseaux: string) => situerParmi(readReseaux(() => reseaux, []));

describe('PostgreSQL on another machine', () => {
  it('is spoken to with TLS and a verified name, whatever setting says where it is', () => {
    expect(base({ DATABASE_URL: URL_PG })).toBe(`${URL_PG}?sslmode=verify-full`);
    expect(base({ POSTGRES_HOST: '192.168.1.20', POSTGRES_PASSWORD: 'p' })).toMatch(/\?sslmode=verify-full$/);
    const { api } = loadConfig({
      DATABASE_READ_URL: URL_PG,
      DATABASE_API_URL: `${URL_PG}?application_name=x#y`,
    });
    expect(api.databaseReadUrl).toBe(`${URL_PG}?sslmode=verify-full`);
    expect(api.databaseApiUrl).toBe(`${URL_PG}?application_name=x&sslmode=verify-full#y`);
    expect(base({ DATABASE_URL: URL_PG, POSTGRES_TLS_CA: '/etc/ca b.pem' })).toBe(
      `${URL_PG}?sslmode=verify-full&sslrootcert=%2Fetc%2Fca+b.pem`,
    );
  });

  it.each([
    'postgresql://u:p@localhost/b',
    'postgresql://u:p@127.0.0.9/b',
    'postgresql://u:p@[::1]/b',
    'postgresql:///b',
    'postgresql:///b?host=/run/postgresql',
    'postgresql://%2Frun%2Fpostgresql/b',
  ])('%s is this machine: the address stays as it is', (url) => {
    expect(base({ DATABASE_URL: url })).toBe(url);
    expect(loadConfig({ DATABASE_URL: url }).liens[0]?.lieu).toBe('machine');
  });

  it('a host that cannot be read is another machine', () => {
    const url = 'postgresql://u:p@%zz/b';
    expect(base({ DATABASE_URL: url })).toBe(`${url}?sslmode=verify-full`);
  });

  it('an address of this machine that leads elsewhere is not one of this machine', () => {
    const url = 'postgresql://u:p@localhost/b?host=/run&host=bd.exemple';
    expect(base({ DATABASE_URL: url })).toBe(`${url}&sslmode=verify-full`);
  });

  it('in the clear only by a word of the installer: a network, the setting, the address; doctor can see which', () => {
    expect(base({ DATABASE_URL: URL_PG, RESEAUX_PRIVES: 'autre, BD.exemple.' })).toBe(URL_PG);
    expect(base({ DATABASE_URL: URL_PG, RESEAUX_PRIVES: '.exemple' })).toBe(URL_PG);
    expect(base({ DATABASE_URL: URL_PG, POSTGRES_TLS: 'non' })).toBe(`${URL_PG}?sslmode=disable`);
    expect(base({ DATABASE_URL: URL_PG, POSTGRES_TLS: 'sans-verification' })).toBe(
      `${URL_PG}?sslmode=no-verify`,
    );
    const said = (query: string) => loadConfig({ DATABASE_URL: `${URL_PG}?${query}` }).liens[0]!.protection;
    expect(said('sslmode=disable')).toBe('clair');
    expect(said('sslmode=verify-full&sslmode=disable')).toBe('clair');
    expect(said('sslmode=no-verify')).toBe('sans-verification');
    expect(said('uselibpqcompat=true&sslmode=require')).toBe('sans-verification');
    expect(said('sslmode=require')).toBe('verifie');
    expect(refus({ POSTGRES_TLS: 'si' })).toContain('POSTGRES_TLS : attendu auto, oui');
  });
});

describe('the ERP', () => {
  it.each([
    ['erp.exemple', {}, 'oui'],
    ['192.168.1.3', {}, 'oui'],
    ['erp', { RESEAUX_PRIVES: 'erp' }, 'non'],
    ['192.168.1.3', { RESEAUX_PRIVES: '192.168.0.0/16' }, 'non'],
    ['127.0.0.1', {}, 'non'],
    ['erp.exemple', { MYSQL_TLS: 'non' }, 'non'],
    ['erp', { RESEAUX_PRIVES: 'erp', MYSQL_TLS: 'oui' }, 'oui'],
  ])('%s with %j: TLS %s', (MYSQL_HOST, env, mode) => {
    expect(loadConfig({ MYSQL_HOST, ...env }).erp?.tls.mode).toBe(mode);
  });
});

describe('what is posted', () => {
  it.each<[string, (host: string) => Record<string, string>]>([
    ['ALERTE_WEBHOOK_URL', (host) => ({ ...WEBHOOK, ALERTE_WEBHOOK_URL: `http://${host}:8080/x` })],
    ['SMTP_TLS', (host) => ({ ...MAIL, SMTP_HOST: host, SMTP_TLS: 'non' })],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', (host) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://${host}:4318` })],
  ])('%s: in the clear to this machine and to named networks only', (name, env) => {
    for (const host of ['10.0.0.4', 'relais', 'relais.local', 'relais.exemple']) {
      expect(refus(env(host))).toMatch(new RegExp(`- ${name} : .*RESEAUX_PRIVES`));
      expect(refus({ ...env(host), RESEAUX_PRIVES: `x,${host}` })).toBe('');
    }
    for (const host of ['127.0.0.1', 'localhost']) expect(refus(env(host))).toBe('');
  });
});

describe('RESEAUX_PRIVES', () => {
  it.each(['10.0.0', '10.0.0.1/33', '10.0.0.1/', '::1/129', 'a b', 'http://x', '*', '-'])(
    'refuses « %s » by name',
    (value) => {
      expect(refus({ RESEAUX_PRIVES: value })).toContain('- RESEAUX_PRIVES : «');
    },
  );

  it('a name is no other that ends or begins like it, and no address is meant by a name', () => {
    const where = situer('erp.lan,.usine.lan,10.1.0.0/16');
    for (const host of [
      'xerp.lan',
      'erp.lan.exemple',
      'usine.lan',
      'xusine.lan',
      '10.2.0.1',
      '10.1.0.1.exemple',
    ])
      expect([host, where(host)]).toEqual([host, 'ailleurs']);
    for (const host of ['ERP.lan', 'erp.lan.', 'a.b.usine.lan', '10.1.255.1', '::ffff:10.1.0.1'])
      expect([host, where(host)]).toEqual([host, 'prive']);
  });

  it('an address is private exactly when its first bits are those of a network', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const number = (o: readonly number[]): bigint => o.reduce((sum, each) => sum * 256n + BigInt(each), 0n);
    fc.assert(
      fc.property(octets, octets, fc.nat(32), (net, host, bits) => {
        fc.pre(host[0] !== 127);
        const shift = BigInt(32 - bits);
        const inside = number(net) >> shift === number(host) >> shift;
        expect(situer(`${net.join('.')}/${bits}`)(host.join('.'))).toBe(inside ? 'prive' : 'ailleurs');
      }),
    );
  });
});
