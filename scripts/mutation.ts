// Changes the program in one place after the other and sees whether a test notices (docs/decisions/0036).
//
//   npm run mutation -- [domaine | src/fichier.ts]… [--survivants | --encore] [--au-plus=n] [--bilan]
//
// --survivants tries again only what no test noticed, --encore only what was not tried; --au-plus tries at most n of a
// file, evenly spread; --bilan writes the figures from what has been tried.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ecrireBilan } from './mutation/bilan.ts';
import { DOMAINES, type Groupe } from './mutation/domaines.ts';
import { type Essaye, essayer } from './mutation/essayer.ts';
import type { Mutant } from './mutation/instrumenter.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
/** What was found, one file a source; not committed. */
const store = `${root}/.atelier/mutation`;

const args = process.argv.slice(2);
const again = args.includes('--survivants');
const more = args.includes('--encore');
const most = Number(args.find((arg) => arg.startsWith('--au-plus='))?.slice('--au-plus='.length) ?? Infinity);
const wanted = args.filter((arg) => !arg.startsWith('--'));

if (!args.includes('--bilan')) {
  await mkdir(`${store}/resultats`, { recursive: true });
  const groupes = Object.entries(DOMAINES).flatMap(([domaine, own]) =>
    own.map((groupe) => {
      const whole = wanted.length === 0 || wanted.includes(domaine);
      return { ...groupe, sources: groupe.sources.filter((source) => whole || wanted.includes(source)) };
    }),
  );
  const some = groupes.filter(({ sources }) => sources.length > 0);
  const enMemoire = ({ tests }: Groupe): boolean => tests.every((test) => test.startsWith('test/unit/'));
  await ensemble(some.filter(enMemoire));
  for (const groupes of quiPartagent(some.filter((groupe) => !enMemoire(groupe)))) await ensemble(groupes);
}
process.exitCode = await ecrireBilan(root, store);

/** Groups with a file of tests in common go together: what it gets to is looked at once. */
function quiPartagent(groupes: readonly Groupe[]): Groupe[][] {
  const found: Groupe[][] = [];
  for (const groupe of groupes) {
    const shares = (other: Groupe): boolean => other.tests.some((test) => groupe.tests.includes(test));
    const near = found.filter((others) => others.some(shares));
    for (const others of near) found.splice(found.indexOf(others), 1);
    found.push([...near.flat(), groupe]);
  }
  return found;
}

async function ensemble(groupes: readonly Groupe[]): Promise<void> {
  const sources = groupes.flatMap((groupe) => groupe.sources);
  if (sources.length === 0) return;
  const before = new Map<string, readonly Essaye[]>();
  for (const source of sources) before.set(source, again || more ? await lus(source) : []);
  const same = (one: Mutant) => (old: Mutant) => old.code === one.code && old.mutation === one.mutation;
  const chosen = (mutant: Mutant): boolean => {
    const old = before.get(mutant.fichier)!.filter(same(mutant));
    return again ? old.some(({ etat }) => etat === 'survit') : old.length === 0;
  };
  const found = await essayer(root, store, groupes, chosen, most);
  for (const source of sources) {
    const own = found.filter(({ fichier }) => fichier === source);
    // Several of one line may read the same: all of them have been tried again.
    const rest = before.get(source)!.filter((old) => !own.some(same(old)));
    await writeFile(fichierDe(source), `${JSON.stringify([...rest, ...own], undefined, 1)}\n`);
    const left = own.filter(({ etat }) => etat === 'survit');
    console.log(`${source} : ${own.length} mutants essayés, ${left.length} survivent`);
    for (const { ligne, code, mutation } of left) console.log(`  ${ligne}: ${code}\n      ${mutation}`);
  }
}

function fichierDe(source: string): string {
  return `${store}/resultats/${source.replaceAll('/', '-')}.json`;
}

async function lus(source: string): Promise<readonly Essaye[]> {
  const text = await readFile(fichierDe(source), 'utf8').catch(() => '[]');
  return JSON.parse(text) as Essaye[];
}
