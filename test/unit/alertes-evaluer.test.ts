// What is wrong, and what follows from it, without a database.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { evaluer, type Faits, type FaitsCentre, type FaitsTache } from '../../src/domain/alertes/evaluer.ts';
import { type Attente, type Ouverte, rapprocher } from '../../src/domain/alertes/rapprocher.ts';
import { type Constat, cleDe, REGLES } from '../../src/domain/alertes/regles.ts';
import { ABANDON, attenteApres } from '../../src/domain/alertes/reprise.ts';
import { enDuree, enOctets, enPourcent } from '../../src/domain/alertes/textes.ts';
import { assertProperty } from '../harness/property.ts';

const time = new FactoryTime('Europe/Paris');
const instant = (texte: string): number => Date.parse(texte) / 1000;
const NOW = instant('2026-06-03T15:00+02:00');
const CENTRE: FaitsCentre = {
  nom: 'DEM12',
  derniereLigne: NOW,
  derniereReception: NOW,
  dernierRecu: null,
  lignes: 0,
  rejetees: 0,
};
const TACHE: FaitsTache = {
  ...{ tache: 'sync', etat: 'reussie', erreur: null, abandonnee: false, depuis: NOW, dernierSucces: NOW },
  ...{ premierPassage: NOW, attendue: null },
};

function constats(
  faits: Partial<Faits>,
  options: { env?: Record<string, string>; maintenant?: number; ouvertes?: string[] } = {},
): Constat[] {
  return evaluer(
    { centres: [], taches: [], disques: [], ...faits },
    {
      reglages: loadConfig(options.env ?? {}).alertes,
      ...{ time, maintenant: options.maintenant ?? NOW, ouvertes: new Set(options.ouvertes) },
    },
  );
}
const regles = (...args: Parameters<typeof constats>): string[] => constats(...args).map((c) => cleDe(c));
const centre = (change: Partial<FaitsCentre>): Partial<Faits> => ({ centres: [{ ...CENTRE, ...change }] });
const tache = (change: Partial<FaitsTache>): Partial<Faits> => ({ taches: [{ ...TACHE, ...change }] });

describe('F25 the clock of a machine', () => {
  const recu = (dernierRecu: number | null, more: Partial<FaitsCentre> = {}, env = {}): string[] =>
    regles(centre({ dernierRecu, ...more }), { env });

  it('is ahead from the set time on, to the second', () => {
    expect(recu(NOW + 3600)).toEqual([]);
    expect(recu(NOW + 3601)).toEqual(['horloge_machine DEM12']);
    expect(recu(NOW + 3601, {}, { ALERTE_HORLOGE: '2h' })).toEqual([]);
    expect(recu(NOW + 900 * 86_400, {}, { ALERTE_HORLOGE: 'non' })).toEqual([]);
    const [found] = constats(centre({ dernierRecu: NOW + 7200 }));
    expect(found?.message).toMatch(
      /^L’horloge de DEM12 est en avance de 2 h 00 : .* le 03\/06\/2026 à 15:00 est daté du 03\/06\/2026 à 17:00/,
    );
  });

  it('is behind when it was reset; a file of some days ago, or of an old machine, is no news', () => {
    expect(recu(instant('2000-01-01T00:05:00+01:00'))).toEqual(['horloge_machine DEM12']);
    expect(recu(NOW - 29 * 86_400)).toEqual([]);
    const derniereReception = NOW - 3 * 86_400;
    expect(recu(instant('2000-01-01T00:05:00+01:00'), { derniereReception, derniereLigne: NOW })).toEqual([]);
    expect(recu(null)).toEqual([]);
  });
});

