import { type Caractere, MOT } from './caracteres.ts';
import type { Borne, Instruction } from './motif.ts';

/** What of a text is to be hidden: from, to (exclusive), in UTF-16 units. */
export type Portee = readonly [debut: number, fin: number];

/** Where a thread began, opened and closed groups; each knows the one before it. */
interface Trace {
  readonly genre: 'debut' | 'ouvre' | 'ferme';
  readonly place: number;
  readonly avant: Trace | undefined;
}

/** So many looks at a whole text with all instructions alive; what takes more is not searched any further. */
const TOURS = 4;
const SOCLE = 20_000;
/** Marks are 32 bits wide; a text takes far fewer than what is left above this. */
const MOST_TURNS = 1_000_000_000;

/**
 * Searches a text for a compiled pattern, all its instructions side by side (Pike): each character is looked at once for
 * each of them, however the pattern repeats. The first of several matches at a place is the one that the pattern prefers, as
 * in other regular expressions.
 */
export class Moteur {
  readonly #code: readonly Instruction[];
  /** whether a match may begin with an ASCII character, and the sets that it may begin with */
  readonly #ascii: readonly boolean[];
  readonly #premiers: readonly Caractere[];
  readonly #vu: Int32Array;
  #tour = 0;
  #pas = 0;
  #threads: number[] = [];
  #traces: Trace[] = [];
  #suivants: number[] = [];
  #suites: Trace[] = [];

  constructor(code: readonly Instruction[]) {
    this.#code = code;
    this.#vu = new Int32Array(code.length);
    this.#premiers = premiers(code);
    this.#ascii = Array.from({ length: 128 }, (_, c) => this.#premiers.some((test) => test(c)));
  }

  /** Steps that the last text took; at most what {@link pasPermis} says, and those of one character more. */
  get pas(): number {
    return this.#pas;
  }

  /** Steps after which a text of this length is not searched any further: some for each character and instruction. */
  pasPermis(longueur: number): number {
    return SOCLE + TOURS * (longueur + 1) * this.#code.length;
  }

  /**
   * Every part to be hidden: of each match what its groups went over, all of it when it has none.
   *
   * @returns undefined when looking takes longer than a text of this length may take
   */
  trouver(texte: string): Portee[] | undefined {
    const found: Portee[] = [];
    this.#pas = 0;
    if (this.#tour > MOST_TURNS) {
      this.#vu.fill(0);
      this.#tour = 0;
    }
    const most = this.pasPermis(texte.length);
    for (let from = 0; from <= texte.length; ) {
      const match = this.#chercher(texte, from, most);
      if (match === 'trop') return undefined;
      if (!match) return found;
      const { trace, fin } = match;
      found.push(...porteesDe(trace, fin));
      from = fin;
    }
    return found;
  }

