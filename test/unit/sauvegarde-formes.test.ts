// R25: a backup is believed about rows, never obeyed: only the statements that atelier writes are played.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readMigrations } from '../../src/postgres/migrate.ts';
import { lireConnues } from '../../src/postgres/sauvegarde/connues.ts';
import { ENTETE, Formes } from '../../src/postgres/sauvegarde/formes.ts';
import { decouper } from '../../src/postgres/sauvegarde/jetons.ts';

const formes = new Formes('public');
const corps = (nom: string): string =>
  lireConnues(
    readMigrations()
      .map(({ sql }) => sql)
      .join('\n'),
  ).fonctions.findLast((one) => one.nom === nom)!.corps;

describe('forms that are refused', () => {
  it.each([
    `COPY public.piece_production FROM PROGRAM 'id';`,
    `COPY public.piece_production TO '/tmp/x';`,
    `DO $$ BEGIN PERFORM 1; END $$;`,
    `DO $droits$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'a') THEN\n  GRANT a TO b;\nEND IF; END $droits$;`,
    `DO $droits$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'a') THEN\n  GRANT SELECT ON public.x TO b;\nEND IF; END $droits$;`,
    `CREATE OR REPLACE FUNCTION public.f()\n RETURNS trigger\n LANGUAGE plpgsql\nAS $function$ BEGIN RETURN NULL; END $function$;`,
    `CREATE OR REPLACE FUNCTION public.proteger_audit()\n RETURNS trigger\n LANGUAGE plpgsql\nAS $function$ BEGIN RETURN NULL; END $function$;`,
    `CREATE TRIGGER t AFTER INSERT ON public.centre_usinage FOR EACH ROW EXECUTE FUNCTION public.annoncer_changement();`,
    `CREATE TRIGGER audit_protege BEFORE UPDATE ON public."user" FOR EACH ROW EXECUTE FUNCTION public.proteger_audit();`,
    `CREATE TABLE public.x (a text DEFAULT pg_read_file('/etc/passwd'));`,
    `CREATE TABLE public.x (a text DEFAULT "pg_read_file"('/etc/passwd'));`,
    `CREATE TABLE public.x (a text DEFAULT pg_catalog.pg_read_file('/etc/passwd'));`,
    `CREATE TABLE public.x (a text DEFAULT pg_read_file\n('/etc/passwd'));`,
    `CREATE TABLE public.x (a int, CONSTRAINT c CHECK (autre.f(a)));`,
    `CREATE TABLE public.x (a int) AS SELECT 1;`,
    `CREATE TABLE autre.x (a int);`,
    `CREATE TABLE x (a int);`,
    `CREATE TABLE public.x (a int) INHERITS (public.y);`,
    `CREATE TABLE public.x (a text DEFAULT U&'\\0061');`,
    `CREATE TABLE public.x (a int /* */);`,
    `CREATE TABLE public.x (a int -- \n);`,
    `CREATE TEMPORARY TABLE public.x (a int);`,
    `CREATE INDEX i ON public.x USING btree (lo_import('/etc/passwd'));`,
    `CREATE INDEX i ON autre.x USING btree (a);`,
    `CREATE VIEW public.v AS SELECT rolpassword FROM pg_authid;`,
    `CREATE VIEW public.v AS SELECT * FROM dblink('host=x', 'SELECT 1');`,
    `CREATE VIEW public.v AS SELECT a OPERATOR(public.=) a FROM public.x;`,
    `CREATE RULE r AS ON INSERT TO public.x DO ALSO SELECT 1;`,
    `CREATE EXTENSION dblink;`,
    `ALTER TABLE public.journal_audit DISABLE TRIGGER audit_protege;`,
    `ALTER TABLE public.x OWNER TO autre;`,
    `ALTER TABLE public.x ADD COLUMN a text;`,
    `ALTER SYSTEM SET archive_command = 'id';`,
    `ALTER ROLE atelier SUPERUSER;`,
    `SET session_authorization = 'postgres';`,
    `SELECT pg_catalog.set_config('search_path', 'autre', false);`,
    `SELECT pg_catalog.setval('public.x', 1, true), pg_reload_conf();`,
    `SELECT pg_terminate_backend(1);`,
    `INSERT INTO public."user" VALUES (1);`,
    `DROP TABLE public.x;`,
    `COMMENT ON TABLE public.x IS 'a'; DROP TABLE public.x;`,
    `COMMENT ON ROLE x IS 'a';`,
    `\\! id\n;`,
    `GRANT ALL ON public.x TO PUBLIC;`,
    `CREATE TABLE public.x (a int)`,
  ])('%s', (sql) => {
    expect(() => formes.lire(sql)).toThrow();
  });

  it.each([
    `COPY "public"."x" ("a") FROM PROGRAM 'id';`,
    `COPY "autre"."x" ("a") FROM stdin;`,
    `COPY "public"."x" ("a") FROM stdin; DROP TABLE x;`,
    `COPY "public"."x" FROM stdin;`,
    `COPY (SELECT 1) TO '/tmp/x';`,
  ])('%s', (line) => {
    expect(() => formes.copie(line)).toThrow();
  });
});

