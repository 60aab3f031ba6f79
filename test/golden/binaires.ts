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
