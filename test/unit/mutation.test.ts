// What mutation testing says of itself: figures, explanations, and the changes that it makes in SQL.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chiffresDe, lireResultats } from '../../scripts/mutation/bilan.ts';
import { DOMAINES, SEUIL } from '../../scripts/mutation/domaines.ts';
import { repartis } from '../../scripts/mutation/essayer.ts';
import { estSql, mutantsSql } from '../../scripts/mutation/sql.ts';
import { EXPLIQUES } from '../../scripts/mutation/survivants.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const resultats = lireResultats(root);

it('every area that was tried is above the threshold, and every survivor explained', () => {
  const tried = Object.keys(DOMAINES).flatMap((domaine) => {
    const chiffres = chiffresDe(domaine, resultats);
    return chiffres ? [{ domaine, ...chiffres }] : [];
  });
  expect(tried.filter(({ part }) => part < SEUIL)).toEqual([]);
  const open = Object.entries(resultats).filter(([, one]) => one.survivants > one.expliques);
  expect(open.map(([source]) => source)).toEqual([]);
});

it('what is tried is there, and what is explained too', () => {
  for (const groupe of Object.values(DOMAINES).flat())
    for (const name of [...groupe.sources, ...groupe.tests])
      expect(readFileSync(`${root}/${name}`, 'utf8'), name).not.toBe('');
  for (const { fichier, code } of EXPLIQUES) {
    const lines = readFileSync(`${root}/${fichier}`, 'utf8').split('\n');
    expect(
      lines.some((line) => line.trim() === code),
      `${fichier} : ${code}`,
    ).toBe(true);
  }
});

it('a sample is spread over the whole, each once, and never more than there is', () => {
  const all = Array.from({ length: 10 }, (_, i) => i);
  expect(repartis(all, 3)).toEqual([1, 5, 8]);
  expect(repartis(all, 10)).toEqual(all);
  expect(repartis(all, Number.POSITIVE_INFINITY)).toEqual(all);
  expect(new Set(repartis(all, 9)).size).toBe(9);
});

it('every area has a figure, and none says that more were tried than there are', () => {
  for (const domaine of Object.keys(DOMAINES)) expect(chiffresDe(domaine, resultats), domaine).toBeDefined();
  expect(Object.entries(resultats).filter(([, one]) => one.mutants > one.parmi)).toEqual([]);
});

describe('mutants of SQL', () => {
  it('of a boundary, a negation, a direction, a condition', () => {
    expect(mutantsSql(['SELECT a FROM t WHERE b <= $1 AND c IS NULL ORDER BY d DESC'])).toEqual([
      ['SELECT a FROM t WHERE b < $1 AND c IS NULL ORDER BY d DESC'],
      ['SELECT a FROM t WHERE b <= $1 AND c IS NOT NULL ORDER BY d DESC'],
      ['SELECT a FROM t WHERE b <= $1 AND c IS NULL ORDER BY d'],
      ['SELECT a FROM t WHERE (true OR (b <= $1)) AND c IS NULL ORDER BY d DESC'],
      ['SELECT a FROM t WHERE b <= $1 AND (true OR (c IS NULL)) ORDER BY d DESC'],
    ]);
  });

  it('keep what is put in, parentheses and constants whole', () => {
    expect(
      mutantsSql(['SELECT FROM t WHERE x IN (SELECT y FROM u WHERE z) AND ', " LIKE ' AND < %'"]),
    ).toEqual([
      ['SELECT FROM t WHERE (true OR (x IN (SELECT y FROM u WHERE z))) AND ', " LIKE ' AND < %'"],
      ['SELECT FROM t WHERE x IN (SELECT y FROM u WHERE (true OR (z))) AND ', " LIKE ' AND < %'"],
      ['SELECT FROM t WHERE x IN (SELECT y FROM u WHERE z) AND (true OR (', " LIKE ' AND < %'))"],
    ]);
  });

  it('are made of statements alone', () => {
    expect(estSql('SELECT 1')).toBe(true);
    expect(estSql('Le jeton a expiré.')).toBe(false);
  });
});
