// Rules 1 to 12: bytes to lines, lines to events, by hand.

import { describe, expect, it } from 'vitest';
import { encodingOf, linesOf } from './decode.ts';
import { details, joined, latin1, log, one, only, reasons, utf8, utf16 } from './helpers.ts';
import { durationOf, profileOf } from './line.ts';

const texts = (bytes: Uint8Array): string[] => linesOf(bytes).map((line) => line.texte);

describe('rule 1: encoding', () => {
  const line = '20250528 06:00:00|@StukUitgevoerd: Ã©té €';
  it('1.1 BOM EF BB BF, FF FE, FE FF; the BOM is no part of the first line', () => {
    expect(texts(joined([0xef, 0xbb, 0xbf], utf8(line)))).toEqual([line]);
    expect(texts(joined([0xff, 0xfe], utf16(line, 'le')))).toEqual([line]);
    expect(texts(joined([0xfe, 0xff], utf16(line, 'be')))).toEqual([line]);
  });
  it('1.1 bytes that do not fit the encoding that a BOM announces become U+FFFD', () => {
    expect(texts(joined([0xef, 0xbb, 0xbf], latin1('a\xe9b')))).toEqual(['a\uFFFDb']);
    expect(texts(joined([0xff, 0xfe], [0x61, 0x00, 0x00, 0xd8, 0x62, 0x00, 0x63]))).toEqual([
      'a\uFFFDb\uFFFD',
    ]);
    expect(texts(joined([0xfe, 0xff], [0xdc, 0x00, 0x00, 0x61]))).toEqual(['\uFFFDa']);
  });
  it('1.2 the UTF-16 pattern, LE and BE, after leading NULs too', () => {
    for (const order of ['le', 'be'] as const) {
      const bytes = utf16('20250528 été', order);
      expect(encodingOf(bytes).encoding).toBe(`utf-16${order}`);
      expect(encodingOf(joined([0, 0, 0, 0], bytes)).encoding).toBe(`utf-16${order}`);
      expect(texts(bytes)).toEqual(['20250528 été']);
    }
    expect(encodingOf(joined(new Uint8Array(100), utf16('20250528', 'le'))).encoding).toBe('utf-16le');
  });
  it('1.2 with at least 8 pairs left, and at least three quarters of them', () => {
    expect(encodingOf(utf16('1234567', 'le')).encoding).toBe('utf-8');
    expect(encodingOf(utf16('12345678', 'le')).encoding).toBe('utf-16le');
    expect(encodingOf(joined(utf16('123456', 'le'), latin1('abcd'))).encoding).toBe('utf-16le'); // 6 of 8
    expect(encodingOf(joined(utf16('12345', 'le'), latin1('abcdef'))).encoding).toBe('utf-8'); // 5 of 8
    expect(encodingOf(joined(utf16('12345678', 'le'), [0x61])).encoding).toBe('utf-16le'); // odd last byte
    // The sample is 4,096 bytes: what follows does not matter.
    const long = joined(utf16('a'.repeat(2_048), 'le'), latin1('b'.repeat(100_000)));
    expect(encodingOf(long).encoding).toBe('utf-16le');
  });
  it('1.3 UTF-8 if all bytes are valid UTF-8 (an empty file is)', () => {
    expect(encodingOf(new Uint8Array()).encoding).toBe('utf-8');
    expect(texts(utf8(line))).toEqual([line]);
  });
  it('1.4 Windows-1252: every byte has a character', () => {
    expect(texts(joined([0x80, 0x81, 0x9f, 0xa0, 0xe9, 0xff]))).toEqual(['\u20AC\u0081\u0178\u00A0éÿ']);
    // One invalid byte anywhere decides for the whole content.
    expect(texts(joined(utf8('é\n'), [0xff]))).toEqual(['Ã©', 'ÿ']);
  });
});

