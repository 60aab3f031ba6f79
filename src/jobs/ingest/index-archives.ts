import { type EntreeIndex, IndexArchives } from '../../archives/index-archives.ts';
import { etatsDesChemins } from '../../postgres/journaux/index-archives.ts';
import type { Client } from '../../postgres/pool.ts';
import type { IngestContext } from './context.ts';
import type { Lecture } from './lecture.ts';

/**
 * Notes beside the archives what they do not say of themselves: second paths of the same bytes, and what
 * `--replace` put aside. To be called at the end of the transaction that registers it.
 */
export async function noterIndex(
  ctx: Pick<IngestContext, 'archive'>,
  client: Client,
  centre: { readonly id: number; readonly nom: string },
  change: {
    /** readings whose archive names another path, or may */
    readonly liees: readonly Lecture[];
    /** paths whose older bytes were put aside */
    readonly remplacer: ReadonlySet<string>;
  },
): Promise<void> {
  const { liees, remplacer } = change;
  if (liees.length === 0 && remplacer.size === 0) return;
  const entrees: EntreeIndex[] = liees.map(({ fichier, sha256 }) => ({
    genre: 'lien',
    centre: centre.nom,
    chemin: fichier.chemin,
    sha256,
  }));
  for (const etats of await etatsDesChemins(client, centre.id, [...remplacer]))
    entrees.push({ genre: 'etats', centre: centre.nom, ...etats });
  await new IndexArchives(ctx.archive.root).ajouter(entrees);
}
