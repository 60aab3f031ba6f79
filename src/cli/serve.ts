import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createLogger } from '../base/logger.ts';
import { type Cli, UsageError } from './cli.ts';
import { type ApiServie, estLocal, servirApi } from './open-api.ts';

export const summary = 'sert l’API REST et sa documentation';
export const usage = `Usage : npx atelier serve [--host ADRESSE] [--port N]

Sert l’API sur HOST:PORT (127.0.0.1:8000 sans réglage). Il faut SECRET_KEY et CLE_CHIFFREMENT (voir .env_exemple).
Le journal, une ligne JSON par requête, va sur la sortie ; ces messages-ci, sur la sortie d’erreur.

  --host ADRESSE   0.0.0.0 dans un conteneur ; ailleurs, un proxy qui parle TLS doit être devant
  --port N         0 : un port libre, dit au démarrage

Ctrl-C ou SIGTERM : plus rien de nouveau n’est accepté, les requêtes en cours reçoivent leur réponse (25 s au plus),
puis le serveur s’arrête. Un second signal l’arrête aussitôt.

Codes de sortie : 0 arrêté proprement, 1 échec ou requêtes coupées, 2 mauvais usage.`;

/** How long what is open may take to close once the time for requests is over (ms). */
const DELAI_FERMETURE = 2_000;

export async function run(args: string[], cli: Cli): Promise<number> {
  const served = configured(args, cli);
  const logger = createLogger({
    console: 'stdout',
    level: served.config.logLevel,
    fuseau: served.config.fuseau,
  });
  const api = await servirApi({ cli: served, logger });
  announce(served, api);
  if (!cli.shutdown.signal.aborted) await once(cli.shutdown.signal, 'abort');
  logger.info('arrêt demandé');
  const cut = await api.arreter();
  if (cut === 0) {
    logger.info('arrêté');
    return 0;
  }
  const what = `${cut} connexion(s) coupée(s) : leurs requêtes duraient encore après 25 s`;
  logger.error({ connexions: cut }, 'arrêt forcé');
  cli.err(`atelier serve : arrêt forcé, ${what}.`);
  // A query that runs on must not keep the process either.
  setTimeout(() => process.exit(1), DELAI_FERMETURE).unref();
  return 1;
}

function configured(args: string[], cli: Cli): Cli {
  const { values } = parseArgs({
    args,
    options: { host: { type: 'string' }, port: { type: 'string' } },
  });
  const port = values.port === undefined ? cli.config.api.port : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || values.port === '') {
    throw new UsageError(`--port : attendu un port entre 0 et 65535, reçu « ${values.port} »`);
  }
  if (values.host === '') throw new UsageError('--host : attendu une adresse');
  const api = { ...cli.config.api, host: values.host ?? cli.config.api.host, port };
  return { ...cli, config: { ...cli.config, api } };
}

/** Where it listens, and what whoever started it should know. */
function announce({ config, err }: Cli, { url, aDesComptes, codePremierCompte }: ApiServie): void {
  err(`API : ${url}   documentation interactive : ${url}/docs   (Ctrl-C l’arrête)`);
  if (!aDesComptes) {
    err(
      'Aucun compte : personne ne peut se connecter. Créez le premier, qui sera admin : `npx atelier user add NOM --email ADRESSE`.',
    );
    if (codePremierCompte !== undefined) {
      err(
        `Ou d’une autre machine, par POST /users/ avec l’en-tête X-Code-Premier-Compte: ${codePremierCompte} (ce code ne sert qu’à cela, et une fois).`,
      );
    }
  }
  if (!estLocal(config.api.host) && config.api.proxys.length === 0) {
    err(
      `Attention : ${config.api.host} est joignable d’autres machines, en HTTP clair. Mettez devant un proxy qui parle TLS, et son adresse dans PROXYS_DE_CONFIANCE.`,
    );
  }
}
