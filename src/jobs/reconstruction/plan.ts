import type { CheminIndexe } from '../../archives/index-archives.ts';
import type { ArchiveTrouvee } from '../../archives/inventaire.ts';

/** Bytes that a path held, and where they are to be had. */
export interface ContenuDeChemin {
  readonly chemin: string;
  readonly archive: ArchiveTrouvee;
}

/** What is to be read again of one centre. */
export interface PlanDeCentre {
  readonly nom: string;
  /** id that the centre had: that of the folder with most of its archives */
  readonly id: number;
  /**
   * one after the other; in each a path occurs once. Shorter bytes come first, so that those which go on from others
   * take their place, as they did.
   */
  readonly passages: readonly (readonly ContenuDeChemin[])[];
  /** bytes that no longer count at their path */
  readonly remplacees: readonly ContenuDeChemin[];
}

/** Archives and index to what must be read again, centre by centre, by name. */
export function planifier(
  archives: readonly ArchiveTrouvee[],
  index: readonly CheminIndexe[],
): PlanDeCentre[] {
  const plans: PlanDeCentre[] = [];
  for (const [nom, own] of groupBy(archives, (archive) => archive.centre)) {
    const bySha = new Map(own.map((archive) => [archive.sha256, archive]));
    const paths = new Map<string, Set<string>>();
    const hold = (chemin: string, sha256: string): void => {
      if (!bySha.has(sha256)) return;
      const shas = paths.get(chemin) ?? new Set();
      paths.set(chemin, shas.add(sha256));
    };
    for (const { chemin, sha256 } of own) hold(chemin, sha256);
    const aside = new Map<string, ReadonlySet<string>>();
    for (const { centre, chemin, liens, remplacees } of index) {
      if (centre !== nom) continue;
      for (const sha of liens) hold(chemin, sha);
      aside.set(chemin, remplacees);
    }
    const passages: ContenuDeChemin[][] = [];
    const remplacees: ContenuDeChemin[] = [];
    for (const [chemin, shas] of [...paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const contents = [...shas]
        .map((sha) => ({ chemin, archive: bySha.get(sha)! }))
        .sort(
          (a, b) => a.archive.taille - b.archive.taille || (a.archive.sha256 < b.archive.sha256 ? -1 : 1),
        );
      const active = contents.filter(({ archive }) => !aside.get(chemin)?.has(archive.sha256));
      for (const [i, content] of active.entries()) {
        const passage = passages[i];
        if (passage) passage.push(content);
        else passages.push([content]);
      }
      remplacees.push(...contents.filter((content) => !active.includes(content)));
    }
    plans.push({ nom, id: usualFolder(own), passages, remplacees });
  }
  return plans.sort((a, b) => a.id - b.id || (a.nom < b.nom ? -1 : 1));
}

function usualFolder(archives: readonly ArchiveTrouvee[]): number {
  const counts = [...groupBy(archives, (archive) => archive.centreId)].map(
    ([id, own]) => [id, own.length] as const,
  );
  return counts.sort(([a, n], [b, m]) => m - n || a - b)[0]![0];
}

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
