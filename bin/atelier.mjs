#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --v8-pool-size=1 --max-semi-space-size=4
// Starts the TypeScript program, on the Node that the project pins whatever Node this is.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { cacheFolder, isTrustedCache } from './private-folder.mjs';

/** Those of the first line, for when it was not what started this. */
const FLAGS = ['--v8-pool-size=1', '--max-semi-space-size=4'];
const [, , command, ...words] = process.argv;
/**
 * A process that follows machines, or answers, makes its garbage line by line, or answer by answer, for years: room for
 * more of it is CPU saved.
 */
const room = roomOf(command, words);
const self = fileURLToPath(import.meta.url);
const dependances = fileURLToPath(new URL('../node_modules/pg', import.meta.url));
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

const cacheGiven = process.env.NODE_DISABLE_COMPILE_CACHE ? undefined : process.env.NODE_COMPILE_CACHE;

if (cacheGiven && !isTrustedCache(cacheGiven)) {
  // Node reads it already; what it took from there for the two files up to here cannot be helped from inside.
  process.stderr.write(
    `atelier : NODE_COMPILE_CACHE=${JSON.stringify(cacheGiven)} : d’autres comptes de cette machine peuvent écrire dans ce dossier, ou au-dessus, donc y mettre du code qui tournerait ici. Enlevez cette variable (atelier a un dossier à lui) ou donnez-lui un dossier à vous (chmod 700).\n`,
  );
  process.exit(1);
} else if (!existsSync(dependances)) {
  process.stderr.write('atelier : les dépendances manquent ; tapez `npm ci` dans le dossier du projet.\n');
  process.exit(1);
} else if (Number(process.versions.node.split('.')[0]) >= 26) {
  // Who is spoken to by the process that started it stays what it is.
  if (room !== undefined && !process.execArgv.includes(room) && process.channel === undefined) {
    const others = process.execArgv.filter((flag) => !flag.startsWith('--max-semi-space-size='));
    become(process.execPath, [...others, room, self, ...process.argv.slice(2)], process.env);
  }
  // An import makes much garbage and keeps little: a heap that grows slowly stays small. Helper threads of the engine
  // would take the second core from PostgreSQL and from the compressor. A server that collects at every answer would
  // lose a third of them. The first line says the rest (docs/decisions/0006-memoire.md).
  if (command !== 'serve') {
    v8.setFlagsFromString('--heap-growing-percent=50');
    v8.setFlagsFromString('--single-threaded-gc');
  }
  // Types are stripped once, not at every start: 0.2 s and 20 MB less.
  const cache = cacheFolder();
  if (cache !== undefined) module.enableCompileCache(cache);
  await import('../src/cli/main.ts');
} else if (existsSync(pinned)) {
  const args = [...(room === undefined ? FLAGS : [FLAGS[0], room]), self, ...process.argv.slice(2)];
  const env = { ...process.env, MALLOC_ARENA_MAX: '2' };
  if (!become(pinned, args, env)) watch(spawn(pinned, args, { stdio: 'inherit', env }));
} else {
  process.stderr.write('atelier : il faut Node 26 ou plus récent, ou `npm ci` dans le dossier du projet.\n');
  process.exit(1);
}

function roomOf(command, words) {
  if (command === 'serve') return '--max-semi-space-size=8';
  if (command === 'worker' || (command === 'ingest' && words.includes('--watch')))
    return '--max-semi-space-size=16';
  return undefined;
}

/**
 * Becomes another program, under the same process number: a server leaves no second process behind that does nothing but
 * wait for it. Does not return when it can; false where it cannot (Node before 22.15 and 23.11, Windows).
 */
function become(file, args, env) {
  if (typeof process.execve !== 'function') return false;
  const { emitWarning } = process;
  // That this is experimental in the Node at hand is no news for whoever uses this program; other warnings are told.
  process.emitWarning = (warning, ...rest) => {
    if (!/execve/.test(`${warning}`)) emitWarning.call(process, warning, ...rest);
  };
  try {
    process.execve(file, [file, ...args], env);
  } catch {
    return false;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Passes on what the two processes hear. */
function watch(child) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