describe('F34 a machine is silent', () => {
  const depuis = (de: string, env = {}, maintenant = NOW): string[] =>
    regles(centre({ derniereLigne: instant(de), derniereReception: instant(de) }), { env, maintenant });

  it('from the set time on, to the second, of the hours in which somebody works', () => {
    expect(depuis('2026-06-03T13:00:01+02:00')).toEqual([]);
    expect(depuis('2026-06-03T13:00:00+02:00')).toEqual(['machine_silencieuse DEM12']);
    // Since yesterday evening it has worked from eight on.
    const matin = instant('2026-06-03T09:59:59+02:00');
    expect(depuis('2026-06-02T20:00+02:00', {}, matin)).toEqual([]);
    expect(depuis('2026-06-02T20:00+02:00', {}, matin + 1)).toEqual(['machine_silencieuse DEM12']);
    expect(depuis('2026-06-02T16:30+02:00', {}, matin)).toEqual(['machine_silencieuse DEM12']);
  });

  it('as its own hours and its own limit say', () => {
    const env = { HORAIRES: 'DEM12: tous 14:30-22:00', ALERTE_SILENCE: '2h; DEM12: 30min' };
    expect(depuis('2026-06-03T08:00+02:00', env)).toEqual(['machine_silencieuse DEM12']);
    expect(depuis('2026-06-03T08:00+02:00', env, NOW - 1)).toEqual([]);
    expect(depuis('2026-06-03T08:00+02:00', { ALERTE_SILENCE: '2h; DEM12: non' })).toEqual([]);
    expect(depuis('2026-06-01T08:00+02:00', { HORAIRES: 'DEM12: jamais' })).toEqual([]);
  });

  it('unless something of it has just arrived, whatever its clock says', () => {
    const [old, soon, next] = [NOW - 86_400, NOW - 60, NOW + 86_400 * 4000];
    expect(regles(centre({ derniereLigne: old, derniereReception: soon }))).toEqual([]);
    expect(regles(centre({ derniereLigne: soon, derniereReception: old }))).toEqual([]);
    // A clock years ahead must not hide that nothing comes any more; nor must a database that is ahead of us.
    expect(regles(centre({ derniereLigne: next, derniereReception: old }))).toEqual([
      'machine_silencieuse DEM12',
    ]);
    expect(regles(centre({ derniereLigne: old, derniereReception: next }))).toEqual([]);
  });

  it('never when it never wrote', () => {
    expect(regles(centre({ derniereLigne: null, derniereReception: null }))).toEqual([]);
    expect(regles(centre({ derniereLigne: null, derniereReception: NOW - 864_000 }))).toEqual([]);
  });

  it('and says since when', () => {
    const [found] = constats(centre({ derniereLigne: NOW - 10_000, derniereReception: NOW - 9000 }));
    expect(found).toMatchObject({
      depuis: NOW - 9000,
      message:
        'DEM12 ne donne plus signe depuis le 03/06/2026 à 12:30 : plus de 2 h 00 de ses heures de travail.',
    });
  });
});

describe('rejected lines', () => {
  const part = (rejetees: number, lignes: number, ouvertes: string[] = []): number =>
    constats(centre({ rejetees, lignes }), { ouvertes }).length;
  it('from a share and a number on; once open, down to four fifths of the share', () => {
    expect([part(50, 1000), part(49, 1000), part(19, 20), part(20, 20), part(0, 0)]).toEqual([1, 0, 0, 1, 0]);
    const open = ['lignes_rejetees DEM12'];
    expect([part(41, 1000, open), part(39, 1000, open), part(41, 1000, ['lignes_rejetees SU12'])]).toEqual([
      1, 0, 0,
    ]);
  });
});

