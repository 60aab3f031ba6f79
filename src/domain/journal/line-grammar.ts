import { dayNumber, isDate } from '../../base/time.ts';
import type { Raison } from './events.ts';

/** Longest line that is read, in bytes without NULs and without its ending (rule 4). */
export const MAX_LINE = 65_536;

/** A decoded line, read by the general grammar (rules 5 to 8). */
export type LineReading =
  | { readonly kind: 'blank' }
  /** `stamp` is there when the time stamp was valid: it still counts for the repeated hour (rule 13) */
  | { readonly kind: 'reject'; readonly raison: Raison; readonly stamp: Stamp | undefined }
  | { readonly kind: 'event'; readonly stamp: Stamp; readonly event: string; readonly details: string };

/** A wall clock reading. */
export interface Stamp {
  readonly day: number;
  readonly secondOfDay: number;
}

const STAMP = /^(\d{4})(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)$/;
const NOT_ASCII = /[^\0-\x7f]/g;

/**
 * Reads one line of text, without its ending and without NULs. This is the exact, slow way; the byte
 * parser takes a shorter one for lines of the usual layout and must come to the same reading.
 */
export function readLine(text: string): LineReading {
  if (text.trim() === '') return { kind: 'blank' };
  const bar = text.indexOf('|@');
  if (bar < 0) return { kind: 'reject', raison: 'sans_separateur', stamp: undefined };
  const stamp = readStamp(text.slice(0, bar).replace(NOT_ASCII, '').trim());
  if (!stamp) return { kind: 'reject', raison: 'horodatage_invalide', stamp: undefined };
  const rest = text.slice(bar + 2);
  const colon = rest.indexOf(':');
  const event = (colon < 0 ? rest : rest.slice(0, colon)).trim();
  if (event === '') return { kind: 'reject', raison: 'evenement_vide', stamp };
  return { kind: 'event', stamp, event, details: colon < 0 ? '' : rest.slice(colon + 1).trim() };
}

function readStamp(text: string): Stamp | undefined {
  const match = STAMP.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  return { day: dayNumber(year, month, day), secondOfDay: hour * 3600 + minute * 60 + second };
}

/** At most `limit` characters (code points) of a text, never half of one. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  let end = 0;
  for (let count = 0; count < limit && end < text.length; count++)
    end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return text.slice(0, end);
}
