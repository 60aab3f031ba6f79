// Changes the program in one place after the other and sees whether a test notices (docs/decisions/0036).
//
//   npm run mutation -- [domaine | src/fichier.ts]… [--survivants] [--bilan]
//
// --survivants tries again only what no test noticed; --bilan writes the figures from what has been tried.

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
  for (const groupe of some) if (!enMemoire(groupe)) await ensemble([groupe]);
}
process.exitCode = await ecrireBilan(root, store);

async function ensemble(groupes: readonly Groupe[]): Promise<void> {
  const sources = groupes.flatMap((groupe) => groupe.sources);
  if (sources.length === 0) return;
  const before = new Map<string, readonly Essaye[]>();
  for (const source of sources) before.set(source, again ? await lus(source) : []);
  const survived = ({ fichier, code, mutation }: Mutant): boolean =>
    before
      .get(fichier)!
      .some((old) => old.code === code && old.mutation === mutation && old.etat === 'survit');
  const found = await essayer(root, store, groupes, (mutant) => !again || survived(mutant));
  for (const source of sources) {
    const own = found.filter(({ fichier }) => fichier === source);
    const rest = before.get(source)!.filter(({ etat }) => etat !== 'survit');
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
  return JSON.parse(await readFile(fichierDe(source), 'utf8')) as Essaye[];
}
