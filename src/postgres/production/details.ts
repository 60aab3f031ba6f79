import { type Column, copyRows } from '../copy.ts';
import type { Value } from '../copy-encoder.ts';
import type { Client } from '../pool.ts';

/** A table of rows that hang on a session, numbered 1, 2, … in it. */
export interface DetailTable {
  readonly name: 'job_profil' | 'periode_attente' | 'periode_arret' | 'piece_production';
  /** the column that holds the number */
  readonly number: 'numero' | 'numero_piece';
  /** computed columns after it, in the order of a row's values */
  readonly columns: readonly Column[];
}

const LINEAGE: readonly Column[] = [
  { name: 'fichier_log_version_id', kind: 'int4' },
  { name: 'ligne', kind: 'int8' },
];
const PERIOD: readonly Column[] = [
  { name: 'timestamp_debut', kind: 'micros' },
  { name: 'timestamp_fin', kind: 'micros' },
  { name: 'duree_secondes', kind: 'numeric' },
  ...LINEAGE,
];

export const JOB_PROFIL: DetailTable = {
  name: 'job_profil',
  number: 'numero',
  columns: [
    { name: 'reference', kind: 'text' },
    { name: 'longueur', kind: 'numeric' },
    { name: 'couleur', kind: 'text' },
    { name: 'timestamp_debut', kind: 'seconds' },
    ...LINEAGE,
  ],
};
export const PERIODE_ATTENTE: DetailTable = { name: 'periode_attente', number: 'numero', columns: PERIOD };
export const PERIODE_ARRET: DetailTable = {
  name: 'periode_arret',
  number: 'numero',
  columns: [
    ...PERIOD,
    { name: 'fichier_log_version_fin_id', kind: 'int4' },
    { name: 'ligne_fin', kind: 'int8' },
  ],
};
export const PIECE_PRODUCTION: DetailTable = {
  name: 'piece_production',
  number: 'numero_piece',
  columns: [
    { name: 'timestamp_production', kind: 'seconds' },
    { name: 'details', kind: 'text' },
    { name: 'job_profil_id', kind: 'int8' },
    ...LINEAGE,
  ],
};

/** Rows of one session for one table, in order of their number. */
export interface DetailRows {
  readonly sessionId: number;
  readonly centreId: number;
  /** ids to give to the rows, when others must know them; else the table's own */
  readonly ids?: readonly number[];
  readonly length: number;
  /** computed values of row `i`, made when they are asked for: thousands of rows must not lie about */
  values(i: number): readonly Value[];
}

export interface DetailRow {
  readonly id: number;
  readonly numero: number;
  readonly values: readonly Value[];
}

/**
 * Adds the rows of any number of sessions by one COPY.
 *
 * @param from rows to leave out at the start of each session (they are stored already)
 */
export async function copyDetails(
  client: Client,
  table: DetailTable,
  sessions: readonly DetailRows[],
  from = 0,
): Promise<void> {
  if (sessions.every((session) => session.length <= from)) return;
  const withIds = sessions[0]?.ids !== undefined;
  const columns: Column[] = [
    ...(withIds ? [{ name: 'id', kind: 'int8' } as const] : []),
    { name: 'centre_usinage_id', kind: 'int4' },
    { name: 'session_id', kind: 'int8' },
    { name: table.number, kind: 'int4' },
    ...table.columns,
  ];
  await copyRows(client, table.name, columns, async (write) => {
    for (const { sessionId, centreId, ids, length, values } of sessions) {
      for (let i = from; i < length; i++) {
        const head = ids ? [ids[i]!, centreId, sessionId, i + 1] : [centreId, sessionId, i + 1];
        const full = write(head, values(i));
        if (full) await full;
      }
    }
  });
}

/** More rows than this are added by COPY. */
export const FEW = 50;

/** Adds the rows of a session from number `from + 1` on: what a machine has just done, in one statement. */
export async function insertDetails(
  client: Client,
  table: DetailTable,
  rows: DetailRows,
  from: number,
): Promise<void> {
  if (rows.length === from) return;
  const values: unknown[] = [];
  const text = insertSql(values, table, rows, from);
  if (text === undefined) await copyDetails(client, table, [rows], from);
  else await client.query({ name: `append_${table.name}`, text, values });
}

/**
 * The statement that does it.
 *
 * @param parametres its parameters are added here
 * @returns undefined when they are too many for a statement
 */
export function insertSql(
  parametres: unknown[],
  table: DetailTable,
  { sessionId, centreId, ids, length, values }: DetailRows,
  from: number,
): string | undefined {
  if (length - from > FEW) return undefined;
  const add = (value: unknown): string => `$${parametres.push(value)}`;
  const names = table.columns.map((column) => column.name);
  const extra = ids ? ['id'] : [];
  const added = Array.from({ length: length - from }, (_, i) => values(from + i));
  const head = `${add(centreId)}::int, ${add(sessionId)}::bigint`;
  const columns = [
    `${add(added.map((_, i) => from + i + 1))}::int[]`,
    ...(ids ? [`${add(ids.slice(from))}::bigint[]`] : []),
    ...table.columns.map(
      ({ kind }, c) => `${add(added.map((row) => toParameter(kind, row[c]!)))}::${SQL_TYPES[kind]}[]`,
    ),
  ];
  return `INSERT INTO ${table.name} (centre_usinage_id, session_id, ${[table.number, ...extra, ...names].join(', ')})
          SELECT ${head}, ${['u.numero', ...extra, ...table.columns.map(valueSql)].join(', ')}
            FROM unnest(${columns.join(', ')}) u (${['numero', ...extra, ...names].join(', ')})`;
}

