import { type Caractere, crochets, echappes, sansCasse } from './caracteres.ts';

/** An instruction of a compiled pattern; where it does not say, the next one follows. */
export type Instruction =
  | { readonly op: 'caractere'; readonly test: Caractere }
  /** both ways, the first one preferred */
  | { readonly op: 'choix'; readonly premier: number; readonly second: number }
  | { readonly op: 'saut'; readonly vers: number }
  | { readonly op: 'ouvre' | 'ferme' }
  | { readonly op: 'borne'; readonly borne: Borne }
  | { readonly op: 'trouve' };
export type Borne = 'debut' | 'fin' | 'mot' | 'pas_mot';

type Noeud =
  | { readonly genre: 'caractere'; readonly test: Caractere }
  | { readonly genre: 'borne'; readonly borne: Borne }
  | { readonly genre: 'suite' | 'choix'; readonly parties: readonly Noeud[] }
  | { readonly genre: 'groupe'; readonly noeud: Noeud }
  | {
      readonly genre: 'repetition';
      readonly noeud: Noeud;
      readonly min: number;
      readonly max: number;
      readonly avide: boolean;
    };

/** Longest pattern, in characters, and most instructions that it may become: they bound the time that a line takes. */
const MAX_MOTIF = 500;
const MAX_INSTRUCTIONS = 400;
const MAX_REPETITIONS = 200;
const MAX_PROFONDEUR = 20;

/** What is wrong with a pattern, in French, without the pattern itself: names may stand in it. */
export class ErreurMotif extends Error {}

/**
 * Compiles a pattern of the setting MASQUES. It is the part of regular expressions that can be matched in a time that
 * grows with the text: no reference to what was matched, no looking ahead or behind.
 *
 * @throws ErreurMotif
 */
export function compiler(motif: string): readonly Instruction[] {
  if (motif.length > MAX_MOTIF) throw new ErreurMotif(`plus de ${MAX_MOTIF} caractères`);
  const casse = motif.startsWith('(?i)');
  const noeud = new Lecteur(casse ? motif.slice(4) : motif, casse).tout();
  if (peutEtreVide(noeud))
    throw new ErreurMotif('le motif correspond aussi à un texte vide : il masquerait partout');
  const code: Instruction[] = [];
  emettre(noeud, code);
  code.push({ op: 'trouve' });
  return code;
}

class Lecteur {
  readonly #signes: readonly string[];
  readonly #casse: boolean;
  #place = 0;
  #profondeur = 0;

  constructor(motif: string, casse: boolean) {
    this.#signes = [...motif];
    this.#casse = casse;
  }

