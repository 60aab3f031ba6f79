// A worker that lives through days as fast as they can be had: machines write, it follows, at night it imports, purges
// and looks at its alerts. Its argument is JSON, see `Ordre`; a line of JSON for each day tells how large everything is.
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../src/base/logger.ts';
import { surveiller } from '../../src/jobs/alertes.ts';
import { purger } from '../../src/jobs/purge.ts';
import { TACHES } from '../../src/jobs/taches/registre.ts';
import type { Tache } from '../../src/jobs/taches/tache.ts';
import { executerWorker } from '../../src/jobs/worker.ts';
import { createWorkerPool, withClient } from '../../src/postgres/pool.ts';
import { demander } from '../../src/postgres/taches/demandes.ts';
import { etatTravail } from '../../src/postgres/taches/file-taches.ts';
import { makeContext } from '../../test/harness/context.ts';
import { dayLines, randomFrom } from '../../test/harness/tree.ts';
import { Vieillisseur } from '../../test/harness/vieillir.ts';

export interface Ordre {
  readonly url: string;
  readonly logs: string;
  readonly archives: string;
  readonly jours: number;
  /** lines of a centre and day */
  readonly lignes: number;
}

/** Sizes at the end of a day, bytes. */
export interface Releve {
  readonly jour: number;
  /** resident size of the worker */
  readonly rss: number;
  /** what is alive in its heap, after a collection */
  readonly tas: number;
  readonly base: number;
  /** rows that are gone and not cleared away yet, as a share of all */
  readonly mortes: number;
}

const CENTRES = ['DEM12', 'DEMALU', 'SU12'];
/** Long past: nothing that is noted by today's clock lies in it. */
const DEPART = Temporal.PlainDate.from('2021-01-04');
/** Times a day that the machines' files grow, and days that they stay on the share. */
const FOIS = 3;
const DEPOT = 10;

const ordre = JSON.parse(process.argv[2]!) as Ordre;
const random = randomFrom(1);
const base = makeContext({
  ...ordre,
  settings: {
    CONSERVATION_DETAILS: '1 mois',
    CONSERVATION_ARCHIVES: '1 mois',
    CONSERVATION_QUARANTAINE: '30 j',
    CONSERVATION_SESSIONS: '6 mois',
    CONSERVATION_EXECUTIONS: '30 j',
    CONSERVATION_ALERTES: '30 j',
  },
});
await base.pool.end();
const logger = silentLogger();
const pool = createWorkerPool(ordre.url, { logger, max: 8 });
let maintenant = 0;
const purge: Tache = {
  nom: 'purge',
  async executer(ctx) {
    const { etat, categories } = await purger(ctx, { maintenant });
    return { etat, compteurs: Object.fromEntries(categories.map((c) => [c.categorie, c.lignes])) };
  },
};
const working = executerWorker(
  { ...base, logger, pool, url: ordre.url, journalDe: () => logger },
  {
    suivi: true,
    planification: false,
    registre: [...TACHES.filter(({ nom }) => nom === 'ingest'), purge],
    cadences: { interrogation: 0.5 },
    veille: () => surveiller({ config: base.config, logger, pool, maintenant: () => maintenant }),
  },
);
const temps = await Vieillisseur.depuisMaintenant(pool);
let ecrits = 0;
for (let jour = 1; jour <= ordre.jours; jour++) {
  const date = DEPART.add({ days: jour - 1 });
  maintenant = date.toZonedDateTime({ timeZone: 'Europe/Paris', plainTime: '23:30' }).epochMilliseconds;
  for (let fois = 0; fois < FOIS; fois++) {
    for (const centre of CENTRES) await travailler(centre, date, fois);
    await suivi();
  }
  for (const centre of CENTRES) await rm(fichier(centre, date.subtract({ days: DEPOT })), { force: true });
  await lancer('ingest');
  await lancer('purge');
  await temps.noterA(new Date(maintenant));
  console.log(JSON.stringify(await relever(jour)));
}
base.shutdown.request('fini');
await working;
await pool.end();
await base.shutdown.close();

function fichier(centre: string, date: Temporal.PlainDate): string {
  return join(ordre.logs, centre, `${date.toString().replaceAll('-', '')}.LOG`);
}

async function travailler(centre: string, date: Temporal.PlainDate, fois: number): Promise<void> {
  const part = Math.ceil(ordre.lignes / FOIS);
  const text = dayLines(date.toString().replaceAll('-', ''), 21_600 + fois * part * 40, part, random);
  await mkdir(join(ordre.logs, centre), { recursive: true });
  await appendFile(fichier(centre, date), text);
  ecrits += Buffer.byteLength(text);
}

/** Until every byte written is known to the database, and computed. */
async function suivi(): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `SELECT (SELECT coalesce(sum(taille), 0)::float8 FROM fichier_log) AS octets,
              (SELECT count(*)::int FROM jour_a_recalculer) AS jours`,
    );
    if (rows[0].octets === ecrits && rows[0].jours === 0) return;
    await sleep(20);
  }
}

async function lancer(tache: 'ingest' | 'purge'): Promise<void> {
  const { travail } = await withClient(pool, (client) =>
    demander(client, { tache, options: {} }, base.config.planification),
  );
  for (;;) {
    const etat = await etatTravail(pool, travail);
    if (etat !== 'attend' && etat !== 'court') break;
    await sleep(50);
  }
  const { rows } = await pool.query('SELECT etat, erreur FROM execution WHERE travail = $1', [travail]);
  if (rows.at(-1)?.etat !== 'reussie') throw new Error(`${tache}: ${JSON.stringify(rows)}`);
}

async function relever(jour: number): Promise<Releve> {
  const { rows } = await pool.query(
    `SELECT pg_database_size(current_database())::float8 AS base,
            (sum(n_dead_tup) / greatest(sum(n_live_tup + n_dead_tup), 1))::float8 AS mortes
       FROM pg_stat_user_tables WHERE schemaname IN ('public', 'pgboss')`,
  );
  const { rss } = process.memoryUsage();
  globalThis.gc?.();
  return { jour, rss, tas: process.memoryUsage().heapUsed, base: rows[0].base, mortes: rows[0].mortes };
}
