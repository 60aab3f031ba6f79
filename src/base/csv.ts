/**
 * Texts that a spreadsheet would take for a formula. It does so at the beginning of a cell; and since a file with commas is
 * opened where `;` separates (and the other way round), a cell begins for it behind every separator and line end inside a
 * text, too: quotes count for nothing there.
 */

/** First characters of a formula, with the full-width forms that become them. */
const STARTS = '=+@＝＋－＠-';

/** First characters of a text that must not begin a cell, as numbers. */
export const FORMULA_STARTS = [...`\t\n\r${STARTS}`].map((char) => char.codePointAt(0)!);

/**
 * What begins a formula inside a text, for a regular expression of PostgreSQL: behind what may begin a cell, with what is passed over
 * before a formula.
 *
 * @param others separators of other spreadsheets than the file is for
 */
export function formulaBehind(others: string): string {
  // The run in between holds nothing that a match could begin with: however long it is, it is read once.
  return `([${others}\\t\\n\\r][" ]*)([${STARTS}])`;
}

/** The same text with an apostrophe before whatever would begin a formula, whatever separates. */
export function withoutFormulas(text: string): string {
  const inside = text.replace(/([;,\t\n\r][" ]*)([=+@＝＋－＠-])/g, "$1'$2");
  return FORMULA_STARTS.includes(text.codePointAt(0)!) ? `'${inside}` : inside;
}
