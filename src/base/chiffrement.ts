import { createHmac, hkdfSync } from 'node:crypto';
import { CleDeCompte, type ColonneChiffree } from './cle-de-compte.ts';
import { desceller, FORMATS, ID_BYTES, sceller } from './enveloppe.ts';

const WITNESS = 'atelier : la clé est la bonne';
/** Where the key of an account is kept. */
const CLE = 'compte_cle.enveloppe';

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
 * Wraps the keys of accounts (AES-256-GCM), with which names and addresses are encrypted, and makes the keyed hashes by
 * which they are found.
 *
 * A value is bound to its column and row: moved elsewhere it does not decrypt. While master keys change there are two:
 * the first wraps, both unwrap and both find.
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

  /** The envelope of an account's key, for `compte_cle`. */
  emballer(cle: CleDeCompte): Buffer {
    const key = this.#keys[0]!;
    const place = { colonne: CLE, id: cle.compte };
    return cle.emballer((secret) =>
      sceller(FORMATS.cle, key.id, key.derive(`chiffrement ${CLE}`), place, secret),
    );
  }

  /** @throws AtelierError ATL_C103 when the master key is not at hand, or any byte or the account is another */
  deballer(compte: string, enveloppe: Buffer): CleDeCompte {
    return new CleDeCompte(compte, this.#open(FORMATS.cle, CLE, compte, enveloppe));
  }

  /**
   * A name or address of a row that has no key of its own yet.
   *
   * @throws AtelierError ATL_C103 when the key is not at hand, or any byte, the column or the row is another
   */
  dechiffrer(colonne: ColonneChiffree, id: string, enveloppe: Buffer): string {
    return this.#open(FORMATS.maitre, `user.${colonne}`, id, enveloppe).toString('utf8');
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
    const [key, colonne] = [this.#keys[0]!, 'cle_chiffrement.temoin'];
    const place = { colonne, id: this.cleId };
    return sceller(FORMATS.maitre, key.id, key.derive(`chiffrement ${colonne}`), place, Buffer.from(WITNESS));
  }

  /**
   * Whether a witness was made with the key of that id and is whole.
   *
   * @returns undefined when that key is not at hand
   */
  reconnait(cleId: string, temoin: Buffer): boolean | undefined {
    if (!this.cleIds.includes(cleId)) return undefined;
    try {
      return this.#open(FORMATS.maitre, 'cle_chiffrement.temoin', cleId, temoin).toString('utf8') === WITNESS;
    } catch {
      return false;
    }
  }

  /** What printing or logging this object shows: no key. */
  toJSON(): object {
    return { cleIds: this.cleIds };
  }

  #open(format: 1 | 3, colonne: string, id: string, enveloppe: Buffer): Buffer {
    const key = (keyId: string): Buffer | undefined =>
      this.#keys.find((candidate) => candidate.id === keyId)?.derive(`chiffrement ${colonne}`);
    return desceller(format, key, { colonne, id }, enveloppe);
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
