// Carries out a Dockerfile without Docker: each stage is a folder, COPY copies what .dockerignore lets through, RUN runs.
// The base images are not there: programs come from this machine, Node from the project.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface Instruction {
  readonly mot: string;
  readonly suite: string;
}

/** The instructions of a Dockerfile, comments and continuation lines taken out. */
export function readDockerfile(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const whole = lines.join('\n').replaceAll(/\\\n\s*/g, ' ');
  return whole
    .split('\n')
    .map((line) => /^\s*([A-Z]+)\s+(.*?)\s*$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ mot: match[1]!, suite: match[2]! }));
}

/** Whether a path of the build context reaches the builder. */
export function inContext(path: string, dockerignore: string): boolean {
  let kept = true;
  for (const line of dockerignore.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = line.replace(/^!/, '');
    // A pattern also means everything below what it names.
    const parents = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    if (parents.some((parent) => asRegExp(pattern).test(parent))) kept = line.startsWith('!');
  }
  return kept;
}

/** Docker's globs: `*` stays within a name (and matches a leading dot), `**` crosses folders. */
function asRegExp(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('\0', '(?:.*/)?');
  return new RegExp(`^${source}$`);
}

/** What a container of the image would start with. */
export interface Image {
  /** stands for `/` */
  readonly racine: string;
  readonly env: Readonly<Record<string, string>>;
  readonly dossier: string;
  /** `uid:gid` */
  readonly utilisateur: string;
  readonly entree: readonly string[];
  readonly commande: readonly string[];
  readonly sante: readonly string[];
}

interface Stage {
  readonly racine: string;
  env: Record<string, string>;
  dossier: string;
  utilisateur: string;
  entree: string[];
  commande: string[];
  sante: string[];
}

/** Flags before the operands of an instruction, and the operands. */
function operands(suite: string): { flags: Record<string, string>; words: string[] } {
  const flags: Record<string, string> = {};
  const words: string[] = [];
  for (const word of suite.split(/\s+/)) {
    const flag = words.length === 0 ? /^--([a-z-]+)=(.*)$/.exec(word) : null;
    if (flag) flags[flag[1]!] = flag[2]!;
    else words.push(word);
  }
  return { flags, words };
}

/** `A=1 B="deux mots"` */
function pairs(suite: string): Record<string, string> {
  const found = suite.matchAll(/([A-Za-z0-9_.]+)=("(?:[^"\\]|\\.)*"|\S+)/g);
  return Object.fromEntries(Array.from(found, ([, name, value]) => [name, value!.replace(/^"(.*)"$/, '$1')]));
}

/**
 * Builds the last stage below `travail`.
 *
 * @param node folder of the `node` that the base image would bring
 * @throws Error with the output of the step that failed
 */
