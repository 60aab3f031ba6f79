/**
 * Texts that a spreadsheet would take for a formula. It does so at the beginning of a cell; and since a file with commas is
 * opened where `;` separates (and the other way round), a cell begins for it behind every separator and line end inside a
 * text, too: quotes count for nothing there.
 */

/** First characters of a formula, with the full-width forms that become them. */
const STARTS = '=+@＝＋－＠-';
/** What may begin a cell in one spreadsheet or another, with what is passed over before a formula. */
const BEHIND = '[;,\\t\\n\\r][" \\t\\n\\r]*';

/** For a regular expression of JavaScript or of PostgreSQL. */
export const FORMULA_AT_START = `^[\\t\\n\\r${STARTS}]`;
export const FORMULA_BEHIND = `(${BEHIND})([${STARTS}])`;

const atStart = new RegExp(FORMULA_AT_START);
const behind = new RegExp(FORMULA_BEHIND, 'g');

/** The same text with an apostrophe before whatever would begin a formula. */
export function withoutFormulas(text: string): string {
  const inside = text.replace(behind, "$1'$2");
  return atStart.test(text) ? `'${inside}` : inside;
}
