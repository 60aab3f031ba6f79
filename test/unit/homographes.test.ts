import { expect, test } from 'vitest';
import { refusNom } from '../../src/api/auth/politique.ts';
import { squelettes } from '../../src/base/homographes.ts';

/** Whether two accounts may have these names: both are names, and they look different. */
const ensemble = (a: string, b: string): boolean =>
  refusNom(a) === undefined &&
  refusNom(b) === undefined &&
  !squelettes(a).some((one) => squelettes(b).includes(one));

test.each([
  ['Marie', 'rnarie'],
  ['MARIE', 'rnarie'],
  ['Walter', 'vvalter'],
  ['jean-paul', 'jean\u2010paul'],
  ['jean-paul', 'jean\u2011paul'],
  ['jean-paul', 'jean\u2013paul'],
  ['jean-paul', 'jean\u2212paul'],
  ['jean-paul', 'jean一paul'],
  ["o'neil", 'o’neil'],
  ["o'neil", 'o\u02bcneil'],
  ["o'neil", 'o´neil'],
  ['marie', 'mari℮'],
  ['alice', '⍺lice'],
  ['alice', 'a∣ice'],
  ['xavier', '×avier'],
])('S26 homographs, whatever the case, the dash, the apostrophe: %s and %s are not two accounts', (a, b) => {
  expect([ensemble(a, b), ensemble(b, a)]).toEqual([false, false]);
});

test.each([
  ['Neil', 'Nell'],
  ['Alain', 'Allan'],
  ['Marie', 'Maria'],
  ['jean-paul', 'jean paul'],
  ["d'Arc", 'darc'],
  ['poste n°3', 'poste n°4'],
  ['élise', 'elise'],
  ['C++', 'C'],
  ['山田 一郎', '山田 二郎'],
])('%s and %s are', (a, b) => {
  expect([ensemble(a, b), ensemble(b, a)]).toEqual([true, true]);
});
