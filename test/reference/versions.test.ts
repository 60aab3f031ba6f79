// Rules 15 to 19: several files, copies, rewrites, replacement, by hand.

import { describe, expect, it } from 'vitest';
import { details, latin1, log, only, stateOf, utf16 } from './helpers.ts';
import { sha256Of } from './reference.ts';

const A = '06:00:00|@StukUitgevoerd: A';
const B = '06:10:00|@StukUitgevoerd: B';
const C = '06:20:00|@StukUitgevoerd: C';
const names = details;
const sha = (text: string): string => sha256Of(latin1(text));

describe('rule 15: versions', () => {
  it('a version that is a prefix of another of the same path counts for nothing, whichever came first', () => {
    const whole: [string, string] = ['20250528.LOG', log(A, A, B)];
    const short: [string, string] = ['20250528.LOG', log(A, A, B).slice(0, -20)]; // cut inside the last line
    for (const seen of [
      [whole, short],
      [short, whole],
    ]) {
      expect(stateOf(seen)).toEqual(stateOf([whole]));
    }
    expect(stateOf([whole, ['20250528.LOG', '']])).toEqual(stateOf([whole]));
  });

  it('a prefix under another path counts (the same lines are not counted twice)', () => {
    const state = stateOf([
      ['20250528.LOG', log(A, B)],
      ['copie.LOG', log(A)],
    ]);
    expect(state.versions).toHaveLength(2);
    expect(names(state)).toEqual(['A', 'B']);
  });

  it('equal bytes under several paths are one version; sending a file again changes nothing', () => {
    const state = stateOf([
      ['copie.LOG', log(A, 'rejet')],
      ['20250528.LOG', log(A, 'rejet')],
      ['20250528.LOG', log(A, 'rejet')],
    ]);
    expect(state).toEqual(stateOf([['20250528.LOG', log(A, 'rejet')]]));
  });

  it('a rewritten file: both versions are united', () => {
    const seen: [string, string][] = [
      ['20250528.LOG', log(A, B)],
      ['20250528.LOG', log(C)],
    ];
    expect(names(stateOf(seen))).toEqual(['A', 'B', 'C']);
    expect(stateOf(seen.toReversed())).toEqual(stateOf(seen));
  });

  it('rejects belong to a file version: those of a prefix go with it', () => {
    const state = stateOf([
      ['20250528.LOG', log(A).slice(0, 10)],
      ['20250528.LOG', log(A)],
    ]);
    expect(state.rejets).toEqual([]);
  });

  it('centres do not mix: one centre has at most one session a production day', () => {
    const seen = ['SU12', 'DEM12'].map((centre) => ({
      centre,
      chemin: `${centre}/20250528.LOG`,
      octets: latin1(log(A)),
    }));
    expect(stateOf([], { versions: seen }).sessions.map((s) => [s.centre, s.total_pieces])).toEqual([
      ['DEM12', 1],
      ['SU12', 1],
    ]);
  });
});

