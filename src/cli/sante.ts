import { parseArgs } from 'node:util';
import type { Config } from '../base/config.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';

export const summary = 'dit si l’API ou le worker est prêt (sonde de conteneur)';
export const usage = `Usage : npx atelier sante [--worker | --url ADRESSE]

Demande /health/ready à l’API de HOST:PORT, ou au worker de METRICS_HOST:METRICS_PORT. N’ouvre ni base ni fichier :
c’est ce que HEALTHCHECK d’un conteneur ou un superviseur appelle.

  --worker        le worker au lieu de l’API
  --url ADRESSE   cette adresse-là (http://hote:port, ou une adresse entière)

Codes de sortie : 0 prêt, 1 pas prêt ou sans réponse en 5 s, 2 mauvais usage.`;

/** How long the answer may take (ms). */
const DELAI = 5_000;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({ args, options: { url: { type: 'string' }, worker: { type: 'boolean' } } });
  if (values.worker && values.url !== undefined) throw new UsageError('--worker ne va pas avec --url.');
  const url = values.url === undefined ? ownAddress(cli.config, values.worker ?? false) : given(values.url);
  let status: number;
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(DELAI), cli.shutdown.signal]);
    const answer = await fetch(url, { signal, redirect: 'manual', headers: { connection: 'close' } });
    status = answer.status;
    await answer.body?.cancel();
  } catch (cause) {
    const why = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new AtelierError('ATL_O852', `${url} : ${messageOf(why)}`, { cause });
  }
  if (status !== 200) throw new AtelierError('ATL_O852', `${url} : réponse ${status}`);
  cli.out(`${url} : prêt`);
  return 0;
}

/** Where this installation listens; an address for all interfaces is asked on this machine. */
function ownAddress({ api, observation }: Config, worker: boolean): string {
  const [host, port] = worker ? [observation.metricsHost, observation.metricsPort] : [api.host, api.port];
  if (port === 0) throw new UsageError(`${worker ? 'METRICS_PORT' : 'PORT'} est 0 : donnez --url.`);
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${local.includes(':') ? `[${local}]` : local}:${port}/health/ready`;
}

function given(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError('--url : attendu http://hote:port ou une adresse entière');
  }
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = '/health/ready';
  return url.href;
}
