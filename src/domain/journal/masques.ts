const NUL = 0;

/**
 * Where bytes have NULs in the place of other bytes: pairs of start and end (exclusive), in order. With them and the
 * fuller bytes, the less full ones can be had again.
 */
export type Trous = readonly (readonly [debut: number, fin: number])[];

/** More holes than any copy under way leaves; each is a range in the database. Bytes with more count as a version. */
const MOST = 100_000;

/**
 * Whether bytes say nothing beside others that are at least as long: each is NUL, or the same as there (rule 15).
 * Reads no further than the first byte that says something.
 *
 * @returns the places where they have NULs instead; undefined when they say something of their own
 */
export async function trousDans(
  octets: AsyncIterable<Buffer>,
  pleins: AsyncIterable<Buffer>,
): Promise<Trous | undefined> {
  const holes: [number, number][] = [];
  const fuller = pleins[Symbol.asyncIterator]();
  let piece: Buffer = Buffer.alloc(0);
  let used = 0;
  let position = 0;
  try {
    for await (const bytes of octets) {
      for (let at = 0; at < bytes.length; ) {
        if (used === piece.length) {
          const next = await fuller.next();
          if (next.done) return undefined;
          piece = next.value;
          used = 0;
        }
        const length = Math.min(bytes.length - at, piece.length - used);
        const own = bytes.subarray(at, at + length);
        const other = piece.subarray(used, used + length);
        if (!own.equals(other) && !findHoles(own, other, position, holes)) return undefined;
        at += length;
        used += length;
        position += length;
      }
    }
    return holes;
  } finally {
    await fuller.return?.();
  }
}

/** Adds the holes of one stretch; false when a byte differs that is no NUL, or there are too many. */
function findHoles(own: Buffer, other: Buffer, position: number, holes: [number, number][]): boolean {
  for (let at = 0; at < own.length; at++) {
    if (own[at] === other[at]) continue;
    if (own[at] !== NUL) return false;
    const last = holes.at(-1);
    if (last?.[1] === position + at) last[1]++;
    else if (holes.length < MOST) holes.push([position + at, position + at + 1]);
    else return false;
  }
  return true;
}

/** The less full bytes: the fuller ones with NULs in the holes. */
export async function* masquer(pleins: AsyncIterable<Buffer>, trous: Trous): AsyncGenerator<Buffer> {
  let position = 0;
  let next = 0;
  for await (const piece of pleins) {
    const end = position + piece.length;
    let bytes = piece;
    for (; next < trous.length && trous[next]![0] < end; next++) {
      const [debut, fin] = trous[next]!;
      if (bytes === piece) bytes = Buffer.from(piece);
      bytes.fill(NUL, Math.max(0, debut - position), Math.min(piece.length, fin - position));
      if (fin > end) break;
    }
    yield bytes;
    position = end;
  }
}