describe('rule 16: union', () => {
  it('an event line counts as often as in the version that holds it most often (max, not sum)', () => {
    const state = stateOf([
      ['a.LOG', log(A, A, B)],
      ['b.LOG', log(A, B, B, B)],
    ]);
    expect(names(state)).toEqual(['A', 'A', 'B', 'B', 'B']);
  });

  it('files that overlap are not counted twice; files that do not overlap add up', () => {
    const state = stateOf([
      ['a.LOG', log(A, B)],
      ['b.LOG', log(B, C)],
    ]);
    expect(names(state)).toEqual(['A', 'B', 'C']);
  });

  it('the event line is (instant, event, details): other encodings and blanks around make no other line', () => {
    const text = log('06:00:00|@StukUitgevoerd: été', '06:10:00|@StukUitgevoerd: B');
    const state = stateOf([
      ['a.LOG', text],
      ['b.LOG', utf16(text, 'le')],
      ['c.LOG', log('06:00:00|@ StukUitgevoerd :  été ')],
    ]);
    expect(names(state)).toEqual(['été', 'B']);
  });

  it('occurrence k comes from the first version in rank that holds it k times, at its line there', () => {
    const first = log('', A, B); // earliest instant, 2 events
    const second = log(A, B, B); // earliest instant, 3 events: ranks first
    const { pieces } = only(
      stateOf([
        ['a.LOG', first],
        ['b.LOG', second],
        ['c.LOG', log(B, B, B, B)],
      ]),
    );
    expect(pieces.map(({ details: name, source }) => [name, source.sha256, source.ligne])).toEqual([
      ['A', sha(second), 1],
      ['B', sha(second), 2],
      ['B', sha(second), 3],
      ['B', sha(log(B, B, B, B)), 3],
      ['B', sha(log(B, B, B, B)), 4],
    ]);
  });

  it('ranks: earliest first event instant of that day first, whatever the other days hold', () => {
    const early = log(A, '06:20:00|@StukUitgevoerd: X');
    const late = log('20250527 06:00:00|@MachineStop', B, '06:20:00|@StukUitgevoerd: Y', C);
    const state = stateOf([
      ['a.LOG', late],
      ['b.LOG', early],
    ]);
    expect(state.sessions[1]?.pieces.map((piece) => piece.details)).toEqual(['A', 'B', 'X', 'Y', 'C']);
  });

  it('ranks: then most events, then the SHA-256 in ascending order', () => {
    const start = '06:00:00|@MachineStart';
    const x = '06:00:00|@StukUitgevoerd: X';
    const y = '06:00:00|@StukUitgevoerd: Y';
    expect(
      names(
        stateOf([
          ['a.LOG', log(x)],
          ['b.LOG', log(start, y)],
        ]),
      ),
    ).toEqual(['Y', 'X']);
    const bySha = [x, y].sort((a, b) => (sha(log(a)) < sha(log(b)) ? -1 : 1)).map((line) => line.slice(-1));
    expect(
      names(
        stateOf([
          ['a.LOG', log(x)],
          ['b.LOG', log(y)],
        ]),
      ),
    ).toEqual(bySha);
  });

  it('ties across versions: a stop and a restart at the same instant follow the rank', () => {
    // The first version holds stop 06:00 and stop 06:30; the second, lower in rank, a start at 06:30.
    const state = stateOf([
      ['a.LOG', log('06:00:00|@MachineStop', '06:30:00|@MachineStop')],
      ['b.LOG', log('06:30:00|@MachineStart')],
    ]);
    expect(only(state).periodes_arret).toMatchObject([
      {
        duree_secondes: '1800',
        source: { ligne: 1, sha256: sha(log('06:00:00|@MachineStop', '06:30:00|@MachineStop')) },
        fin: { ligne: 1, sha256: sha(log('06:30:00|@MachineStart')) },
      },
    ]);
  });

  it('other events: the sum over the versions that count', () => {
    const state = stateOf([
      ['a.LOG', log('06:00:00|@Zaag')],
      ['b.LOG', log('06:00:00|@Zaag', A)],
      ['b.LOG', log('06:00:00|@Zaag')],
    ]);
    expect(state.autres).toMatchObject([{ nom: 'Zaag', nombre: 2 }]);
  });
});

describe('rule 17: fichier_log_source', () => {
  const sourceOf = (seen: [string, string][]): string => only(stateOf(seen)).fichier_log_source;

  it('the version that gave most of the session’s events, first in rank among equals', () => {
    expect(
      sourceOf([
        ['a.LOG', log(A)],
        ['b.LOG', log(B, C)],
      ]),
    ).toBe('DEM12/b.LOG');
    expect(
      sourceOf([
        ['b.LOG', log(B)],
        ['z.LOG', log(A)],
      ]),
    ).toBe('DEM12/z.LOG');
  });

  it('of its paths: names YYYYMMDD.LOG (any case), then shorter, then code-point order', () => {
    const best = (...paths: string[]): string => sourceOf(paths.map((path) => [path, log(A)]));
    expect(best('a.LOG', 'archives/2025/20250528.log')).toBe('DEM12/archives/2025/20250528.log');
    expect(best('x/20250528.LOG', '20250529.LOG')).toBe('DEM12/20250529.LOG');
    expect(best('20250528-1.LOG', 'a.LOG')).toBe('DEM12/a.LOG');
    expect(best('b.LOG', 'a.log', 'B.LOG')).toBe('DEM12/B.LOG');
  });
});

describe('rule 19: --replace', () => {
  const old = log(A, B);
  const now = log(C);
  const replaced = (chemin: string, text: string, gardee?: string) => ({
    centre: 'DEM12',
    chemin: `DEM12/${chemin}`,
    sha256: sha(text),
    ...(gardee === undefined ? {} : { gardee: sha(gardee) }),
  });

  it('every version of PATH other than the bytes it has now stops counting there', () => {
    const seen: [string, string][] = [
      ['a.LOG', old],
      ['a.LOG', now],
    ];
    expect(stateOf(seen, { remplacees: [replaced('a.LOG', old)] })).toEqual(stateOf([['a.LOG', now]]));
  });

  it('there: the same bytes under another path still count', () => {
    const seen: [string, string][] = [
      ['a.LOG', old],
      ['a.LOG', now],
      ['copie.LOG', old],
    ];
    expect(names(stateOf(seen, { remplacees: [replaced('a.LOG', old)] }))).toEqual(['A', 'B', 'C']);
  });

  it('and so do its prefixes', () => {
    const seen: [string, string][] = [
      ['a.LOG', old],
      ['a.LOG', now],
      ['a.LOG', log(A)],
    ];
    expect(names(stateOf(seen, { remplacees: [replaced('a.LOG', old)] }))).toEqual(['C']);
  });

  it('the bytes it has now count even if they are a prefix of what they replace', () => {
    const seen: [string, string][] = [
      ['a.LOG', old],
      ['a.LOG', log(A)],
    ];
    expect(names(stateOf(seen, { remplacees: [replaced('a.LOG', old, log(A))] }))).toEqual(['A']);
  });
});