  tout(): Noeud {
    const noeud = this.#choix();
    if (this.#place < this.#signes.length) throw this.#erreur('parenthèse fermante sans ouvrante');
    return noeud;
  }

  #choix(): Noeud {
    const parties = [this.#suite()];
    while (this.#prendre('|')) parties.push(this.#suite());
    return parties.length === 1 ? parties[0]! : { genre: 'choix', parties };
  }

  #suite(): Noeud {
    const parties: Noeud[] = [];
    for (;;) {
      const signe = this.#signes[this.#place];
      if (signe === undefined || signe === '|' || signe === ')') return { genre: 'suite', parties };
      parties.push(this.#repete(this.#atome()));
    }
  }

  #atome(): Noeud {
    const signe = this.#signes[this.#place++]!;
    switch (signe) {
      case '(':
        return this.#groupe();
      case '[':
        return this.#classe();
      case '.':
        return { genre: 'caractere', test: () => true };
      case '^':
        return { genre: 'borne', borne: 'debut' };
      case '$':
        return { genre: 'borne', borne: 'fin' };
      case '\\':
        return this.#echappe();
      case '*':
      case '+':
      case '?':
        throw this.#erreur(`« ${signe} » ne répète rien`, 1);
      default:
        return this.#caractere(signe.codePointAt(0)!);
    }
  }

  #groupe(): Noeud {
    if (++this.#profondeur > MAX_PROFONDEUR)
      throw this.#erreur('trop de parenthèses les unes dans les autres');
    let garde = true;
    if (this.#prendre('?')) {
      if (!this.#prendre(':'))
        throw this.#erreur('seuls (…), (?:…) et, au début, (?i) sont compris ; ni (?=…), ni (?<…>…)');
      garde = false;
    }
    const noeud = this.#choix();
    if (!this.#prendre(')')) throw this.#erreur('parenthèse ouvrante sans fermante');
    this.#profondeur--;
    return garde ? { genre: 'groupe', noeud } : noeud;
  }

  #echappe(): Noeud {
    const signe = this.#signes[this.#place];
    if (signe === 'b' || signe === 'B') {
      this.#place++;
      return { genre: 'borne', borne: signe === 'b' ? 'mot' : 'pas_mot' };
    }
    const lu = echappes(this.#signes, this.#place);
    if (typeof lu === 'string') throw this.#erreur(lu);
    this.#place = lu.apres;
    return lu.code === undefined ? this.#test(lu.classe!) : this.#caractere(lu.code);
  }

  #classe(): Noeud {
    const lu = crochets(this.#signes, this.#place, this.#casse);
    if (typeof lu === 'string') throw this.#erreur(lu);
    this.#place = lu.apres;
    return { genre: 'caractere', test: lu.test };
  }

  #caractere(code: number): Noeud {
    return this.#test((other) => other === code);
  }

  #test(test: Caractere): Noeud {
    return { genre: 'caractere', test: this.#casse ? sansCasse(test) : test };
  }

  #repete(noeud: Noeud): Noeud {
    const bornes = this.#bornes();
    if (!bornes) return noeud;
    const [min, max] = bornes;
    if (noeud.genre === 'borne') throw this.#erreur('une borne (^, $, \\b) ne se répète pas');
    if (max > 1 && peutEtreVide(noeud)) throw this.#erreur('ce qui est répété peut être vide');
    const avide = !this.#prendre('?');
    if (this.#bornes()) throw this.#erreur('deux répétitions de suite');
    return { genre: 'repetition', noeud, min, max, avide };
  }

  /** How often what stands before is repeated, when a sign says so. */
  #bornes(): readonly [min: number, max: number] | undefined {
    if (this.#prendre('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#prendre('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#prendre('?')) return [0, 1];
    if (this.#signes[this.#place] !== '{') return undefined;
    const end = this.#signes.indexOf('}', this.#place);
    const [min, max = min, ...rest] = this.#signes
      .slice(this.#place + 1, Math.max(end, this.#place))
      .join('')
      .split(',')
      .map((text) => (/^\d{1,3}$/.test(text) ? Number(text) : text === '' ? undefined : Number.NaN));
    const open = this.#signes[end - 1] === ',';
    if (min === undefined || Number.isNaN(min) || Number.isNaN(max) || rest.length > 0)
      throw this.#erreur('« { » : attendu {2}, {2,} ou {2,5} (sinon \\{)');
    const most = open ? Number.POSITIVE_INFINITY : max!;
    if (
      min > MAX_REPETITIONS ||
      (most !== Number.POSITIVE_INFINITY && most > MAX_REPETITIONS) ||
      most < min ||
      most === 0
    )
      throw this.#erreur(`répétition hors de {1} à {${MAX_REPETITIONS}}`);
    this.#place = end + 1;
    return [min, most];
  }

  #prendre(signe: string): boolean {
    if (this.#signes[this.#place] !== signe) return false;
    this.#place++;
    return true;
  }

  #erreur(quoi: string, avant = 0): ErreurMotif {
    const place = this.#place - avant + 1 + (this.#casse ? 4 : 0);
    return new ErreurMotif(`au caractère ${place} du motif : ${quoi}`);
  }
}

function peutEtreVide(noeud: Noeud): boolean {
  switch (noeud.genre) {
    case 'caractere':
      return false;
    case 'borne':
      return true;
    case 'suite':
      return noeud.parties.every(peutEtreVide);
    case 'choix':
      return noeud.parties.some(peutEtreVide);
    case 'groupe':
      return peutEtreVide(noeud.noeud);
    case 'repetition':
      return noeud.min === 0 || peutEtreVide(noeud.noeud);
  }
}

function emettre(noeud: Noeud, code: Instruction[]): void {
  if (code.length > MAX_INSTRUCTIONS)
    throw new ErreurMotif('motif trop grand une fois ses répétitions écrites : raccourcissez {…}');
  switch (noeud.genre) {
    case 'caractere':
      code.push({ op: 'caractere', test: noeud.test });
      return;
    case 'borne':
      code.push({ op: 'borne', borne: noeud.borne });
      return;
    case 'suite':
      for (const partie of noeud.parties) emettre(partie, code);
      return;
    case 'groupe':
      code.push({ op: 'ouvre' });
      emettre(noeud.noeud, code);
      code.push({ op: 'ferme' });
      return;
    case 'choix':
      emettreChoix(noeud.parties, code);
      return;
    case 'repetition':
      emettreRepetition(noeud, code);
  }
}

function emettreChoix([first, ...rest]: readonly Noeud[], code: Instruction[]): void {
  if (rest.length === 0) {
    emettre(first!, code);
    return;
  }
  const choix = code.length;
  code.push({ op: 'saut', vers: 0 });
  emettre(first!, code);
  const saut = code.length;
  code.push({ op: 'saut', vers: 0 });
  code[choix] = { op: 'choix', premier: choix + 1, second: code.length };
  emettreChoix(rest, code);
  code[saut] = { op: 'saut', vers: code.length };
}

function emettreRepetition(
  { noeud, min, max, avide }: Extract<Noeud, { genre: 'repetition' }>,
  code: Instruction[],
): void {
  const choose = (enter: number, leave: number): Instruction =>
    avide ? { op: 'choix', premier: enter, second: leave } : { op: 'choix', premier: leave, second: enter };
  for (let i = 0; i < min; i++) emettre(noeud, code);
  if (max === Number.POSITIVE_INFINITY) {
    const choix = code.length;
    code.push({ op: 'saut', vers: 0 });
    emettre(noeud, code);
    code.push({ op: 'saut', vers: choix });
    code[choix] = choose(choix + 1, code.length);
    return;
  }
  const places: number[] = [];
  for (let i = min; i < max; i++) {
    places.push(code.length);
    code.push({ op: 'saut', vers: 0 });
    emettre(noeud, code);
  }
  for (const place of places) code[place] = choose(place + 1, code.length);
}
