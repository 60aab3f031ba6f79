// `/sessions/{id}/explication`: the intervals that figures are made of, and what counts of each period, to the microsecond.

import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { explicationDeSession } from '../../src/api/schemas/explication.ts';
import { MAX_PERIODES } from '../../src/postgres/lecture/explication.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';
import type { Settings } from '../harness/context.ts';
import { assertProperty, setting } from '../harness/property.ts';
import { CHEMINS, lineArbitrary } from '../reference/programs.ts';
import { rounded } from '../reference/session.ts';

const GOLDEN = join(import.meta.dirname, '../golden');
const CASES = (await readdir(GOLDEN, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

type Explication = z.infer<typeof explicationDeSession>;
type Periode = Explication['periodes_attente'][number];

let atelier: AtelierDEssai;
beforeAll(async () => {
  atelier = await createAtelier();
});
afterAll(() => atelier.close());

/** Microseconds since the epoch. */
const at = (instant: string): bigint => Temporal.Instant.from(instant).epochNanoseconds / 1_000n;
const micros = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6));
const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

async function explain(id: number): Promise<Explication> {
  return conforme(explicationDeSession, (await atelier.get(`/sessions/${id}/explication`)).json());
}

/** Checks all that must hold of every explanation, by another way than the one it was made. */
function checkExplanation(e: Explication, session: Record<string, unknown>): void {
  expect(e.conforme).toBe(true);
  for (const [name, value] of Object.entries(e.chiffres)) expect(value, name).toBe(session[name]);
  // The parts fill the window, without a gap and without an overlap.
  const parts = [...e.arrets, ...e.attentes, ...e.effectif].sort((a, b) =>
    at(a.debut) < at(b.debut) ? -1 : 1,
  );
  const [window] = e.fenetre;
  expect(e.fenetre.length).toBeLessThanOrEqual(1);
  expect(parts[0]?.debut).toBe(window?.debut);
  expect(parts.at(-1)?.fin).toBe(window?.fin);
  for (const [i, part] of parts.entries()) {
    expect(at(part.fin) - at(part.debut)).toBe(micros(part.duree_secondes));
    if (i > 0) expect(part.debut).toBe(parts[i - 1]!.fin);
  }
  if (window)
    expect([window.debut, window.fin].map(at)).toEqual(
      [session['heure_premiere_piece'], session['heure_derniere_piece']].map((t) => at(String(t))),
    );
  // Their lengths, divided and rounded as the contract says, are the stored figures.
  const total = (name: 'fenetre' | 'arrets' | 'attentes' | 'effectif'): bigint => {
    const length = sum(e[name].map((part) => at(part.fin) - at(part.debut)));
    expect(micros(e.totaux_secondes![name])).toBe(length);
    return length;
  };
  const all = total('fenetre');
  const hours = { duree_production_totale: all } as Record<string, bigint>;
  const rates: Record<string, bigint> = {};
  for (const [part, time, rate] of [
    ['arrets', 'temps_arret_volontaire', 'taux_arret_volontaire'],
    ['attentes', 'temps_attente', 'taux_attente'],
    ['effectif', 'temps_production_effectif', 'taux_occupation'],
  ] as const)
    hours[time] = rates[rate] = total(part);
  for (const [name, length] of Object.entries(hours))
    expect(session[name], name).toBe(Number(rounded(length, 3_600_000_000n, 4)));
  for (const [name, length] of Object.entries(rates))
    expect(session[name], name).toBe(all === 0n ? 0 : Number(rounded(length * 100n, all, 2)));
  for (const { chiffre, formule, valeur } of e.formules) {
    expect(valeur).toBe(session[chiffre]);
    expect(formule).not.toMatch(/NaN|undefined|null/);
  }
  // What counts of the periods adds up to the figures, and the shares of each to the whole of it.
  expect(sum(e.periodes_arret.map((p) => micros(p.compte_secondes)))).toBe(hours['temps_arret_volontaire']);
  expect(sum(e.periodes_attente.map((p) => micros(p.compte_secondes)))).toBe(hours['temps_attente']);
  const stops = e.periodes_arret.map(span);
  checkShares(e.periodes_arret, window && span(window), []);
  checkShares(e.periodes_attente, window && span(window), stops);
}

type Span = readonly [start: bigint, end: bigint];
function span(p: { debut: string; fin: string } | Periode): Span {
  return 'debut' in p ? [at(p.debut), at(p.fin)] : [at(p.timestamp_debut), at(p.timestamp_fin)];
}

