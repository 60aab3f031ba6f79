import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { type Env, type Installation, install } from '../harness/cli.ts';

let place: Installation;
beforeAll(async () => {
  place = await install();
});
afterAll(() => place.close());

const NAMES = Object.keys(COMMANDS);

describe('help', () => {
  test('names every command, and the exit codes', async () => {
    const { code, stdout, stderr } = await place.run(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const name of NAMES) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(stdout).toContain('0 tout va bien, 1 échec, 2 mauvais usage, 3 fait');
    for (const same of [['-h'], ['help']]) expect((await place.run(same)).stdout).toBe(stdout);
    const nothing = await place.run([]);
    expect([nothing.code, nothing.stdout]).toEqual([2, stdout]);
  });

  test.each(NAMES)(
    'of %s needs no configuration, and names every option that the command takes',
    async (name) => {
      const broken = { DATABASE_URL: 'rien', FUSEAU: 'rien' };
      const { code, stdout, stderr } = await place.run([name, '--help'], { env: broken });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`atelier ${name}`);
      const source = await readFile(new URL(`../../src/cli/${name}.ts`, import.meta.url), 'utf8');
      const options = [...source.matchAll(/^ +'?([a-z-]+)'?: \{ type: '/gm)].map((match) => match[1]!);
      // The help of `db psql` has the letter only.
      for (const option of options.filter((name) => name !== 'help' && name !== 'command')) {
        expect(stdout).toContain(`--${option}`);
      }
    },
  );

  test('--version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect((await place.run(['--version'])).stdout).toBe(`${version}\n`);
  });
});

describe('wrong usage: exit code 2, the message names what is wrong, nothing on stdout', () => {
  test.each([
    [['ingérer'], 'ingérer'],
    [['constructor'], 'constructor'],
    [['__proto__'], '__proto__'],
    [['--verbose'], '--verbose'],
    [['ingest', '--foo'], '--foo'],
    [['ingest', 'DEM12'], 'DEM12'],
    [['ingest', '--dir'], '--dir'],
    [['ingest', '--watch', '--dry-run'], '--dry-run'],
    [['ingest', '--watch', '--replace', 'a'], '--replace'],
    [['ingest', '--replace', '../ailleurs.LOG'], '--replace'],
    [['sessions', '--du', '31/12/2025'], '--du'],
    [['sessions', '--au', '2025-02-30'], '--au'],
    [['sessions', '--limite', 'beaucoup'], '--limite'],
    [['sessions', '--json', '--csv'], '--csv'],
    [['rejets', '--raison', 'inconnue'], '--raison'],
    [['rejets', '--limite', '0'], '--limite'],
    [['fichiers', '--octets', 'abc'], '--octets'],
    [['show'], 'SESSION'],
    [['show', '1', '2'], 'SESSION'],
    [['simulate', '--noise', '2'], '--noise'],
    [['simulate', '--days', 'x'], '--days'],
    [['migrate', '--force'], '--force'],
    [['doctor', '--all'], '--all'],
    [['demo', '--days'], '--days'],
    [['db', 'danse'], 'danse'],
    [['db', 'start', '-c', 'x'], '-c'],
    [['executions', '--tache', 'tout'], '--tache'],
    [['alertes', 'acquitter', 'x'], 'acquitter : attendu le numéro'],
    [['ingest', '--json=1'], '--json : ne prend pas de valeur'],
    [['sessions', '--limite', '-1'], '--limite=-…'],
  ])('%j', async (args, named) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/--help/);
    // The runtime's own sentences are English.
    expect(stderr).not.toMatch(/option '|argument '|missing|ambiguous|positional/i);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('failure: exit code 1, the error has a number, a sentence and a way out', () => {
  const away = 'postgresql://u:mot-de-passe-plante@127.0.0.1:1/absente';
  test.each<[string, string[], Env, RegExp]>([
    ['server away', ['sessions'], { DATABASE_URL: away }, /ATL_D301.*127\.0\.0\.1:1\/absente/],
    ['socket away', ['sessions'], { DATABASE_URL: '', POSTGRES_HOST: '/nulle/part' }, /ATL_D301/],
    ['no such session', ['show', '987654'], {}, /ATL_S601.*987654/],
    ['no such day', ['show', 'DEM12/2025-02-31'], {}, /ATL_S601.*2025-02-31/],
    ['not a session', ['show', 'n’importe quoi'], {}, /ATL_S601/],
    ['bytes never seen', ['fichiers', '--octets', 'a'.repeat(64)], {}, /ATL_L203.*jamais/],
    ['no LOGS_DIR', ['ingest'], { LOGS_DIR: '/nulle/part' }, /ATL_L201.*\/nulle\/part : n’existe pas/],
    ['no --dir', ['ingest', '--dir', '/nulle/part'], {}, /ATL_L201.*\/nulle\/part/],
    ['nothing to replace', ['ingest', '--replace', 'DEM12/x.LOG'], {}, /ATL_L205.*DEM12\/x\.LOG/],
    ['log file refused', ['ingest'], { SYNC_LOGS_DIR: '/dev/null/x' }, /ATL_C101.*SYNC_LOGS_DIR/],
  ])('%s', async (_, args, env, expected) => {
    const { code, stderr } = await place.run(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(expected);
    expect(stderr).toMatch(/^→ ./m);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain('mot-de-passe-plante');
  });

  test('an empty database: run migrate', async () => {
    const empty = await install({ migrated: false });
    try {
      for (const name of ['ingest', 'sessions', 'rejets', 'fichiers']) {
        const { code, stderr } = await empty.run([name]);
        expect([name, code]).toEqual([name, 1]);
        expect(stderr).toContain('ATL_D303');
        expect(stderr).toContain('npx atelier migrate');
      }
    } finally {
      await empty.close();
    }
  });

  test('what hindered an import is in the log file too', async () => {
    const before = (await place.log()).length;
    await place.run(['ingest'], { env: { DATABASE_URL: away } });
    const entries = (await place.log()).slice(before);
    expect(entries.map(({ level, erreur }) => [level, erreur])).toEqual([
      ['error', expect.stringContaining('127.0.0.1:1/absente')],
    ]);
    expect(JSON.stringify(entries)).not.toContain('mot-de-passe-plante');
  });
});

describe('configuration', () => {
  test('all problems at once, by name; secrets stay out', async () => {
    const { code, stdout, stderr } = await place.run(['sessions'], {
      env: {
        DATABASE_URL: 'mysql://u:mot-de-passe-plante@h/b',
        FUSEAU: 'Mars/Olympus',
        JOURNEE_DEBUT: 'midi',
        CENTRES: 'DEM12',
        NIVEAU_JOURNAL: 'fort',
      },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const name of ['DATABASE_URL', 'FUSEAU', 'JOURNEE_DEBUT', 'CENTRES', 'NIVEAU_JOURNAL']) {
      expect(stderr).toContain(`- ${name} :`);
    }
    expect(stderr).not.toContain('mot-de-passe-plante');
  });

  test('a refused password is not repeated, wherever it stands', async () => {
    const url = new URL(place.url);
    const parts = {
      DATABASE_URL: '',
      POSTGRES_HOST: url.hostname,
      POSTGRES_PORT: url.port,
      POSTGRES_DB: url.pathname.slice(1),
      POSTGRES_USER: url.username,
      POSTGRES_PASSWORD: 'mot-de-passe-plante',
    };
    for (const args of [
      ['ingest'],
      ['ingest', '--json'],
      ['sessions'],
      ['doctor'],
      ['doctor', '--json'],
      ['migrate'],
    ]) {
      const { code, stdout, stderr } = await place.run(args, { env: { ...parts, NIVEAU_JOURNAL: 'debug' } });
      expect([args, code]).toEqual([args, 1]);
      const log = JSON.stringify(await place.log());
      expect(stdout + stderr + log).not.toContain('mot-de-passe-plante');
    }
  });

  test('.env of the working folder counts, the environment goes before it', async () => {
    await writeFile(join(place.home, '.env'), 'FUSEAU=Mars/Olympus\nJOURNEE_DEBUT=midi\n');
    try {
      const { code, stderr } = await place.run(['sessions'], { env: { FUSEAU: 'Europe/Paris' } });
      expect(code).toBe(1);
      expect(stderr).toContain('JOURNEE_DEBUT');
      expect(stderr).not.toContain('FUSEAU');
    } finally {
      await writeFile(join(place.home, '.env'), '');
    }
  });
});