describe('rules 2 to 5: lines', () => {
  it('2: cut at LF, CRLF or a lone CR', () => {
    expect(texts(latin1('a\r\nb\nc\r\r\nd\re\r'))).toEqual(['a', 'b', 'c', '', 'd', 'e']);
    expect(texts(latin1('a\rb\r\rc'))).toEqual(['a', 'b', '', 'c']);
    expect(texts(utf16('20250528\rab\r\nc', 'le'))).toEqual(['20250528', 'ab', 'c']);
    expect(
      details(one(log('06:00:00|@StukUitgevoerd: A', '06:01:00|@StukUitgevoerd: B').replaceAll('\n', '\r'))),
    ).toEqual(['A', 'B']);
    expect(texts(latin1('a\n\nb\n')).length).toBe(3);
    expect(texts(utf16('20250528\r\nab\n', 'le'))).toEqual(['20250528', 'ab']);
    // U+0A41 and U+410A hold the byte 0A but are no line ends.
    expect(texts(joined([0xff, 0xfe], utf16('\u0A41\u410A', 'le')))).toEqual(['\u0A41\u410A']);
  });
  it('2: CRLF and LF files give the same rows', () => {
    const text = log('06:00:00|@StukUitgevoerd: A', '06:01:00|@StukUitgevoerd');
    expect(details(one(text.replaceAll('\n', '\r\n')))).toEqual(details(one(text)));
  });
  it('2: what follows the last LF is a line (an unterminated last line counts like any other)', () => {
    expect(details(one(log('06:00:00|@StukUitgevoerd: A').trimEnd()))).toEqual(['A']);
  });
  it('3: NULs are removed, before the CR is looked for; a file of NULs only is one blank line', () => {
    expect(texts(latin1('a\0\0b\r\0\n\0'))).toEqual(['ab', '']);
    expect(texts(latin1('a\r\0b'))).toEqual(['a', 'b']);
    expect(one(new Uint8Array(5_000)).versions).toMatchObject([{ lignes: 1, ignorees: 1, octets: 5_000 }]);
    const run = '\0'.repeat(3_000);
    expect(details(one(`2025${run}0528 06:00:00|@Stuk${run}Uitgevoerd: A\n${run}`))).toEqual(['A']);
  });
  it('an empty file: no line, no session', () => {
    expect(one('')).toMatchObject({ sessions: [], versions: [{ lignes: 0, octets: 0 }] });
  });
  it('4: 65,536 bytes pass, 65,537 are `ligne_trop_longue`, endings and NULs not counted, blanks too', () => {
    const head = '20250528 06:00:00|@StukUitgevoerd: ';
    const fits = head + 'x'.repeat(65_536 - head.length);
    expect(one(`${fits}\0\0\r\n`)).toMatchObject({ rejets: [], versions: [{ evenements: 1 }] });
    expect(reasons(one(`${fits}x\n`))).toEqual(['ligne_trop_longue']);
    expect(one(' '.repeat(65_536)).versions).toMatchObject([{ ignorees: 1 }]);
    expect(reasons(one(' '.repeat(65_537)))).toEqual(['ligne_trop_longue']);
    expect(reasons(one(utf8(`${fits.slice(0, -2)}éx`)))).toEqual(['ligne_trop_longue']); // 65,537 bytes
    expect(reasons(one(latin1(`${fits.slice(0, -1)}é`)))).toEqual([]);
  });
  it('4: in UTF-16 the bytes of its UTF-8 form count', () => {
    const bytes = (text: string): Uint8Array => joined([0xff, 0xfe], utf16(text, 'le'));
    expect(reasons(one(bytes(' '.repeat(65_536))))).toEqual([]);
    expect(reasons(one(bytes(`${' '.repeat(65_535)}é`)))).toEqual(['ligne_trop_longue']);
  });
  it('5: a line of blanks only is ignored (NBSP and U+FEFF are blanks)', () => {
    expect(one(utf8(' \t\v\f\u00A0\uFEFF\u3000\r\n\n'))).toMatchObject({
      rejets: [],
      versions: [{ ignorees: 2 }],
    });
  });
});

describe('rule 3a: glued and torn lines', () => {
  const A = '20250528 06:00:00|@StukUitgevoerd: A';
  const B = '20250528 06:01:00|@StukUitgevoerd: B';
  it('what stands before a stamp goes to quarantine whole, what follows counts', () => {
    for (const torn of [A, A.slice(0, 30), A.slice(0, 12), 'onzin ', `${A}x${A}`.slice(0, 55)]) {
      const state = one(`${torn}${B}\n${A}`);
      expect([details(state), reasons(state).every((raison) => raison === 'ligne_collee')]).toEqual([
        ['A', 'B'],
        true,
      ]);
    }
    expect(one(`${A}${B}\n`)).toMatchObject({
      rejets: [{ ligne: 1, raison: 'ligne_collee', texte: A }],
      versions: [{ lignes: 2, evenements: 1, rejets: 1 }],
    });
    expect(reasons(one(`${A}${A}${B}`))).toEqual(['ligne_collee', 'ligne_collee']);
  });
  it('blanks and non-ASCII characters before a stamp make no line; a date that does not exist makes none', () => {
    expect(reasons(one(utf8(`  \u00a0é\t${A}\n`)))).toEqual([]);
    expect(details(one(`${A} 20250229 06:00:00|@StukUitgevoerd`))).toEqual([
      'A 20250229 06:00:00|@StukUitgevoerd',
    ]);
  });
  it('a stamp counts for the repeated hour whatever became of its line', () => {
    const texte = '20251026 03:00:00|@x20251026 02:30:00|@StukUitgevoerd';
    expect(only(one(texte)).heure_premiere_piece).toBe('2025-10-26T01:30:00.000000Z');
  });
  it('4: the pieces count for the limit, not the whole', () => {
    expect(reasons(one(`${'x'.repeat(70_000)}${A}`))).toEqual(['ligne_collee']);
    expect(reasons(one(`${A}${B}${'x'.repeat(70_000)}`))).toEqual(['ligne_collee', 'ligne_trop_longue']);
  });
});