/** Every moment between two boundaries is given to one reason by the plainest reading. */
function checkShares(periods: readonly Periode[], window: Span | undefined, stops: readonly Span[]): void {
  const spans = periods.map(span);
  const inside = ([start, end]: Span, moment: bigint): boolean => start <= moment && moment < end;
  const cuts = [...new Set([...spans, ...stops, ...(window ? [window] : [])].flat())].sort((a, b) =>
    a < b ? -1 : 1,
  );
  const byStart = spans
    .map((_, i) => i)
    .sort((a, b) => (spans[a]![0] < spans[b]![0] ? -1 : spans[a]![0] > spans[b]![0] ? 1 : a - b));
  const shares = periods.map(() => ({ compte: 0n, hors: 0n, arret: 0n, deja: 0n }));
  for (const [i, start] of cuts.slice(0, -1).entries()) {
    const length = cuts[i + 1]! - start;
    let counted = false;
    for (const n of byStart) {
      if (!inside(spans[n]!, start)) continue;
      if (!window || !inside(window, start)) shares[n]!.hors += length;
      else if (stops.some((stop) => inside(stop, start))) shares[n]!.arret += length;
      else if (counted) shares[n]!.deja += length;
      else {
        shares[n]!.compte += length;
        counted = true;
      }
    }
  }
  for (const [i, p] of periods.entries()) {
    expect({
      compte: micros(p.compte_secondes),
      hors: micros(p.hors_fenetre_secondes),
      arret: micros(p.dans_un_arret_secondes),
      deja: micros(p.deja_compte_secondes),
    }).toEqual(shares[i]);
    expect(micros(p.duree_secondes)).toBe(spans[i]![1] - spans[i]![0]);
    expect(p.pourquoi === null).toBe(p.compte_secondes === p.duree_secondes);
  }
}

async function checkAll(): Promise<number> {
  const sessions = (await atelier.get('/sessions/?limit=1000')).json<{ id: number }[]>();
  for (const session of sessions) checkExplanation(await explain(session.id), { ...session });
  return sessions.length;
}

