import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest } from '../../src/jobs/ingest.ts';
import { mergeCommandes, stageCommandes } from '../../src/postgres/commandes.ts';
import { revoquerCle } from '../../src/postgres/comptes/cles.ts';
import { modifierCompte, supprimerCompte } from '../../src/postgres/comptes/users.ts';
import { transaction, withClient } from '../../src/postgres/pool.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { DAY } from '../harness/cli.ts';
import { makeContext } from '../harness/context.ts';
import { type EvenementRecu, ecouterApp, type Flux, suivre } from '../harness/flux.ts';

let api: ApiDEssai;
let base: string;
const opened: Flux[] = [];

beforeAll(async () => {
  api = await createApi({ limitesFlux: { battement: 100 } });
  base = await ecouterApp(api.app);
});
afterAll(async () => {
  for (const flux of opened) flux.fermer();
  await api?.close();
});

/** A stream whose first event has come: from here on nothing is missed. */
async function ouvrir(
  headers: Record<string, string> = api.comptes.lecteur.entete,
  query = '',
): Promise<Flux> {
  const flux = await suivre(base, headers, query);
  opened.push(flux);
  expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
  return flux;
}

/** Announces something that no test changes, and waits until it is heard: what came before it, came before. */
async function marque(flux: Flux): Promise<Omit<EvenementRecu, 'id'>[]> {
  const number = marks++;
  await api.pool.query(`SELECT pg_notify('atelier', $1)`, [
    JSON.stringify({ table: 'execution', action: 'delete', ids: [number], nombre: 1 }),
  ]);
  const heard: Omit<EvenementRecu, 'id'>[] = [];
  for (;;) {
    const event = await flux.suivant();
    if (event === undefined) throw new Error('the stream ended');
    const { event: name, data } = event;
    if (name === 'executions' && data['action'] === 'delete') {
      if ((data['ids'] as number[]).includes(number)) return heard;
    } else heard.push({ event: name, data });
  }
}
let marks = 1;

/** What a change makes clients hear. */
async function entendu(change: () => Promise<unknown>): Promise<Omit<EvenementRecu, 'id'>[]> {
  const flux = await ouvrir();
  await marque(flux);
  await change();
  const heard = await marque(flux);
  flux.fermer();
  return heard;
}

async function session(day: string): Promise<{ centre: number; id: number }> {
  const centre = await api.pool.query<{ id: number }>(
    `INSERT INTO centre_usinage (nom) VALUES ($1) RETURNING id`,
    [`C${day}`],
  );
  const made = await api.pool.query<{ id: number }>(
    `INSERT INTO session_production (centre_usinage_id, date_production) VALUES ($1, $2) RETURNING id`,
    [centre.rows[0]!.id, day],
  );
  return { centre: centre.rows[0]!.id, id: made.rows[0]!.id };
}

const ids = async (sql: string): Promise<number[]> =>
  (await api.pool.query<{ id: number }>(sql)).rows.map((row) => row.id);

