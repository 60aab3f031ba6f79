import { createHash, type Hash, hash } from 'node:crypto';
import type { Archive, ArchiveEnAttente } from '../../archives/archive.ts';
import { codeOf, messageOf } from '../../base/errors.ts';
import type { FactoryTime } from '../../base/time.ts';
import { type Encoding, EncodingDetector } from '../../domain/journal/encoding.ts';
import type { Masquage } from '../../domain/journal/masquage.ts';
import type { FichierOuvert, FichierSource, SourceJournaux } from '../../sources/source.ts';
import { analyse, type ContenuLu } from './analyse.ts';
import type { BufferRing } from './buffer-ring.ts';
import { Suite, type Suites } from './suites.ts';
import { type Tete, teteDe } from './tetes.ts';

/** Files up to this many bytes are read in one piece; a day's log has 0.5 to 3 MB. */
export const WHOLE_FILE = 8 * 1024 * 1024;
const PIECE = 256 * 1024;

/** What is known of a path before it is read. */
export interface Connu {
  readonly signature: string | null;
  /** sizes in bytes of the contents seen there: their hashes are compared with the beginning of the new bytes */
  readonly tailles: readonly number[];
}

/** The bytes of a file at one moment: a version. */
export interface Lecture {
  readonly fichier: FichierSource;
  /** lower-case hexadecimal */
  readonly sha256: string;
  readonly taille: number;
  /** whether the bytes hold NULs: then they may say nothing beside others (rule 15) */
  readonly nuls: boolean;
  readonly signature: string | undefined;
  /** SHA-256 of the first n bytes, for the sizes that were asked for */
  readonly debuts: ReadonlyMap<number, string>;
  readonly tete: Tete;
  /** undefined when the bytes were known before */
  readonly contenu: (ContenuLu & { readonly archive: Promise<ArchiveEnAttente> }) | undefined;
  /** present when these bytes continue those that were read a moment ago, and where the reading went on from there */
  readonly suite?: Continuation | undefined;
  /** the file's state as it was opened, see {@link FichierOuvert} */
  readonly etat?: string | undefined;
}

/** Bytes that were read before, and what the longer ones change. */
export interface Continuation {
  readonly sha256: string;
  readonly taille: number;
  /** production days that may hold other events than before */
  readonly joursChanges: ReadonlySet<number>;
}

export interface LectureContexte {
  readonly source: SourceJournaux;
  readonly archive: Archive;
  readonly time: FactoryTime;
  /** what must not be kept of lines */
  readonly masques: Masquage | undefined;
  readonly buffers: BufferRing;
  /** name of the centre, for the archive */
  readonly centre: string;
  /** whether these bytes were parsed and archived before */
  connait(sha256: string): boolean;
  readonly onBytes: (bytes: number) => void;
  /** files that grow while they are followed; absent: each reading is the only one */
  readonly suites?: Suites | undefined;
}

/**
 * Reads a file as it is at this moment: one pass gives its hash, its archive and, when it is new, its events.
 *
 * @returns undefined when the file is gone (it was listed, then deleted or renamed)
 * @throws the file system's error when it cannot be read, AtelierError ATL_L203 when the archive cannot be written
 */
export async function lire(
  fichier: FichierSource,
  connu: Connu | undefined,
  ctx: LectureContexte,
): Promise<Lecture | undefined> {
  let ouvert: FichierOuvert;
  try {
    ouvert = await ctx.source.open(fichier);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`ouverture : ${messageOf(error)}`, { cause: error });
  }
  try {
    const tailles = (connu?.tailles ?? []).filter((taille) => taille < ouvert.taille);
    return ouvert.taille <= WHOLE_FILE
      ? await lireEntier(fichier, ouvert, tailles, ctx)
      : await lireParMorceaux(fichier, ouvert, tailles, ctx);
  } finally {
    await ouvert.close();
  }
}

