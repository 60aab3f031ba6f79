// The API behind Debian's PgBouncer in transaction mode, where two statements in a row are rarely on one connection.

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createApiPool, type Pool, transaction, withClient } from '../../src/postgres/pool.ts';
import { DAY, type Installation } from '../harness/cli.ts';
import { suivre } from '../harness/flux.ts';
import { PGBOUNCER, type PgBouncerDEssai, startPgBouncer } from '../harness/postgres-debian.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

describe.skipIf(PGBOUNCER === undefined)('PgBouncer en mode transaction', () => {
  let place: Installation & { apiEnv: Record<string, string> };
  let bouncer: PgBouncerDEssai;
  let par: string;
  beforeAll(async () => {
    place = (await installerApi()) as typeof place;
    bouncer = await startPgBouncer(place, { connexions: 2 });
    par = bouncer.par(place.url);
    await place.write('DEM12/20250528.LOG', DAY);
    expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await bouncer?.arreter();
    await place?.close();
  });

  describe('réserve de connexions de l’API', () => {
    let pool: Pool;
    beforeAll(() => {
      pool = createApiPool(par, {
        logger: silentLogger(),
        max: 8,
        fuseau: 'Asia/Katmandu',
        partageable: true,
      });
    });
    afterAll(() => pool.end());

    it('zone, durée et JIT valent pour chaque requête, quoi que d’autres laissent derrière eux', async () => {
      // A neighbour of the same pool leaves every connection to the server otherwise than it found it.
      const voisins = Array.from({ length: 2 }, () => new pg.Client({ connectionString: par }));
      for (const voisin of voisins) await voisin.connect();
      for (const voisin of voisins) await voisin.query('BEGIN');
      for (const voisin of voisins)
        await voisin.query(`SET statement_timeout = '1min'; SET TimeZone = 'America/Lima'; SET jit = on`);
      for (const voisin of voisins) await voisin.query('COMMIT');
      const sql = `SELECT current_setting('TimeZone') AS zone, current_setting('statement_timeout') AS duree,
                          current_setting('jit') AS jit, pg_sleep(0.02)`;
      const voulu = { zone: 'Asia/Katmandu', duree: '30s', jit: 'off' };
      const seules = await Promise.all(Array.from({ length: 24 }, () => pool.query(sql)));
      for (const { rows } of seules) expect(rows).toMatchObject([voulu]);
      const ensemble = await withClient(pool, (client) => transaction(client, () => client.query(sql)));
      expect(ensemble.rows).toMatchObject([voulu]);
      for (const voisin of voisins) await voisin.end();
    });

    it('une requête nommée n’est préparée nulle part', async () => {
      const lots = Array.from({ length: 24 }, (_, i) =>
        pool.query({ name: 'lecture_essai', text: 'SELECT $1::int + 1 AS n, pg_sleep(0.01)', values: [i] }),
      );
      expect((await Promise.all(lots)).map(({ rows }) => rows[0].n)).toEqual(lots.map((_, i) => i + 1));
      const { rows } = await pool.query('SELECT count(*)::int AS n FROM pg_prepared_statements');
      expect(rows).toEqual([{ n: 0 }]);
    });

    it('une requête refusée n’en gâte pas d’autre, et ce qui est refusé au COMMIT l’est pour de bon', async () => {
      await expect(pool.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
      await pool.query(
        'CREATE TABLE differe (n int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO differe VALUES (1)',
      );
      await expect(pool.query('INSERT INTO differe VALUES (1)')).rejects.toMatchObject({ code: '23505' });
      await withClient(pool, async (client) => {
        await expect(
          transaction(client, async () => {
            await client.query('INSERT INTO differe VALUES (2)');
            await client.query('SELECT 1 / 0');
          }),
        ).rejects.toMatchObject({ code: '22012' });
        expect((await client.query('SELECT n FROM differe')).rows).toEqual([{ n: 1 }]);
      });
      await pool.query('DROP TABLE differe');
    });
  });

  describe('l’API', () => {
    let api: Serveur;
    let entete: Record<string, string>;
    beforeAll(async () => {
      api = await servir(place, { DATABASE_API_URL: par });
      expect((await creerCompteHttp(api.url, 'chef')).status).toBe(201);
      entete = await api.entete('chef');
    });
    afterAll(async () => {
      expect((await api.arreter()).code).toBe(0);
    });
    const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> => {
      const answer = await fetch(api.url + path, { headers: { ...entete, ...headers } });
      expect([path, answer.status]).toEqual([path, 200]);
      return answer;
    };

    it('répond comme sans lui, beaucoup de requêtes à la fois aussi', async () => {
      const directe = await servir(place);
      const paths = [
        '/sessions/',
        '/pieces-production/?limit=1',
        '/pieces-production/?date_debut=2025-05-28&date_fin=2025-05-28',
        '/sessions/1?inclure=pieces_production',
        '/sessions/1/explication',
        '/stats/production-summary',
        '/fichiers/',
        '/centres/1',
        '/executions/',
        '/planification/',
        '/pieces-production/?format=csv',
        '/users/me',
      ];
      const there = await directe.entete('chef');
      for (const path of paths) {
        const expected = await fetch(directe.url + path, { headers: there });
        const answers = await Promise.all(
          // As many exports at once as the pooler has connections: each needs one more for its line of the audit.
          Array.from({ length: path.includes('format=csv') ? 2 : 6 }, async () => {
            const answer = await fetch(api.url + path, { headers: entete });
            return [path, answer.status, answer.headers.get('etag'), await answer.text()];
          }),
        );
        const wanted = [path, expected.status, expected.headers.get('etag'), await expected.text()];
        expect(wanted.slice(0, 2)).toEqual([path, 200]);
        for (const answer of answers) expect(answer).toEqual(wanted);
      }
      expect((await directe.arreter()).code).toBe(0);
    });

    it('un curseur se suit jusqu’au bout', async () => {
      const seen: number[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page = await get(
          `/pieces-production/?limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        seen.push(...((await page.json()) as { id: number }[]).map(({ id }) => id));
        cursor = page.headers.get('x-next-cursor');
      }
      expect(seen).toHaveLength(2);
      expect(new Set(seen).size).toBe(2);
    });

    it('les changements sont annoncés : l’écoute va droit au serveur', async () => {
      const flux = await suivre(api.url, entete);
      expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
      const made = await fetch(`${api.url}/centres/`, {
        method: 'POST',
        headers: { ...entete, 'content-type': 'application/json' },
        body: JSON.stringify({ nom: 'Neuf', type_cu: 'PVC' }),
      });
      expect([made.status, await made.clone().text()]).toEqual([201, expect.stringContaining('Neuf')]);
      const { id } = (await made.json()) as { id: number };
      expect(await flux.jusqua(({ event }) => event === 'centres')).toMatchObject({ data: { ids: [id] } });
      flux.fermer();
    });

    it('deux qui écrivent sur une lecture : la seconde reçoit 412', async () => {
      const etag = (await get('/centres/1')).headers.get('etag')!;
      const put = async (type_cu: string): Promise<number> =>
        (
          await fetch(`${api.url}/centres/1`, {
            method: 'PUT',
            headers: { ...entete, 'content-type': 'application/json', 'if-match': etag },
            body: JSON.stringify({ type_cu }),
          })
        ).status;
      const codes = await Promise.all(['ALU', 'HYBRIDE', 'BOIS'].map(put));
      expect(codes.sort()).toEqual([200, 412, 412]);
    });
  });

  describe('où il ne faut pas de pooler', () => {
    it.each([['serve'], ['worker'], ['backup']])(
      '%s : DATABASE_URL y mène, dit et rien de commencé',
      async (command) => {
        const { code, stderr } = await place.run([command], {
          env: { ...place.apiEnv, DATABASE_URL: par },
        });
        expect([code, stderr]).toEqual([1, expect.stringContaining('[ATL_D306]')]);
        expect(stderr).toContain('celle de PgBouncer va dans DATABASE_API_URL');
      },
    );

    it('ignore_startup_parameters n’y change rien', async () => {
      const muet = await startPgBouncer(place, {
        reglages:
          'ignore_startup_parameters = options, statement_timeout, idle_in_transaction_session_timeout',
      });
      const { code, stderr } = await place.run(['worker'], { env: { DATABASE_URL: muet.par(place.url) } });
      await muet.arreter();
      expect([code, stderr]).toEqual([1, expect.stringContaining('[ATL_D306]')]);
    });

    it('doctor : le dit, et dit de DATABASE_API_URL ce qui ne va pas', async () => {
      const doctor = async (env: Record<string, string>): Promise<Record<string, unknown>[]> => {
        const { stdout } = await place.run(['doctor', '--json'], {
          env: { PORT: '0', SECRET_KEY: '', ...env },
        });
        return JSON.parse(stdout) as Record<string, unknown>[];
      };
      expect(await doctor({ DATABASE_URL: par })).toContainEqual(
        expect.objectContaining({
          quoi: 'PostgreSQL',
          etat: 'mal',
          detail: expect.stringContaining('pooler'),
        }),
      );
      expect(await doctor({ DATABASE_API_URL: par })).toContainEqual(
        expect.objectContaining({ quoi: 'Pooler', etat: 'bien' }),
      );
      expect(await doctor({ DATABASE_API_URL: place.url })).toContainEqual(
        expect.objectContaining({
          quoi: 'Pooler',
          etat: 'attention',
          remede: expect.stringContaining('Videz'),
        }),
      );
      const other = new URL(par);
      other.pathname = '/atelier';
      expect(await doctor({ DATABASE_API_URL: other.href })).toContainEqual(
        expect.objectContaining({
          quoi: 'Pooler',
          etat: 'mal',
          detail: expect.stringContaining('autre base'),
        }),
      );
      const { code, stderr } = await place.run(['serve'], {
        env: { ...place.apiEnv, DATABASE_API_URL: other.href },
      });
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining('DATABASE_API_URL : ce pooler mène à une autre base'),
      ]);
    });
  });
});
