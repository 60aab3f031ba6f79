/** How to make a key of 32 bytes. */
export const FAIRE_CLE = `node -p "crypto.randomBytes(32).toString('hex')"`;

/** What stands in examples and guides until somebody puts a key there, letters and digits alone. */
const EXEMPLES =
  /change(me|it|z?moi|r)|achanger|replace(me|this)|remplace|placeholder|ex[ae]mple|insecure|(your|votre)(super)?(secret|cle|key)|secretkey|motdepasse|password/;

/** Whether a key is one that was never drawn: the text of an example, or the same piece again and again. */
export function devinee(value: string): boolean {
  const plain = value
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
  return EXEMPLES.test(plain) || repete(value);
}

/** Whether a text is one piece, again and again (the last time perhaps not whole). */
function repete(value: string): boolean {
  const half = Math.floor(value.length / 2);
  return Array.from({ length: half }, (_, i) => i + 1).some((period) =>
    value.startsWith(value.slice(period)),
  );
}

/**
 * The 32 bytes of a key, from hexadecimal (64 digits) or base64.
 *
 * @returns else what is wrong with it, in French, behind its name; never shows it
 */
export function lireCle(value: string): Buffer | { readonly defaut: string } {
  const bytes = decoder(value);
  if (bytes === undefined || new Set(bytes).size < 8) {
    return {
      defaut: `attendu 32 octets tirés au hasard, en hexadécimal (64 chiffres) ou en base64. Pour en faire une : ${FAIRE_CLE}`,
    };
  }
  if (devinee(value) || imaginee(bytes)) {
    return {
      defaut: `c’est un texte, un motif répété ou une suite, que n’importe qui essaie d’abord : il faut 32 octets tirés au hasard. Pour en faire une : ${FAIRE_CLE}`,
    };
  }
  return bytes;
}

/** Whether bytes were thought up rather than drawn. What is drawn looks like this once in 10^14 times. */
function imaginee(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  if (repete(text) || /^[\x20-\x7e\r\n\t]*$/.test(text)) return true;
  // Counted up, down, or by steps.
  const step = (bytes[1]! - bytes[0]!) & 0xff;
  return bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 0xff) === step);
}

function decoder(value: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
  if (!/^[A-Za-z0-9+/_-]{1,64}={0,2}$/.test(value)) return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === 32 ? bytes : undefined;
}