async function put(chemin: string, text: string): Promise<void> {
  const path = join(atelier.workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

it.each(CASES)('golden %s: what the figures are made of adds up to them', async (name) => {
  const dir = join(GOLDEN, name);
  const settings = await readFile(join(dir, 'reglages.json'), 'utf8').catch(() => '{}');
  await atelier.workshop.reset(JSON.parse(settings) as Settings);
  await cp(join(dir, 'entree'), atelier.workshop.logs, { recursive: true });
  await atelier.workshop.import();
  await checkAll();
});

it('generated logs: what the figures are made of adds up to them, to the microsecond', async () => {
  // Waits of all lengths, so that they overlap, lie in stops and reach out of the window.
  const wait = fc
    .tuple(
      fc.integer({ min: 0, max: 89 }),
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 1, max: 7_200_000_000 }),
    )
    .map(([minute, second, duration]) => {
      const clock = [6 + Math.floor(minute / 60), minute % 60, second].map((n) => String(n).padStart(2, '0'));
      return `20250528 ${clock.join(':')}|@MachineWait: ${duration / 1e6} sec`;
    })
    .filter((line) => !line.includes('e-'));
  const lines = fc.array(
    fc.oneof({ weight: 3, arbitrary: lineArbitrary() }, { weight: 2, arbitrary: wait }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  const files = fc.dictionary(fc.constantFrom(...CHEMINS.slice(0, 4)), lines, { minKeys: 1, maxKeys: 3 });
  let sessions = 0;
  await assertProperty(
    'explications',
    fc.asyncProperty(files, fc.constantFrom('debut', 'fin'), async (tree, attente) => {
      await atelier.workshop.reset({ CENTRES: `DEM12=DEM12,PVC,${attente};SU12=SU12,HYBRIDE` });
      for (const [chemin, content] of Object.entries(tree)) await put(chemin, `${content.join('\n')}\n`);
      await atelier.workshop.import();
      sessions += await checkAll();
    }),
    { numRuns: setting('ATELIER_EXPLICATIONS', 60) },
  );
  expect(sessions).toBeGreaterThan(30);
}, 180_000);

it('the worked example of the contract, with its intervals and its sentences', async () => {
  await atelier.workshop.reset();
  await cp(join(GOLDEN, 'exemple-du-contrat/entree'), atelier.workshop.logs, { recursive: true });
  await atelier.workshop.import();
  const [session] = (await atelier.get('/sessions/?limit=1')).json<{ id: number }[]>();
  const e = await explain(session!.id);
  const clock = ({ debut, fin }: { debut: string; fin: string }): string =>
    `${debut.slice(11, 19)}-${fin.slice(11, 19)}`;
  expect(e.fenetre).toEqual([
    { debut: '2025-05-28T06:12:00+02:00', fin: '2025-05-28T07:30:00+02:00', duree_secondes: 4680 },
  ]);
  expect(e.arrets.map(clock)).toEqual(['07:00:00-07:12:00']);
  expect(e.attentes.map(clock)).toEqual(['06:20:00-06:21:00', '07:12:00-07:15:00']);
  expect(e.effectif.map(clock)).toEqual(['06:12:00-06:20:00', '06:21:00-07:00:00', '07:15:00-07:30:00']);
  expect(e.totaux_secondes).toEqual({ fenetre: 4680, arrets: 720, attentes: 240, effectif: 3720 });
  expect(e.periodes_attente).toMatchObject([
    { duree_secondes: 60, compte_secondes: 60, pourquoi: null },
    {
      ...{ duree_secondes: 600, compte_secondes: 180, dans_un_arret_secondes: 420 },
      pourquoi: 'Ne comptent pas : 420 s pendant un arrêt, qui compte comme arrêt.',
    },
    { duree_secondes: 120, compte_secondes: 0, hors_fenetre_secondes: 120 },
  ]);
  expect(Object.fromEntries(e.formules.map(({ chiffre, formule }) => [chiffre, formule]))).toMatchObject({
    total_pieces: '2 lignes StukUitgevoerd',
    duree_production_totale:
      'de 2025-05-28T06:12:00+02:00 à 2025-05-28T07:30:00+02:00 : 4680 s ÷ 3600 = 1,3000 h',
    temps_production_effectif: '4680 s − 720 s − 240 s = 3720 s ; 3720 s ÷ 3600 = 1,0333 h',
    taux_occupation: '3720 s ÷ 4680 s × 100 = 79,49 %',
  });
  // 2 pieces, 1 profile, 3 waits, a stop with its two lines.
  expect(e.sources).toMatchObject([{ chemin: 'DEM12/20250528.LOG', lignes: 8 }]);
  const periods = (
    await atelier.get(`/periodes-attente/?session_id=${session!.id}&tri=timestamp_debut`)
  ).json();
  expect(e.periodes_attente.map(({ id }) => id)).toEqual(periods.map(({ id }: { id: number }) => id));
});

it('a session entered by hand is said to be so: nothing of it is calculated', async () => {
  await atelier.workshop.reset();
  await atelier.workshop.reader.query(
    `WITH c AS (INSERT INTO centre_usinage (nom) VALUES ('DEM12') RETURNING id)
     INSERT INTO session_production (id, centre_usinage_id, date_production, heure_premiere_piece,
            heure_derniere_piece, total_pieces, duree_production_totale, temps_production_effectif, taux_occupation)
     SELECT 77, id, '2025-05-28', '2025-05-28 06:00Z', '2025-05-28 16:00Z', 12, 9.5, 8, 84.21 FROM c`,
  );
  const e = await explain(77);
  expect(e).toMatchObject({ origine: 'manuel', conforme: null, totaux_secondes: null });
  expect(e.note).toContain('saisie à la main');
  expect(e.chiffres).toMatchObject({
    total_pieces: 12,
    duree_production_totale: 9.5,
    taux_occupation: 84.21,
  });
  for (const list of [e.fenetre, e.arrets, e.attentes, e.effectif, e.periodes_arret, e.formules, e.sources])
    expect(list).toEqual([]);
});

it('figures that are not those of their rows are not called conform; unknown sessions are 404; 304', async () => {
  await atelier.workshop.reset();
  await put(
    'DEM12/20250528.LOG',
    '20250528 06:00:00|@StukUitgevoerd: A\n20250528 07:00:00|@StukUitgevoerd: B\n',
  );
  await atelier.workshop.import();
  const [session] = (await atelier.get('/sessions/')).json<{ id: number }[]>();
  const url = `/sessions/${session!.id}/explication`;
  const answer = await atelier.get(url);
  expect((await atelier.get(`${url}/`)).body).toBe(answer.body);
  await atelier.get(url, { headers: { 'if-none-match': String(answer.headers['etag']) }, statut: 304 });
  await atelier.workshop.reader.query('UPDATE session_production SET temps_attente = 0.5');
  expect((await explain(session!.id)).conforme).toBe(false);
  await atelier.get('/sessions/999999/explication', { statut: 404 });
  await atelier.get('/sessions/x/explication', { statut: 422 });
});

it('S17: a session with more periods than any day has is not explained in one answer', async () => {
  await atelier.workshop.reset();
  await put(
    'DEM12/20250528.LOG',
    '20250528 06:00:00|@StukUitgevoerd: A\n20250528 07:00:00|@StukUitgevoerd: B\n',
  );
  await atelier.workshop.import();
  const [session] = (await atelier.get('/sessions/')).json<{ id: number }[]>();
  const url = `/sessions/${session!.id}/explication`;
  const add = async (from: number, to: number): Promise<void> => {
    await atelier.workshop.reader.query(
      `INSERT INTO periode_attente (session_id, centre_usinage_id, numero, timestamp_debut, timestamp_fin, duree_secondes)
       SELECT s.id, s.centre_usinage_id, n, t, t + interval '0.1 s', 0.1
         FROM session_production s, generate_series($1::int, $2::int) n,
              LATERAL (SELECT s.heure_premiere_piece + n * interval '0.3 s' AS t) p`,
      [from, to],
    );
  };
  await add(1, MAX_PERIODES);
  const largest = await explain(session!.id);
  expect(largest.periodes_attente.length).toBe(MAX_PERIODES);
  expect(largest.totaux_secondes!.attentes).toBe(MAX_PERIODES / 10);
  await add(MAX_PERIODES + 1, MAX_PERIODES + 1);
  const refused = await atelier.get(url, { statut: 422 });
  expect(refused.json().detail).toContain(`session_id=${session!.id}`);
});
