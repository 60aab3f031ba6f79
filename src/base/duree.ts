/** Seconds of each unit that a duration may be written in. */
const UNITES: Readonly<Record<string, number>> = {
  s: 1,
  min: 60,
  m: 60,
  h: 3600,
  j: 86_400,
};

/** Seconds of `90 s`, `30 min`, `2h`, `1,5 h`, `2h30` or `3 j`; undefined when it is not a duration. */
export function lireDuree(text: string): number | undefined {
  const clock = /^(\d{1,4})\s*h\s*([0-5]?\d)$/.exec(text);
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60;
  const [, nombre = '', unite = ''] = /^(\d{1,6}(?:[.,]\d{1,3})?)\s*([a-z]+)$/.exec(text) ?? [];
  const facteur = Object.hasOwn(UNITES, unite) ? UNITES[unite] : undefined;
  return facteur === undefined ? undefined : Math.round(Number(nombre.replace(',', '.')) * facteur);
}
