import { MOTS_DE_PASSE_D_EXEMPLE } from '../schemas/mots-de-passe-exemple.ts';
import { MOTS_COMMUNS } from './mots-communs.ts';

/** Letters as people disguise them: what a sign may stand for. */
const DISGUISES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'il',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'il',
  '€': 'e',
  '+': 't',
};

/** Keys that lie side by side: rows of French, English and German keyboards, then zigzags down their columns. */
const WALKS: readonly string[] = [
  ...['azertyuiop', 'qsdfghjklm', 'wxcvbn'],
  ...['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm'],
  ...['&e"\'(-e_ca)=', '!@#$%^&*()_+', '01234567890'],
  ...['1aqw2zsx3edc4rfv5tgb6yhn7uj', '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik'],
  ...['aqwzsxedcrfvtgbyhnuj', 'qazwsxedcrfvtgbyhnujmik', 'aqzsedrftgyhujik', 'qawsedrftgyhujikolp'],
];
const SHORTEST_WALK = 4;
const YEAR = /(?:19|20)\d\d/g;
const DATE =
  /(?:0[1-9]|[12]\d|3[01])[-/. ]?(?:0[1-9]|1[0-2])[-/. ]?(?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d[-/. ]?(?:0[1-9]|1[0-2])[-/. ]?(?:0[1-9]|[12]\d|3[01])/g;

/**
 * How much of a password whoever guesses has on a list: common words (also disguised, accented or backwards), the
 * account's own name and address, walks over the keyboard, suites, repetitions, years and dates.
 *
 * @returns characters (code points) that are part of such a thing, and those that are not
 */
export function partDevinable(
  mdp: string,
  titulaire: { username: string; email: string },
): { couverts: number; libres: number } {
  const text = [...mdp].map(plain);
  const covered = new Set<number>();
  const cover = (start: number, length: number): void => {
    for (let i = start; i < start + length; i++) covered.add(i);
  };
  for (const word of [...MOTS_COMMUNS, ...contextWords(titulaire)]) coverWord(text, word, cover);
  coverWalks(text, cover);
  coverSuites(text, cover);
  coverRepetitions(text, cover);
  const joined = text.join('');
  for (const pattern of [YEAR, DATE]) {
    // Each element of `text` is one UTF-16 unit, so offsets agree.
    for (const match of joined.matchAll(pattern)) cover(match.index, match[0].length);
  }
  return { couverts: covered.size, libres: text.length - covered.size };
}

/**
 * Characters (code points) of a password that are not from an example of the documents, whatever stands between its words
 * or in the place of its number; all of them when it has nothing of any.
 */
export function horsDesExemples(mdp: string): number {
  const text = [...mdp].map(plain);
  const covered = new Set<number>();
  for (const exemple of MOTS_DE_PASSE_D_EXEMPLE) {
    const word = [...exemple].map(plain).filter((c) => LETTER.test(c));
    const bare = word.filter((c) => !/\d/.test(c));
    for (const part of [word, bare, word.toReversed(), bare.toReversed()])
      for (let i = 0; i < text.length; i++) for (const at of placesDe(part, text, i) ?? []) covered.add(at);
  }
  if (covered.size === 0) return text.length;
  return text.filter((c, i) => !covered.has(i) && (LETTER.test(c) || c in DISGUISES)).length;
}

const LETTER = /[\p{L}\p{N}]/u;

/** Where a word stands in a text, from a place on, with any signs between its letters; undefined: it does not. */
function placesDe(word: readonly string[], text: readonly string[], from: number): number[] | undefined {
  const places: number[] = [];
  let at = from;
  for (const wanted of word) {
    const fits = (c: string): boolean => c === wanted || DISGUISES[c]?.includes(wanted) === true;
    // A sign that stands for the letter is the letter; another one is something between two.
    while (places.length > 0 && at < text.length && !fits(text[at]!) && !LETTER.test(text[at]!)) {
      places.push(at++);
    }
    if (at >= text.length || !fits(text[at]!)) return undefined;
    places.push(at++);
  }
  return places;
}

/** A character in lower case and without accent, always one UTF-16 unit. */
function plain(character: string): string {
  const base = character.normalize('NFKD').toLowerCase();
  // Beyond the basic plane (emoji) the halves would not line up; the low half still tells two of them apart.
  return base.length > 1 && /[\ud800-\udbff]/.test(base[0]!) ? base[1]! : base[0]!;
}

/** Words that belong to the account or its workplace: the name and address, whole and in parts. */
function contextWords({ username, email }: { username: string; email: string }): string[] {
  const at = email.lastIndexOf('@');
  const [local, domain] = at < 0 ? [email, ''] : [email.slice(0, at), email.slice(at + 1)];
  const words = [
    username,
    local,
    domain,
    ...[username, local, domain].flatMap((s) => s.split(/[^\p{L}\p{N}]+/u)),
  ];
  const plained = words.map((word) => [...word.normalize('NFC').trim()].map(plain).join(''));
  return [...new Set(plained)].filter((word) => word.length >= 3);
}

type Cover = (start: number, length: number) => void;

function coverWord(text: readonly string[], word: string, cover: Cover): void {
  const at = (start: number, step: 1 | -1): boolean => {
    for (let k = 0; k < word.length; k++) {
      const seen = text[start + k]!;
      const wanted = word[step === 1 ? k : word.length - 1 - k]!;
      if (seen !== wanted && !DISGUISES[seen]?.includes(wanted)) return false;
    }
    return true;
  };
  for (let i = 0; i + word.length <= text.length; i++) {
    if (at(i, 1) || at(i, -1)) cover(i, word.length);
  }
}

function coverWalks(text: readonly string[], cover: Cover): void {
  for (const walk of WALKS) {
    for (const keys of [walk, [...walk].reverse().join('')]) {
      for (let i = 0; i + SHORTEST_WALK <= text.length; i++) {
        let length = SHORTEST_WALK;
        if (!keys.includes(text.slice(i, i + length).join(''))) continue;
        while (i + length < text.length && keys.includes(text.slice(i, i + length + 1).join(''))) length++;
        cover(i, length);
      }
    }
  }
}

/** abcd, 4321, and the same sign again and again. */
function coverSuites(text: readonly string[], cover: Cover): void {
  for (const step of [-1, 0, 1]) {
    let start = 0;
    for (let i = 1; i <= text.length; i++) {
      const goes = i < text.length && text[i]!.charCodeAt(0) - text[i - 1]!.charCodeAt(0) === step;
      if (goes) continue;
      if (i - start >= 3) cover(start, i - start);
      start = i;
    }
  }
}

/** What was there already just before: of `xyzxyz`, the second half. */
function coverRepetitions(text: readonly string[], cover: Cover): void {
  for (let period = 2; period * 2 <= text.length; period++) {
    let same = 0;
    for (let i = period; i <= text.length; i++) {
      if (i < text.length && text[i] === text[i - period]) {
        same++;
        continue;
      }
      if (same >= period) cover(i - same, same);
      same = 0;
    }
  }
}
