import type { FactoryTime } from '../../base/time.ts';
import type { Duree } from './duree.ts';

/**
 * The instant before which things are past their retention period: now less the period, in the factory's calendar
 * (a month ends at the same hour of the same day of an earlier month, or on that month's last day).
 *
 * @param maintenant ms since the epoch
 * @returns ms since the epoch; what happened strictly before goes, what happened at it or later stays
 */
export function coupure(maintenant: number, duree: Duree, zone: string): number {
  const now = Temporal.Instant.fromEpochMilliseconds(maintenant).toZonedDateTimeISO(zone);
  const back = duree.unite === 'mois' ? { months: duree.nombre } : { days: duree.nombre };
  return now.subtract(back).epochMilliseconds;
}

/**
 * The last production day that is wholly past its retention period: it ended at the cut-off or before. A day is one
 * thing: none of it goes while its last second is to be kept.
 *
 * @param avant cut-off, ms since the epoch
 * @returns day number
 */
export function dernierJourEchu(avant: number, time: FactoryTime): number {
  const seconds = avant / 1000;
  const local = Temporal.Instant.fromEpochMilliseconds(avant).toZonedDateTimeISO(time.zone).toPlainDate();
  let jour = Math.round(local.since('1970-01-01', { largestUnit: 'days' }).days);
  // The calendar's day is not over: from there back, it is the first that is.
  while (time.startOf(jour + 1) > seconds) jour--;
  return jour;
}
