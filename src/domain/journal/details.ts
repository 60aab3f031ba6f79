import type { Profil } from './events.ts';

// Rule 9: a number stands neither behind a digit, nor behind a digit and a decimal sign, nor behind a minus.
const SECONDS = /(?<!\d)(?<!\d[.,])(?<!-)(\d+(?:[.,]\d+)?)\s*sec/;
const ONLY_DECIMAL = /^(\d+[.,]\d+)$/;
/** A wait as long as this (115 days) is no wait. */
const MAX_WAIT_SECONDS = 10_000_000;

const LENGTH = /^(\d+)(?:[.,](\d+))?$/;
const KEY = /(^|\s)([A-Z]):/g;

/**
 * Duration of a `MachineWait` in microseconds (rule 9).
 *
 * @returns undefined when the details hold no usable duration (`attente_sans_duree`)
 */
export function parseWait(details: string): number | undefined {
  const match = SECONDS.exec(details) ?? ONLY_DECIMAL.exec(details);
  if (!match) return undefined;
  const [whole = '', fraction = ''] = match[1]!.split(/[.,]/);
  const seconds = whole.replace(/^0+(?=\d)/, '');
  if (seconds.length > 7) return undefined;
  const digits = fraction.padEnd(7, '0');
  const micros = Number(seconds) * 1e6 + Number(digits.slice(0, 6)) + (digits[6]! >= '5' ? 1 : 0);
  return micros > 0 && micros < MAX_WAIT_SECONDS * 1e6 ? micros : undefined;
}

/**
 * The profile that a `JobProfiel` names (rule 10).
 *
 * @returns undefined without a reference or a length (`profil_incomplet`)
 */
export function parseProfile(details: string): Profil | undefined {
  const values = new Map<string, string>();
  let key: string | undefined;
  let start = 0;
  const keep = (end: number): void => {
    if (key !== undefined && !values.has(key)) values.set(key, details.slice(start, end).trim());
  };
  for (const match of details.matchAll(KEY)) {
    keep(match.index);
    key = match[2]!;
    start = match.index + match[0].length;
  }
  keep(details.length);
  const reference = values.get('R');
  const longueur = parseLength(values.get('L') ?? '');
  if (!reference || longueur === undefined) return undefined;
  return { reference, longueur, couleur: values.get('C') || null };
}

function parseLength(text: string): string | undefined {
  const match = LENGTH.exec(text);
  if (!match) return undefined;
  const [, whole = '', fraction = ''] = match;
  if (whole.length > 9 || fraction.length > 6) return undefined;
  const decimals = fraction.replace(/0+$/, '');
  const integer = whole.replace(/^0+(?=\d)/, '');
  return decimals ? `${integer}.${decimals}` : integer;
}
