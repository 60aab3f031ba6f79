import { createHash } from 'node:crypto';
import type { Queryable } from '../pool.ts';
import { apresSql, type Position, positionDe } from './curseur.ts';
import { parCentreSql } from './par-centre.ts';
import {
  colonnesSql,
  conditionsSql,
  DATES,
  donne,
  ordreComplet,
  ordreSql,
  Parametres,
  type TableLue,
  type Tri,
  whereSql,
} from './table-lue.ts';

/** Totals are counted up to here; beyond, the planner's estimate is told unless the count is asked for. */
const COUNTED = 100_000;

export interface DemandeDePage {
  readonly filtres: Readonly<Record<string, unknown>>;
  readonly tri: readonly Tri[];
  /** rows to leave out; 0 when `apres` is given */
  readonly skip: number;
  readonly limit: number;
  /** read on from here */
  readonly apres?: Position | undefined;
  /** `auto`: exact while cheap; `exact`: whatever it costs; `non`: not at all */
  readonly total: 'auto' | 'exact' | 'non';
}

export interface Page {
  /** JSON array of the rows, each made by PostgreSQL, as it is sent */
  readonly json: Buffer;
  readonly nombre: number;
  /** where to read on, undefined at the end */
  readonly suite: Position | undefined;
  readonly total: { readonly nombre: number; readonly exact: boolean } | undefined;
}

/** One page of a table as JSON: built in the database, one statement. */
export async function lirePage(db: Queryable, table: TableLue, demande: DemandeDePage): Promise<Page> {
  const { tri, skip, limit, apres, total } = demande;
  const parametres = new Parametres();
  const n = parametres.add(limit);
  const passees = parametres.add(skip);
  const suite = apres && apresSql(table, tri, apres, parametres);
  const lignes = `${n}::bigint + 1 + ${passees}::bigint`;
  const merged = parCentreSql(table, demande, suite, lignes, parametres);
  // Values that no part of the statement names would be refused.
  const conditions = merged && total === 'non' ? [] : conditionsSql(table, demande.filtres, parametres);
  const compte = compteSql(table, conditions, total);
  const source = merged ?? `${table.from}${whereSql(suite ? [...conditions, suite] : conditions)}`;
  // One row more than asked tells whether there is a next page. Rows come as JSON each: joining them here costs less
  // than having them copied into one text there.
  const sql = `SELECT row_to_json(p)::text, ${compte}
    FROM (SELECT ${colonnesSql(table)} FROM ${source}
           ORDER BY ${ordreSql(table, ordreComplet(tri))} LIMIT ${n}::int + 1 OFFSET ${passees}::bigint) p`;
  const { rows } = await db.query<[string, number | null]>({
    // How much lies between two dates is nothing that one plan fits for all.
    name: donne(demande.filtres, DATES) ? undefined : nom(sql),
    text: sql,
    values: parametres.valeurs,
    rowMode: 'array',
  });
  const nombre = Math.min(rows.length, limit);
  const derniere = rows[nombre - 1]?.[0];
  return {
    json: tableauJson(rows, nombre),
    nombre,
    suite: rows.length > limit ? positionDe(JSON.parse(derniere!), tri) : undefined,
    total: await totalOf(db, table, demande, rows[0] ? rows[0][1] : await compter(db, table, demande)),
  };
}

const [OUVRANT, VIRGULE, FERMANT] = Buffer.from('[,]') as unknown as [number, number, number];

/**
 * The first rows as a JSON array, in bytes at once: a text of the whole page would be made, made flat and copied, and be
 * thrown away each time.
 */
function tableauJson(rows: readonly (readonly [string, unknown])[], nombre: number): Buffer {
  let taille = 2 + Math.max(0, nombre - 1);
  for (let i = 0; i < nombre; i++) taille += Buffer.byteLength(rows[i]![0]);
  const octets = Buffer.allocUnsafe(taille);
  octets[0] = OUVRANT;
  let fin = 1;
  for (let i = 0; i < nombre; i++) {
    if (i > 0) octets[fin++] = VIRGULE;
    fin += octets.write(rows[i]![0], fin);
  }
  octets[fin] = FERMANT;
  return octets;
}

/** One row by its id as JSON text, or undefined. */
export async function lireLigne(db: Queryable, table: TableLue, id: number): Promise<string | undefined> {
  const sql = `SELECT row_to_json(p)::text AS json FROM (SELECT ${colonnesSql(table)} FROM ${table.from} WHERE t.id = $1::bigint) p`;
  const { rows } = await db.query<{ json: string }>({ name: nom(sql), text: sql, values: [id] });
  return rows[0]?.json;
}

function compteSql(table: TableLue, conditions: readonly string[], total: DemandeDePage['total']): string {
  const from = `FROM ${table.fromCompte ?? table.from}${whereSql(conditions)}`;
  if (total === 'non') return 'NULL::bigint';
  if (total === 'exact') return `(SELECT count(*) ${from})`;
  return `(SELECT count(*) FROM (SELECT 1 ${from} LIMIT ${COUNTED + 1}) c)`;
}

/** The count when no row came to carry it: nothing there is 0, but beyond the last page it must be asked for. */
async function compter(db: Queryable, table: TableLue, demande: DemandeDePage): Promise<number | null> {
  if (demande.total === 'non') return null;
  if (demande.skip === 0 && !demande.apres) return 0;
  const parametres = new Parametres();
  const compte = compteSql(table, conditionsSql(table, demande.filtres, parametres), demande.total);
  const { rows } = await db.query<{ total: number }>(`SELECT ${compte} AS total`, parametres.valeurs);
  return rows[0]!.total;
}

async function totalOf(
  db: Queryable,
  table: TableLue,
  { filtres, total }: DemandeDePage,
  counted: number | null,
): Promise<Page['total']> {
  if (counted === null) return undefined;
  if (total === 'exact' || counted <= COUNTED) return { nombre: counted, exact: true };
  const parametres = new Parametres();
  const where = whereSql(conditionsSql(table, filtres, parametres));
  const { rows } = await db.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${table.fromCompte ?? table.from}${where}`,
    parametres.valeurs,
  );
  const estimate = rows[0]!['QUERY PLAN'][0].Plan['Plan Rows'];
  // The estimate may be stale; what was counted is certain.
  return { nombre: Math.max(estimate, counted), exact: false };
}

const noms = new Map<string, string>();

/**
 * A name under which each connection prepares a statement once. Filters and orders combine to many statements:
 * beyond some number they are sent unprepared, so that connections do not grow without end.
 */
export function nom(sql: string): string | undefined {
  let name = noms.get(sql);
  if (name === undefined && noms.size < 300) {
    name = `lecture_${createHash('sha256').update(sql).digest('hex').slice(0, 20)}`;
    noms.set(sql, name);
  }
  return name;
}
