import { createRequire } from 'node:module';

/** Loaded when something is reckoned: most commands only read settings that are times of day. */
const cronParser = (): typeof import('cron-parser') => createRequire(import.meta.url)('cron-parser');

/** When something is due: one or several cron expressions (minute, hour, day, month, weekday), local time of a zone. */
export interface Horaire {
  /** as it was written in the settings, to be shown and compared */
  readonly texte: string;
  /** five-field expressions; due whenever one of them is */
  readonly crons: readonly string[];
  /** IANA name */
  readonly fuseau: string;
}

/** Ticks that are worked out at once at most: a clock that is years ahead must not fill the memory. */
const PLUS_DE_TICKS = 10_000;

/**
 * Reads `HH:MM[,HH:MM…]` or five cron fields.
 *
 * @returns undefined when it is off (`non`, or empty)
 * @throws RangeError in French when it is neither, or never due
 */
export function lireHoraire(texte: string, fuseau: string): Horaire | undefined {
  const value = texte.trim().replaceAll(/\s+/g, ' ');
  if (value === '' || /^non$/i.test(value)) return undefined;
  const daily = quotidien(value);
  if (daily) return { texte: value, crons: daily, fuseau };
  const horaire = { texte: value, crons: enCrons(value), fuseau };
  try {
    // `31 2 30 2 *` is well written, and the thirtieth of February never comes.
    prochainTick(horaire, Date.UTC(2024, 0, 1));
  } catch {
    throw new RangeError(`« ${texte} » n’est ni HH:MM[,HH:MM] ni une expression cron à cinq champs`);
  }
  return horaire;
}

/** Times of day as cron expressions, which are always due some day; undefined when it is something else. */
function quotidien(value: string): string[] | undefined {
  const times = value.split(/ ?[,;] ?/);
  if (!times.every((time) => /^([01]?\d|2[0-3])[:h][0-5]\d$/.test(time))) return undefined;
  return times.map((time) => {
    const [hour, minute] = time.split(/[:h]/).map(Number);
    return `${minute} ${hour} * * *`;
  });
}

function enCrons(value: string): string[] {
  // Five fields and nothing else: no seconds, no @daily, no random H.
  const fields = /^[\d*/,-]+ [\d*/,-]+ [\d*/,L-]+ [\dA-Za-z*/,-]+ [\dA-Za-z*/,#-]+$/.test(value);
  if (!fields)
    throw new RangeError(`« ${value} » n’est ni HH:MM[,HH:MM] ni une expression cron à cinq champs`);
  return [value];
}

/**
 * First tick after an instant. On the day that has no 02:30 such a tick is due at 03:30; on the day that has it twice,
 * at the first: never skipped, never doubled.
 *
 * @param apres milliseconds since the epoch, exclusive
 * @returns milliseconds since the epoch
 */
export function prochainTick(horaire: Horaire, apres: number): number {
  return Math.min(
    ...horaire.crons.map((cron) =>
      cronParser()
        .CronExpressionParser.parse(cron, { currentDate: new Date(apres), tz: horaire.fuseau })
        .next()
        .getTime(),
    ),
  );
}

/**
 * Ticks in (apres, jusqua], oldest first; of a very long time the latest only.
 *
 * @param apres milliseconds since the epoch
 * @param jusqua milliseconds since the epoch
 */
export function ticksEntre(horaire: Horaire, apres: number, jusqua: number): number[] {
  const ticks: number[] = [];
  for (let tick = prochainTick(horaire, apres); tick <= jusqua; tick = prochainTick(horaire, tick)) {
    ticks.push(tick);
    if (ticks.length > PLUS_DE_TICKS) ticks.shift();
  }
  return ticks;
}
