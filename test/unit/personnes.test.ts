// R19: machines are measured, not people. Nothing that is stored or answered has a place for who was at the machine.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');

/** How the field, the machines (Dutch) and the ERP (German) call people. */
const PERSONNE =
  /operat(?:eur|or)|opérateur|ouvrier|salari|employ|matricule|badge|personn|conducteur|bediener|bediende|medewerker|benutzer|mitarbeiter|worker_id|shift_lead/i;
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

/** Every name of a property, at any depth. */
function properties(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const name of Object.keys((value as Schema).properties ?? {})) found.add(name);
  for (const child of Object.values(value)) properties(child, found);
  return found;
}

test('R19: no column of the schema is for a person at a machine', () => {
  const columns = [...read('schema.sql').matchAll(/^ +"?([a-z_]+)"? [a-z]/gm)].map(([, name]) => name!);
  expect(columns.length).toBeGreaterThan(150);
  expect(columns.filter((name) => PERSONNE.test(name))).toEqual([]);
});

test('R19: no answer, filter or route of the API is about a person at a machine', () => {
  const document = JSON.parse(read('openapi.json')) as {
    paths: Record<string, Record<string, Operation>>;
    components: unknown;
  };
  const names = [...properties(document)];
  const parameters = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).flatMap(({ parameters: list }) => (list ?? []).map(({ name }) => name)),
  );
  expect(names.length).toBeGreaterThan(100);
  expect(parameters.length).toBeGreaterThan(100);
  const all = [...names, ...parameters, ...Object.keys(document.paths)];
  expect(all.filter((name) => PERSONNE.test(name))).toEqual([]);
});

test('R19: statistics are grouped by nothing finer than a centre and a day', () => {
  const { paths } = JSON.parse(read('openapi.json')) as { paths: Record<string, Record<string, Operation>> };
  const stats = Object.entries(paths).filter(([path]) => path.startsWith('/stats/'));
  expect(stats.length).toBeGreaterThan(0);
  for (const [path, { get }] of stats) {
    const filters = (get?.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
    expect(
      filters.filter((name) => /heure|minute|equipe|session_id|poste/.test(name)),
      path,
    ).toEqual([]);
  }
});

test('R19: rules of masking leave no trace of whom they hid: no table, column, answer or metric is about them', () => {
  const schema = read('schema.sql');
  const names = [...schema.matchAll(/^(?:CREATE TABLE "?([a-z_]+)"?| +"?([a-z_]+)"? [a-z])/gm)].map(
    ([, table, column]) => table ?? column!,
  );
  expect(names.filter((name) => /masqu|pseudo|alias/.test(name))).toEqual([]);
  const document = JSON.parse(read('openapi.json')) as { paths: object; components: unknown };
  expect(
    [...properties(document), ...Object.keys(document.paths)].filter((name) => /masqu|pseudo/.test(name)),
  ).toEqual([]);
});

test('R19: figures have no finer grain than a centre and a day, in statistics, lists and metrics', () => {
  const document = JSON.parse(read('openapi.json')) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  const { schemas } = document.components;
  const known = new Set([
    ...['centre_usinage_id', 'nom', 'type_cu', 'nombre_sessions', 'jours_avec_deux_origines', 'total_pieces'],
    ...['duree_production_totale', 'temps_production_effectif', 'temps_attente', 'temps_arret_volontaire'],
    ...['taux_occupation_moyen', 'taux_occupation', 'par_jour', 'date_production', 'origine', 'session_id'],
  ]);
  for (const name of ['ProductionDeCentre', 'ProductionDeCentreParJour']) {
    expect(schemas[name], name).toBeDefined();
    expect(
      [...properties(schemas[name])].filter((field) => !known.has(field)),
      name,
    ).toEqual([]);
  }
  // A session is one centre and one production day, whatever is asked for.
  expect(read('schema.sql')).toMatch(
    /session_production_\w+ UNIQUE \([^)]*centre_usinage_id[^)]*date_production[^)]*\)/,
  );
  const finer = /heure|minute|equipe|poste|shift|hour/;
  const params = (document.paths['/sessions/']?.['get']?.parameters ?? []).map(({ name }) => name);
  expect(params.length).toBeGreaterThan(5);
  expect(params.filter((name) => finer.test(name))).toEqual([]);
  // Labels of metrics.
  const metrics = ['src/base/metrics.ts', 'src/postgres/registre-etat.ts', 'src/postgres/mesures.ts']
    .map(read)
    .join('\n');
  const labels = [...metrics.matchAll(/labelNames: \[([^\]]*)\]/g)].flatMap(([, list]) =>
    [...list!.matchAll(/'(\w+)'/g)].map(([, label]) => label!),
  );
  expect(labels.length).toBeGreaterThan(5);
  expect(
    labels.filter((label) => PERSONNE.test(label) || finer.test(label) || /user|compte/.test(label)),
  ).toEqual([]);
});

test('R19: dashboards ask for nothing about a person, and for nothing finer than a centre and a day', () => {
  const queries: string[] = [];
  const texts: string[] = [];
  const walk = (value: unknown, key = ''): void => {
    if (typeof value === 'string') (['rawSql', 'expr'].includes(key) ? queries : texts).push(value);
    else if (typeof value === 'object' && value !== null)
      for (const [name, child] of Object.entries(value)) walk(child, name);
  };
  walk(JSON.parse(read('deploy/grafana/dashboards/atelier.json')));
  expect(queries.filter((text) => text.startsWith('SELECT')).length).toBeGreaterThan(5);
  expect(queries.filter((text) => !text.startsWith('SELECT')).length).toBeGreaterThan(10);
  expect([...queries, ...texts].filter((text) => PERSONNE.test(text))).toEqual([]);
  expect(texts.filter((text) => /par heure|par minute/i.test(text))).toEqual([]);
  // When something began or ended, by the hour or the minute, is for accounts, not for a screen in the hall.
  const finer =
    /date_(?:trunc|bin|part)\('(?:hour|minute)|timestamp_\w+ AS|extract\((?:hour|minute)|"user"|audit/i;
  expect(queries.filter((text) => finer.test(text))).toEqual([]);
});
