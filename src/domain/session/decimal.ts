/** An exact decimal: `units` / 10^`places`. */
export interface Decimal {
  readonly units: number;
  readonly places: number;
}

/** Hours of a number of microseconds (not negative), to 4 places, halves up. */
export function hours(micros: number): Decimal {
  return { units: roundedQuotient(micros, 360_000), places: 4 };
}

/** `part` of `whole` in percent, to 2 places, halves up; 0 when the whole is 0. */
export function percent(part: number, whole: number): Decimal {
  return { units: whole === 0 ? 0 : roundedQuotient(part * 10_000, whole), places: 2 };
}

/** The decimal as digits, for example `1.3000`. */
export function formatDecimal({ units, places }: Decimal): string {
  const digits = String(units).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Quotient of two integers, halves up; exact below 2^52. */
function roundedQuotient(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return (dividend - rest) / divisor + (rest * 2 >= divisor ? 1 : 0);
}

/** Microseconds as seconds with six places, for example `12.500000`. */
export function formatDecimalMicros(micros: number): string {
  return formatDecimal({ units: micros, places: 6 });
}
