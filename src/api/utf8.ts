/** Text that clients send: UTF-8, and nothing that only looks like it. What is not would be stored as `�`. */
import { Probleme } from './problemes.ts';

const strict = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes as text; a byte order mark before them is left away (Windows writes one).
 *
 * @param quoi what the bytes are, French, with its article: « Le corps »
 * @throws Probleme 400
 */
export function lireUtf8(octets: Uint8Array, quoi: string): string {
  try {
    return strict.decode(octets);
  } catch {
    throw malEncode(quoi, premierFaux(octets));
  }
}

/**
 * Names and values of a form or of a query string (WHATWG URL, 5.1). A `%` that begins no byte is itself.
 *
 * @param quoi as of `lireUtf8`
 * @throws Probleme 400 when the bytes that `%xx` stand for are not UTF-8
 */
export function lirePaires(texte: string, quoi: string): [string, string][] {
  exigerUtf8(texte, quoi);
  return [...new URLSearchParams(texte)];
}

/** Whether the bytes that `%xx` stand for are UTF-8. @throws Probleme 400 */
export function exigerUtf8(texte: string, quoi: string): void {
  if (!/%[89a-f]/i.test(texte)) return;
  for (const part of texte.split(/[&=]/)) {
    try {
      decodeURIComponent(part.replaceAll(/%(?![\da-f]{2})/gi, '%25'));
    } catch {
      throw malEncode(`${quoi} (${part.slice(0, 60)})`);
    }
  }
}

function malEncode(quoi: string, place?: string): Probleme {
  const where = place === undefined ? '' : ` (${place})`;
  return new Probleme(
    400,
    `${quoi} n’est pas en UTF-8${where} : rien n’a été lu ni écrit. Envoyez les lettres accentuées en UTF-8 ; dans une adresse, é s’écrit %C3%A9 ; avec PowerShell : -ContentType 'application/json; charset=utf-8'.`,
  );
}

/** « octet 0xE9 à la position 12 » of the first byte that is not UTF-8. */
function premierFaux(octets: Uint8Array): string {
  const again = Buffer.from(Buffer.from(octets).toString('utf8'));
  const at = octets.findIndex((octet, i) => octet !== again[i]);
  return `octet 0x${(octets[at] ?? 0).toString(16).toUpperCase().padStart(2, '0')} à la position ${Math.max(0, at) + 1}`;
}
