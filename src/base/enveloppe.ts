import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AtelierError } from './errors.ts';

/*
 * An envelope, in bytes: 1 format, 8 key id, 12 nonce, then the ciphertext, 16 tag (AES-256-GCM). Format and key id are
 * authenticated too, so that no byte of it can change unnoticed.
 */
export const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + ID_BYTES;

/** What an envelope holds, and under which kind of key: its first byte. */
export const FORMATS = {
  /** a text, under the master key: the witness, and rows of before accounts had a key */
  maitre: 1,
  /** a text, under the key of an account */
  compte: 2,
  /** the key of an account, under the master key */
  cle: 3,
} as const;
export type Format = (typeof FORMATS)[keyof typeof FORMATS];

/** Where an envelope belongs: it opens nowhere else. */
export interface Place {
  /** `table.column` */
  readonly colonne: string;
  /** id of the row */
  readonly id: string;
}

/** @param idCle 16 hexadecimal digits @param cle 32 bytes, for this use alone */
export function sceller(format: Format, idCle: string, cle: Buffer, place: Place, clair: Buffer): Buffer {
  const header = Buffer.concat([Buffer.of(format), Buffer.from(idCle, 'hex')]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', cle, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated(header, place));
  const sealed = Buffer.concat([cipher.update(clair), cipher.final()]);
  return Buffer.concat([header, nonce, sealed, cipher.getAuthTag()]);
}

/**
 * Opens what {@link sceller} made.
 *
 * @param cleDe the key of that id; undefined when it is not at hand
 * @throws AtelierError ATL_C103 that names column and row, and shows nothing of what is inside
 */
export function desceller(
  format: Format,
  cleDe: (idCle: string) => Buffer | undefined,
  place: Place,
  enveloppe: Buffer,
): Buffer {
  const unreadable = (why: string, cause?: unknown): AtelierError =>
    new AtelierError(
      'ATL_C103',
      `Valeur chiffrée illisible (${place.colonne}, ligne ${place.id}) : ${why}.`,
      { cause },
    );
  if (enveloppe.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || enveloppe[0] !== format)
    throw unreadable('ce n’est pas une enveloppe connue');
  const header = enveloppe.subarray(0, HEADER_BYTES);
  const idCle = header.toString('hex', 1);
  const cle = cleDe(idCle);
  if (!cle) throw unreadable(`la clé ${idCle} n’est pas donnée`);
  const nonce = enveloppe.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', cle, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated(header, place));
  decipher.setAuthTag(enveloppe.subarray(-TAG_BYTES));
  try {
    const sealed = enveloppe.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch (cause) {
    throw unreadable('elle a été altérée, déplacée, ou chiffrée avec une autre clé', cause);
  }
}

/** `table|column|row id`, behind the header of the envelope. */
function associated(header: Buffer, { colonne, id }: Place): Buffer {
  return Buffer.concat([header, Buffer.from(`${colonne.replace('.', '|')}|${id.toLowerCase()}`, 'utf8')]);
}
