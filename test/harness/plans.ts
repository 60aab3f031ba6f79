/** What the API asks of PostgreSQL, and what answering costs: plans, rows and blocks, never time. */
import pg from 'pg';
import type { Client, Pool } from '../../src/postgres/pool.ts';

/** A statement as it was sent. */
export interface Requete {
  readonly texte: string;
  readonly valeurs: readonly unknown[];
  /** prepared under a name, so that PostgreSQL may take up a plan made without values */
  readonly preparee: boolean;
}

/** Notes every statement that goes over connections of a pool from now on. @returns those noted since the last call */
export function noterRequetes(pool: Pool): () => Requete[] {
  let noted: Requete[] = [];
  const known = new WeakSet<Client>();
  pool.on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    const query = client.query as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const requete = enRequete(args[0], args[1]);
      if (requete) noted.push(requete);
      return query.apply(client, args);
    }) as typeof client.query;
  });
  return () => {
    const all = noted;
    noted = [];
    return all;
  };
}

/** A text with values, a configuration that has them, or a stream such as a COPY. */
function enRequete(what: unknown, values: unknown): Requete | undefined {
  if (typeof what === 'string')
    return { texte: what, valeurs: Array.isArray(values) ? values : [], preparee: false };
  const { text, values: own, name } = what as { text?: unknown; values?: unknown[]; name?: unknown };
  if (typeof text !== 'string') return undefined;
  return { texte: text, valeurs: own ?? [], preparee: name !== undefined };
}

/** A node of `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`; rows are those of one of its loops. */
interface Noeud {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Noeud[];
}

export interface Cout {
  /** blocks looked at, wherever they were; one that is looked at twice counts twice */
  readonly blocs: number;
  /** the most rows that a sequential scan of a large table looked at */
  readonly parcourues: number;
  /** the most rows that a sort took in, some of them from a large table */
  readonly triees: number;
}

/**
 * Runs a statement again and says what it cost.
 *
 * @param options `generique`: by the plan that fits any values; `grandes`: tables that are large
 */
export async function mesurer(
  client: Client,
  { texte, valeurs }: Requete,
  options: { readonly generique: boolean; readonly grandes: ReadonlySet<string> },
): Promise<Cout> {
  const explain = 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)';
  let rows: { 'QUERY PLAN': readonly [{ Plan: Noeud }] }[];
  if (options.generique) {
    await client.query(`PREPARE mesuree AS ${texte}`);
    try {
      await client.query('SET plan_cache_mode = force_generic_plan');
      const literals = valeurs.map(enLitteral).join(', ');
      ({ rows } = await client.query(`${explain} EXECUTE mesuree${literals && `(${literals})`}`));
    } finally {
      await client.query('RESET plan_cache_mode; DEALLOCATE mesuree');
    }
  } else {
    ({ rows } = await client.query(`${explain} ${texte}`, [...valeurs]));
  }
  const plan = rows[0]!['QUERY PLAN'][0].Plan;
  const nodes = [...noeuds(plan)];
  return {
    blocs: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
    parcourues: Math.max(
      0,
      ...nodes
        .filter((node) => node['Node Type'].endsWith('Seq Scan'))
        .filter((node) => options.grandes.has(node['Relation Name']!))
        .map((node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']),
    ),
    triees: Math.max(
      0,
      ...nodes
        .filter((node) => node['Node Type'] === 'Sort')
        .filter((node) =>
          [...noeuds(node)].some((below) => options.grandes.has(below['Relation Name'] ?? '')),
        )
        .map(({ Plans: [from] = [] }) => from?.['Actual Rows'] ?? 0),
    ),
  };
}

function enLitteral(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return pg.escapeLiteral(value);
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'`;
  // Names and numbers only: nothing that would be quoted inside an array.
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map(enElement).join(',')}}`);
  throw new TypeError(`valeur sans littéral : ${typeof value}`);
}

function enElement(value: unknown): string {
  if (Buffer.isBuffer(value)) return `"\\\\x${value.toString('hex')}"`;
  const text = String(value);
  if (!/^[\w-]+$/.test(text)) throw new TypeError(`élément sans littéral : ${text}`);
  return text;
}

function* noeuds(node: Noeud): Generator<Noeud> {
  yield node;
  for (const child of node.Plans ?? []) yield* noeuds(child);
}
