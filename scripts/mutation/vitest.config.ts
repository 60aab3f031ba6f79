import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** What `scripts/mutation.ts` left for this run. */
const plan = JSON.parse(readFileSync(process.env['ATELIER_MUTATION_PLAN']!, 'utf8')) as {
  readonly sources: Readonly<Record<string, string>>;
  readonly fichiers: readonly string[];
  readonly isoler: boolean;
  /** whether any of them asks for PostgreSQL */
  readonly base: boolean;
};

/** Gives out the sources that have their mutants in them. */
const mutants: Plugin = {
  name: 'mutants',
  enforce: 'pre',
  load: (id) => plan.sources[id.replace(/\?.*$/, '')],
};

class Ordre extends BaseSequencer {
  override sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const place = new Map(plan.fichiers.map((file, i) => [file, i]));
    return Promise.resolve(
      [...files].sort((a, b) => (place.get(a.moduleId) ?? 0) - (place.get(b.moduleId) ?? 0)),
    );
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  plugins: [mutants],
  test: {
    globalSetup: plan.base ? ['test/harness/global-setup.ts'] : [],
    include: [...plan.fichiers],
    // It knows a module by its text, not by what is made of it here.
    fsModuleCache: false,
    runner: fileURLToPath(new URL('coureur.ts', import.meta.url)),
    sequence: { sequencer: Ordre },
    // Endless loops are counted, not waited for: this is for a busy machine.
    testTimeout: plan.base ? 60_000 : 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
    // One worker for hundreds of mutants, unless what a module does when it is loaded is in question.
    isolate: plan.isoler,
    fileParallelism: false,
    reporters: ['dot'],
    dangerouslyIgnoreUnhandledErrors: true,
  },
});
