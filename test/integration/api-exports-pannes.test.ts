// Exports that something happens to: complete or an error, never silently cut, and nothing left behind.

import type { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../src/base/logger.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Pool } from '../../src/postgres/pool.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { migrateUrl } from '../harness/context.ts';
import { readCsv } from '../harness/csv.ts';
import { fill } from '../harness/exports.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { readXlsx } from '../harness/xlsx.ts';

/** 30 MB as CSV: far more than sockets and streams hold on the way. */
const ROWS = 40_000;
const WIDTH = 704;

let database: TestDatabase;
let admin: pg.Client;
let proxy: ProxyDePanne;
let api: ApiDEssai;
let url: string;
let logged: string[];
/** what happens after the statement that counts, and what it counted */
let afterCount: ((count: { nombre: number }) => Promise<void>) | undefined;

beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await fill(admin, ROWS, WIDTH);
  const { port, hostname } = new URL(database.url);
  proxy = await ProxyDePanne.devant(Number(port), hostname);
  const through = new URL(database.url);
  through.hostname = '127.0.0.1';
  through.port = String(proxy.port);
  logged = [];
  api = await createApi({
    url: through.href,
    logger: recorder(),
    limites: { attenteExport: 3_000 },
    changer: (deps) => ({ ...deps, readPool: watched(deps.pool) }),
  });
  url = await api.app.listen({ port: 0 });
});
afterAll(async () => {
  await api?.close();
  await proxy?.fermer();
  await admin?.end();
  await database?.drop();
});
beforeEach(() => {
  proxy.remettreAZero();
  logged.length = 0;
  afterCount = undefined;
});

/** A logger that keeps what is an error. */
function recorder(): Logger {
  const logger = silentLogger();
  const own = Object.create(logger) as { error: Logger['error']; child: () => unknown };
  own.error = ((_: unknown, text: string) => void logged.push(text)) as Logger['error'];
  own.child = () => own;
  return own as unknown as Logger;
}

