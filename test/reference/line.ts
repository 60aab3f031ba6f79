// One line -> blank, reject, event or other event. Rules 4 to 12 of docs/regles-journaux.md.

import { isTooLong, type Line } from './decode.ts';
import { parseStamp } from './time.ts';

export type Reason =
  | 'sans_separateur'
  | 'horodatage_invalide'
  | 'evenement_vide'
  | 'attente_sans_duree'
  | 'profil_incomplet'
  | 'profil_trop_long'
  | 'ligne_collee'
  | 'ligne_trop_longue';

export type Profile = { reference: string; longueur: string; couleur: string | null };

export type EventName = 'StukUitgevoerd' | 'MachineWait' | 'MachineStop' | 'MachineStart' | 'JobProfiel';

/** `stamp` is the valid stamp of the line, or null: rule 13 wants it "whatever became of" the line. */
export type ParsedLine =
  | { kind: 'blank'; stamp: null }
  | { kind: 'reject'; stamp: Temporal.PlainDateTime | null; raison: Reason; texte: string }
  | { kind: 'other'; stamp: Temporal.PlainDateTime; nom: string }
  | {
      kind: 'event';
      stamp: Temporal.PlainDateTime;
      nom: EventName;
      details: string | null;
      /** MachineWait only: microseconds. */
      duree: bigint | null;
      /** JobProfiel only. */
      profil: Profile | null;
    };

/** "cut at N characters (code points)" */
export function cut(text: string, codePoints: number): string {
  return [...text].slice(0, codePoints).join('');
}

export function parseLine(line: Line): ParsedLine {
  const { texte } = line;
  const reject = (raison: Reason, stamp: Temporal.PlainDateTime | null): ParsedLine => {
    return { kind: 'reject', stamp, raison, texte: cut(texte, 2_000) }; // rule 12
  };

  if (line.collee) {
    // Rule 3a: whole, whatever it holds; rule 13 wants its stamp as that of any line.
    const { stamp } = parseLine({ ...line, collee: false });
    return reject('ligne_collee', stamp);
  }
  if (isTooLong(line)) return reject('ligne_trop_longue', null); // rule 4: "whatever it holds (blanks too)"
  if (texte.trim() === '') return { kind: 'blank', stamp: null }; // rule 5

  // Rule 6
  const separator = texte.indexOf('|@');
  if (separator === -1) return reject('sans_separateur', null);

  // Rule 7: characters above U+007F are dropped, then blanks at both ends.
  const before = [...texte.slice(0, separator)].filter((char) => (char.codePointAt(0) ?? 0) <= 0x7f).join('');
  const stamp = parseStamp(before.trim());
  if (stamp === null) return reject('horodatage_invalide', null);

  // Rule 8
  const after = texte.slice(separator + '|@'.length);
  const colon = after.indexOf(':');
  const nom = (colon === -1 ? after : after.slice(0, colon)).trim();
  const details = colon === -1 ? '' : after.slice(colon + 1).trim();
  if (nom === '') return reject('evenement_vide', stamp);

  const event = { kind: 'event', stamp, details: details === '' ? null : details } as const;
  switch (nom) {
    case 'StukUitgevoerd':
    case 'MachineStop':
    case 'MachineStart':
      return { ...event, nom, duree: null, profil: null };
    case 'MachineWait': {
      const duree = durationOf(details);
      if (duree === null) return reject('attente_sans_duree', stamp);
      return { ...event, nom, duree, profil: null };
    }
    case 'JobProfiel': {
      const profil = profileOf(details);
      if (profil === null) return reject('profil_incomplet', stamp);
      if ([...profil.reference].length > 64 || [...(profil.couleur ?? '')].length > 200)
        return reject('profil_trop_long', stamp);
      return { ...event, nom, duree: null, profil };
    }
    default:
      return { kind: 'other', stamp, nom: cut(nom, 200) }; // rule 11
  }
}

// Rule 9, read from left to right by tokens: numbers, words, blanks, and single signs.
type Token = { kind: 'number' | 'word' | 'blank' | 'sign'; text: string };

