export type Encoding =
  | 'windows1252'
  | 'utf8'
  | 'utf8_bom'
  | 'utf16le'
  | 'utf16le_bom'
  | 'utf16be'
  | 'utf16be_bom';

const LF = 0x0a;

/** Gives Windows-1252 lines the encoding and the line endings that a controller was set to. */
export function encode(lines: Buffer, format: { encoding: Encoding; crlf: boolean }): Buffer {
  const bytes = format.crlf ? withCrlf(lines) : lines;
  const { encoding } = format;
  if (encoding === 'windows1252') return bytes;
  const bom = encoding.endsWith('_bom') ? '\ufeff' : '';
  // The simulator uses one character where Windows-1252 differs from Latin-1: the apostrophe.
  const text = bom + bytes.toString('latin1').replaceAll('\u0092', '\u2019');
  if (encoding === 'utf8' || encoding === 'utf8_bom') return Buffer.from(text, 'utf8');
  const wide = Buffer.from(text, 'utf16le');
  return encoding.startsWith('utf16be') ? wide.swap16() : wide;
}

function withCrlf(lines: Buffer): Buffer {
  const out = Buffer.allocUnsafe(lines.length * 2);
  let length = 0;
  for (let from = 0; from < lines.length; ) {
    const found = lines.indexOf(LF, from);
    const end = found < 0 ? lines.length : found;
    length += lines.copy(out, length, from, end);
    if (found >= 0) {
      out[length++] = 0x0d;
      out[length++] = LF;
    }
    from = end + 1;
  }
  return out.subarray(0, length);
}
