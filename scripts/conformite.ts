import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Exigence, REFERENTIELS } from './conformite/exigences.ts';
import { sectionMutation } from './mutation/bilan.ts';

/** Numbers of faults, attacks, rules and operations in a title; `O6-O8` stands for three of them. */
function numbersOf(title: string): string[] {
  return [...title.matchAll(/\b([FSRO])(\d{1,2})(?:-[FSRO]?(\d{1,2}))?\b/g)].flatMap(
    ([, letter, first, last]) => {
      const [from, to] = [Number(first), Number(last ?? first)];
      return Array.from({ length: Math.max(1, to - from + 1) }, (_, i) => `${letter}${from + i}`);
    },
  );
}

/** A group of tests or a test, and its title. */
const TITLE = /\b(?:test|it|describe)\b[^'"`\n]*\(\s*(['"`])((?:(?!\1).)*)\1/g;

/** Test files by the numbers in their first line and in the titles of their tests and groups, with how many have each. */
function essais(root: string): Map<string, Map<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.test.ts') || name.includes('node_modules')) continue;
    const text = readFileSync(join(root, name), 'utf8');
    const file = name.replaceAll('\\', '/');
    const titles = [...text.matchAll(TITLE)].map(([, , title]) => title!);
    for (const title of [/^\/\/ .*/.exec(text)?.[0] ?? '', ...titles]) {
      for (const number of numbersOf(title)) {
        const files = found.get(number) ?? new Map<string, number>();
        found.set(number, files.set(file, (files.get(file) ?? 0) + 1));
      }
    }
  }
  return found;
}

/** At most this many files of a number are named. */
const NOMMES = 3;

/**
 * The page of what is asked by rules and shown by tests.
 *
 * @throws Error when a requirement names a number that no test has: what was shown must not cease to be, unseen
 */
export function pageConformite(root: string): string {
  const byNumber = essais(join(root, 'test'));
  const missing: string[] = [];
  const line = (exigence: Exigence): string => {
    const { id, demande, reperes, ecart, absente } = exigence;
    for (const repere of reperes) if (!byNumber.has(repere)) missing.push(`${id} : ${repere}`);
    if (!absente && reperes.length === 0) missing.push(`${id} : aucun repère`);
    const files = new Map<string, number>();
    for (const repere of reperes)
      for (const [file, count] of byNumber.get(repere) ?? []) files.set(file, (files.get(file) ?? 0) + count);
    const named = [...files].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([file]) => file);
    const where = named
      .slice(0, NOMMES)
      .map((file) => `\`${file.replace('.test.ts', '')}\``)
      .join(', ');
    const more =
      named.length > NOMMES
        ? ` et ${named.length - NOMMES} autre${named.length - NOMMES > 1 ? 's' : ''}`
        : '';
    const etat = absente ? `**non tenue** : ${ecart}` : ecart ? `tenue, avec un écart : ${ecart}` : 'tenue';
    return `| ${id} | ${demande} | ${reperes.join(' ') || '-'} | ${where}${more || (where ? '' : '-')} | ${etat} |`;
  };
  const page = [
    '# Conformité',
    '',
    'Fait par `npm run generate` à partir de `scripts/conformite/exigences.ts` et des titres des essais. « Tenue » veut dire :',
    'des essais qui portent ces repères (S attaques, R règles du RGPD, O exploitation) passent avant toute livraison. Ce n’est',
    'ni un audit ni un certificat. Un repère qu’aucun essai ne porte plus fait échouer `npm run check`.',
    '',
    ...REFERENTIELS.flatMap(({ nom, note, exigences }) => [
      `## ${nom}`,
      '',
      note,
      '',
      '| exigence | ce qu’elle demande | repères | essais | état |',
      '|---|---|---|---|---|',
      ...exigences.map(line),
      '',
    ]),
    ...sectionMutation(root),
  ].join('\n');
  if (missing.length > 0)
    throw new Error(`docs/conformite.md : aucun essai ne porte ces repères : ${missing.join(' ; ')}`);
  return page;
}
