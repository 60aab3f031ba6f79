/** A decimal such as `3359.25` (no exponent) as PostgreSQL's base-10000 numeric (`numeric_send`). */
export function encodeNumeric(text: string): Buffer {
  const negative = text.startsWith('-');
  const point = text.indexOf('.');
  const whole = text.slice(negative ? 1 : 0, point < 0 ? text.length : point);
  const fraction = point < 0 ? '' : text.slice(point + 1);
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  const digits = left + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const groups: number[] = [];
  let weight = left.length / 4 - 1;
  for (let at = 0; at < digits.length; at += 4) {
    const group = Number(digits.slice(at, at + 4));
    // Leading groups of zeros are not written, they only move the weight.
    if (group === 0 && groups.length === 0) weight--;
    else groups.push(group);
  }
  while (groups.at(-1) === 0) groups.pop();
  const bytes = Buffer.allocUnsafe(8 + groups.length * 2);
  bytes.writeInt16BE(groups.length, 0);
  bytes.writeInt16BE(groups.length === 0 ? 0 : weight, 2);
  bytes.writeUInt16BE(negative && groups.length > 0 ? 0x4000 : 0, 4);
  bytes.writeInt16BE(fraction.length, 6);
  for (const [i, group] of groups.entries()) bytes.writeInt16BE(group, 8 + i * 2);
  return bytes;
}
