/** A strict reader of the XML that workbooks are made of: anything that is not well-formed is an error. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  /** its own text, joined */
  text: string;
}

const NAME = '[A-Za-z_][\\w.:-]*';
const TOKEN = new RegExp(
  `<(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>|</(${NAME})\\s*>|([^<]+)`.replaceAll('\n', ''),
  'y',
);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Everything that XML 1.0 allows (section 2.2). */
const CHARS = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** @returns the root element */
export function readXml(document: string): Element {
  const declaration = /^<\?xml version="1\.0" encoding="UTF-8" standalone="yes"\?>\s*/.exec(document)?.[0];
  if (declaration === undefined) throw new Error('no XML declaration');
  if (!CHARS.test(document)) throw new Error('a character that XML does not have');
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  for (let at = declaration.length; at < document.length; ) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(document);
    if (!found) throw new Error(`not XML: ${document.slice(at, at + 80)}`);
    at = TOKEN.lastIndex;
    const [, start, attributes = '', empty, end, text] = found;
    const parent = open.at(-1)!;
    if (start !== undefined) {
      const element: Element = {
        name: start,
        attributes: readAttributes(attributes),
        children: [],
        text: '',
      };
      parent.children.push(element);
      if (empty === '') open.push(element);
    } else if (end !== undefined) {
      if (parent.name !== end) throw new Error(`</${end}> ends <${parent.name}>`);
      open.pop();
    } else if (parent === top) throw new Error('text outside of the root');
    else parent.text += decode(text!);
  }
  if (open.length !== 1 || top.children.length !== 1) throw new Error('not one root element, closed');
  return top.children[0]!;
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(new RegExp(`(${NAME})="([^"<]*)"`, 'g'))) {
    if (Object.hasOwn(attributes, name)) throw new Error(`${name} twice`);
    attributes[name] = decode(value);
  }
  return attributes;
}

function decode(text: string): string {
  if (text.includes(']]>')) throw new Error(']]> in a text');
  // As readers do with line ends (section 2.11).
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(/&([^;]*);?/g, (_, name: string) => {
    const one = ENTITIES[name];
    if (one === undefined) throw new Error(`&${name}`);
    return one;
  });
}
