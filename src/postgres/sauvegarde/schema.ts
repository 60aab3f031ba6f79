import type { Queryable } from '../pool.ts';

/*
 * The schema as statements that make it again, from the catalogue, in the two halves between which the rows go: what
 * must be there before (types, functions, tables), and what is cheaper or only possible after (keys, indexes, triggers).
 * Every name comes out qualified, since the callers empty `search_path`.
 */

/** A table, and the columns that are copied (generated ones are not). */
export interface TableSauvegardee {
  readonly nom: string;
  readonly colonnes: readonly string[];
}

/** Objects that belong to an extension come with it. */
const OURS = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

/** Tables of the schema, by name. */
export async function tablesDuSchema(db: Queryable, schema: string): Promise<TableSauvegardee[]> {
  const { rows } = await db.query<TableSauvegardee>(
    `SELECT c.relname AS nom,
            ARRAY(SELECT a.attname::text FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                   ORDER BY a.attnum) AS colonnes
       FROM pg_class c
      WHERE c.relnamespace = quote_ident($1)::regnamespace AND c.relkind = 'r' AND ${OURS('pg_class', 'c.oid')}
      ORDER BY c.relname COLLATE "C"`,
    [schema],
  );
  return rows;
}

/**
 * What the database holds and a backup does not: kinds of objects that atelier never makes. The schema of the queue is
 * left out without a word: `atelier migrate` makes it again, and what waited in it is planned again.
 */
export async function horsSauvegarde(db: Queryable, schema: string): Promise<string[]> {
  return await texts(
    db,
    `SELECT format('%s %s', CASE c.relkind WHEN 'p' THEN 'table partitionnée' WHEN 'm' THEN 'vue matérialisée'
                              ELSE 'table externe' END, c.oid::regclass) AS text
       FROM pg_class c WHERE c.relnamespace = quote_ident($1)::regnamespace AND c.relkind IN ('p', 'm', 'f')
     UNION ALL
     SELECT format('type %s', t.oid::regtype) FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
      WHERE t.typnamespace = quote_ident($1)::regnamespace
        AND (t.typtype IN ('d', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')) AND ${OURS('pg_type', 't.oid')}
     UNION ALL
     SELECT format('agrégat %s', p.oid::regprocedure) FROM pg_proc p
      WHERE p.pronamespace = quote_ident($1)::regnamespace AND p.prokind IN ('a', 'w') AND ${OURS('pg_proc', 'p.oid')}
     UNION ALL
     SELECT format('politique %s', polname) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
      WHERE c.relnamespace = quote_ident($1)::regnamespace
     UNION ALL
     SELECT format('schéma %s', nspname) FROM pg_namespace n
      WHERE nspname NOT IN ($1, 'pgboss') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' AND ${OURS('pg_namespace', 'n.oid')}
     UNION ALL
     SELECT format('extension %s', extname) FROM pg_extension WHERE extname <> 'plpgsql'
     ORDER BY 1`,
    [schema],
  );
}

/** Statements that must run before the rows come. */
export async function avantLesLignes(db: Queryable, schema: string): Promise<string[]> {
  const one = [schema];
  return [
    ...(await texts(db, ENUMS, one)),
    ...(await texts(db, SEQUENCES, one)),
    ...(await texts(db, FUNCTIONS, one)),
    ...(await texts(db, TABLES, one)),
  ];
}

/** Statements that come after the rows; values of sequences last. */
export async function apresLesLignes(db: Queryable, schema: string): Promise<string[]> {
  const one = [schema];
  const statements: string[] = [];
  for (const sql of [
    SEQUENCE_OWNERS,
    KEYS,
    INDEXES,
    FOREIGN_KEYS,
    STATISTICS,
    VIEWS,
    TRIGGERS,
    COMMENTS,
    REVOKES,
    GRANTS,
  ])
    statements.push(...(await texts(db, sql, one)));
  return [...statements, ...(await sequenceValues(db, schema))];
}

const IN_SCHEMA = 'quote_ident($1)::regnamespace';

const ENUMS = `
  SELECT format('CREATE TYPE %I.%I AS ENUM (%s);', $1::text, t.typname,
           (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)) AS text
    FROM pg_type t WHERE t.typnamespace = ${IN_SCHEMA} AND t.typtype = 'e' AND ${OURS('pg_type', 't.oid')} ORDER BY t.oid`;

