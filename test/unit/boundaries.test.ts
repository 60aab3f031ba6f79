// The house as docs/architecture says it: which room may import which, and a few habits of its files.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');

interface Room {
  /** rooms, or single files, that may be imported */
  readonly may: readonly string[];
  /** rooms of which types may be imported, nothing that runs */
  readonly types?: readonly string[];
  /** whether npm packages may be imported */
  readonly npm: boolean;
}
const ROOMS: Readonly<Record<string, Room>> = {
  base: { may: [], npm: true },
  domain: { may: ['base/errors', 'base/time'], npm: false },
  sources: { may: ['base'], types: ['domain'], npm: true },
  postgres: { may: ['base'], types: ['domain'], npm: true },
  archives: { may: ['base'], npm: true },
  jobs: { may: ['base', 'domain', 'sources', 'postgres', 'archives'], npm: true },
  api: { may: ['base', 'domain', 'postgres', 'archives'], npm: true },
  embedded: { may: ['base', 'domain'], npm: true },
  cli: { may: ['base', 'domain', 'sources', 'postgres', 'archives', 'jobs', 'api', 'embedded'], npm: true },
};

const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
const sources = files.filter((file) => file.endsWith('.ts'));
const text = (file: string): string => readFileSync(join(SRC, file), 'utf8');

interface Import {
  readonly target: string;
  readonly typesOnly: boolean;
}

/** Every static and dynamic import of a module, and every re-export. */
function importsOf(code: string): Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+['"]([^'"]+)['"]/gm;
  for (const [, type, names = '', target = ''] of code.matchAll(statement)) {
    const inside = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
    const each =
      inside
        ?.split(',')
        .map((name) => name.trim())
        .filter(Boolean) ?? [];
    const allTypes = each.length > 0 && each.every((name) => name.startsWith('type '));
    found.push({ target, typesOnly: type !== undefined || allTypes });
  }
  for (const [, target = ''] of code.matchAll(/^import\s+['"]([^'"]+)['"]/gm))
    found.push({ target, typesOnly: false });
  for (const [, target = ''] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    // `typeof import('…')` is a type, but nobody needs it: an import type says so more plainly.
    found.push({ target, typesOnly: false });
  }
  return found;
}

/** Why an import is not allowed, or undefined. */
function offence(file: string, { target, typesOnly }: Import): string | undefined {
  const room = file.split('/')[0]!;
  const rules = ROOMS[room];
  if (!rules) return `${file}: no such room: ${room}`;
  if (target.startsWith('node:')) return undefined;
  if (!target.startsWith('.')) return rules.npm ? undefined : `${file}: npm package ${target}`;
  const path = join(dirname(file), target).replaceAll('\\', '/');
  if (path.startsWith('..'))
    return path === '../package.json' ? undefined : `${file}: outside of src: ${target}`;
  const to = path.split('/')[0]!;
  if (to === room) return undefined;
  const allowed = rules.may.some((name) => name === to || `${name}.ts` === path);
  if (allowed || (typesOnly && rules.types?.includes(to))) return undefined;
  return `${file}: ${room} may not import ${path}`;
}

describe('rooms', () => {
  it('every import is one that the table of rooms allows', () => {
    const offences = sources.flatMap((file) =>
      importsOf(text(file)).flatMap((found) => offence(file, found) ?? []),
    );
    expect(offences).toEqual([]);
  });

  it('the test itself sees all forms of imports', () => {
    const code = [
      "import a from 'a';",
      "import type { B } from 'b';",
      "import {\n  type C,\n  type D,\n} from 'c';",
      "import { type E, f } from 'd';",
      "export { g } from 'e';",
      "export * from 'f';",
      "import 'g';",
      "const h = await import('h');",
    ].join('\n');
    const all = importsOf(code);
    expect(all.map(({ target }) => target).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(all.filter(({ typesOnly }) => typesOnly).map(({ target }) => target)).toEqual(['b', 'c']);
    expect(offence('domain/x.ts', { target: '../postgres/pool.ts', typesOnly: true })).toBeDefined();
    expect(offence('postgres/x.ts', { target: '../domain/y.ts', typesOnly: false })).toBeDefined();
    expect(offence('postgres/x.ts', { target: '../domain/y.ts', typesOnly: true })).toBeUndefined();
    expect(offence('jobs/x.ts', { target: '../cli/y.ts', typesOnly: true })).toBeDefined();
  });

  it('every import of a file of ours names it with its ending', () => {
    const without = sources.flatMap((file) =>
      importsOf(text(file)).flatMap(({ target }) =>
        target.startsWith('.') && !/\.(ts|json)$/.test(target) ? [`${file}: ${target}`] : [],
      ),
    );
    expect(without).toEqual([]);
  });
});

describe('habits', () => {
  it('the environment is read in base/config.ts only', () => {
    const readers = sources.filter((file) =>
      /\bprocess\s*\.\s*env\b|['"](node:)?process['"]/.test(text(file)),
    );
    expect(readers).toEqual(['base/config.ts']);
  });

  it('names are kebab-case, and there are no barrels', () => {
    const odd = files.filter(
      // A README is found by its name.
      (file) =>
        basename(file) !== 'README.md' &&
        !file.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?$/.test(part)),
    );
    expect(odd).toEqual([]);
    expect(files.filter((file) => basename(file).startsWith('index.'))).toEqual([]);
  });

  it('no file has more than 400 lines', () => {
    expect(files.filter((file) => text(file).split('\n').length > 401)).toEqual([]);
  });
});
