/** Whether a character (code point) is one of a set. */
export type Caractere = (code: number) => boolean;

const char = String.fromCodePoint;
const par =
  (expression: RegExp): Caractere =>
  (code) =>
    expression.test(char(code));

const CHIFFRE: Caractere = (code) => code >= 48 && code <= 57;
const LETTRE = /[\p{L}\p{M}\p{N}_]/u;
/** What words are made of in every language: `\w` must not stop before the ç of François. */
export const MOT: Caractere = (code) =>
  code < 128
    ? CHIFFRE(code) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
    : LETTRE.test(char(code));
const ESPACE = par(/\s/u);

const PROPRIETES: Readonly<Record<string, Caractere>> = {
  L: par(/\p{L}/u),
  Lu: par(/\p{Lu}/u),
  Ll: par(/\p{Ll}/u),
  M: par(/\p{M}/u),
  N: par(/\p{N}/u),
  Nd: par(/\p{Nd}/u),
  P: par(/\p{P}/u),
  S: par(/\p{S}/u),
  Z: par(/\p{Z}/u),
};
/** The same without a backslash, which a `.env` file cannot hold. */
const NOMMEES: Readonly<Record<string, Caractere>> = {
  alpha: PROPRIETES['L']!,
  upper: PROPRIETES['Lu']!,
  lower: PROPRIETES['Ll']!,
  digit: CHIFFRE,
  alnum: par(/[\p{L}\p{M}\p{N}]/u),
  word: MOT,
  space: ESPACE,
  punct: PROPRIETES['P']!,
};

const non =
  (test: Caractere): Caractere =>
  (code) =>
    !test(code);

const CLASSES: Readonly<Record<string, Caractere>> = {
  d: CHIFFRE,
  D: non(CHIFFRE),
  w: MOT,
  W: non(MOT),
  s: ESPACE,
  S: non(ESPACE),
};
const CONTROLES: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

export function classeDe(nom: string): Caractere | undefined {
  return Object.hasOwn(CLASSES, nom) ? CLASSES[nom] : undefined;
}

/** A set, whatever the case of its letters. */
export function sansCasse(test: Caractere): Caractere {
  return (code) => {
    if (test(code)) return true;
    const text = char(code);
    return un(text.toLowerCase(), test) || un(text.toUpperCase(), test);
  };
}

/** Letters of which the other case has several characters (ß) have none here. */
function un(text: string, test: Caractere): boolean {
  const code = text.codePointAt(0)!;
  return text.length === (code > 0xffff ? 2 : 1) && test(code);
}

interface Lu {
  /** place behind it */
  readonly apres: number;
  /** one character, or else a set */
  readonly code?: number;
  readonly classe?: Caractere;
}

/** Reads what stands behind a backslash; or says what is wrong. */
export function echappes(signes: readonly string[], place: number): Lu | string {
  const signe = signes[place];
  if (signe === undefined) return '« \\ » à la fin';
  const apres = place + 1;
  const classe = classeDe(signe);
  if (classe) return { apres, classe };
  if (Object.hasOwn(CONTROLES, signe)) return { apres, code: CONTROLES[signe]! };
  if (signe === 'p' || signe === 'P') return propriete(signes, apres, signe === 'P');
  if (signe === 'x' || signe === 'u') return numero(signes, apres, signe === 'x' ? 2 : 4);
  if (/[\p{L}\p{N}]/u.test(signe)) return `« \\${signe} » n’est pas compris`;
  return { apres, code: signe.codePointAt(0)! };
}

function propriete(signes: readonly string[], place: number, sauf: boolean): Lu | string {
  const end = signes.indexOf('}', place);
  const nom = signes[place] === '{' && end > 0 ? signes.slice(place + 1, end).join('') : '';
  const test = Object.hasOwn(PROPRIETES, nom) ? PROPRIETES[nom]! : undefined;
  if (!test) return `« \\p » : attendu \\p{${Object.keys(PROPRIETES).join('}, \\p{')}}`;
  return { apres: end + 1, classe: sauf ? non(test) : test };
}

function numero(signes: readonly string[], place: number, length: number): Lu | string {
  const digits = signes.slice(place, place + length).join('');
  if (digits.length !== length || !/^[0-9A-Fa-f]+$/.test(digits))
    return `« \\${length === 2 ? 'x' : 'u'} » : attendu ${length} chiffres hexadécimaux`;
  return { apres: place + length, code: Number.parseInt(digits, 16) };
}

/** Reads what stands behind `[`; or says what is wrong. */
export function crochets(
  signes: readonly string[],
  debut: number,
  casse: boolean,
): { readonly apres: number; readonly test: Caractere } | string {
  const tests: Caractere[] = [];
  let place = debut;
  const sauf = signes[place] === '^';
  if (sauf) place++;
  for (let first = true; ; first = false) {
    const signe = signes[place];
    if (signe === undefined) return '« [ » sans « ] »';
    if (signe === ']' && !first) break;
    const named = signe === '[' && signes[place + 1] === ':' ? nommee(signes, place) : undefined;
    if (typeof named === 'string') return named;
    const lu = named ?? membre(signes, place);
    if (typeof lu === 'string') return lu;
    place = lu.apres;
    const { code } = lu;
    if (code === undefined) {
      tests.push(lu.classe!);
      continue;
    }
    if (signes[place] !== '-' || signes[place + 1] === ']' || signes[place + 1] === undefined) {
      tests.push((other) => other === code);
      continue;
    }
    const last = membre(signes, place + 1);
    if (typeof last === 'string') return last;
    const to = last.code;
    if (to === undefined || to < code) return 'intervalle à l’envers entre crochets';
    tests.push((other) => other >= code && other <= to);
    place = last.apres;
  }
  const any: Caractere = (code) => tests.some((test) => test(code));
  const positive = casse ? sansCasse(any) : any;
  return { apres: place + 1, test: sauf ? non(positive) : positive };
}

function membre(signes: readonly string[], place: number): Lu | string {
  const signe = signes[place]!;
  return signe === '\\' ? echappes(signes, place + 1) : { apres: place + 1, code: signe.codePointAt(0)! };
}

function nommee(signes: readonly string[], place: number): Lu | string {
  const end = signes.indexOf(':', place + 2);
  const nom = end > 0 && signes[end + 1] === ']' ? signes.slice(place + 2, end).join('') : '';
  const classe = Object.hasOwn(NOMMEES, nom) ? NOMMEES[nom]! : undefined;
  if (!classe) return `« [: » : attendu [:${Object.keys(NOMMEES).join(':], [:')}:]`;
  return { apres: end + 2, classe };
}
