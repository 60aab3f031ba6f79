// Parses every file below a folder, several times over, and prints the bytes and the milliseconds of each pass.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FactoryTime } from '../../src/base/time.ts';
import { EncodingDetector } from '../../src/domain/journal/encoding.ts';
import { LogParser, type Sink } from '../../src/domain/journal/parser.ts';
import { listFiles } from '../lib/tree.ts';

const [dir, passes] = process.argv.slice(2);
const time = new FactoryTime('Europe/Paris', 0);
const files = await listFiles(dir!);
let found = 0;
const sink: Sink = {
  evenement: () => void found++,
  rejet: () => void found++,
};
let buffer = Buffer.allocUnsafeSlow(4 * 1024 * 1024);
let bytes = 0;
const passesMs: number[] = [];
for (let pass = 0; pass < Number(passes); pass++) {
  bytes = 0;
  const start = performance.now();
  for (const path of files) bytes += parse(path);
  passesMs.push(performance.now() - start);
}
if (found === 0) throw new Error('no event found');
console.log(JSON.stringify({ bytes, passesMs }));

function parse(path: string): number {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size > buffer.length) buffer = Buffer.allocUnsafeSlow(size);
    let length = 0;
    while (length < size) {
      const read = readSync(fd, buffer, length, size - length, null);
      if (read === 0) break;
      length += read;
    }
    const content = buffer.subarray(0, length);
    const detector = new EncodingDetector();
    detector.push(content);
    const parser = new LogParser(detector.end(), time, sink);
    parser.push(content);
    parser.end();
    return length;
  } finally {
    closeSync(fd);
  }
}
