// S9: what of a password whoever guesses has on a list, counted sign by sign; what is refused for it: unit/mot-de-passe.test.ts.

import { describe, expect, test } from 'vitest';
import { horsDesExemples, partDevinable } from '../../src/api/auth/devinable.ts';
import { MOTS_DE_PASSE_D_EXEMPLE } from '../../src/api/schemas/mots-de-passe-exemple.ts';

const NOBODY = { username: '', email: '' };
/** How many signs of a text are on a list, between others that are on none. */
const found = (text: string, who = NOBODY): number => {
  const { couverts, libres } = partDevinable(`漢${text}字`, who);
  expect(couverts + libres).toBe([...text].length + 2);
  return couverts;
};

describe('words', () => {
  test.each([
    ...['password', 'soleil', 'atelier', 'SOLEIL', 'Sôléil', 'drowssap', 'lielos'],
    ...['passw0rd', 'so1eil', 'sole1l', 'sol3il', '4telier', 'pas5word', 'a7elier', '8onjour'],
    ...['p@ssword', 'pa$sword', 'so!eil', 'sole!l', 'sol€il', 'a+elier'],
  ])('plain, accented, disguised or backwards: %s', (word) => {
    expect(found(word)).toBe(word.length);
    expect(found(`${word}kv${word}`)).toBeGreaterThanOrEqual(2 * word.length);
  });

  test('only whole ones, and signs that stand for no letter of theirs are none', () => {
    for (const text of ['solexl', 'solei', 's6leil', 'sol£il'])
      expect([text, found(text)]).toEqual([text, 0]);
  });

  test('of the account itself: name and address, whole and in parts of three letters or more', () => {
    const who = { username: 'Zoé Brindavoine', email: 'q.kafkatz@xolwet.invalid' };
    for (const text of [
      'brindavoine',
      'zoe',
      'KAFKATZ',
      'xolwet',
      'invalid',
      'xolwet.invalid',
      'q.kafkatz',
      'zoé brindavoine',
    ])
      expect([text, found(text, who)]).toEqual([text, text.length]);
    for (const text of ['brindavoine', 'kafkatz', 'xolwet']) expect([text, found(text)]).toEqual([text, 0]);
    expect(found('ql', { username: 'ql', email: 'ql@ql.test' })).toBe(0);
    // An address without a sign between is one word all the same, and of several the last one counts.
    expect(found('brumfondle', { username: '', email: 'brumfondle' })).toBe(10);
    expect(found('fuxli', { username: '', email: '"a@b"@fuxli' })).toBe(5);
  });
});

describe('the keyboard', () => {
  test.each([
    ...['qsdfg', 'jklm', 'wxcv', 'asdf', 'zxcvb'],
    ...['zertyui', 'sdfghjk', 'xcvbn', 'wertyui', 'dfghjkl', 'xcvbnm', 'ertzuio', 'yxcvb'],
    ...[
      '&é"\'(',
      '-è_ç',
      '#$%^&*',
      '7890',
      '2zsx3e',
      '5tgb6y',
      '2wsx3e',
      '6yhn7u',
      'wzsxed',
      'azwsxe',
      'zsedrf',
      'wsedrf',
    ],
  ])('along a row or down a column, forwards and back: %s', (walk) => {
    expect(found(walk)).toBe([...walk].length);
    expect(found([...walk].reverse().join(''))).toBe([...walk].length);
  });

  test('from four keys on', () => {
    expect([found('zer'), found('dfg'), found('zert'), found('zertx')]).toEqual([0, 0, 4, 4]);
  });
});

describe('suites, repetitions, dates', () => {
  test.each<[string, number]>([
    ['mno', 3],
    ['onm', 3],
    ['mn', 0],
    ['mnp', 0],
    ['xxx', 3],
    ['xx', 0],
    ['!!!!', 4],
    // What comes again: the second time.
    ['wqxwqx', 3],
    ['wqxwq', 0],
    ['wqwq', 2],
    ['wqxwqxwq', 5],
    ['wqxtwqxt', 4],
  ])('%s: %i', (text, nombre) => {
    expect(found(text)).toBe(nombre);
  });

  test.each<[string, number]>([
    ['1987', 4],
    ['2031', 4],
    ['1887', 0],
    ['2187', 0],
    ['14/07/89', 8],
    ['14/07/1989', 10],
    ['14-07-89', 8],
    ['14.07.1989', 10],
    ['14 07 89', 8],
    ['140789', 6],
    ['01.01.01', 8],
    ['31/12/99', 8],
    ['29/10/96', 8],
    ['1989-07-14', 10],
    ['19890714', 8],
    ['2026/12/31', 10],
    ['2026.01.09', 10],
    ['2026 11 20', 10],
    ['1989/12/31', 10],
    ['1989/10/31', 10],
    ['1989/11/30', 10],
    ['32/07/89', 0],
    ['00/07/89', 0],
    ['14/13/89', 0],
    ['14/00/89', 0],
    ['14_07_89', 0],
  ])('a date is one however it is written: %s', (text, nombre) => {
    expect(found(text)).toBe(nombre);
  });

  test('signs beyond the basic plane are one each', () => {
    expect(found('🦊🐼🎈')).toBe(0);
    expect(found('🦊🦊🦊')).toBe(3);
    expect(found('🦊1987')).toBe(4);
  });
});

describe('examples of the documents', () => {
  test('what is not from one is counted, letters and signs that stand for letters', () => {
    for (const exemple of MOTS_DE_PASSE_D_EXEMPLE) {
      expect([exemple, horsDesExemples(exemple)]).toEqual([exemple, 0]);
      expect(horsDesExemples(`${exemple}xy`)).toBe(2);
      expect(horsDesExemples(`xy@${exemple}`)).toBe(3);
      // A sign that stands for no letter is nothing new.
      expect(horsDesExemples(`-${exemple}-x`)).toBe(1);
    }
    expect(horsDesExemples('wqxtwqxt')).toBe(8);
    expect(horsDesExemples('wq-xt')).toBe(5);
    expect(horsDesExemples('')).toBe(0);
  });
});