describe('what is heard', () => {
  it('an import: centre, files, sessions and run, by their ids', async () => {
    const home = await mkdtemp(join(tmpdir(), 'atelier-flux-'));
    const logs = join(home, 'logs');
    await mkdir(join(logs, 'DEM12'), { recursive: true });
    await writeFile(join(logs, 'DEM12', '20250528.LOG'), DAY);
    const context = makeContext({ url: api.url, logs, archives: join(home, 'archives') });
    const heard = await entendu(() => ingest(context));
    const [sessions, fichiers, centres] = await Promise.all([
      ids(`SELECT id FROM session_production WHERE origine = 'log'`),
      ids('SELECT id FROM fichier_log'),
      ids(`SELECT id FROM centre_usinage WHERE nom = 'DEM12'`),
    ]);
    expect(sessions).toHaveLength(1);
    expect(heard).toContainEqual({ event: 'centres', data: { action: 'insert', ids: centres, nombre: 1 } });
    expect(heard).toContainEqual({ event: 'fichiers', data: { action: 'insert', ids: fichiers, nombre: 1 } });
    expect(heard).toContainEqual({ event: 'sessions', data: { action: 'insert', ids: sessions, nombre: 1 } });
    expect(heard.filter(({ event }) => event === 'executions').length).toBeGreaterThan(0);
    // Its details were written by the transaction that wrote it: that it is there has been said.
    expect(heard.filter(({ event, data }) => event === 'sessions' && data['action'] === 'update')).toEqual(
      [],
    );

    // An import that finds nothing new changes no session.
    const again = await entendu(() => ingest(context));
    expect(again.filter(({ event }) => event === 'sessions')).toEqual([]);

    // A profile after the last piece changes no figure of the session, but a detail of it: that is said, and once, though
    // the session's row gets another mark for whoever remembers what it wrote (decision 22).
    await writeFile(
      join(logs, 'DEM12', '20250528.LOG'),
      `${DAY}20250528 08:30:00|@JobProfiel: R:1 L:2 C:3\r\n`,
    );
    const figures = `SELECT s.* FROM session_production s WHERE origine = 'log'`;
    const before = await api.pool.query(figures);
    const grown = await entendu(() => ingest(context));
    expect((await api.pool.query(figures)).rows).toEqual(before.rows);
    expect(grown.filter(({ event }) => event === 'sessions')).toEqual([
      { event: 'sessions', data: { action: 'update', ids: sessions, nombre: 1 } },
    ]);
    await context.pool.end();
    await rm(home, { recursive: true, force: true });
  });

  it('a synchronisation of orders: added, changed and taken away', async () => {
    const order = (numero: string, status: string) => ({
      numero_commande: numero,
      extension: '',
      status,
      date_modification: '2025-05-28',
      coffre: 'C1',
      coffres: ['C1'],
      gestion_en_stock: 0 as const,
    });
    const merge = (orders: ReturnType<typeof order>[]): Promise<unknown> =>
      withClient(api.pool, (client) =>
        transaction(client, async () => {
          await stageCommandes(client, orders);
          await mergeCommandes(client, { executionId: undefined, examples: 0, apply: true });
        }),
      );
    const first = await entendu(() => merge([order('A', 'x'), order('B', 'x')]));
    const [a, b] = await ids('SELECT id FROM commandes_volets_roulants ORDER BY numero_commande');
    const of = (action: string, n: number) => ({
      event: 'commandes-volets',
      data: { action, ids: [n], nombre: 1 },
    });
    expect(first).toEqual([
      { event: 'commandes-volets', data: { action: 'insert', ids: [a, b], nombre: 2 } },
    ]);
    expect(await entendu(() => merge([order('A', 'x'), order('B', 'x')]))).toEqual([]);
    expect(await entendu(() => merge([order('A', 'y')]))).toEqual([of('delete', b!), of('update', a!)]);
  });

  it('a detail that changes, by whatever hand, changes its session; a session that goes only goes', async () => {
    const { centre, id } = await session('2025-06-01');
    const update = [{ event: 'sessions', data: { action: 'update', ids: [id], nombre: 1 } }];
    const piece = `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production)
                   VALUES (${centre}, ${id}, 1, now())`;
    expect(await entendu(() => api.pool.query(piece))).toEqual(update);
    expect(
      await entendu(() =>
        api.pool.query(`UPDATE piece_production SET details = 'x' WHERE session_id = ${id}`),
      ),
    ).toContainEqual(update[0]);
    expect(
      await entendu(() => api.pool.query(`DELETE FROM piece_production WHERE session_id = ${id}`)),
    ).toEqual(update);
    await api.pool.query(piece);
    expect(await entendu(() => api.pool.query(`DELETE FROM session_production WHERE id = ${id}`))).toEqual([
      { event: 'sessions', data: { action: 'delete', ids: [id], nombre: 1 } },
    ]);
  });

  it('nothing for statements that change nothing, nor for what was rolled back', async () => {
    const { id } = await session('2025-06-02');
    const silent = await entendu(async () => {
      await api.pool.query(`UPDATE session_production SET total_pieces = total_pieces WHERE id = ${id}`);
      await api.pool.query('DELETE FROM session_production WHERE id < 0');
      await api.pool.query(`INSERT INTO centre_usinage (nom) VALUES ('C2025-06-02') ON CONFLICT DO NOTHING`);
      await api.pool.query(
        `BEGIN; UPDATE session_production SET total_pieces = 9 WHERE id = ${id}; ROLLBACK`,
      );
    });
    expect(silent).toEqual([]);
  });

  it('many rows at once, by their number; 200 still by their ids', async () => {
    const add = (prefix: string, count: number): Promise<unknown> =>
      api.pool.query(
        `INSERT INTO commandes_volets_roulants (id, numero_commande, status, date_modification, coffre, coffres)
         SELECT 9007199254700000 + $2 + i, $1 || i, 'x', '2025-05-28', 'C', '{C}' FROM generate_series(1, $3) i`,
        [prefix, prefix === 'P' ? 0 : 1000, count],
      );
    const [known] = await entendu(() => add('P', 200));
    expect(known!.data['nombre']).toBe(200);
    expect(known!.data['ids']).toHaveLength(200);
    const heard = await entendu(() => add('Q', 201));
    expect(heard).toEqual([
      { event: 'commandes-volets', data: { action: 'insert', ids: null, nombre: 201 } },
    ]);
    const changed = await entendu(() =>
      api.pool.query(`UPDATE commandes_volets_roulants SET status = 'y' WHERE numero_commande LIKE 'Q%'`),
    );
    expect(changed).toEqual([
      { event: 'commandes-volets', data: { action: 'update', ids: null, nombre: 201 } },
    ]);
  });

  it('only what was asked for', async () => {
    const flux = await ouvrir(undefined, '?tables=commandes-volets');
    await session('2025-06-03');
    await api.pool.query(`DELETE FROM commandes_volets_roulants WHERE numero_commande = 'P1'`);
    expect(await flux.suivant()).toMatchObject({
      event: 'commandes-volets',
      data: { action: 'delete', nombre: 1 },
    });
  });

  it('what strangers write on the channel harms nobody', async () => {
    const heard = await entendu(async () => {
      for (const text of [
        '',
        'x',
        '{}',
        '[]',
        'null',
        '{"table":"execution","action":"insert","ids":[{}],"nombre":1}',
        '{"table":"constructor","action":"insert","ids":[],"nombre":1}',
      ]) {
        await api.pool.query(`SELECT pg_notify('atelier', $1)`, [text]);
      }
    });
    expect(heard).toEqual([]);
  });
});

