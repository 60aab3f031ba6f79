// O3, O4: what a migration may do to tables that are in use, and full. Others read and write them meanwhile, by the
// program of the version before, too: nothing that it uses goes away, and nobody waits for long.

import { describe, expect, it } from 'vitest';
import { readMigrations } from '../../src/postgres/migrate.ts';

/** What to do instead. A table that the same migration makes is nobody's yet: anything goes. */
const REGLES: readonly { readonly nom: string; readonly motif: RegExp; readonly mieux: string }[] = [
  {
    nom: 'retrait',
    motif: /^DROP (TABLE|VIEW|FUNCTION|TYPE|SEQUENCE)|^ALTER TABLE[\s\S]*\bDROP (COLUMN|CONSTRAINT)/,
    mieux: 'the version before still uses it: take it away one version later',
  },
  {
    nom: 'renommage',
    motif: /^ALTER[\s\S]*\bRENAME\b/,
    mieux: 'the version before knows the old name: add the new one, take the old one away a version later',
  },
  {
    nom: 'type',
    motif: /^ALTER TABLE[\s\S]*\bALTER (COLUMN )?\w+ (SET DATA )?TYPE\b/,
    mieux: 'rewrites the table while nobody may read it: add a column, fill it, change over',
  },
  {
    nom: 'obligatoire',
    motif:
      /^ALTER TABLE[\s\S]*(\bSET NOT NULL\b|\bADD (COLUMN )?(?!CONSTRAINT)\w+ [^,]*NOT NULL(?![^,]*DEFAULT)(?<!DEFAULT[^,]*))/,
    mieux: 'what the version before writes has none: give it a DEFAULT',
  },
  {
    nom: 'controle',
    motif:
      /^ALTER TABLE[\s\S]*\bADD (CONSTRAINT \w+ )?(CHECK|FOREIGN KEY|UNIQUE|PRIMARY KEY|EXCLUDE)\b(?![\s\S]*NOT VALID)/,
    mieux:
      'reads the whole table while nobody may write: NOT VALID, then VALIDATE CONSTRAINT in the next migration',
  },
  {
    nom: 'index',
    motif: /^CREATE (UNIQUE )?INDEX/,
    mieux: 'nobody may write meanwhile: only on tables that stay small',
  },
  {
    nom: 'réécriture',
    motif: /^(UPDATE|DELETE FROM)\b/,
    mieux: 'holds every row to the end of the migration: only on tables that stay small',
  },
  {
    nom: 'verrou',
    motif: /^(TRUNCATE|LOCK|VACUUM FULL|CLUSTER|REINDEX)\b|\bCONCURRENTLY\b/,
    mieux: 'locks everybody out, or cannot run inside a transaction',
  },
  {
    nom: 'anneau',
    motif: /(?!)/,
    mieux:
      'changes several tables that are in use: LOCK TABLE of all of them first, or requests die in deadlocks',
  },
];

/** What was decided with open eyes: `migration rule table`, and why it harms nobody. */
const PESES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['piece_production', 'periode_attente', 'periode_arret', 'job_profil', 'ligne_rejetee'].map((table) => [
      `0004_api.sql index ${table}`,
      'before anybody ran it for real',
    ]),
  ),
  '0004_api.sql anneau': 'before anybody ran it for real',
  '0005_planification.sql retrait execution': 'the same check, wider: what was allowed stays so',
  '0005_planification.sql controle execution': 'a few thousand rows: CONSERVATION_EXECUTIONS',
  '0005_planification.sql index execution': 'a few thousand rows: CONSERVATION_EXECUTIONS',
  '0006_alertes.sql réécriture fichier_log_version': 'a row for each file received',
  '0006_alertes.sql obligatoire fichier_log_version': 'has a DEFAULT; a row for each file received',
  '0006_alertes.sql index fichier_log_version': 'a row for each file received',
  '0007_conservation.sql index fichier_log_version': 'a row for each file received',
  '0007_conservation.sql réécriture ligne_rejetee':
    'quarantine is small; an import that waits goes on afterwards',
  '0008_journaux_lignes.sql retrait ligne_rejetee': 'the same check, wider: what was allowed stays so',
  '0008_journaux_lignes.sql controle ligne_rejetee':
    'quarantine is small; an import that waits goes on afterwards',
  '0009_reception_jours.sql réécriture fichier_log_jour': 'a row for each day of a file received',
};

/** Statements without comments, texts and bodies of functions. */
function instructions(sql: string): string[] {
  return sql
    .replaceAll(/--[^\n]*/g, '')
    .replaceAll(/(\$\w*\$)[\s\S]*?\1/g, "''")
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .split(';')
    .map((text) => text.replaceAll(/\s+/g, ' ').trim())
    .filter((text) => text !== '');
}

