import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Config } from '../base/config.ts';
import { messageOf } from '../base/errors.ts';
import { FactoryTime, formatDay, parseDay } from '../base/time.ts';
import { parseCentres, type SimulatedCentre } from '../embedded/simulator/centres.ts';
import { live } from '../embedded/simulator/live.ts';
import { DEFAULT_END, simulateTree } from '../embedded/simulator/tree.ts';
import type { Cli } from './cli.ts';
import { refusDesMots } from './usage.ts';

export const summary = 'écrit des journaux de machines inventés mais vraisemblables';
export const usage: string = `Usage : npx atelier simulate [options]

Écrit des journaux de machines inventés mais vraisemblables : mêmes options, mêmes octets.

  --dir DOSSIER            où écrire, un sous-dossier par centre (défaut : LOGS_DIR)
  --days N                 nombre de jours, dimanches compris mais sans fichier (défaut : 30)
  --jusqu-au AAAA-MM-JJ    dernier jour (défaut : ${formatDay(DEFAULT_END)}, fixe pour que la démonstration soit reproductible)
  --centres N|NOMS         nombre de centres, ou noms séparés par des virgules,
                           « NOM (TYPE) » pour donner le type : PVC, ALU, HYBRIDE (défaut : 3)
  --noise 0..1             défauts des journaux : 0 aucun, 1 un mauvais atelier (défaut : 0.3)
  --seed N                 graine du hasard (défaut : 1)
  --live                   fait travailler les machines maintenant, jusqu’à Ctrl+C :
                           ajoute des lignes au journal du jour (sans défauts ; ignore --days et --jusqu-au)
  --vitesse N              accélération de --live (défaut : 1)
  --json                   réponse en JSON (avec --live : un objet par ligne écrite)
  --help                   affiche cette aide
`;

interface Options {
  readonly dir: string;
  readonly days: number;
  readonly end: number;
  readonly centres: readonly SimulatedCentre[];
  readonly noise: number;
  readonly seed: number;
  readonly live: boolean;
  readonly speed: number;
  readonly json: boolean;
}

/** The option and what is wrong with it. */
class UsageError extends Error {}

/**
 * `atelier simulate`.
 *
 * @returns 0; 2 when an option is wrong; 130 when stopped half-way through a tree
 * @throws AtelierError ATL_L201 when the logs cannot be written
 */
export async function run(args: string[], context: Cli): Promise<number> {
  let options: Options | 'help';
  try {
    options = readOptions(args, context.config);
  } catch (error) {
    context.err(`atelier simulate : ${messageOf(error)}`);
    context.err('Tapez `npx atelier simulate --help`.');
    return 2;
  }
  if (options === 'help') {
    context.out(usage.trimEnd());
    return 0;
  }
  return options.live ? await runLive(options, context) : await runTree(options, context);
}

async function runTree(options: Options, { out, err, shutdown: { signal } }: Cli): Promise<number> {
  const { dir, days, end, centres, noise, seed, json } = options;
  let shown = 0;
  try {
    const begun = performance.now();
    const result = await simulateTree({
      ...{ dir, days, end, centres, noise, seed, signal },
      onProgress: ({ done, total }) => {
        const tenth = Math.floor((done * 10) / total);
        if (json || total < 300 || tenth === shown) return;
        shown = tenth;
        err(`${tenth * 10} %`);
      },
    });
    const seconds = (performance.now() - begun) / 1000;
    const [du, au] = [formatDay(end - days + 1), formatDay(end)];
    if (json) {
      const { files: fichiers, written: ecrits, bytes: octets, pieces } = result;
      const noms = centres.map((centre) => centre.nom);
      out(
        JSON.stringify({
          dossier: dir,
          du,
          au,
          centres: noms,
          fichiers,
          ecrits,
          octets,
          pieces,
          duree_s: seconds,
        }),
      );
    } else {
      const number = new Intl.NumberFormat('fr', { maximumFractionDigits: 1 });
      out(`${centres.length} centre(s), du ${du} au ${au}, dans ${dir}`);
      out(
        `${number.format(result.files)} fichiers (${number.format(result.written)} nouveaux, ${number.format(result.files - result.written)} déjà là), ` +
          `${number.format(result.bytes / 1e6)} Mo, ${number.format(result.pieces)} pièces, ${number.format(seconds)} s`,
      );
    }
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    err('Interrompu : les fichiers déjà écrits sont entiers ; la même commande reprend où elle en était.');
    return 130;
  }
}

async function runLive(options: Options, { config, out, err, shutdown: { signal } }: Cli): Promise<number> {
  const { dir, centres, speed, seed, json } = options;
  const time = new FactoryTime(config.fuseau);
  if (!json)
    err(`${centres.length} centre(s) au travail dans ${dir}, vitesse ${speed} ; Ctrl+C pour arrêter`);
  await live({
    ...{ dir, centres, speed, seed, time, signal },
    onLine: ({ centre, path, text }) =>
      out(
        json
          ? JSON.stringify({ centre, fichier: relative(dir, path), ligne: text })
          : `${centre.padEnd(8)} ${text.length > 100 ? `${text.slice(0, 99)}…` : text}`,
      ),
  });
  return 0;
}

function readOptions(args: string[], config: Config): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const centres = parseCentres(values.centres);
  if (typeof centres === 'string') throw new UsageError(`--centres : ${centres}`);
  return {
    dir: resolve(values.dir ?? config.logsDir),
    days: number('--days', values.days, /^\d+$/, 1, 36_525),
    end: readEnd(values['jusqu-au']),
    centres,
    noise: number('--noise', values.noise, /^\d+(\.\d+)?$/, 0, 1),
    seed: number('--seed', values.seed, /^\d+$/, 0, Number.MAX_SAFE_INTEGER),
    live: values.live,
    speed: number('--vitesse', values.vitesse, /^\d+(\.\d+)?$/, 0.01, 100_000),
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        dir: { type: 'string' },
        days: { type: 'string', default: '30' },
        'jusqu-au': { type: 'string' },
        centres: { type: 'string', default: '3' },
        noise: { type: 'string', default: '0.3' },
        seed: { type: 'string', default: '1' },
        live: { type: 'boolean', default: false },
        vitesse: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(refusDesMots(error) ?? messageOf(error));
  }
}

function number(option: string, text: string, shape: RegExp, min: number, max: number): number {
  const value = Number(text);
  if (shape.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${option} : attendu un nombre de ${min} à ${max}, reçu « ${text} »`);
}

function readEnd(text: string | undefined): number {
  if (text === undefined) return DEFAULT_END;
  try {
    if (/^\d{4}-\d\d-\d\d$/.test(text)) return parseDay(text);
  } catch {
    // Not in the calendar: said below.
  }
  throw new UsageError(`--jusqu-au : attendu une date AAAA-MM-JJ, reçu « ${text} »`);
}
