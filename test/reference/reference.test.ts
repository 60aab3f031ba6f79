// The reference against hand-computed cases: sessions, versions, instants. Each name quotes its rule or sentence.
// Bytes and lines are in lines.test.ts.

import { describe, expect, it } from 'vitest';
import { details, latin1, log, one, only } from './helpers.ts';
import { sha256Of } from './reference.ts';
import { rounded } from './session.ts';

const PIECE = 'StukUitgevoerd';

describe('worked example of the contract', () => {
  const example = log(
    '06:00:00|@MachineStart',
    '06:10:00|@JobProfiel: R:215023 L:3359.0 C:7016 G ALU',
    '06:12:00|@StukUitgevoerd: A1',
    '06:20:00|@MachineWait: 60 sec',
    '07:00:00|@MachineStop',
    '07:05:00|@MachineWait: 600 sec',
    '07:10:00|@MachineStop',
    '07:12:00|@MachineStart',
    '07:30:00|@StukUitgevoerd: A2',
    '07:31:00|@MachineWait: 120 sec',
    '07:40:00|@MachineStop',
  );
  const sha256 = sha256Of(latin1(example));
  const at = (time: string): string => `2025-05-28T${time}.000000Z`;

  it('comes out to the digit', () => {
    expect(one(example)).toEqual({
      sessions: [
        {
          centre: 'DEM12',
          date_production: '2025-05-28',
          heure_premiere_piece: at('04:12:00'),
          heure_derniere_piece: at('05:30:00'),
          heure_premier_machine_start: at('04:00:00'),
          heure_dernier_machine_stop: at('05:40:00'),
          total_pieces: 2,
          duree_production_totale: '1.3000',
          temps_attente: '0.0667',
          temps_arret_volontaire: '0.2000',
          temps_production_effectif: '1.0333',
          taux_occupation: '79.49',
          taux_attente: '5.13',
          taux_arret_volontaire: '15.38',
          fichier_log_source: 'DEM12/20250528.LOG',
          job_profils: [
            {
              numero: 1,
              timestamp_debut: at('04:10:00'),
              reference: '215023',
              longueur: '3359',
              couleur: '7016 G ALU',
              source: { sha256, ligne: 2 },
            },
          ],
          periodes_attente: [
            [at('04:20:00'), at('04:21:00'), '60', 4] as const,
            [at('05:05:00'), at('05:15:00'), '600', 6] as const,
            [at('05:31:00'), at('05:33:00'), '120', 10] as const,
          ].map(([timestamp_debut, timestamp_fin, duree_secondes, ligne], index) => ({
            numero: index + 1,
            timestamp_debut,
            timestamp_fin,
            duree_secondes,
            source: { sha256, ligne },
          })),
          periodes_arret: [
            {
              numero: 1,
              timestamp_debut: at('05:00:00'),
              timestamp_fin: at('05:12:00'),
              duree_secondes: '720',
              source: { sha256, ligne: 5 },
              fin: { sha256, ligne: 8 },
            },
          ],
          pieces: [
            {
              numero: 1,
              timestamp_production: at('04:12:00'),
              details: 'A1',
              job_profil: 1,
              source: { sha256, ligne: 3 },
            },
            {
              numero: 2,
              timestamp_production: at('05:30:00'),
              details: 'A2',
              job_profil: 1,
              source: { sha256, ligne: 9 },
            },
          ],
        },
      ],
      rejets: [],
      autres: [],
      versions: [
        {
          centre: 'DEM12',
          sha256,
          octets: example.length,
          lignes: 11,
          evenements: 11,
          autres: 0,
          rejets: 0,
          ignorees: 0,
        },
      ],
    });
  });
});