describe('rules 6 to 8, 11, 12: lines to events', () => {
  it('6: the separator is the first `|@`; none: `sans_separateur`', () => {
    expect(reasons(one(log('06:00:00|StukUitgevoerd', '06:00:00@StukUitgevoerd')))).toEqual([
      'sans_separateur',
      'sans_separateur',
    ]);
    expect(details(one(log('06:00:00|@StukUitgevoerd: a|@b')))).toEqual(['a|@b']);
  });
  it('7: non-ASCII characters are dropped, then blanks at both ends', () => {
    for (const before of ['\u00A020250528 06:00:00', 'é 2025é0528 06:00:00 \t', '20250528 06:00\u20AC:00']) {
      expect(details(one(utf8(`${before}|@StukUitgevoerd: A`)))).toEqual(['A']);
    }
  });
  it('7: what is left must be `YYYYMMDD HH:MM:SS`, in the calendar; otherwise `horodatage_invalide`', () => {
    const bad = ['', '20250229 06:00:00', '20250528  06:00:00', '20250528 24:00:00', '20250528 23:59:60'];
    bad.push(
      '00000101 00:00:00',
      '00011231 00:00:00',
      '99990101 00:00:00',
      '2025-05-28 06:00:00',
      '20250528\t06:00:00',
    );
    bad.push('20251301 06:00:00', '20250500 06:00:00', '20250528 6:00:00', '19000229 06:00:00');
    for (const stamp of bad)
      expect(reasons(one(`${stamp}|@StukUitgevoerd`))).toEqual(['horodatage_invalide']);
    // A good stamp behind something else is the beginning of another line (3a).
    expect(reasons(one('x20250528 06:00:00|@StukUitgevoerd'))).toEqual(['ligne_collee']);
    const good = ['20240229 00:00:00', '20000229 23:59:59', '00020101 12:00:00', '99981231 12:00:00'];
    for (const stamp of good) expect(reasons(one(`${stamp}|@StukUitgevoerd`))).toEqual([]);
  });
  it('8: the event up to the first `:`, both trimmed; details null when empty; empty: `evenement_vide`', () => {
    const text = log('06:00:00|@ StukUitgevoerd  :  a : b ', '06:00:01|@StukUitgevoerd:', '06:00:02|@ : x');
    expect(details(one(text))).toEqual(['a : b', null]);
    expect(reasons(one(text))).toEqual(['evenement_vide']);
  });
  it('8: event names are compared exactly; 11: any other event is counted, first and last instant', () => {
    const text = log('06:00:02|@stukuitgevoerd', '06:00:01|@stukuitgevoerd: x', '06:00:00|@Zaag');
    expect(one(text).autres).toEqual([
      {
        centre: 'DEM12',
        nom: 'Zaag',
        nombre: 1,
        premier: '2025-05-28T04:00:00.000000Z',
        dernier: '2025-05-28T04:00:00.000000Z',
      },
      {
        centre: 'DEM12',
        nom: 'stukuitgevoerd',
        nombre: 2,
        premier: '2025-05-28T04:00:01.000000Z',
        dernier: '2025-05-28T04:00:02.000000Z',
      },
    ]);
  });
  it('11: names cut at 200 characters; with more than 1,000 names the further ones under `(autres)`', () => {
    const long = one(log(`06:00:00|@${'n'.repeat(201)}`, `06:00:00|@${'n'.repeat(200)}`)).autres;
    expect(long).toMatchObject([{ nom: 'n'.repeat(200), nombre: 2 }]);
    const names = Array.from({ length: 1_002 }, (_, at) => `06:00:00|@N${at}`);
    const { autres } = one(log(...names, '06:00:00|@N0'));
    expect(autres).toHaveLength(1_001);
    expect(autres.find(({ nom }) => nom === '(autres)')?.nombre).toBe(2);
    expect(autres.find(({ nom }) => nom === 'N0')?.nombre).toBe(2);
  });
  it('12: a reject keeps its text, without NULs, cut at 2,000 characters (code points)', () => {
    const { rejets } = one(utf8(`\n \0a${'😀'.repeat(3_000)}\r\n`));
    expect(rejets).toMatchObject([{ ligne: 2, raison: 'sans_separateur', texte: ` a${'😀'.repeat(1_998)}` }]);
  });
  it('an event whose details cannot be used is kept, and is no event', () => {
    const state = one(
      log('06:00:00|@MachineWait: wacht', '06:00:00|@JobProfiel: R:1', '06:00:00|@MachineStop'),
    );
    expect(reasons(state)).toEqual(['attente_sans_duree', 'profil_incomplet']);
    expect(only(state)).toMatchObject({ periodes_attente: [], job_profils: [] });
  });
});

