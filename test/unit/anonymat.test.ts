// R18: what is only without names is not called anonymous; each list and export says what it is.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NATURES } from '../../src/api/ressource.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const below = (dir: string, ext: RegExp): string[] =>
  readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => ext.test(name) && !/node_modules/.test(name))
    .map((name) => `${dir}/${name.replaceAll('\\', '/')}`);

/** Where the word may stand, and why. */
const PERMIS: readonly (readonly [file: RegExp, line: RegExp, why: string])[] = [
  [/^docs\/rgpd\.md$/, /n’est anonyme au sens du G29|« Anonyme », pour un extrait/, 'says that nothing is'],
  [/^(docs\/conformite\.md|scripts\/.*)$/, /CNIL, anonymisation/, 'the requirement by its name'],
  [/^docs\/decisions\/0030/, /pseudonym/, 'says what a pseudonym is'],
  [/^src\/api\/ressource\.ts$/, /None is anonymous/, 'says that nothing is'],
  [/^src\/domain\/alertes\/feries\.ts$/, /computus/, 'the name of an algorithm'],
  [/^docker-compose\.yaml$/, /GF_AUTH_ANONYMOUS_ENABLED: 'false'/, 'a setting of Grafana'],
  [
    /^(schema\.sql|migrations\/0011.*)$/,
    /audit_maillon|journal_audit\.sel/,
    'lines cut from their account, in a migration that landed',
  ],
];

// Texts of commands, of the API and of settings are in `src`.
test('R18: the word stands nowhere but where it says that nothing is', () => {
  const files = [
    ...[
      'README.md',
      'LISEZMOI.md',
      'SECURITY.md',
      'CHANGELOG.md',
      '.env_exemple',
      'openapi.json',
      'schema.sql',
    ],
    ...['docker-compose.yaml', 'start.sh'],
    ...below('docs', /\.md$/),
    ...below('src', /\.(ts|md|html|css|js)$/),
    ...below('scripts', /\.ts$/),
    ...below('deploy', /\.(md|sql|json|ya?ml|sh|conf|service)$/),
    ...below('notebooks', /\.(ipynb|md)$/),
    ...below('migrations', /\.sql$/),
  ];
  const found: string[] = [];
  const needed = new Set<number>();
  for (const file of files) {
    for (const line of read(file).split('\n')) {
      if (!/anonym/i.test(line)) continue;
      const rule = PERMIS.findIndex(([where, what]) => where.test(file) && what.test(line));
      if (rule < 0) found.push(`${file}: ${line.trim().slice(0, 160)}`);
      else needed.add(rule);
    }
  }
  expect(files.length).toBeGreaterThan(300);
  expect(found).toEqual([]);
  expect(needed.size).toBeGreaterThan(3);
});

interface Operation {
  readonly description?: string;
  readonly parameters?: readonly { readonly name?: string }[];
}
const { paths } = JSON.parse(read('openapi.json')) as { paths: Record<string, { get?: Operation }> };
const lists = Object.entries(paths).filter(([, { get }]) =>
  (get?.parameters ?? []).some(({ name }) => name === 'format'),
);
const stats = Object.entries(paths).filter(([path]) => path.startsWith('/stats/'));
const natureOf = (operation: Operation): string | undefined =>
  Object.entries(NATURES).find(([, text]) => operation.description?.includes(text))?.[0];

test('R18: every list that can be exported, and every statistic, says what it says of persons', () => {
  expect(lists.length).toBeGreaterThan(9);
  expect(stats.length).toBeGreaterThan(1);
  for (const [path, { get }] of [...lists, ...stats]) expect(natureOf(get!), path).toBeDefined();
  for (const [path, { get }] of stats) expect(natureOf(get!), path).toBe('agrege');
});

test('R18: the register calls each of them the same', () => {
  const words = { agrege: 'agrégé', pseudonymise: 'pseudonymisé', sans_personne: 'ne parle de personne' };
  const rows = read('docs/rgpd.md')
    .split('\n')
    .filter((line) => line.startsWith('| `/'));
  for (const [path, { get }] of lists) {
    const noun = `/${path.split('/')[1]}/`;
    const row = rows.find((line) => line.includes(`\`${noun}\``));
    expect(row, path).toBeDefined();
    expect(row, path).toContain(words[natureOf(get!) as keyof typeof words]);
  }
});
