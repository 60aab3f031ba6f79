// The whole road on the PostgreSQL that Debian ships (15 on Debian 12), and backups from one version to another.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { compareSchema } from '../../src/cli/doctor/base.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { dumpSchema } from '../../src/postgres/schema-dump.ts';
import { DAY, type Env, type Installation, install } from '../harness/cli.ts';
import { MariadbDeTest, SANS_MARIADB, UTILISATEUR_LECTURE } from '../harness/mariadb.ts';
import { createDatabase, sansMotDePasse, type TestDatabase } from '../harness/postgres.ts';
import { POSTGRES_DEBIAN, startDebianPostgres } from '../harness/postgres-debian.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';
import { creerCompteHttp, installerApi, servir } from '../harness/serve.ts';
import { dumpState } from '../harness/state.ts';
import { Vieillisseur } from '../harness/vieillir.ts';

const { user, password } = UTILISATEUR_LECTURE;
const OLD = DAY.replaceAll('20250528', '20190528');
/** Recent, whenever this runs. */
const HIER = Temporal.Now.plainDateISO('Europe/Paris').subtract({ days: 1 }).toString();
const RECENT = DAY.replaceAll('20250528', HIER.replaceAll('-', ''));

describe.skipIf(POSTGRES_DEBIAN === undefined)(`PostgreSQL ${POSTGRES_DEBIAN?.version} de Debian`, () => {
  let server: PrivatePostgres;
  let place: Installation & { apiEnv: Env };
  let env: Env;
  let neuve: TestDatabase;
  let temps: Vieillisseur;

  beforeAll(async () => {
    server = await startDebianPostgres();
    place = (await installerApi({ url: server.url })) as typeof place;
    env = { SAUVEGARDE_DIR: join(place.home, 'sauvegardes') };
    neuve = await createDatabase({ template: false });
    expect(await place.run(['migrate'])).toMatchObject({ code: 0 });
    temps = await Vieillisseur.depuisMaintenant(place.pool);
    await place.write('DEM12/20190528.LOG', OLD);
    await place.write(`DEMALU/${HIER.replaceAll('-', '')}.LOG`, RECENT);
    expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
  }, 120_000);
  afterAll(async () => {
    await neuve?.drop();
    await place?.close();
    await server?.remove();
  });

  const withPool = async <T>(url: string, work: (pool: Pool) => Promise<T>): Promise<T> => {
    const pool = createPool(url, { logger: silentLogger(), max: 1 });
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  };
  const figures = (url: string): Promise<unknown> =>
    withPool(
      url,
      async (pool) =>
        (
          await pool.query(`SELECT row_to_json(s)::text AS session,
            (SELECT json_agg(p ORDER BY numero_piece)::text FROM piece_production p WHERE p.session_id = s.id) AS pieces
            FROM (SELECT * FROM session_production ORDER BY id) s`)
        ).rows,
    );
  const database = async (nom: string): Promise<string> => {
    await withPool(server.url, (pool) => pool.query(`CREATE DATABASE ${nom} TEMPLATE template0`));
    const url = new URL(server.url);
    url.pathname = `/${nom}`;
    return url.href;
  };

  it('les migrations y font le schéma de schema.sql, et doctor n’y trouve rien', async () => {
    const file = await readFile(new URL('../../schema.sql', import.meta.url), 'utf8');
    const dump = await withPool(server.url, dumpSchema);
    expect(compareSchema(dump, file)).toMatchObject({ etat: 'bien' });
    const { code, stdout } = await place.run(['doctor', '--json'], { env: { PORT: '0', SECRET_KEY: '' } });
    const constats = JSON.parse(stdout) as { quoi: string; etat: string; detail: string }[];
    expect([code, constats.filter(({ etat }) => etat !== 'bien')]).toEqual([0, []]);
    const known = constats.find(({ quoi }) => quoi === 'PostgreSQL');
    expect(known?.detail).toContain(`version ${POSTGRES_DEBIAN!.version}`);
  });

  it('l’import y donne les mêmes chiffres que sur PostgreSQL 18', async () => {
    const other = await install();
    await other.write('DEM12/20190528.LOG', OLD);
    await other.write(`DEMALU/${HIER.replaceAll('-', '')}.LOG`, RECENT);
    expect(await other.run(['ingest'])).toMatchObject({ code: 0 });
    const expected = await dumpState(other.pool);
    expect(JSON.stringify(expected)).toContain(HIER);
    expect(await dumpState(place.pool)).toEqual(expected);
    await other.close();
  });

  it.skipIf(SANS_MARIADB)('la synchronisation y range les commandes de l’ERP', async () => {
    const maria = await MariadbDeTest.demarrer();
    const erp = { MYSQL_URL: `mysql://${user}:${password}@127.0.0.1:${maria.server.port}/erp` };
    const first = await place.run(['sync', '--json'], { env: erp });
    const second = await place.run(['sync', '--json'], { env: erp });
    await maria.arreter();
    expect([first.code, JSON.parse(first.stdout)]).toEqual([0, expect.objectContaining({ ajoutees: 57 })]);
    expect([second.code, JSON.parse(second.stdout)]).toEqual([
      0,
      expect.objectContaining({ inchangees: 57 }),
    ]);
  });

  it('l’API y lit, écrit, exporte', async () => {
    const api = await servir(place, place.apiEnv);
    expect((await creerCompteHttp(api.url, 'chef')).status).toBe(201);
    const headers = { ...(await api.entete('chef')), 'content-type': 'application/json' };
    const get = async (path: string): Promise<string> => {
      const answer = await fetch(api.url + path, { headers });
      expect([path, answer.status]).toEqual([path, 200]);
      return await answer.text();
    };
    expect(JSON.parse(await get('/sessions/?tri=-date_production&limit=1'))).toMatchObject([
      { date_production: HIER, total_pieces: 2 },
    ]);
    const made = await fetch(`${api.url}/centres/`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ nom: 'Neuf', type_cu: 'PVC' }),
    });
    expect(made.status).toBe(201);
    for (const path of ['/pieces-production/', '/stats/production-summary', '/rejets/', '/executions/'])
      await get(path);
    await get('/sessions/1/explication');
    expect((await get('/pieces-production/?format=csv')).trim().split('\n')).toHaveLength(5);
    expect((await api.arreter()).code).toBe(0);
  });

  it('la sauvegarde y revient, et dans PostgreSQL 18', async () => {
    const backup = await place.run(['backup', '--json'], { env });
    expect(backup.code).toBe(0);
    const { nom } = JSON.parse(backup.stdout) as { nom: string };
    const before = await figures(server.url);
    for (const url of [await database('retour'), neuve.url]) {
      const { adresse, secret } = sansMotDePasse(url);
      const done = await place.run(
        ['restore', nom, '--vers-base', adresse, '--sans-archives', '--oui', '--json'],
        { env: { ...env, ...secret } },
      );
      expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
      expect(await figures(url)).toEqual(before);
    }
  });

  it('une sauvegarde de PostgreSQL 18 y revient', async () => {
    const other = await install();
    await other.write(`DEMALU/${HIER.replaceAll('-', '')}.LOG`, RECENT);
    expect(await other.run(['ingest'])).toMatchObject({ code: 0 });
    const depot = { SAUVEGARDE_DIR: join(other.home, 'sauvegardes') };
    const backup = await other.run(['backup', '--json'], { env: depot });
    const { nom } = JSON.parse(backup.stdout) as { nom: string };
    const url = await database('de_18');
    const { adresse, secret } = sansMotDePasse(url);
    const done = await other.run(
      ['restore', nom, '--vers-base', adresse, '--sans-archives', '--oui', '--json'],
      { env: { ...depot, ...secret } },
    );
    expect(done.code).toBe(0);
    expect(await figures(url)).toEqual(await figures(other.url));
    expect(
      compareSchema(await withPool(url, dumpSchema), await readFile('schema.sql', 'utf8')),
    ).toMatchObject({
      etat: 'bien',
    });
    await other.close();
  });

  it('la purge y efface ce qui est trop vieux, et rien d’autre', async () => {
    // Received as long ago as it was written: a server that has purged nothing for years asks before it does.
    await temps.noterA(new Date('2019-05-29T12:00:00Z'));
    const { code, stdout } = await place.run(['purge', '--force', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ etat: 'reussie' })]);
    const { rows } = await place.pool.query(
      `SELECT c.nom, count(p.id)::int AS pieces FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
         LEFT JOIN piece_production p ON p.session_id = s.id GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual([
      { nom: 'DEM12', pieces: 0 },
      { nom: 'DEMALU', pieces: 2 },
    ]);
  });
});