function tokensOf(details: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /(?<number>[0-9]+)|(?<word>\p{L}+)|(?<blank>\s+)|(?<sign>.)/gsu;
  for (const { groups = {} } of details.matchAll(pattern)) {
    const [kind = 'sign', text = ''] = Object.entries(groups).find(([, value]) => value !== undefined) ?? [];
    tokens.push({ kind: kind as Token['kind'], text });
  }
  return tokens;
}

/** A number as a fraction of two integers. */
type Ratio = { units: bigint; of: bigint; whole: number; fraction: number };

/** Rule 9: digits, or groups of three parted by a blank, with a decimal part or not; or a decimal part alone. */
export function numberOf(text: string): Ratio | null {
  const plain = /^([0-9]*)(?:[.,]([0-9]+))?$/;
  const grouped = /^([0-9]{1,3}(?:\s[0-9]{3})+)(?:[.,]([0-9]+))?$/;
  const match = plain.exec(text) ?? grouped.exec(text);
  if (match === null || text === '') return null;
  const whole = (match[1] ?? '').replaceAll(/\s/g, '');
  const fraction = match[2] ?? '';
  return {
    units: BigInt(`0${whole}${fraction}`),
    of: 10n ** BigInt(fraction.length),
    whole: whole.length,
    fraction: fraction.length,
  };
}

/** Rule 9: the number that ends with token `last`: where it begins, or null when that is only the end of something. */
function beginOfNumber(tokens: Token[], last: number): number | null {
  const kind = (at: number): string => tokens[at]?.kind ?? 'none';
  const text = (at: number): string => tokens[at]?.text ?? '';
  const isPoint = (at: number): boolean => text(at) === '.' || text(at) === ',';
  let first = last;
  let leading = last;
  if (isPoint(last - 1)) {
    first = kind(last - 2) === 'number' ? last - 2 : last - 1;
    leading = first;
  }
  // The integer part may go on to the left by blanks of one character between groups of three.
  if (kind(leading) === 'number') {
    while (text(leading).length === 3 && kind(leading - 1) === 'blank' && kind(leading - 2) === 'number') {
      if ([...text(leading - 1)].length > 1) return null;
      leading -= 2;
    }
    if (leading < first && text(leading).length > 3) return null;
    first = leading;
  }
  // What stands before must not make it the end of something.
  const before = tokens[first - 1];
  if (before === undefined) return first;
  if (before.text === '-' || before.text === '−') return null;
  if (before.kind === 'blank') return kind(first - 2) === 'number' ? null : first;
  if (before.kind === 'word' && !/^[eE]$/.test(before.text)) return first;
  return kind(first - 2) === 'number' ? null : first;
}

const HOUR = /^(h|hr|hrs|hour|hours|u|uur|uren|heure|heures|std|stunde|stunden)$/i;
const MINUTE = /^(min|mins|minute|minutes|minuut|minuten|mn)$/i;
const OTHER = /^(m|d|day|days|dag|dagen|j|jour|jours|tag|tage)$/i;
const AND = /^(en|et|and|und)$/i;

