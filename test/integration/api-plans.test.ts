// Plans of everything that the API reads, on five million pieces: an index answers each list, whatever it is
// restricted to and sorted by, and a cursor costs the same at any depth. Blocks and rows are counted, never time.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ecrireCurseur } from '../../src/api/curseurs.ts';
import type { Parametre } from '../../src/api/openapi/types.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { positionDe } from '../../src/postgres/lecture/curseur.ts';
import type { Tri } from '../../src/postgres/lecture/table-lue.ts';
import { createPool, withClient } from '../../src/postgres/pool.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import type { Answer } from '../harness/api-requests.ts';
import { migrateUrl } from '../harness/context.ts';
import { documentDe, enRoute, operationsLues, routesVivantes } from '../harness/openapi.ts';
import { type Cout, mesurer, noterRequetes, type Requete } from '../harness/plans.ts';
import { AUTRES, COMPTES, GROSSES, LISTES, SANS_LECTURE } from '../harness/plans-cas.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { CENTRES, remplirUsine, USINE } from '../harness/usine.ts';

/** What one statement may cost. */
const BORNES = {
  /** blocks of 8 KiB: a hundred rows, and a count up to 100,001; the pieces with their indexes are 130,000 */
  blocs: 5_000,
  /** rows of a large table read one after the other: counting up to 100,001 may, where at least half of them fit */
  parcourues: 200_000,
  /** rows of a large table sorted for a page */
  triees: 10_000,
} as const;

let database: TestDatabase;
let api: ApiDEssai;
let prendre: () => Requete[];
let grandes: ReadonlySet<string>;

beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  const pool = createPool(database.url, { logger: silentLogger(), max: 1 });
  try {
    await withClient(pool, remplirUsine);
  } finally {
    await pool.end();
  }
  api = await createApi({ url: database.url });
  prendre = noterRequetes(api.pool);
  // Of what fits into a thousand blocks, reading all of it is often the best plan.
  const { rows } = await api.pool.query<{ relname: string }>(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relpages > 1000",
  );
  grandes = new Set(rows.map(({ relname }) => relname));
}, 300_000);
afterAll(async () => {
  await api?.close();
  await database?.drop();
});

async function get(
  url: string,
  statuts: readonly number[] = [200],
): Promise<{ answer: Answer; requetes: Requete[] }> {
  prendre();
  const answer = await api.app.inject({ url, headers: api.comptes.admin.entete });
  expect(statuts, `${url} : ${answer.statusCode} ${answer.body.slice(0, 300)}`).toContain(answer.statusCode);
  return { answer, requetes: prendre() };
}

/** What the statements of a request cost, by a plan for its values and by the one for any. */
async function couts(requetes: readonly Requete[]): Promise<(Cout & { plan: string; texte: string })[]> {
  const measured: (Cout & { plan: string; texte: string })[] = [];
  for (const requete of requetes) {
    if (!/^\s*SELECT/.test(requete.texte)) continue;
    for (const generique of requete.preparee ? [false, true] : [false]) {
      const cout = await withClient(api.pool, (client) => mesurer(client, requete, { generique, grandes }));
      measured.push({ ...cout, plan: generique ? 'générique' : 'des valeurs', texte: requete.texte });
    }
  }
  return measured;
}

/** What of a request costs more than it may, in words. */
async function exces(url: string, bornes: Cout = BORNES, statuts?: readonly number[]): Promise<string[]> {
  const { requetes } = await get(url, statuts);
  const measured = await couts(requetes);
  expect(measured.length, url).toBeGreaterThan(0);
  return measured.flatMap(({ plan, texte, ...cout }) =>
    (['blocs', 'parcourues', 'triees'] as const)
      .filter((what) => cout[what] > bornes[what])
      .map((what) => `${url} : ${cout[what]} ${what} (plan ${plan}) ${texte.slice(0, 60)}`),
  );
}

async function tousLesExces(
  urls: readonly string[],
  bornes?: Cout,
  statuts?: readonly number[],
): Promise<string[]> {
  const found: string[] = [];
  for (const url of urls) found.push(...(await exces(url, bornes, statuts)));
  return found;
}

/** Filters and sort columns of a list, from the document that the live API gives. */
function parametresDe(url: string): { filtres: string[]; tri: string[] } {
  const route = enRouteDeListe(url);
  const operation = operationsLues(documentDe(api.app)).find(
    ({ methode, chemin }) => methode === 'GET' && enRoute(chemin) === route,
  );
  if (!operation) throw new Error(`aucune route pour ${url}`);
  const query = operation.parametres.filter((parametre) => parametre.in === 'query');
  const common = ['tri', 'skip', 'limit', 'cursor', 'total', 'format', 'separateur'];
  const filtres = query.map(({ name }) => name).filter((name) => !common.includes(name));
  return { filtres, tri: colonnesDeTri(query.find(({ name }) => name === 'tri')) };
}

