import { dayNumber, type FactoryTime, isDate } from '../../base/time.ts';
import { parseProfile, parseWait } from './details.ts';
import { decodeBytes, type Encoding } from './encoding.ts';
import type { AutreEvenement, Compte, Evenement, Genre, Profil, Raison, Rejet } from './events.ts';
import { cut, readLine } from './line-grammar.ts';
import { emptyCount, NameTally } from './tally.ts';
import { Utf16Lines } from './utf16-lines.ts';

/** Longest line that is read, in bytes without NULs and without its ending (rule 4). */
export const MAX_LINE = 65_536;
/** Longest text that a reject keeps, in characters. */
const MAX_REJECT_TEXT = 2_000;

/** Where the parser puts what it finds, in file order. */
export interface Sink {
  evenement(evenement: Evenement): void;
  rejet(rejet: Rejet): void;
}

/** What is known once all bytes were read. */
export interface Reading {
  readonly compte: Compte;
  readonly autres: Map<string, AutreEvenement>;
  /** earliest and latest valid stamp, seconds since the epoch; undefined without any */
  readonly premier: number | undefined;
  readonly dernier: number | undefined;
}

const LF = 10;
const CR = 13;
const COLON = 0x3a;
const BAR = 0x7c;
const AT = 0x40;
const SPACE = 0x20;

/**
 * Reads the bytes of one file version, given in any number of pieces, in constant memory
 * (docs/regles-journaux.md). Lines of the usual layout, `YYYYMMDD HH:MM:SS|@Name`, are read from the bytes;
 * everything else goes through the general grammar of `line-grammar.ts`.
 */
export class LogParser {
  readonly #time: FactoryTime;
  readonly #encoding: Encoding['name'];
  readonly #sink: Sink;
  readonly #names = new NameTally();
  readonly #compte = emptyCount();
  readonly #wide: Utf16Lines | undefined;
  /** bytes of the BOM still to be passed over */
  #bom: number;
  #offset = 0;
  /** the unfinished last line of the piece before, without NULs, at most MAX_LINE and a little */
  #carry = Buffer.alloc(0);
  #carryLength = 0;
  /** all bytes of that line */
  #carryRaw = 0;
  #first = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  // The last date met: nearly every line has the one of the line before.
  #date = -1;
  #day = 0;
  /** instant of that day's midnight, or NaN when the clock changes that day */
  #midnight = 0;
  #dateValid = false;

  constructor(encoding: Encoding, time: FactoryTime, sink: Sink) {
    this.#time = time;
    this.#encoding = encoding.name;
    this.#sink = sink;
    this.#bom = encoding.bom;
    if (encoding.name === 'utf-16le' || encoding.name === 'utf-16be') {
      this.#wide = new Utf16Lines(encoding.name, (text, raw) => this.#textLine(text, raw));
    }
  }

