// A hostile reader of exports: a client that asks for files and does not take them. What is asserted is that everyone
// else gets theirs.

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, type CompteDEssai, createApi } from '../harness/api.ts';
import { fill } from '../harness/exports.ts';
import { ecouterApp } from '../harness/flux.ts';
import { ConnexionBrute } from '../harness/raw-http.ts';

const ROWS = 40_000;
const PATH = '/pieces-production/?format=csv';
let api: ApiDEssai;
let base: string;
let admin: pg.Client;
let others: CompteDEssai[];
beforeAll(async () => {
  api = await createApi({ limites: { attenteExport: 20_000, debitExport: 32_768, fenetreExport: 500 } });
  base = await ecouterApp(api.app);
  admin = new pg.Client(api.url);
  await admin.connect();
  await fill(admin, ROWS, 704);
  others = await Promise.all(Array.from({ length: 4 }, (_, i) => api.compte(`lecteur-${i}`, 'lecteur')));
}, 60_000);
afterAll(async () => {
  await admin?.end();
  await api?.close();
});

/** An export that is read to its end: how many lines there were. */
async function lignes({ entete }: CompteDEssai, query = ''): Promise<number> {
  const answer = await fetch(base + PATH + query, { headers: entete });
  const text = await answer.text();
  expect([answer.status, answer.status === 200 ? '' : text]).toEqual([200, '']);
  return text.trimEnd().split('\n').length - 1;
}

/** Asks for an export and reads nothing of it. */
async function nePasLire({ entete }: CompteDEssai): Promise<ConnexionBrute> {
  const connexion = await ConnexionBrute.ouvrir(Number(new URL(base).port));
  connexion.socket.pause();
  connexion.ecrire(
    `GET ${PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${entete.authorization}\r\n\r\n`,
  );
  return connexion;
}

/** Connections that are busy with an export. */
async function enCours(): Promise<number> {
  const { rows } = await admin.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY %' AND state = 'active'`,
  );
  return rows[0]!.n;
}

describe('M3: exports that nobody reads', () => {
  it('one account has one at a time, however often it asks; others go on', async () => {
    const [greedy, other] = others as [CompteDEssai, CompteDEssai];
    await admin.query('BEGIN; LOCK TABLE piece_production IN ACCESS EXCLUSIVE MODE');
    const asked = Array.from({ length: 10 }, () =>
      fetch(`${base}${PATH}&limit=3`, { headers: greedy.entete }),
    );
    const theirs = lignes(other, '&limit=3');
    const waiting = async (): Promise<number> => {
      const { rows } = await api.deps.accesPool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows[0]!.n;
    };
    try {
      await expect.poll(waiting, { timeout: 20_000 }).toBe(2);
    } finally {
      await admin.query('ROLLBACK');
    }
    expect(await theirs).toBe(3);
    const answers = await Promise.all(asked);
    for (const answer of answers) {
      await answer.arrayBuffer();
      expect([200, 503]).toContain(answer.status);
      if (answer.status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(1);
  }, 60_000);

  it('whoever does not read is cut off, and all others have their files whole', async () => {
    const slow = await Promise.all(others.slice(0, 3).map(nePasLire));
    await expect.poll(enCours, { timeout: 20_000 }).toBe(3);
    // All places are taken by those who do not read: this one waits for its turn, and has it.
    expect(await lignes(others[3]!)).toBe(ROWS);
    expect(await lignes(api.comptes.gestionnaire)).toBe(ROWS);
    for (const connexion of slow) connexion.socket.resume();
    await expect.poll(() => slow.every(({ finie }) => finie), { timeout: 20_000 }).toBe(true);
    // What was cut cannot be taken for a whole file.
    for (const connexion of slow) expect(connexion.reste).not.toMatch(/\r\n0\r\n\r\n$/);
    await expect.poll(enCours, { timeout: 20_000 }).toBe(0);
  }, 60_000);

  it('a client that waits for the database is not blamed for it', async () => {
    const blocked = new pg.Client(api.url);
    await blocked.connect();
    await blocked.query('BEGIN; LOCK TABLE piece_production IN ACCESS EXCLUSIVE MODE');
    const file = lignes(others[0]!);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await blocked.query('ROLLBACK');
    await blocked.end();
    expect(await file).toBe(ROWS);
  }, 60_000);
});
