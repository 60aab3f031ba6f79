import fc from 'fast-check';

// Byte strings that look like logs here and there: whole lines, halves of lines, wrong bytes, in all encodings.

const STAMPS = [
  '20250528 06:00:00',
  '20250528 23:59:59',
  '20250330 02:30:00',
  '20251026 02:10:00',
  '20251026 02:50:00',
  '20251026 03:00:00',
  '20250228 12:00:00',
  '20250229 12:00:00',
  '00020101 00:00:00',
  '00011231 23:59:59',
  '99981231 23:59:59',
  '99990101 00:00:00',
  '20250528 24:00:00',
  ' 20250528 06:00:01',
  'é20250528 06:00:02\u00a0',
  '2025052806:00:00',
];
const EVENTS = [
  'StukUitgevoerd',
  'StukUitgevoerd: A1',
  'StukUitgevoerd:  pièce – 2 \u{1f600} ',
  ' StukUitgevoerd : B',
  'StukUitgevoerd\t: C',
  'MachineStop',
  'MachineStart:',
  'MachineWait: 45 sec',
  'MachineWait: 12,5sec',
  'MachineWait: 1.234,5 sec',
  'MachineWait: -5 sec 6 sec',
  'MachineWait: 0.0000005 sec',
  'MachineWait: 12.5',
  'MachineWait: 12',
  'MachineWait: 9999999.9999995 sec',
  'MachineWait: 1 234,5 sec',
  'MachineWait: 1\u202f234 567.5 sec',
  'MachineWait: .5 sec',
  'MachineWait: 1 min 30 sec',
  'MachineWait: 1 u. 2,5 min en 12 34 sec',
  'JobProfiel: R:215023 L:3359.0 C:7016 G ALU',
  'JobProfiel: C: L:1,50 R:x R:y',
  'JobProfiel: R:1 L:1234567890',
  'JobProfiel: R: L:5',
  'JobProfiel: R:1 L:3 359,0',
  `JobProfiel: R:${'r'.repeat(64)} L:.5 C:${'\u{1f600}'.repeat(200)}`,
  `JobProfiel: R:${'r'.repeat(65)} L:5`,
  'Zaagcyclus: 3',
  'Klem',
  'Égout: 1',
  'stukuitgevoerd',
  '',
  ':',
  ' : x',
];
const PIECES = ['|@', '|', '@', '\u00a0', '\ufeff', ' ', '\t', '\v', '20250528', 'sec', '\u0085', '€', 'œ'];
const ENDINGS = ['\n', '\r\n', '\r', '\r\r\n', '\n\n', '', ' \n', '\0\n', '\r\0\n', '\n\0\0'];

const line = fc
  .tuple(
    fc.constantFrom(...STAMPS),
    fc.constantFrom('|@', '|@', '|@', '|', '|@ |@'),
    fc.constantFrom(...EVENTS),
  )
  .map((parts) => parts.join(''));
const text = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 10, arbitrary: line },
        { weight: 2, arbitrary: fc.constantFrom(...PIECES) },
        // What a power cut leaves of a line, with the next one behind it.
        { weight: 1, arbitrary: fc.tuple(line, fc.nat(60), line).map(([a, at, b]) => a.slice(0, at) + b) },
        { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
      ),
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('\n', '\r\n') },
        { weight: 2, arbitrary: fc.constantFrom(...ENDINGS) },
      ),
    ),
    { maxLength: 9 },
  )
  .map((lines) => lines.flat().join(''));

const encode: Record<string, (text: string) => Buffer> = {
  'windows-1252': (t) => Buffer.from(t, 'latin1'),
  'utf-8': (t) => Buffer.from(t, 'utf8'),
  'utf-8 bom': (t) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(t, 'utf8')]),
  'utf-16le': (t) => Buffer.from(t, 'utf16le'),
  'utf-16le bom': (t) => Buffer.from(`\ufeff${t}`, 'utf16le'),
  'utf-16be': (t) => Buffer.from(t, 'utf16le').swap16(),
  'utf-16be bom': (t) => Buffer.from(`\ufeff${t}`, 'utf16le').swap16(),
};

const wrong = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((length) => Buffer.alloc(length)),
  fc
    .constantFrom(
      [0xff],
      [0xc3],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
      [0xed, 0xa0, 0x80],
      [0xd8, 0],
      [0, 0xd8],
      [0x0d],
      [0x85],
    )
    .map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
);
/** Mostly short; sometimes at the edge of what a line may hold (rule 4), once in a while beyond the UTF-16 sample. */
const long = fc
  .tuple(
    fc.constantFrom('20250528 06:00:03|@StukUitgevoerd: ', '20250528 06:00:03|@Lang', 'x'),
    fc.constantFrom(3_000, 65_530, 65_536),
    fc.nat(12),
    fc.constantFrom('a', ' ', 'é', '€'),
  )
  .map(([head, size, more, fill]) => `${head}${fill.repeat(Math.max(0, size - head.length) + more)}\n`);

/** Bytes as a machine, a power cut and a careless hand may leave them. */
export function soupArbitrary(): fc.Arbitrary<Buffer> {
  const plain = fc
    .tuple(fc.constantFrom(...Object.keys(encode)), text, fc.option(long, { nil: '', freq: 40 }))
    .map(([name, lines, extra]) => encode[name]!(lines + extra));
  return fc
    .tuple(
      fc.array(plain, { minLength: 1, maxLength: 2 }),
      fc.array(fc.tuple(fc.nat(), wrong), { maxLength: 2 }),
      fc.option(fc.nat(), { nil: undefined, freq: 3 }),
    )
    .map(([parts, damages, end]) => {
      let bytes = Buffer.concat(parts);
      for (const [at, piece] of damages) {
        const place = at % (bytes.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)]);
      }
      return end === undefined ? bytes : bytes.subarray(0, end % (bytes.length + 1));
    });
}
