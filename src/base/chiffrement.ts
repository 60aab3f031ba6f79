import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { AtelierError } from './errors.ts';

/** The columns of `"user"` that are encrypted. */
export type ColonneChiffree = 'username' | 'email';

/*
 * An envelope, in bytes: 1 format, 8 key id, 12 nonce, then the ciphertext, 16 tag. Format and key id are
 * authenticated too, so that no byte of it can change unnoticed.
 */
const FORMAT = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + ID_BYTES;
const WITNESS = 'atelier : la clé est la bonne';

/** One master key. Nothing is encrypted with it: each use has a key of its own, derived from it. */
class CleMaitre {
  readonly id: string;
  readonly #master: Buffer;
  readonly #derived = new Map<string, Buffer>();

  constructor(master: Buffer) {
    if (master.length !== 32) throw new RangeError('clé de chiffrement : 32 octets attendus');
    this.#master = master;
    this.id = this.derive('identifiant', ID_BYTES).toString('hex');
  }

  derive(use: string, length = 32): Buffer {
    const known = this.#derived.get(use);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', this.#master, 'atelier', use, length));
    this.#derived.set(use, key);
    return key;
  }
}

/**
 * Encrypts names and addresses of accounts (AES-256-GCM), and makes the keyed hashes by which they are found.
 *
 * A value is bound to its column and row: moved elsewhere it does not decrypt. While keys change there are two:
 * the first encrypts, both decrypt and both find.
 */
export class Coffre {
  /** id of the key that encrypts: 16 hexadecimal digits, derived from the key, of which they tell nothing */
  readonly cleId: string;
  /** ids of all keys at hand, the one that encrypts first */
  readonly cleIds: readonly string[];
  readonly #keys: readonly CleMaitre[];

  /**
   * @param chiffrement keys of exactly 32 bytes, the current one first
   * @throws RangeError when there is none, or one has another length
   */
  constructor(chiffrement: readonly Buffer[]) {
    const keys = chiffrement.map((key) => new CleMaitre(key));
    const [current] = keys;
    if (!current) throw new RangeError('clé de chiffrement : il en faut une');
    // The same key given twice is one key.
    this.#keys = keys.filter((key, i) => keys.findIndex(({ id }) => id === key.id) === i);
    this.cleIds = this.#keys.map(({ id }) => id);
    this.cleId = current.id;
  }

  /**
   * @param id id of the row in `"user"`
   * @returns the envelope for `<colonne>_chiffre`
   */
  chiffrer(colonne: ColonneChiffree, id: string, texte: string): Buffer {
    return this.#seal(`user.${colonne}`, id, texte);
  }

  /** @throws AtelierError ATL_C103 when the key is not at hand, or any byte, the column or the row is another */
  dechiffrer(colonne: ColonneChiffree, id: string, enveloppe: Buffer): string {
    return this.#open(`user.${colonne}`, id, enveloppe);
  }

  /**
   * Keyed hashes of a value, for equality only: the current key's first, then the previous one's. Writing `BOB`,
   * ` bob` or full-width letters makes no difference ({@link normaliser}).
   *
   * @returns 32 bytes each
   */
  index(colonne: ColonneChiffree, valeur: string): Buffer[] {
    const text = normaliser(valeur);
    return this.#keys.map((key) =>
      createHmac('sha256', key.derive(`index user.${colonne}`))
        .update(text)
        .digest(),
    );
  }

  /** Keyed hash (32 bytes, current key) for what must be recognised but not kept, as names tried at sign-in. */
  empreinte(usage: string, valeur: string): Buffer {
    const key = this.#keys[0]!.derive(`empreinte ${usage}`);
    return createHmac('sha256', key).update(normaliser(valeur)).digest();
  }

  /** A known text under the current key, by which a later start sees that it has the same key. */
  temoin(): Buffer {
    return this.#seal('cle_chiffrement.temoin', this.cleId, WITNESS);
  }

  /**
   * Whether a witness was made with the key of that id and is whole.
   *
   * @returns undefined when that key is not at hand
   */
  reconnait(cleId: string, temoin: Buffer): boolean | undefined {
    if (!this.cleIds.includes(cleId)) return undefined;
    try {
      return this.#open('cle_chiffrement.temoin', cleId, temoin) === WITNESS;
    } catch {
      return false;
    }
  }

  /** What printing or logging this object shows: no key. */
  toJSON(): object {
    return { cleIds: this.cleIds };
  }

  #seal(place: string, id: string, text: string): Buffer {
    const key = this.#keys[0]!;
    const header = Buffer.concat([Buffer.of(FORMAT), Buffer.from(key.id, 'hex')]);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.derive(`chiffrement ${place}`), nonce, {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(associated(header, place, id));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([header, nonce, sealed, cipher.getAuthTag()]);
  }

  #open(place: string, id: string, envelope: Buffer): string {
    const unreadable = (why: string, cause?: unknown): AtelierError =>
      new AtelierError('ATL_C103', `Valeur chiffrée illisible (${place}, ligne ${id}) : ${why}.`, { cause });
    if (envelope.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || envelope[0] !== FORMAT)
      throw unreadable('ce n’est pas une enveloppe connue');
    const header = envelope.subarray(0, HEADER_BYTES);
    const keyId = header.toString('hex', 1);
    const key = this.#keys.find((candidate) => candidate.id === keyId);
    if (!key) throw unreadable(`la clé ${keyId} n’est pas donnée`);
    const nonce = envelope.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key.derive(`chiffrement ${place}`), nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associated(header, place, id));
    decipher.setAuthTag(envelope.subarray(-TAG_BYTES));
    try {
      const sealed = envelope.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw unreadable('elle a été altérée, déplacée, ou chiffrée avec une autre clé', cause);
    }
  }
}

/**
 * The form under which two writings of a name or address are the same: NFKC, no blanks around, lower case.
 * Idempotent.
 */
export function normaliser(valeur: string): string {
  // Lower case may undo the normal form (İ), hence the second time.
  return valeur.normalize('NFKC').trim().toLowerCase().normalize('NFKC');
}

/** `table|column|row id`, behind the header of the envelope. */
function associated(header: Buffer, place: string, id: string): Buffer {
  return Buffer.concat([header, Buffer.from(`${place.replace('.', '|')}|${id.toLowerCase()}`, 'utf8')]);
}
