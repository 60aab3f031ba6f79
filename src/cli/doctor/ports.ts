import { createServer } from 'node:net';
import { codeOf, messageOf } from '../../base/errors.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** How long whoever listens there may take to say that he is one of ours (ms). */
const DELAI = 2_000;

/** The ports of the API and of the worker are free, or theirs already. */
export const ports: Controle = {
  quoi: 'Ports',
  async faire({ config: { api, observation } }) {
    return [
      ...(await checkPort('PORT', api.host, api.port)),
      ...(await checkPort('METRICS_PORT', observation.metricsHost, observation.metricsPort)),
    ];
  },
};

async function checkPort(quoi: string, host: string, port: number): Promise<Constat[]> {
  if (port === 0) return [];
  const where = `${host}:${port}`;
  const error = await listenOnce(host, port);
  if (error === undefined) return [bien(quoi, `${where} libre`)];
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    if (await isOurs(host, port)) return [bien(quoi, `${where}, atelier y répond`)];
    return [
      attention(
        quoi,
        `un autre programme écoute déjà sur ${where}`,
        `Arrêtez-le (ss -ltnp dit lequel), ou donnez un autre ${quoi}.`,
      ),
    ];
  }
  const remede =
    code === 'EACCES'
      ? 'Un port sous 1024 demande des droits : prenez-en un plus grand, un proxy devant.'
      : 'HOST et METRICS_HOST sont des adresses de cette machine : 127.0.0.1, ou 0.0.0.0 pour toutes.';
  return [mal(quoi, `${where} : ${messageOf(error)}`, remede)];
}

/** Why nobody can listen there now, or undefined. */
function listenOnce(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function isOurs(host: string, port: number): Promise<boolean> {
  const local = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const name = local.includes(':') ? `[${local}]` : local;
  try {
    const answer = await fetch(`http://${name}:${port}/health/live`, { signal: AbortSignal.timeout(DELAI) });
    return answer.status === 200 && (await answer.text()) === '{"status":"ok"}';
  } catch {
    return false;
  }
}
