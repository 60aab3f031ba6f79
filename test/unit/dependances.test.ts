// S31: what is installed is what the lock file says, from the one registry, under licences that may be used.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly inBundle?: boolean;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8'));
const lock = read('package-lock.json') as { lockfileVersion: number; packages: Record<string, Locked> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Licences that a program under MIT may use and pass on without further duties than to name them. */
const LICENCES = new Set([
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
  ...['Unlicense', 'CC0-1.0', 'PostgreSQL', 'Python-2.0'],
]);

/** Packages that state no licence in the lock file; the text that comes with them is that of MIT. */
const SANS_MENTION: Readonly<Record<string, string>> = {
  buildcheck: 'MIT',
  'cpu-features': 'MIT',
  ssh2: 'MIT',
};

test('every package comes from the public registry, under its checksum', () => {
  expect(lock.lockfileVersion).toBe(3);
  expect(packages.length).toBeGreaterThan(100);
  const odd = packages
    // Our own client, and what is packed inside another package under that one's checksum.
    .filter(([path, { link, inBundle }]) => !link && !inBundle && path !== 'test/client')
    .filter(
      // Without an address the registry of the installation is asked; the checksum is the same everywhere.
      ([, { resolved, integrity }]) =>
        (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')) ||
        !/^sha512-/.test(integrity ?? ''),
    );
  expect(odd.map(([path]) => path)).toEqual([]);
});

test('no dependency is asked for as an address, a repository or anything that moves', () => {
  const { dependencies, devDependencies } = read('package.json') as Record<string, Record<string, string>>;
  const asked = Object.entries({ ...dependencies, ...devDependencies });
  const odd = asked.filter(
    ([name, version]) => !/^[~^]?\d+\.\d+\.\d+/.test(version) && name !== 'atelier-client-essai',
  );
  expect(odd).toEqual([]);
});

test('what is installed with the program is under a licence that may be passed on', () => {
  const odd: string[] = [];
  for (const [path, { dev, link, license }] of packages) {
    if (dev || link || path === 'test/client') continue;
    const said = license ?? SANS_MENTION[path.replace(/^.*node_modules\//, '')];
    // One of several that are offered is enough.
    const offered = (said ?? '').replaceAll(/[()]/g, '').split(' OR ');
    if (!offered.some((one) => LICENCES.has(one))) odd.push(`${path} : ${said ?? 'aucune'}`);
  }
  expect(odd).toEqual([]);
});
