// A share that hangs: shows a folder of this machine through FUSE (protocol 7.31, reading only), and on SIGUSR1 takes every
// question without giving an answer, which is what a server that died looks like. SIGUSR2: it answers again, also what it
// was asked meanwhile. As a program of its own: fuse-server.ts FOLDER MOUNTPOINT; root only.

import { spawnSync } from 'node:child_process';
import { lstatSync, openSync, read, readdirSync, readFileSync, type Stats, writeSync } from 'node:fs';
import { join } from 'node:path';

const OP = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  open: 14,
  read: 15,
  statfs: 17,
  release: 18,
  flush: 25,
} as const;
const DIR = {
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
} as const;
const HEADER = 40;
const ENOENT = -2;
const ENOSYS = -38;

const [folder = '', mountpoint = ''] = process.argv.slice(2);
const fd = openSync('/dev/fuse', 'r+');
const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
const mounted = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'partage-essai', mountpoint], {
  stdio: ['ignore', 'inherit', 'inherit', fd],
});
if (mounted.status !== 0) process.exit(1);

const paths = new Map<bigint, string>([[1n, folder]]);
const nodes = new Map<string, bigint>([[folder, 1n]]);
let hung = false;
const held: (() => void)[] = [];

process.on('SIGUSR1', () => {
  hung = true;
});
process.on('SIGUSR2', () => {
  hung = false;
  for (const answer of held.splice(0)) answer();
});

function nodeOf(path: string): bigint {
  const node = nodes.get(path) ?? BigInt(nodes.size + 1);
  nodes.set(path, node);
  paths.set(node, path);
  return node;
}

function attr(stats: Stats, node: bigint): Buffer {
  const buffer = Buffer.alloc(88);
  const seconds = [stats.atimeMs, stats.mtimeMs, stats.ctimeMs].map((ms) => BigInt(Math.floor(ms / 1000)));
  for (const [i, value] of [node, BigInt(stats.size), 1n, ...seconds].entries())
    buffer.writeBigUInt64LE(value, i * 8);
  for (const [i, ms] of [stats.atimeMs, stats.mtimeMs, stats.ctimeMs].entries())
    buffer.writeUInt32LE(Math.floor((ms % 1000) * 1e6), 48 + i * 4);
  buffer.writeUInt32LE(stats.mode, 60);
  buffer.writeUInt32LE(1, 64);
  buffer.writeUInt32LE(4096, 80);
  return buffer;
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) buffer.writeUInt32LE(value, i * 4);
  return buffer;
}

function entries(path: string): Buffer {
  return Buffer.concat(
    readdirSync(path, { withFileTypes: true }).map((entry, i) => {
      const name = Buffer.from(entry.name);
      const buffer = Buffer.alloc(24 + Math.ceil(name.length / 8) * 8);
      buffer.writeBigUInt64LE(nodeOf(join(path, entry.name)), 0);
      buffer.writeBigUInt64LE(BigInt(i + 1), 8);
      buffer.writeUInt32LE(name.length, 16);
      buffer.writeUInt32LE(entry.isDirectory() ? 4 : 8, 20);
      name.copy(buffer, 24);
      return buffer;
    }),
  );
}

/** @returns the answer; a number is an error; undefined: none is due */
function answer(opcode: number, node: bigint, body: Buffer): Buffer | number | undefined {
  const path = paths.get(node) ?? '';
  switch (opcode) {
    case DIR.init:
      // Version, read-ahead, flags, limits; no reading ahead, so that each look comes here.
      return Buffer.concat([words(7, 31, 65_536, 0, 0, 65_536, 1), Buffer.alloc(36)]);
    case OP.lookup: {
      const child = join(path, body.subarray(0, body.indexOf(0)).toString());
      const id = Buffer.alloc(16);
      id.writeBigUInt64LE(nodeOf(child));
      // Valid for no time at all: nothing is answered from the kernel's memory.
      return Buffer.concat([id, Buffer.alloc(24), attr(lstatSync(child), nodeOf(child))]);
    }
    case OP.getattr:
      return Buffer.concat([Buffer.alloc(16), attr(lstatSync(path), node)]);
    case OP.open:
    case DIR.opendir:
      return Buffer.concat([Buffer.alloc(8), words(1, 0)]);
    case OP.read: {
      const from = Number(body.readBigUInt64LE(8));
      return readFileSync(path).subarray(from, from + body.readUInt32LE(16));
    }
    case DIR.readdir:
      return body.readBigUInt64LE(8) === 0n ? entries(path) : Buffer.alloc(0);
    case OP.statfs:
      return Buffer.concat([Buffer.alloc(40), words(4096, 255, 4096), Buffer.alloc(28)]);
    case OP.release:
    case OP.flush:
    case DIR.releasedir:
    case DIR.destroy:
      return Buffer.alloc(0);
    case OP.forget:
    case DIR.batchForget:
    case DIR.interrupt:
      return undefined;
    default:
      return ENOSYS;
  }
}

function serve(packet: Buffer): void {
  const unique = packet.readBigUInt64LE(8);
  let found: Buffer | number | undefined;
  try {
    found = answer(packet.readUInt32LE(4), packet.readBigUInt64LE(16), packet.subarray(HEADER));
  } catch {
    found = ENOENT;
  }
  if (found === undefined) return;
  const body = typeof found === 'number' ? Buffer.alloc(0) : found;
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeInt32LE(typeof found === 'number' ? found : 0, 4);
  header.writeBigUInt64LE(unique, 8);
  try {
    writeSync(fd, Buffer.concat([header, body]));
  } catch {
    // Whoever asked was killed meanwhile.
  }
}

const buffer = Buffer.alloc(256 * 1024);
function next(): void {
  read(fd, buffer, 0, buffer.length, null, (error, length) => {
    if (error && error.code !== 'EINTR' && error.code !== 'ENOENT') process.exit(0);
    if (!error) {
      const packet = Buffer.from(buffer.subarray(0, length));
      if (hung) held.push(() => serve(packet));
      else serve(packet);
    }
    next();
  });
}
next();
process.stdout.write('prêt\n');
