// CLE_ARCHIVES through the commands and the API (M7): what machines wrote lies encrypted, everything that reads it goes on,
// old archives are moved, keys change, and without its key nothing is lost or written over.

import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { DAY, type Finished } from '../harness/cli.ts';
import { Chercheur } from '../harness/decouvrir.ts';
import { createDatabase, sansMotDePasse, type TestDatabase } from '../harness/postgres.ts';
import { tousLesFichiers } from '../harness/sauvegarde.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const NOM = 'Camille Canari-Delorme';
const journal = (jour: string): string =>
  `${DAY.replaceAll('20250528', jour)}${jour} 09:00:00|@Bediener: ${NOM}\r\nligne cassée\r\n`;
const chercheur = new Chercheur({ nom: NOM });
const [A, B] = [randomBytes(32).toString('hex'), randomBytes(32).toString('base64')] as const;

let there: Awaited<ReturnType<typeof installerApi>>;
const bases: TestDatabase[] = [];
const servers: Serveur[] = [];
beforeAll(async () => {
  there = await installerApi();
});
afterAll(async () => {
  for (const { running } of servers) running.process.kill('SIGKILL');
  for (const base of bases) await base.drop();
  await there?.close();
});

/** Runs a command, which must end with a code; no key is ever shown. */
async function run(args: readonly string[], env: Record<string, string>, code = 0): Promise<Finished> {
  const done = await there.run(args, { env });
  expect([done.code, done.code === code ? '' : done.stdout + done.stderr]).toEqual([code, '']);
  for (const key of [A, B]) expect(done.stdout + done.stderr).not.toContain(key);
  return done;
}
async function json(
  args: readonly string[],
  env: Record<string, string>,
  code = 0,
): Promise<Record<string, unknown>> {
  return JSON.parse((await run([...args, '--json'], env, code)).stdout) as Record<string, unknown>;
}

/** Where the name is found in ARCHIVES_DIR. */
async function found(dir = there.archives): Promise<string[]> {
  return [...(await tousLesFichiers(dir))].flatMap(([path, bytes]) => chercheur.dans(bytes, path));
}

async function sums(): Promise<string[]> {
  const { rows } = await there.pool.query('SELECT sha256 FROM fichier_log_version ORDER BY id');
  return rows.map(({ sha256 }) => (Buffer.isBuffer(sha256) ? sha256.toString('hex') : sha256));
}

async function constat(env: Record<string, string>): Promise<{ etat: string; detail: string } | undefined> {
  const done = await there.run(['doctor', '--json'], { env: { PORT: '0', ...env } });
  return (JSON.parse(done.stdout) as { quoi: string; etat: string; detail: string }[]).find(
    ({ quoi }) => quoi === 'CLE_ARCHIVES',
  );
}

