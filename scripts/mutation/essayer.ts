import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Essai } from './coureur.ts';
import type { Groupe } from './domaines.ts';
import { instrumenter, type Mutant } from './instrumenter.ts';

/** What became of a mutant. `delai`: tests did not end; `invalide`: PostgreSQL cannot read it, which says nothing of tests. */
export interface Essaye extends Mutant {
  readonly etat: 'tue' | 'delai' | 'survit' | 'invalide';
  /** the test that noticed, or why none could */
  readonly par: string;
  /** how many mutants the file has, of which only some may have been tried */
  readonly parmi: number;
}

interface Note {
  readonly cle?: string;
  readonly debut?: boolean;
  readonly mutant?: string;
  readonly fichier?: string;
  readonly echec: boolean;
  readonly par?: string;
  readonly erreur?: string;
  readonly order?: readonly string[];
  readonly perTest?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface Entree extends Essai {
  /** whether modules are loaded anew, as what they do when they are is in question, or as it costs little */
  readonly recharger: boolean;
  readonly cle: string;
  readonly test: string;
}

/** A test that noticed. */
interface Tueur {
  readonly test: string;
  readonly nom: string;
}

/** After so much work (s of CPU) without a sign of life the worker is stuck in the mutant that it has; after so long (ms), too. */
const TRAVAIL = 30;
const SILENCE = 600_000;
/** After so many mutants in one file of tests, one run of it without any: has one of them spoilt the worker? */
const CONTROLE = 40;

/** Tries the mutants of the sources of some groups, in as few runs of Vitest as possible. */
export async function essayer(
  root: string,
  store: string,
  groupes: readonly Groupe[],
  wanted: (mutant: Mutant) => boolean,
  most = Infinity,
): Promise<Essaye[]> {
  const testsDe = new Map(groupes.flatMap(({ sources, tests }) => sources.map((source) => [source, tests])));
  const tests = [...new Set(groupes.flatMap((groupe) => groupe.tests))];
  const made = await instrumenter(root, [...testsDe.keys()]);
  const mutants = [...testsDe.keys()].flatMap((source) => {
    const own = made.mutants.filter(({ fichier }) => fichier === source);
    return repartis(own.filter(wanted), most).map((mutant) => ({ ...mutant, parmi: own.length }));
  });
  if (mutants.length === 0) return [];
  const run = new Essais(
    root,
    store,
    made.sources,
    tests.some((test) => !test.startsWith('test/unit/')),
  );
  const couverture = await run.couverture(tests);
  const met = new Set<string>();
  const all = mutants.flatMap((mutant) => {
    const own = testsDe.get(mutant.fichier)!;
    const entrees = entreesDe(
      mutant,
      couverture.filter(({ fichier }) => own.includes(fichier!)),
    );
    if (entrees.length > 0) met.add(mutant.id);
    return entrees;
  });
  console.log(`${testsDe.size} fichiers : ${mutants.length} mutants, ${all.length} essais`);
  const ordered = tests.flatMap((test) =>
    [false, true].flatMap((recharger) =>
      avecControles(
        test,
        all.filter((entree) => entree.test === test && entree.recharger === recharger),
      ),
    ),
  );
  await run.essais(await run.essais(ordered, false), true);
  // A test that fails by itself, without any mutant, noticed nothing: with all that go before it, it may.
  const dependants = await run.dependants();
  if (dependants.length > 0) {
    console.log(`ne se suffisent pas : ${dependants.map(({ test, nom }) => `${test} › ${nom}`).join(', ')}`);
    const doubtful = run.oublier(dependants);
    await run.essais(
      all
        .filter(({ mutant }) => doubtful.has(mutant!))
        .map((entree) => ({
          ...entree,
          tests: couverture.find(({ fichier }) => fichier === entree.test)!.order!,
        })),
      false,
    );
  }
  return mutants.map((mutant) => {
    const { etat, par } = run.notes.get(mutant.id) ?? {
      etat: 'survit',
      par: met.has(mutant.id) ? '' : 'aucun test n’y passe',
    };
    // Only changed SQL; when what puts SQL together is changed, its error is what tests notice.
    const read = etat === 'invalide' && !mutant.mutation.startsWith('Texte :') ? 'tue' : etat;
    return { ...mutant, etat: read, par };
  });
}

/** At most so many, evenly spread. */
export function repartis<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / most)]!);
}

