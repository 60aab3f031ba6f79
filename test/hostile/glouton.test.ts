// A hostile neighbour: an account that asks for more than its share. What is asserted is what the others see.

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { ask, linkOf, pointersOf, problemOf } from '../harness/api-requests.ts';
import { ecouterApp } from '../harness/flux.ts';

let api: ApiDEssai;
let base: string;
beforeAll(async () => {
  api = await createApi({ limites: { attentePart: 1_000, filePart: 30 } });
  base = await ecouterApp(api.app);
});
afterAll(() => api?.close());

/** Holds the table of centres: every read of it waits until it is let go, as if it were as long as that. */
async function tenir(): Promise<() => Promise<void>> {
  const client = new pg.Client(api.url);
  await client.connect();
  await client.query('BEGIN; LOCK TABLE centre_usinage IN ACCESS EXCLUSIVE MODE');
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}

const demander = async (path: string, headers: Record<string, string>): Promise<Response> => {
  const answer = await fetch(base + path, { headers });
  await answer.arrayBuffer();
  return answer;
};
const beaucoup = (n: number, headers: Record<string, string>): Promise<Response>[] =>
  Array.from({ length: n }, () => demander('/centres/', headers));
/** statements that wait for the table */
async function attendent(): Promise<number> {
  const { rows } = await api.deps.accesPool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]!.n;
}

describe('M1: one account’s long requests', () => {
  it('take half of the connections; others read, sign in and see health meanwhile; what is too much is a 503', async () => {
    const { entete } = await api.compte('glouton', 'lecteur');
    const release = await tenir();
    const asked = beaucoup(40, entete);
    try {
      await expect.poll(attendent, { timeout: 20_000 }).toBe(3);
      const other = api.comptes.lecteur.entete;
      for (const path of ['/sessions/', '/commandes-volets/', '/users/me'])
        expect([path, (await demander(path, other)).status]).toEqual([path, 200]);
      for (const path of ['/health', '/health/live', '/health/ready'])
        expect([path, (await demander(path, {})).status]).toEqual([path, 200]);
      await api.compte('voisin', 'lecteur');
      expect(await attendent()).toBe(3);
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await release();
    }
    const answers = await Promise.all(asked);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    for (const answer of answers)
      if (answer.status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    // Nothing is left over.
    for (const answer of await Promise.all(beaucoup(25, entete))) expect(answer.status).toBe(200);
  }, 60_000);

  it('a key has half of its account’s share, and its owner the rest', async () => {
    const { entete } = await api.compte('programmeur', 'lecteur');
    const made = await ask(api, 'POST', '/cles/', {
      headers: entete,
      payload: {
        nom: 'essai',
        portees: ['centres:lire', 'sessions:lire'],
        date_fin: new Date(Date.now() + 86_400_000).toISOString(),
      },
    });
    const { cle } = made.json<{ cle: string }>();
    const release = await tenir();
    const asked = beaucoup(10, { authorization: `Bearer ${cle}` });
    try {
      await expect.poll(attendent, { timeout: 20_000 }).toBe(2);
      expect((await demander('/sessions/', entete)).status).toBe(200);
    } finally {
      await release();
    }
    for (const answer of await Promise.all(asked)) expect([200, 503]).toContain(answer.status);
  }, 60_000);

  it('whoever goes away while it waits gives its place back', async () => {
    const { entete } = await api.compte('presse', 'lecteur');
    const release = await tenir();
    const abort = new AbortController();
    const left = Array.from({ length: 20 }, () =>
      fetch(`${base}/centres/`, { headers: entete, signal: abort.signal }).catch(() => undefined),
    );
    await expect.poll(attendent, { timeout: 20_000 }).toBe(3);
    abort.abort();
    await Promise.all(left);
    await release();
    await expect
      .poll(async () => (await Promise.all(beaucoup(20, entete))).every(({ status }) => status === 200), {
        timeout: 20_000,
      })
      .toBe(true);
  }, 60_000);

  it('all connections busy with everybody’s: 503 with Retry-After, never 500; health and sign-in stay', async () => {
    const people = await Promise.all(
      Array.from({ length: 4 }, (_, i) => api.compte(`foule-${i}-${randomUUID().slice(0, 8)}`, 'lecteur')),
    );
    const release = await tenir();
    const asked = people.flatMap(({ entete }) => beaucoup(3, entete));
    try {
      await expect.poll(attendent, { timeout: 20_000 }).toBe(6);
      expect((await demander('/health', {})).status).toBe(200);
      expect((await demander('/health/ready', {})).status).toBe(200);
      const { username } = people[0]!;
      const token = await fetch(`${base}/token`, {
        method: 'POST',
        body: new URLSearchParams({ username, password: 'pas le bon' }),
      });
      expect(token.status).toBe(401);
      // The pool gives up after ten seconds.
      const answer = await fetch(`${base}/sessions/`, { headers: api.comptes.admin.entete });
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.headers.get('content-type')).toMatch(/problem\+json/);
    } finally {
      await release();
    }
    for (const answer of await Promise.all(asked)) expect([200, 503]).toContain(answer.status);
  }, 60_000);
});

describe('M1: deep pages', () => {
  it('skip ends at 100,000, and says what reads further', async () => {
    const as = api.comptes.lecteur;
    expect((await ask(api, 'GET', '/pieces-production/?skip=100000', { as })).statusCode).toBe(200);
    const answer = await ask(api, 'GET', '/pieces-production/?skip=100001', { as });
    expect(pointersOf(problemOf(answer, 422))).toEqual(['/query/skip']);
    expect(problemOf(answer, 422).detail).toMatch(/100000.*cursor.*X-Next-Cursor/);
    const csv = await ask(api, 'GET', '/pieces-production/?skip=100001&format=csv', { as });
    expect(csv.statusCode).toBe(422);
  });

  it('Link leads on past it, by the cursor', async () => {
    const as = api.comptes.lecteur;
    await api.pool.query(
      `INSERT INTO centre_usinage (nom) SELECT 'PROFOND' || i FROM generate_series(1, 100300) i`,
    );
    const deepest = await ask(api, 'GET', '/centres/?skip=100000&limit=100', { as });
    expect(deepest.json()).toHaveLength(100);
    const next = linkOf(deepest, 'next')!;
    expect(next).toMatch(/cursor=/);
    expect(next).not.toMatch(/skip=/);
    const after = await ask(api, 'GET', next, { as });
    const ids = (answer: typeof after): number[] => answer.json<{ id: number }[]>().map(({ id }) => id);
    expect(Math.min(...ids(after))).toBeGreaterThan(Math.max(...ids(deepest)));
  });
});
