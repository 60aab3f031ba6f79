/** A change that no test can notice, or need not. */
export interface Explique {
  readonly fichier: string;
  /** the line, without blanks around it */
  readonly code: string;
  /** kind and what stands there instead, or how that begins */
  readonly mutation: string;
  readonly pourquoi: string;
}

/** Survivors that were looked at, one by one. Each line must still be in its file (test/unit/mutation.test.ts). */
export const EXPLIQUES: readonly Explique[] = [
  {
    fichier: 'src/api/auth/jetons.ts',
    code: 'if (known) {',
    mutation: 'ConditionalExpression : false',
    pourquoi: 'sans mémoire, le jeton est vérifié de nouveau, avec la même réponse',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: 'if (known) {',
    mutation: 'BlockStatement : {}',
    pourquoi: 'sans mémoire, le jeton est vérifié de nouveau, avec la même réponse',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: 'this.#remembered.delete(token);',
    mutation: 'CallExpression : ;',
    pourquoi: 'un jeton échu qui reste en mémoire y est encore échu',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: 'this.#remembered.set(token, jeton);',
    mutation: 'CallExpression : ;',
    pourquoi: 'sans mémoire, le jeton est vérifié de nouveau, avec la même réponse',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: "requiredClaims: ['sub', 'jti', 'iat', 'exp', 'ver'],",
    mutation: 'ArrayDeclaration : []',
    pourquoi: 'la suite refuse aussi ce qui manque, un par un',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: "typeof sub !== 'string' ||",
    mutation: 'ConditionalExpression : false',
    pourquoi: 'le motif refuse aussi ce qui n’est pas un texte',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: "typeof jti !== 'string' ||",
    mutation: 'ConditionalExpression : false',
    pourquoi: 'le motif refuse aussi ce qui n’est pas un texte',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: 'if (this.#remembered.size >= REMEMBERED) {',
    mutation: '',
    pourquoi: 'la taille de la mémoire ne change aucune réponse',
  },
  {
    fichier: 'src/api/auth/jetons.ts',
    code: 'this.#remembered.delete(this.#remembered.keys().next().value!);',
    mutation: 'CallExpression : ;',
    pourquoi: 'la taille de la mémoire ne change aucune réponse',
  },
  {
    fichier: 'src/api/auth/cle.ts',
    code: 'const [, hex, secret] = FORM.exec(cle) ?? [];',
    mutation: 'ArrayDeclaration : ["Stryker was here"]',
    pourquoi: 'la première place n’est pas lue',
  },
  {
    fichier: 'src/api/auth/cle.ts',
    code: 'if (hex === undefined || secret === undefined) return undefined;',
    mutation: 'LogicalOperator : hex === undefined && secret === undefined',
    pourquoi: 'les deux manquent ou aucun',
  },
  {
    fichier: 'src/api/auth/cle.ts',
    code: 'if (hex === undefined || secret === undefined) return undefined;',
    mutation: 'ConditionalExpression : false',
    pourquoi: 'les deux manquent ou aucun : l’autre moitié suffit',
  },
  {
    fichier: 'src/api/auth/cle.ts',
    code: "const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');",
    mutation: 'Regex : /(.{8})(.{4})(.{4})(.{4})(.{12})$/',
    pourquoi: 'le texte a 32 caractères : sans ancre il est pris en entier de même',
  },
  {
    fichier: 'src/api/auth/cle.ts',
    code: "const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');",
    mutation: 'Regex : /^(.{8})(.{4})(.{4})(.{4})(.{12})/',
    pourquoi: 'le texte a 32 caractères : sans ancre il est pris en entier de même',
  },
  {
    fichier: 'src/api/acces.ts',
    code: "if (acces.acces === 'compte') return false;",
    mutation: 'ConditionalExpression : false',
    pourquoi: 'une telle route n’a pas de ressource : aucune portée ne l’ouvre',
  },
  {
    fichier: 'src/api/acces.ts',
    code: "if (acces.acces === 'compte') return false;",
    mutation: 'Texte : ""',
    pourquoi: 'une telle route n’a pas de ressource : aucune portée ne l’ouvre',
  },
  {
    fichier: 'src/api/inclusions.ts',
    code: 'if (known === undefined) OF.add(schema, { ressource });',
    mutation: 'ConditionalExpression : true',
    pourquoi: 'dire deux fois la même chose d’un schéma ne change rien',
  },
  {
    fichier: 'src/domain/conservation/coupure.ts',
    code: "let jour = Math.round(local.since('1970-01-01', { largestUnit: 'days' }).days);",
    mutation: 'ObjectLiteral : {}',
    pourquoi: 'entre deux dates, le jour est l’unité qu’elles ont d’elles-mêmes',
  },
  {
    fichier: 'src/archives/effacements.ts',
    code: "if (line === '') return [];",
    mutation: 'ConditionalExpression : false',
    pourquoi: 'une ligne vide n’est pas du JSON non plus : elle est passée de même',
  },
  {
    fichier: 'src/archives/effacements.ts',
    code: "if (line === '') return [];",
    mutation: 'Texte : "Stryker was here!"',
    pourquoi: 'une ligne vide n’est pas du JSON non plus : elle est passée de même',
  },
  {
    fichier: 'src/api/auth/politique.ts',
    code: 'if (unlisted < length && exactBits(unlisted, text) < BITS_LEFT) {',
    mutation: 'EqualityOperator : exactBits(unlisted, text) <= BITS_LEFT',
    pourquoi: 'aucune somme d’alphabets n’est une puissance de deux : jamais 50 bits tout juste',
  },
  {
    fichier: 'src/api/auth/devinable.ts',
    code: "while (i + length < text.length && keys.includes(text.slice(i, i + length + 1).join(''))) length++;",
    mutation: 'Texte : "Stryker was here!"',
    pourquoi: 'une suite plus longue est trouvée aussi par morceaux de quatre touches, de place en place',
  },
  {
    fichier: 'src/api/auth/authentifier.ts',
    code: 'if (etat.derniere_utilisation === null || etat.derniere_utilisation <= now - UTILISATION) {',
    mutation: 'ConditionalExpression : true',
    pourquoi: 'l’instruction regarde elle-même si la minute est passée : elle est seulement épargnée ici',
  },
];