  /** Takes the next bytes; the buffer may be used again as soon as this returns. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#bom > 0) {
      const skipped = Math.min(this.#bom, bytes.length);
      this.#bom -= skipped;
      // No part of the first line (rule 1), but its bytes are accounted for (law L7).
      this.#compte.octetsIgnores += skipped;
      this.#offset += skipped;
      bytes = bytes.subarray(skipped);
    }
    if (this.#wide) this.#wide.push(bytes);
    else this.#pushBytes(bytes);
  }

  end(): Reading {
    if (this.#wide) this.#wide.end();
    else if (this.#carryRaw > 0) this.#finishCarry();
    const seen = this.#latest >= this.#first;
    return {
      compte: this.#compte,
      autres: this.#names.result(),
      premier: seen ? this.#first : undefined,
      dernier: seen ? this.#latest : undefined,
    };
  }

  #pushBytes(bytes: Buffer): void {
    let nextNul = position(bytes, 0, 0);
    let start = 0;
    let end = bytes.indexOf(LF);
    if (this.#carryRaw > 0 && end >= 0) {
      this.#addToCarry(bytes, 0, end);
      this.#carryRaw += 1;
      this.#finishCarry();
      start = end + 1;
      end = bytes.indexOf(LF, start);
    }
    while (end >= 0) {
      const raw = end + 1 - start;
      if (nextNul < start) nextNul = position(bytes, 0, start);
      if (nextNul < end) {
        this.#addToCarry(bytes, start, end);
        this.#carryRaw += 1;
        this.#finishCarry();
      } else {
        this.#byteLine(bytes, start, end, raw);
      }
      start = end + 1;
      end = bytes.indexOf(LF, start);
    }
    if (start < bytes.length) this.#addToCarry(bytes, start, bytes.length);
  }

  /** Keeps bytes of an unfinished line, without NULs, and never more than tell that it is too long. */
  #addToCarry(bytes: Buffer, start: number, end: number): void {
    this.#carryRaw += end - start;
    const limit = MAX_LINE + 2;
    for (let at = start; at < end && this.#carryLength < limit; ) {
      if (bytes[at] === 0) {
        at++;
        while (at < end && bytes[at] === 0) at++;
        continue;
      }
      let stop = bytes.indexOf(0, at);
      if (stop < 0 || stop > end) stop = end;
      stop = Math.min(stop, at + limit - this.#carryLength);
      if (this.#carry.length < this.#carryLength + stop - at) {
        const grown = Buffer.allocUnsafe(Math.min(limit, (this.#carryLength + stop - at) * 2));
        this.#carry.copy(grown, 0, 0, this.#carryLength);
        this.#carry = grown;
      }
      this.#carryLength += bytes.copy(this.#carry, this.#carryLength, at, stop);
      at = stop;
    }
  }

  #finishCarry(): void {
    const raw = this.#carryRaw;
    const length = this.#carryLength;
    this.#carryRaw = 0;
    this.#carryLength = 0;
    this.#byteLine(this.#carry, 0, length, raw);
  }

  /** One line `bytes[start, end)`, without LF and NULs; `raw` bytes of the file belong to it. */
  #byteLine(bytes: Buffer, start: number, end: number, raw: number): void {
    if (end > start && bytes[end - 1] === CR) end--;
    if (end - start > MAX_LINE) {
      this.#reject(
        'ligne_trop_longue',
        decodeBytes(bytes, start, start + MAX_REJECT_TEXT * 4, this.#encoding),
        raw,
      );
    } else if (!this.#usualLine(bytes, start, end, raw)) {
      this.#grammarLine(decodeBytes(bytes, start, end, this.#encoding), raw);
    }
  }

  #textLine(text: string, raw: number): void {
    if (Buffer.byteLength(text) > MAX_LINE) this.#reject('ligne_trop_longue', text, raw);
    else this.#grammarLine(text, raw);
  }

  /** Reads a line of the usual layout from its bytes; false: it is not one, nothing was done. */
  #usualLine(b: Buffer, s: number, end: number, raw: number): boolean {
    if (end - s < 20 || b[s + 17] !== BAR || b[s + 18] !== AT) return false;
    if (b[s + 8] !== SPACE || b[s + 11] !== COLON || b[s + 14] !== COLON) return false;
    const date = number4(b, s) * 10_000 + number2(b, s + 4) * 100 + number2(b, s + 6);
    const hour = number2(b, s + 9);
    const minute = number2(b, s + 12);
    const second = number2(b, s + 15);
    // A byte that is no digit makes the sum NaN, and every comparison false.
    if (!(hour < 24 && minute < 60 && second < 60 && date >= 0)) return false;
    if (date !== this.#date) this.#setDate(date);
    if (!this.#dateValid) return false;

    const from = s + 19;
    const initial = b[from]!;
    if (initial <= SPACE || initial === COLON) return false;
    let hash = 0;
    let at = from;
    for (; at < end; at++) {
      const byte = b[at]!;
      if (byte === COLON) break;
      if (byte >= 0x80) return false;
      hash = (hash * 31 + byte) | 0;
    }
    // Blanks between the name and the colon are rare: the general grammar takes them.
    if (b[at - 1]! <= SPACE) return false;

    const secondOfDay = hour * 3600 + minute * 60 + second;
    const instant = this.#see(this.#day, secondOfDay);
    const genre = genreAt(b, from, at);
    if (genre === undefined) {
      this.#names.countBytes(b, from, at, hash ^ (hash >>> 15), instant);
      this.#compte.lignes++;
      this.#compte.lignesAutres++;
      this.#compte.octetsAutres += raw;
      this.#offset += raw;
      return true;
    }
    const details = at < end ? decodeBytes(b, at + 1, end, this.#encoding).trim() : '';
    const jour = this.#productionDay(instant, this.#day, secondOfDay);
    this.#event(genre, instant, jour, details, raw, () => decodeBytes(b, s, end, this.#encoding));
    return true;
  }

  #grammarLine(text: string, raw: number): void {
    const line = readLine(text);
    if (line.kind === 'blank') {
      this.#compte.lignes++;
      this.#compte.lignesIgnorees++;
      this.#compte.octetsIgnores += raw;
      this.#offset += raw;
      return;
    }
    if (line.kind === 'reject') {
      if (line.stamp) this.#seeStamp(line.stamp.day, line.stamp.secondOfDay);
      this.#reject(line.raison, text, raw);
      return;
    }
    const { day, secondOfDay } = line.stamp;
    const instant = this.#seeStamp(day, secondOfDay);
    const genre = genreOf(line.event);
    if (genre) {
      const jour = this.#productionDay(instant, day, secondOfDay);
      this.#event(genre, instant, jour, line.details, raw, () => text);
    } else {
      this.#names.count(line.event, instant);
      this.#compte.lignes++;
      this.#compte.lignesAutres++;
      this.#compte.octetsAutres += raw;
      this.#offset += raw;
    }
  }

  #event(
    genre: Genre,
    instant: number,
    jour: number,
    details: string,
    raw: number,
    text: () => string,
  ): void {
    let attente = 0;
    let profil: Profil | undefined;
    if (genre === 'MachineWait') {
      const micros = parseWait(details);
      if (micros === undefined) {
        this.#reject('attente_sans_duree', text(), raw);
        return;
      }
      attente = micros;
    } else if (genre === 'JobProfiel') {
      profil = parseProfile(details);
      if (!profil) {
        this.#reject('profil_incomplet', text(), raw);
        return;
      }
    }
    const ligne = ++this.#compte.lignes;
    this.#compte.lignesEvenements++;
    this.#compte.octetsEvenements += raw;
    this.#offset += raw;
    this.#sink.evenement({ genre, instant, jour, details, ligne, attente, profil });
  }

