// Looking for planted texts in whatever bytes a program leaves: files, answers, pages of a database.

import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';

/** Nothing that is unpacked may be larger (bytes). */
const LARGEST = 256 * 1024 * 1024;

/** What is looked for: name and text. */
export type Canaris = Readonly<Record<string, string>>;

/** A text in one of the forms in which programs write it. */
interface Forme {
  readonly nom: string;
  readonly bytes: Buffer;
}

/** A text as it may lie somewhere; those that differ from the text itself are named. */
function formesDe(text: string): Forme[] {
  const utf8 = Buffer.from(text, 'utf8');
  const le = Buffer.from(text, 'utf16le');
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = [...json]
    .map((c) => (c > '~' ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c))
    .join('');
  const texts: Record<string, string> = {
    hexadécimal: utf8.toString('hex'),
    HEXADÉCIMAL: utf8.toString('hex').toUpperCase(),
    pourcent: encodeURIComponent(text),
    formulaire: encodeURIComponent(text).replaceAll('%20', '+'),
    json,
    'json ascii': ascii,
    xml: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
    minuscules: text.toLowerCase(),
  };
  for (const alphabet of ['base64', 'base64url'] as const) {
    // Three ways to lie across groups of three bytes; ends that depend on the neighbours are left out.
    for (let shift = 0; shift < 3; shift++) {
      const padded = Buffer.concat([Buffer.alloc(shift), utf8]);
      const whole = padded.subarray(0, padded.length - (padded.length % 3));
      texts[`${alphabet} ${shift}`] = whole.toString(alphabet).slice(shift === 0 ? 0 : 4);
    }
  }
  const found: Forme[] = [
    { nom: 'utf-8', bytes: utf8 },
    { nom: 'utf-16le', bytes: le },
    { nom: 'utf-16be', bytes: Buffer.from(le).swap16() },
    { nom: 'latin1', bytes: Buffer.from(text, 'latin1') },
    ...Object.entries(texts).map(([nom, t]) => ({ nom, bytes: Buffer.from(t, 'utf8') })),
  ];
  // The same bytes once.
  return found.filter(
    ({ bytes }, i) => bytes.length >= 6 && found.findIndex((other) => other.bytes.equals(bytes)) === i,
  );
}

/** Looks for texts in bytes, also in what is compressed in there. */
export class Chercheur {
  readonly #formes: readonly { readonly canari: string; readonly forme: Forme }[];

  constructor(canaris: Canaris) {
    this.#formes = Object.entries(canaris).flatMap(([canari, text]) =>
      formesDe(text).map((forme) => ({ canari, forme })),
    );
  }

  /**
   * @param ou where the bytes come from
   * @returns one line for each text, form and packing in which it was found
   */
  dans(bytes: Buffer, ou: string, depth = 0): string[] {
    const hits = this.#formes
      .filter(({ forme }) => bytes.includes(forme.bytes))
      .map(({ canari, forme }) => `${canari} (${forme.nom}) dans ${ou}`);
    if (depth < 3)
      for (const [packing, inner] of unpacked(bytes))
        hits.push(...this.dans(inner, `${ou} > ${packing}`, depth + 1));
    return [...new Set(hits)];
  }
}

/** What is compressed somewhere in bytes: whole files, and what lies in the middle of them (zip, COPY, pages). */
function* unpacked(bytes: Buffer): Generator<[string, Buffer]> {
  for (const at of places(bytes, Buffer.of(0x28, 0xb5, 0x2f, 0xfd))) {
    // What begins earlier holds what lies in it only by chance: each is tried.
    const inner = attempt(() => zstdDecompressSync(bytes.subarray(at), { maxOutputLength: LARGEST }));
    if (inner) yield [`zstd@${at}`, inner];
  }
  for (const at of places(bytes, Buffer.of(0x1f, 0x8b, 0x08))) {
    const inner = attempt(() => raw(bytes.subarray(endOfGzipHeader(bytes, at))));
    if (inner) yield [`gzip@${at}`, inner];
  }
  for (const at of places(bytes, Buffer.from('PK\x03\x04', 'latin1'))) {
    const inner = attempt(() => zipEntry(bytes, at));
    if (inner) yield [`zip@${at}`, inner];
  }
  if (bytes[0] === 0x78) {
    const inner = attempt(() => inflateSync(bytes, { maxOutputLength: LARGEST }));
    if (inner) yield ['zlib', inner];
  }
}

/** One file of a zip archive, deflated or stored. */
function zipEntry(bytes: Buffer, at: number): Buffer | undefined {
  const method = bytes.readUInt16LE(at + 8);
  const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
  if (method !== 8) return undefined;
  return raw(bytes.subarray(start));
}

/** A deflated stream, whatever follows it. */
function raw(bytes: Buffer): Buffer {
  return inflateRawSync(bytes, { maxOutputLength: LARGEST, finishFlush: constants.Z_SYNC_FLUSH });
}

function endOfGzipHeader(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3] ?? 0;
  let end = at + 10;
  if (flags & 4) end += 2 + bytes.readUInt16LE(end);
  for (const flag of [8, 16]) if (flags & flag) end = bytes.indexOf(0, end) + 1;
  return flags & 2 ? end + 2 : end;
}

function* places(bytes: Buffer, magic: Buffer): Generator<number> {
  for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) yield at;
}

function attempt<T>(work: () => T | undefined): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** The bytes of an answer as they were sent, when they are compressed as HTTP says. */
export function decoder(bytes: Buffer, encoding: string | null): Buffer {
  if (encoding === 'br') return brotliDecompressSync(bytes);
  if (encoding === 'gzip') return gunzipSync(bytes);
  return encoding === 'zstd' ? zstdDecompressSync(bytes) : bytes;
}
