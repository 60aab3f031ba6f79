// The API with a real streaming replica behind DATABASE_READ_URL: what is read where, and what happens when it is
// behind, gone, promoted, or none of ours.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { DAY, type Env, type Installation } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { suivre } from '../harness/flux.ts';
import {
  POSTGRES_DEBIAN,
  type ReplicaDEssai,
  startDebianPostgres,
  startReplica,
} from '../harness/postgres-debian.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const JETON = 'jeton-des-mesures-0123456789abcdef';

describe.skipIf(POSTGRES_DEBIAN === undefined)('réplica en flux', () => {
  let principale: PrivatePostgres;
  let replica: ReplicaDEssai;
  /** before the replica: what happens to the network happens here */
  let proxy: ProxyDePanne;
  let place: Installation & { apiEnv: Env };
  let lu: Pool;
  let api: Serveur;
  let entete: Record<string, string>;

  beforeAll(async () => {
    principale = await startDebianPostgres();
    await migrateUrl(principale.url);
    replica = await startReplica(principale, { max_standby_streaming_delay: '200ms' });
    proxy = await ProxyDePanne.devant(replica.port);
    place = (await installerApi({ url: principale.url })) as typeof place;
    await place.write('DEM12/20250528.LOG', DAY);
    expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
    lu = createPool(replica.url, { logger: silentLogger(), max: 2 });
    api = await servir(place, {
      DATABASE_READ_URL: parProxy(),
      REPLICA_RETARD_MAX: '3',
      METRICS_JETON: JETON,
    });
    expect((await creerCompteHttp(api.url, 'chef')).status).toBe(201);
    entete = await api.entete('chef');
    expect(
      (
        await ecrire('POST', '/users/', {
          username: 'autre',
          email: 'autre@exemple.test',
          password: MOT_DE_PASSE,
        })
      ).status,
    ).toBe(201);
  }, 120_000);
  afterAll(async () => {
    proxy?.remettreAZero();
    proxy?.toutCouper();
    await replica?.remove();
    await principale?.remove();
    await api?.arreter();
    await lu?.end();
    await place?.close();
    await proxy?.fermer();
  });

  function parProxy(): string {
    const url = new URL(replica.url);
    url.port = String(proxy.port);
    return url.href;
  }
  const get = (path: string, headers = entete): Promise<Response> => fetch(api.url + path, { headers });
  const ecrire = (method: string, path: string, body: object): Promise<Response> =>
    fetch(api.url + path, {
      method,
      headers: { ...entete, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const noms = async (headers = entete): Promise<string[]> => {
    const answer = await get('/centres/?limit=1000', headers);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { nom: string }[]).map(({ nom }) => nom);
  };
  const etat = async (): Promise<string> => {
    const answer = await fetch(`${api.url}/health/ready`);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { replica: { etat: string } }).replica.etat;
  };
  const attendre = (voulu: string): Promise<unknown> =>
    vi.waitUntil(async () => (await etat()) === voulu, { timeout: 40_000, interval: 100 });
  const mesures = async (): Promise<string> =>
    await (await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${JETON}` } })).text();
  /** A centre that nobody's session put there: written past the API. */
  const ajouter = (nom: string): Promise<unknown> =>
    place.pool.query('INSERT INTO centre_usinage (nom) VALUES ($1)', [nom]);
  /** Requests of the API that the replica has had. */
  const bloquer = (): Promise<unknown> => lu.query('SELECT pg_wal_replay_pause()');
  const debloquer = (): Promise<unknown> => lu.query('SELECT pg_wal_replay_resume()');

  describe('il suit', () => {
    beforeEach(() => attendre('lu'));
    afterEach(debloquer);

    it('listes, chiffres et exports y sont lus, et rien d’autre', async () => {
      // What only the replica does not show yet, tells where an answer comes from.
      const autre = await api.entete('autre');
      await ajouter('avant');
      await vi.waitUntil(async () => (await noms(autre)).includes('avant'), { timeout: 20_000 });
      await bloquer();
      await ajouter('pendant');
      expect(await noms(autre)).not.toContain('pendant');
      expect(await (await get('/centres/?format=csv', autre)).text()).not.toContain('pendant');
      expect(await (await get('/stats/production-summary', autre)).text()).not.toContain('pendant');
      const { rows } = await place.pool.query(`SELECT id FROM centre_usinage WHERE nom = 'pendant'`);
      expect((await get(`/centres/${rows[0].id}`, autre)).status).toBe(200);
      await debloquer();
      await vi.waitUntil(async () => (await noms(autre)).includes('pendant'), { timeout: 20_000 });
    });

    it('qui écrit relit ce qu’il a écrit, aussitôt, avec l’ETag et le total qui vont avec', async () => {
      await bloquer();
      const made = await ecrire('POST', '/centres/', { nom: 'écrit', type_cu: 'PVC' });
      expect(made.status).toBe(201);
      const { id } = (await made.json()) as { id: number };
      const list = await get('/centres/?limit=1000');
      const rows = (await list.json()) as { id: number }[];
      expect(rows.map((row) => row.id)).toContain(id);
      expect(list.headers.get('x-total-count')).toBe(String(rows.length));
      const etag = (await get(`/centres/${id}`)).headers.get('etag');
      expect(etag).toBe(made.headers.get('etag'));
      expect((await get(`/centres/${id}`, { ...entete, 'if-none-match': etag! })).status).toBe(304);
      expect(await mesures()).toMatch(/atelier_replica_fallbacks_total\{reason="ecriture"\} [1-9]/);
    });

    it('un changement n’est annoncé que lorsque sa ligne peut être lue', async () => {
      const flux = await suivre(api.url, entete);
      expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
      await bloquer();
      await ajouter('annoncé');
      // Long enough for an announcement that nothing holds back.
      await sleep(600);
      expect(flux.recus()).toEqual([]);
      await debloquer();
      expect(await flux.jusqua(({ event }) => event === 'centres')).toMatchObject({
        data: { action: 'insert' },
      });
      expect(await noms(await api.entete('autre'))).toContain('annoncé');
      flux.fermer();
    });

    it('trop en retard : tout vient de la base principale, et l’annonce n’attend plus ; rattrapé : il sert de nouveau', async () => {
      const flux = await suivre(api.url, entete);
      expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
      await bloquer();
      await ajouter('tardif');
      await flux.jusqua(({ event }) => event === 'centres');
      expect(await etat()).toBe('en_retard');
      expect(await noms(await api.entete('autre'))).toContain('tardif');
      const page = await mesures();
      expect(page).toContain('atelier_replica_up{state="en_retard"} 0');
      expect(Number(/^atelier_replica_lag_seconds (\S+)$/m.exec(page)?.[1])).toBeGreaterThan(3);
      expect(Number(/^atelier_replica_lag_bytes (\S+)$/m.exec(page)?.[1])).toBeGreaterThan(0);
      await debloquer();
      await attendre('lu');
      expect(await noms(await api.entete('autre'))).toContain('tardif');
      expect(await mesures()).toContain('atelier_replica_up{state="lu"} 1');
      flux.fermer();
    });
  });

  it('absent, muet, revenu : jamais d’erreur, une seule ligne au journal', async () => {
    await attendre('lu');
    const before = api.running.text().length;
    const lectures = async (): Promise<void> => {
      const answers = await Promise.all(
        ['/sessions/', '/stats/production-summary', '/pieces-production/?format=csv', '/fichiers/'].map(
          (path) => get(path),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      for (const answer of answers) expect((await answer.text()).length).toBeGreaterThan(2);
    };
    await replica.stop('immediate');
    await lectures();
    await attendre('absent');
    await lectures();
    const { stdout } = await place.run(['doctor', '--json'], {
      env: { PORT: '0', SECRET_KEY: '', DATABASE_READ_URL: replica.url },
    });
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({
        quoi: 'Réplica',
        etat: 'attention',
        remede: expect.stringContaining('DATABASE_READ_URL'),
      }),
    );
    await replica.start();
    await attendre('lu');
    await lectures();
    // Connected and silent: reads that are under way are made again.
    proxy.remettreAZero({ trouNoirApres: 0 });
    await lectures();
    await attendre('absent');
    proxy.remettreAZero();
    proxy.toutCouper();
    await attendre('lu');
    await lectures();
    const said = api.running.text().slice(before);
    expect(said.match(/réplica écarté/g)).toHaveLength(2);
    expect(said).not.toContain('"level":"error"');
  }, 120_000);

  it('promu : il n’est plus lu, doctor et journal le disent ; son adresse à la place de l’ancienne : l’API y écrit', async () => {
    await attendre('lu');
    await lu.query('SELECT pg_promote()');
    await attendre('promu');
    await ajouter('après la promotion');
    expect(await noms()).toContain('après la promotion');
    const doctor = await place.run(['doctor', '--json'], {
      env: { PORT: '0', SECRET_KEY: '', DATABASE_READ_URL: replica.url },
    });
    expect(JSON.parse(doctor.stdout)).toContainEqual(
      expect.objectContaining({ quoi: 'Réplica', etat: 'mal', detail: expect.stringContaining('promu') }),
    );
    // The failover: the former main database is gone, both addresses lead to the promoted server.
    const second = await servir(place, { DATABASE_URL: replica.url, DATABASE_READ_URL: replica.url });
    await principale.stop('immediate');
    const headers = { ...(await second.entete('chef')), 'content-type': 'application/json' };
    const made = await fetch(`${second.url}/centres/`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ nom: 'basculé', type_cu: 'PVC' }),
    });
    expect(made.status).toBe(201);
    const list = await fetch(`${second.url}/centres/?limit=1000`, { headers });
    expect(await list.text()).toContain('basculé');
    expect((await second.arreter()).code).toBe(0);
  });
});
