// Rules 13 and 14: instants and production days, by hand.

import { describe, expect, it } from 'vitest';
import { log, one } from './helpers.ts';

const piecesOf = (text: string, options = {}): (string | undefined)[][] =>
  one(text, options).sessions.flatMap((s) =>
    s.pieces.map((piece) => [s.date_production, piece.details ?? '', piece.timestamp_production]),
  );
const piece = (stamp: string, name: string): string => `${stamp}|@StukUitgevoerd: ${name}`;

describe('rule 13: a stamp is read in the factory zone', () => {
  it('Europe/Paris in summer and winter', () => {
    expect(piecesOf(log(piece('20250528 06:12:00', 'S'), piece('20250128 06:12:00', 'W')))).toEqual([
      ['2025-01-28', 'W', '2025-01-28T05:12:00.000000Z'],
      ['2025-05-28', 'S', '2025-05-28T04:12:00.000000Z'],
    ]);
  });

  it('in the repeated hour it takes the earlier offset', () => {
    expect(piecesOf(log(piece('20251026 02:30:00', 'A')))).toEqual([
      ['2025-10-26', 'A', '2025-10-26T00:30:00.000000Z'],
    ]);
  });

  it('unless the latest instant of all earlier lines lies after that (equal is not after)', () => {
    const text = log(
      piece('20251026 02:30:00', 'A'),
      piece('20251026 02:30:00', 'B'),
      piece('20251026 02:29:59', 'C'),
      piece('20251026 02:30:00', 'D'),
    );
    expect(piecesOf(text)).toEqual([
      ['2025-10-26', 'A', '2025-10-26T00:30:00.000000Z'],
      ['2025-10-26', 'B', '2025-10-26T00:30:00.000000Z'],
      ['2025-10-26', 'C', '2025-10-26T01:29:59.000000Z'],
      ['2025-10-26', 'D', '2025-10-26T01:30:00.000000Z'],
    ]);
  });

  it('whatever became of them: a reject or another event with a valid stamp counts', () => {
    for (const earlier of ['MachineWait: ?', '', 'Zaag', 'JobProfiel']) {
      const text = log(`20251026 03:00:00|@${earlier}`, piece('20251026 02:30:00', 'A'));
      expect(piecesOf(text)).toEqual([['2025-10-26', 'A', '2025-10-26T01:30:00.000000Z']]);
    }
  });

  it('too long ones excepted, and a stamp without separator is none', () => {
    for (const earlier of [`20251026 03:00:00|@Zaag${'x'.repeat(65_536)}`, '20251026 03:00:00 Zaag']) {
      const text = `${earlier}\n${log(piece('20251026 02:30:00', 'A'))}`;
      expect(piecesOf(text)).toEqual([['2025-10-26', 'A', '2025-10-26T00:30:00.000000Z']]);
    }
  });

  it('in the skipped hour it takes the offset before the change', () => {
    const text = log(
      piece('20250330 01:59:59', 'A'),
      piece('20250330 02:30:00', 'B'),
      piece('20250330 03:00:00', 'C'),
      piece('20250330 03:30:00', 'D'),
    );
    expect(piecesOf(text)).toEqual([
      ['2025-03-30', 'A', '2025-03-30T00:59:59.000000Z'],
      ['2025-03-30', 'C', '2025-03-30T01:00:00.000000Z'],
      ['2025-03-30', 'B', '2025-03-30T01:30:00.000000Z'],
      ['2025-03-30', 'D', '2025-03-30T01:30:00.000000Z'],
    ]);
  });

  it('another FUSEAU', () => {
    expect(piecesOf(log(piece('20250528 06:12:00', 'A')), { fuseau: 'America/New_York' })).toEqual([
      ['2025-05-28', 'A', '2025-05-28T10:12:00.000000Z'],
    ]);
  });
});

describe('rule 14: a production day D runs from D at JOURNEE_DEBUT to the same of D + 1', () => {
  it('00:00: midnight belongs to the new day', () => {
    const text = log(piece('20250528 23:59:59', 'A'), piece('20250529 00:00:00', 'B'));
    expect(piecesOf(text).map(([day, name]) => [day, name])).toEqual([
      ['2025-05-28', 'A'],
      ['2025-05-29', 'B'],
    ]);
  });

  it('05:00: the night belongs to the day before', () => {
    const text = log(
      piece('20250528 04:59:59', 'A'),
      piece('20250528 05:00:00', 'B'),
      piece('20250529 04:59:59', 'C'),
      piece('20250529 05:00:00', 'D'),
    );
    expect(piecesOf(text, { journeeDebut: '05:00' }).map(([day, name]) => [day, name])).toEqual([
      ['2025-05-27', 'A'],
      ['2025-05-28', 'B'],
      ['2025-05-28', 'C'],
      ['2025-05-29', 'D'],
    ]);
  });

  it('the day of an event is decided by its instant: 02:30 starts at the earlier offset in autumn', () => {
    const text = log(
      piece('20251026 02:29:00', 'A'),
      piece('20251026 02:30:00', 'B'),
      piece('20251026 02:15:00', 'C'), // read again with the later offset: after the start of the day
    );
    expect(piecesOf(text, { journeeDebut: '02:30' })).toEqual([
      ['2025-10-25', 'A', '2025-10-26T00:29:00.000000Z'],
      ['2025-10-26', 'B', '2025-10-26T00:30:00.000000Z'],
      ['2025-10-26', 'C', '2025-10-26T01:15:00.000000Z'],
    ]);
  });

  it('02:30 in the skipped hour of spring starts at 03:30 summer time', () => {
    const text = log(piece('20250330 03:29:59', 'A'), piece('20250330 03:30:00', 'B'));
    expect(piecesOf(text, { journeeDebut: '02:30' }).map(([day, name]) => [day, name])).toEqual([
      ['2025-03-29', 'A'],
      ['2025-03-30', 'B'],
    ]);
  });
});
