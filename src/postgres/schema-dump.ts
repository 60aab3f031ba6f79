import type { Queryable } from './pool.ts';

/**
 * The schema as text, from the catalogue of a live database: tables, columns, constraints, indexes, functions,
 * triggers, comments, each kind in a fixed order. Two databases with the same schema give the same text.
 */
export async function dumpSchema(db: Queryable): Promise<string> {
  const parts: string[] = [];
  for (const table of await tables(db)) parts.push(await dumpTable(db, table));
  for (const text of await definitions(db, FUNCTIONS)) parts.push(`${text.trimEnd()};`);
  for (const text of await definitions(db, TRIGGERS)) parts.push(`${text};`);
  return `${parts.join('\n\n')}\n`;
}

async function tables(db: Queryable): Promise<string[]> {
  return await definitions(
    db,
    `SELECT c.relname AS text FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
  );
}

async function dumpTable(db: Queryable, table: string): Promise<string> {
  const columns = await definitions(
    db,
    `SELECT format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
              CASE WHEN a.attidentity <> '' THEN ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY'
                   WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END) AS text
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    table,
  );
  const constraints = await definitions(
    db,
    `SELECT format('  CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS text FROM pg_constraint
      WHERE conrelid = $1::regclass AND contype <> 'n' ORDER BY contype DESC, conname`,
    table,
  );
  const indexes = await definitions(
    db,
    `SELECT pg_get_indexdef(i.indexrelid) || ';' AS text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = $1::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))
      ORDER BY c.relname`,
    table,
  );
  const comments = await definitions(
    db,
    `SELECT CASE d.objsubid WHEN 0 THEN format('COMMENT ON TABLE %s IS %L;', $1::regclass, d.description)
              ELSE format('COMMENT ON COLUMN %s.%I IS %L;', $1::regclass, a.attname, d.description) END AS text
       FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
      WHERE d.objoid = $1::regclass AND d.classoid = 'pg_class'::regclass ORDER BY d.objsubid`,
    table,
  );
  const body = [...columns, ...constraints].join(',\n');
  return [`CREATE TABLE ${table} (\n${body}\n);`, ...indexes, ...comments].join('\n');
}

const FUNCTIONS = `SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p
  WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind = 'f' ORDER BY p.proname`;

const TRIGGERS = `SELECT pg_get_triggerdef(t.oid) AS text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname, t.tgname`;

async function definitions(db: Queryable, sql: string, table?: string): Promise<string[]> {
  const { rows } = await db.query<{ text: string }>(sql, table === undefined ? [] : [table]);
  return rows.map((row) => row.text);
}
