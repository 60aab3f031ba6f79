import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { parse } from 'acorn';

/** A regular expression that stands in the program. */
export interface Expression {
  /** file below `src/`, with slashes */
  readonly file: string;
  readonly source: string;
  readonly flags: string;
}

interface Node {
  readonly type: string;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly callee?: { readonly name?: string };
}

/** All regular expressions that stand in `src/`, and the files that make some at run time. */
export function expressionsOf(root: string): {
  readonly written: readonly Expression[];
  readonly made: readonly string[];
} {
  const written: Expression[] = [];
  const made = new Set<string>();
  const walk = (value: unknown, file: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const node = value as Node;
    if (node.type === 'Literal' && node.regex) {
      written.push({ file, source: node.regex.pattern, flags: node.regex.flags });
    }
    if (/^(?:New|Call)Expression$/.test(node.type ?? '') && node.callee?.name === 'RegExp') made.add(file);
    for (const child of Object.values(value)) walk(child, file);
  };
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.ts')) continue;
    const code = stripTypeScriptTypes(readFileSync(join(root, name), 'utf8'));
    walk(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), name.replaceAll('\\', '/'));
  }
  return { written, made: [...made] };
}
