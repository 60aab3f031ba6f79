import { createHash, type Hash } from 'node:crypto';
import type { Archive } from '../../archives/archive.ts';
import type { FactoryTime } from '../../base/time.ts';
import { type Encoding, EncodingDetector } from '../../domain/journal/encoding.ts';
import type { Evenement, Raison, Rejet } from '../../domain/journal/events.ts';
import type { Masquage } from '../../domain/journal/masquage.ts';
import { LogParser, type Sink } from '../../domain/journal/parser.ts';
import { type ContenuLu, MEMORY_BUDGET } from './analyse.ts';

const NUL = 0;
const LF = 10;
const CR = 13;
/** Bytes after the compressed beginning that are compressed anew with each growth; then they join it. */
const TAIL = 16 * 1024;
/** Events, or what weighs as much, that all files which grow may keep in memory: some 60 MB. */
const ALL = 300_000;
/** A compressed beginning of this many bytes weighs as much as an event. */
const EVENT_BYTES = 200;
/** Bytes of files that all of them together may keep to compare longer ones with, which is faster than hashing them. */
const COPIES = 32 * 1024 * 1024;
/** A copy has room for this much more than the bytes in it: most growth is a line. */
const ROOM = 64 * 1024;

/**
 * A file that grows while it is followed: what its bytes have said so far, so that a line more costs a line. It knows
 * the bytes by their hash, never by their number or date: `grow` looks at all of them again.
 */
export class Suite {
  readonly #encodage: Encoding;
  readonly #detector = new EncodingDetector();
  readonly #parser: LogParser;
  readonly #lu = new Recueil();
  #taille = 0;
  #sha256 = '';
  /** these bytes themselves, where there is room for them, and their hash so far */
  #vu: { readonly copie: Buffer; readonly hash: Hash } | undefined;
  /** bytes that the parser has had: up to the last end of a line */
  #lues = 0;
  /** production days of a last line without an end, when `contenu` was last asked */
  #inacheves: readonly number[] = [];
  #joursChanges: ReadonlySet<number> = new Set();
  /** the first bytes as one zstd frame, and their number */
  #debut: { readonly frame: Promise<Buffer>; readonly taille: number; bytes: number } | undefined;

  private constructor(encodage: Encoding, time: FactoryTime, regles: Masquage | undefined) {
    this.#encodage = encodage;
    this.#parser = new LogParser(encodage, time, this.#lu, regles);
  }

  /**
   * @param bytes all that the file holds, `sha256` their hash
   * @param regles what must not be kept of its lines
   * @returns undefined for what is not kept this way (UTF-16, more than memory should hold)
   */
  static of(
    bytes: Buffer,
    sha256: string,
    encodage: Encoding,
    time: FactoryTime,
    regles: Masquage | undefined,
  ): Suite | undefined {
    if (encodage.name === 'utf-16le' || encodage.name === 'utf-16be') return undefined;
    const suite = new Suite(encodage, time, regles);
    suite.#take(bytes, sha256);
    return suite.#lu.poids > MEMORY_BUDGET ? undefined : suite;
  }

  /** What it keeps in memory, in events. */
  get poids(): number {
    return this.#lu.poids + (this.#debut?.bytes ?? 0) / EVENT_BYTES;
  }

  get taille(): number {
    return this.#taille;
  }

  get sha256(): string {
    return this.#sha256;
  }

  /** Bytes of memory that the copy of the file takes. */
  get copie(): number {
    return this.#vu?.copie.length ?? 0;
  }

