import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { DOMAINES, SEUIL } from './domaines.ts';
import type { Essaye } from './essayer.ts';
import { EXPLIQUES } from './survivants.ts';

/** Figures of one source, as last tried. */
export interface Chiffres {
  readonly mutants: number;
  /** how many there are, of which `mutants` were tried */
  readonly parmi: number;
  /** a test failed, or did not end (`delais` of them) */
  readonly tues: number;
  readonly delais: number;
  readonly survivants: number;
  /** survivors that `survivants.ts` explains */
  readonly expliques: number;
}

const RESULTATS = 'scripts/mutation/resultats.json';

/** Figures that are committed, by source. */
export function lireResultats(root: string): Readonly<Record<string, Chiffres>> {
  return JSON.parse(readFileSync(`${root}/${RESULTATS}`, 'utf8')) as Record<string, Chiffres>;
}

/** Figures of an area; undefined when none of its sources was tried. */
export function chiffresDe(
  domaine: string,
  resultats: Readonly<Record<string, Chiffres>>,
): (Chiffres & { readonly sources: number; readonly part: number }) | undefined {
  const own = DOMAINES[domaine]!.flatMap(({ sources }) => sources).flatMap((name) => resultats[name] ?? []);
  if (own.length === 0) return undefined;
  const sum = (what: keyof Chiffres): number => own.reduce((total, one) => total + one[what], 0);
  const [mutants, tues] = [sum('mutants'), sum('tues')];
  const part = Math.floor((1000 * tues) / mutants) / 10;
  return {
    ...{ sources: own.length, mutants, parmi: sum('parmi'), tues, part, delais: sum('delais') },
    ...{ survivants: sum('survivants'), expliques: sum('expliques') },
  };
}

/** The section of the page of conformity. */
export function sectionMutation(root: string): string[] {
  const resultats = lireResultats(root);
  const lines = Object.keys(DOMAINES).map((domaine) => {
    const c = chiffresDe(domaine, resultats);
    const all = DOMAINES[domaine]!.flatMap(({ sources }) => sources).length;
    return c
      ? `| ${domaine} | ${c.sources} sur ${all} | ${c.mutants} sur ${c.parmi} | ${c.tues} | ${c.survivants} | ${c.expliques} | ${String(c.part).replace('.', ',')} % |`
      : `| ${domaine} | 0 sur ${all} | - | - | - | - | pas encore mesuré |`;
  });
  return [
    '## Essais de mutation',
    '',
    'Le programme est changé à un endroit après l’autre ; un essai doit s’en apercevoir (`npm run mutation`,',
    `docs/decisions/0036-mutation.md). Il en faut ${SEUIL} % par domaine. Chiffres du dernier passage qui a été enregistré ;`,
    'où moins de changements ont été essayés qu’il n’y en a, ils sont répartis également sur chaque fichier.',
    '',
    '| domaine | fichiers | changements | aperçus | inaperçus | dont expliqués | part aperçue |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
  ];
}

/**
 * Puts what was tried into the committed figures, and says what is left to explain.
 *
 * @returns 1 when an area is below the threshold or a survivor is not explained
 */
export async function ecrireBilan(root: string, store: string): Promise<number> {
  const resultats: Record<string, Chiffres> = { ...lireResultats(root) };
  let code = 0;
  for (const source of Object.values(DOMAINES).flatMap((groupes) => groupes.flatMap((one) => one.sources))) {
    const text = await readFile(`${store}/resultats/${source.replaceAll('/', '-')}.json`, 'utf8').catch(
      () => undefined,
    );
    if (text === undefined) continue;
    const all = JSON.parse(text) as Essaye[];
    const essayes = all.filter(({ etat }) => etat !== 'invalide');
    if (essayes.length === 0) continue;
    const left = essayes.filter(({ etat }) => etat === 'survit');
    const unexplained = left.filter((one) => !explique(one));
    for (const { ligne, code: line, mutation, par } of unexplained) {
      code = 1;
      console.log(`inexpliqué : ${source}:${ligne} ${line}\n    ${mutation} ${par}`);
    }
    resultats[source] = {
      mutants: essayes.length,
      parmi: Math.max(...all.map(({ parmi }) => parmi)) - (all.length - essayes.length),
      tues: essayes.length - left.length,
      delais: essayes.filter(({ etat }) => etat === 'delai').length,
      survivants: left.length,
      expliques: left.length - unexplained.length,
    };
  }
  const sorted = Object.fromEntries(Object.entries(resultats).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(`${root}/${RESULTATS}`, `${JSON.stringify(sorted, undefined, 2)}\n`);
  for (const domaine of Object.keys(DOMAINES)) {
    const chiffres = chiffresDe(domaine, resultats);
    if (!chiffres) continue;
    if (chiffres.part < SEUIL) code = 1;
    console.log(`${domaine} : ${chiffres.tues} sur ${chiffres.mutants}, ${chiffres.part} %`);
  }
  return code;
}

function explique({ fichier, code, mutation }: Essaye): boolean {
  return EXPLIQUES.some(
    (one) => one.fichier === fichier && one.code === code && mutation.startsWith(one.mutation),
  );
}
