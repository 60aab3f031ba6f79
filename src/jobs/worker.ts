import type { PgBoss } from 'pg-boss';
import type { NomTache } from '../base/config/planification.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { Shutdown } from '../base/shutdown.ts';
import { requireSchema } from '../postgres/migrate.ts';
import { isRefused, isServerAway, withClient } from '../postgres/pool.ts';
import { ABANDONS } from '../postgres/taches/file-schema.ts';
import {
  CADENCES,
  type Cadences,
  creerFile,
  type DonneesTravail,
  rendreTravail,
  type Travail,
} from '../postgres/taches/file-taches.ts';
import { fermerInterrompues } from '../postgres/taches/interruptions.ts';
import { mener } from '../postgres/taches/meneur.ts';
import { noterAbandon } from '../postgres/taches/passages.ts';
import { aborted, each, rest } from './boucles.ts';
import { follow } from './ingest.ts';
import { executerTravail, type PassageContext } from './passage.ts';
import { planifier } from './planificateur.ts';
import { TACHES } from './taches/registre.ts';
import type { Tache } from './taches/tache.ts';

export interface WorkerContext extends PassageContext {
  readonly url: string;
  /** of the whole worker: its signal asks for a graceful stop */
  readonly shutdown: Shutdown;
}

export interface OptionsWorker {
  /** follow the LOG folders */
  readonly suivi: boolean;
  /** look for ticks that are due */
  readonly planification: boolean;
  /** tasks that this worker takes from the queue; undefined: all that it can run */
  readonly taches?: readonly NomTache[] | undefined;
  /** one look at the alert rules, every half minute */
  readonly veille?: (() => Promise<void>) | undefined;
  /** called once everything runs */
  readonly pret?: (() => void) | undefined;
  /** for tests: other tasks, quicker looks, a clock on which days pass in seconds */
  readonly registre?: readonly Tache[] | undefined;
  readonly cadences?:
    | Partial<Cadences & { readonly planification: number; readonly menage: number }>
    | undefined;
  readonly horloge?: ((base: number) => number) | undefined;
}

/** Milliseconds between two looks. */
const PLANIFICATION = 5_000;
const VEILLE = 30_000;
const MENAGE = 15_000;
/** Waits in ms after the first, second, … failure in a row to begin. */
const RECUL = [1_000, 2_000, 5_000, 10_000];

/**
 * The worker: takes tasks from the queue, puts those that are due in, follows the LOG folders, watches. Runs until its
 * shutdown is requested, whatever becomes of PostgreSQL in the meantime; returns when what ran has finished or was
 * handed back.
 *
 * @throws AtelierError ATL_D302 when the database is newer than this program
 */
export async function executerWorker(ctx: WorkerContext, options: OptionsWorker): Promise<void> {
  const { signal } = ctx.shutdown;
  if (!(await attendreBase(ctx))) return;
  const taches = tachesDIci(ctx, options);
  const loops: Promise<void>[] = [];
  const file = new File(ctx, taches, options);
  try {
    if (!(await file.ouvrir())) return;
    const { boss } = file;
    loops.push(
      each(signal, options.cadences?.menage ?? MENAGE, ctx.logger, 'ménage des passages interrompus', () =>
        menage(ctx),
      ),
    );
    // On every worker: each sees the disks of its own machine, and looking at the same thing twice is harmless.
    if (options.veille) loops.push(each(signal, VEILLE, ctx.logger, 'surveillance', options.veille));
    if (options.planification) loops.push(planification(ctx, options, boss));
    if (options.suivi) {
      loops.push(mener({ ...ctx, signal, exercer: (own) => suivre(ctx, own) }));
    }
    ctx.logger.info(
      { taches: taches.map(({ nom }) => nom), suivi: options.suivi, planification: options.planification },
      'worker prêt',
    );
    options.pret?.();
    await aborted(signal);
    ctx.logger.info({ enCours: file.enCours }, 'arrêt demandé');
  } finally {
    await file.fermer();
    await Promise.all(loops);
  }
}

/** Tasks that this worker can run; says which it cannot. */
function tachesDIci(ctx: WorkerContext, options: OptionsWorker): Tache[] {
  return (options.registre ?? TACHES).filter((tache) => {
    if (options.taches && !options.taches.includes(tache.nom)) return false;
    const manque = tache.manque?.(ctx.config);
    if (manque !== undefined) ctx.logger.info({ tache: tache.nom, manque }, 'tâche laissée de côté');
    return manque === undefined;
  });
}

/**
 * Waits until the database is there with a schema that this program knows: at start-up, servers, databases and
 * migrations come in any order.
 *
 * @returns false when a stop was asked for first
 */
async function attendreBase(ctx: WorkerContext): Promise<boolean> {
  return await jusqua(ctx, 'attente de PostgreSQL', async () => {
    await withClient(ctx.pool, (client) => requireSchema(client));
    await menage(ctx);
  });
}

/** Tries until it succeeds or a stop is asked for (false). What waiting cannot mend is thrown. */
async function jusqua(ctx: WorkerContext, quoi: string, essayer: () => Promise<void>): Promise<boolean> {
  const { signal } = ctx.shutdown;
  let last = '';
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await essayer();
      return true;
    } catch (error) {
      const waits =
        isServerAway(error) ||
        (error instanceof AtelierError && (error.code === 'ATL_D303' || error.code === 'ATL_T701'));
      // A wrong password may be met only now, the server having come later than we.
      if (!waits || isRefused(error)) throw error;
      const erreur = messageOf(error);
      if (erreur !== last) ctx.logger.warn({ erreur }, quoi);
      last = erreur;
      await rest(RECUL[Math.min(failures, RECUL.length - 1)]!, signal);
    }
  }
  return false;
}

