import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { readEnv } from '../base/config.ts';
import { codeOf } from '../base/errors.ts';
import { embeddedStatus, embeddedUrl, ensureEmbedded, stopEmbedded } from '../embedded/postgres.ts';
import { type Cli, UsageError } from './cli.ts';
import { connect, prompt, runBatch } from './db-psql.ts';

export const summary = 'le serveur PostgreSQL embarqué : start, stop, status, url, psql';
export const usage: string = `Usage : npx atelier db ACTION [-c SQL]

Le serveur PostgreSQL embarqué (celui qui sert quand ni DATABASE_URL ni POSTGRES_HOST ne sont donnés).

Actions :
  start            le crée au premier appel, le démarre s’il est arrêté
  stop             l’arrête proprement
  status           dit s’il tourne, et où sont ses données
  url              écrit son adresse (mot de passe compris)
  psql [-c SQL]    ouvre une invite SQL (psql s’il est installé, sinon la nôtre) ;
                   -c exécute les requêtes données, écrit leurs résultats et rend la main

Codes de sortie : 0 réussi (status : il tourne), 1 échec (status : arrêté ou absent), 2 mauvais usage.`;

/** Where a command finds its server and writes its answer. */
interface Context {
  readonly dataDir: string;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** `atelier db …`: drives the embedded server. Returns the exit code. */
export async function run(args: string[], cli: Cli): Promise<number> {
  const context = { dataDir: cli.config.dataDir, out: cli.out, err: cli.err };
  const { action, sql } = read(args);
  return await ACTIONS[action](context, sql);
}

type Action = (context: Context, sql: string | undefined) => Promise<number>;

const ACTIONS = { start, stop, url, status, psql } satisfies Record<string, Action>;

function read(args: string[]): { action: keyof typeof ACTIONS; sql: string | undefined } {
  const { values, positionals } = parseArgs({
    args,
    options: { command: { type: 'string', short: 'c' } },
    allowPositionals: true,
  });
  const [action, ...rest] = positionals;
  const known = Object.keys(ACTIONS).join(', ');
  if (action === undefined) throw new UsageError(`il manque l’action, l’une de ${known}`);
  if (!isAction(action)) throw new UsageError(`action inconnue « ${action} », attendu l’une de ${known}`);
  if (rest.length > 0) throw new UsageError(`${rest[0]} : argument en trop`);
  if (values.command !== undefined && action !== 'psql') throw new UsageError(`-c ne va pas avec ${action}`);
  return { action, sql: values.command };
}

function isAction(name: string): name is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, name);
}

async function start({ dataDir, out, err }: Context): Promise<number> {
  const server = await ensureEmbedded({ dataDir, onProgress: err });
  out(
    server.started
      ? `PostgreSQL embarqué : démarré sur 127.0.0.1:${server.port}`
      : `PostgreSQL embarqué : tourne déjà sur 127.0.0.1:${server.port}`,
  );
  return 0;
}

async function stop({ dataDir, out }: Context): Promise<number> {
  out(
    (await stopEmbedded(dataDir)) ? 'PostgreSQL embarqué : arrêté' : 'PostgreSQL embarqué : ne tournait pas',
  );
  return 0;
}

async function url({ dataDir, out, err }: Context): Promise<number> {
  const address = await embeddedUrl(dataDir);
  if (address === undefined) {
    err('PostgreSQL embarqué : pas encore créé (npx atelier db start)');
    return 1;
  }
  out(address);
  return 0;
}

async function status({ dataDir, out }: Context): Promise<number> {
  const now = await embeddedStatus(dataDir);
  switch (now.state) {
    case 'absent':
      out('PostgreSQL embarqué : pas encore créé (npx atelier db start)');
      return 1;
    case 'stopped':
      out('PostgreSQL embarqué : arrêté (npx atelier db start)');
      out(`  données et journal : ${now.home}`);
      return 1;
    case 'running':
      out(`PostgreSQL embarqué : tourne sur 127.0.0.1:${now.port} (processus ${now.pid})`);
      out(`  données et journal : ${now.home}`);
      return 0;
  }
}

async function psql({ dataDir, out, err }: Context, sql: string | undefined): Promise<number> {
  const server = await ensureEmbedded({ dataDir, onProgress: err });
  if (sql === undefined) {
    const code = await realPsql(server.url);
    if (code !== undefined) return code;
  }
  const client = await connect(server.url, err);
  try {
    if (sql !== undefined) return (await runBatch(client, sql, { out, err })) ? 0 : 1;
    return await prompt(client, { input: process.stdin, output: process.stdout, out, err });
  } finally {
    await client.end();
  }
}

/** The psql of the machine, with our terminal; undefined when there is none. */
async function realPsql(address: string): Promise<number | undefined> {
  const target = new URL(address);
  // By the environment: arguments are shown to every user of the machine.
  const env = { ...readEnv(), PGPASSWORD: decodeURIComponent(target.password) };
  target.password = '';
  // Ctrl-C cancels a query in psql, and must not end us underneath it.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn('psql', [target.href], { stdio: 'inherit', env });
      child.once('error', (error) => (codeOf(error) === 'ENOENT' ? resolve(undefined) : reject(error)));
      child.once('close', (code) => resolve(code ?? 1));
    });
  } finally {
    process.off('SIGINT', ignore);
  }
}