  /**
   * Keeps what the file held when it was last read, to compare the next reading with.
   *
   * @param bytes what it held
   * @param most bytes of memory that this may take
   */
  copier(bytes: Buffer, most: number): void {
    const { length } = bytes;
    if (this.copie >= length) return;
    this.#vu = undefined;
    if (length !== this.#taille || length + ROOM > most) return;
    const copie = Buffer.allocUnsafeSlow(length + ROOM);
    bytes.copy(copie);
    this.#vu = { copie, hash: createHash('sha256').update(bytes) };
  }

  /** The hash of the bytes when they continue those known so far, else undefined. */
  continues(bytes: Buffer): string | undefined {
    if (bytes.length <= this.#taille) return undefined;
    if (this.#vu) {
      if (this.#vu.copie.compare(bytes, 0, this.#taille, 0, this.#taille) !== 0) return undefined;
      return this.#vu.hash.copy().update(bytes.subarray(this.#taille)).digest('hex');
    }
    const hash = createHash('sha256').update(bytes.subarray(0, this.#taille));
    if (hash.copy().digest('hex') !== this.#sha256) return undefined;
    return hash.update(bytes.subarray(this.#taille)).digest('hex');
  }

  /**
   * Takes the longer bytes that continue the known ones.
   *
   * @returns false when they must be read from their beginning after all (another encoding, too much for memory);
   *   this must not be used any more then
   */
  grow(bytes: Buffer, sha256: string): boolean {
    this.#take(bytes, sha256);
    const { name, bom } = this.#detector.end();
    return name === this.#encodage.name && bom === this.#encodage.bom && this.#lu.poids <= MEMORY_BUDGET;
  }

  /** Days that may hold other events, when `contenu` was last asked, than the time before. */
  get joursChanges(): ReadonlySet<number> {
    return this.#joursChanges;
  }

  /** What the bytes hold, the last line also where it has no end. */
  contenu(bytes: Buffer): ContenuLu {
    const rest = new Recueil();
    const parser = this.#parser.fork(rest);
    parser.push(bytes.subarray(this.#lues));
    const reading = parser.end();
    // Whole lines stay what they are; what seemed to be a last line may turn out to be another.
    this.#joursChanges = new Set([...this.#lu.takeTouched(), ...this.#inacheves, ...rest.jours]);
    this.#inacheves = rest.jours;
    return { encodage: this.#encodage, reading, ...this.#lu.with(rest) };
  }

  /** The bytes as zstd frames: little more than what is new is compressed. */
  async frames(bytes: Buffer, archive: Archive): Promise<Buffer[]> {
    if (!this.#debut || bytes.length - this.#debut.taille > TAIL) {
      const frame = archive.frame(bytes);
      const debut = { frame, taille: bytes.length, bytes: 0 };
      this.#debut = debut;
      try {
        debut.bytes = (await frame).length;
      } catch (error) {
        this.#debut = undefined;
        throw error;
      }
      return [await frame];
    }
    const { frame, taille } = this.#debut;
    const first = await frame;
    return taille === bytes.length ? [first] : [first, await archive.frame(bytes.subarray(taille))];
  }

  #take(bytes: Buffer, sha256: string): void {
    this.#detector.push(bytes.subarray(this.#taille));
    const end = endOfLines(bytes);
    if (end > this.#lues) {
      this.#parser.push(bytes.subarray(this.#lues, end));
      this.#parser.settle();
      this.#lues = end;
    }
    if (this.#vu && bytes.length > this.#vu.copie.length) this.#vu = undefined;
    if (this.#vu) {
      this.#vu.hash.update(bytes.subarray(this.#taille));
      bytes.copy(this.#vu.copie, this.#taille, this.#taille);
    }
    this.#taille = bytes.length;
    this.#sha256 = sha256;
  }
}

/** Where the last line that has its end ends: behind an LF, or behind a CR that is known to stand alone. */
function endOfLines(bytes: Buffer): number {
  const cr = bytes.lastIndexOf(CR, -2);
  const alone = cr >= 0 && bytes[cr + 1] !== LF && bytes[cr + 1] !== NUL;
  return Math.max(bytes.lastIndexOf(LF), alone ? cr : -1) + 1;
}

/** Files of one centre that may grow at the same time: a machine writes one, and ends another. */
const PAR_CENTRE = 8;

/** Files that grow, by path; those that have not grown for longest go when there are too many. */
export class Suites {
  readonly #byPath = new Map<string, Suite>();

  /** Takes the file out: it is put back when it was read well. */
  take(chemin: string): Suite | undefined {
    const suite = this.#byPath.get(chemin);
    this.#byPath.delete(chemin);
    return suite;
  }

  /** @param bytes what the file holds, when that is at hand */
  put(chemin: string, suite: Suite, bytes?: Buffer): void {
    this.#byPath.set(chemin, suite);
    // Yesterday's log does not grow any more: a worker that runs for a year must not keep them all.
    const centre = chemin.slice(0, chemin.indexOf('/') + 1);
    const same = centre === '' ? [] : [...this.#byPath.keys()].filter((path) => path.startsWith(centre));
    for (const old of same.slice(0, -PAR_CENTRE)) this.#byPath.delete(old);
    let sum = 0;
    let copies = -suite.copie;
    for (const { poids, copie } of this.#byPath.values()) {
      sum += poids;
      copies += copie;
    }
    if (bytes) suite.copier(bytes, COPIES - copies);
    for (const [oldest, { poids }] of this.#byPath) {
      if (sum <= ALL || oldest === chemin) return;
      this.#byPath.delete(oldest);
      sum -= poids;
    }
  }
}

/** Events and rejects of some lines. */
class Recueil implements Sink {
  readonly #jours = new Map<number, Evenement[]>();
  readonly #rejets: Rejet[] = [];
  #touched = new Set<number>();
  poids = 0;

  get jours(): number[] {
    return [...this.#jours.keys()];
  }

  /** Days of the events that came since this was last asked. */
  takeTouched(): ReadonlySet<number> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  evenement(evenement: Evenement): void {
    this.poids++;
    this.#touched.add(evenement.jour);
    const day = this.#jours.get(evenement.jour);
    if (day) day.push(evenement);
    else this.#jours.set(evenement.jour, [evenement]);
  }

  rejet(rejet: Rejet): void {
    this.poids += 1 + rejet.texte.length / 100;
    this.#rejets.push(rejet);
  }

  /** These lines and those after them, as `analyse` gives them. */
  with(rest: Recueil): Pick<ContenuLu, 'jours' | 'evenementsParJour' | 'rejets' | 'rejetsParRaison'> {
    const jours = new Map<number, readonly Evenement[]>();
    for (const [jour, events] of this.#jours) jours.set(jour, [...events, ...(rest.#jours.get(jour) ?? [])]);
    for (const [jour, events] of rest.#jours) if (!jours.has(jour)) jours.set(jour, events);
    const rejets = [...this.#rejets, ...rest.#rejets];
    const rejetsParRaison = new Map<Raison, number>();
    for (const { raison } of rejets) rejetsParRaison.set(raison, (rejetsParRaison.get(raison) ?? 0) + 1);
    const evenementsParJour = new Map([...jours].map(([jour, events]) => [jour, events.length]));
    return { jours, evenementsParJour, rejets, rejetsParRaison };
  }
}