describe('from events to a session', () => {
  const figures = (text: string, options = {}) => {
    const s = only(one(text, options));
    return {
      w: s.duree_production_totale,
      arret: s.temps_arret_volontaire,
      attente: s.temps_attente,
      effectif: s.temps_production_effectif,
    };
  };

  it('a day with at least one of the five events but no piece is a session too (0 pieces, no window)', () => {
    const session = only(one(log('06:00:00|@MachineWait: 60 sec')));
    expect(session).toMatchObject({
      total_pieces: 0,
      heure_premiere_piece: null,
      heure_derniere_piece: null,
      heure_premier_machine_start: null,
      heure_dernier_machine_stop: null,
      duree_production_totale: '0.0000',
      temps_attente: '0.0000',
      taux_occupation: '0.00',
      taux_attente: '0.00',
    });
    expect(session.periodes_attente).toHaveLength(1);
  });

  it('a day of other events and rejects only is no session', () => {
    expect(one(log('06:00:00|@Zaagcyclus: 1', '06:00:01|@MachineWait')).sessions).toEqual([]);
  });

  it('all 0 when |W| = 0', () => {
    const session = only(one(log(`06:00:00|@${PIECE}`)));
    expect(session).toMatchObject({
      total_pieces: 1,
      taux_occupation: '0.00',
      duree_production_totale: '0.0000',
    });
  });

  it('waits inside stops are no wait; a wait that reaches out of a stop counts outside it only', () => {
    const text = log(
      `06:00:00|@${PIECE}: A`,
      '06:30:00|@MachineStop',
      '06:40:00|@MachineWait: 600 sec', // wholly inside
      '06:54:00|@MachineWait: 720 sec', // 360 s inside, 360 s outside
      '07:00:00|@MachineStart',
      `07:30:00|@${PIECE}: B`,
    );
    expect(figures(text)).toEqual({ w: '1.5000', arret: '0.5000', attente: '0.1000', effectif: '0.9000' });
  });

  it('union of wait periods: overlapping waits count once', () => {
    const text = log(
      `06:00:00|@${PIECE}`,
      '06:10:00|@MachineWait: 360 sec',
      '06:13:00|@MachineWait: 360 sec',
      `07:00:00|@${PIECE}`,
    );
    expect(figures(text)).toMatchObject({ attente: '0.1500', effectif: '0.8500' });
  });

  it('periods are cut at W in the figures and kept uncut in the rows', () => {
    const text = log(
      '05:54:00|@MachineStop',
      `06:00:00|@${PIECE}`,
      '06:06:00|@MachineStart',
      '06:54:00|@MachineWait: 720 sec',
      `07:00:00|@${PIECE}`,
    );
    expect(figures(text)).toEqual({ w: '1.0000', arret: '0.1000', attente: '0.1000', effectif: '0.8000' });
    const session = only(one(text));
    expect(session.periodes_arret[0]?.duree_secondes).toBe('720');
    expect(session.periodes_attente[0]?.duree_secondes).toBe('720');
  });

  it('a MachineStop while stopped, a MachineStart while running and periods of zero length make no period', () => {
    const session = only(
      one(
        log(
          '06:00:00|@MachineStart', // while running
          '06:01:00|@MachineStop',
          '06:01:00|@MachineStart', // zero length
          '06:02:00|@MachineStop',
          '06:03:00|@MachineStop', // while stopped
          '06:04:00|@MachineStart',
          '06:05:00|@MachineStart', // while running
          '06:06:00|@MachineStop', // without restart
        ),
      ),
    );
    expect(session.periodes_arret).toHaveLength(1);
    expect(session.periodes_arret[0]).toMatchObject({
      timestamp_debut: '2025-05-28T04:02:00.000000Z',
      timestamp_fin: '2025-05-28T04:04:00.000000Z',
      source: { ligne: 4 },
      fin: { ligne: 6 },
    });
    expect(session.heure_premier_machine_start).toBe('2025-05-28T04:00:00.000000Z');
    expect(session.heure_dernier_machine_stop).toBe('2025-05-28T04:06:00.000000Z');
  });

  it('periods never span two sessions', () => {
    const { sessions } = one(log('20250528 23:00:00|@MachineStop', '20250529 01:00:00|@MachineStart'));
    expect(sessions.map((s) => [s.date_production, s.periodes_arret.length])).toEqual([
      ['2025-05-28', 0],
      ['2025-05-29', 0],
    ]);
  });

  it('each piece points to the job profile in force (the last of the session at or before it), if any', () => {
    const profile = (reference: string): string => `@JobProfiel: R:${reference} L:1`;
    const text = log(
      `06:00:00|@${PIECE}`,
      `06:01:00|${profile('A')}`,
      `06:02:00|@${PIECE}`,
      `06:03:00|${profile('B')}`,
      `06:03:00|@${PIECE}`,
      `20250529 06:00:00|@${PIECE}`,
    );
    const profiles = one(text).sessions.map((s) => s.pieces.map((piece) => piece.job_profil));
    expect(profiles).toEqual([[null, 1, 2], [null]]);
  });

  it('events are ordered by instant, ties in file order', () => {
    const text = log(`06:02:00|@${PIECE}: C`, `06:01:00|@${PIECE}: B`, `06:01:00|@${PIECE}: A`);
    expect(details(one(text))).toEqual(['B', 'A', 'C']);
  });

  it('rule 18: with the stamp of a wait at its end (`fin`), the period is [t - d, t], the day that of t', () => {
    const text = log('20250529 00:01:00|@MachineWait: 120,5 sec');
    const session = only(one(text, { attente: { DEM12: 'fin' } }));
    expect(session.date_production).toBe('2025-05-29');
    expect(session.periodes_attente[0]).toMatchObject({
      timestamp_debut: '2025-05-28T21:58:59.500000Z',
      timestamp_fin: '2025-05-28T22:01:00.000000Z',
      duree_secondes: '120.5',
    });
    expect(only(one(text, { attente: { SU12: 'fin' } })).periodes_attente[0]?.timestamp_debut).toBe(
      '2025-05-28T22:01:00.000000Z',
    );
  });

  it('rule 20: halves away from zero, from exact microseconds', () => {
    expect(rounded(1n, 2n, 4)).toBe('0.5000');
    expect(rounded(5n, 100_000n, 4)).toBe('0.0001'); // 0.00005
    expect(rounded(49_999n, 1_000_000_000n, 4)).toBe('0.0000'); // 0.000049999
    expect(rounded(12_345n, 1_000n, 2)).toBe('12.35'); // 12.345 exactly
    // 0.18 s = 0.00005 h: a half
    const half = log(`06:00:00|@${PIECE}`, '06:00:10|@MachineWait: 0.18 sec', `07:00:00|@${PIECE}`);
    expect(figures(half).attente).toBe('0.0001');
    const less = log(`06:00:00|@${PIECE}`, '06:00:10|@MachineWait: 0.179999 sec', `07:00:00|@${PIECE}`);
    expect(figures(less).attente).toBe('0.0000');
  });
});
