/** What a cell may hold at most, in UTF-16 units; spreadsheets call a file with more damaged. */
export const LONGUEUR_MAX = 32_767;
const COUPE = ' … [coupé ici : format=csv donne tout]';

const SPECIAL = /[&<>"\u0000-\u0008\u000b-\u001f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)|[\ud800-\udfff]/u;
const SPECIALS = new RegExp(SPECIAL, 'gu');
const ENTITES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/**
 * Text for an element or attribute of a workbook. What XML cannot carry goes as `_x0001_` (ECMA-376, 22.9.2.19),
 * and so do a carriage return, which readers of XML would turn into a line feed, and the first underscore of a text
 * that looks like such an escape.
 */
export function texteXml(texte: string): string {
  // Most texts have nothing to escape.
  if (!SPECIAL.test(texte)) return texte;
  return texte.replaceAll(SPECIALS, (part) => {
    const entite = ENTITES[part];
    if (entite) return entite;
    return `_x${part.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`;
  });
}

/** Text of a cell, cut where no cell could hold it, and saying so. */
export function texteDeCellule(texte: string): string {
  if (texte.length <= LONGUEUR_MAX) return texteXml(texte);
  const garde = texte.slice(0, LONGUEUR_MAX - COUPE.length);
  // Half a character is none.
  return texteXml((garde.isWellFormed() ? garde : garde.slice(0, -1)) + COUPE);
}