/** `START … CACHE …` of sequence `s`. */
const SEQUENCE_OPTIONS = `format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s',
  s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)`;

/** Sequences of identity columns are made with them. */
const SEQUENCES = `
  SELECT format('CREATE SEQUENCE %s AS %s %s;', c.oid::regclass, format_type(s.seqtypid, NULL), ${SEQUENCE_OPTIONS}) AS text
    FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
   WHERE c.relnamespace = ${IN_SCHEMA} AND ${OURS('pg_class', 'c.oid')}
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
   ORDER BY c.oid`;

const FUNCTIONS = `
  SELECT rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' AS text FROM pg_proc p
   WHERE p.pronamespace = ${IN_SCHEMA} AND p.prokind IN ('f', 'p') AND ${OURS('pg_proc', 'p.oid')} ORDER BY p.oid`;

const COLUMN = `
  format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
         THEN (SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                WHERE l.oid = a.attcollation) ELSE '' END,
    CASE WHEN a.attidentity <> '' THEN
           (SELECT format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)',
                     CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, s.seqrelid::regclass, ${SEQUENCE_OPTIONS})
              FROM pg_depend p JOIN pg_sequence s ON s.seqrelid = p.objid
             WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype = 'i')
         WHEN a.attgenerated <> '' THEN format(' GENERATED ALWAYS AS (%s)%s', pg_get_expr(d.adbin, d.adrelid),
           CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END)
         WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END,
    CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END)`;

const TABLES = `
  SELECT format(E'CREATE %sTABLE %s (\\n%s\\n)%s;', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, c.oid::regclass,
    concat_ws(E',\\n',
      (SELECT string_agg(${COLUMN}, E',\\n' ORDER BY a.attnum)
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
      (SELECT string_agg(format('  CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), E',\\n' ORDER BY k.conname)
         FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c')),
    CASE WHEN c.reloptions IS NULL THEN '' ELSE format(' WITH (%s)', array_to_string(c.reloptions, ', ')) END) AS text
    FROM pg_class c WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind = 'r' AND ${OURS('pg_class', 'c.oid')}
   ORDER BY c.relname COLLATE "C"`;

const SEQUENCE_OWNERS = `
  SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I;', c.oid::regclass, d.refobjid::regclass, a.attname) AS text
    FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a' AND d.refobjsubid > 0
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind = 'S' ORDER BY c.oid`;

const CONSTRAINTS = (types: string): string => `
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s;', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) AS text
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
   WHERE k.connamespace = ${IN_SCHEMA} AND c.relkind = 'r' AND k.contype IN (${types}) AND ${OURS('pg_class', 'c.oid')}
   ORDER BY c.relname COLLATE "C", k.contype, k.conname`;
const KEYS = CONSTRAINTS(`'p', 'u', 'x'`);
const FOREIGN_KEYS = CONSTRAINTS(`'f'`);

const INDEXES = `
  SELECT pg_get_indexdef(i.indexrelid) || ';' AS text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_class x ON x.oid = i.indexrelid
   WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind = 'r' AND ${OURS('pg_class', 'c.oid')}
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
   ORDER BY x.relname COLLATE "C"`;

const STATISTICS = `
  SELECT pg_get_statisticsobjdef(s.oid) || ';' AS text FROM pg_statistic_ext s WHERE s.stxnamespace = ${IN_SCHEMA} ORDER BY s.oid`;

/** In the order in which they were made: a view comes after those that it reads. */
const VIEWS = `
  SELECT format(E'CREATE VIEW %s AS\\n%s', c.oid::regclass, pg_get_viewdef(c.oid)) AS text
    FROM pg_class c WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind = 'v' AND ${OURS('pg_class', 'c.oid')} ORDER BY c.oid`;

const TRIGGERS = `
  SELECT pg_get_triggerdef(t.oid) || ';' || CASE t.tgenabled WHEN 'O' THEN '' ELSE format(E'\\nALTER TABLE %s %s TRIGGER %I;', c.oid::regclass,
           CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname) END AS text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE NOT t.tgisinternal AND c.relnamespace = ${IN_SCHEMA} AND c.relkind IN ('r', 'v') ORDER BY c.relname COLLATE "C", t.tgname`;