/** In which files of tests a mutant is met, by which tests; whether when a module is loaded. */
function entreesDe(mutant: Mutant, couverture: readonly Note[]): Entree[] {
  return couverture.flatMap(({ fichier, order, perTest }) => {
    const hits = (where: string): number => perTest![where]?.[mutant.id] ?? 0;
    const atLoad = hits('@import') > 0;
    const around = hits('@autour') > 0;
    const met = order!.filter((test) => hits(test) > 0);
    // What a module is like concerns everybody; what is done around tests, whichever comes first.
    const all = atLoad ? order! : around && met.length === 0 ? order!.slice(0, 1) : met;
    const total = [...order!, '@autour'].reduce((sum, where) => sum + hits(where), 0);
    return all.length === 0
      ? []
      : [
          {
            ...{ cle: `${mutant.id} ${fichier}`, mutant: mutant.id, test: fichier!, tests: all },
            ...{ recharger: atLoad || aRecharger(fichier!), limite: 1000 + total * 10 },
          },
        ];
  });
}

/** Whether each run of a file of tests needs modules of its own: it costs little, or the file puts something in their place. */
function aRecharger(test: string): boolean {
  return test.startsWith('test/unit/') || readFileSync(test, 'utf8').includes('vi.mock(');
}

function avecControles(test: string, entrees: readonly Entree[]): Entree[] {
  return entrees.flatMap((entree, i) =>
    (i + 1) % CONTROLE === 0 || i === entrees.length - 1
      ? [
          entree,
          {
            ...entree,
            cle: `contrôle ${i} ${entree.recharger} ${test}`,
            mutant: undefined,
            tests: [],
            limite: 0,
          },
        ]
      : [entree],
  );
}

class Essais {
  /** mutants that did not survive */
  readonly notes = new Map<string, Pick<Essaye, 'etat' | 'par'> & { readonly tueur?: Tueur | undefined }>();
  readonly #root: string;
  readonly #store: string;
  readonly #sources: Readonly<Record<string, string>>;
  readonly #base: boolean;

  constructor(root: string, store: string, sources: Readonly<Record<string, string>>, base: boolean) {
    this.#root = root;
    this.#store = store;
    this.#sources = sources;
    this.#base = base;
  }

