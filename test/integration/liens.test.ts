// M8: links to other machines, with real servers on an address that is not the loopback: in the clear only where the
// installer said so, and whoever cannot prove who he is gets no password.

import { execFileSync } from 'node:child_process';
import { appendFile, chmod, chown, copyFile, stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Reseau } from '../chaos/reseau.ts';
import { DAY, type Finished, type Installation, install } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { MariadbDeTest, SANS_MARIADB, UTILISATEUR_LECTURE } from '../harness/mariadb.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';

const manque = await Reseau.manque();
if (manque !== undefined) process.stdout.write(`liens vers d’autres machines : tests passés, ${manque}\n`);

const closers: (() => unknown)[] = [];
let reseau: Reseau;
let server: PrivatePostgres;
let place: Installation;
let url: string;

/** A certificate for an address (or a name, `DNS:…`), signed by the authority `ca.pem` of the installation's folder. */
function certifier(nom: string, adresse: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: place.home, stdio: 'pipe' });
  const pair = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${nom}.key`];
  openssl(
    'req',
    ...pair,
    '-out',
    `${nom}.csr`,
    '-subj',
    '/CN=bd.example',
    '-addext',
    `subjectAltName=${adresse.includes(':') ? adresse : `IP:${adresse}`}`,
  );
  const sign = [
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
    '-days',
    '2',
  ];
  openssl('x509', '-req', '-in', `${nom}.csr`, ...sign, '-out', `${nom}.pem`);
}

/** An authority of ours, in the same folder. */
function autorite(): void {
  const pair = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem'];
  execFileSync('openssl', ['req', '-x509', ...pair, '-days', '2', '-subj', '/CN=Autorite'], {
    cwd: place.home,
    stdio: 'pipe',
  });
}

/** Has the server show that certificate from now on. */
async function montrer(nom: string): Promise<void> {
  const { uid, gid } = await stat(server.dataDir);
  for (const end of ['pem', 'key']) {
    const file = join(server.dataDir, `server.${end}`);
    await copyFile(join(place.home, `${nom}.${end}`), file);
    await chown(file, uid, gid);
    await chmod(file, 0o600);
  }
  await server.stop('fast');
  await server.start();
}

const run = async (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
  await place.run(args, { env: { DATABASE_URL: url, ...env } });
const sessions = (env?: Record<string, string>): Promise<Finished> => run(['sessions', '--json'], env);
const liens = async (env: Record<string, string> = {}) => {
  const { stdout } = await run(['doctor', '--json'], { PORT: '0', METRICS_PORT: '0', ...env });
  const all = JSON.parse(stdout) as { quoi: string; etat: string; detail: string }[];
  return all.filter(({ quoi }) => quoi === 'Liens').map(({ etat, detail }) => `${etat} ${detail}`);
};

beforeAll(async () => {
  if (manque !== undefined) return;
  reseau = await Reseau.creer();
  closers.push(() => reseau.fermer());
  server = await startPrivatePostgres({ settings: { listen_addresses: `127.0.0.1,${reseau.adresse}` } });
  closers.push(() => server.remove());
  await appendFile(join(server.dataDir, 'pg_hba.conf'), `host all all ${reseau.plage} scram-sha-256\n`);
  await server.stop('fast');
  await server.start();
  await migrateUrl(server.url);
  place = await install({ url: server.url });
  closers.push(() => place.close());
  const there = new URL(server.url);
  there.hostname = reseau.adresse;
  url = there.href;
}, 240_000);
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

describe.skipIf(manque !== undefined)('PostgreSQL on another machine', () => {
  it('that does not encrypt is refused with the ways out; a named network and a clear word open, and doctor shows the latter', async () => {
    const refused = await sessions();
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/ATL_D301.*RESEAUX_PRIVES.*POSTGRES_TLS=non/s),
    ]);
    expect((await sessions({ RESEAUX_PRIVES: reseau.plage })).code).toBe(0);
    expect(await liens({ RESEAUX_PRIVES: reseau.plage })).toEqual([
      `bien en clair dans RESEAUX_PRIVES : DATABASE_URL (${reseau.adresse})`,
    ]);
    expect((await sessions({ POSTGRES_TLS: 'non' })).code).toBe(0);
    expect(await liens({ POSTGRES_TLS: 'non' })).toEqual([
      expect.stringMatching(/^attention DATABASE_URL : en clair vers 10\./),
    ]);
    await place.write('DEM12/20250528.LOG', DAY);
    expect((await run(['ingest'], { DATABASE_URL: server.url })).code).toBe(0);
    // The same rule for an address that comes by an option.
    const other = new URL(url);
    const secret = { PGPASSWORD: decodeURIComponent(other.password), RESEAUX_PRIVES: '' };
    other.password = '';
    const compared = await run(['rebuild', '--oui', '--completer', '--comparer', other.href], {
      ...secret,
      DATABASE_URL: server.url,
    });
    expect([compared.code, compared.stderr]).toEqual([1, expect.stringContaining('RESEAUX_PRIVES')]);
  }, 120_000);

  it('has to prove who it is: an authority of ours does, another name and a stranger do not', async () => {
    autorite();
    certifier('juste', reseau.adresse);
    certifier('autre', '10.9.9.9');
    await appendFile(
      join(server.dataDir, 'postgresql.conf'),
      "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n",
    );
    await montrer('juste');
    const ca = { POSTGRES_TLS_CA: join(place.home, 'ca.pem') };
    expect(await sessions()).toMatchObject({ code: 1, stderr: expect.stringContaining('POSTGRES_TLS_CA') });
    expect((await sessions(ca)).code).toBe(0);
    expect(await liens(ca)).toEqual(['bien chiffrés et vérifiés, ou dans cette machine']);
    await montrer('autre');
    expect(await sessions(ca)).toMatchObject({ code: 1, stderr: expect.stringContaining('ATL_D301') });
    expect((await sessions({ POSTGRES_TLS: 'sans-verification' })).code).toBe(0);
    expect(await liens({ POSTGRES_TLS: 'sans-verification' })).toEqual([
      expect.stringContaining('attention DATABASE_URL : chiffré, mais sans vérifier'),
    ]);
  }, 180_000);
});

/** A private ERP with a door on the network, and the settings that lead there. */
async function ouvrirErp(): Promise<{ maria: MariadbDeTest; erp: Record<string, string> }> {
  const maria = await MariadbDeTest.demarrer();
  closers.push(() => maria.arreter());
  // The private server listens on the loopback only: its door on the network.
  const door = createServer((client) => {
    const inside = connect(maria.server.port, '127.0.0.1');
    client.pipe(inside).pipe(client);
    for (const end of [client, inside]) end.on('error', () => [client, inside].map((each) => each.destroy()));
  });
  await new Promise<void>((done) => void door.listen(0, reseau.adresse, done));
  closers.push(() => door.close());
  const erp = {
    DATABASE_URL: server.url,
    MYSQL_HOST: reseau.adresse,
    MYSQL_PORT: String((door.address() as AddressInfo).port),
    MYSQL_USER: UTILISATEUR_LECTURE.user,
    MYSQL_PASSWORD: UTILISATEUR_LECTURE.password,
  };
  return { maria, erp };
}

describe.skipIf(manque !== undefined || SANS_MARIADB !== undefined)('the ERP on another machine', () => {
  it('is read with TLS and a proof, or where its network is named', async () => {
    const { erp } = await ouvrirErp();
    const refused = await run(['sync'], erp);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ATL_E401')]);
    const done = await run(['sync'], { ...erp, RESEAUX_PRIVES: reseau.plage });
    expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
    expect(await liens({ ...erp, MYSQL_TLS: 'non' })).toEqual([
      expect.stringMatching(/^attention MYSQL_HOST : en clair vers 10\./),
    ]);
  }, 180_000);

  it('M8: has to prove who it is, too: an authority of ours does, another name and a stranger do not', async () => {
    autorite();
    certifier('juste', reseau.adresse);
    certifier('autre', '10.9.9.9');
    certifier('celui-ci', 'DNS:localhost');
    const { maria, erp } = await ouvrirErp();
    const montrer = async (nom: string): Promise<void> => {
      const words: string[] = [];
      for (const end of ['pem', 'key']) {
        const file = join(maria.server.dir, `${nom}.${end}`);
        await copyFile(join(place.home, `${nom}.${end}`), file);
        await chmod(file, 0o644);
        words.push(`--ssl-${end === 'pem' ? 'cert' : 'key'}=${file}`);
      }
      await maria.tuer();
      await maria.relancer(words);
    };
    await montrer('juste');
    const ca = { ...erp, MYSQL_TLS_CA: join(place.home, 'ca.pem') };
    const sync = async (env: Record<string, string>): Promise<[number | null, string]> => {
      const { code, stderr } = await run(['sync'], env);
      return [code, /ATL_\w+/.exec(stderr)?.[0] ?? ''];
    };
    expect(await sync(erp)).toEqual([1, 'ATL_E401']);
    expect(await sync(ca)).toEqual([0, '']);
    for (const nom of ['celui-ci', 'autre']) {
      await montrer(nom);
      expect([nom, ...(await sync(ca))]).toEqual([nom, 1, 'ATL_E401']);
    }
    expect(await sync({ ...erp, MYSQL_TLS: 'sans-verification' })).toEqual([0, '']);
    expect(await liens({ ...erp, MYSQL_TLS: 'sans-verification' })).toEqual([
      expect.stringContaining('attention MYSQL_HOST : chiffré, mais sans vérifier'),
    ]);
  }, 240_000);
});
