/** Mutants of statements in SQL; Stryker knows of JavaScript only, and half of what is judged here is decided in SQL. */

/** Stands for what is put into a template. */
const HOLE = '\uE000';
/** What ends a condition that stands by itself. */
const ENDS = /^(AND|OR|ORDER BY|GROUP BY|LIMIT|OFFSET|RETURNING|FOR|ON CONFLICT|THEN|ELSE|END|UNION)\b/;

const SWAPS: readonly (readonly [RegExp, string])[] = [
  [/ <= /g, ' < '],
  [/ >= /g, ' > '],
  [/ < /g, ' <= '],
  [/ > /g, ' >= '],
  [/\bIS NULL\b/g, 'IS NOT NULL'],
  [/\bIS NOT NULL\b/g, 'IS NULL'],
  [/\bNOT EXISTS\b/g, 'EXISTS'],
  [/\bgreatest\b/g, 'least'],
  [/\bleast\b/g, 'greatest'],
  [/ DESC\b/g, ''],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
];

/** Whether a text is SQL, or a part of it. */
export function estSql(text: string): boolean {
  return /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|EXISTS|IS NOT NULL|LATERAL|greatest\()/.test(text);
}

/**
 * Statements that differ from one in one place: a boundary, a negation, a direction, or a condition that always holds.
 *
 * @param parts the text between what is put into it
 * @returns the same parts, one list a mutant
 */
export function mutantsSql(parts: readonly string[]): string[][] {
  const text = parts.join(HOLE);
  const found = new Set<string>();
  // In constants, nothing is an operator.
  const plain = text.replaceAll(/'[^']*'/g, (constant) => `'${'x'.repeat(constant.length - 2)}'`);
  const put = (from: number, to: number, by: string): void => {
    found.add(text.slice(0, from) + by + text.slice(to));
  };
  for (const [what, by] of SWAPS)
    for (const { index, 0: hit } of plain.matchAll(what)) put(index, index + hit.length, by);
  for (const { index, 0: word } of plain.matchAll(/\b(WHERE|AND)\s+/g)) {
    const from = index + word.length;
    const to = from + length(plain.slice(from));
    const condition = text.slice(from, to).trimEnd();
    // Nothing leaves the text: PostgreSQL refuses parameters that are nowhere.
    if (condition !== '') put(from, from + condition.length, `(true OR (${condition}))`);
  }
  return [...found].map((mutant) => mutant.split(HOLE));
}

/** How long the condition is that a text begins with. */
function length(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth < 0) return at;
    else if (depth === 0 && /\W/.test(text[at - 1] ?? ' ') && ENDS.test(text.slice(at))) return at;
  }
  return text.length;
}
