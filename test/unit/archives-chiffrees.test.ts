// CLE_ARCHIVES: what an encrypted archive gives back, and that nothing else opens (M7).

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Archive } from '../../src/archives/archive.ts';
import { ClesArchives, formeDe, TETE_BYTES } from '../../src/archives/cles.ts';

const CLE = randomBytes(32);
const FRAME = 64 * 1024;
const cles = new ClesArchives(CLE);
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'atelier-archives-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Bytes in pieces of some sizes. */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function open(bytes: Buffer, name: string, keys = cles, size = 1 << 30): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const piece of keys.enClair(inPieces(bytes, size), name)) read.push(Buffer.from(piece));
  return Buffer.concat(read);
}

const NAME = sha(Buffer.from('x'));

/** Where each frame begins, and the end. */
function frames(sealed: Buffer): number[] {
  const starts = [TETE_BYTES];
  for (let at = TETE_BYTES; at < sealed.length; starts.push(at))
    at += 4 + (sealed.readUInt32BE(at) & 0x7fffffff) + 16;
  return starts;
}

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 1, 3 * FRAME + 17),
);

describe('M7: an encrypted archive', () => {
  it('gives back its bytes, however they come, sealed at once or as a stream', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 3 * FRAME }), async (length, size) => {
        const bytes = randomBytes(length);
        const once = Buffer.concat(cles.sceller(NAME, [bytes.subarray(0, 7), bytes.subarray(7)]));
        const { blocs, tete } = cles.scellerFlux(inPieces(bytes, size));
        const rest: Buffer[] = [];
        for await (const bloc of blocs) rest.push(bloc);
        const stream = Buffer.concat([tete(NAME), ...rest]);
        expect(formeDe(once)).toBe(cles.courante);
        const some = Math.max(size, 11);
        for (const sealed of [once, stream])
          expect((await open(sealed, NAME, cles, some)).equals(bytes)).toBe(true);
        // The same bytes twice have nothing in common: a key of their own each time they are written.
        expect(once.subarray(16).equals(stream.subarray(16))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('plain bytes pass as they are, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        async (array, size) => {
          const bytes = Buffer.from(array);
          expect((await open(bytes, NAME, cles, size)).equals(bytes)).toBe(true);
        },
      ),
    );
  });

  it('cut at any byte it does not open to its end', async () => {
    const sealed = Buffer.concat(cles.sceller(NAME, [randomBytes(200)]));
    for (let length = 16; length < sealed.length; length++)
      await expect(open(sealed.subarray(0, length), NAME), String(length)).rejects.toThrow(
        /coupé|bloc|altéré/,
      );
    const long = Buffer.concat(cles.sceller(NAME, [randomBytes(3 * FRAME)]));
    // Also where a frame ends: the one before the last is not a last one.
    for (const length of frames(long).slice(0, -1)) {
      await expect(open(long.subarray(0, length), NAME)).rejects.toThrow('coupé avant la fin');
    }
  });

  it('no byte of it can be another, no frame elsewhere, nothing behind it; the place is told', async () => {
    const sealed = Buffer.concat(cles.sceller(NAME, [randomBytes(150)]));
    for (let at = 0; at < sealed.length; at++) {
      const other = Buffer.from(sealed);
      other[at]! ^= 1 << (at % 8);
      if (at < 8) continue; // another beginning is another form: no zstd either
      await expect(open(other, NAME), String(at)).rejects.toThrow();
    }
    await expect(open(Buffer.concat([sealed, Buffer.of(0)]), NAME)).rejects.toThrow('suivent la fin');
    const long = Buffer.concat(cles.sceller(NAME, [randomBytes(4 * FRAME)]));
    const [a, b, c] = frames(long) as [number, number, number];
    const part = (from: number, to?: number): Buffer => long.subarray(from, to);
    const swapped = Buffer.concat([part(0, a), part(b, c), part(a, b), part(c)]);
    const missing = Buffer.concat([part(0, a), part(b)]);
    const twice = Buffer.concat([part(0, b), part(a, b), part(b)]);
    for (const wrong of [swapped, missing])
      await expect(open(wrong, NAME)).rejects.toThrow(`bloc 1, à l’octet ${a}`);
    await expect(open(twice, NAME)).rejects.toThrow(`bloc 2, à l’octet ${b}`);
  });

  it('opens under its name alone, and its head before its frames alone', async () => {
    const one = Buffer.concat(cles.sceller(NAME, [randomBytes(99)]));
    const other = sha(Buffer.from('y'));
    const two = Buffer.concat(cles.sceller(other, [randomBytes(99)]));
    await expect(open(one, other)).rejects.toThrow('celui d’une autre');
    const mixed = Buffer.concat([two.subarray(0, TETE_BYTES), one.subarray(TETE_BYTES)]);
    await expect(open(mixed, other)).rejects.toThrow('bloc 1');
  });

  it('with another key, or none, it says which one it wants', async () => {
    const sealed = Buffer.concat(cles.sceller(NAME, [randomBytes(99)]));
    for (const keys of [new ClesArchives(), new ClesArchives(randomBytes(32))])
      await expect(open(sealed, NAME, keys)).rejects.toMatchObject({
        code: 'ATL_L209',
        message: expect.stringContaining(cles.courante!),
      });
    // The one before is still at hand while keys change.
    const after = new ClesArchives(randomBytes(32), [CLE]);
    expect(await open(sealed, NAME, after)).toHaveLength(99);
    expect(JSON.stringify([after, String(after)])).not.toContain(CLE.toString('hex'));
  });
});