const COMMENTS = `
  SELECT CASE WHEN d.objsubid > 0 THEN format('COMMENT ON COLUMN %s.%I IS %L;', c.oid::regclass, a.attname, d.description)
           ELSE format('COMMENT ON %s %s IS %L;', CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'INDEX' END,
             c.oid::regclass, d.description) END AS text
    FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
   WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind IN ('r', 'v', 'S', 'i') AND ${OURS('pg_class', 'c.oid')}
  UNION ALL
  SELECT format('COMMENT ON %s %s IS %L;', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure, d.description)
    FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid AND d.classoid = 'pg_proc'::regclass
   WHERE p.pronamespace = ${IN_SCHEMA} AND p.prokind IN ('f', 'p') AND ${OURS('pg_proc', 'p.oid')}
  UNION ALL
  SELECT format('COMMENT ON TRIGGER %I ON %s IS %L;', t.tgname, t.tgrelid::regclass, d.description)
    FROM pg_description d JOIN pg_trigger t ON t.oid = d.objoid AND d.classoid = 'pg_trigger'::regclass
    JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = ${IN_SCHEMA} AND NOT t.tgisinternal
  UNION ALL
  SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L;', k.conname, k.conrelid::regclass, d.description)
    FROM pg_description d JOIN pg_constraint k ON k.oid = d.objoid AND d.classoid = 'pg_constraint'::regclass
   WHERE k.connamespace = ${IN_SCHEMA} AND k.conrelid <> 0
   ORDER BY 1`;

const ROUTINE = `format('%s %s', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure)`;

/** Everybody may call a new function: those that are not for everybody say so again. */
const REVOKES = `
  SELECT format('REVOKE ALL ON %s FROM PUBLIC;', ${ROUTINE}) AS text FROM pg_proc p
   WHERE p.pronamespace = ${IN_SCHEMA} AND p.prokind IN ('f', 'p') AND ${OURS('pg_proc', 'p.oid')}
     AND p.proacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
   ORDER BY 1`;

/** Rights of other roles, where those roles exist: a new cluster may not have them yet. */
const GRANTS = `
  SELECT format(E'DO $droits$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %L) THEN\\n  GRANT %s%s ON %s TO %I%s;\\nEND IF; END $droits$;',
           r.rolname, g.privilege_type, CASE WHEN g.attname IS NULL THEN '' ELSE format(' (%I)', g.attname) END,
           g.objet, r.rolname, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS text
    FROM (SELECT c.oid::regclass::text AS objet, c.relowner AS proprietaire, NULL::name AS attname, (aclexplode(c.relacl)).* FROM pg_class c
           WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind IN ('r', 'v', 'S') AND ${OURS('pg_class', 'c.oid')}
          UNION ALL
          SELECT c.oid::regclass::text, c.relowner, a.attname, (aclexplode(a.attacl)).* FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
           WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind IN ('r', 'v') AND ${OURS('pg_class', 'c.oid')}
          UNION ALL
          SELECT ${ROUTINE}, p.proowner, NULL, (aclexplode(p.proacl)).* FROM pg_proc p
           WHERE p.pronamespace = ${IN_SCHEMA} AND p.prokind IN ('f', 'p') AND ${OURS('pg_proc', 'p.oid')}) g
    JOIN pg_roles r ON r.oid = g.grantee
   WHERE g.grantee <> g.proprietaire
   ORDER BY 1`;

async function sequenceValues(db: Queryable, schema: string): Promise<string[]> {
  const { rows } = await db.query<{ nom: string; litteral: string }>(
    `SELECT c.oid::regclass::text AS nom, quote_literal(c.oid::regclass::text) AS litteral FROM pg_class c
      WHERE c.relnamespace = ${IN_SCHEMA} AND c.relkind = 'S' AND ${OURS('pg_class', 'c.oid')} ORDER BY c.relname COLLATE "C"`,
    [schema],
  );
  const statements: string[] = [];
  for (const { nom, litteral } of rows) {
    const found = await db.query<{ last_value: string; is_called: boolean }>(
      `SELECT last_value::text, is_called FROM ${nom}`,
    );
    const { last_value, is_called } = found.rows[0]!;
    statements.push(`SELECT pg_catalog.setval(${litteral}, ${last_value}, ${is_called});`);
  }
  return statements;
}

async function texts(db: Queryable, sql: string, values: unknown[]): Promise<string[]> {
  const { rows } = await db.query<{ text: string }>(sql, values);
  return rows.map((row) => row.text);
}