  /** Which test meets which mutant. */
  async couverture(tests: readonly string[]): Promise<Note[]> {
    const { notes } = await this.#vitest(
      tests.map((test) => `${this.#root}/${test}`),
      true,
    );
    const failed = notes.filter(({ echec }) => echec);
    if (failed.length > 0 || notes.length < tests.length)
      throw new Error(
        `tests sans mutant : ${notes.length} sur ${tests.length}, ${JSON.stringify(failed.map(({ fichier, par, erreur }) => [fichier, par, erreur]))}`,
      );
    return tests.map((test) => ({
      ...notes.find(({ fichier }) => fichier === `${this.#root}/${test}`)!,
      fichier: test,
    }));
  }

  /**
   * Tries entries one after the other.
   *
   * @returns those whose verdict is worth nothing, as the worker had been spoilt
   */
  async essais(entrees: readonly Entree[], isoler: boolean): Promise<Entree[]> {
    let left = [...entrees];
    const doubtful: Entree[] = [];
    while (left.length > 0) {
      const files = await this.#ecrire(left);
      const { notes, stuck } = await this.#vitest(files, isoler);
      let since: Entree[] = [];
      const byKey = new Map(notes.filter(({ debut }) => !debut).map((note) => [note.cle!, note]));
      const begun = new Set(notes.filter(({ debut }) => debut).map(({ cle }) => cle));
      const next: Entree[] = [];
      for (const entree of left) {
        const note = byKey.get(entree.cle);
        if (entree.mutant === undefined) {
          if (note?.echec) {
            doubtful.push(...since);
            for (const { mutant } of since) this.notes.delete(mutant!);
          }
          if (note) since = [];
          else if (!note && next.length > 0) next.push(entree);
        } else if (note) {
          if (note.echec) {
            since.push(entree);
            const late = /timed out|Hit count limit/.test(note.erreur ?? '');
            const unreadable = /syntax error at or near/.test(note.erreur ?? '');
            this.notes.set(entree.mutant, {
              etat: unreadable ? 'invalide' : late ? 'delai' : 'tue',
              par: `${entree.test} › ${note.par ?? 'autour des tests'}`,
              tueur: note.par === undefined ? undefined : { test: entree.test, nom: note.par },
            });
          }
        } else if (begun.has(entree.cle)) {
          this.notes.set(entree.mutant, {
            etat: 'delai',
            par: `${entree.test} : ${stuck ? 'bloqué' : 'processus mort'}`,
          });
        } else if (!this.notes.has(entree.mutant)) next.push(entree);
      }
      if (next.length === left.length) throw new Error(`aucun essai n’a eu lieu : ${this.#store}/sortie.log`);
      left = next;
    }
    return doubtful;
  }

  /** Which of the tests that noticed fail without any mutant when nothing goes before them. */
  async dependants(): Promise<Tueur[]> {
    const tueurs = [...this.notes.values()].flatMap(({ tueur }) => tueur ?? []);
    const distinct = [...new Map(tueurs.map((one) => [JSON.stringify(one), one]))];
    if (distinct.length === 0) return [];
    const files = await this.#ecrire(
      distinct.map(([cle, { test, nom }]) => ({
        ...{ cle, test, tests: [nom], mutant: undefined, limite: 0, recharger: aRecharger(test) },
      })),
    );
    const { notes } = await this.#vitest(files, false);
    const passed = new Set(notes.filter(({ debut, echec }) => !debut && !echec).map(({ cle }) => cle));
    return distinct.flatMap(([cle, one]) => (passed.has(cle) ? [] : [one]));
  }

  /** Takes back what some tests noticed. @returns the mutants that are to be tried again */
  oublier(tueurs: readonly Tueur[]): Set<string> {
    const keys = new Set(tueurs.map((one) => JSON.stringify(one)));
    const found = [...this.notes].filter(([, { tueur }]) => tueur && keys.has(JSON.stringify(tueur)));
    for (const [mutant] of found) this.notes.delete(mutant);
    return new Set(found.map(([mutant]) => mutant));
  }

  async #ecrire(entrees: readonly Entree[]): Promise<string[]> {
    const dir = `${this.#store}/essais`;
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    return await Promise.all(
      entrees.map(async ({ cle, mutant, test, tests, limite, recharger }, i) => {
        const file = `${dir}/${String(i).padStart(5, '0')}.test.ts`;
        const essai = JSON.stringify({ mutant, tests, limite });
        await writeFile(
          file,
          `import { test, vi } from 'vitest';
import { ouvrir } from '${this.#root}/scripts/mutation/coureur.ts';
${recharger ? 'vi.resetModules();\n' : ''}if (ouvrir(${JSON.stringify(cle)}, ${essai})) await import('${this.#root}/${test}?essai=${i}');
else test('mort', () => undefined);
`,
        );
        return file;
      }),
    );
  }

  /** One run of Vitest over files, in this order. */
  async #vitest(fichiers: readonly string[], isoler: boolean): Promise<{ notes: Note[]; stuck: boolean }> {
    const plan = `${this.#store}/plan.json`;
    const path = `${this.#store}/notes.jsonl`;
    await mkdir(this.#store, { recursive: true });
    await writeFile(plan, JSON.stringify({ sources: this.#sources, fichiers, isoler, base: this.#base }));
    await writeFile(path, '');
    const child = spawn('vitest', ['run', '--config', 'scripts/mutation/vitest.config.ts'], {
      cwd: this.#root,
      env: { ...process.env, ATELIER_MUTATION_PLAN: plan, ATELIER_MUTATION_NOTES: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      // With its workers it is stopped as one.
      detached: true,
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => output.push(piece));
    child.stderr.on('data', (piece: Buffer) => output.push(piece));
    const stuck = await fin(child, path);
    await writeFile(`${this.#store}/sortie.log`, Buffer.concat(output));
    const text = await readFile(path, 'utf8');
    const notes = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Note);
    return { notes, stuck };
  }
}

/** Waits for a run to end, and ends it when nothing comes from it any more. @returns whether it had to be ended */
async function fin(child: ChildProcess, path: string): Promise<boolean> {
  let stuck = false;
  let seen = { length: -1, at: Date.now(), work: 0 };
  const watch = setInterval(async () => {
    const { length } = await readFile(path);
    const work = await travail(child.pid!);
    if (length !== seen.length) seen = { length, at: Date.now(), work };
    else if (work - seen.work > TRAVAIL || Date.now() - seen.at > SILENCE) {
      stuck = true;
      process.kill(-child.pid!, 'SIGKILL');
    }
  }, 3_000);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  return stuck;
}

/** CPU that the living processes of a group have used, seconds: on a busy machine the clock says nothing. */
async function travail(group: number): Promise<number> {
  let ticks = 0;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) === group) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}