/** Rule 9: microseconds, or null for `attente_sans_duree`. */
export function durationOf(details: string): bigint | null {
  const tokens = tokensOf(details);
  const kind = (at: number): string => tokens[at]?.kind ?? 'none';
  const text = (at: number): string => tokens[at]?.text ?? '';
  const backOverBlank = (at: number): number => (kind(at) === 'blank' ? at - 1 : at);

  // "The first number that `sec` follows"
  const sec = tokens.findIndex(
    (token, at) =>
      token.kind === 'word' && token.text.startsWith('sec') && kind(backOverBlank(at - 1)) === 'number',
  );
  if (sec === -1) {
    const number = numberOf(details);
    return number !== null && number.fraction > 0 ? rounded([[number, 1n]]) : null;
  }

  const parts: [Ratio, bigint][] = [];
  const take = (last: number, unit: bigint): number | null => {
    const first = beginOfNumber(tokens, last);
    const number =
      first === null
        ? null
        : numberOf(
            tokens
              .slice(first, last + 1)
              .map((t) => t.text)
              .join(''),
          );
    if (number === null) return null;
    parts.push([number, unit]);
    return first;
  };
  let first = take(backOverBlank(sec - 1), 1n);
  // Minutes, then hours, right before: blanks, one of `,` `+` `&` or a word for *and* between.
  for (let smaller = 1n; first !== null; ) {
    let at = backOverBlank(first - 1);
    if ([',', '+', '&'].includes(text(at)) && at >= 0) at = backOverBlank(at - 1);
    else if (kind(at) === 'word' && AND.test(text(at)) && /^(\s+|\.)$/.test(text(at - 1)))
      at = backOverBlank(at - 1);
    if (text(at) === '.') at -= 1;
    const last = backOverBlank(at - 1);
    if (kind(at) !== 'word' || kind(last) !== 'number') break;
    const unit = HOUR.test(text(at))
      ? 3_600n
      : MINUTE.test(text(at))
        ? 60n
        : OTHER.test(text(at))
          ? 0n
          : null;
    if (unit === null) break;
    if (unit <= smaller) return null;
    first = take(last, unit);
    smaller = unit;
  }
  if (first === null) return null;
  // Hours or minutes elsewhere before: nobody knows whether they count.
  const apart = tokens.some((token, at) => {
    const isUnit = token.kind === 'word' && (HOUR.test(token.text) || MINUTE.test(token.text));
    return at < (first ?? 0) && isUnit && kind(backOverBlank(at - 1)) === 'number';
  });
  return apart ? null : rounded(parts);
}

/** "kept to the microsecond, halves up; it must then be more than 0 and less than 10,000,000 s" */
function rounded(parts: [Ratio, bigint][]): bigint | null {
  // "Of hours and minutes at most 9 digits behind the point are read."
  if (parts.some(([number, unit]) => unit > 1n && number.fraction > 9)) return null;
  const of = parts.reduce((product, [number]) => product * number.of, 1n);
  const units = parts.reduce((sum, [number, unit]) => sum + (number.units * unit * of) / number.of, 0n);
  const microseconds = (units * 2_000_000n + of) / (2n * of);
  if (microseconds <= 0n || microseconds >= 10_000_000n * 1_000_000n) return null;
  return microseconds;
}

/** Rule 10: the values of the keys, the first of several equal keys. */
function keysOf(details: string): Map<string, string> {
  const starts: number[] = [];
  for (let at = 0; at < details.length; at += 1) {
    const isKey = /^[A-Z]$/.test(details[at] ?? '') && details[at + 1] === ':';
    const afterBlank = at === 0 || (details[at - 1] ?? '').trim() === '';
    if (isKey && afterBlank) starts.push(at);
  }
  const values = new Map<string, string>();
  starts.forEach((start, index) => {
    const end = starts[index + 1] ?? details.length;
    const key = details[start] ?? '';
    // The blank before the next key goes with the trim.
    if (!values.has(key)) values.set(key, details.slice(start + 2, end).trim());
  });
  return values;
}

/** Rule 10: the profile, or null for `profil_incomplet`. */
export function profileOf(details: string): Profile | null {
  const keys = keysOf(details);
  const reference = keys.get('R') ?? '';
  const longueur = lengthOf(keys.get('L') ?? '');
  if (reference === '' || longueur === null) return null;
  const couleur = keys.get('C') ?? '';
  return { reference, longueur, couleur: couleur === '' ? null : couleur };
}

/** Rule 10: "a number as above and nothing else, of at most 9 digits before and 6 after the point". */
function lengthOf(value: string): string | null {
  const number = numberOf(value);
  if (number === null || number.whole > 9 || number.fraction > 6) return null;
  return decimal((number.units * 1_000_000n) / number.of, 6);
}

/** `units` of 10^-places as a decimal "without needless zeros": 12500000, 6 -> '12.5'. */
export function decimal(units: bigint, places: number): string {
  const digits = units.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const whole = digits.slice(0, -places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
