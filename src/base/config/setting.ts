/**
 * What runs in an installation: the processes of atelier (`maintenance` restores and rebuilds), then what stands beside
 * them in docker-compose.yaml. By the names of its services.
 */
export type ProcessName =
  | 'api'
  | 'worker'
  | 'migrate'
  | 'maintenance'
  | 'roles'
  | 'postgres'
  | 'mysql'
  | 'prometheus'
  | 'grafana';

interface Explained {
  readonly name: string;
  /** explanation, French, one or more lines */
  readonly doc: string;
  /** shown in `.env_exemple`; empty when there is none */
  readonly default: string;
}

/** One setting as an installer meets it; `.env_exemple` is made from these. */
export type Setting = Explained &
  (
    | {
        readonly secret?: undefined;
        /** who is given it, when it is of no use without a secret that others do not get; else everybody */
        readonly processes?: readonly ProcessName[];
      }
    | {
        readonly secret: true;
        /** who needs it, and nobody else is given it (src/base/config/secrets.ts) */
        readonly processes: readonly ProcessName[];
      }
  );
