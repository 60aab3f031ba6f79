import { Gauge, Registry } from 'prom-client';
import type { RegistreLisible } from '../base/metrics.ts';
import { type Mesures, mesurer } from './mesures.ts';
import type { Pool } from './pool.ts';

/** How long measures are good for (ms): however many ask, the database is asked no more often. */
const FRAICHEUR = 5_000;
/** How long the database may take (ms): Prometheus gives up after ten seconds. */
const DELAI = 4_000;

/** Labels and value of one sample. */
type Releve = readonly [labels: Readonly<Record<string, string>>, value: number | null];

/** Metrics that are read from the database: the same in every process. */
const ETAT: readonly {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly releves: (m: Mesures) => readonly Releve[];
}[] = [
  {
    name: 'atelier_quarantine_lines',
    help: 'Lignes en quarantaine, par centre',
    labels: ['centre'],
    releves: (m) => m.centres.map(({ nom, rejets }) => [{ centre: nom }, rejets]),
  },
  {
    name: 'atelier_pending_days',
    help: 'Journées de production dont les chiffres restent à recalculer',
    labels: ['centre'],
    releves: (m) => m.centres.map(({ nom, jours }) => [{ centre: nom }, jours]),
  },
  {
    name: 'atelier_centre_last_line_timestamp_seconds',
    help: 'Instant de la dernière ligne de journal du centre',
    labels: ['centre'],
    releves: (m) => m.centres.map(({ nom, derniere_ligne }) => [{ centre: nom }, derniere_ligne]),
  },
  {
    name: 'atelier_sync_last_success_timestamp_seconds',
    help: 'Fin de la dernière synchronisation réussie',
    labels: ['source'],
    releves: (m) =>
      m.taches
        .filter(({ tache }) => tache === 'sync')
        .map(({ derniere_reussite }) => [{ source: 'erp' }, derniere_reussite]),
  },
  {
    name: 'atelier_sync_rows',
    help: 'Commandes venues de l’ERP',
    labels: [],
    releves: (m) => [[{}, m.commandes]],
  },
  {
    name: 'atelier_job_last_success_timestamp_seconds',
    help: 'Fin du dernier passage réussi de la tâche (ou partiel : allé à son terme)',
    labels: ['job'],
    releves: (m) => m.taches.map(({ tache, derniere_reussite }) => [{ job: tache }, derniere_reussite]),
  },
  {
    name: 'atelier_job_last_failure_timestamp_seconds',
    help: 'Fin du dernier passage échoué de la tâche',
    labels: ['job'],
    releves: (m) => m.taches.map(({ tache, dernier_echec }) => [{ job: tache }, dernier_echec]),
  },
  {
    name: 'atelier_queue_jobs',
    help: 'Tâches dans la file, par état',
    labels: ['queue', 'state'],
    releves: (m) => m.file.map(({ file, etat, nombre }) => [{ queue: file, state: etat }, nombre]),
  },
  {
    name: 'atelier_alerts',
    help: 'Alertes ouvertes, par règle',
    labels: ['rule'],
    releves: (m) => m.alertes.map(({ regle, nombre }) => [{ rule: regle }, nombre]),
  },
];

/**
 * A registry whose gauges are read from the database when somebody asks, at most every five seconds. A database that is
 * away leaves them out, and `atelier_database_up` says so.
 */
export function registreEtat(pool: Pool): RegistreLisible {
  const registre = new Registry();
  const read = derniereMesure(pool);
  for (const { name, help, labels, releves } of ETAT) {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registre],
      async collect() {
        const mesures = await read();
        this.reset();
        // A gauge without labels shows a zero after a reset: what is not known is not zero.
        if (!mesures) return void this.remove({});
        for (const [own, value] of releves(mesures)) if (value !== null) this.set({ ...own }, value);
      },
    });
  }
  new Gauge({
    name: 'atelier_database_up',
    help: '1 si la base a répondu à cette lecture, sinon 0',
    registers: [registre],
    async collect() {
      this.set((await read()) ? 1 : 0);
    },
  });
  return registre;
}

/** Reads measures, or gives the last ones when they are fresh; undefined when the database does not answer in time. */
function derniereMesure(pool: Pool): () => Promise<Mesures | undefined> {
  let last: Promise<Mesures | undefined> | undefined;
  let until = Number.NEGATIVE_INFINITY;
  let running: Promise<unknown> | undefined;
  return () => {
    const now = performance.now();
    if (last && now < until) return last;
    until = now + FRAICHEUR;
    // One that hangs is not joined by others: they would take the pool's connections one by one.
    if (running) {
      last = Promise.resolve(undefined);
      return last;
    }
    const asked = mesurer(pool).catch(() => undefined);
    running = asked.finally(() => {
      running = undefined;
    });
    last = Promise.race([asked, after(DELAI)]);
    return last;
  };
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}

/** Names of all metrics that are read from the database. */
export const METRIQUES_ETAT: readonly string[] = [...ETAT.map(({ name }) => name), 'atelier_database_up'];