describe('M7: CLE_ARCHIVES', () => {
  it('plain before, encrypted after: every byte is given back, and doctor says what is left', async () => {
    await there.write('DEM12/20250528.LOG', journal('20250528'));
    await run(['ingest'], {});
    expect(await found()).not.toEqual([]);
    expect(await constat({})).toBeUndefined();
    // Where masks say that names are in there, plain archives are worth a word.
    const masques = { MASQUES: 'operateur=(?i)bediener:? *([^ ]+ [^ ]+)' };
    expect(await constat(masques)).toMatchObject({
      etat: 'attention',
      detail: expect.stringContaining('MASQUES'),
    });
    await there.write('DEM12/20250529.LOG', journal('20250529'));
    await run(['ingest'], { CLE_ARCHIVES: A });
    expect(await json(['archives'], { CLE_ARCHIVES: A })).toMatchObject({ enClair: 1 });
    const [first, second] = await sums();
    expect((await run(['fichiers', '--octets', first!], { CLE_ARCHIVES: A })).stdout).toBe(
      journal('20250528'),
    );
    expect((await run(['fichiers', '--octets', second!], { CLE_ARCHIVES: A })).stdout).toBe(
      journal('20250529'),
    );
    expect(await constat({ CLE_ARCHIVES: A })).toMatchObject({ etat: 'attention' });
    // A file that grows takes its archive along.
    await there.write('DEM12/20250529.LOG', `${journal('20250529')}20250529 10:00:00|@StukUitgevoerd: C\r\n`);
    await run(['ingest'], { CLE_ARCHIVES: A });
    expect((await run(['fichiers', '--octets', second!], { CLE_ARCHIVES: A })).stdout).toBe(
      journal('20250529'),
    );
  }, 180_000);

  it('without the key: which one, and what to do; nothing is written, nothing changed, and all goes on with it', async () => {
    const before = await there.everything();
    const [, grown] = await sums();
    const read = await run(['fichiers', '--octets', grown!], {}, 1);
    expect(read.stderr).toMatch(/ATL_L209.*[0-9a-f]{16}.*CLE_ARCHIVES/s);
    await there.write('DEM12/20250530.LOG', journal('20250530'));
    for (const env of [{}, { CLE_ARCHIVES: B }]) {
      const refused = await run(['ingest'], env as Record<string, string>, 1);
      expect(refused.stdout + refused.stderr).toContain('ATL_L209');
    }
    const versions = (all: string): unknown =>
      (JSON.parse(all) as [Record<string, unknown>])[0]['fichier_log_version'];
    expect(versions(await there.everything())).toEqual(versions(before));
    expect(await constat({})).toMatchObject({ etat: 'mal', detail: expect.stringMatching(/[0-9a-f]{16}/) });
    await run(['rebuild', '--completer', '--sans-erp', '--oui'], {}, 1);
    await run(['ingest'], { CLE_ARCHIVES: A });
    expect(await sums()).toHaveLength(3);
  }, 180_000);

  it('`archives chiffrer` moves old ones; then the bytes are nowhere in the folder', async () => {
    await run(['archives', 'chiffrer'], {}, 1);
    expect(await json(['archives', 'chiffrer'], { CLE_ARCHIVES: A })).toMatchObject({
      etat: 'reussie',
      ...{ reprises: 1, dejaFaites: 2, laissees: [] },
    });
    expect(await json(['archives', 'chiffrer'], { CLE_ARCHIVES: A })).toMatchObject({
      reprises: 0,
      dejaFaites: 3,
    });
    expect(await found()).toEqual([]);
    expect(await constat({ CLE_ARCHIVES: A })).toMatchObject({ etat: 'bien' });
    expect(await json(['archives', 'verifier'], { CLE_ARCHIVES: A })).toEqual({ nombre: 3, defauts: [] });
    const [first] = await sums();
    expect((await run(['fichiers', '--octets', first!], { CLE_ARCHIVES: A })).stdout).toBe(
      journal('20250528'),
    );
  }, 180_000);

  it('the API gives bytes and lines of them; without the key 503, and the log says why', async () => {
    const server = await servir(there, { CLE_ARCHIVES: A });
    servers.push(server);
    expect((await creerCompteHttp(server.url, 'chef')).status).toBe(201);
    const headers = await server.entete('chef');
    const get = async (url: string): Promise<Response> => await fetch(`${server.url}${url}`, { headers });
    const [fichier] = (await (await get('/fichiers/?chemin=DEM12/20250528.LOG')).json()) as { id: number }[];
    expect(await (await get(`/fichiers/${fichier!.id}/octets`)).text()).toBe(journal('20250528'));
    const [piece] = (await (await get('/pieces-production/?limit=1')).json()) as { id: number }[];
    const origin = await get(`/pieces-production/${piece!.id}/origine`);
    expect([origin.status, await origin.text()]).toEqual([200, expect.stringContaining('StukUitgevoerd')]);
    expect((await server.arreter()).code).toBe(0);
    const other = await servir(there, {});
    servers.push(other);
    const own = await other.entete('chef');
    const mute = await fetch(`${other.url}/fichiers/${fichier!.id}/octets`, { headers: own });
    expect(mute.status).toBe(503);
    expect((await other.arreter()).stdout).toMatch(/chiffré avec la clé [0-9a-f]{16}/);
  }, 180_000);

  it('an archive that is damaged is told with its place, stops no other, and stays as it is', async () => {
    const folder = join(there.archives, (await readdir(there.archives)).find((name) => /^\d+$/.test(name))!);
    const name = (await readdir(folder)).sort()[1]!;
    const whole = await readFile(join(folder, name));
    const wrong = Buffer.from(whole);
    wrong[wrong.length - 30]! ^= 1;
    await writeFile(join(folder, name), wrong);
    const { nombre, defauts } = await json(['archives', 'verifier'], { CLE_ARCHIVES: A }, 3);
    expect([nombre, defauts]).toEqual([
      3,
      [
        {
          archive: expect.stringContaining(name.slice(0, 64)),
          raison: expect.stringMatching(/bloc 1, à l’octet 76/),
        },
      ],
    ]);
    const env = { CLE_ARCHIVES: B, CLE_ARCHIVES_PRECEDENTE: A };
    expect(await json(['archives', 'chiffrer'], env, 3)).toMatchObject({ etat: 'partielle', reprises: 2 });
    expect((await readFile(join(folder, name))).equals(wrong)).toBe(true);
    await writeFile(join(folder, name), whole);
    expect(await json(['archives', 'chiffrer'], env)).toMatchObject({ reprises: 1, dejaFaites: 2 });
    expect(await json(['archives', 'verifier'], { CLE_ARCHIVES: B })).toEqual({ nombre: 3, defauts: [] });
    expect(await constat({ CLE_ARCHIVES: B })).toMatchObject({ etat: 'bien' });
  }, 180_000);

  it('O15: backup and restore: without CLE_SAUVEGARDE archives stay encrypted; with it that key alone is needed', async () => {
    const plain = { SAUVEGARDE_DIR: join(there.home, 'sans'), CLE_ARCHIVES: B };
    const sealed = { SAUVEGARDE_DIR: join(there.home, 'avec'), CLE_ARCHIVES: B, CLE_SAUVEGARDE: A };
    const made = [await json(['backup'], plain), await json(['backup'], sealed)] as unknown as [
      { nom: string; aGarderAPart: string[] },
      { nom: string },
    ];
    expect(made).toMatchObject([
      { archives: 3, etat: 'reussie' },
      { archives: 3, etat: 'reussie' },
    ]);
    for (const dir of [plain.SAUVEGARDE_DIR, sealed.SAUVEGARDE_DIR])
      expect(await found(join(dir, 'archives'))).toEqual([]);
    expect(made[0].aGarderAPart).toContain('CLE_ARCHIVES');
    await run(['backup', 'verify', made[0].nom], plain);
    const { CLE_ARCHIVES: _, ...without } = plain;
    expect((await run(['backup', 'verify', made[0].nom], without, 1)).stderr).toContain('ATL_L209');
    // Nothing is found that cannot be read: such a backup is partial, and keeps the rest.
    expect(await json(['backup'], { SAUVEGARDE_DIR: join(there.home, 'autre') }, 3)).toMatchObject({
      etat: 'partielle',
      archivesManquantes: [expect.any(String), expect.any(String), expect.any(String)],
    });

    const restore = async (
      env: Record<string, string>,
      nom: string,
      archives: string,
      code = 0,
    ): Promise<string> => {
      const base = await createDatabase({ template: false });
      bases.push(base);
      const { adresse, secret } = sansMotDePasse(base.url);
      const own = {
        ...env,
        ARCHIVES_DIR: join(there.home, archives),
        ...secret,
      };
      const words = ['restore', nom, '--vers-base', adresse, '--oui'];
      const done = await run(words, own, code);
      if (code !== 0) return done.stderr;
      const pool = createPool(base.url, { logger: silentLogger(), max: 1 });
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM piece_production');
      await pool.end();
      return String(rows[0].n);
    };
    expect(await restore(without, made[0].nom, 'r0', 1)).toContain('ATL_L209');
    expect(await readdir(join(there.home, 'r0')).catch(() => [])).toEqual([]);
    const pieces = await restore(plain, made[0].nom, 'r1');
    expect(Number(pieces)).toBeGreaterThan(6);
    expect(await found(join(there.home, 'r1'))).toEqual([]);
    // CLE_SAUVEGARDE alone; archives come back as this installation keeps them.
    const { CLE_ARCHIVES: __, ...alone } = sealed;
    expect(await restore(alone, made[1].nom, 'r2')).toBe(pieces);
    expect(await found(join(there.home, 'r2'))).not.toEqual([]);
    expect(await restore({ ...sealed, CLE_ARCHIVES: A }, made[1].nom, 'r3')).toBe(pieces);
    expect(await found(join(there.home, 'r3'))).toEqual([]);
    const moved = { ARCHIVES_DIR: join(there.home, 'r3'), CLE_ARCHIVES: A };
    expect(await json(['archives', 'verifier'], moved)).toEqual({ nombre: 3, defauts: [] });
  }, 240_000);

  it('L8: rebuild makes the same sessions from encrypted archives alone', async () => {
    const base = await createDatabase({ template: false });
    bases.push(base);
    const { adresse, secret } = sansMotDePasse(there.url);
    const own = { CLE_ARCHIVES: B, DATABASE_URL: base.url, ...secret };
    const compared = await json(['rebuild', '--sans-erp', '--oui', '--comparer', adresse], own);
    expect(compared).toMatchObject({
      etat: 'reussie',
      comparaison: { manquantes: [], enTrop: [], differentes: [] },
    });
  }, 180_000);

  it('`archives dechiffrer` is the way back: the key aside, then every archive plain, and nothing asks for it', async () => {
    expect((await run(['archives', 'dechiffrer'], { CLE_ARCHIVES: B }, 1)).stderr).toContain(
      'CLE_ARCHIVES_PRECEDENTE',
    );
    expect(await json(['archives', 'dechiffrer'], { CLE_ARCHIVES_PRECEDENTE: B })).toMatchObject({
      reprises: 3,
    });
    expect(await json(['archives', 'verifier'], {})).toEqual({ nombre: 3, defauts: [] });
    await there.write('DEM12/20250531.LOG', journal('20250531'));
    await run(['ingest'], {});
    expect(await found()).not.toEqual([]);
    await rm(join(there.home, 'sans'), { recursive: true });
  }, 180_000);

  it('a key that is not 32 random bytes is refused at start, and not shown', async () => {
    for (const bad of ['abcdef', '00'.repeat(32)]) {
      const done = await run(['archives'], { CLE_ARCHIVES: bad }, 1);
      expect(done.stderr).toMatch(/ATL_C101.*CLE_ARCHIVES/s);
      expect(done.stderr).not.toContain(bad);
    }
  }, 30_000);
});

