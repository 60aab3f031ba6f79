import { AsyncLocalStorage } from 'node:async_hooks';

/** What the lines of the log say of the work that they belong to (O17). */
export interface Fil {
  /** task: ingest, sync, purge, sauvegarde */
  tache?: string;
  /** its row in `execution` */
  execution?: number;
  /** trace and span of OpenTelemetry, hexadecimal, while traces are on */
  trace?: string;
  span?: string;
  /** whether the trace is kept (flags of W3C Trace Context) */
  drapeaux?: number;
}

const storage = new AsyncLocalStorage<Fil>();
const NOTHING: Fil = {};

/** What is known of the work under way here; nothing outside of any. */
export function filEnCours(): Readonly<Fil> {
  return storage.getStore() ?? NOTHING;
}

/** Runs `work` as a part of what is under way, with something more known of it. */
export function dansFil<T>(more: Fil, work: () => T): T {
  return storage.run({ ...filEnCours(), ...more }, work);
}

/** Notes the run of the task under way; outside of any task nothing happens. */
export function noterExecution(id: number): void {
  const fil = storage.getStore();
  if (fil?.tache !== undefined) fil.execution = id;
}
