/** A reader of CSV of its own (RFC 4180), strict: what the API writes is not read by the library that wrote it. */

/**
 * Fields of each line; a field without quotes and without a character is null, `""` is an empty text.
 *
 * @throws on anything that RFC 4180 does not allow, but lines end with LF alone
 */
export function readCsv(text: string, separator: ',' | ';'): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let i = 0;
  while (i < text.length) {
    if (text[i] === '"') {
      let field = '';
      for (i++; ; i++) {
        if (i >= text.length) throw new Error('a quoted field without an end');
        if (text[i] !== '"') field += text[i];
        else if (text[i + 1] === '"') field += text[i++];
        else break;
      }
      i++;
      row.push(field);
    } else {
      const start = i;
      while (i < text.length && text[i] !== separator && text[i] !== '\n') {
        if (text[i] === '"' || text[i] === '\r') throw new Error(`${text[i]} in a field without quotes`);
        i++;
      }
      row.push(i === start ? null : text.slice(start, i));
    }
    if (i >= text.length) throw new Error('the last line has no end');
    if (text[i] === '\n') {
      rows.push(row);
      row = [];
    } else if (text[i] !== separator) throw new Error(`${text[i]} after a quoted field`);
    else if (i + 1 === text.length) throw new Error('the last line has no end');
    i++;
  }
  for (const one of rows) if (one.length !== rows[0]!.length) throw new Error('lines of different lengths');
  return rows;
}

/**
 * Cells as a spreadsheet makes them of any text: quotes count where a cell begins, what stands behind their end is text,
 * and a line end outside of them ends the row.
 */
export function cellsAsSpreadsheet(text: string, separator: string): string[] {
  const cells: string[] = [];
  let i = 0;
  while (i <= text.length) {
    let cell = '';
    if (text[i] === '"') {
      for (i++; i < text.length; i++) {
        if (text[i] !== '"') cell += text[i];
        else if (text[i + 1] === '"') cell += text[i++];
        else break;
      }
      i++;
    }
    while (i < text.length && text[i] !== separator && text[i] !== '\n' && text[i] !== '\r')
      cell += text[i++];
    cells.push(cell);
    i++;
  }
  return cells;
}