  #reject(raison: Raison, text: string, raw: number): void {
    const ligne = ++this.#compte.lignes;
    this.#compte.lignesRejetees++;
    this.#compte.octetsRejetes += raw;
    const octet = this.#offset;
    this.#offset += raw;
    this.#sink.rejet({ ligne, octet, longueur: raw, raison, texte: cut(text, MAX_REJECT_TEXT) });
  }

  #setDate(date: number): void {
    const year = Math.floor(date / 10_000);
    const month = Math.floor(date / 100) % 100;
    this.#date = date;
    this.#dateValid = isDate(year, month, date % 100);
    if (!this.#dateValid) return;
    this.#day = dayNumber(year, month, date % 100);
    this.#midnight = this.#time.changesOn(this.#day) ? Number.NaN : this.#time.instant(this.#day, 0);
  }

  #seeStamp(day: number, secondOfDay: number): number {
    if (day !== this.#day || !this.#dateValid) {
      this.#date = -1;
      this.#dateValid = false;
      this.#day = day;
      this.#midnight = Number.NaN;
    }
    return this.#see(day, secondOfDay);
  }

  /** The instant of a stamp, which also counts for the stamps after it (rule 13). */
  #see(day: number, secondOfDay: number): number {
    const plain = this.#midnight + secondOfDay;
    const instant = Number.isNaN(plain) ? this.#time.instant(day, secondOfDay, this.#latest) : plain;
    if (instant > this.#latest) this.#latest = instant;
    if (instant < this.#first) this.#first = instant;
    return instant;
  }

  #productionDay(instant: number, day: number, secondOfDay: number): number {
    if (Number.isNaN(this.#midnight)) return this.#time.productionDay(instant, day);
    return secondOfDay >= this.#time.dayStart ? day : day - 1;
  }
}

/** Value of two digits, NaN when one is none. */
function number2(b: Buffer, at: number): number {
  const tens = b[at]! - 48;
  const units = b[at + 1]! - 48;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : Number.NaN;
}

function number4(b: Buffer, at: number): number {
  return number2(b, at) * 100 + number2(b, at + 2);
}

/** Where a byte stands next, `Infinity` when nowhere. */
function position(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

function genreAt(b: Buffer, start: number, end: number): Genre | undefined {
  // Only names of 10 to 14 bytes that begin with J, M or S are worth a string.
  const length = end - start;
  if (length < 10 || length > 14) return undefined;
  const initial = b[start];
  if (initial !== 0x4a && initial !== 0x4d && initial !== 0x53) return undefined;
  return genreOf(b.toString('latin1', start, end));
}

function genreOf(name: string): Genre | undefined {
  switch (name) {
    case 'StukUitgevoerd':
    case 'MachineWait':
    case 'MachineStop':
    case 'MachineStart':
    case 'JobProfiel':
      return name;
    default:
      return undefined;
  }
}