describe('runs', () => {
  it('F52 a failure, and old orders, are two things', () => {
    expect(regles(tache({ etat: 'echouee', erreur: 'ERP injoignable' }))).toEqual([
      'synchronisation_echouee sync',
    ]);
    expect(regles(tache({ dernierSucces: NOW - 93_599 }))).toEqual([]);
    expect(regles(tache({ dernierSucces: NOW - 93_600 }))).toEqual(['commandes_anciennes sync']);
    expect(regles(tache({ etat: 'echouee', dernierSucces: null, premierPassage: NOW - 93_600 }))).toEqual([
      'synchronisation_echouee sync',
      'commandes_anciennes sync',
    ]);
    expect(regles(tache({ tache: 'ingest', dernierSucces: 0 }))).toEqual([]);
  });

  it('each task has its rule', () => {
    const of = (name: string, etat: string): string[] => regles(tache({ tache: name, etat }));
    expect(of('ingest', 'echouee')).toEqual(['import_echoue ingest']);
    expect(of('ingest', 'partielle')).toEqual(['import_partiel ingest']);
    expect(of('sauvegarde', 'echouee')).toEqual(['tache_echouee sauvegarde']);
    expect(of('purge', 'partielle')).toEqual([]);
  });

  it('O6 a tick that nothing followed is missed after the set delay', () => {
    expect(regles(tache({ tache: 'purge', attendue: NOW - 1799 }))).toEqual([]);
    expect(regles(tache({ tache: 'purge', attendue: NOW - 1800 }))).toEqual(['tache_manquee purge']);
    expect(regles(tache({ attendue: NOW - 1800 }), { env: { ALERTE_RETARD: 'non' } })).toEqual([]);
  });
});

describe('O12 a short disk', () => {
  const disque = (libre: number, total: number, env = {}, ouvertes: string[] = []): string[] =>
    regles(
      { disques: [{ hote: 'h1', dossiers: ['ARCHIVES_DIR', 'LOGS_DIR'], libre, total }] },
      { env, ouvertes },
    );
  it('is below the smaller of both limits, and short until a tenth more is free', () => {
    const key = ['disque_court h1 ARCHIVES_DIR'];
    expect(disque(4.9e9, 4e12)).toEqual(key);
    expect(disque(5e9, 4e12)).toEqual([]);
    expect(disque(1.9e9, 20e9)).toEqual(key);
    expect(disque(2e9, 20e9)).toEqual([]);
    expect(disque(2.19e9, 20e9, {}, key)).toEqual(key);
    expect(disque(2.2e9, 20e9, {}, key)).toEqual([]);
    expect(disque(1, 20e9, { ALERTE_DISQUE: 'non' })).toEqual([]);
    expect(disque(1, 0)).toEqual([]);
  });
});