describe('forms that are admitted', () => {
  it.each([
    ...ENTETE.map((line) => `${line};`),
    `CREATE TYPE public.humeur AS ENUM ('bien', 'pas ''bien''');`,
    `CREATE SEQUENCE public.suite AS bigint START WITH 7 INCREMENT BY 5 MINVALUE 1 MAXVALUE 9 CACHE 1 CYCLE;`,
    `CREATE UNLOGGED TABLE public.x (\n  a numeric(10,2) DEFAULT 0,\n  "Mot Clé" text COLLATE "C" NOT NULL,\n  CONSTRAINT k CHECK ((a = ANY (ARRAY[1, 2])))\n) WITH (fillfactor=70);`,
    `ALTER TABLE public.x ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES public."user"(id) ON DELETE CASCADE;`,
    `ALTER SEQUENCE public.suite OWNED BY public.x."Mot Clé";`,
    `CREATE VIEW public.v AS\n SELECT a, count(*) AS n\n   FROM public.x\n  GROUP BY a;`,
    `COMMENT ON FUNCTION public.annoncer(text, bigint[]) IS E'a\\\\b;''c';`,
    `SELECT pg_catalog.setval('public."Suite"', 3, true);`,
  ])('%s', (sql) => {
    expect(formes.lire(sql)).toEqual([{ sql: sql.slice(0, -1) }]);
  });

  it('of a function and a trigger the text of the program is played, not that of the backup', () => {
    const [made] = formes.lire(
      `CREATE OR REPLACE FUNCTION public.proteger_audit()\n RETURNS trigger\n LANGUAGE c\n SECURITY DEFINER\nAS $function$${corps('proteger_audit')}$function$;`,
    );
    expect(made!.sql).toContain('LANGUAGE plpgsql');
    expect(made!.sql).not.toMatch(/SECURITY|LANGUAGE c/);
    const [trigger] = formes.lire(
      `CREATE TRIGGER audit_fait BEFORE UPDATE ON public.journal_audit FOR EACH ROW WHEN (false) EXECUTE FUNCTION public.proteger_fait_audit();`,
    );
    expect(trigger!.sql).toContain('OLD.instant IS DISTINCT FROM NEW.instant');
  });

  it('a right is taken out of its block', () => {
    const [one] = formes.lire(
      `DO $droits$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'Lecteur') THEN\n  GRANT UPDATE ("Mot Clé") ON public.x TO "Lecteur" WITH GRANT OPTION;\nEND IF; END $droits$;`,
    );
    expect(one).toMatchObject({
      sql: 'GRANT UPDATE ("Mot Clé") ON public.x TO "Lecteur" WITH GRANT OPTION',
      role: 'Lecteur',
    });
  });
});

it('every function and every trigger of the migrations is known', () => {
  const folder = new URL('../../migrations/', import.meta.url);
  for (const { nom } of readMigrations()) {
    const sql = readFileSync(new URL(nom, folder), 'utf8').replaceAll(/--.*$/gm, '');
    const { fonctions, declencheurs } = lireConnues(sql);
    expect(fonctions.length, nom).toBe(
      (sql.match(/CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)/g) ?? []).length,
    );
    expect(declencheurs.length, nom).toBe((sql.match(/CREATE (CONSTRAINT )?TRIGGER/g) ?? []).length);
    for (const { sql: text } of declencheurs) expect(text).not.toMatch(/%[^I]|%I[\s\S]*%I|''/);
  }
});

it('statements are taken apart as PostgreSQL does', () => {
  const texts = (sql: string): string[] => decouper(sql).map(({ texte }) => texte);
  expect(texts(`-- x; y\n\nA 'b;''c' "d;""e" $q$;'$q$ E'\\';' ;\nF;`)).toEqual([
    `A 'b;''c' "d;""e" $q$;'$q$ E'\\';' `,
    'F',
  ]);
});
