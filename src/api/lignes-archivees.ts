import { ByteLines, type OnLine } from '../domain/journal/byte-lines.ts';
import { decodeBytes, type Encoding } from '../domain/journal/encoding.ts';
import { cut } from '../domain/journal/line-grammar.ts';
import type { Masquage } from '../domain/journal/masquage.ts';
import { Utf16Lines } from '../domain/journal/utf16-lines.ts';

/** Longest text that is given of a line, in characters: as much as the quarantine keeps. */
const MAX_TEXTE = 2_000;
/** Bytes of a longer line that rules of masking look at behind that. */
const LOOKAHEAD = 4_096;

/** A line as it stands in the bytes of a version. */
export interface LigneLue {
  /** offset of its first byte in the version */
  readonly octet: number;
  /** bytes, its ending included */
  readonly longueur: number;
  /** decoded, without NULs and ending, at most 2,000 characters, as it may be shown */
  readonly texte: string;
  /** whether the line is longer than its text */
  readonly coupe: boolean;
}

/**
 * Finds lines by number, counted as the parser counts them (docs/regles-journaux.md, rules 1 to 4). Reads no further
 * than the last of them, in constant memory whatever the length of a line.
 *
 * @param voulues line numbers, from 1
 * @param regles what must not be shown of them
 * @returns by line number; those beyond the end are absent
 */
export async function lireLignes(
  pieces: AsyncIterable<Buffer>,
  encodage: Encoding,
  voulues: ReadonlySet<number>,
  regles: Masquage | undefined,
): Promise<Map<number, LigneLue>> {
  const found = new Map<number, LigneLue>();
  let number = 0;
  let octet = encodage.bom;
  const take = (longueur: number, text: () => { texte: string; coupe: boolean }): void => {
    number++;
    if (voulues.has(number)) found.set(number, { octet, longueur, ...text() });
    octet += longueur;
  };
  const wide = encodage.name === 'utf-16le' || encodage.name === 'utf-16be';
  const onLine: OnLine = (bytes, start, end, raw) =>
    take(raw, () => shortBytes(bytes, start, end, wide ? 'utf-8' : encodage.name, regles));
  const cutter = wide
    ? new Utf16Lines(encodage.name as 'utf-16le' | 'utf-16be', onLine)
    : new ByteLines(onLine);
  let bom = encodage.bom;
  for await (const piece of pieces) {
    const skipped = Math.min(bom, piece.length);
    bom -= skipped;
    cutter.push(piece.subarray(skipped));
    if (found.size === voulues.size) return found;
  }
  cutter.end();
  return found;
}

function shortBytes(
  bytes: Buffer,
  start: number,
  end: number,
  encodage: Encoding['name'],
  regles: Masquage | undefined,
): { texte: string; coupe: boolean } {
  // No character takes more than four bytes: what is beyond is cut in any case.
  const most = (MAX_TEXTE + 1) * 4 + (regles ? LOOKAHEAD : 0);
  const text = decodeBytes(bytes, start, Math.min(end, start + most), encodage);
  const shown = regles?.poser(text)?.texte ?? text;
  const texte = cut(shown, MAX_TEXTE);
  // Masks may make a long line short: what was not looked at is missing all the same.
  return { texte, coupe: texte.length < shown.length || end - start > most };
}
