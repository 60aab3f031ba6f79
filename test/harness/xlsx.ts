/** Reads a workbook with nothing of what wrote it: the zip by its central directory, the parts by the strict XML reader. */

import { crc32, inflateRawSync } from 'node:zlib';
import { type Element, readXml } from './xml.ts';

/** Path → bytes of a zip archive, in its order; checks lengths and checksums. */
export function readZip(zip: Buffer): Map<string, Buffer> {
  const end = zip.length - 22;
  if (zip.readUInt32LE(end) !== 0x06054b50) throw new Error('no end of a central directory');
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('not an entry of the directory');
    const [method, crc, packed, size] = [
      zip.readUInt16LE(at + 10),
      ...[16, 20, 24].map((offset) => zip.readUInt32LE(at + offset)),
    ] as [number, number, number, number];
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const path = zip.toString('utf8', at + 46, at + 46 + name);
    const local = zip.readUInt32LE(at + 42);
    const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(data, data + packed);
    const content = method === 8 ? inflateRawSync(bytes) : bytes;
    if (content.length !== size || crc32(content) !== crc || files.has(path))
      throw new Error(`${path} damaged`);
    files.set(path, content);
    at += 46 + name + extra + comment;
  }
  if (at !== end) throw new Error('the directory ends elsewhere');
  return files;
}

/** A cell as a spreadsheet has it. */
export type Cell = string | number | boolean | { readonly serial: number; readonly format: string } | null;

export interface Workbook {
  readonly sheetName: string;
  readonly sheet: Element;
  /** first the names of the columns */
  readonly rows: readonly (readonly Cell[])[];
}

/** @throws when a part that another names is missing, or a cell is not where it says to be */
export function readXlsx(bytes: Buffer): Workbook {
  const files = readZip(bytes);
  const part = (path: string): Element => readXml(files.get(path)!.toString('utf8'));
  const types = part('[Content_Types].xml');
  for (const { name, attributes } of types.children) {
    if (name === 'Override' && !files.has(attributes['PartName']!.slice(1)))
      throw new Error(attributes['PartName']);
  }
  const target = (rels: Element, type: string): string =>
    rels.children.find(({ attributes }) => attributes['Type']!.endsWith(`/${type}`))!.attributes['Target']!;
  const workbook = part(target(part('_rels/.rels'), 'officeDocument'));
  const rels = part('xl/_rels/workbook.xml.rels');
  const sheet = part(`xl/${target(rels, 'worksheet')}`);
  const styles = part(`xl/${target(rels, 'styles')}`);
  const formats = formatsOf(styles);
  const data = child(sheet, 'sheetData');
  const width = data.children[0]!.children.length;
  const rows = data.children.map((row, i) => {
    if (row.attributes['r'] !== String(i + 1)) throw new Error(`row ${row.attributes['r']} is row ${i + 1}`);
    const cells: Cell[] = Array<Cell>(width).fill(null);
    for (const cell of row.children) {
      const [, letters = '', number] = /^([A-Z]+)(\d+)$/.exec(cell.attributes['r']!)!;
      if (Number(number) !== i + 1) throw new Error(`cell ${cell.attributes['r']} in row ${i + 1}`);
      const column = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
      if (column >= width || cells[column] !== null) throw new Error(`cell ${cell.attributes['r']}`);
      cells[column] = cellValue(cell, formats);
    }
    return cells;
  });
  const named = child(child(workbook, 'sheets'), 'sheet').attributes['name']!;
  return { sheetName: decodeEscapes(named), sheet, rows };
}

export function child(element: Element, name: string): Element {
  const found = element.children.find((one) => one.name === name);
  if (!found) throw new Error(`<${element.name}> without <${name}>`);
  return found;
}

function cellValue(cell: Element, formats: readonly string[]): Cell {
  if (cell.children.some(({ name }) => name === 'f')) throw new Error('a formula');
  if (cell.attributes['t'] === 'inlineStr') return decodeEscapes(child(child(cell, 'is'), 't').text);
  const { text } = child(cell, 'v');
  if (cell.attributes['t'] === 'b') return text === '1';
  const format = formats[Number(cell.attributes['s'] ?? 0)]!;
  return format === '0' ? Number(text) : { serial: Number(text), format };
}

/** Number formats by the index of their style; `0` is none. */
function formatsOf(styles: Element): string[] {
  const codes = new Map(
    child(styles, 'numFmts').children.map(({ attributes }) => [
      attributes['numFmtId']!,
      attributes['formatCode']!,
    ]),
  );
  return child(styles, 'cellXfs').children.map(({ attributes }) => {
    const id = attributes['numFmtId']!;
    return codes.get(id) ?? id;
  });
}

/** `_x000D_` stands for a character that XML does not have (ECMA-376, 22.9.2.19). */
function decodeEscapes(text: string): string {
  return text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