/** Reserves ids for rows that others refer to before they are written. */
export async function reserveIds(client: Client, table: DetailTable, count: number): Promise<number[]> {
  if (count === 0) return [];
  const { rows } = await client.query<{ id: number }>(
    `SELECT nextval(pg_get_serial_sequence('${table.name}', 'id')) AS id FROM generate_series(1, $1)`,
    [count],
  );
  return rows.map((row) => row.id);
}

/** The stored rows of a session, in order, with values comparable to computed ones. */
export async function loadDetails(
  client: Client,
  table: DetailTable,
  sessionId: number,
): Promise<DetailRow[]> {
  const columns = table.columns.map((column) =>
    column.kind === 'seconds' || column.kind === 'micros'
      ? `(extract(epoch FROM ${column.name}) * 1000000)::bigint::text AS ${column.name}`
      : column.name,
  );
  const { rows } = await client.query<Record<string, string | number | null>>(
    `SELECT id, ${table.number} AS numero, ${columns.join(', ')} FROM ${table.name}
      WHERE session_id = $1 ORDER BY ${table.number}`,
    [sessionId],
  );
  return rows.map((row) => ({
    id: row['id'] as number,
    numero: row['numero'] as number,
    values: table.columns.map(({ name, kind }) => {
      const value = row[name]!;
      if (kind === 'micros') return BigInt(value);
      if (kind === 'seconds') return Number(BigInt(value) / 1_000_000n);
      return value;
    }),
  }));
}

/** What a comparison of stored and computed rows changed. */
export interface DetailChanges {
  readonly ajoutees: number;
  readonly modifiees: number;
  readonly supprimees: number;
}

/**
 * Makes the rows of a session those given, writing the difference only: a row whose number and values are the
 * same is not touched.
 */
export async function mergeDetails(
  client: Client,
  table: DetailTable,
  stored: readonly DetailRow[],
  wanted: DetailRows,
): Promise<DetailChanges> {
  const changed: { id: number; values: readonly Value[] }[] = [];
  // Where somebody took a row away by hand, those after it make place.
  const gap = stored.findIndex(({ numero }, i) => numero !== i + 1);
  const common = Math.min(gap < 0 ? stored.length : gap, wanted.length);
  for (let i = 0; i < common; i++) {
    const [old, values] = [stored[i]!, wanted.values(i)];
    if (!values.every((value, c) => value === old.values[c])) changed.push({ id: old.id, values });
  }
  await updateDetails(client, table, changed);
  const gone = stored.slice(common).map((row) => row.id);
  if (gone.length > 0) await client.query(`DELETE FROM ${table.name} WHERE id = ANY($1::bigint[])`, [gone]);
  const added = wanted.length - common;
  if (added > 0) await copyDetails(client, table, [wanted], common);
  return { ajoutees: added, modifiees: changed.length, supprimees: gone.length };
}

async function updateDetails(
  client: Client,
  table: DetailTable,
  changed: readonly { id: number; values: readonly Value[] }[],
): Promise<void> {
  if (changed.length === 0) return;
  const names = table.columns.map((column) => column.name);
  const parameters = table.columns.map((column, i) => `$${i + 2}::${SQL_TYPES[column.kind]}[]`);
  const set = table.columns.map((column) => `${column.name} = ${valueSql(column)}`);
  await client.query(
    `UPDATE ${table.name} t SET ${set.join(', ')}
       FROM unnest($1::bigint[], ${parameters.join(', ')}) u (id, ${names.join(', ')}) WHERE t.id = u.id`,
    [
      changed.map((row) => row.id),
      ...table.columns.map(({ kind }, c) => changed.map((row) => toParameter(kind, row.values[c]!))),
    ],
  );
}

/** SQL for a value of rows `u` that came as a parameter. */
function valueSql({ name, kind }: Column): string {
  return kind === 'seconds' || kind === 'micros'
    ? `timestamptz 'epoch' + u.${name} * interval '1 microsecond'`
    : `u.${name}`;
}

const SQL_TYPES: Readonly<Record<Column['kind'], string>> = {
  int2: 'smallint',
  int4: 'int',
  int8: 'bigint',
  text: 'text',
  'text[]': 'text[]',
  date: 'date',
  numeric: 'numeric',
  seconds: 'bigint',
  micros: 'bigint',
};

function toParameter(kind: Column['kind'], value: Value): Value {
  if (value === null) return null;
  if (kind === 'seconds') return String(BigInt(value as number) * 1_000_000n);
  return typeof value === 'bigint' ? String(value) : value;
}
