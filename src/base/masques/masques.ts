import { createHash } from 'node:crypto';
import { Moteur, type Portee } from './moteur.ts';
import { compiler } from './motif.ts';

/** A rule of the setting MASQUES: what matches is shown as `[nom]`. */
export interface RegleDeMasque {
  readonly nom: string;
  readonly motif: string;
}

/** A line of which something is hidden. */
export interface LigneMasquee {
  /** the whole line as it may be shown */
  readonly texte: string;
  /** the same of a part of it: from, to (exclusive), in the line as it is */
  morceau(debut: number, fin: number): string;
}

/** What is hidden of a line: from, to (exclusive), and the rule that says so. */
interface Cache {
  readonly debut: number;
  readonly fin: number;
  readonly nom: string;
}

/** A stretch of a line as it is shown so far: plain, or what stands for something hidden. */
interface Morceau {
  readonly texte: string;
  /** where it begins in the line as it is */
  readonly debut: number;
  readonly nom: string | undefined;
}

/** Looks at a line until nothing more is found; a line that takes more of them is hidden as a whole. */
const PASSES = 8;
/** Raised when the same rules hide other things than before: what is stored is then made anew. */
const VERSION = 1;

/**
 * The rules of masking. Which parts of a line are hidden does not depend on the order of the rules: all of them look at
 * the same text, and what they find is united. What is masked stays as it is when it is masked again.
 */
export class Masques {
  readonly #regles: readonly { readonly nom: string; readonly moteur: Moteur }[];
  readonly noms: readonly string[];
  /** changes with the rules, not with their order */
  readonly empreinte: string;

  /** @throws ErreurMotif */
  constructor(regles: readonly RegleDeMasque[]) {
    this.#regles = regles.map(({ nom, motif }) => ({ nom, moteur: new Moteur(compiler(motif)) }));
    this.noms = [...new Set(regles.map(({ nom }) => nom))].sort();
    const canonical = JSON.stringify([
      VERSION,
      [...new Set(regles.map((r) => `${r.nom}=${r.motif}`))].sort(),
    ]);
    this.empreinte = createHash('sha256').update(canonical).digest('hex').slice(0, 12);
  }

  /** What may be kept and shown of a line; undefined: all of it as it is. */
  poser(ligne: string): LigneMasquee | undefined {
    const known = this.#jetons(ligne);
    let caches = known;
    for (let pass = 0; ; pass++) {
      const found = pass < PASSES ? this.#passe(decouper(ligne, caches)) : undefined;
      if (!found) return masquee(ligne, [{ debut: 0, fin: ligne.length, nom: this.noms[0]! }]);
      if (found.length === 0) return caches === known ? undefined : masquee(ligne, caches);
      caches = [...caches, ...reunir(found)].sort((a, b) => a.debut - b.debut);
    }
  }

  /** The text as it may be kept and shown. */
  masquer(texte: string): string {
    return this.poser(texte)?.texte ?? texte;
  }

  /** The name of each rule, in their order. */
  get regles(): readonly string[] {
    return this.#regles.map(({ nom }) => nom);
  }

  /** What each rule finds in a line that nothing was hidden of; undefined: too long a search, all of it is hidden. */
  parRegle(ligne: string): (readonly Portee[] | undefined)[] {
    return this.#regles.map(({ moteur }) => moteur.trouver(ligne));
  }

  /** Stand-ins that the line has already: they stay. */
  #jetons(ligne: string): Cache[] {
    if (!ligne.includes('[')) return [];
    const found: Cache[] = [];
    for (const nom of this.noms) {
      const jeton = jetonDe(nom);
      for (let at = ligne.indexOf(jeton); at >= 0; at = ligne.indexOf(jeton, at + jeton.length))
        found.push({ debut: at, fin: at + jeton.length, nom });
    }
    return found.sort((a, b) => a.debut - b.debut);
  }

  /** What the rules find that is not hidden yet; undefined when looking takes too long. */
  #passe(morceaux: readonly Morceau[]): Cache[] | undefined {
    const texte = morceaux.length === 1 ? morceaux[0]!.texte : morceaux.map((m) => m.texte).join('');
    const found: Cache[] = [];
    for (const { nom, moteur } of this.#regles) {
      const portees = moteur.trouver(texte);
      if (!portees) return undefined;
      for (const portee of portees) found.push(...nus(morceaux, portee, nom));
    }
    return found;
  }
}

function jetonDe(nom: string): string {
  return `[${nom}]`;
}

/** What of a match is not hidden yet; nothing when this rule has hidden some of it before. */
function nus(morceaux: readonly Morceau[], [debut, fin]: Portee, nom: string): Cache[] {
  const found: Cache[] = [];
  let at = 0;
  for (const morceau of morceaux) {
    const from = Math.max(debut, at);
    const to = Math.min(fin, at + morceau.texte.length);
    if (from < to) {
      if (morceau.nom === nom) return [];
      if (morceau.nom === undefined)
        found.push({ debut: morceau.debut + from - at, fin: morceau.debut + to - at, nom });
    }
    at += morceau.texte.length;
    if (at >= fin) break;
  }
  return found;
}

/** Parts that overlap or touch become one, under the name of the one that begins first (of these the longest). */
function reunir(found: readonly Cache[]): Cache[] {
  const sorted = found.toSorted((a, b) => a.debut - b.debut || b.fin - a.fin || (a.nom < b.nom ? -1 : 1));
  const united: Cache[] = [];
  for (const cache of sorted) {
    const last = united.at(-1);
    if (last && cache.debut <= last.fin)
      united[united.length - 1] = { ...last, fin: Math.max(last.fin, cache.fin) };
    else united.push(cache);
  }
  return united;
}

function decouper(ligne: string, caches: readonly Cache[], de = 0, a = ligne.length): Morceau[] {
  const morceaux: Morceau[] = [];
  let at = de;
  for (const { debut, fin, nom } of caches) {
    if (fin <= de || debut >= a) continue;
    if (debut > at) morceaux.push({ texte: ligne.slice(at, debut), debut: at, nom: undefined });
    morceaux.push({ texte: jetonDe(nom), debut, nom });
    at = Math.max(at, fin);
  }
  if (at < a) morceaux.push({ texte: ligne.slice(at, a), debut: at, nom: undefined });
  return morceaux;
}

function masquee(ligne: string, caches: readonly Cache[]): LigneMasquee {
  const morceau = (debut: number, fin: number): string =>
    decouper(ligne, caches, debut, fin)
      .map(({ texte }) => texte)
      .join('');
  return { texte: morceau(0, ligne.length), morceau };
}
