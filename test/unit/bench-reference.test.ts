// O22: a run of the bench is compared with the one that was kept, by ratios alone.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { comparer, disparus, type Ratio, readReference } from '../../bench/lib/reference.ts';

const small = (valeur: number): Ratio => ({ nom: 'import / floor', valeur, mieux: 'petit' });
const large = (valeur: number): Ratio => ({ nom: 'ours / bare', valeur, mieux: 'grand' });

describe('O22: worse is', () => {
  it.each<[string, Ratio, Ratio, boolean]>([
    ['a cost that grew beyond the threshold', small(2), small(3.01), true],
    ['a speed that fell below it', large(0.9), large(0.59), true],
    ['not one that stayed within it', small(2), small(2.9), false],
    ['not a gain, however large', small(2), small(0.1), false],
    ['not a faster one', large(0.5), large(5), false],
    ['no figure at all', small(2), small(Number.NaN), true],
  ])('%s', (_, before, now, worse) => {
    expect(comparer([now], [before]).map(({ pire }) => pire)).toEqual([worse]);
  });

  it('not what nobody measured before; what nobody measures any more is named', () => {
    expect(comparer([small(9)], [])).toEqual([
      { nom: 'import / floor', avant: undefined, maintenant: 9, facteur: undefined, pire: false },
    ]);
    expect(disparus([small(9)], [small(2), large(1)])).toEqual(['ours / bare']);
  });
});

describe('O22: what is kept', () => {
  const kept = readReference();

  it.each(Object.entries(kept))(
    '%s: figures that a machine does not change, each one once',
    (_, { ratios }) => {
      for (const { nom, valeur } of ratios) {
        expect(valeur).toBeGreaterThan(0);
        expect(nom).not.toMatch(/, (ms|s)$|\/s$/);
      }
      expect(new Set(ratios.map(({ nom }) => nom)).size).toBe(ratios.length);
    },
  );

  it('is of measurements whose sections are in RESULTS.md', () => {
    const results = readFileSync(join(import.meta.dirname, '../../bench/RESULTS.md'), 'utf8');
    for (const [title, { le }] of Object.entries(kept)) {
      expect(results).toContain(`## ${title}, ${le.replace('T', ' ')} UTC`);
    }
  });

  it('bench/comparer.ts refuses a name that it does not know', async () => {
    const code = await new Promise((resolve) => {
      execFile(process.execPath, [join(import.meta.dirname, '../../bench/comparer.ts'), 'rien'], (error) =>
        resolve(error?.code ?? 0),
      );
    });
    expect(code).toBe(1);
  });
});
