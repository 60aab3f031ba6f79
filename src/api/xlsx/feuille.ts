/** The one sheet of a workbook, as text made row by row (ECMA-376, 18.3). */
import type { ColonneExportee, Genre } from '../../postgres/lecture/export-colonnes.ts';
import { STYLES } from './parties.ts';
import { texteDeCellule, texteXml } from './xml.ts';

/** Rows of a sheet, of which the first has the names of the columns. */
export const LIGNES_MAX = 1_048_576;

/** Characters of XML that are gathered before they go on. */
const MORCEAU = 65_536;

const LARGEURS: Readonly<Record<Genre, number>> = {
  entier: 12,
  decimal: 14,
  booleen: 9,
  date: 12,
  instant: 20,
  heure_locale: 20,
  liste: 24,
  texte: 24,
};

const NOMBRE = /^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;
/** Spreadsheets forget the digits beyond. */
const CHIFFRES_MAX = 15;

/**
 * The XML of a sheet in pieces: names of the columns in a row that stays in sight, filters on them, widths, and
 * cells with their types. A text that begins with `=` is a text here: only `<f>` is a formula.
 *
 * @param nombre rows in `lots`
 * @param lots rows as `Lecture.lots` gives them
 */
export async function* feuille(
  colonnes: readonly ColonneExportee[],
  nombre: number,
  lots: AsyncIterable<readonly (readonly (string | null)[])[]>,
): AsyncGenerator<string> {
  const lettres = colonnes.map((_, i) => lettresDe(i));
  const etendue = `A1:${lettres.at(-1)}${nombre + 1}`;
  const cols = colonnes.map(
    ({ nom, genre }, i) =>
      `<col min="${i + 1}" max="${i + 1}" width="${Math.max(LARGEURS[genre], nom.length + 4)}" customWidth="1"/>`,
  );
  const titres = colonnes.map(
    ({ nom }, i) =>
      `<c r="${lettres[i]}1" s="${STYLES.titre}" t="inlineStr"><is><t>${texteXml(nom)}</t></is></c>`,
  );
  yield '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' +
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' +
    `<dimension ref="${etendue}"/>` +
    '<sheetViews><sheetView tabSelected="1" workbookViewId="0">' +
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' +
    '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>' +
    `<sheetFormatPr defaultRowHeight="15"/><cols>${cols.join('')}</cols>` +
    `<sheetData><row r="1">${titres.join('')}</row>`;

  const cellules = colonnes.map(({ genre }, i) => celluleDe(genre, lettres[i]!));
  let xml = '';
  let rang = 1;
  for await (const lot of lots) {
    for (const ligne of lot) {
      rang++;
      xml += `<row r="${rang}">`;
      for (let i = 0; i < cellules.length; i++) {
        const valeur = ligne[i];
        if (valeur !== null && valeur !== undefined) xml += cellules[i]!(valeur, rang);
      }
      xml += '</row>';
      if (xml.length >= MORCEAU) {
        yield xml;
        xml = '';
      }
    }
  }
  yield `${xml}</sheetData><autoFilter ref="${etendue}"/></worksheet>`;
}

type Cellule = (valeur: string, rang: number) => string;

/**
 * How the cells of a column are written. What a spreadsheet has no number for (`NaN`, dates before 1900, more digits
 * than it keeps) is text.
 */
function celluleDe(genre: Genre, lettres: string): Cellule {
  const texte: Cellule = (valeur, rang) =>
    `<c r="${lettres}${rang}" t="inlineStr"><is><t xml:space="preserve">${texteDeCellule(valeur)}</t></is></c>`;
  const nombre =
    (style: string): Cellule =>
    (valeur, rang) =>
      NOMBRE.test(valeur) ? `<c r="${lettres}${rang}"${style}><v>${valeur}</v></c>` : texte(valeur, rang);
  const simple = nombre('');
  switch (genre) {
    case 'entier':
    case 'decimal':
      return (valeur, rang) =>
        valeur.length > CHIFFRES_MAX && valeur.replaceAll(/^-?0*|\D/g, '').length > CHIFFRES_MAX
          ? texte(valeur, rang)
          : simple(valeur, rang);
    case 'date':
      return nombre(` s="${STYLES.date}"`);
    case 'instant':
    case 'heure_locale':
      return nombre(` s="${STYLES.instant}"`);
    case 'booleen':
      return (valeur, rang) => `<c r="${lettres}${rang}" t="b"><v>${valeur === 't' ? 1 : 0}</v></c>`;
    case 'liste':
    case 'texte':
      return texte;
  }
}

/** `A` to `Z`, `AA`… */
function lettresDe(index: number): string {
  const rest = String.fromCharCode(65 + (index % 26));
  return index < 26 ? rest : lettresDe(Math.floor(index / 26) - 1) + rest;
}
