import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type Ouverture, ouvrirBlocs, scellerBlocs, scelleur } from '../base/chiffrement-flux.ts';
import { AtelierError } from '../base/errors.ts';

/*
 * An encrypted archive, in bytes: 8 magic, 8 key id, 12 nonce, 32 key of this file, 16 tag, then frames (chiffrement-flux).
 * The file's key is drawn anew each time it is written and wrapped under a key made of the master key and the SHA-256 that
 * the archive is named by: under another name, or put before the frames of another archive, nothing opens.
 */
const MAGIC = Buffer.from('ATELARC1', 'latin1');
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const PUBLIC = MAGIC.length + ID_BYTES;
const FRAME = 64 * 1024;
const FRAMES_AAD = Buffer.from('atelier archive', 'latin1');

/** Bytes of the head of an encrypted archive. */
export const TETE_BYTES = PUBLIC + NONCE_BYTES + KEY_BYTES + TAG_BYTES;
/** So many first bytes tell which form an archive has. */
export const FORME_BYTES = PUBLIC;

/**
 * Which form the bytes of an archive have, by their beginning.
 *
 * @returns the id of the key that they are encrypted with, or undefined: plain zstd
 */
export function formeDe(debut: Buffer): string | undefined {
  if (debut.length < PUBLIC || !debut.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return debut.toString('hex', MAGIC.length, PUBLIC);
}

/** An archive that is being encrypted: its head and what seals its frames. */
interface Scelle {
  readonly tete: Buffer;
  readonly cle: Buffer;
}

/** The keys of archives: at most one that encrypts, and those with which older ones are still read. */
export class ClesArchives {
  /** id of the key that encrypts: 16 hexadecimal digits that tell nothing of it; undefined: archives are written plain */
  readonly courante: string | undefined;
  /** ids of all keys at hand */
  readonly ids: readonly string[];
  readonly #keys: ReadonlyMap<string, Buffer>;

  /** @param cle 32 bytes, as the others; undefined: nothing is encrypted */
  constructor(cle?: Buffer, anciennes: readonly (Buffer | undefined)[] = []) {
    const keys = [cle, ...anciennes].filter((key) => key !== undefined);
    this.#keys = new Map(keys.map((key) => [idOf(key), key]));
    this.ids = [...this.#keys.keys()];
    this.courante = cle && idOf(cle);
  }

  /** Encrypts the pieces of an archive, all of which are at hand, under the current key. */
  sceller(sha256: string, pieces: readonly Buffer[]): Buffer[] {
    const { tete, cle } = this.#begin(sha256);
    const seal = scelleur(cle, FRAMES_AAD);
    const text = Buffer.concat(pieces);
    const sealed = [tete];
    for (let at = 0; ; at += FRAME) {
      const last = at + FRAME >= text.length;
      sealed.push(seal(text.subarray(at, at + FRAME), last));
      if (last) return sealed;
    }
  }

  /**
   * Encrypts an archive as it comes, before its name is known.
   *
   * @returns its frames, and its head, which is to be had once the name is known
   */
  scellerFlux(pieces: AsyncIterable<Buffer>): {
    readonly blocs: AsyncGenerator<Buffer>;
    readonly tete: (sha256: string) => Buffer;
  } {
    const cle = randomBytes(KEY_BYTES);
    return { blocs: scellerBlocs(pieces, cle, FRAMES_AAD), tete: (sha256) => this.#wrap(sha256, cle) };
  }

  /**
   * The plain zstd bytes of an archive, whichever form it has.
   *
   * @param source the bytes as they lie
   * @throws FluxIllisible (damaged; the message names frame and place), AtelierError ATL_L209 (key)
   */
  async *enClair(source: AsyncIterable<Buffer>, sha256: string): AsyncGenerator<Buffer> {
    const pieces = source[Symbol.asyncIterator]();
    let first = await pieces.next();
    while (!first.done && first.value.length < FORME_BYTES) {
      const more = await pieces.next();
      if (more.done) break;
      first = { done: false, value: Buffer.concat([first.value, more.value]) };
    }
    async function* all(): AsyncGenerator<Buffer> {
      try {
        if (!first.done) yield first.value;
        for (;;) {
          const next = await pieces.next();
          if (next.done) return;
          yield next.value;
        }
      } finally {
        await pieces.return?.();
      }
    }
    if (first.done || formeDe(first.value) === undefined) yield* all();
    else yield* ouvrirBlocs(all(), TETE_BYTES, (tete) => this.#open(tete, sha256), `archive ${sha256}`);
  }

  /** @throws AtelierError ATL_L209 when a key that something is encrypted with is not at hand */
  exiger(id: string, quoi: string): void {
    if (this.#keys.has(id)) return;
    const given =
      this.ids.length === 0 ? 'aucune n’est donnée' : `celles données sont ${this.ids.join(', ')}`;
    throw new AtelierError('ATL_L209', `${quoi} : chiffré avec la clé ${id} ; ${given}.`);
  }

  /** What printing or logging this object shows: no key. */
  toJSON(): object {
    return { courante: this.courante, ids: this.ids };
  }

  #begin(sha256: string): Scelle {
    const cle = randomBytes(KEY_BYTES);
    return { cle, tete: this.#wrap(sha256, cle) };
  }

  #wrap(sha256: string, cle: Buffer): Buffer {
    if (this.courante === undefined) throw new RangeError('clé des archives : il en faut une pour chiffrer');
    const head = Buffer.concat([MAGIC, Buffer.from(this.courante, 'hex')]);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', wrapping(this.#keys.get(this.courante)!, sha256), nonce, {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(associated(head, sha256));
    return Buffer.concat([head, nonce, cipher.update(cle), cipher.final(), cipher.getAuthTag()]);
  }

  #open(tete: Buffer, sha256: string): Ouverture {
    const head = tete.subarray(0, PUBLIC);
    const id = formeDe(head)!;
    this.exiger(id, `Archive ${sha256}`);
    const sealed = tete.subarray(PUBLIC + NONCE_BYTES, -TAG_BYTES);
    const nonce = tete.subarray(PUBLIC, PUBLIC + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', wrapping(this.#keys.get(id)!, sha256), nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associated(head, sha256));
    decipher.setAuthTag(tete.subarray(-TAG_BYTES));
    try {
      return { cle: Buffer.concat([decipher.update(sealed), decipher.final()]), aad: FRAMES_AAD };
    } catch (cause) {
      throw new Error(`archive ${sha256} : en-tête altéré, ou celui d’une autre (octet 0)`, { cause });
    }
  }
}

function idOf(cle: Buffer): string {
  return derive(cle, '', 'identifiant', ID_BYTES).toString('hex');
}

/** A key for each name: nonces drawn for one archive have nothing to do with those of another. */
function wrapping(cle: Buffer, sha256: string): Buffer {
  return derive(cle, Buffer.from(sha256, 'hex'), 'enveloppe', KEY_BYTES);
}

function derive(cle: Buffer, salt: Buffer | string, use: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', cle, salt, `atelier archives ${use}`, length));
}

function associated(head: Buffer, sha256: string): Buffer {
  return Buffer.concat([head, Buffer.from(sha256, 'hex')]);
}