const TABLE =
  /^(?:ALTER TABLE|DROP TABLE|TRUNCATE(?: TABLE)?|LOCK(?: TABLE)?|DELETE FROM|UPDATE)(?: IF EXISTS)?(?: ONLY)? "?(\w+)|^CREATE (?:UNIQUE )?INDEX.*? ON "?(\w+)/i;

/** Dangers of a migration's text: `rule table`. */
function dangers(sql: string): string[] {
  const found = new Set<string>();
  const own = new Set<string>();
  const all = instructions(sql);
  // Locks at the head are what keeps a migration out of rings of locks.
  while (all[0]?.startsWith('LOCK TABLE')) all.shift();
  const old = new Set<string>();
  for (const text of all) {
    const made = /^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)/.exec(text)?.[1];
    if (made) own.add(made);
    const match = TABLE.exec(text);
    const table = match?.[1] ?? match?.[2] ?? '';
    if (own.has(table)) continue;
    const locked = /^(ALTER TABLE|CREATE TRIGGER)/.test(text)
      ? table || /\bON "?(\w+)/.exec(text)?.[1]
      : undefined;
    if (locked && !own.has(locked)) old.add(locked);
    for (const { nom, motif } of REGLES) if (motif.test(text)) found.add(`${nom} ${table}`.trim());
  }
  if (old.size > 1 && !instructions(sql)[0]!.startsWith('LOCK TABLE')) found.add('anneau');
  return [...found];
}

const MIGRATIONS = readMigrations();

it.each(MIGRATIONS)('O4: $nom does nothing dangerous that was not weighed', ({ nom, sql }) => {
  const found = dangers(sql).map((danger) => `${nom} ${danger}`);
  const advice = found
    .filter((danger) => PESES[danger] === undefined)
    .map((danger) => `${danger}: ${REGLES.find((rule) => danger.includes(` ${rule.nom}`))?.mieux}`);
  expect(advice).toEqual([]);
});

it('O4: nothing was weighed that is not there', () => {
  const found = MIGRATIONS.flatMap(({ nom, sql }) => dangers(sql).map((danger) => `${nom} ${danger}`));
  expect(Object.keys(PESES).filter((danger) => !found.includes(danger))).toEqual([]);
});

describe('the rules', () => {
  it.each([
    ['ALTER TABLE a DROP COLUMN b', 'retrait a'],
    ['DROP TABLE a', 'retrait a'],
    ['ALTER TABLE a RENAME COLUMN b TO c', 'renommage a'],
    ['ALTER TABLE a RENAME TO c', 'renommage a'],
    ['ALTER TABLE a ALTER COLUMN b TYPE bigint', 'type a'],
    ['ALTER TABLE a ALTER b SET DATA TYPE text', 'type a'],
    ['ALTER TABLE a ALTER COLUMN b SET NOT NULL', 'obligatoire a'],
    ['ALTER TABLE a ADD COLUMN b int NOT NULL', 'obligatoire a'],
    ['ALTER TABLE a ADD b int NOT NULL CHECK (b > 0)', 'obligatoire a'],
    ['ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)', 'controle a'],
    ['ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d)', 'controle a'],
    ['CREATE UNIQUE INDEX i ON a (b)', 'index a'],
    ['UPDATE a SET b = 1', 'réécriture a'],
    ['UPDATE c SET d = 1; LOCK TABLE a', 'verrou a'],
    ['ALTER TABLE a ADD b int; ALTER TABLE c ADD d int', 'anneau'],
    ['CREATE INDEX CONCURRENTLY i ON a (b)', 'index a'],
  ])('%s', (sql, danger) => {
    expect(dangers(`-- why\n${sql};`)).toContain(danger);
    expect(dangers(`CREATE TABLE a (b int); CREATE TABLE c (d int); ${sql};`)).toEqual([]);
  });

  it.each([
    'ALTER TABLE a ADD COLUMN b int, ADD COLUMN c text NOT NULL DEFAULT 0',
    'ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID',
    'ALTER TABLE a VALIDATE CONSTRAINT c',
    'LOCK TABLE a, c; ALTER TABLE a ADD b int; ALTER TABLE c ADD d int',
    "COMMENT ON TABLE a IS 'DROP TABLE a; UPDATE a SET b'",
    'CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM a; END $$',
    'CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()',
  ])('harmless: %s', (sql) => expect(dangers(`${sql};`)).toEqual([]));
});
