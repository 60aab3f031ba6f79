import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { estSql, mutantsSql } from './sql.ts';

/** One change of one place of a file. */
export interface Mutant {
  readonly id: string;
  /** from the root of the project */
  readonly fichier: string;
  readonly ligne: number;
  /** the line as it stands, without blanks around it */
  readonly code: string;
  /** kind, and what stands there instead */
  readonly mutation: string;
}

interface Noeud {
  readonly type: string;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
  readonly expressions?: readonly unknown[];
}
interface Chemin {
  readonly node: Noeud;
  readonly isStringLiteral: () => boolean;
  readonly isTemplateLiteral: () => boolean;
  readonly isCallExpression: () => boolean;
  readonly toString: () => string;
}
interface Mutateur {
  readonly name: string;
  readonly mutate: (path: Chemin) => Iterable<unknown>;
}

/** Files with all of their mutants in them, each behind a switch (`globalThis.__stryker__.activeMutant`). */
export async function instrumenter(
  root: string,
  names: readonly string[],
): Promise<{ sources: Record<string, string>; mutants: Mutant[] }> {
  await apprendreSql();
  const silence = (): void => undefined;
  const log = {
    ...{ trace: silence, debug: silence, info: silence, warn: silence, error: silence, fatal: silence },
    isDebugEnabled: () => false,
  };
  const texts = new Map<string, string>();
  for (const name of names) texts.set(name, await readFile(`${root}/${name}`, 'utf8'));
  const { files, mutants } = await new Instrumenter(log as never).instrument(
    [...texts].map(([name, content]) => ({ name: `${root}/${name}`, content, mutate: true as const })),
    { plugins: null, excludedMutations: [], ignorers: [{ shouldIgnore: sansEffet as never }] } as never,
  );
  const short = (name: string): string => name.slice(root.length + 1);
  return {
    sources: Object.fromEntries(files.map(({ name, content }) => [name, content])),
    mutants: mutants
      .filter(({ status }) => status !== 'Ignored')
      .map(({ id, fileName, location, mutatorName, replacement }) => ({
        id,
        fichier: short(fileName),
        ligne: location.start.line + 1,
        code: texts.get(short(fileName))!.split('\n')[location.start.line]!.trim(),
        mutation: `${mutatorName} : ${replacement!.replaceAll(/\s+/g, ' ')}`,
      })),
  };
}

/** What only the program's own log would show. */
function sansEffet(path: Chemin): string | undefined {
  if (!path.isCallExpression()) return undefined;
  return /^[\w.#?]*logger\.(debug|info|warn|error)\(/.test(path.toString()) ? 'journal' : undefined;
}

/**
 * Texts: of statements parts are changed, prose for people is left alone, words that mean something to programs are emptied
 * as Stryker does.
 */
async function apprendreSql(): Promise<void> {
  const inside = fileURLToPath(import.meta.resolve('@stryker-mutator/instrumenter'));
  const { allMutators } = (await import(inside.replace(/index\.js$/, 'mutators/mutate.js'))) as {
    allMutators: Mutateur[];
  };
  const at = allMutators.findIndex(({ name }) => name === 'StringLiteral');
  if (at < 0) return;
  const words = allMutators[at]!;
  allMutators[at] = {
    name: 'Texte',
    *mutate(path) {
      const template = path.isTemplateLiteral();
      if (!template && !path.isStringLiteral()) return;
      const parts = template ? path.node.quasis!.map(({ value }) => value.raw) : [String(path.node.value)];
      const text = parts.join('');
      if (estSql(text)) {
        for (const mutant of mutantsSql(parts)) yield gabarit(mutant, path.node.expressions ?? []);
      } else if (!/\s/.test(text)) yield* words.mutate(path);
    },
  };
}

function gabarit(parts: readonly string[], expressions: readonly unknown[]): unknown {
  const quasis = parts.map((raw, i) => ({
    type: 'TemplateElement',
    value: { raw, cooked: raw },
    tail: i === parts.length - 1,
  }));
  return { type: 'TemplateLiteral', quasis, expressions };
}
