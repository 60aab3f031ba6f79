/** A part of an SQL text. */
export interface Jeton {
  /** `mot`: a word without quotes; `nom`: one in double quotes; `texte`: a string; `corps`: one between dollars */
  readonly genre: 'mot' | 'nom' | 'texte' | 'corps' | 'nombre' | 'signe';
  /** words in lower case, names without their quotes, the rest as it stands */
  readonly valeur: string;
}

/** A statement, without its semicolon. */
export interface Enonce {
  readonly texte: string;
  readonly jetons: readonly Jeton[];
}

/** A text is not made of what this program writes; the message says of what. */
export class FormeRefusee extends Error {}

const RULES: readonly (readonly [Jeton['genre'] | 'blanc', RegExp])[] = [
  ['blanc', /\s+/y],
  ['texte', /[eE]'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/y],
  ['texte', /'[^']*(?:''[^']*)*'/y],
  ['nom', /"[^"]*(?:""[^"]*)*"/y],
  ['corps', /\$([a-z_]*)\$[\s\S]*?\$\1\$/y],
  ['nombre', /\d+(?:\.\d+)?(?:e[+-]?\d+)?/y],
  ['mot', /[a-zA-Z_\u0080-\uffff][\w\u0080-\uffff$]*/y],
  ['signe', /::|[-+*/<>=~!@#%^&|`?]+|[()[\],.;:]/y],
];

/**
 * Takes an SQL text apart into statements, as PostgreSQL would with `standard_conforming_strings` on. Comments may stand
 * between statements only; what PostgreSQL reads in several ways (`U&'…'`, comments inside) is refused.
 *
 * @throws FormeRefusee
 */
export function decouper(sql: string): Enonce[] {
  const found: Enonce[] = [];
  let jetons: Jeton[] = [];
  let start = 0;
  for (let at = 0; at < sql.length; ) {
    if (jetons.length === 0 && sql.startsWith('--', at)) {
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end + 1;
      continue;
    }
    const [genre, piece] = next(sql, at);
    if (genre === 'signe' && /--|\/\*/.test(piece))
      throw new FormeRefusee('commentaire dans une instruction');
    if (
      genre === 'mot' &&
      /^[ux]$/i.test(piece) &&
      /^&?['"]/.test(sql.slice(at + piece.length, at + piece.length + 2))
    )
      throw new FormeRefusee('chaîne d’une autre écriture');
    if (genre === 'signe' && piece === ';') {
      if (jetons.length > 0) found.push({ texte: sql.slice(start, at), jetons });
      jetons = [];
    } else if (genre !== 'blanc') {
      if (jetons.length === 0) start = at;
      jetons.push({ genre, valeur: valeurDe(genre, piece) });
    }
    at += piece.length;
  }
  if (jetons.length > 0) throw new FormeRefusee('instruction sans fin');
  return found;
}

function next(sql: string, at: number): readonly [Jeton['genre'] | 'blanc', string] {
  for (const [genre, rule] of RULES) {
    rule.lastIndex = at;
    const match = rule.exec(sql);
    if (match) return [genre, match[0]];
  }
  throw new FormeRefusee(`caractère ${JSON.stringify(sql[at])}`);
}

function valeurDe(genre: Jeton['genre'], piece: string): string {
  if (genre === 'mot') return piece.toLowerCase();
  return genre === 'nom' ? piece.slice(1, -1).replaceAll('""', '"') : piece;
}
