import { dayNumber, type FactoryTime, isDate } from '../../base/time.ts';
import { ByteLines, type OnLine } from './byte-lines.ts';
import { parseProfile, parseWait } from './details.ts';
import { decodeBytes, type Encoding } from './encoding.ts';
import {
  type AutreEvenement,
  type Compte,
  type Evenement,
  GENRES,
  type Genre,
  type Profil,
  type Raison,
  type Rejet,
} from './events.ts';
import { cut, MAX_LINE, readLine } from './line-grammar.ts';
import { type Masquage, profilMasque } from './masquage.ts';
import { twoDigits } from './stamps.ts';
import { emptyCount, NameTally } from './tally.ts';
import { Utf16Lines } from './utf16-lines.ts';

/** Longest text that a reject keeps, in characters. */
const MAX_REJECT_TEXT = 2_000;
/** Bytes of a very long line that rules of masking look at behind that. */
const LOOKAHEAD = 4_096;

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
  readonly #regles: Masquage | undefined;
  #names: NameTally;
  #compte = emptyCount();
  readonly #lineCutter: ByteLines | Utf16Lines;
  /** bytes of the BOM still to be passed over */
  #bom: number;
  #first = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  // The last date met, as four bytes and four bytes: nearly every line has the one of the line before.
  #year = 0;
  #monthDay = 0;
  #day = Number.NaN;
  /** instant of that day's midnight */
  #midnight = 0;
  /** false when the clock changes that day: then its midnight is not enough */
  #plainDay = false;

  /** @param regles what must not be kept of lines; texts are handed over without it */
  constructor(encoding: Encoding, time: FactoryTime, sink: Sink, regles?: Masquage) {
    this.#time = time;
    this.#sink = sink;
    this.#regles = regles;
    this.#names = new NameTally(regles);
    this.#bom = encoding.bom;
    const onLine: OnLine = (bytes, start, end, raw, collee) => this.#byteLine(bytes, start, end, raw, collee);
    const wide = encoding.name === 'utf-16le' || encoding.name === 'utf-16be';
    // Lines of UTF-16 come as UTF-8.
    this.#encoding = wide ? 'utf-8' : encoding.name;
    this.#lineCutter = wide
      ? new Utf16Lines(encoding.name as 'utf-16le' | 'utf-16be', onLine)
      : new ByteLines(onLine);
  }

  /** Takes the next bytes; the buffer may be used again as soon as this returns. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#bom > 0) {
      const skipped = Math.min(this.#bom, bytes.length);
      this.#bom -= skipped;
      // No part of the first line (rule 1), but its bytes are accounted for (law L7).
      this.#compte.octetsIgnores += skipped;
      bytes = bytes.subarray(skipped);
    }
    this.#lineCutter.push(bytes);
  }

  /**
   * A parser that has read what this one has, and goes on apart, with a sink of its own. Only between two lines: what
   * was pushed so far must have ended with one (`settle`).
   */
  fork(sink: Sink): LogParser {
    const fork = new LogParser({ name: this.#encoding, bom: this.#bom }, this.#time, sink, this.#regles);
    fork.#names = this.#names.copy();
    fork.#compte = { ...this.#compte };
    fork.#first = this.#first;
    fork.#latest = this.#latest;
    return fork;
  }

  /** It is known that what was pushed ends with a line, also where that is a CR. */
  settle(): void {
    this.#lineCutter.settle();
  }

  end(): Reading {
    this.#lineCutter.end();
    const seen = this.#latest >= this.#first;
    return {
      compte: { ...this.#compte, lignes: this.#lines() },
      autres: this.#names.result(),
      premier: seen ? this.#first : undefined,
      dernier: seen ? this.#latest : undefined,
    };
  }

  /** One line `bytes[start, end)`, without ending and NULs; `raw` bytes of the file belong to it. */
  #byteLine(bytes: Buffer, start: number, end: number, raw: number, collee: boolean): void {
    const tooLong = end - start > MAX_LINE;
    if (tooLong || collee) {
      const most = MAX_REJECT_TEXT * 4 + (this.#regles ? LOOKAHEAD : 0);
      const stop = tooLong ? Math.min(end, start + most) : end;
      const text = decodeBytes(bytes, start, stop, this.#encoding);
      // Its own stamp counts for the repeated hour as that of any line (rule 13).
      const line = tooLong ? undefined : readLine(text);
      if (line && line.kind !== 'blank' && line.stamp) this.#seeStamp(line.stamp.day, line.stamp.secondOfDay);
      this.#reject(collee ? 'ligne_collee' : 'ligne_trop_longue', text, raw);
    } else if (!this.#usualLine(bytes, start, end, raw)) {
      this.#grammarLine(decodeBytes(bytes, start, end, this.#encoding), raw);
    }
  }

  /**
   * Reads a line of the usual layout from its bytes; false: it is not one, nothing was done. Nearly every line comes
   * through here, so it works on small integers only and does not look at a date twice.
   */
  #usualLine(b: Buffer, s: number, end: number, raw: number): boolean {
    if (end - s < 20 || b[s + 17] !== BAR || b[s + 18] !== AT) return false;
    if (b[s + 8] !== SPACE || b[s + 11] !== COLON || b[s + 14] !== COLON) return false;
    const year = (b[s]! << 24) | (b[s + 1]! << 16) | (b[s + 2]! << 8) | b[s + 3]!;
    const monthDay = (b[s + 4]! << 24) | (b[s + 5]! << 16) | (b[s + 6]! << 8) | b[s + 7]!;
    if ((year !== this.#year || monthDay !== this.#monthDay) && !this.#setDate(b, s, year, monthDay))
      return false;
    const hour = twoDigits(b, s + 9);
    const minute = twoDigits(b, s + 12);
    const second = twoDigits(b, s + 15);
    if (hour > 23 || minute > 59 || second > 59) return false;

    const from = s + 19;
    const initial = b[from]!;
    if (initial <= SPACE || initial === COLON) return false;
    let hash = 0;
    let at = from;
    for (; at < end; at++) {
      const byte = b[at]!;
      if (byte === COLON) break;
      if (byte >= 0x80) return false;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    // Blanks between the name and the colon are rare: the general grammar takes them.
    if (b[at - 1]! <= SPACE) return false;

    const secondOfDay = hour * 3600 + minute * 60 + second;
    const instant = this.#see(this.#day, secondOfDay);
    const genre = genreAt(b, from, at);
    if (genre === undefined) {
      if (this.#regles)
        this.#names.count(b.toString('latin1', from, at), instant, decodeBytes(b, s, end, this.#encoding));
      else this.#names.countBytes(b, from, at, hash ^ (hash >>> 15), instant);
      this.#compte.lignesAutres++;
      this.#compte.octetsAutres += raw;
      return true;
    }
    const details = at < end ? this.#details(b, at + 1, end) : '';
    const jour = this.#productionDay(instant, this.#day, secondOfDay);
    const line = this.#regles && decodeBytes(b, s, end, this.#encoding);
    const refus = this.#event(genre, instant, jour, details, raw, line);
    if (refus) this.#reject(refus, line ?? decodeBytes(b, s, end, this.#encoding), raw);
    return true;
  }

  /** The trimmed text of details; ASCII blanks are left out before there is a string to trim. */
  #details(b: Buffer, start: number, end: number): string {
    let from = start;
    let to = end;
    while (from < to && b[from] === SPACE) from++;
    while (to > from && b[to - 1] === SPACE) to--;
    const text = decodeBytes(b, from, to, this.#encoding);
    const first = b[from]!;
    const last = b[to - 1]!;
    const maybeBlank = first < SPACE || first >= 0x80 || last < SPACE || last >= 0x80;
    return maybeBlank ? text.trim() : text;
  }

  #grammarLine(text: string, raw: number): void {
    const line = readLine(text);
    if (line.kind === 'blank') {
      this.#compte.lignesIgnorees++;
      this.#compte.octetsIgnores += raw;
      return;
    }
    if (line.kind === 'reject') {
      if (line.stamp) this.#seeStamp(line.stamp.day, line.stamp.secondOfDay);
      this.#reject(line.raison, text, raw);
      return;
    }
    const { day, secondOfDay } = line.stamp;
    const instant = this.#seeStamp(day, secondOfDay);
    const genre = BY_NAME.get(line.event);
    if (genre) {
      const jour = this.#productionDay(instant, day, secondOfDay);
      const refus = this.#event(genre, instant, jour, line.details, raw, text);
      if (refus) this.#reject(refus, text, raw);
    } else {
      this.#names.count(line.event, instant, text);
      this.#compte.lignesAutres++;
      this.#compte.octetsAutres += raw;
    }
  }

  /** Hands an event over, or says why its details cannot be used. The text of the line is there when rules need it. */
  #event(
    genre: Genre,
    instant: number,
    jour: number,
    details: string,
    raw: number,
    text: string | undefined,
  ): Raison | undefined {
    let attente = 0;
    let profil: Profil | undefined;
    if (genre === 'MachineWait') {
      const micros = parseWait(details);
      if (micros === undefined) return 'attente_sans_duree';
      attente = micros;
    } else if (genre === 'JobProfiel') {
      const read = parseProfile(details);
      if (typeof read === 'string') return read;
      profil = read;
    }
    const ligne = this.#lines() + 1;
    this.#compte.lignesEvenements++;
    this.#compte.octetsEvenements += raw;
    const masquee = this.#regles && details !== '' ? this.#regles.poser(text!) : undefined;
    if (masquee) {
      const from = startOfDetails(text!);
      const masques = masquee.morceau(from, from + details.length);
      const kept = profil && profilMasque(profil, details, masquee, from);
      this.#sink.evenement({ genre, instant, jour, details, ligne, attente, profil: kept, masques });
    } else this.#sink.evenement({ genre, instant, jour, details, ligne, attente, profil });
    return undefined;
  }

  #reject(raison: Raison, text: string, raw: number): void {
    const ligne = this.#lines() + 1;
    const { octetsEvenements, octetsAutres, octetsRejetes, octetsIgnores } = this.#compte;
    const octet = octetsEvenements + octetsAutres + octetsRejetes + octetsIgnores;
    this.#compte.lignesRejetees++;
    this.#compte.octetsRejetes += raw;
    const kept = this.#regles?.poser(text)?.texte ?? text;
    this.#sink.rejet({ ligne, octet, longueur: raw, raison, texte: cut(kept, MAX_REJECT_TEXT) });
  }

  /** Lines so far. Every line is counted as one kind, so their number need not be kept. */
  #lines(): number {
    const { lignesEvenements, lignesAutres, lignesRejetees, lignesIgnorees } = this.#compte;
    return lignesEvenements + lignesAutres + lignesRejetees + lignesIgnorees;
  }

  /** Makes the date in `b[s, s + 8)` the current one; false when it is none. */
  #setDate(b: Buffer, s: number, year: number, monthDay: number): boolean {
    const century = twoDigits(b, s);
    const yearOfCentury = twoDigits(b, s + 2);
    const month = twoDigits(b, s + 4);
    const day = twoDigits(b, s + 6);
    // What is no digit gives more than 99.
    if (century > 99 || yearOfCentury > 99 || !isDate(century * 100 + yearOfCentury, month, day))
      return false;
    this.#year = year;
    this.#monthDay = monthDay;
    this.#setDay(dayNumber(century * 100 + yearOfCentury, month, day));
    return true;
  }

  #setDay(day: number): void {
    this.#day = day;
    this.#plainDay = !this.#time.changesOn(day);
    this.#midnight = this.#time.instant(day, 0);
  }

  #seeStamp(day: number, secondOfDay: number): number {
    if (day !== this.#day) {
      // The current date is no longer the one in these bytes.
      this.#year = 0;
      this.#setDay(day);
    }
    return this.#see(day, secondOfDay);
  }

  /** The instant of a stamp, which also counts for the stamps after it (rule 13). */
  #see(day: number, secondOfDay: number): number {
    const instant = this.#plainDay
      ? this.#midnight + secondOfDay
      : this.#time.instant(day, secondOfDay, this.#latest);
    if (instant > this.#latest) this.#latest = instant;
    if (instant < this.#first) this.#first = instant;
    return instant;
  }

  #productionDay(instant: number, day: number, secondOfDay: number): number {
    if (!this.#plainDay) return this.#time.productionDay(instant, day);
    return secondOfDay >= this.#time.dayStart ? day : day - 1;
  }
}

/** Where the trimmed details begin in the text of an event's line (rule 8). */
function startOfDetails(text: string): number {
  const colon = text.indexOf(':', text.indexOf('|@') + 2) + 1;
  return text.length - text.slice(colon).trimStart().length;
}

// Derived, so that a new event need only be added to GENRES.
const BY_NAME: ReadonlyMap<string, Genre> = new Map(GENRES.map((genre) => [genre, genre]));
/** 1 where a known event has this length (high byte) and this first letter (low byte). */
const SHAPES = new Uint8Array(256 * 256);
for (const genre of GENRES) SHAPES[(genre.length << 8) | genre.charCodeAt(0)] = 1;

/** The known event named by ASCII bytes. Only a name that may be one is worth a string. */
function genreAt(b: Buffer, start: number, end: number): Genre | undefined {
  const length = end - start;
  if (length > 255 || SHAPES[(length << 8) | b[start]!] === 0) return undefined;
  return BY_NAME.get(b.toString('latin1', start, end));
}
