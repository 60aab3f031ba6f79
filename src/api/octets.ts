import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Archive } from '../archives/archive.ts';
import { masquer } from '../domain/journal/masques.ts';
import type { OctetsArchives } from '../postgres/lecture/fichiers.ts';
import type { Plage } from './plages.ts';

/**
 * Bytes out of the archive, in pieces. Never fewer than asked for: what is missing is an error. Of a whole content the
 * hash is checked before its last piece is given, so that wrong bytes never arrive complete.
 */
export async function* lireOctets(
  archive: Archive,
  { centreId, archive: nom, sha256, taille, trous }: OctetsArchives,
  { debut, fin }: Plage,
): AsyncGenerator<Buffer> {
  const hash = debut === 0 && fin === taille ? createHash('sha256') : undefined;
  let held: Buffer | undefined;
  let at = 0;
  for await (const piece of masquer(archive.read(centreId, nom), trous)) {
    const part = piece.subarray(Math.max(0, debut - at), Math.max(0, fin - at));
    at += piece.length;
    if (part.length > 0) {
      hash?.update(part);
      if (held) yield held;
      // A copy: the archive may use its buffer again.
      held = Buffer.from(part);
    }
    if (at >= fin) break;
  }
  if (at < fin) throw new Error(`archive ${nom} : ${at} octets, il en faut ${fin}`);
  if (hash && hash.digest('hex') !== sha256)
    throw new Error(`archive ${nom} : l’empreinte n’est pas ${sha256}`);
  if (held) yield held;
}

/** Pieces as a stream whose first piece is there already. Whoever destroys it closes the archive, begun or not. */
export function fluxDe(first: IteratorResult<Buffer, void>, pieces: AsyncGenerator<Buffer, void>): Readable {
  let next: Promise<IteratorResult<Buffer, void>> | undefined = Promise.resolve(first);
  return new Readable({
    highWaterMark: 1,
    read() {
      const piece = next ?? pieces.next();
      next = undefined;
      piece.then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      pieces.return().then(
        () => callback(error),
        () => callback(error),
      );
    },
  });
}
