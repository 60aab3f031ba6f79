// R10: a purge killed with -9 at any step loses nothing, erases nothing twice, counts exactly; the next one goes on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Effacements } from '../../src/archives/effacements.ts';
import type { EtapePurge } from '../../src/jobs/purge/contexte.ts';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { lost, purgeAt } from '../harness/purge.ts';
import { writeTree } from '../harness/tree.ts';
import type { OrdrePurge } from './purge-child.ts';

const SCRIPT = fileURLToPath(new URL('./purge-child.ts', import.meta.url));
const AT = '2027-05-05T12:00:00+02:00';
const SETTINGS = { CONSERVATION_QUARANTAINE: '24 mois', CONSERVATION_EXECUTIONS: '60 mois' };

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterAll(() => workshop.close());

/** Purges in a process of its own. @returns the signal by which it ended */
async function killed(etape: EtapePurge, nth: number): Promise<NodeJS.Signals | null> {
  const order: OrdrePurge = {
    ...{ url: workshop.url, logs: workshop.logs, archives: workshop.archives },
    ...{ settings: SETTINGS, maintenant: Date.parse(AT), etape, nth },
  };
  const env = { ...process.env, NODE_COMPILE_CACHE: CACHE_COMPILATION };
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(order)], { env, stdio: 'inherit' });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return signal;
}

const counted = async (): Promise<Record<string, number>> => {
  const { rows } = await workshop.reader.query<{ categorie: string; n: number }>(
    'SELECT categorie, sum(lignes)::int AS n FROM purge GROUP BY 1 HAVING sum(lignes) > 0',
  );
  return Object.fromEntries(rows.map(({ categorie, n }) => [categorie, n]));
};

/** All but the proofs of purges and the instants at which days were frozen. */
const rest = async (): Promise<unknown> => [
  await workshop.state(),
  (
    await workshop.reader.query(
      `SELECT c.nom, g.jour, g.details_purges_le IS NOT NULL AS d, g.archives_purgees_le IS NOT NULL AS a,
              g.quarantaine_purgee_le IS NOT NULL AS q
         FROM jour_gele g JOIN centre_usinage c ON c.id = g.centre_usinage_id ORDER BY 1, 2`,
    )
  ).rows,
];

describe('R10: kill -9', () => {
  it.each([
    ['apres_journal', 1],
    ['apres_journal', 6],
    ['avant_validation', 2],
    ['avant_validation', 7],
    ['apres_lot', 3],
    ['avant_effacement', 1],
  ] as const)('%s, time %i', async (etape, nth) => {
    await writeTree(workshop.logs, 6, 40);
    await workshop.import();
    const dry = lost(await purgeAt(workshop, AT, SETTINGS, { aBlanc: true }));
    expect(await killed(etape, nth)).toBe('SIGKILL');
    // The server lets go of a dead client's lock when it sees that the line is cut: at once, but not before.
    const after = async (): Promise<string> => (await purgeAt(workshop, AT, SETTINGS)).etat;
    await expect.poll(after, { timeout: 30_000, interval: 50 }).not.toBe('ignoree');
    await workshop.checkInvariants();
    expect(await counted()).toEqual(dry);
    // Nothing went that the journal outside of the database does not tell of.
    const journal = await new Effacements(workshop.archives).lire();
    const days = new Set(
      journal.flatMap((e) => (e.genre === 'jours' && e.part === 'details' ? e.jours : [])),
    );
    expect([...days].sort()).toEqual(['2025-05-01', '2025-05-02', '2025-05-03', '2025-05-04']);
    const once = await rest();
    expect(lost(await purgeAt(workshop, AT, SETTINGS))).toEqual({});
    expect(await rest()).toEqual(once);
    // An import after all this finds nothing to do.
    const counts = await workshop.import();
    expect(counts.sessionsModifiees + counts.sessionsCreees + counts.sessionsSupprimees).toBe(0);
    expect(await rest()).toEqual(once);
  });
});