function colonnesDeTri(parametre: Parametre | undefined): string[] {
  const pattern = (parametre?.schema as { pattern?: string } | undefined)?.pattern;
  return pattern === undefined ? [] : /\(([a-z_|]+)\)/.exec(pattern)![1]!.split('|');
}

const enRouteDeListe = (url: string): string =>
  url.replace(/(?<=by-numero\/).*/, ':numero').replace(/(?<=by-status\/).*/, ':status');

it('has a case for each route that reads, as the live API has them', () => {
  const vivantes = routesVivantes(api.app).filter(
    (route) => route.startsWith('GET ') && !SANS_LECTURE.test(route),
  );
  const cas = [...Object.keys(LISTES), ...AUTRES, ...COMPTES].map((url) => url.split('?')[0]!);
  const sansCas = vivantes.filter((route) => {
    const shape = new RegExp(`^${route.slice(4).replaceAll(/:\w+/g, '[^/]+')}$`);
    // `/users/me` is not a case of `/users/:id`.
    return !cas.some((url) => shape.test(url) && (!route.includes(':') || !vivantes.includes(`GET ${url}`)));
  });
  expect(sansCas).toEqual([]);
});

it('stands on five million pieces', async () => {
  const { rows } = await api.pool.query<{ pieces: number }>(
    'SELECT count(*) AS pieces FROM piece_production',
  );
  expect(rows[0]!.pieces).toBeGreaterThanOrEqual(USINE.pieces);
  expect([...grandes]).toEqual(
    expect.arrayContaining(['piece_production', 'job_profil', 'periode_arret', 'ligne_rejetee']),
  );
});

describe.each(Object.entries(LISTES))('%s', (url, { filtres, paires = [] }) => {
  it('has a case for each filter', () => {
    expect(Object.keys(filtres).sort()).toEqual(parametresDe(url).filtres.sort());
  });

  it('reads a first page by an index, however it is restricted', async () => {
    const queries = [
      '',
      ...Object.entries(filtres).flatMap(([name, values]) =>
        values.map((value) => `${name}=${encodeURIComponent(value)}`),
      ),
      ...paires,
    ];
    expect(await tousLesExces(queries.map((query) => `${url}?${query}`))).toEqual([]);
  });

  it('reads a first page by an index, whatever it is sorted by', async () => {
    const sorts = parametresDe(url).tri.flatMap((colonne) => [colonne, `-${colonne}`]);
    expect(await tousLesExces(sorts.map((tri) => `${url}?tri=${tri}`))).toEqual([]);
  });

  it('reads on from a cursor at the same cost at any depth', async () => {
    const grow: string[] = [];
    for (const colonne of parametresDe(url).tri) {
      for (const sens of ['asc', 'desc'] as const) {
        const pair = await debutEtFin(`${url}?`, { colonne, sens });
        // What is small is sorted for each page.
        const borne = GROSSES.test(url) ? plafond(pair?.debut ?? 0) : BORNES.blocs;
        if (pair && pair.fin > borne) grow.push(`${sens} ${colonne} : ${pair.debut} → ${pair.fin}`);
      }
    }
    expect(grow).toEqual([]);
  });
});

/**
 * What a deep page may cost, in blocks: three times a page at the start; or what looking up a hundred rows one by one
 * and what they refer to costs, where the start came by with less.
 */
const plafond = (debut: number): number => Math.max(3 * debut, 1_200);

/** Blocks of the second page, and of a page a thousand rows before the end; undefined when there are fewer. */
async function debutEtFin(url: string, tri: Tri): Promise<{ debut: number; fin: number } | undefined> {
  const asked = (sens: Tri['sens']): string => `tri=${sens === 'desc' ? '-' : ''}${tri.colonne}`;
  const cost = async (cursor: string): Promise<number> => {
    const { answer, requetes } = await get(`${url}&${asked(tri.sens)}&cursor=${cursor}`);
    expect(answer.json<unknown[]>().length).toBeGreaterThan(90);
    const measured = await couts(requetes);
    expect(
      measured.filter(({ parcourues, triees }) => parcourues > BORNES.parcourues || triees > BORNES.triees),
    ).toEqual([]);
    return Math.max(...measured.map(({ blocs }) => blocs));
  };
  const first = (await get(`${url}&${asked(tri.sens)}`)).answer.headers['x-next-cursor'] as
    | string
    | undefined;
  // Read backwards, a thousand rows from the end are near.
  const backwards = (await get(`${url}&${asked(tri.sens === 'asc' ? 'desc' : 'asc')}&limit=1000`)).answer;
  const rows = backwards.json<Record<string, unknown>[]>();
  if (first === undefined || rows.length < 1000) return undefined;
  return { debut: await cost(first), fin: await cost(ecrireCurseur([tri], positionDe(rows.at(-1)!, [tri]))) };
}

