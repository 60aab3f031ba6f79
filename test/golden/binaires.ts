// Makes the inputs of golden cases that a reviewer cannot read as text: `node test/golden/binaires.ts`.
// Deterministic: running it again changes nothing.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

function put(path: string, bytes: Buffer): void {
  const full = join(import.meta.dirname, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, bytes);
}
const utf16 = (text: string, order: 'le' | 'be'): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};
/** One day of pieces whose details show the encoding. */
const day = (date: string): string =>
  `${date} 06:00:00|@StukUitgevoerd: pièce n° 1\r\n${date} 06:30:00|@StukUitgevoerd: pièce n° 2\r\n`;

// Rule 1: each way in which the encoding is decided, one file each.
const encodages = 'encodages/entree/DEM12';
const euro = '20250520 07:00:00|@StukUitgevoerd: prix ';
put(
  `${encodages}/20250520.LOG`,
  Buffer.concat([Buffer.from(day('20250520') + euro, 'latin1'), Buffer.of(0x80, 0x0a)]),
);
put(`${encodages}/20250521.LOG`, Buffer.from(`${day('20250521')}20250521 07:00:00|@StukUitgevoerd: €\n`));
put(`${encodages}/20250522.LOG`, Buffer.from(`\ufeff${day('20250522')}`));
put(`${encodages}/20250523.LOG`, utf16(`\ufeff${day('20250523')}`, 'le'));
put(`${encodages}/20250524.LOG`, utf16(`\ufeff${day('20250524')}`, 'be'));
put(`${encodages}/20250525.LOG`, utf16(day('20250525'), 'le'));
put(`${encodages}/20250526.LOG`, utf16(day('20250526'), 'be'));
// A BOM announces UTF-8, the bytes are not: U+FFFD, and nothing stops.
put(
  `${encodages}/20250527.LOG`,
  Buffer.concat([
    Buffer.from('\ufeff20250527 06:00:00|@StukUitgevoerd: pi'),
    Buffer.of(0xe8),
    Buffer.from('ce\n'),
  ]),
);
// One wrong byte at the end makes the whole file Windows-1252.
put(`${encodages}/20250528.LOG`, Buffer.concat([Buffer.from(day('20250528')), Buffer.of(0xff, 0x0a)]));
// A BOM and nothing else.
put(`${encodages}/20250529.LOG`, Buffer.of(0xff, 0xfe));

// Rules 3 and 5: what power cuts leave.
const nul = 'nul/entree/DEM12';
const line = (time: string, text: string): Buffer => Buffer.from(`20250528 ${time}|@StukUitgevoerd: ${text}`);
put(
  `${nul}/20250528.LOG`,
  Buffer.concat([
    Buffer.alloc(500),
    line('06:00:00', 'après une plage'),
    Buffer.of(0x0d, 0x00, 0x0a),
    Buffer.from('2025'),
    Buffer.alloc(3),
    Buffer.from('0528 06:10:00|@Stuk\0Uitgevoerd: au \0milieu\r\n'),
    Buffer.alloc(4_096),
    Buffer.from('\n'),
    Buffer.from('20250528 06:20:00|@StukUitgevoerd: dans un caract'),
    Buffer.of(0xc3, 0x00, 0xa8),
    Buffer.from('re\n'),
    line('06:30:00', 'avant une plage'),
    Buffer.alloc(100),
  ]),
);
put(`${nul}/20250529.LOG`, Buffer.alloc(10_000));

// Rule 4: a line of exactly 65,536 bytes is read, with its NULs and its ending beside; one more is too long.
const long = (length: number): string => '20250528 06:10:00|@Lang: '.padEnd(length, 'x');
const ligne = 'ligne-64-kio/entree/DEM12';
put(
  `${ligne}/20250528.LOG`,
  Buffer.concat([
    line('06:00:00', 'avant'),
    Buffer.from(`\n${long(65_536)}\r\n`),
    Buffer.from(`${long(65_537)}\r\n`),
    Buffer.from(long(65_536)),
    Buffer.alloc(1_000),
    Buffer.from('\n'),
    Buffer.from(`${' '.repeat(65_537)}\n`),
    line('06:20:00', 'après'),
  ]),
);

// Rules 2 and 3a: lines that a power cut glued or tore, and lines that end in CR.
const piece = (time: string, text: string): string => `20250528 ${time}|@StukUitgevoerd: ${text}`;
const collees = 'lignes-collees/entree/DEM12';
put(
  `${collees}/20250528.LOG`,
  Buffer.from(
    [
      `${piece('06:00:00', 'collée')}${piece('06:01:00', 'suivante')}\r\n`,
      `${piece('06:02:00', 'x').slice(0, 14)}${piece('06:03:00', 'après un horodatage coupé')}\r\n`,
      `  \u00e9\u00a0${piece('06:04:00', 'derrière des blancs')}\r\n`,
      `${piece('06:05:00', '20250229 06:00:00|@ n’est pas une date')}\n`,
      `20250528 06:06:00|@MachineWait: 12${piece('06:07:00', '')}20250528 06:08:00|@MachineStop\n`,
      `${piece('06:09:00', 'fin seule : CR')}\r${piece('06:10:00', 'CR encore')}\r\r\n`,
      `20250528 06:11\0\0\0${piece('06:12:00', 'après des NUL')}\r\0\0\n`,
      piece('06:13:00', 'sans fin'),
    ].join(''),
  ),
);
put(`${collees}/20250529.LOG`, Buffer.from(day('20250529').replaceAll('\r\n', '\r'), 'latin1'));
put(`${collees}/20250530.LOG`, utf16(`\ufeff${day('20250530').replaceAll('\r\n', '\r')}`, 'le'));

// Rule 9: numbers as they are written.
const nombres = ['1 234,5 sec', '1\u00a0234 sec', '1\u202f234.25 sec', '.5 sec', '1 min 30 sec', '1 h 2 min 3 sec'];
const morceaux = ['1.234,5 sec', '12 34 sec', '1:30 sec', '-5 sec', '5 min pauze 30 sec'];
put(
  'nombres/entree/DEM12/20250528.LOG',
  Buffer.from(
    [
      piece('05:00:00', ''),
      ...[...nombres, ...morceaux].map((text, i) => `20250528 ${String(5 + (i >> 1)).padStart(2, '0')}:${i % 2}5:00|@MachineWait: ${text}`),
      '20250528 11:00:00|@JobProfiel: R:215023 L:3 359,5 C:7016',
      `20250528 11:01:00|@JobProfiel: R:${'9'.repeat(65)} L:1`,
      `20250528 11:02:00|@JobProfiel: R:1 L:1 C:${'c'.repeat(201)}`,
      piece('12:00:00', ''),
    ].join('\n'),
  ),
);
