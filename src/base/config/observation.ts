import type { Lien, Situer } from './liens.ts';
import { entier, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** Where traces go (OpenTelemetry over HTTP, OTLP). */
export interface TracesConfig {
  /** address of the collector, without `/v1/traces` */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
  /** share of traces kept that nobody asked for by name, 0 to 1 */
  readonly part: number;
}

/** What others see of the running program: metrics, log files, traces. */
export interface ObservationConfig {
  /** whoever reads /metrics must know it; undefined: the API has no /metrics */
  readonly metricsJeton: string | undefined;
  /** where the worker listens for probes; port 0: nowhere */
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** bytes from which on a log file is put aside; 0: never (something else rotates them) */
  readonly journalTaille: number;
  /** files put aside that are kept, for each log */
  readonly journalFichiers: number;
  /** undefined: no traces */
  readonly traces: TracesConfig | undefined;
  /** seconds between `503` on /health/ready and the end of new connections, at a stop */
  readonly arretPreavis: number;
}

const MAKE_TOKEN = `node -p "crypto.randomBytes(24).toString('base64url')"`;
const MEGABYTE = 1_000_000;

export const OBSERVATION_SETTINGS: readonly Setting[] = [
  {
    name: 'METRICS_JETON',
    doc: `Jeton que Prometheus présente pour lire /metrics (Authorization: Bearer …), au moins 16 caractères.\nVide : l’API n’a pas de /metrics ; celui du worker ne répond qu’à cette machine. Pour en faire un :\n  ${MAKE_TOKEN}`,
    default: '',
    secret: true,
    processes: ['api', 'worker', 'prometheus'],
  },
  {
    name: 'METRICS_HOST',
    doc: 'Worker : adresse où il répond à /health/live, /health/ready et /metrics (0.0.0.0 dans un conteneur).',
    default: '127.0.0.1',
  },
  { name: 'METRICS_PORT', doc: 'Worker : port de ces réponses ; 0 : aucun.', default: '9464' },
  {
    name: 'JOURNAL_TAILLE',
    doc: 'Taille, en Mo, à laquelle un journal de SYNC_LOGS_DIR est mis de côté (0 : jamais ; logrotate peut le faire, sans signal).',
    default: '20',
  },
  { name: 'JOURNAL_FICHIERS', doc: 'Journaux mis de côté que l’on garde, pour chacun.', default: '10' },
  {
    name: 'ARRET_PREAVIS',
    doc: 'API : à l’arrêt, secondes pendant lesquelles /health/ready dit 503 avant que le port se ferme (0 à 60 ; 5 derrière\nun répartiteur de charge, 0 sans).',
    default: '0',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    doc: 'Traces OpenTelemetry : adresse du collecteur (http://127.0.0.1:4318 ; https ailleurs que vers cette machine\net RESEAUX_PRIVES). Vide : pas de traces.',
    default: '',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    doc: 'En-têtes à lui envoyer : nom=valeur,nom=valeur.',
    default: '',
    secret: true,
    processes: ['api', 'worker'],
  },
  { name: 'OTEL_SERVICE_NAME', doc: 'Nom du service dans les traces.', default: 'atelier' },
  {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    doc: 'Part des traces gardées, de 0 à 1 (celles qu’un appelant a commencées suivent son choix).',
    default: '1',
  },
];

/** Reads these settings; adds one line to `problems` for each that is wrong. */
export function readObservation(
  text: Texte,
  problems: string[],
  situer: Situer,
  liens: Lien[],
): ObservationConfig {
  const metricsJeton = text('METRICS_JETON') || undefined;
  if (metricsJeton !== undefined && !/^[\x21-\x7e]{16,200}$/.test(metricsJeton)) {
    problems.push(
      `METRICS_JETON : attendu 16 à 200 caractères sans espace ni accent. Pour en faire un : ${MAKE_TOKEN}`,
    );
  }
  return {
    metricsJeton,
    metricsHost: text('METRICS_HOST'),
    metricsPort: entier('METRICS_PORT', text, problems, 0, 65_535),
    journalTaille: entier('JOURNAL_TAILLE', text, problems, 0, 100_000) * MEGABYTE,
    journalFichiers: entier('JOURNAL_FICHIERS', text, problems, 1, 1_000),
    traces: readTraces(text, problems, situer, liens),
    arretPreavis: entier('ARRET_PREAVIS', text, problems, 0, 60),
  };
}

function readTraces(
  text: Texte,
  problems: string[],
  situer: Situer,
  liens: Lien[],
): TracesConfig | undefined {
  const endpoint = text('OTEL_EXPORTER_OTLP_ENDPOINT');
  const headers: Record<string, string> = {};
  for (const pair of text('OTEL_EXPORTER_OTLP_HEADERS').split(',')) {
    if (pair.trim() === '') continue;
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)=(.*?)\s*$/i.exec(pair) ?? [];
    // The value may be a secret: it is never repeated.
    if (name === undefined) problems.push('OTEL_EXPORTER_OTLP_HEADERS : attendu nom=valeur,nom=valeur');
    else headers[name] = decodeValue(value!);
  }
  const part = Number(text('OTEL_TRACES_SAMPLER_ARG'));
  if (!(part >= 0 && part <= 1)) {
    problems.push(
      `OTEL_TRACES_SAMPLER_ARG : attendu un nombre de 0 à 1, reçu « ${text('OTEL_TRACES_SAMPLER_ARG')} »`,
    );
  }
  if (endpoint === '') return undefined;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    problems.push('OTEL_EXPORTER_OTLP_ENDPOINT : attendu http://hote:4318 ou https://…');
    return undefined;
  }
  const { protocol, hostname } = new URL(endpoint);
  const lieu = situer(hostname);
  const protection = protocol === 'https:' ? 'verifie' : 'clair';
  liens.push({ reglage: 'OTEL_EXPORTER_OTLP_ENDPOINT', hote: hostname, lieu, protection });
  if (protection === 'clair' && lieu === 'ailleurs')
    problems.push(
      'OTEL_EXPORTER_OTLP_ENDPOINT : http n’est permis que vers cette machine et RESEAUX_PRIVES ; mettez https, ou nommez le collecteur dans RESEAUX_PRIVES',
    );
  return { endpoint: endpoint.replace(/\/+$/, ''), headers, service: text('OTEL_SERVICE_NAME'), part };
}

/** OpenTelemetry writes these values as in an address. */
function decodeValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