export function construire(contexte: string, travail: string, node: string): Image {
  const dockerignore = readFileSync(join(contexte, '.dockerignore'), 'utf8');
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  const inside = (path: string): string => join(stage!.racine, resolve('/', stage!.dossier, path));
  for (const { mot, suite } of readDockerfile(readFileSync(join(contexte, 'Dockerfile'), 'utf8'))) {
    if (mot === 'FROM') {
      const name = /\sAS\s+(\S+)$/i.exec(suite)?.[1] ?? `etape-${stages.size}`;
      const racine = join(travail, name);
      mkdirSync(racine, { recursive: true, mode: 0o755 });
      stage = { racine, env: {}, dossier: '/', utilisateur: '0:0', entree: [], commande: [], sante: [] };
      stages.set(name, stage);
      continue;
    }
    if (!stage) throw new Error(`${mot} avant FROM`);
    if (mot === 'WORKDIR') {
      stage.dossier = resolve('/', stage.dossier, suite);
      mkdirSync(inside('.'), { recursive: true, mode: 0o755 });
    } else if (mot === 'COPY') copier(suite);
    else if (mot === 'RUN') executer(suite);
    else if (mot === 'ENV') stage.env = { ...stage.env, ...pairs(suite) };
    else if (mot === 'USER') stage.utilisateur = suite;
    else if (mot === 'ENTRYPOINT') stage.entree = JSON.parse(suite);
    else if (mot === 'CMD') stage.commande = JSON.parse(suite);
    else if (mot === 'HEALTHCHECK') stage.sante = JSON.parse(suite.slice(suite.indexOf('[')));
    else if (!/^(ARG|LABEL|EXPOSE|STOPSIGNAL)$/.test(mot)) throw new Error(`instruction inconnue : ${mot}`);
  }
  return stage!;

  function copier(suite: string): void {
    const { flags, words } = operands(suite);
    const to = words.pop()!;
    const from = flags['from'] === undefined ? contexte : stages.get(flags['from'])!.racine;
    for (const word of words) {
      const source = join(from, word);
      if (!existsSync(source)) throw new Error(`COPY ${suite} : ${word} n’existe pas`);
      const folder = statSync(source).isDirectory();
      // A folder gives its content, a file goes below a name that ends with a slash.
      const target = inside(folder || !/\/$/.test(to) ? to : join(to, word));
      if (flags['from'] === undefined) {
        mkdirSync(dirname(target), { recursive: true });
        cpSync(source, target, {
          recursive: true,
          preserveTimestamps: true,
          filter: (path) => statSync(path).isDirectory() || inContext(relative(contexte, path), dockerignore),
        });
      } else copierTelQuel(source, target);
    }
  }

  /** From stage to stage, with owners and rights. */
  function copierTelQuel(source: string, target: string): void {
    mkdirSync(target, { recursive: true });
    const done = spawnSync('cp', ['-a', `${source}/.`, target], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
  }

  function executer(suite: string): void {
    const done = spawnSync('/bin/sh', ['-ec', suite], {
      cwd: inside('.'),
      encoding: 'utf8',
      // What npm has had already it need not ask for again.
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        npm_config_prefer_offline: 'true',
        ...stage!.env,
        PATH: `${node}:${process.env['PATH']}`,
      },
    });
    if (done.status !== 0) throw new Error(`RUN ${suite}\n${done.stdout}${done.stderr}`);
  }
}

/** A path of the image as it is on this machine; also inside lists of paths. */
export function surPlace(image: Image, text: string): string {
  return text.replaceAll(/\/(app|usr\/local\/bin)(?=[/:]|$)/g, (path) => `${image.racine}${path}`);
}

/** Files below a folder of the image that its user could write to. */
export function inscriptibles(image: Image, folder: string): string[] {
  const [uid, gid] = image.utilisateur.split(':') as [string, string];
  const done = spawnSync('setpriv', [
    ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
    ...['find', join(image.racine, folder), '-writable', '-not', '-type', 'l'],
  ]);
  return String(done.stdout)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `/${relative(image.racine, line)}`)
    .sort();
}

/** Makes a folder that others may enter. */
export function ouvrir(folder: string): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  return folder;
}

/** Every file of the repository that a build would be sent. */
export function contexteDeConstruction(root: string): string[] {
  const dockerignore = readFileSync(join(root, '.dockerignore'), 'utf8');
  return globSync('**/*', {
    cwd: root,
    exclude: (path) => /^(node_modules|\.git|\.atelier)$/.test(String(path)),
  })
    .filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .filter((path) => inContext(path, dockerignore));
}

/** Folders below /app that the Dockerfile gives to its user. */
export function inscriptiblesDeclares(text: string): string[] {
  const runs = readDockerfile(text).filter(({ mot }) => mot === 'RUN');
  const given = runs.flatMap(({ suite }) => [
    ...suite.matchAll(/install --directory --owner=\d+ --group=\d+ --mode=\d+ ([^&]+)/g),
  ]);
  return given
    .flatMap((match) => match[1]!.trim().split(/\s+/))
    .map((name) => `/app/${name}`)
    .sort();
}
