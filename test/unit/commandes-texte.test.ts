import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plier, reparer, reparerPourChercher, sansNul } from '../../src/domain/commandes/texte.ts';
import { encodeTwice } from '../harness/erp-generator.ts';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿœæABCDEÀÂÇÉÈÊËÎÏÔÙÛÜŒÆß0123456789'];
const BETWEEN = [
  ' ',
  ', ',
  ' – ',
  ' : ',
  '’',
  '-',
  '\u00a0» ',
  ' «\u00a0',
  '… ',
  ' (',
  ') ',
  '° ',
  ' 👍 ',
  ' € ',
  '\n',
];

/** Text as people write it: words of French letters, French punctuation between them. */
const french = fc
  .array(
    fc.tuple(
      fc
        .array(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: 8 })
        .map((letters) => letters.join('')),
      fc.constantFrom(...BETWEEN),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.flat().join(''))
  // `Â°` and `Â’` are what twice-encoding leaves; no French word ends in a capital Â.
  .filter((text) => !/[ÂÃ][^\x00-\x7f]/.test(text) && !/â[^\x00-\x7f]{2}/.test(text));

describe('reparer', () => {
  test.each([
    ['PlanifiÃ©e', 'Planifiée'],
    ['PlanifiÃƒÂ©e', 'Planifiée'],
    ['VITRAGÃ‰', 'VITRAGÉ'],
    ['VITRAGÃ\u0089', 'VITRAGÉ'],
    ['lâ€™atelier', 'l’atelier'],
    ['Å“il', 'œil'],
    ['10Â°', '10°'],
    ['ðŸ‘\u008d', '👍'],
    ['ðŸš€ prÃªt', '🚀 prêt'],
    ['PlanifieÌ\u0081e', 'Planifie\u0301e'],
    ['12 â‚¬', '12 €'],
  ])('%j devient %j', (stored, meant) => expect(reparer(stored)).toBe(meant));

  test.each([
    'Planifiée',
    'VITRÉ…',
    '«\u00a0Planifiée\u00a0»',
    'jusqu’à\u00a0»',
    'ÂGE',
    'Â…',
    'PORTÉ»',
    'Véranda : PlanifiÃ©e é',
    'PlanifiÃ©e 👍',
    'Ã',
    '',
    '\ufffd',
    'ÉÉ «é» É»',
  ])('%j reste tel quel', (text) => expect(reparer(text)).toBe(text));

  test('ne change jamais un texte français correct', () => {
    fc.assert(
      fc.property(french, (text) => reparer(text) === text),
      { numRuns: 5000 },
    );
  });

  test.each(['latin1', 'cp1252'] as const)(
    'retrouve tout texte français encodé deux fois (%s)',
    (flavour) => {
      // A text whose only accents are rare ones leaves no pattern that is sure enough: it must hold a common one.
      fc.assert(
        fc.property(french, (text) => {
          const meant = `é ${text}`;
          expect(reparer(encodeTwice(meant, flavour))).toBe(meant);
        }),
        { numRuns: 3000 },
      );
    },
  );

  test('est idempotent sur tout texte', () => {
    const odd = fc
      .array(fc.constantFrom(...'ÃÂâðÅÌ©€™\u0083\u0089ŸŽ’“aé '), { maxLength: 12 })
      .map((c) => c.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          odd,
          fc.string({ unit: 'binary' }),
          odd.map((t) => encodeTwice(t, 'cp1252')),
        ),
        (text) => {
          const once = reparer(text);
          expect(reparer(once)).toBe(once);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test('un texte long reste rapide', () => {
    const start = performance.now();
    reparerPourChercher('Ãé'.repeat(50_000));
    reparerPourChercher('é'.repeat(200_000));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('recherche', () => {
  test('répare aussi morceau par morceau', () => {
    expect(reparerPourChercher('Véranda : cde PlanifiÃ©e')).toBe('Véranda : cde Planifiée');
    expect(reparerPourChercher('déjà correct')).toBe('déjà correct');
  });

  test('plie la casse et les accents, composés ou non', () => {
    expect(plier('ÇDÈ PLANÎFIE\u0301E ı ſ ß')).toBe('cde planifiee i s s');
  });

  test('retire les caractères nuls seulement', () => {
    expect(sansNul('a\0b\0')).toBe('ab');
    expect(sansNul('é 👍')).toBe('é 👍');
  });
});
