// R10, R11 model-based: files come, grow, are sent again and rewritten, and purges run between at any clock.
// Days that nothing was purged of are those of the reference over all bytes ever received; the others are what they were
// when they were frozen.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { realImports, recorded } from '../harness/programs.ts';
import { assertProperty, SEED, setting } from '../harness/property.ts';
import { purgeAt } from '../harness/purge.ts';
import { type Action, Model, programArbitrary } from '../reference/programs.ts';
import { type ReferenceState, reference, type SeenVersion, sha256Of } from '../reference/reference.ts';

const PROGRAMS = setting('ATELIER_PROGRAMMES_PURGE', 60);
const LANES = 2;
const ZONE = { fuseau: 'Europe/Paris', journeeDebut: '00:00' };

/** Cut-offs two years later fall between the days of the vocabulary (30 March, 28 and 29 May, 26 October 2025). */
const CLOCKS = ['2027-03-31', '2027-05-29', '2027-05-30', '2027-10-27', '2028-05-29', '2028-10-27'].map(
  (date) => `${date}T12:00:00Z`,
);
const period = fc.constantFrom('24 mois', '36 mois');
const periods = fc.record({
  CONSERVATION_DETAILS: period,
  CONSERVATION_ARCHIVES: period,
  CONSERVATION_QUARANTAINE: period,
  CONSERVATION_SESSIONS: fc.constantFrom('jamais', 'jamais', '36 mois'),
});
type Periods = { [K in 'DETAILS' | 'ARCHIVES' | 'QUARANTAINE' | 'SESSIONS' as `CONSERVATION_${K}`]: string };

/** What is done after which action of the program: an import that sees everything, and a purge. */
const purges = fc.array(fc.record({ apres: fc.nat(12), clock: fc.nat(CLOCKS.length - 1) }), {
  minLength: 1,
  maxLength: 3,
});

/** First instant at which a day may go; reckoned by dates alone. */
function limit(day: string, conservation: string): number {
  if (conservation === 'jamais') return Number.POSITIVE_INFINITY;
  const end = Temporal.PlainDate.from(day)
    .add({ days: 1, months: Number.parseInt(conservation, 10) })
    .toZonedDateTime('Europe/Paris');
  return end.epochMilliseconds;
}

type Session = ReferenceState['sessions'][number];
const keyOf = (s: { centre: string; date_production: string }): string => `${s.centre} ${s.date_production}`;
const bare = (s: Session): Session => ({
  ...s,
  job_profils: [],
  periodes_attente: [],
  periodes_arret: [],
  pieces: [],
});

let lanes: Workshop[];
beforeAll(async () => {
  lanes = await Promise.all(Array.from({ length: LANES }, () => createWorkshop()));
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
});