describe('the stream', () => {
  it('is text/event-stream, numbered, not compressed, not kept, and shows that it lives', async () => {
    const flux = await ouvrir({ ...api.comptes.lecteur.entete, 'accept-encoding': 'gzip, deflate' });
    expect(flux.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(flux.headers.get('content-encoding')).toBeNull();
    expect(flux.headers.get('cache-control')).toBe('no-store');
    expect(flux.headers.get('x-content-type-options')).toBe('nosniff');
    await expect.poll(flux.commentaires).toBeGreaterThan(1);
    await session('2025-06-04');
    const [one, two] = [await flux.suivant(), await flux.suivant()];
    expect(two!.id).toBeGreaterThan(one!.id);
  });

  it('is for who may read events, by GET alone, for tables that there are', async () => {
    const { lecteur } = api.comptes;
    const inject = (method: 'GET' | 'HEAD', url: string, headers: Record<string, string> = {}) =>
      api.app.inject({ method, url, headers });
    expect((await inject('GET', '/evenements')).statusCode).toBe(401);
    const head = await inject('HEAD', '/evenements', lecteur.entete);
    expect(head.statusCode).toBe(405);
    expect(head.headers['allow']).toBe('GET');
    const unknown = await inject('GET', '/evenements?tables=sessions,user', lecteur.entete);
    expect(unknown.statusCode).toBe(422);
    expect(unknown.json()).toMatchObject({ errors: [{ pointer: expect.stringContaining('/query/tables') }] });
    expect((await inject('GET', '/evenements?table=sessions', lecteur.entete)).statusCode).toBe(422);
  });

  it('ends when the token does (S4)', async () => {
    const { entete } = await api.compte('fini', 'lecteur');
    const flux = await ouvrir(entete);
    api.avancer(16 * 60_000);
    try {
      expect(await flux.suivant()).toMatchObject({ event: 'fin', data: { raison: 'jeton' } });
      expect(await flux.suivant()).toBeUndefined();
    } finally {
      api.avancer(-16 * 60_000);
    }
  });

  it.each([
    ['another role', (id: string) => changer(id, { role: 'gestionnaire' })],
    ['a disabled account', (id: string) => changer(id, { actif: false })],
    ['another password', (id: string) => changer(id, { motDePasseHache: '$argon2id$autre' })],
    ['a deleted account', (id: string) => withClient(api.pool, (c) => supprimerCompte(c, id))],
  ])('ends at once with %s, and only that one (S4)', async (name, change) => {
    const { id, entete } = await api.compte(`fin ${name}`.replaceAll(' ', '-'), 'lecteur');
    const [flux, other] = [await ouvrir(entete), await ouvrir()];
    await change(id);
    expect(await flux.suivant()).toMatchObject({ event: 'fin', data: { raison: 'acces' } });
    expect(await flux.suivant()).toBeUndefined();
    await session(`2025-07-${String(opened.length).padStart(2, '0')}`);
    expect(await other.suivant()).toMatchObject({ event: 'centres' });
  });

  it('of a key ends with the key, and needs its scope', async () => {
    const make = async (portees: string[]): Promise<{ id: string; entete: { authorization: string } }> => {
      const answer = await api.app.inject({
        method: 'POST',
        url: '/cles/',
        headers: api.comptes.admin.entete,
        payload: { nom: 'écran', portees, date_fin: new Date(Date.now() + 86_400_000 * 60).toISOString() },
      });
      expect(answer.statusCode, answer.body).toBe(201);
      const { id, cle } = answer.json<{ id: string; cle: string }>();
      return { id, entete: { authorization: `Bearer ${cle}` } };
    };
    const without = await make(['sessions:lire']);
    await expect(suivre(base, without.entete)).rejects.toThrow('403');
    // And those of what it follows: of the rest it is told nothing.
    await expect(suivre(base, (await make(['evenements:lire'])).entete)).rejects.toThrow('403');
    const key = await make(['evenements:lire', 'sessions:lire']);
    const flux = await ouvrir(key.entete);
    await api.pool.query(`INSERT INTO centre_usinage (nom) VALUES ('TU')`);
    await session('2025-08-01');
    expect(await flux.suivant()).toMatchObject({ event: 'sessions' });
    await revoquerCle(api.pool, key.id, Date.now());
    expect(await flux.suivant()).toMatchObject({ event: 'fin', data: { raison: 'acces' } });
  });
});

async function changer(id: string, changes: Parameters<typeof modifierCompte>[3]): Promise<unknown> {
  return await withClient(api.pool, (client) => modifierCompte(client, api.deps.coffre, id, changes));
}
