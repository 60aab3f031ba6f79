/** Text from outside without control characters, which a terminal would obey, and those that turn the order of others. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** A path as a shell takes it: quoted when it has to be. */
export function pourShell(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** A number for people, in French: comma, and a narrow space between thousands. */
export function nombre(value: number, decimals = 0): string {
  return value.toLocaleString('fr-FR', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A duration for people. @param ms milliseconds */
export function secondes(ms: number): string {
  return `${nombre(ms / 1000, 1)} s`;
}

/** Bytes for people; anything that is no number of them (a rate over no time) is none. */
export function bytes(count: number): string {
  if (!Number.isFinite(count)) return '—';
  if (count < 999.5) return `${nombre(count)} o`;
  const units = ['ko', 'Mo', 'Go', 'To'];
  let value = count;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${nombre(value, value < 9.95 ? 1 : 0)} ${units[unit]}`;
}
