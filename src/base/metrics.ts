import { performance } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import paquet from '../../package.json' with { type: 'json' };

/**
 * What this process counts, for Prometheus. Counters begin at zero with each process; what is true of the installation
 * as a whole (last line, queue, last success) is read from the database by `src/postgres/mesures.ts` instead, so that
 * any process tells it. `docs/observabilite.md` says what each metric means and what to do about it.
 *
 * Labels are bounded: centres come from the database, routes from the program, reasons from lists in the code.
 */
export const registre = new Registry();

/** Anything that can be rendered for Prometheus. */
export interface RegistreLisible {
  readonly contentType: string;
  metrics(): Promise<string>;
}

const registers = [registre];

/** Lines of files registered by this process; `outcome`: evenement, autre, rejetee, ignoree. */
export const lignesImportees = new Counter({
  name: 'atelier_ingest_lines_total',
  help: 'Lignes des journaux enregistrées par ce processus',
  labelNames: ['centre', 'outcome'] as const,
  registers,
});

/** Bytes read from the source, those of known contents included. */
export const octetsImportes = new Counter({
  name: 'atelier_ingest_bytes_total',
  help: 'Octets lus des journaux par ce processus',
  registers,
});

/** Seconds between a change noticed by a scan and its figures in PostgreSQL, of the newest batch of a centre. */
export const retardImport = new Gauge({
  name: 'atelier_ingest_lag_seconds',
  help: 'Secondes entre la découverte d’un changement et ses chiffres dans PostgreSQL, dernier lot du centre',
  labelNames: ['centre'] as const,
  registers,
});

/** Synchronisations that ended without replacing the orders; `reason` is an error code of `docs/erreurs.md`. */
export const synchronisationsRefusees = new Counter({
  name: 'atelier_sync_refused_total',
  help: 'Synchronisations refusées ou échouées dans ce processus : la liste est restée telle quelle',
  labelNames: ['reason'] as const,
  registers,
});

/** How long tasks take; `outcome`: reussie, partielle, ignoree, echouee. */
export const dureeTaches = new Histogram({
  name: 'atelier_job_duration_seconds',
  help: 'Durée des tâches exécutées par ce processus',
  labelNames: ['job', 'outcome'] as const,
  buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
  registers,
});

/** Requests refused for want of a good credential, and sign-ins that failed. */
export const refusAuthentification = new Counter({
  name: 'atelier_auth_failures_total',
  help: 'Connexions et requêtes refusées faute de jeton, de clé ou de mot de passe valable',
  labelNames: ['reason'] as const,
  registers,
});

/** Rows erased by purges of this process; `category` is a kind of the retention table. */
export const lignesPurgees = new Counter({
  name: 'atelier_purge_rows_total',
  help: 'Lignes effacées par les purges de ce processus',
  labelNames: ['category'] as const,
  registers,
});

/** Requests of the API (OpenTelemetry: http.server.request.duration). */
export const dureeRequetes = new Histogram({
  name: 'http_server_request_duration_seconds',
  help: 'Durée des requêtes de l’API',
  labelNames: ['http_request_method', 'http_route', 'http_response_status_code'] as const,
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  registers,
});

/** Connections of this process to PostgreSQL; `state`: active, idle, waiting (requests that wait for one). */
export const clientsPostgres = new Gauge({
  name: 'atelier_db_pool_clients',
  help: 'Connexions de ce processus à PostgreSQL, par état',
  labelNames: ['state'] as const,
  registers,
  collect() {
    let [active, idle, waiting] = [0, 0, 0];
    for (const pool of reserves) {
      active += pool.totalCount - pool.idleCount;
      idle += pool.idleCount;
      waiting += pool.waitingCount;
    }
    this.set({ state: 'active' }, active);
    this.set({ state: 'idle' }, idle);
    this.set({ state: 'waiting' }, waiting);
  },
});

/** Reads that the main database answered although there is a replica; `reason`: a state of it, ecriture, echec. */
export const replisReplica = new Counter({
  name: 'atelier_replica_fallbacks_total',
  help: 'Lectures faites sur la base principale alors qu’un réplica est réglé, par raison',
  labelNames: ['reason'] as const,
  registers,
});

const etatReplica = new Gauge({
  name: 'atelier_replica_up',
  help: '1 si listes et exports sont lus sur le réplica, sinon 0 ; l’étiquette dit pourquoi',
  labelNames: ['state'] as const,
  registers,
});
const retardReplica = new Gauge({
  name: 'atelier_replica_lag_seconds',
  help: 'Âge de ce que le réplica montre',
  registers,
});
const octetsReplica = new Gauge({
  name: 'atelier_replica_lag_bytes',
  help: 'Octets du journal de PostgreSQL que le réplica n’a pas encore rejoués',
  registers,
});

/** What was last seen of the replica (seconds, bytes); undefined: there is none, and nothing is told. */
export function mesurerReplica(
  vu: { readonly etat: string; readonly retard: number; readonly octets: number } | undefined,
): void {
  etatReplica.reset();
  if (vu) etatReplica.set({ state: vu.etat }, vu.etat === 'lu' ? 1 : 0);
  for (const gauge of [retardReplica, octetsReplica]) gauge.remove({});
  // How far a server is behind that cannot be asked is not known.
  if (vu?.etat !== 'lu' && vu?.etat !== 'en_retard') return;
  retardReplica.set(vu.retard);
  octetsReplica.set(vu.octets);
}
mesurerReplica(undefined);

/** Always 1; the version is in its labels. */
export const versionProgramme = new Gauge({
  name: 'atelier_build_info',
  help: 'Version d’atelier et de Node',
  labelNames: ['version', 'node'] as const,
  registers,
});
versionProgramme.set({ version: paquet.version, node: process.version }, 1);

/** What is counted of a pool of connections. */
export interface Reserve {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

const reserves = new Set<Reserve>();

/** Counts the connections of a pool from now on; the function returned ends that. */
export function suivreReserve(pool: Reserve): () => void {
  reserves.add(pool);
  return () => void reserves.delete(pool);
}

let started = false;

/** Adds what Node tells of the process (CPU, memory, event loop: O20); once is enough. */
export function mesurerProcessus(): void {
  if (started) return;
  started = true;
  collectDefaultMetrics({ register: registre });
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Part du temps où la boucle d’événements travaillait, depuis la lecture précédente',
    registers,
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}

/** Several registries as one page. */
export function assembler(...registries: readonly RegistreLisible[]): RegistreLisible {
  return {
    contentType: registre.contentType,
    metrics: async () =>
      (await Promise.all(registries.map((each) => each.metrics())))
        .map((text) => text.trimEnd())
        .filter((text) => text !== '')
        .join('\n\n')
        .concat('\n'),
  };
}
