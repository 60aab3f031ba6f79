import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AtelierError, messageOf } from './errors.ts';
import { isOurName, parseAuthority } from './hosts.ts';
import { porteJeton } from './jeton-metriques.ts';
import { mesurerProcessus, type RegistreLisible } from './metrics.ts';

export interface OptionsSonde {
  readonly host: string;
  /** 0: a free one */
  readonly port: number;
  readonly registre: RegistreLisible;
  /** whether the process can do its work now; a rejection counts as no */
  readonly pret: () => Promise<boolean>;
  /** names by which it may be asked besides its addresses (HOTES) */
  readonly hotes?: readonly string[];
  /** METRICS_JETON; without one, /metrics answers only where no other machine can ask */
  readonly jeton?: string | undefined;
}

export interface Sonde {
  readonly port: number;
  fermer(): Promise<void>;
}

/** How long an answer to /health/ready may take (ms). */
const DELAI_PRET = 3_000;
/** How long a client may take over its request (ms), and how many may be connected. */
const BORNES = { requete: 5_000, connexions: 50 } as const;

/**
 * A tiny HTTP server for processes that have no API (the worker): `/health/live`, `/health/ready`, `/metrics`.
 * It must never be what stops the process: errors of clients end with their connection.
 *
 * @throws AtelierError ATL_O851 when it cannot listen there
 */
export async function ouvrirSonde(options: OptionsSonde): Promise<Sonde> {
  mesurerProcessus();
  const server = createServer(
    { requestTimeout: BORNES.requete, headersTimeout: BORNES.requete },
    (request, response) => {
      answer(options, request, response).catch(() => response.destroy());
    },
  );
  // Whoever holds connections and asks nothing must not keep the others out: the oldest one goes.
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size > BORNES.connexions) open.values().next().value?.destroy();
  });
  server.keepAliveTimeout = BORNES.requete;
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((cause: unknown) => {
    throw new AtelierError(
      'ATL_O851',
      `METRICS_HOST et METRICS_PORT : écoute sur ${options.host}:${options.port} : ${messageOf(cause)}`,
      { cause },
    );
  });
  server.on('error', () => undefined);
  // A process that has nothing else to do may end.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    fermer: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  options: OptionsSonde,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  const path = (request.url ?? '').split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, { status: 'method_not_allowed' });
  }
  if (path === '/health/live') return send(response, 200, { status: 'ok' });
  // A page whose name leads here must not read what is told to this machine alone.
  if (!isForUs(options, request)) return send(response, 421, { status: 'nom_inconnu' });
  if (path === '/health/ready') {
    if (await isReady(options.pret)) return send(response, 200, { status: 'ok' });
    response.setHeader('retry-after', '5');
    return send(response, 503, { status: 'indisponible' });
  }
  if (path === '/metrics') return await sendMetrics(options, request, response);
  return send(response, 404, { status: 'inconnu' });
}

/** A host that is there is one of ours; HTTP/1.0 has none. */
function isForUs({ host, hotes = [] }: OptionsSonde, { headers }: IncomingMessage): boolean {
  if (headers.host === undefined) return true;
  const authority = parseAuthority(headers.host);
  return authority !== undefined && isOurName(authority.name, { listed: hotes, host });
}

async function sendMetrics(
  { jeton, host, registre }: OptionsSonde,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (jeton === undefined && !isLoopback(host)) return send(response, 404, { status: 'inconnu' });
  if (jeton !== undefined && !porteJeton(jeton, request.headers.authorization)) {
    response.setHeader('www-authenticate', 'Bearer realm="metrics"');
    return send(response, 401, { status: 'refuse' });
  }
  const text = await registre.metrics();
  response.setHeader('content-type', registre.contentType);
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Slow is as bad as no: whoever asks wants to know whether to send work here. */
async function isReady(pret: () => Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), DELAI_PRET);
  });
  try {
    return await Promise.race([pret().catch(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function send(response: ServerResponse, status: number, body: { readonly status: string }): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}