/** The queue's side: takes jobs, and at the end waits for them or hands them back. */
class File {
  readonly boss: PgBoss;
  readonly #ctx: WorkerContext;
  readonly #taches: readonly Tache[];
  readonly #interrogation: number;
  readonly #running = new Set<Promise<void>>();
  readonly #rendre = new AbortController();

  constructor(ctx: WorkerContext, taches: readonly Tache[], options: OptionsWorker) {
    const cadences = { ...CADENCES, ...options.cadences };
    this.#ctx = ctx;
    this.#taches = taches;
    this.#interrogation = cadences.interrogation;
    this.boss = creerFile({ url: ctx.url, logger: ctx.logger, cadences });
  }

  get enCours(): number {
    return this.#running.size;
  }

  async ouvrir(): Promise<boolean> {
    const opened = await jusqua(this.#ctx, 'attente de la file de tâches', async () => {
      await this.boss.start().catch((cause: unknown) => {
        throw new AtelierError('ATL_T701', `File de tâches : ${messageOf(cause)}`, { cause });
      });
    });
    if (!opened) return false;
    const common = { includeMetadata: true, pollingIntervalSeconds: this.#interrogation } as const;
    for (const tache of this.#taches) {
      await this.boss.work<DonneesTravail, void, typeof common>(tache.nom, common, ([travail]) =>
        this.#suivi(this.#executer(tache, travail as Travail)),
      );
    }
    await this.boss.work<DonneesTravail, void, typeof common>(ABANDONS, common, ([travail]) =>
      this.#suivi(abandonner(this.#ctx, travail as Travail)),
    );
    return true;
  }

  async #executer(tache: Tache, travail: Travail): Promise<void> {
    if (this.#ctx.shutdown.signal.aborted) {
      // It was being fetched when the stop came.
      await rendreTravail(this.#ctx.pool, travail);
      throw new AtelierError('ATL_T704', 'Le worker s’arrête.');
    }
    await executerTravail(this.#ctx, tache, travail, this.#rendre.signal);
  }

  async #suivi(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    try {
      await work;
    } finally {
      this.#running.delete(work);
    }
  }

  /** No new job; those that run get their time, then are handed back. */
  async fermer(): Promise<void> {
    const names = [...this.#taches.map(({ nom }) => nom), ABANDONS];
    await Promise.all(names.map((name) => this.boss.offWork(name, { wait: false }).catch(() => undefined)));
    const delay = this.#ctx.config.planification.delaiArret * 1000;
    const timer = setTimeout(() => this.#rendre.abort(), delay);
    // A job that was being fetched when we said stop comes in a moment later.
    do await Promise.allSettled(this.#running);
    while (this.#running.size > 0);
    clearTimeout(timer);
    await this.boss.stop({ graceful: true, timeout: 5_000 }).catch(() => undefined);
  }
}

/** The last thing that is done for a job that failed every time: it is said aloud. */
async function abandonner(ctx: WorkerContext, travail: Travail): Promise<void> {
  const { tache, echeance } = travail.data;
  const essais = travail.sourceRetryCount === null ? undefined : travail.sourceRetryCount + 1;
  if (travail.sourceId) {
    await noterAbandon(ctx.pool, travail.sourceId, 'interrompue au dernier essai : le worker a disparu');
  }
  ctx.logger.error(
    { code: 'ATL_T705', tache, echeance, essais, travail: travail.sourceId },
    'tâche abandonnée',
  );
}

async function planification(ctx: WorkerContext, options: OptionsWorker, boss: PgBoss): Promise<void> {
  const possibles = (options.registre ?? TACHES)
    .filter((tache) => tache.manque?.(ctx.config) === undefined)
    .map(({ nom }) => nom);
  const { horloge } = options;
  const silence = options.cadences?.silence;
  await each(
    ctx.shutdown.signal,
    options.cadences?.planification ?? PLANIFICATION,
    ctx.logger,
    'planification',
    () => planifier({ ...ctx, boss, possibles, horloge, silence, regles: ctx.config.planification }),
  );
}

async function menage(ctx: WorkerContext): Promise<void> {
  for (const { id, tache } of await withClient(ctx.pool, fermerInterrompues)) {
    ctx.logger.error({ execution: id, tache }, 'passage interrompu : son processus a disparu');
  }
}

async function suivre(ctx: WorkerContext, signal: AbortSignal): Promise<void> {
  const shutdown = new Shutdown();
  signal.addEventListener('abort', () => shutdown.request('suivi arrêté'), { once: true });
  if (signal.aborted) return;
  const { journalDe: _, ...own } = ctx;
  const logger = journalDuSuivi(ctx);
  logger.info({ source: ctx.source.description }, 'suivi commencé');
  await follow({ ...own, logger, shutdown });
}

/** Following writes where imports do. */
function journalDuSuivi(ctx: WorkerContext): Logger {
  const tache = TACHES.find(({ nom }) => nom === 'ingest');
  return tache ? ctx.journalDe(tache) : ctx.logger;
}
