import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/*
 * An encrypted stream, in bytes: 8 magic, 8 key id, 32 salt, then frames. A frame is 4 length of its text (the highest
 * bit marks the last one), the ciphertext, 16 tag. Each stream has a key of its own (HKDF of the master key and the
 * salt), so that a frame's number can be its nonce. Number and mark of the last one are in the nonce, header and name of
 * the stream are authenticated with each frame: what is cut, moved, repeated or renamed does not open.
 */
const MAGIC = Buffer.from('ATELSAV1', 'latin1');
const ID_BYTES = 8;
const SALT_BYTES = 32;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + ID_BYTES + SALT_BYTES;
const FRAME = 64 * 1024;
const LAST = 0x8000_0000;

/** The stream is damaged, cut, not ours, or made with another key; the message says which. */
export class FluxIllisible extends Error {
  /** id of the key it was made with, when that key is not at hand */
  readonly cleManquante: string | undefined;

  constructor(message: string, options: { cleManquante?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.cleManquante = options.cleManquante;
  }
}

/** Public name of a key: 16 hexadecimal digits that tell nothing of it. */
export function idDeCle(cle: Buffer): string {
  return Buffer.from(hkdfSync('sha256', cle, '', 'atelier sauvegarde identifiant', ID_BYTES)).toString('hex');
}

/** Whether bytes begin like an encrypted stream. */
export function estFlux(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Another key, derived from one, for a use of its own. */
export function deriver(cle: Buffer, usage: string, sel: Buffer | string = ''): Buffer {
  return Buffer.from(hkdfSync('sha256', cle, sel, `atelier sauvegarde ${usage}`, 32));
}

/** Seals frames one after the other; the key must be that of one stream alone, as a frame's number is its nonce. */
export function scelleur(cle: Buffer, aad: Buffer): (text: Buffer, last: boolean) => Buffer {
  let number = 0;
  return (text, last) => {
    const cipher = createCipheriv('aes-256-gcm', cle, nonce(number++, last), { authTagLength: TAG_BYTES });
    cipher.setAAD(aad);
    const length = Buffer.alloc(4);
    length.writeUInt32BE((text.length | (last ? LAST : 0)) >>> 0);
    return Buffer.concat([length, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  };
}

/** Seals bytes as they come, in frames; see {@link scelleur}. */
export async function* scellerBlocs(
  source: AsyncIterable<Buffer>,
  cle: Buffer,
  aad: Buffer,
): AsyncGenerator<Buffer> {
  const seal = scelleur(cle, aad);
  const pending = new Pending();
  for await (const piece of source) {
    // A copy: the source may use its buffer again.
    pending.push(Buffer.from(piece));
    // The last frame is known as such only at the end, so one is always held back.
    while (pending.length > FRAME) yield seal(pending.take(FRAME), false);
  }
  yield seal(pending.take(pending.length), true);
}

/**
 * Encrypts bytes as they come (AES-256-GCM).
 *
 * @param cle master key, 32 bytes
 * @param nom what the stream is; it opens under this name only
 */
export async function* chiffrer(
  source: AsyncIterable<Buffer>,
  cle: Buffer,
  nom: string,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const header = Buffer.concat([MAGIC, Buffer.from(idDeCle(cle), 'hex'), salt]);
  yield header;
  yield* scellerBlocs(source, deriver(cle, 'flux', salt), associated(header, nom));
}

/**
 * Opens what {@link chiffrer} made. Nothing of a frame is given out before it is authenticated; that nothing is missing
 * at the end is known only when the generator has ended without throwing.
 *
 * @param cles keys at hand
 * @throws FluxIllisible
 */
export async function* dechiffrer(
  source: AsyncIterable<Buffer>,
  cles: readonly Buffer[],
  nom: string,
): AsyncGenerator<Buffer> {
  yield* ouvrirBlocs(source, HEADER_BYTES, (header) => openWith(header, cles, nom), nom);
}

/** By which the frames behind a header open. */
export interface Ouverture {
  readonly cle: Buffer;
  readonly aad: Buffer;
}

/**
 * Opens sealed frames behind a header; promises as for {@link dechiffrer}. A damaged frame is named by its number and place.
 *
 * @param entete bytes of the header
 * @param ouvrir what the header says
 * @throws FluxIllisible, and what `ouvrir` throws
 */
export async function* ouvrirBlocs(
  source: AsyncIterable<Buffer>,
  entete: number,
  ouvrir: (header: Buffer) => Ouverture,
  nom: string,
): AsyncGenerator<Buffer> {
  const pending = new Pending();
  let opener: ReturnType<typeof ouvreur> | undefined;
  let ended = false;
  for await (const piece of source) {
    pending.push(Buffer.from(piece));
    if (!opener) {
      if (pending.length < entete) continue;
      opener = ouvreur(ouvrir(pending.take(entete)), entete, nom);
    }
    for (;;) {
      if (ended && pending.length > 0) throw new FluxIllisible(`${nom} : des octets suivent la fin`);
      const frame = pending.takeFrame(nom);
      if (!frame) break;
      ended = frame.last;
      yield opener(frame.bytes, frame.size, frame.last);
    }
  }
  if (!ended) throw new FluxIllisible(`${nom} : coupé avant la fin`);
}

function openWith(header: Buffer, cles: readonly Buffer[], nom: string): Ouverture {
  if (!header.subarray(0, MAGIC.length).equals(MAGIC))
    throw new FluxIllisible(`${nom} : ce n’est pas un flux chiffré par atelier`);
  const id = header.toString('hex', MAGIC.length, MAGIC.length + ID_BYTES);
  const master = cles.find((cle) => idDeCle(cle) === id);
  if (!master) throw new FluxIllisible(`${nom} : la clé ${id} n’est pas donnée`, { cleManquante: id });
  const cle = deriver(master, 'flux', header.subarray(MAGIC.length + ID_BYTES));
  return { cle, aad: associated(header, nom) };
}

function ouvreur(
  { cle, aad }: Ouverture,
  start: number,
  nom: string,
): (frame: Buffer, size: number, last: boolean) => Buffer {
  let number = 0;
  let at = start;
  return (frame, size, last) => {
    const decipher = createDecipheriv('aes-256-gcm', cle, nonce(number++, last), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(aad);
    decipher.setAuthTag(frame.subarray(size));
    try {
      return Buffer.concat([decipher.update(frame.subarray(0, size)), decipher.final()]);
    } catch (cause) {
      throw new FluxIllisible(`${nom} : altéré, coupé ou déplacé (bloc ${number}, à l’octet ${at})`, {
        cause,
      });
    } finally {
      at += 4 + frame.length;
    }
  };
}

function nonce(number: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes[0] = last ? 1 : 0;
  bytes.writeBigUInt64BE(BigInt(number), 4);
  return bytes;
}

function associated(header: Buffer, nom: string): Buffer {
  return Buffer.concat([header, Buffer.from(nom, 'utf8')]);
}

/** Bytes that wait until a frame is full. */
class Pending {
  #pieces: Buffer[] = [];
  length = 0;

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.length += piece.length;
  }

  take(size: number): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    const all = this.#pieces[0]!;
    this.#pieces = [all.subarray(size)];
    this.length -= size;
    return all.subarray(0, size);
  }

  /** The next frame, once it is whole. */
  takeFrame(nom: string): { bytes: Buffer; size: number; last: boolean } | undefined {
    if (this.length < 4) return undefined;
    if (this.#pieces[0]!.length < 4) this.#pieces = [Buffer.concat(this.#pieces)];
    const word = this.#pieces[0]!.readUInt32BE();
    const size = (word & ~LAST) >>> 0;
    if (size > FRAME) throw new FluxIllisible(`${nom} : longueur de bloc impossible, octets altérés`);
    if (this.length < 4 + size + TAG_BYTES) return undefined;
    this.take(4);
    return { bytes: this.take(size + TAG_BYTES), size, last: (word & LAST) !== 0 };
  }
}
