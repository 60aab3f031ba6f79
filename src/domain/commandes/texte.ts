/**
 * Texts of the ERP: repair of what was stored twice-encoded, comparison without case and accents.
 *
 * Twice-encoded: the UTF-8 bytes of a text were once read as latin1 or cp1252 and stored as UTF-8 again
 * (`Planifiée` became `PlanifiÃ©e`). The way back is strict: every character becomes its byte again, and these
 * bytes must be valid UTF-8 to the last one.
 */

/** What cp1252 has at 0x80 to 0x9F; the five holes keep their latin1 control character, as decoders do. */
const CP1252_HIGH = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

const BYTE_OF = new Map([...CP1252_HIGH].map((char, index) => [char, 0x80 + index]));

/**
 * Pairs that twice-encoding leaves and that no correct French or German text holds: the first byte of a
 * common sequence, read as a letter, followed by the sign that its next byte became.
 * Without one of them nothing is changed: `VITRÉ…` is valid UTF-8 when read back, and is correct as it is.
 */
const CONT = `[\\u0080-\\u00BF${CP1252_HIGH}]`;
const EVIDENCE = new RegExp(
  [
    `[ÃÂÄ]${CONT}`, // é à ç ü « » ° and Latin Extended-A
    '\u00C5[\u0092\u0093\u00A0\u00A1\u00B8\u00BD\u00BE’“]', // œ Œ Š š Ÿ Ž ž
    '\u00CC[\u0080-\u008F\u00A7€‚ƒ„…†‡ˆ‰Š‹ŒŽ]', // combining accents
    '\u00E2[\u0080-\u0084\u0086\u009C€‚ƒ„†œ]', // ’ – … € ™ ✓
    '\u00EF\u00B8\u008F|\u00EF\u00BB\u00BF|\u00EF\u00BF\u00BD', // variation selector, BOM, replacement
    '\u00F0[\u009FŸ]', // emoji
  ].join('|'),
);

const CONTROL = /[\u0080-\u009f]/;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text as it was before it was encoded twice (or more often); a correct text comes back unchanged.
 * `reparer(reparer(t)) === reparer(t)` for every text.
 */
export function reparer(text: string): string {
  let current = text;
  // Each round shortens the text, so this ends; one round is not enough for what was encoded three times.
  while (EVIDENCE.test(current)) {
    const before = decodeOnce(current);
    if (before === undefined) break;
    current = before;
  }
  // `Â…` would become a control character: nobody writes those, so the text was correct.
  return CONTROL.test(current) ? text : current;
}

/** One way back, or undefined when the bytes are no valid UTF-8. */
function decodeOnce(text: string): string | undefined {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const byte = unit < 0x100 ? unit : BYTE_OF.get(text[index]!);
    if (byte === undefined) return undefined;
    bytes[index] = byte;
  }
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One run of characters that may be twice-encoded: a first byte and its one to three next ones. */
const RUN = new RegExp(
  `[\\u00C2-\\u00DF]${CONT}|[\\u00E0-\\u00EF]${CONT}{2}|[\\u00F0-\\u00F4]${CONT}{3}`,
  'gu',
);

/**
 * Like `reparer`, but piece by piece: for finding only, never for storing. A note to which a correct text was
 * added later cannot be repaired strictly, and its order must be found all the same.
 */
export function reparerPourChercher(text: string): string {
  let current = reparer(text);
  for (let round = 0; round < 4 && EVIDENCE.test(current); round++) {
    const before = current.replaceAll(RUN, (run) => decodeOnce(run) ?? run);
    if (before === current) break;
    current = before;
  }
  return current;
}

/** What MariaDB's `utf8mb4_general_ci` takes for the same letter and Unicode does not decompose. */
const SINGLES: Readonly<Record<string, string>> = { ı: 'i', ß: 's', ſ: 's' };

/**
 * The text without case and accents: what `LIKE` compares under `utf8mb4_general_ci`, and combining accents
 * ignored besides (which `LIKE` does not do).
 */
export function plier(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replaceAll(/[ıßſ]/g, (char) => SINGLES[char]!);
}

/** The text without its NUL characters, which PostgreSQL cannot store. */
export function sansNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}
