// O18: failure -> rule -> runbook section -> metric -> setting, each of which exists.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALERTES_SETTINGS } from '../../src/base/config/alertes.ts';
import { SETTINGS } from '../../src/base/config/settings.ts';
import { NOMS_REGLES, REGLES } from '../../src/domain/alertes/regles.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/alertes.md'), 'utf8');
const [intro = '', runbook = ''] = page.split('\n# Les règles\n');
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
);
const code = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n');

describe('O18 docs/alertes.md', () => {
  it('has a section for each rule and none for anything else', () => {
    expect([...sections.keys()]).toEqual(NOMS_REGLES);
  });

  it.each(NOMS_REGLES)('%s: what it means, what to do, how it ends, metrics that exist', (regle) => {
    const text = sections.get(regle) ?? '';
    for (const part of ['**Veut dire** :', '**Métriques** :', '\n1. ', '**Finit** '])
      expect(text).toContain(part);
    const metrics = [...text.matchAll(/`(atelier_[a-z_]+)`/g)].map(([, name]) => name!);
    expect(metrics).not.toEqual([]);
    expect(metrics.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });

  it('names settings that exist, and all of those of alerts', () => {
    const known = new Set(SETTINGS.map(({ name }) => name));
    const named = [
      ...page.matchAll(/`((?:ALERTE|SMTP|CRON|LOGS|ARCHIVES|SYNC_LOGS|ATELIER)_[A-Z_]*[A-Z])[`=]/g),
    ].map(([, n]) => n!);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    const missing = ALERTES_SETTINGS.filter(
      ({ name }) => !name.startsWith('SMTP_') && !intro.includes(`\`${name}\``),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('names commands that exist, as do the hints of the rules', () => {
    const commands = readFileSync(join(ROOT, 'src/cli/commands.ts'), 'utf8');
    const texts = [page, ...Object.values(REGLES).map(({ conseil }) => conseil)].join('\n');
    const named = new Set([...texts.matchAll(/npx atelier ([a-z]+)/g)].map(([, name]) => name!));
    expect([...named].filter((name) => !new RegExp(`^  ${name}: `, 'm').test(commands))).toEqual([]);
  });

  it('links lead somewhere', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('https:')) continue;
      if (target.startsWith('#')) expect([...sections.keys()]).toContain(target.slice(1));
      else expect(() => readFileSync(join(ROOT, 'docs', target))).not.toThrow();
    }
  });
});
