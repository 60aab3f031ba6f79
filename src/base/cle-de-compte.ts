import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { desceller, FORMATS, ID_BYTES, sceller } from './enveloppe.ts';
import { AtelierError } from './errors.ts';

/** The columns of `"user"` that are encrypted. */
export type ColonneChiffree = 'username' | 'email';

/** What a password is hashed with beside itself: it verifies only for the account, and only while that has its key. */
export interface Poivre {
  /** id of the key that it comes from, 16 hexadecimal digits */
  readonly id: string;
  /** 32 bytes */
  readonly secret: Buffer;
  /** the account, 16 bytes */
  readonly donnees: Buffer;
}

/** Marks a hash of before the pepper, sealed with the key of the account. */
const SCELLE = '$scelle$';

/**
 * The key of one account (32 bytes, drawn): what is personal about it is readable with it alone. It is kept wrapped with
 * the master key, in a table of its own that no backup holds. Whoever erases it has erased the person wherever copies of
 * the row lie.
 *
 * Nothing is encrypted with it directly: each use has a key of its own, derived from it.
 */
export class CleDeCompte {
  /** the account, a UUID in lower case */
  readonly compte: string;
  /** 16 hexadecimal digits, derived from the key, of which they tell nothing */
  readonly id: string;
  readonly #secret: Buffer;

  /** @throws RangeError when it has not 32 bytes */
  constructor(compte: string, secret: Buffer) {
    if (secret.length !== 32) throw new RangeError('clé de compte : 32 octets attendus');
    this.compte = compte.toLowerCase();
    this.#secret = secret;
    this.id = this.#derive('identifiant', ID_BYTES).toString('hex');
  }

  /** The key of an account that is about to be made (or has none yet). */
  static tirer(compte: string = randomUUID()): CleDeCompte {
    return new CleDeCompte(compte, randomBytes(32));
  }

  /** @returns the envelope for `<colonne>_chiffre` */
  chiffrer(colonne: ColonneChiffree, texte: string): Buffer {
    return this.#sceller(`user.${colonne}`, texte);
  }

  /** @throws AtelierError ATL_C103 when any byte, the column, the row or the key is another */
  dechiffrer(colonne: ColonneChiffree, enveloppe: Buffer): string {
    return this.#desceller(`user.${colonne}`, enveloppe);
  }

  /** What `mot_de_passe` holds of a hash that was made without {@link poivre}; one that was made with it is kept as it is. */
  rangerHash(phc: string): string {
    if (phc.includes(`keyid=${this.poivre().id}`)) return phc;
    return SCELLE + this.#sceller('user.mot_de_passe', phc).toString('base64');
  }

  /**
   * The hash in what `mot_de_passe` holds. One without pepper counts only sealed: else whoever can write into the table
   * would put one of his own there.
   *
   * @returns undefined when it is not one of this account
   */
  lireHash(range: string): string | undefined {
    if (range.includes(`keyid=${this.id}`)) return range;
    if (!range.startsWith(SCELLE)) return undefined;
    try {
      return this.#desceller('user.mot_de_passe', Buffer.from(range.slice(SCELLE.length), 'base64'));
    } catch (error) {
      if (error instanceof AtelierError) return undefined;
      throw error;
    }
  }

  poivre(): Poivre {
    const donnees = Buffer.from(this.compte.replaceAll('-', ''), 'hex');
    return { id: this.id, secret: this.#derive('argon2 secret'), donnees };
  }

  /** Hands the key to whoever wraps it. */
  emballer(seal: (secret: Buffer) => Buffer): Buffer {
    return seal(this.#secret);
  }

  /** What printing or logging this object shows: no key. */
  toJSON(): object {
    return { compte: this.compte, id: this.id };
  }

  #sceller(colonne: string, texte: string): Buffer {
    const key = this.#derive(`chiffrement ${colonne}`);
    return sceller(FORMATS.compte, this.id, key, { colonne, id: this.compte }, Buffer.from(texte, 'utf8'));
  }

  #desceller(colonne: string, enveloppe: Buffer): string {
    const key = (id: string): Buffer | undefined =>
      id === this.id ? this.#derive(`chiffrement ${colonne}`) : undefined;
    return desceller(FORMATS.compte, key, { colonne, id: this.compte }, enveloppe).toString('utf8');
  }

  #derive(use: string, length = 32): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, 'atelier compte', use, length));
  }
}