async function lireEntier(
  fichier: FichierSource,
  ouvert: FichierOuvert,
  tailles: readonly number[],
  ctx: LectureContexte,
): Promise<Lecture> {
  const buffer = await ctx.buffers.acquire(ouvert.taille);
  let archive: Promise<ArchiveEnAttente> | undefined;
  try {
    let length = 0;
    while (length < ouvert.taille) {
      const read = await ouvert.read(buffer, length, ouvert.taille - length, length);
      if (read === 0) break;
      length += read;
    }
    ctx.onBytes(length);
    const bytes = buffer.subarray(0, length);
    const { chemin } = fichier;
    const known = ctx.suites?.take(chemin);
    const before = known && { taille: known.taille, sha256: known.sha256 };
    const grown = known?.continues(bytes);
    const sha256 = grown ?? hash('sha256', bytes, 'hex');
    // Of bytes that continue the known ones, these are the only beginning that is asked for.
    const debuts =
      before && grown !== undefined ? new Map([[before.taille, before.sha256]]) : beginnings(bytes, tailles);
    const { signature, etat } = ouvert;
    const nuls = bytes.includes(0);
    const lecture = { fichier, sha256, taille: length, nuls, signature, etat, debuts, tete: teteDe(bytes) };
    if (ctx.connait(sha256)) {
      if (known && known.sha256 === sha256) ctx.suites?.put(chemin, known);
      return { ...lecture, contenu: undefined };
    }
    const meta = { centre: ctx.centre, chemin };
    const continued = known && grown !== undefined && known.grow(bytes, sha256) ? known : undefined;
    const encodage = continued ? undefined : detect([bytes]);
    const suite = continued ?? (ctx.suites && Suite.of(bytes, sha256, encodage!, ctx.time, ctx.masques));
    archive = suite
      ? ctx.archive.writeFrames(meta, sha256, () => suite.frames(bytes, ctx.archive))
      : ctx.archive.write(meta, bytes, sha256);
    // Awaited when the batch is registered; until then a failure is not lost, only late.
    archive.catch(() => undefined);
    if (!suite) {
      const contenu = await analyse([bytes], encodage!, ctx.time, ctx.masques);
      return { ...lecture, contenu: { ...contenu, archive } };
    }
    const contenu = suite.contenu(bytes);
    const { joursChanges } = suite;
    ctx.suites?.put(chemin, suite, bytes);
    return {
      ...lecture,
      contenu: { ...contenu, archive },
      suite: continued && { ...before!, joursChanges },
    };
  } finally {
    // The compressor works on these bytes in another thread.
    if (archive) void archive.then(noop, noop).then(() => ctx.buffers.release(buffer));
    else ctx.buffers.release(buffer);
  }
}

async function lireParMorceaux(
  fichier: FichierSource,
  ouvert: FichierOuvert,
  tailles: readonly number[],
  ctx: LectureContexte,
): Promise<Lecture> {
  const whole = createHash('sha256');
  const debuts = new Map<number, string>();
  const detector = new EncodingDetector();
  let taille = 0;
  let tete = '';
  let nuls = false;
  // Three buffers in turn: the compressor has taken the one before last when the next piece is asked for.
  const ring = [Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE)];
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let turn = 0; taille < ouvert.taille; turn = (turn + 1) % ring.length) {
      const buffer = ring[turn]!;
      const read = await ouvert.read(buffer, 0, Math.min(PIECE, ouvert.taille - taille), taille);
      if (read === 0) return;
      const piece = buffer.subarray(0, read);
      hashPrefixes(whole, piece, taille, tailles, debuts);
      detector.push(piece);
      if (taille === 0) tete = teteDe(piece);
      nuls ||= piece.includes(0);
      taille += read;
      ctx.onBytes(read);
      yield piece;
    }
  }
  const meta = { centre: ctx.centre, chemin: fichier.chemin };
  const waiting = await ctx.archive.writeStream(meta, pieces(), () => whole.copy().digest('hex'));
  try {
    const { sha256 } = waiting;
    const lecture = { fichier, sha256, taille, nuls, signature: ouvert.signature, debuts, tete };
    if (ctx.connait(sha256)) {
      await ctx.archive.discard(waiting);
      return { ...lecture, contenu: undefined };
    }
    // The source may have changed since: what is parsed is what was archived.
    const contenu = await analyse(ctx.archive.readWaiting(waiting), detector.end(), ctx.time, ctx.masques);
    return { ...lecture, contenu: { ...contenu, archive: Promise.resolve(waiting) } };
  } catch (error) {
    await ctx.archive.discard(waiting);
    throw error;
  }
}

/** Hashes of some beginnings, in one go: a path may have had a thousand contents of as many sizes. */
function beginnings(bytes: Buffer, tailles: readonly number[]): Map<number, string> {
  const debuts = new Map<number, string>();
  hashPrefixes(createHash('sha256'), bytes.subarray(0, Math.max(0, ...tailles) + 1), 0, tailles, debuts);
  return debuts;
}

function hashPrefixes(
  whole: Hash,
  piece: Buffer,
  from: number,
  tailles: readonly number[],
  debuts: Map<number, string>,
): void {
  let start = 0;
  for (const taille of tailles.filter((t) => t >= from && t < from + piece.length).sort((a, b) => a - b)) {
    whole.update(piece.subarray(start, taille - from));
    start = taille - from;
    debuts.set(taille, whole.copy().digest('hex'));
  }
  whole.update(piece.subarray(start));
}

function detect(pieces: readonly Buffer[]): Encoding {
  const detector = new EncodingDetector();
  for (const piece of pieces) detector.push(piece);
  return detector.end();
}

function noop(): void {}

/** Lets go of what the archive keeps for a reading that is not registered. */
export async function discard(
  { archive }: Pick<LectureContexte, 'archive'>,
  lecture: Lecture,
): Promise<void> {
  const waiting = await lecture.contenu?.archive.catch(() => undefined);
  if (waiting) await archive.discard(waiting);
}
