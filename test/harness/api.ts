import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { buildApp, type Limites } from '../../src/api/app.ts';
import { hacher } from '../../src/api/auth/mot-de-passe.ts';
import type { ApiDeps } from '../../src/api/deps.ts';
import { Evenements, type LimitesFlux } from '../../src/api/evenements.ts';
import { ouvrirArchives } from '../../src/archives/archive.ts';
import { CleDeCompte } from '../../src/base/cle-de-compte.ts';
import { type Cles, exigerCles } from '../../src/base/config/api.ts';
import { type Config, loadConfig } from '../../src/base/config.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import { ROLES, type Role } from '../../src/base/roles.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { creerCompte, ouvrirCoffre } from '../../src/postgres/comptes/users.ts';
import { Ecoute } from '../../src/postgres/ecoute.ts';
import { createApiPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { migrateUrl } from './context.ts';
import { MOT_DE_PASSE } from './mots-de-passe.ts';
import { createDatabase, registerTemplate } from './postgres.ts';

export { MOT_DE_PASSE };

/** argon2 is slow on purpose: one hash serves all accounts of a test file. */

export interface CompteDEssai {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
  /** of a fresh sign-in */
  readonly entete: Entete;
}

/** What a person sends along: the token, and the password for what asks for it again. */
export type Entete = { readonly authorization: string; readonly 'x-password-actuel': string };

/** An API on a database of its own, with one account per role. */
export interface ApiDEssai {
  readonly app: FastifyInstance;
  readonly deps: ApiDeps;
  readonly pool: Pool;
  readonly url: string;
  readonly comptes: Readonly<Record<Role, CompteDEssai>>;
  /** moves the clock of the API forward, milliseconds */
  avancer(ms: number): void;
  /** another account, signed in */
  compte(username: string, role: Role): Promise<CompteDEssai>;
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
  /** address of a database that is there already, migrated */
  readonly url?: string;
  /** `false`: no account is made */
  readonly comptes?: boolean;
  /** bounds of requests, of live streams */
  readonly limites?: Partial<Limites>;
  readonly limitesFlux?: Partial<LimitesFlux>;
  readonly changer?: (deps: ApiDeps) => ApiDeps;
}

export async function createApi(options: ApiOptions = {}): Promise<ApiDEssai> {
  registerTemplate(migrateUrl);
  const database = options.url === undefined ? await createDatabase() : undefined;
  const url = options.url ?? database!.url;
  const home = await mkdtemp(join(tmpdir(), 'atelier-api-'));
  const config: Config = loadConfig({
    DATABASE_URL: url,
    ATELIER_DIR: home,
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    ...options.env,
  });
  const logger = options.logger ?? silentLogger();
  const cles: Cles = exigerCles(config.api);
  const pool = createApiPool(url, { logger, max: 6, fuseau: config.fuseau });
  const accesPool = createApiPool(url, { logger, max: 2, fuseau: config.fuseau });
  let offset = 0;
  const maintenant = (): number => Date.now() + offset;
  const base: ApiDeps = {
    ...{ config, cles, logger, pool, accesPool, readPool: pool },
    coffre: await ouvrirCoffre(pool, cles),
    archive: ouvrirArchives(config),
    time: new FactoryTime(config.fuseau, config.journeeDebut),
    maintenant,
    evenements: new Evenements({
      ecoute: new Ecoute({ url, logger }),
      ...{ logger, maintenant, limites: options.limitesFlux ?? {} },
    }),
  };
  const deps = options.changer?.(base) ?? base;
  const app = await buildApp(deps, { limites: options.limites ?? {} });
  const compte = async (username: string, role: Role): Promise<CompteDEssai> => {
    const cle = CleDeCompte.tirer();
    const motDePasseHache = await hacher(MOT_DE_PASSE, cle.poivre());
    const email = `${username}@exemple.test`;
    const made = await withClient(pool, (client) =>
      creerCompte(client, deps.coffre, { username, email, motDePasseHache, role, cle }),
    );
    return { id: made!.id, username, role, entete: await signIn(app, username) };
  };
  const comptes: Partial<Record<Role, CompteDEssai>> = {};
  if (options.comptes !== false) for (const role of ROLES) comptes[role] = await compte(role, role);
  return {
    ...{ app, deps, pool, url, compte },
    comptes: comptes as Record<Role, CompteDEssai>,
    avancer(ms) {
      offset += ms;
    },
    async close() {
      await app.close();
      await deps.evenements.fermer();
      await pool.end();
      await accesPool.end();
      await database?.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Signs in by `POST /token`; returns the headers to send. */
export async function signIn(
  app: FastifyInstance,
  username: string,
  password = MOT_DE_PASSE,
): Promise<Entete> {
  const answer = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ username, password }).toString(),
  });
  if (answer.statusCode !== 200)
    throw new Error(`sign-in of ${username}: ${answer.statusCode} ${answer.body}`);
  return entetesDe(answer.json<{ access_token: string }>().access_token, password);
}

/** Headers of a person who is signed in. */
export function entetesDe(jeton: string, password = MOT_DE_PASSE): Entete {
  return { authorization: `Bearer ${jeton}`, 'x-password-actuel': encodeURIComponent(password) };
}