describe('M7: archives that get another key while a worker has the old one', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['none', {}, { CLE_ARCHIVES: A }],
    ['another', { CLE_ARCHIVES: A }, { CLE_ARCHIVES: B, CLE_ARCHIVES_PRECEDENTE: A }],
    [
      'another, which it has, too',
      { CLE_ARCHIVES: A, CLE_ARCHIVES_PRECEDENTE: B },
      { CLE_ARCHIVES: B, CLE_ARCHIVES_PRECEDENTE: A },
    ],
    ['one that is taken away', { CLE_ARCHIVES: A }, { CLE_ARCHIVES_PRECEDENTE: A }],
  ])(
    '%s: it writes nothing more, says what to do, and nothing is lost',
    async (_, old, now) => {
      const place = await installerApi();
      try {
        const settings = { CRON_LOGS: 'non', METRICS_PORT: '0' };
        const versions = async (): Promise<number> =>
          (await place.pool.query('SELECT count(*)::int AS n FROM fichier_log_version')).rows[0].n;
        const worker = place.start(['worker'], { ...settings, ...old });
        try {
          await place.write('DEM12/20250528.LOG', journal('20250528'));
          await expect.poll(versions, { timeout: 60_000 }).toBe(1);
          const action = now['CLE_ARCHIVES'] ? 'chiffrer' : 'dechiffrer';
          const done = await place.run(['archives', action, '--json'], { env: now });
          expect([done.code, JSON.parse(done.stdout)]).toMatchObject([0, { reprises: 1, laissees: [] }]);
          await place.write('DEM12/20250529.LOG', journal('20250529'));
          await expect
            .poll(() => worker.text(), { timeout: 60_000 })
            .toMatch(
              /la clé des archives a changé.*Relancez-le|est chiffré avec la clé [0-9a-f]{16}, et CLE_ARCHIVES/,
            );
        } finally {
          worker.process.kill('SIGTERM');
          await worker.ended;
        }
        expect(await versions()).toBe(1);
        // The next one has the settings of today, and finds the file where it was.
        expect(await place.run(['ingest'], { env: now })).toMatchObject({ code: 0 });
        const formes = JSON.parse((await place.run(['archives', '--json'], { env: now })).stdout);
        expect(formes).toMatchObject(
          formes.cle === null
            ? { enClair: 2, chiffrees: {} }
            : { enClair: 0, chiffrees: { [formes.cle]: 2 } },
        );
        expect(await readdir(join(place.archives, 'en-attente'))).toEqual([]);
        const key = now['CLE_ARCHIVES'] ? { CLE_ARCHIVES: now['CLE_ARCHIVES'] } : {};
        const checked = await place.run(['archives', 'verifier', '--json'], { env: key });
        expect(JSON.parse(checked.stdout)).toEqual({ nombre: 2, defauts: [] });
      } finally {
        await place.close();
      }
    },
    240_000,
  );
});
