// R9, R10: retention periods as they are read, and the instants that they cut at.

import { describe, expect, it } from 'vitest';
import { CONSERVATION_SETTINGS } from '../../src/base/config/conservation.ts';
import { loadConfig } from '../../src/base/config.ts';
import { FactoryTime, formatDay, parseDay } from '../../src/base/time.ts';
import { coupure, dernierJourEchu } from '../../src/domain/conservation/coupure.ts';
import { ecrireDuree } from '../../src/domain/conservation/duree.ts';

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

  /** Name, default, shortest and longest that is taken; what is a little less or more is not. */
  const BORNES: readonly [string, unknown, string, string, string | undefined, string?][] = [
    ['DETAILS', { nombre: 24, unite: 'mois' }, '1 mois', '29 j', '60 mois', '1801 j'],
    ['SESSIONS', undefined, '6 mois', '179 j', 'jamais'],
    ['ARCHIVES', { nombre: 24, unite: 'mois' }, '30 j', '29 j', '120 mois', '121 mois'],
    ['QUARANTAINE', { nombre: 12, unite: 'mois' }, '7 j', '6 j', '5 ans', '61 mois'],
    ['EXECUTIONS', { nombre: 12, unite: 'mois' }, '30 j', '29 j', '60 mois', '61 mois'],
    ['COMMANDES', { nombre: 24, unite: 'mois' }, '30 j', '29 j', '10 ans', '121 mois'],
    ['AUDIT', { nombre: 12, unite: 'mois' }, '180 j', '179 j', '12 mois', '361 j'],
    ['ALERTES', { nombre: 12, unite: 'mois' }, '30 j', '29 j', '60 mois', '61 mois'],
    ['CONNEXIONS', { nombre: 7, unite: 'j' }, '2 j', '1 j', '90 j', '91 j'],
    ['CLES', { nombre: 12, unite: 'mois' }, '30 j', '29 j', '36 mois', '37 mois'],
    ['COMPTES_DESACTIVATION', { nombre: 12, unite: 'mois' }, '3 mois', '89 j', '24 mois', '25 mois'],
    ['COMPTES', { nombre: 24, unite: 'mois' }, '12 mois', '179 j', '36 mois', '37 mois'],
    ['DEPOT', undefined, '30 j', '29 j', 'jamais'],
  ];

  it.each(BORNES)('%s: its default, and its bounds to the day', (name, usual, least, less, most, more) => {
    const kind = name.toLowerCase().replace(/_(.)/, (_, letter: string) => letter.toUpperCase());
    const one = (value: string) => {
      // So that only its own bounds are asked.
      const others = { CONSERVATION_DETAILS: '1 mois', CONSERVATION_COMPTES_DESACTIVATION: '3 mois' };
      const read_ = read({ ...others, [`CONSERVATION_${name}`]: value });
      return read_[kind as keyof typeof read_];
    };
    expect(read({})[kind as keyof ReturnType<typeof read>]).toEqual(usual);
    expect(one(least)).toMatchObject({ unite: expect.any(String) });
    expect(() => one(less)).toThrow(`CONSERVATION_${name} : la durée va de `);
    if (most === 'jamais') {
      expect(one(most)).toBeUndefined();
      expect(one('200 ans')).toEqual({ nombre: 2_400, unite: 'mois' });
    } else {
      expect(one(most!)).toMatchObject({ unite: expect.any(String) });
      expect(() => one(more!)).toThrow(`CONSERVATION_${name} : la durée va de `);
      expect(() => one('jamais')).toThrow(`CONSERVATION_${name} : « jamais » n’est pas permis`);
    }
    expect(() => one('201 ans')).toThrow(`CONSERVATION_${name} : la durée va de `);
  });

  it.each(['1mois2', ' mois', '12', 'x90 j', '90 jx', '123456 j', '1,5 mois'])(
    '« %s » is no period',
    (text) => {
      expect(() => read({ CONSERVATION_QUARANTAINE: text })).toThrow(
        /CONSERVATION_QUARANTAINE : attendu « 24 mois »/,
      );
    },
  );

  it('are written however one likes, and said with their bounds', () => {
    for (const text of ['1 an', '1 AN', '12 MOIS', '12mois'])
      expect(read({ CONSERVATION_QUARANTAINE: text }).quarantaine).toEqual({ nombre: 12, unite: 'mois' });
    expect(read({ CONSERVATION_QUARANTAINE: '10 Jour' }).quarantaine).toEqual({ nombre: 10, unite: 'j' });
    expect(read({ CONSERVATION_DEPOT: 'JAMAIS' }).depot).toBeUndefined();
    expect(() => read({ CONSERVATION_DEPOT: '29 j' })).toThrow(
      'la durée va de 1 mois à jamais, reçu « 29 j »',
    );
    expect(() => read({ CONSERVATION_CONNEXIONS: '1 j' })).toThrow('de 2 j à 3 mois');
    // As long is long enough.
    expect(read({ CONSERVATION_SESSIONS: '24 mois' }).sessions).toEqual({ nombre: 24, unite: 'mois' });
    expect(read({ CONSERVATION_COMPTES: '12 mois' }).comptes).toEqual({ nombre: 12, unite: 'mois' });
    // With a reason it may be shorter, too; beyond, a reason is not asked for again.
    const CONSERVATION_AUDIT_JUSTIFICATION = 'contrôle interne';
    expect(read({ CONSERVATION_AUDIT: '1 mois', CONSERVATION_AUDIT_JUSTIFICATION }).audit?.nombre).toBe(1);
    const longer = () => read({ CONSERVATION_AUDIT: '37 mois', CONSERVATION_AUDIT_JUSTIFICATION });
    expect(longer).toThrow('de 1 mois à 36 mois, reçu « 37 mois »');
    expect(longer).not.toThrow('dites pourquoi');
    expect(() => read({ CONSERVATION_CLES: '37 mois' })).toThrow(
      /CONSERVATION_CLES : la durée va de 1 mois à 36 mois, reçu « 37 mois »$/m,
    );
  });

  it('the share that a purge takes without being asked is a share', () => {
    const share = (PURGE_SEUIL_PART: string) => loadConfig({ PURGE_SEUIL_PART }).purge.seuilPart;
    expect(loadConfig({}).purge.seuilPart).toBe(0.2);
    expect([share('0'), share('1'), share('0.5')]).toEqual([0, 1, 0.5]);
    expect(() => share('1.1')).toThrow('PURGE_SEUIL_PART');
    expect(() => share('-0.1')).toThrow('PURGE_SEUIL_PART');
  });

  it('are each told in the settings, with a default that is taken', () => {
    const names = CONSERVATION_SETTINGS.map(({ name }) => name);
    expect(names).toEqual([
      ...BORNES.map(([name]) => `CONSERVATION_${name}`),
      'CONSERVATION_AUDIT_JUSTIFICATION',
      'PURGE_SEUIL_PART',
    ]);
    for (const [i, { doc, default: usual }] of CONSERVATION_SETTINGS.slice(0, BORNES.length).entries()) {
      const own = doc.split('\n').at(-1)!;
      expect(own).toMatch(/^\p{Lu}.*[^.]\.$/u);
      expect(doc.includes('atelier purge')).toBe(i === 0);
      expect(usual).not.toBe('');
    }
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

  it('are told in the words of the settings', () => {
    expect(
      [{ nombre: 24, unite: 'mois' } as const, { nombre: 90, unite: 'j' } as const, undefined].map(
        ecrireDuree,
      ),
    ).toEqual(['24 mois', '90 j', 'jamais']);
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