  #chercher(texte: string, from: number, most: number): { trace: Trace; fin: number } | 'trop' | undefined {
    let match: { trace: Trace; fin: number } | undefined;
    this.#threads.length = 0;
    this.#traces.length = 0;
    this.#tour++;
    for (let at = from; ; ) {
      if (this.#threads.length === 0) {
        if (match) return match;
        at = this.#prochain(texte, at);
        if (at < 0) return undefined;
        this.#tour++;
      }
      if (!match)
        this.#ajouter(this.#threads, this.#traces, 0, texte, at, {
          genre: 'debut',
          place: at,
          avant: undefined,
        });
      if (this.#pas > most) return 'trop';
      const code = texte.codePointAt(at);
      const next = at + (code !== undefined && code > 0xffff ? 2 : 1);
      this.#tour++;
      for (let i = 0; i < this.#threads.length; i++) {
        const pc = this.#threads[i]!;
        const instruction = this.#code[pc]!;
        if (instruction.op === 'trouve') {
          match = { trace: this.#traces[i]!, fin: at };
          // Those behind it are less preferred.
          break;
        }
        this.#pas++;
        if (code !== undefined && instruction.op === 'caractere' && instruction.test(code))
          this.#ajouter(this.#suivants, this.#suites, pc + 1, texte, next, this.#traces[i]!);
      }
      if (code === undefined) return match;
      [this.#threads, this.#suivants] = [this.#suivants, this.#threads];
      [this.#traces, this.#suites] = [this.#suites, this.#traces];
      this.#suivants.length = 0;
      this.#suites.length = 0;
      at = next;
    }
  }

  /** The next place where a match may begin, -1 when there is none. */
  #prochain(texte: string, from: number): number {
    for (let at = from; at < texte.length; at++) {
      const unit = texte.charCodeAt(at);
      if (unit < 128) {
        if (this.#ascii[unit]) return at;
        continue;
      }
      const code = texte.codePointAt(at)!;
      if (this.#premiers.some((test) => test(code))) return at;
      if (code > 0xffff) at++;
    }
    this.#pas += texte.length - from;
    return -1;
  }

  #ajouter(threads: number[], traces: Trace[], pc: number, texte: string, at: number, trace: Trace): void {
    if (this.#vu[pc] === this.#tour) return;
    this.#vu[pc] = this.#tour;
    this.#pas++;
    const instruction = this.#code[pc]!;
    switch (instruction.op) {
      case 'saut':
        this.#ajouter(threads, traces, instruction.vers, texte, at, trace);
        return;
      case 'choix':
        this.#ajouter(threads, traces, instruction.premier, texte, at, trace);
        this.#ajouter(threads, traces, instruction.second, texte, at, trace);
        return;
      case 'ouvre':
      case 'ferme':
        this.#ajouter(threads, traces, pc + 1, texte, at, { genre: instruction.op, place: at, avant: trace });
        return;
      case 'borne':
        if (tient(instruction.borne, texte, at)) this.#ajouter(threads, traces, pc + 1, texte, at, trace);
        return;
      default:
        threads.push(pc);
        traces.push(trace);
    }
  }
}

/** What a match may begin with. */
function premiers(code: readonly Instruction[]): Caractere[] {
  const tests: Caractere[] = [];
  const seen = new Set<number>();
  const look = (pc: number): void => {
    if (seen.has(pc)) return;
    seen.add(pc);
    const instruction = code[pc]!;
    if (instruction.op === 'caractere') tests.push(instruction.test);
    else if (instruction.op === 'saut') look(instruction.vers);
    else if (instruction.op === 'choix') {
      look(instruction.premier);
      look(instruction.second);
    } else if (instruction.op !== 'trouve') look(pc + 1);
  };
  look(0);
  return tests;
}

function tient(borne: Borne, texte: string, at: number): boolean {
  if (borne === 'debut') return at === 0;
  if (borne === 'fin') return at === texte.length;
  const limite = motAvant(texte, at) !== motEn(texte, at);
  return (borne === 'mot') === limite;
}

function motEn(texte: string, at: number): boolean {
  return at < texte.length && MOT(texte.codePointAt(at)!);
}

function motAvant(texte: string, at: number): boolean {
  if (at === 0) return false;
  const unit = texte.charCodeAt(at - 1);
  const pair = at > 1 && unit >= 0xdc00 && unit <= 0xdfff ? texte.codePointAt(at - 2)! : 0;
  return MOT(pair > 0xffff ? pair : unit);
}

function porteesDe(last: Trace, fin: number): Portee[] {
  const found: Portee[] = [];
  const ends: number[] = [];
  let groupe = false;
  let debut = fin;
  for (let trace: Trace | undefined = last; trace; trace = trace.avant) {
    if (trace.genre === 'ferme') ends.push(trace.place);
    else if (trace.genre === 'ouvre') {
      const end = ends.pop()!;
      groupe = true;
      if (end > trace.place) found.push([trace.place, end]);
    } else debut = trace.place;
  }
  // Groups that went over nothing hide nothing.
  return groupe ? found : [[debut, fin]];
}
