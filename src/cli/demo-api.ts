import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hacher } from '../api/auth/mot-de-passe.ts';
import { CleDeCompte } from '../base/cle-de-compte.ts';
import { type Cles, exigerCles } from '../base/config/api.ts';
import { type Config, readEnv } from '../base/config.ts';
import { codeOf } from '../base/errors.ts';
import { vit } from '../base/espace.ts';
import { oublierComptes } from '../postgres/comptes/coffre.ts';
import { creerCompte, ouvrirCoffre, trouverParNom } from '../postgres/comptes/users.ts';
import { type Pool, withClient } from '../postgres/pool.ts';

/** The API of the demonstration: this machine only, with an account that everyone knows. */
const HOST = '127.0.0.1';
export const DEMO_ACCOUNT = { username: 'demo', password: 'demo' } as const;
const BIN = fileURLToPath(new URL('../../bin/atelier.mjs', import.meta.url));
/** How long a server may take to answer, or to leave (ms). */
const PATIENCE = 30_000;

/** Settings of the demonstration: its own server, folders and keys, whatever is set for a real workshop. */
export interface Demonstration {
  readonly config: Config;
  readonly port: number;
}

/** Where the server answers, or why it does not; `journal` is its log file. */
export type DemoApi =
  | { readonly etat: 'servie'; readonly url: string; readonly journal: string }
  | { readonly etat: 'port-pris'; readonly journal: string }
  | { readonly etat: 'muette'; readonly journal: string }
  /** the embedded database has accounts of somebody else's key */
  | { readonly etat: 'autre-cle'; readonly journal: string };

interface Etat {
  readonly pid: number;
  readonly port: number;
}

/** Makes the account and starts the server in the background; one that runs already is replaced. */
export async function startDemoApi(demo: Demonstration, pool: Pool): Promise<DemoApi> {
  const { config, port } = demo;
  await stopDemoApi(config);
  const journal = join(config.syncLogsDir, 'api.log');
  const env = await keysOf(config);
  try {
    await makeAccount(pool, exigerCles({ ...config.api, ...asApi(env) }));
  } catch (error) {
    if (codeOf(error) !== 'ATL_C103') throw error;
    // No account is under these keys: they would only stand in the way of `demo --arreter`.
    await rm(keyFile(config), { force: true });
    return { etat: 'autre-cle', journal };
  }
  if (await answers(port)) return { etat: 'port-pris', journal };
  await mkdir(config.syncLogsDir, { recursive: true });
  const log = await open(journal, 'a', 0o600);
  const child = spawn(process.execPath, [BIN, 'serve', '--host', HOST, '--port', String(port)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: {
      ...inherited(config),
      ...env,
    },
  });
  child.unref();
  await log.close();
  await writeFile(stateFile(config), JSON.stringify({ pid: child.pid, port }));
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(100)) {
    if (child.exitCode !== null) return { etat: (await answers(port)) ? 'port-pris' : 'muette', journal };
    if (await answers(port)) return { etat: 'servie', url: `http://localhost:${port}`, journal };
  }
  return { etat: 'muette', journal };
}

/** Stops the server of an earlier demonstration; false when none runs. */
export async function stopDemoApi(config: Config): Promise<boolean> {
  const state = await readFile(stateFile(config), 'utf8').catch(() => undefined);
  if (state === undefined) return false;
  const { pid, port } = JSON.parse(state) as Etat;
  const ours = vit(pid) && (await answers(port)) && (await isServer(pid));
  if (ours) {
    process.kill(pid, 'SIGTERM');
    for (const deadline = Date.now() + PATIENCE; vit(pid) && Date.now() < deadline; ) await sleep(50);
  }
  await rm(stateFile(config), { force: true });
  return ours;
}

/** Takes the accounts of the demonstration and its key out of the embedded database, which then takes another key. */
export async function forgetDemoAccounts(config: Config, pool: Pool): Promise<void> {
  const file = keyFile(config);
  const keys = await readFile(file, 'utf8').catch(() => undefined);
  if (keys === undefined) return;
  const cles = exigerCles({ ...config.api, ...asApi(JSON.parse(keys) as Record<string, string>) });
  const coffre = await ouvrirCoffre(pool, cles);
  await withClient(pool, (client) => oublierComptes(client, coffre));
  await rm(file, { force: true });
}

async function makeAccount(pool: Pool, cles: Cles): Promise<void> {
  const coffre = await ouvrirCoffre(pool, cles);
  if (await trouverParNom(pool, coffre, DEMO_ACCOUNT.username)) return;
  // Below the policy on purpose: known to everyone, and reachable from this machine only.
  const cle = CleDeCompte.tirer();
  const motDePasseHache = await hacher(DEMO_ACCOUNT.password, cle.poivre());
  await withClient(pool, (client) =>
    creerCompte(
      client,
      coffre,
      { username: DEMO_ACCOUNT.username, email: 'demo@exemple.test', motDePasseHache, role: 'admin', cle },
      { essai: true },
    ),
  );
}

/** Keys of the demonstration, made once. */
async function keysOf(config: Config): Promise<Record<string, string>> {
  const file = keyFile(config);
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as Record<string, string>;
  const made = {
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
  };
  await mkdir(join(config.dataDir, 'demo'), { recursive: true });
  await writeFile(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

function asApi(env: Readonly<Record<string, string>>): {
  secretKey: string | undefined;
  cleChiffrement: string | undefined;
  secretKeyPrecedente: undefined;
  cleChiffrementPrecedente: undefined;
} {
  return {
    secretKey: env['SECRET_KEY'],
    cleChiffrement: env['CLE_CHIFFREMENT'],
    secretKeyPrecedente: undefined,
    cleChiffrementPrecedente: undefined,
  };
}

/** Settings of the child: those of the demonstration, and none of a real workshop. */
function inherited(config: Config): Readonly<Record<string, string | undefined>> {
  return {
    ...readEnv(),
    SECRET_KEY_PRECEDENTE: '',
    CLE_CHIFFREMENT_PRECEDENTE: '',
    MYSQL_URL: '',
    MYSQL_HOST: '',
    DATABASE_URL: '',
    POSTGRES_HOST: '',
    DATABASE_READ_URL: '',
    ATELIER_DIR: config.dataDir,
    LOGS_DIR: config.logsDir,
    ARCHIVES_DIR: config.archivesDir,
    SYNC_LOGS_DIR: config.syncLogsDir,
    FUSEAU: config.fuseau,
    CORS_ORIGINES: '',
    PROXYS_DE_CONFIANCE: '',
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    await fetch(`http://${HOST}:${port}/health`, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}

/** The number of a process may have passed to another program; where the system does not say, the port must do. */
async function isServer(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command.split('\0').includes(BIN);
}

const stateFile = (config: Config): string => join(config.dataDir, 'demo', 'api.json');
const keyFile = (config: Config): string => join(config.dataDir, 'demo', 'cles.json');