describe('rule 9: MachineWait', () => {
  it.each([
    ['45 sec', 45_000_000n],
    ['12.5 sec', 12_500_000n],
    ['Wacht op bediener 12,5 sec', 12_500_000n],
    ['45sec', 45_000_000n],
    ['45\u00A0\tseconden', 45_000_000n],
    ['3 x 45 sec 60 sec', 45_000_000n],
    ['12.5', 12_500_000n],
    ['0,25', 250_000n],
    ['.5 sec', 500_000n],
    ['1 234,5 sec', 1_234_500_000n],
    ['1\u00a0234\u202f567.5 sec', 1_234_567_500_000n],
    ['Wacht 1 234 sec', 1_234_000_000n],
    ['1 min 30 sec', 90_000_000n],
    ['1min30sec', 90_000_000n],
    ['1 h 2 MIN. en 3,5 sec', 3_723_500_000n],
    ['2 uur, 5 sec', 7_205_000_000n],
    ['1,5 min 30 sec', 120_000_000n],
    ['Wacht min 30 sec', 30_000_000n],
    ['1 234,5', 1_234_500_000n],
    [',5', 500_000n],
    ['- 5 sec', 5_000_000n],
    ['0.0000005 sec', 1n],
    ['1.2345674999 sec', 1_234_567n],
    ['9999999.999999 sec', 9_999_999_999_999n],
  ])('%s', (text, microseconds) => expect(durationOf(text)).toBe(microseconds));
  it.each([
    '',
    '45',
    'sec',
    '1.234,5 sec',
    '1.2 7 sec',
    '12 34 sec',
    '1234 567 sec',
    '1  234 sec',
    "1'234 sec",
    '1:30 sec',
    '1e3 sec',
    '1 min 2 min 3 sec',
    '5 min pauze 30 sec',
    '3 m 45 sec',
    '2 dagen 45 sec',
    '1 min',
    '-5 sec',
    '-15 sec',
    '5. sec',
    '12.5.3 sec',
    '0 sec',
    '0 sec, 5 sec',
    '0.0000004 sec',
    '10000000 sec',
    '9999999.9999995 sec',
    '45 SEC',
    '45 s',
    '12.5 x',
    '-12.5',
    '٤ sec',
  ])('`attente_sans_duree`: %s', (text) => expect(durationOf(text)).toBeNull());
});

describe('rule 10: JobProfiel', () => {
  it.each([
    ['R:215023 L:3359.0 C:7016 G ALU', '215023', '3359', '7016 G ALU'],
    ['C:7016 G ALU L:007,50 R: 21 50 ', '21 50', '7.5', '7016 G ALU'],
    ['x R:1\tL:2', '1', '2', null],
    ['R:1 R:2 L:3 L:4 C: C:9', '1', '3', null],
    ['R:L:1 L:2', 'L:1', '2', null],
    ['R:a:b L:0.100000 Z:9', 'a:b', '0.1', null],
    ['R:1 L:999999999.999999', '1', '999999999.999999', null],
    ['R:1 L:0', '1', '0', null],
    ['R:1 L:3 359,0', '1', '3359', null],
    ['R:1 L:.5', '1', '0.5', null],
    ['R:1 L:2 C:a b:c aC:d', '1', '2', 'a b:c aC:d'],
  ])('%s', (text, reference, longueur, couleur) => {
    expect(profileOf(text)).toEqual({ reference, longueur, couleur });
  });
  it.each([
    '',
    'R:1',
    'L:1',
    'R: L:1',
    'R:1 L:',
    'R:1 L:1 mm',
    'R:1 L:-1',
    'R:1 L:1234567890',
    'R:1 L:1.1234567',
    'R: R:1 L:1',
    'r:1 L:1',
    'AR:1 L:1',
    'R:1 L:1.',
  ])('`profil_incomplet`: %s', (text) => expect(profileOf(text)).toBeNull());
});
