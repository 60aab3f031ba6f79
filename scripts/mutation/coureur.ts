/** Runs inside the worker of Vitest: which test meets which mutant, and which test notices it. */

import { appendFileSync } from 'node:fs';
import { type RunnerTask, type RunnerTestFile, type RunnerTestSuite, TestRunner } from 'vitest';

/** One mutant in one file of tests. */
export interface Essai {
  /** undefined: none, the tests have to pass */
  readonly mutant: string | undefined;
  /** only these; none: all */
  readonly tests: readonly string[];
  /** a mutant that is met more often has made an endless loop */
  readonly limite: number;
}

interface Espace {
  activeMutant?: string;
  currentTestId?: string;
  hitCount?: number | undefined;
  hitLimit?: number;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
}
interface Etat {
  essai?: Essai & { readonly cle: string };
  readonly morts: Set<string>;
}
const scope = globalThis as unknown as { __stryker__?: Espace; __mutation__?: Etat };
scope.__stryker__ ??= {};
scope.__mutation__ ??= { morts: new Set() };
const ns = scope.__stryker__;
const etat = scope.__mutation__;
ns.activeMutant ??= '';

/** Called by an entry before it imports its tests. @returns false: the mutant is dead already */
export function ouvrir(cle: string, essai: Essai): boolean {
  if (essai.mutant !== undefined && etat.morts.has(essai.mutant)) return false;
  etat.essai = { ...essai, cle };
  ns.activeMutant = essai.mutant ?? '';
  ns.hitCount = 0;
  ns.hitLimit = essai.limite;
  noter({ cle, debut: true });
  return true;
}

export function nomDe(task: RunnerTask): string {
  const names: string[] = [];
  for (let at: RunnerTask | undefined = task; at && at.type !== undefined; at = at.suite)
    names.unshift(at.name);
  return names.join(' › ');
}

function testsDe(suite: RunnerTestSuite | RunnerTestFile): RunnerTask[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? testsDe(task) : [task]));
}

function noter(line: unknown): void {
  appendFileSync(process.env['ATELIER_MUTATION_NOTES']!, `${JSON.stringify(line)}\n`);
}

export default class Coureur extends TestRunner {
  #echec: string | undefined;

  onBeforeCollect(): void {
    this.#echec = undefined;
    ns.currentTestId = '@import';
  }

  onCollected(files: RunnerTestFile[]): void {
    ns.currentTestId = '@autour';
    const { essai } = etat;
    if (!essai || essai.tests.length === 0) return;
    for (const file of files)
      for (const task of testsDe(file))
        if (task.mode === 'run' && !essai.tests.includes(nomDe(task))) task.mode = 'skip';
  }

  override async onBeforeRunTask(test: RunnerTask): Promise<void> {
    // The first that notices is enough.
    if (etat.essai?.mutant !== undefined && this.#echec !== undefined) test.mode = 'skip';
    ns.currentTestId = nomDe(test);
    await super.onBeforeRunTask(test as never);
  }

  override onAfterRunTask(test: RunnerTask): void {
    super.onAfterRunTask(test as never);
    if (test.result?.state === 'fail') this.#echec ??= nomDe(test);
    ns.currentTestId = '@autour';
  }

  override onAfterRunFiles(files: RunnerTestFile[]): void {
    super.onAfterRunFiles(files as never);
    for (const file of files) {
      const failed = file.result?.state === 'fail';
      const error = (file.result?.errors ?? [])[0]?.message ?? premiere(file);
      if (etat.essai) {
        const { cle, mutant } = etat.essai;
        if (failed && mutant !== undefined) etat.morts.add(mutant);
        noter({ cle, mutant, echec: failed, par: this.#echec, erreur: error?.slice(0, 200) });
      } else {
        const perTest = ns.mutantCoverage?.perTest ?? {};
        const order = testsDe(file).map(nomDe);
        noter({
          fichier: file.filepath,
          echec: failed,
          erreur: error?.slice(0, 300),
          par: this.#echec,
          order,
          perTest,
        });
      }
    }
    delete etat.essai;
    ns.activeMutant = '';
    ns.hitCount = undefined;
  }
}

function premiere(suite: RunnerTestSuite | RunnerTestFile): string | undefined {
  for (const task of suite.tasks) {
    const own = task.result?.errors?.[0]?.message ?? (task.type === 'suite' ? premiere(task) : undefined);
    if (own !== undefined) return own;
  }
  return undefined;
}
