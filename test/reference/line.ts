// One line -> blank, reject, event or other event. Rules 4 to 12 of docs/regles-journaux.md.

import { isTooLong, type Line } from './decode.ts';
import { parseStamp } from './time.ts';

export type Reason =
  | 'sans_separateur'
  | 'horodatage_invalide'
  | 'evenement_vide'
  | 'attente_sans_duree'
  | 'profil_incomplet'
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
      return { ...event, nom, duree: null, profil };
    }
    default:
      return { kind: 'other', stamp, nom: cut(nom, 200) }; // rule 11
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9' && char.length === 1;
}

function isPoint(char: string | undefined): boolean {
  return char === '.' || char === ',';
}

/** Where the digits that begin at `at` end. */
function endOfDigits(text: string, at: number): number {
  let end = at;
  while (isDigit(text[end])) end += 1;
  return end;
}

/** Rule 9: "no digit stands before it, no digit followed by `.` or `,`, and no `-`". */
function mayBeginNumber(text: string, at: number): boolean {
  if (isDigit(text[at - 1])) return false;
  if (isPoint(text[at - 1]) && isDigit(text[at - 2])) return false;
  return text[at - 1] !== '-';
}

/** Rule 9: the first *number, blanks or none, `sec`*; the text of the number or null. */
function numberBeforeSec(details: string): string | null {
  for (let at = 0; at < details.length; at += 1) {
    if (!isDigit(details[at]) || !mayBeginNumber(details, at)) continue;
    const whole = endOfDigits(details, at);
    const ends = [whole];
    if (isPoint(details[whole]) && isDigit(details[whole + 1])) ends.push(endOfDigits(details, whole + 1));
    for (const end of ends) {
      // trimStart removes exactly the blanks of rule 5.
      if (details.slice(end).trimStart().startsWith('sec')) return details.slice(at, end);
    }
  }
  return null;
}

/** Rule 9: microseconds, or null for `attente_sans_duree`. */
export function durationOf(details: string): bigint | null {
  const number = numberBeforeSec(details) ?? (/^[0-9]+[.,][0-9]+$/.test(details) ? details : null);
  if (number === null) return null;
  const [whole = '0', fraction = ''] = number.split(/[.,]/);
  // "kept to the microsecond, halves up": one digit more decides.
  const sixDigits = fraction.padEnd(6, '0').slice(0, 6);
  const seventh = Number(fraction[6] ?? '0');
  const microseconds = BigInt(whole + sixDigits) + (seventh >= 5 ? 1n : 0n);
  // "it must then be more than 0 and less than 10,000,000 s"
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
  const match = /^([0-9]{1,9})(?:[.,]([0-9]{1,6}))?$/.exec(value);
  if (match === null) return null;
  const [, whole = '', fraction = ''] = match;
  return decimal(BigInt(whole + fraction.padEnd(6, '0')), 6);
}

/** `units` of 10^-places as a decimal "without needless zeros": 12500000, 6 -> '12.5'. */
export function decimal(units: bigint, places: number): string {
  const digits = units.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const whole = digits.slice(0, -places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
