// Each process of atelier gets the secrets that it needs, and no other: one table in code (src/base/config/secrets.ts).
// What docker-compose.yaml and the units make of it: deploy-compose.test.ts, deploy-systemd.test.ts.

import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OWN_PROCESSES, secretsOf, withheldFrom } from '../../src/base/config/secrets.ts';
import { SETTINGS } from '../../src/base/config/settings.ts';
import { forgetWithheld, loadConfig } from '../../src/base/config.ts';
import { DAY, type Installation, install } from '../harness/cli.ts';

const KEYS = {
  SECRET_KEY: randomBytes(48).toString('base64url'),
  CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
};

let shop: Installation;
beforeAll(async () => {
  shop = await install();
});
afterAll(() => shop.close());

/** Environments of a process and of all that it started. */
async function environments(pid: number): Promise<string> {
  const texts = [await readFile(`/proc/${pid}/environ`, 'latin1')];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    for (const child of children.split(' ').filter(Boolean)) {
      texts.push(await environments(Number(child)).catch(() => ''));
    }
  }
  return texts.join('\0');
}

test('the worker works without the keys of the API, which stand nowhere in its environment (M11, S28)', async () => {
  // As under systemd: one file of settings for all, which the program reads by itself.
  const lines = Object.entries(KEYS).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(shop.home, '.env'), lines.join(''), { mode: 0o600 });
  const { SECRET_KEY: _, ...env } = shop.env;
  const worker = shop.start(['worker'], { METRICS_PORT: '0', SECRET_KEY: '', CLE_CHIFFREMENT: '' });
  try {
    await expect.poll(worker.text, { timeout: 30_000 }).toContain('worker prêt');
    await shop.write('DEM12/20250528.LOG', DAY);
    await expect
      .poll(async () => (await shop.pool.query('SELECT 1 FROM session_production')).rowCount, {
        timeout: 20_000,
      })
      .toBe(1);
    const seen = await environments(worker.process.pid!);
    expect(seen).toContain(env['ARCHIVES_DIR']);
    for (const key of Object.values(KEYS)) expect(seen).not.toContain(key);
  } finally {
    worker.process.kill('SIGTERM');
  }
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
}, 90_000);

test('doctor asks of each process its own secrets only (M11)', async () => {
  const keys = async (env: Record<string, string>): Promise<unknown> => {
    const { stdout } = await shop.run(['doctor', '--json'], {
      env: { PORT: '0', METRICS_PORT: '0', SECRET_KEY: '', ...env },
    });
    return (JSON.parse(stdout) as { quoi: string }[]).find(({ quoi }) => quoi === 'Clés');
  };
  // A worker that is given the other key, as it was, has nothing to mend; the API without its own has.
  for (const PROCESSUS of ['worker', 'maintenance', 'migrate']) {
    expect([PROCESSUS, await keys({ PROCESSUS, CLE_CHIFFREMENT: KEYS.CLE_CHIFFREMENT })]).toEqual([
      PROCESSUS,
      expect.objectContaining({ etat: 'bien' }),
    ]);
  }
  expect(await keys({ PROCESSUS: 'api', CLE_CHIFFREMENT: KEYS.CLE_CHIFFREMENT })).toMatchObject({
    etat: 'mal',
    detail: expect.stringContaining('SECRET_KEY manque'),
  });
}, 60_000);

test('a command on accounts, typed where the worker runs, says where to type it', async () => {
  expect(await shop.run(['user', 'list'], { env: { PROCESSUS: 'worker' } })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('docker compose exec api atelier user'),
  });
  expect(await shop.run(['doctor'], { env: { PROCESSUS: 'ouvrier' } })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('PROCESSUS : attendu api, worker, migrate, maintenance'),
  });
});

test('a secret of others is not there, wherever it stands (M11)', () => {
  const { POSTGRES_PASSWORD: _, ...all } = Object.fromEntries(
    SETTINGS.filter(({ secret }) => secret).map(({ name }) => [
      name,
      `plante-${name.toLowerCase()}-0123456789`,
    ]),
  );
  const base = { DATABASE_URL: 'postgresql://u:plante-database_url@127.0.0.1/x' };
  const keys = {
    DATABASE_READ_URL: '',
    DATABASE_API_URL: '',
    MYSQL_URL: '',
    SMTP_URL: '',
    OTEL_EXPORTER_OTLP_HEADERS: 'cle=plante-otel_exporter_otlp_headers-0123456789',
    ALERTE_WEBHOOK_URL: '',
  };
  // Keys must look like keys.
  const drawn = Object.fromEntries(
    Object.keys(all)
      .filter((name) => /^CLE_(?!CHIFFREMENT)/.test(name))
      .map((name) => [name, randomBytes(32).toString('hex')]),
  );
  for (const name of OWN_PROCESSES) {
    const env = { ...all, ...base, ...keys, ...drawn };
    const config = loadConfig(env, name);
    expect(config.processus).toBe(name);
    const text = JSON.stringify(config);
    for (const other of withheldFrom(name))
      expect([name, text]).not.toEqual([name, expect.stringContaining(`plante-${other.toLowerCase()}-`)]);
    expect([name, config.sauvegarde.cle !== undefined]).toEqual([
      name,
      secretsOf(name).includes('CLE_SAUVEGARDE'),
    ]);
    expect([name, config.api.secretKey !== undefined]).toEqual([name, name === 'api']);
  }
  // Nor for the programs that it starts.
  process.env['SECRET_KEY'] = KEYS.SECRET_KEY;
  forgetWithheld('api');
  expect(process.env['SECRET_KEY']).toBe(KEYS.SECRET_KEY);
  forgetWithheld('worker');
  expect(process.env['SECRET_KEY']).toBeUndefined();
});
