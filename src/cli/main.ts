import { processOfCommand } from '../base/config/secrets.ts';
import { forgetWithheld, loadConfig, readEnv } from '../base/config.ts';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { Shutdown } from '../base/shutdown.ts';
import { demarrerTraces } from '../base/traces.ts';
import type { Cli, Command } from './cli.ts';
import { UsageError } from './cli.ts';
import { COMMANDS } from './commands.ts';
import { refusDesMots } from './usage.ts';

const VERSION = '0.1.0';
/** After everything was closed, ms. */
const END_AFTER = 3_000;

/** Entry of `atelier`: finds the command, gives it what it needs, turns what it throws into an exit code. */
async function main(argv: string[]): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    await printHelp();
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    out(VERSION);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    err(`atelier : commande inconnue « ${name} ». Tapez \`npx atelier --help\`.`);
    return 2;
  }
  const command = await load();
  if (args.includes('--help') || args.includes('-h')) {
    out(command.usage);
    return 0;
  }
  return await runCommand(name, command, args);
}

async function runCommand(name: string, command: Command, args: string[]): Promise<number> {
  const shutdown = new Shutdown();
  shutdown.listen();
  try {
    const config = loadConfig(readEnv(), processOfCommand(name));
    if (config.processus !== undefined) forgetWithheld(config.processus);
    const { traces } = config.observation;
    // A probe asks every few seconds: it is no work to be traced.
    if (traces && name !== 'sante') {
      shutdown.add(await demarrerTraces(traces, (message) => err(`atelier ${name} : ${message}`)));
    }
    const cli: Cli = {
      config,
      shutdown,
      out,
      err,
      isTerminal: process.stdout.isTTY === true,
      columns: process.stdout.columns ?? 100,
    };
    return await command.run(args, cli);
  } catch (error) {
    return explain(name, error, shutdown.signal.aborted);
  } finally {
    await shutdown.close().catch((error) => err(`atelier ${name} : fermeture : ${messageOf(error)}`));
    if (shutdown.signal.aborted) endAnyway();
  }
}

/**
 * Asked to stop, we have closed all: what still holds us is a call to a disk that does not answer, and an orderly end would
 * wait for it, too.
 */
function endAnyway(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_AFTER).unref();
}

/** Says what went wrong and the way out. */
function explain(name: string, error: unknown, stopped: boolean): number {
  if (stopped) {
    err(`atelier ${name} : arrêté à votre demande ; ce qui était fait reste fait.`);
    return 130;
  }
  const refus = error instanceof UsageError ? messageOf(error) : refusDesMots(error);
  if (refus !== undefined) {
    err(`atelier ${name} : ${refus}`);
    err(`Tapez \`npx atelier ${name} --help\`.`);
    return 2;
  }
  if (error instanceof AtelierError) {
    err(`atelier ${name} : [${error.code}] ${error.message}`);
    err(`→ ${error.conseil}`);
    return 1;
  }
  err(`atelier ${name} : [ATL_X901] ${messageOf(error)}`);
  if (error instanceof Error && error.stack) err(error.stack);
  return 1;
}

async function printHelp(): Promise<void> {
  out('atelier : les journaux des centres d’usinage en chiffres sûrs, dans PostgreSQL.');
  out('');
  out('Usage : npx atelier COMMANDE [options]');
  out('');
  for (const [name, load] of Object.entries(COMMANDS)) out(`  ${name.padEnd(11)} ${(await load()).summary}`);
  out('');
  out(
    '`npx atelier COMMANDE --help` explique une commande. Réglages : variables ou fichier .env (voir .env_exemple).',
  );
  out(
    'Codes de sortie : 0 tout va bien, 1 échec, 2 mauvais usage, 3 fait, mais pas en entier (un fichier illisible…).',
  );
}

function out(line: string): void {
  process.stdout.write(`${line}\n`);
}

function err(line: string): void {
  process.stderr.write(`${line}\n`);
}

// `atelier … | head` closes our output early: that is no failure.
process.stdout.on('error', (error) => {
  if (codeOf(error) === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
