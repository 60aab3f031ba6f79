import { isIPv4 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { buildApp } from '../api/app.ts';
import { Arret } from '../api/arret.ts';
import { codeDuPremierCompte, retenirAmorcage } from '../api/auth/premier-compte.ts';
import type { ApiDeps } from '../api/deps.ts';
import { Evenements } from '../api/evenements.ts';
import { ouvrirArchives } from '../archives/archive.ts';
import { exigerCles } from '../base/config/api.ts';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { existeUnCompte, ouvrirCoffre } from '../postgres/comptes/users.ts';
import { Ecoute } from '../postgres/ecoute.ts';
import { migrate, requireSchema } from '../postgres/migrate.ts';
import { createApiPool, createPool, type Pool, withClient } from '../postgres/pool.ts';
import { lirePosition, Replica } from '../postgres/replica.ts';
import { donnerDesClesPlusTard } from './cles-des-comptes.ts';
import type { Cli } from './cli.ts';
import { databaseUrl } from './open.ts';

/** How long a server may take to answer what it was asked before it stops (ms). */
const DELAI_ARRET = 25_000;

export interface OptionsApi {
  /** with its keys, host and port */
  readonly cli: Cli;
  readonly logger: Logger;
  /** refuses to listen where other machines could reach it (an account that everyone knows) */
  readonly cetteMachineSeule?: boolean;
  /** how long requests may go on once it is to stop (ms), 25 s as a rule */
  readonly delaiArret?: number;
  /** how long after the start accounts of before get their keys (ms), an hour as a rule */
  readonly clesApres?: number;
}

/** A server that listens. */
export interface ApiServie {
  readonly app: FastifyInstance;
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  /** connections that are open */
  connexions(): number;
  /** whether anybody can sign in */
  readonly aDesComptes: boolean;
  /** by which the first account may be made from elsewhere, when there has never been one */
  readonly codePremierCompte: string | undefined;
  /**
   * Stops: live streams end first, then every request that was made is answered, then the database is let go.
   *
   * @returns connections that had to be cut because the time was over
   */
  arreter(): Promise<number>;
}

/**
 * Opens everything that the API needs, and listens.
 *
 * @throws AtelierError ATL_C102 (keys), ATL_C103 (wrong key), ATL_C101 (host), ATL_D301 and ATL_D303 (database),
 *   ATL_A503 (port taken)
 */
export async function servirApi(options: OptionsApi): Promise<ApiServie> {
  const { cli, logger } = options;
  const { config, shutdown } = cli;
  const { host, port } = config.api;
  const cles = exigerCles(config.api);
  if (options.cetteMachineSeule && !estLocal(host)) {
    throw new AtelierError(
      'ATL_C101',
      `HOST : ${host} est joignable d’autres machines ; la démonstration n’écoute que sur 127.0.0.1.`,
    );
  }
  const url = await databaseUrl(cli);
  const { fuseau } = config;
  const { databaseApiUrl, databaseReadUrl, replicaRetardMax, connexions: max } = config.api;
  const reserve = reservees(max);
  const ouvrir = (adresse: string, partageable: boolean, max: number): Pool => {
    const made = createApiPool(adresse, { logger, max, fuseau, partageable });
    shutdown.add(() => made.end());
    return made;
  };
  const shared = databaseApiUrl !== undefined;
  const pool = ouvrir(databaseApiUrl ?? url, shared, max - reserve);
  const accesPool = ouvrir(databaseApiUrl ?? url, shared, reserve);
  if (databaseApiUrl !== undefined) await verifierPooler(url, pool, logger);
  await verifierSchema(cli, pool);
  const exportPool = databaseApiUrl === undefined ? undefined : ouvrir(url, false, max);
  const readPool = databaseReadUrl === undefined ? pool : ouvrir(databaseReadUrl, true, max);
  let replica: Replica | undefined;
  if (databaseReadUrl !== undefined) {
    const urls = { principale: url, replica: databaseReadUrl };
    const made = new Replica({
      principale: pool,
      replica: readPool,
      urls,
      retardMax: replicaRetardMax,
      logger,
    });
    shutdown.add(() => made.fermer());
    await made.demarrer();
    replica = made;
  }
  const maintenant = Date.now;
  const evenements = new Evenements({
    ecoute: new Ecoute({ url, logger }),
    ...{ logger, maintenant },
    visible: replica && (() => replica.montre()),
  });
  shutdown.add(() => evenements.fermer());
  const deps: ApiDeps = {
    ...{ config, cles, logger, pool, accesPool, readPool, exportPool, replica, evenements, maintenant },
    coffre: await ouvrirCoffre(pool, cles),
    archive: ouvrirArchives(config),
    time: new FactoryTime(fuseau, config.journeeDebut),
  };
  const app = await buildApp(deps);
  const arret = new Arret(app.server);
  shutdown.add(() => app.close());
  donnerDesClesPlusTard({
    ...{ pool, coffre: deps.coffre, logger, signal: shutdown.signal },
    apres: options.clesApres,
  });
  const aDesComptes = await existeUnCompte(pool);
  await retenirAmorcage(deps);
  return {
    app,
    url: await ecouter(app, host, port),
    aDesComptes,
    codePremierCompte: await codeDuPremierCompte(deps),
    connexions: () => arret.connexions,
    async arreter() {
      // Whoever shares requests out is told before the door closes (O2).
      app.pret.arreter();
      if (config.observation.arretPreavis > 0) await sleep(config.observation.arretPreavis * 1000);
      evenements.arreter();
      const cut = await arret.vider(options.delaiArret ?? DELAI_ARRET);
      if (cut > 0) app.server.closeAllConnections();
      await app.close();
      return cut;
    },
  };
}

/** Of all connections, those for health and sign-in, which data never take. */
function reservees(connexions: number): number {
  return Math.max(1, Math.min(3, Math.floor(connexions / 3)));
}

/** Whether only this machine can reach an address. */
export function estLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The embedded database is ours alone: there, missing migrations are applied. */
async function verifierSchema(cli: Cli, pool: Pool): Promise<void> {
  await withClient(pool, async (client) => {
    if (cli.config.databaseUrl === undefined) await migrate(client);
    await requireSchema(client);
  });
}

/** What goes through the pooler and what goes past it must be one database. */
async function verifierPooler(url: string, pool: Pool, logger: Logger): Promise<void> {
  const directe = createPool(url, { logger, max: 1 });
  try {
    const [straight, through] = [
      await withClient(directe, lirePosition),
      await withClient(pool, lirePosition),
    ];
    if (straight.serveur === through.serveur && straight.base === through.base && !through.suit) return;
  } finally {
    await directe.end();
  }
  throw new AtelierError(
    'ATL_C101',
    'DATABASE_API_URL : ce pooler mène à une autre base que DATABASE_URL, ou à un réplica. Corrigez l’une des deux adresses.',
  );
}

async function ecouter(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    // « localhost » would be two servers, one for each family of addresses, of which we could empty only one.
    const address = host === 'localhost' ? '127.0.0.1' : host;
    return await app.listen({
      host: address,
      port,
      listenTextResolver: (where) => `écoute sur ${where}`,
    });
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'EADDRINUSE') {
      throw new AtelierError('ATL_A503', `Un autre programme écoute déjà sur ${host}:${port}.`, { cause });
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      throw new AtelierError('ATL_C101', `HOST et PORT : écoute sur ${host}:${port} : ${messageOf(cause)}`, {
        cause,
      });
    }
    throw cause;
  }
}