/** The same connections; `afterCount` may act between the count of an export and its rows. */
function watched(pool: Pool): Pool {
  const patched = new WeakSet<object>();
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    if (patched.has(client)) return client;
    patched.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const answer = query(...args);
      if (typeof args[0] !== 'string' || !args[0].startsWith('SELECT count(*)')) return answer;
      return (answer as Promise<pg.QueryResult<{ nombre: number }>>).then(async (result) => {
        await afterCount?.(result.rows[0]!);
        return result;
      });
    }) as typeof client.query;
    return client;
  };
  return new Proxy(pool, {
    get: (target, name) => {
      if (name === 'connect') return connect;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const FORMS = ['csv', 'csv, gzip', 'xlsx'] as const;
type Form = (typeof FORMS)[number];

function ask(form: Form, init: RequestInit = {}, query = '', who = api.comptes.lecteur): Promise<Response> {
  const [format, coding = 'identity'] = form.split(', ');
  return fetch(`${url}/pieces-production/?format=${format}${query}`, {
    ...init,
    headers: { ...who.entete, 'accept-encoding': coding },
  });
}

/** Reads an answer to its end, which must be an error; how many bytes came before it. */
async function readBroken(answer: Response): Promise<number> {
  let bytes = 0;
  const read = async (): Promise<void> => {
    for await (const piece of answer.body! as unknown as Readable) bytes += (piece as Uint8Array).length;
  };
  await expect(read()).rejects.toThrow();
  return bytes;
}

/** Nobody reads for an export any more, here and in the database. */
async function freed(): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query(
        `SELECT query FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
      );
      expect(rows).toEqual([]);
      expect(api.pool.totalCount - api.pool.idleCount).toBe(0);
    },
    { timeout: 20_000, interval: 50 },
  );
}

/** Exports go well: nothing of the one before is in their way. */
async function worksAgain(): Promise<void> {
  await freed();
  await vi.waitFor(
    async () => {
      // Both places for exports are free, or will be in a moment.
      const answers = await Promise.all([ask('csv', {}, '&limit=10'), ask('xlsx', {}, '&limit=10')]);
      const bodies = await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(readCsv(Buffer.from(bodies[0]!).toString(), ',')).toHaveLength(11);
      expect(readXlsx(Buffer.from(bodies[1]!)).rows).toHaveLength(11);
    },
    { timeout: 20_000, interval: 100 },
  );
}

describe('PostgreSQL goes away in the middle: the client sees an error, never an end', () => {
  it.each(FORMS)('%s: the connection is reset', async (form) => {
    const { bytes: whole } = await everything(form);
    // Each connection counts its own bytes: this one is to be new.
    proxy.toutCouper();
    await vi.waitFor(() => expect(api.pool.totalCount).toBe(0));
    proxy.remettreAZero({ couperApres: 12_000_000 });
    const answer = await ask(form);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-total-count')).toBe(String(ROWS));
    const bytes = await readBroken(answer);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(whole);
    await vi.waitFor(() => expect(logged).toContain('export coupé avant sa fin'));
    proxy.remettreAZero();
    await worksAgain();
  });

  it.each(FORMS)('%s: the server ends the connection in good order', async (form) => {
    const answer = await ask(form);
    const reader = answer.body!.getReader();
    expect((await reader.read()).done).toBe(false);
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    const drain = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await expect(drain()).rejects.toThrow();
    await vi.waitFor(() => expect(logged).toContain('export coupé avant sa fin'));
    await worksAgain();
  });

  it.each(FORMS)('%s: before the first byte it is a problem', async (form) => {
    afterCount = async () => {
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    };
    const answer = await ask(form);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.headers.get('content-disposition')).toBeNull();
    expect(((await answer.json()) as { status: number }).status).toBe(503);
    afterCount = undefined;
    await worksAgain();
  });

  it('fewer rows than were counted is an error too, although all came in good order', async () => {
    for (const form of FORMS) {
      afterCount = async (count) => {
        count.nombre++;
      };
      await readBroken(await ask(form));
    }
    afterCount = undefined;
    await worksAgain();
  });

  async function everything(form: Form): Promise<{ bytes: number }> {
    const answer = await ask(form);
    return { bytes: (await answer.arrayBuffer()).byteLength };
  }
});

describe('the client goes away', () => {
  it.each(FORMS)('%s: in the middle: the statement ends and the connection is free', async (form) => {
    for (let i = 0; i < 3; i++) {
      const gone = new AbortController();
      const answer = await ask(form, { signal: gone.signal });
      await answer.body!.getReader().read();
      gone.abort();
    }
    await worksAgain();
    expect(logged).toEqual([]);
  });

  it('while PostgreSQL has not answered yet: the statement is cancelled', async () => {
    const gone = new AbortController();
    await locked(async () => {
      const answer = ask('csv', { signal: gone.signal });
      await waiting(1);
      gone.abort();
      await expect(answer).rejects.toThrow();
      // The lock is still held: only a cancel ends a statement that waits for it.
      await waiting(0);
    });
    await worksAgain();
    expect(logged).toEqual([]);
  });
});

describe('many exports at once', () => {
  it('three people’s run, others are told to come back; afterwards there is room again', async () => {
    const { admin: chef, gestionnaire, lecteur } = api.comptes;
    const fourth = await api.compte('quatrieme', 'lecteur');
    await locked(async () => {
      const three = [
        ask('csv', {}, '&limit=5', chef),
        ask('xlsx', {}, '&limit=5', gestionnaire),
        ask('csv', {}, '&limit=5', lecteur),
      ];
      await waiting(3);
      for (const [who, why] of [
        [fourth, 'autres exports'],
        [lecteur, 'autre export de ce compte'],
      ] as const) {
        const refused = await ask('csv', {}, '', who);
        expect(refused.status).toBe(503);
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(((await refused.json()) as { detail: string }).detail).toContain(why);
      }
      // Other reads are not in their way.
      const list = await fetch(`${url}/centres/`, { headers: api.comptes.lecteur.entete });
      expect(list.status).toBe(200);
      await admin.query('ROLLBACK');
      expect((await Promise.all(three)).map(({ status }) => status)).toEqual([200, 200, 200]);
      for (const answer of await Promise.all(three)) await answer.arrayBuffer();
    });
    await worksAgain();
  });
});

describe('one view of the data, whatever is written meanwhile', () => {
  it.each(['csv', 'xlsx'] as const)('%s', async (form) => {
    await admin.query('CREATE TABLE gardees AS SELECT * FROM piece_production WHERE numero_piece <= 5000');
    try {
      afterCount = async () => {
        await admin.query(
          "UPDATE piece_production SET details = 'changée' WHERE numero_piece % 2 = 0 AND numero_piece <= 5000",
        );
        await admin.query('DELETE FROM piece_production WHERE numero_piece % 3 = 0 AND numero_piece <= 5000');
      };
      const answer = await ask(form, {}, '&date_fin=2025-05-28T07:23:20%2B02:00');
      const bytes = Buffer.from(await answer.arrayBuffer());
      const rows = form === 'csv' ? readCsv(bytes.toString(), ',') : readXlsx(bytes).rows;
      expect(rows).toHaveLength(5001);
      expect(answer.headers.get('x-total-count')).toBe('5000');
      expect(rows.filter((row) => row[4] === 'changée')).toEqual([]);
      const { rowCount } = await admin.query("SELECT FROM piece_production WHERE details = 'changée'");
      expect(rowCount).toBeGreaterThan(0);
    } finally {
      await admin.query('DELETE FROM piece_production WHERE numero_piece <= 5000');
      await admin.query('INSERT INTO piece_production SELECT * FROM gardees');
      await admin.query('DROP TABLE gardees');
    }
  });
});

describe('limits', () => {
  it('more rows than a sheet has: 422 that says what to do, before the first byte', async () => {
    afterCount = async (count) => {
      count.nombre = 1_048_576;
    };
    const answer = await ask('xlsx');
    expect(answer.status).toBe(422);
    expect(((await answer.json()) as { detail: string }).detail).toContain('format=csv');
    expect((await ask('csv', { method: 'HEAD' })).headers.get('x-total-count')).toBe('1048576');
    afterCount = undefined;
    await worksAgain();
  });
});

/** Nobody reads the pieces while `work` runs. */
async function locked(work: () => Promise<void>): Promise<void> {
  await admin.query('BEGIN');
  try {
    await admin.query('LOCK TABLE piece_production IN ACCESS EXCLUSIVE MODE');
    await work();
  } finally {
    await admin.query('ROLLBACK');
  }
}

/** So many statements wait for a lock. */
async function waiting(count: number): Promise<void> {
  const watcher = new pg.Client({ connectionString: database.url });
  await watcher.connect();
  try {
    await vi.waitFor(
      async () => {
        const { rowCount } = await watcher.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        expect(rowCount).toBe(count);
      },
      { timeout: 20_000, interval: 50 },
    );
  } finally {
    await watcher.end();
  }
}
