// R9, R10: retention periods as they are read, and the instants that they cut at.

import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { FactoryTime, formatDay, parseDay } from '../../src/base/time.ts';
import { coupure, dernierJourEchu } from '../../src/domain/conservation/coupure.ts';

const read = (env: Record<string, string>) => loadConfig(env).conservation;

describe('R9: settings', () => {
  it('have defaults', () => {
    expect(read({})).toMatchObject({
      details: { nombre: 24, unite: 'mois' },
      sessions: undefined,
      connexions: { nombre: 7, unite: 'j' },
      depot: undefined,
    });
  });

  it.each([
    ['90 j', { nombre: 90, unite: 'j' }],
    ['90 jours', { nombre: 90, unite: 'j' }],
    ['6mois', { nombre: 6, unite: 'mois' }],
    ['2 ans', { nombre: 24, unite: 'mois' }],
  ])('%s', (text, duree) => {
    expect(read({ CONSERVATION_QUARANTAINE: text }).quarantaine).toEqual(duree);
  });

  it.each([
    [
      { CONSERVATION_DETAILS: '29 j' },
      /CONSERVATION_DETAILS : la durée va de 1 mois à 60 mois, reçu « 29 j »/,
    ],
    [{ CONSERVATION_DETAILS: '61 mois' }, /CONSERVATION_DETAILS/],
    [{ CONSERVATION_DETAILS: 'jamais' }, /« jamais » n’est pas permis/],
    [{ CONSERVATION_DETAILS: '-3 mois' }, /attendu « 24 mois »/],
    [{ CONSERVATION_DETAILS: 'toujours' }, /attendu « 24 mois »/],
    [
      { CONSERVATION_DETAILS: '24 mois', CONSERVATION_SESSIONS: '12 mois' },
      /CONSERVATION_SESSIONS : ne peut pas être plus court/,
    ],
    [{ CONSERVATION_COMPTES: '6 mois' }, /CONSERVATION_COMPTES : ne peut pas être plus court/],
    [
      { CONSERVATION_AUDIT: '13 mois' },
      /CONSERVATION_AUDIT.*6 mois à 12 mois.*CONSERVATION_AUDIT_JUSTIFICATION/,
    ],
    [{ CONSERVATION_AUDIT: '5 mois' }, /CONSERVATION_AUDIT/],
    [
      { CONSERVATION_AUDIT: '37 mois', CONSERVATION_AUDIT_JUSTIFICATION: 'contrôle interne' },
      /CONSERVATION_AUDIT/,
    ],
  ])('out of bounds, refused by name: %o', (env, message) => {
    expect(() => read(env)).toThrow(message);
  });

  it('the audit log is kept for longer with a reason', () => {
    const env = { CONSERVATION_AUDIT: '36 mois', CONSERVATION_AUDIT_JUSTIFICATION: 'contrôle interne' };
    expect(read(env).audit).toEqual({ nombre: 36, unite: 'mois' });
  });
});

describe('R10: cut-offs', () => {
  const cut = (now: string, nombre: number, unite: 'mois' | 'j', zone = 'Europe/Paris') =>
    Temporal.Instant.fromEpochMilliseconds(coupure(Date.parse(now), { nombre, unite }, zone))
      .toZonedDateTimeISO(zone)
      .toString({ timeZoneName: 'never' });

  it.each([
    ['2027-05-29T00:00:00+02:00', 24, 'mois', '2025-05-29T00:00:00+02:00'],
    // The same hour on the clock, across a change of it.
    ['2027-04-15T08:00:00+02:00', 2, 'mois', '2027-02-15T08:00:00+01:00'],
    ['2027-03-29T08:00:00+02:00', 2, 'j', '2027-03-27T08:00:00+01:00'],
    // Months have their own last days.
    ['2027-03-31T08:00:00+02:00', 1, 'mois', '2027-02-28T08:00:00+01:00'],
    ['2028-02-29T08:00:00+01:00', 12, 'mois', '2027-02-28T08:00:00+01:00'],
  ] as const)('%s less %i %s is %s', (now, nombre, unite, expected) => {
    expect(cut(now, nombre, unite)).toBe(expected);
  });

  it.each([
    ['00:00', '2025-05-29T00:00:00+02:00', '2025-05-28'],
    ['00:00', '2025-05-28T23:59:59+02:00', '2025-05-27'],
    ['05:00', '2025-05-29T05:00:00+02:00', '2025-05-28'],
    ['05:00', '2025-05-29T04:59:59+02:00', '2025-05-27'],
    // The day of the change has 23 hours, and 25.
    ['00:00', '2025-03-31T00:00:00+02:00', '2025-03-30'],
    ['00:00', '2025-10-26T23:59:59+01:00', '2025-10-25'],
    ['02:30', '2025-03-30T03:30:00+02:00', '2025-03-29'],
    ['02:30', '2025-03-30T03:29:59+02:00', '2025-03-28'],
  ])('a day from %s: at %s the last one wholly past is %s', (start, instant, day) => {
    const [h, m] = start.split(':').map(Number) as [number, number];
    const time = new FactoryTime('Europe/Paris', h * 3600 + m * 60);
    expect(formatDay(dernierJourEchu(Date.parse(instant), time))).toBe(day);
  });

  it('agrees with the start of days, whatever the instant', () => {
    const time = new FactoryTime('Europe/Paris', 5 * 3600);
    for (
      let at = Date.parse('2025-03-28T00:00:00Z');
      at < Date.parse('2025-04-02T00:00:00Z');
      at += 1_111_000
    ) {
      const day = dernierJourEchu(at, time);
      expect(time.startOf(day + 1) * 1000).toBeLessThanOrEqual(at);
      expect(time.startOf(day + 2) * 1000).toBeGreaterThan(at);
    }
    expect(parseDay('1970-01-01')).toBe(0);
  });
});
