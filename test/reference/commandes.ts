/**
 * The orders' contract once more, read on its own: everything in memory, nothing clever, no code shared with src.
 * What it says is right; what src says must be equal.
 */
import type { ErpOrder } from '../harness/erp-generator.ts';

export interface CommandeAttendue {
  numero_commande: string;
  extension: string;
  status: string;
  date_modification: string;
  coffre: string;
  coffres: string[];
  gestion_en_stock: number;
}

const HOLES: Record<number, string> = {};
for (let byte = 0x80; byte < 0xa0; byte++)
  HOLES[byte] = new TextDecoder('windows-1252').decode(Uint8Array.of(byte));

/** Byte of a character under latin1 or cp1252, -1 when it has none. */
function byteOf(char: string): number {
  const code = char.codePointAt(0)!;
  if (code < 256) return code;
  for (const [byte, high] of Object.entries(HOLES)) if (high === char) return Number(byte);
  return -1;
}

/** The text whose bytes these characters are, or null when they are no valid UTF-8 as a whole. */
function back(text: string): string | null {
  const bytes = Array.from(text, byteOf);
  if (bytes.includes(-1)) return null;
  const decoded = Buffer.from(bytes).toString('utf8');
  return Buffer.from(decoded, 'utf8').equals(Buffer.from(bytes)) ? decoded : null;
}

/** Whole text encoded twice, or more often: undone; any other text stays. Looks for the usual Ã, Â, Å, Ì, â, ð. */
function undo(text: string): string {
  const previous = /[ÃÂÅÌâð][^\x00-\x7f]/.test(text) ? back(text) : null;
  if (previous === null || previous === text || /\p{Cc}/u.test(previous.replaceAll('\0', ''))) {
    // An intermediate layer may hold control characters; give it one more chance.
    const deeper = previous === null || previous === text ? null : back(previous);
    return deeper === null || deeper === previous ? text : undo(deeper);
  }
  return undo(previous);
}

function simple(text: string): string {
  return Array.from(text.normalize('NFD'))
    .filter((char) => !/\p{Mn}/u.test(char))
    .join('')
    .toLowerCase();
}

/** A text contains words when it does as it is, as a whole undone, or with each odd run undone by itself. */
function says(text: string | null, words: string): boolean {
  if (text === null) return false;
  const readings = [text, undo(text), text.replaceAll(/[^\x00-\x7f]+/g, (run) => undo(run))];
  return readings.some((reading) => simple(reading).includes(words));
}

function realDay(datum: string | null): string | null {
  const day = datum?.slice(0, 10) ?? '';
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === day ? day : null;
}

const codePoints = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The rows that the table must hold, sorted by number and extension. */
export function commandesAttendues(orders: readonly ErpOrder[]): CommandeAttendue[] {
  const candidates: (CommandeAttendue & { id: string })[] = [];
  for (const { kopf, logbuch, zubeh, vorgang } of orders) {
    const notes = logbuch.filter((note) => says(note.Notiz, 'cde planifiee'));
    const days = notes.map((note) => realDay(note.Datum)).filter((day) => day !== null);
    const status = ['planifiee', 'lancer en prod', 'vitrage'].some((words) => says(kopf.AufStatus, words));
    const starts = ['sop', 's p ', 's d ', 's q ', 's t ', 's tab ', 's tn '];
    const boxes = zubeh
      .map((row) => row.ZCode)
      .filter((code) => code !== null)
      .filter((code) => starts.some((start) => simple(code).indexOf(start) === 0))
      .map((code) => code.split('\0').join(''));
    if (days.length === 0 || !status || boxes.length === 0 || kopf.AuNummer === null) continue;
    const coffres = [...new Set(boxes)].sort(codePoints);
    candidates.push({
      id: kopf.ID,
      numero_commande: `${kopf.AuNummer}`,
      extension: (kopf.AuAlpha ?? '').split('\0').join(''),
      status: undo(kopf.AufStatus!).split('\0').join('').trim(),
      date_modification: days.sort().at(-1)!,
      coffre: coffres[0]!,
      coffres,
      gestion_en_stock: vorgang.some((row) => row.Nummer !== null && simple(row.Nummer).includes('vr'))
        ? 1
        : 0,
    });
  }
  // Best first within a number and extension: in stock, then the later day, then the smaller key.
  candidates.sort(
    (a, b) =>
      codePoints(a.numero_commande, b.numero_commande) ||
      codePoints(a.extension, b.extension) ||
      b.gestion_en_stock - a.gestion_en_stock ||
      codePoints(b.date_modification, a.date_modification) ||
      codePoints(a.id, b.id),
  );
  const rows: CommandeAttendue[] = [];
  for (const { id: _id, ...row } of candidates) {
    const last = rows.at(-1);
    if (last?.numero_commande === row.numero_commande && last.extension === row.extension) continue;
    rows.push(row);
  }
  return rows;
}