/** Frozen days and what is left of them; undefined: nothing. */
class Ice {
  readonly days = new Map<string, Session | undefined>();
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /** What must be there now, of days frozen and not. */
  expected(versions: SeenVersion[]): Session[] {
    const alive = reference({ versions, ...ZONE }).sessions.filter((s) => !this.days.has(keyOf(s)));
    const kept = [...this.days.values()].filter((s) => s !== undefined);
    return [...alive, ...kept].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /**
   * Sessions with frozen rows named as they were when they were frozen: a version that goes on keeps its rows, and they say
   * then that they come from the longer bytes, whose first lines are the same.
   */
  named(sessions: Session[], versions: SeenVersion[]): Session[] {
    const bytes = new Map(versions.map(({ octets }) => [sha256Of(octets), Buffer.from(octets)]));
    const named = (now: unknown, then: unknown): unknown => {
      if (typeof now === 'string' && typeof then === 'string') {
        const [long, short] = [bytes.get(now), bytes.get(then)];
        return long && short && long.subarray(0, short.length).equals(short) ? then : now;
      }
      if (Array.isArray(now) && Array.isArray(then)) return now.map((item, i) => named(item, then[i]));
      if (!now || !then || typeof now !== 'object' || typeof then !== 'object') return now;
      const old = then as Record<string, unknown>;
      return Object.fromEntries(Object.entries(now).map(([key, value]) => [key, named(value, old[key])]));
    };
    return sessions.map((session) => named(session, this.days.get(keyOf(session))) as Session);
  }

  async purge(instant: string, settings: Periods): Promise<void> {
    const before = (await this.#workshop.state()).sessions;
    await purgeAt(this.#workshop, instant, settings);
    const past = (day: string, kind: keyof Periods): boolean =>
      limit(day, settings[kind]) <= Date.parse(instant);
    const { rows } = await this.#workshop.reader.query<{ key: string; jour: string; archives: boolean }>(
      `SELECT c.nom || ' ' || g.jour AS key, g.jour::text AS jour, g.archives_purgees_le IS NOT NULL AS archives
         FROM jour_gele g JOIN centre_usinage c ON c.id = g.centre_usinage_id`,
    );
    const frozen = new Map(rows.map((row) => [row.key, row]));
    for (const session of before) {
      const { date_production: day } = session;
      const key = keyOf(session);
      if (past(day, 'CONSERVATION_SESSIONS')) this.days.set(key, undefined);
      else if (past(day, 'CONSERVATION_DETAILS')) this.days.set(key, bare(session));
      // Which bytes went depends on which files they are in; that nothing went too early is asserted here.
      else if (frozen.get(key)?.archives) this.days.set(key, session);
    }
    for (const { key, jour, archives } of rows) {
      if (!archives || this.days.has(key)) continue;
      // Of bytes that were replaced, or that gave no session.
      this.days.set(key, undefined);
      expect(past(jour, 'CONSERVATION_ARCHIVES') || past(jour, 'CONSERVATION_DETAILS')).toBe(true);
    }
  }
}

/** Only what belongs to days goes here. */
it(
  'R10, R11, L1, L2, L5-L7: frozen days are as they were frozen, all others those of the reference',
  async () => {
    await Promise.all(
      lanes.map((workshop, lane) =>
        assertProperty(
          `purges ${lane + 1}/${LANES}`,
          fc.asyncProperty(programArbitrary(), periods, purges, async (program, settings, plan) => {
            await workshop.reset();
            await run(workshop, program, settings, plan);
          }),
          { numRuns: Math.ceil(PROGRAMS / LANES), seed: (SEED + lane) % 0x7fffffff },
        ),
      ),
    );
  },
  Math.max(300_000, PROGRAMS * 1_500),
);

async function run(
  workshop: Workshop,
  program: Action[],
  settings: Periods,
  plan: { apres: number; clock: number }[],
): Promise<void> {
  const imports = realImports(workshop, { signatures: false });
  const model = new Model();
  const ice = new Ice(workshop);
  const check = async (): Promise<void> => {
    const versions = [...model.seen, ...(await recorded(workshop.reader, model.uncertain))];
    const { sessions } = await workshop.state();
    expect(ice.named(sessions, versions)).toEqual(ice.expected(versions));
    await workshop.checkInvariants();
  };
  const clocks = plan.map(({ clock }) => clock).sort((a, b) => a - b);
  const places = plan.map(({ apres }) => Math.min(apres, program.length - 1));
  for (const [i, action] of program.entries()) {
    await model.applyToDisk(action, workshop.logs, imports);
    for (const _ of places.filter((place) => place === i)) {
      // What a killed import left is taken up first: the reference knows no half-done days.
      await model.applyToDisk({ type: 'import' }, workshop.logs, imports);
      await check();
      await ice.purge(CLOCKS[clocks.shift()!]!, settings);
      await check();
    }
  }
  await check();
  // And once more with all that is still there: nothing moves.
  await model.applyToDisk({ type: 'importTwice' }, workshop.logs, imports);
  await check();
}
