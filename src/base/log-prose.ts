import { FactoryTime } from './time.ts';

const MARKS: Readonly<Record<string, string>> = { warn: '⚠', error: '✖', fatal: '✖' };
/** What only programs need. */
const HIDDEN = new Set(['level', 'time', 'pid', 'msg', 'trace', 'span', 'hostname']);
/** Details that speak for themselves: their names would only be in the way. */
const BARE = new Set([
  'centre',
  'dossier',
  'fichier',
  'raison',
  'erreur',
  'motif',
  'ou',
  'source',
  'conseil',
]);

/**
 * A line of the log (JSON) as a person reads it: hour, what happened, details.
 *
 * @param fuseau IANA name of the zone of the hour
 */
export function proseLine(line: string, fuseau = 'UTC'): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const { time, level, msg } = entry;
  const at = new FactoryTime(fuseau).formatTime(Math.floor(Date.parse(String(time)) / 1000));
  return clean(`${at}  ${MARKS[String(level)] ?? ' '} ${String(msg)}${detailsOf(entry)}`);
}

/** The details of an entry, after a colon; nothing when there are none. */
function detailsOf(entry: Readonly<Record<string, unknown>>): string {
  const details = Object.entries(entry)
    .filter(([key, value]) => !HIDDEN.has(key) && value !== undefined && value !== null)
    .map(([key, value]) => {
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      return BARE.has(key) ? text : `${key} ${text}`;
    });
  return details.length === 0 ? '' : ` : ${details.join(' · ')}`;
}

/** Without characters that a terminal would obey. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu, ' ');
}
