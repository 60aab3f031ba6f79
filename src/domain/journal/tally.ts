import type { AutreEvenement, Compte } from './events.ts';
import { cut } from './line-grammar.ts';
import { type Masquage, masquerNomDe } from './masquage.ts';

/** Names of other events that one file version may bring; a file of noise must not fill the memory. */
const MAX_NAMES = 1000;
const MAX_NAME = 200;
const OTHERS = '(autres)';
const SLOTS = 1024;

export function emptyCount(): Compte {
  return {
    lignes: 0,
    lignesEvenements: 0,
    lignesAutres: 0,
    lignesRejetees: 0,
    lignesIgnorees: 0,
    octetsEvenements: 0,
    octetsAutres: 0,
    octetsRejetes: 0,
    octetsIgnores: 0,
  };
}

interface Slot {
  readonly bytes: Buffer;
  readonly entry: AutreEvenement;
}

/** Counts the events that no session needs, by name (rule 11). */
export class NameTally {
  readonly #regles: Masquage | undefined;
  readonly #entries = new Map<string, AutreEvenement>();
  /** names met as plain bytes, by hash: most lines of a log are here, and a string for each would cost more */
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(SLOTS).fill(undefined);

  /** @param regles what must not be kept of a name */
  constructor(regles?: Masquage) {
    this.#regles = regles;
  }

  /** Counts the ASCII name in `bytes[start, end)`, whose hash the caller has computed while scanning; without rules alone. */
  countBytes(bytes: Buffer, start: number, end: number, hash: number, instant: number): void {
    const index = hash & (SLOTS - 1);
    const slot = this.#slots[index];
    if (slot && sameBytes(slot.bytes, bytes, start, end)) {
      see(slot.entry, instant);
      return;
    }
    const entry = this.#entry(bytes.toString('latin1', start, end), instant);
    see(entry, instant);
    if (!slot) this.#slots[index] = { bytes: Buffer.from(bytes.subarray(start, end)), entry };
  }

  /** Counts a name, of which is kept what rules leave of it in its line. */
  count(name: string, instant: number, line: string): void {
    see(this.#entry(this.#regles ? masquerNomDe(this.#regles, line, name) : name, instant), instant);
  }

  /** The same counts, to be counted on apart. */
  copy(): NameTally {
    const copy = new NameTally(this.#regles);
    for (const [name, entry] of this.#entries) copy.#entries.set(name, { ...entry });
    return copy;
  }

  result(): Map<string, AutreEvenement> {
    return this.#entries;
  }

  #entry(name: string, instant: number): AutreEvenement {
    let key = cut(name, MAX_NAME);
    let entry = this.#entries.get(key);
    if (!entry && this.#entries.size >= MAX_NAMES) {
      key = OTHERS;
      entry = this.#entries.get(key);
    }
    if (!entry) {
      entry = { nombre: 0, premier: instant, dernier: instant };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

function see(entry: AutreEvenement, instant: number): void {
  entry.nombre++;
  if (instant < entry.premier) entry.premier = instant;
  if (instant > entry.dernier) entry.dernier = instant;
}

function sameBytes(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
