// `POST /executions/` and `GET /planification/`: asking for a run, and when the next ones are.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { executionLue } from '../../src/api/schemas/executions.ts';
import { tachePlanifiee } from '../../src/api/schemas/planification.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { startWorker, untilRow } from '../harness/worker.ts';

let api: ApiDEssai;
beforeAll(async () => {
  api = await createApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.pool.query('DELETE FROM pgboss.job; DELETE FROM execution; DELETE FROM planification');
});

const post = (payload: unknown, role: 'admin' | 'gestionnaire' = 'admin') =>
  api.app.inject({
    method: 'POST',
    url: '/executions/',
    headers: api.comptes[role].entete,
    payload: payload as object,
  });
const get = async (url: string) =>
  (await api.app.inject({ url, headers: api.comptes.lecteur.entete })).json();

test('202 with where to follow it; a worker takes it; the admin who asked is in the audit log, not in the answer', async () => {
  const answer = await post({ tache: 'ingest', options: { centre: 'DEM12' } });
  expect([answer.statusCode, answer.headers['cache-control']]).toEqual([202, 'no-store']);
  const run = z.strictObject(executionLue.shape).parse(answer.json());
  expect(answer.headers.location).toBe(`/executions/${run.id}`);
  expect(run).toMatchObject({
    tache: 'ingest',
    etat: 'en_attente',
    declencheur: 'demande',
    fin: null,
    tentative: 1,
  });
  expect(answer.body).not.toContain(api.comptes.admin.id);
  const { rows: audit } = await api.pool.query(
    `SELECT user_id, cible, details FROM journal_audit WHERE evenement = 'execution_demandee'`,
  );
  expect(audit).toEqual([
    {
      user_id: api.comptes.admin.id,
      cible: `executions/${run.id}`,
      details: { tache: 'ingest', options: { centre: 'DEM12' } },
    },
  ]);
  const seen: unknown[] = [];
  const worker = startWorker({ url: api.url }, [
    {
      nom: 'ingest',
      executer: async ({ options }) => {
        seen.push(options);
        return { etat: 'reussie', compteurs: { fichiersLus: 3 } };
      },
    },
  ]);
  try {
    await untilRow(api.pool, `SELECT 1 FROM pgboss.job WHERE state = 'completed'`);
  } finally {
    await worker.arreter();
  }
  expect(seen).toEqual([{ centre: 'DEM12' }]);
  expect(await get(String(answer.headers.location))).toMatchObject({
    etat: 'reussie',
    compteurs: { fichiersLus: 3 },
    travail: run.travail,
  });
  expect(await get(`/executions/?travail=${run.travail}`)).toHaveLength(1);
  expect(await get('/executions/?declencheur=planifie')).toEqual([]);
  const { rows } = await api.pool.query('SELECT demandeur FROM execution');
  expect(rows).toEqual([{ demandeur: api.comptes.admin.id }]);
});

test('S25: repeated while it waits, it is the same run; other options are a conflict', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => post({ tache: 'sync' })));
  expect(all.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202, 202, 202]);
  expect(new Set(all.map(({ headers }) => headers.location)).size).toBe(1);
  expect((await post({ tache: 'sync', options: {} })).statusCode).toBe(202);
  const other = await post({ tache: 'sync', options: { force: true } });
  expect([other.statusCode, other.headers.location]).toEqual([409, undefined]);
  expect((await post({ tache: 'purge' })).statusCode).toBe(202);
  expect(await get('/executions/')).toHaveLength(2);
  const { rows } = await api.pool.query(`SELECT count(*) AS n FROM pgboss.job`);
  expect(rows[0].n).toBe(2);
});

test.each<[unknown, string]>([
  [{}, '/body/tache'],
  [{ tache: 'rm' }, '/body/tache'],
  [{ tache: 'ingest', options: { force: true } }, '/body/options/force'],
  [{ tache: 'sync', options: { centre: 'DEM12' } }, '/body/options/centre'],
  [{ tache: 'ingest', options: { centre: 'a\u0000' } }, '/body/options/centre'],
  [{ tache: 'ingest', options: { centre: 'DEM21' } }, '/body/options/centre'],
  [{ tache: 'purge', options: { aBlanc: true } }, '/body/options'],
  [{ tache: 'sync', quand: 'demain' }, '/body'],
])('S20: %j is refused by name, and nothing is queued', async (body, pointer) => {
  const answer = await post(body);
  expect(answer.statusCode).toBe(422);
  expect(
    answer
      .json()
      .errors.map((e: { pointer: string }) => e.pointer)
      .join(),
  ).toContain(pointer);
  expect(await get('/executions/')).toEqual([]);
});

test('S12: only an admin asks', async () => {
  expect((await post({ tache: 'sync' }, 'gestionnaire')).statusCode).toBe(403);
});

test('the schedule: all tasks, what waits, what came last', async () => {
  await post({ tache: 'sync' });
  await api.pool.query(
    `INSERT INTO planification (tache, horaire, fuseau, derniere_echeance, prochaine_echeance, echeances_manquees)
     VALUES ('ingest', '11:00', 'Europe/Paris', '2026-07-01T09:00:00Z', '2026-07-02T09:00:00Z', 2)`,
  );
  await api.pool.query(
    `INSERT INTO execution (tache, etat, debut, fin, hote, processus, declencheur, echeance, erreur) VALUES
       ('ingest', 'reussie', '2026-06-30T09:00:00Z', '2026-06-30T09:01:00Z', 'h', 1, 'planifie', '2026-06-30T09:00:00Z', NULL),
       ('ingest', 'echouee', '2026-07-01T09:00:00Z', '2026-07-01T09:01:00Z', 'h', 1, 'planifie', '2026-07-01T09:00:00Z', 'disque plein')`,
  );
  const taches = z.array(z.strictObject(tachePlanifiee.shape)).parse(await get('/planification/'));
  expect(taches.map(({ tache }) => tache)).toEqual(['ingest', 'sync', 'purge', 'sauvegarde']);
  expect(taches[0]).toMatchObject({
    horaire: '11:00',
    prochaine_echeance: '2026-07-02T11:00:00+02:00',
    echeances_manquees: 2,
    dernier_passage: { etat: 'echouee', debut: '2026-07-01T11:00:00+02:00', erreur: 'disque plein' },
    derniere_reussite: '2026-06-30T11:01:00+02:00',
  });
  expect(taches[1]).toMatchObject({
    horaire: null,
    prochaine_echeance: null,
    en_attente: 1,
    dernier_passage: null,
  });
});