describe('M7: the store with a key', () => {
  const archive = (key?: Buffer, before?: Buffer): Archive =>
    new Archive(root, new ClesArchives(key, [before]));
  const meta = { centre: 'DEM12', chemin: 'DEM12/20250528.LOG' };
  const bytes = Buffer.from('20250528 06:00:00|@Bediener: Camille Canari\r\n'.repeat(9000));
  const read = async (store: Archive, name: string): Promise<Buffer> => {
    const all: Buffer[] = [];
    for await (const piece of store.read(1, name)) all.push(Buffer.from(piece));
    return Buffer.concat(all);
  };

  it('both forms lie beside each other; what waits is encrypted, too', async () => {
    const plain = archive();
    await plain.place(1, [{ sha256: sha(bytes), waiting: await plain.write(meta, bytes, sha(bytes)) }]);
    const store = archive(CLE);
    const big = Buffer.concat([bytes, randomBytes(300_000)]);
    const frames = await store.writeFrames(meta, sha(big), async () => [await store.frame(big)]);
    const stream = await store.writeStream(meta, inPieces(big, 70_000), () => sha(big));
    for (const waiting of [frames, stream]) {
      const lies = await readFile(waiting.path);
      expect(formeDe(lies)).toBe(store.cles.courante);
      expect(lies.includes('DEM12')).toBe(false);
      const all: Buffer[] = [];
      for await (const piece of store.readWaiting(waiting)) all.push(Buffer.from(piece));
      expect(Buffer.concat(all).equals(big)).toBe(true);
    }
    await store.discard(stream);
    await store.place(1, [{ sha256: sha(big), waiting: frames }]);
    expect((await read(store, sha(bytes))).equals(bytes)).toBe(true);
    expect((await read(store, sha(big))).equals(big)).toBe(true);
    expect([await store.forme(1, sha(bytes)), await store.forme(1, sha(big))]).toEqual([
      undefined,
      store.cles.courante,
    ]);
  });

  it('a key that is gone, or mistyped, writes nothing and reads nothing, and says which it wants', async () => {
    const before = await readdir(root, { recursive: true });
    const id = new ClesArchives(CLE).courante!;
    for (const store of [archive(), archive(randomBytes(32))]) {
      await expect(store.write(meta, bytes, sha(bytes))).rejects.toMatchObject({
        code: 'ATL_L209',
        message: expect.stringContaining(id),
      });
      for (const name of await store.list(1))
        if ((await store.forme(1, name)) !== undefined)
          await expect(read(store, name)).rejects.toMatchObject({ code: 'ATL_L209' });
    }
    expect(await readdir(root, { recursive: true })).toEqual(before);
    // Given as the one before, it is at hand: then new ones are as CLE_ARCHIVES says.
    const next = archive(randomBytes(32), CLE);
    const more = Buffer.concat([bytes, bytes]);
    await next.place(1, [{ sha256: sha(more), waiting: await next.write(meta, more, sha(more)) }]);
    expect(await next.forme(1, sha(more))).toBe(next.cles.courante);
    await expect(archive(CLE).write(meta, bytes, sha(bytes))).rejects.toMatchObject({ code: 'ATL_L209' });
    await writeFile(join(root, 'chiffrement.json'), JSON.stringify({ cle: id }));
  });
});