describe('what follows', () => {
  const constat = (regle: Constat['regle'], depuis?: number, more = {}): Constat => ({
    ...{ regle, objet: 'x', message: 'm', details: {}, depuis, ...more },
  });
  const suites = (
    list: Constat[],
    etat: {
      ouvertes?: Partial<Ouverte>[];
      attentes?: Attente[];
      rappel?: number | undefined;
      vu?: boolean;
    } = {},
  ) => {
    const ouverte = { id: 7, objet: 'x', derniereVue: NOW, dernierAvis: NOW, acquittee: false };
    const all = rapprocher(list, {
      ouvertes: (etat.ouvertes ?? []).map((o) => ({ regle: 'disque_court', ...ouverte, ...o })),
      attentes: etat.attentes ?? [],
      ...{ maintenant: NOW, rappel: 'rappel' in etat ? etat.rappel : 86_400, vu: () => etat.vu ?? true },
    });
    return Object.fromEntries(Object.entries(all).filter(([, list]) => list.length > 0));
  };

  it('something that lasts long enough is an alert, at once when it will not mend itself', () => {
    expect(Object.keys(suites([constat('import_echoue', NOW - 599)]))).toEqual(['attendre']);
    expect(Object.keys(suites([constat('import_echoue', NOW - 600)]))).toEqual(['ouvrir']);
    expect(Object.keys(suites([constat('import_echoue', NOW, { definitif: true })]))).toEqual(['ouvrir']);
    const attente = (age: number) => [{ regle: 'disque_court', objet: 'x', premiereVue: NOW - age }];
    expect(suites([constat('disque_court')], { attentes: attente(59) })).toEqual({});
    expect(Object.keys(suites([constat('disque_court')], { attentes: attente(60) }))).toEqual([
      'ouvrir',
      'oublier',
    ]);
    expect(Object.keys(suites([], { attentes: attente(59) }))).toEqual(['oublier']);
    expect(suites([], { attentes: attente(59), vu: false })).toEqual({});
    expect(suites([constat('machine_silencieuse', NOW + 60)])).toMatchObject({ ouvrir: [{ debut: NOW }] });
  });

  it('an alert ends when it was not seen for as long as its rule wants', () => {
    expect(suites([], { ouvertes: [{ derniereVue: NOW - 299 }] })).toEqual({});
    expect(suites([], { ouvertes: [{ derniereVue: NOW - 300 }] })).toEqual({ resoudre: [7] });
    // Another machine's, until nobody has heard of that machine for a day.
    expect(suites([], { ouvertes: [{ derniereVue: NOW - 86_399 }], vu: false })).toEqual({});
    expect(suites([], { ouvertes: [{ derniereVue: NOW - 86_400 }], vu: false })).toEqual({ resoudre: [7] });
  });

  it('O3 rules of a newer version are left to it', () => {
    expect(suites([], { ouvertes: [{ regle: 'regle_de_demain', derniereVue: 0 }] })).toEqual({});
    expect(suites([], { attentes: [{ regle: 'regle_de_demain', objet: 'x', premiereVue: 0 }] })).toEqual({});
  });

  it('who has not taken it on is reminded', () => {
    const open = (more: Partial<Ouverte>, etat = {}) =>
      suites([constat('disque_court')], { ouvertes: [{ dernierAvis: NOW - 86_400, ...more }], ...etat })[
        'rappeler'
      ];
    expect(open({})).toEqual([7]);
    expect(open({ dernierAvis: NOW - 86_399 })).toBeUndefined();
    expect(open({ acquittee: true })).toBeUndefined();
    expect(open({}, { rappel: undefined })).toBeUndefined();
  });

  it('nothing flaps: a value that swings about a limit opens one alert, for as long as it swings', async () => {
    await assertProperty(
      'disque qui balance',
      fc.property(fc.array(fc.boolean(), { minLength: 20, maxLength: 200 }), (swings) => {
        let [ouvertes, attentes]: [Ouverte[], Attente[]] = [[], []];
        let opened = 0;
        let good = 0;
        swings.forEach((short, i) => {
          const maintenant = NOW + i * 30;
          good = short ? 0 : good + 30;
          const list = short ? [constat('disque_court')] : [];
          const all = rapprocher(list, { ouvertes, attentes, maintenant, rappel: undefined, vu: () => true });
          attentes = attentes.filter((a) => !all.oublier.includes(a));
          attentes.push(...all.attendre.map((c) => ({ ...c, premiereVue: maintenant })));
          ouvertes = ouvertes
            .filter(({ id }) => !all.resoudre.includes(id))
            .map((o) => (short ? { ...o, derniereVue: maintenant } : o));
          for (const {
            constat: { regle, objet },
          } of all.ouvrir) {
            opened++;
            ouvertes.push({
              id: opened,
              regle,
              objet,
              derniereVue: maintenant,
              dernierAvis: maintenant,
              acquittee: false,
            });
          }
          expect(ouvertes.length + attentes.length).toBeLessThanOrEqual(1);
          if (all.resoudre.length > 0) expect(good).toBeGreaterThanOrEqual(REGLES.disque_court.calme);
        });
      }),
      { numRuns: 300 },
    );
  });
});

it('waits between attempts grow to an hour, never vanish, and are given up after a day', () => {
  expect([1, 2, 3, 8, 100].map((n) => attenteApres(n, 1))).toEqual([30, 60, 120, 3600, 3600]);
  expect([1, 100].map((n) => attenteApres(n, 0))).toEqual([15, 1800]);
  expect(ABANDON).toBe(86_400);
});

it('figures are written as people read them', () => {
  expect([59, 7500, 172_800, 0, -5].map(enDuree)).toEqual(['0 min', '2 h 05', '2 j 0 h', '0 min', '0 min']);
  expect([1500, 4.24e9, 999_600, 12.4e12].map(enOctets)).toEqual(['1,5 ko', '4,2 Go', '1,0 Mo', '12 To']);
  expect([0.015, 0.5].map(enPourcent)).toEqual(['1,5 %', '50 %']);
});