describe('cursors of restricted lists', () => {
  it.each([
    ['/pieces-production/', `centre_usinage_id=${CENTRES.courant}`],
    ['/pieces-production/', `centre_usinage_id=${CENTRES.ancien}`],
    ['/pieces-production/', 'type_cu=PVC'],
    ['/pieces-production/', 'date_debut=2018-06-01&date_fin=2023-12-31'],
    ['/pieces-production/', 'origine=log'],
    ['/job-profils/', 'type_cu=ALU'],
    ['/periodes-arret/', `date_debut=2019-01-01&centre_usinage_id=${CENTRES.second}`],
  ])('%s %s: the same at any depth', async (path, query) => {
    const colonne = path.includes('pieces') ? 'timestamp_production' : 'timestamp_debut';
    for (const sens of ['asc', 'desc'] as const) {
      const pair = (await debutEtFin(`${path}?${query}`, { colonne, sens }))!;
      expect(pair.fin, `${sens} : ${pair.debut} au début`).toBeLessThanOrEqual(plafond(pair.debut));
    }
  });
});

it('skip: the deepest pages cost much, and come', async () => {
  const { answer } = await get('/pieces-production/?skip=100000&limit=10');
  expect(answer.json()).toHaveLength(10);
  expect(answer.headers['x-total-count-kind']).toBe('estimate');
});

it('an order that the index of the filter does not have is found by another, never in the whole table', async () => {
  // Reading by id until some of the month are found: all rows before them, at worst, but in their order.
  const queries = ['tri=id', 'tri=-id', 'tri=session_id'].map(
    (tri) => `date_debut=2024-01-01&date_fin=2024-01-31&${tri}`,
  );
  const bornes = { ...BORNES, blocs: 120_000 };
  expect(
    await tousLesExces(
      queries.map((query) => `/pieces-production/?${query}`),
      bornes,
    ),
  ).toEqual([]);
});

it('other reads look rows up by an index', async () => {
  const urls = AUTRES.map((url) => url.replace('{compte}', api.comptes.lecteur.id));
  // The archive is empty: what the row says of its line is read, the line is not there.
  expect(await tousLesExces(urls, BORNES, [200, 404, 503])).toEqual([]);
});

it('what counts the quarantine reads it once', async () => {
  const bornes = { ...BORNES, parcourues: 2 * USINE.commandes * 10 };
  expect(await tousLesExces(COMPTES, bornes)).toEqual([]);
});

describe('exports of a part', () => {
  it.each([
    '/pieces-production/?session_id=3000',
    '/pieces-production/?date_debut=2024-01-25&date_fin=2024-01-25',
    `/pieces-production/?centre_usinage_id=${CENTRES.ancien}&date_debut=2018-03-01&date_fin=2018-03-02`,
    '/pieces-production/?origine=manuel',
    '/job-profils/?reference=aucune',
    '/periodes-attente/?date_debut=2024-01-25&date_fin=2024-01-25',
    '/rejets/?fichier_id=3000',
  ])('%s reads that part', async (url) => {
    for (const format of ['csv', 'xlsx']) {
      const { requetes } = await get(`${url}&format=${format}`);
      const measured = await coutsDExport(requetes);
      expect(measured).toHaveLength(2);
      expect(measured.filter(({ blocs, parcourues }) => blocs > BORNES.blocs || parcourues > 0)).toEqual([]);
    }
  });
});

/** Of the count and of the rows of an export: their values are settings of the transaction. */
async function coutsDExport(requetes: readonly Requete[]): Promise<Cout[]> {
  return await withClient(api.pool, async (client) => {
    const measured: Cout[] = [];
    await client.query('BEGIN READ ONLY');
    for (const { texte, valeurs } of requetes) {
      if (texte.includes("set_config('atelier.")) await client.query(texte, [...valeurs]);
      const [, inner] =
        /^COPY \((.*)\) TO STDOUT/s.exec(texte) ??
        /^DECLARE export NO SCROLL CURSOR FOR (.*)$/s.exec(texte) ??
        /^(SELECT count\(\*\) AS nombre .*)$/s.exec(texte) ??
        [];
      if (inner === undefined) continue;
      measured.push(
        await mesurer(client, { texte: inner, valeurs: [], preparee: false }, { generique: false, grandes }),
      );
    }
    await client.query('ROLLBACK');
    return measured;
  });
}
