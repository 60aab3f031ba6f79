import type { AutreEvenement } from '../../domain/journal/events.ts';
import {
  addTypesEvenement,
  loadVersions,
  refreshTypesEvenement,
  type VersionRow,
} from '../../postgres/journaux/versions.ts';
import type { Client } from '../../postgres/pool.ts';
import type { Nouvelle } from './nouvelles-versions.ts';

/**
 * Keeps the catalogue of other events (`type_evenement`) true after versions changed. What only grows is added;
 * names that lose something are counted again over all versions, which costs more.
 */
export async function updateCatalogue(
  client: Client,
  centreId: number,
  change: {
    /** versions that were continued, as they were */
    readonly before: readonly VersionRow[];
    readonly written: ReadonlyMap<Nouvelle, number>;
    /** versions that began or ceased to count */
    readonly recompute: readonly number[];
  },
): Promise<void> {
  const added = new Map<string, AutreEvenement>();
  for (const { contenu } of change.written.keys()) {
    for (const [nom, entry] of contenu.reading.autres) add(added, nom, entry);
  }
  const shrunk = new Set<string>();
  for (const row of change.before) {
    for (const [nom, [nombre, premier, dernier]] of Object.entries(row.autres_evenements)) {
      const entry = added.get(nom);
      if (entry && row.active) entry.nombre -= nombre;
      // A last line without an end may become another event as the file grows: as many may be left, at other times.
      const lost = !entry || entry.nombre < 0 || entry.premier > premier || entry.dernier < dernier;
      if (lost) shrunk.add(nom);
      // As many, at the same times: most growth brings nothing new.
      else if (row.active && entry.nombre === 0 && entry.premier === premier && entry.dernier === dernier)
        added.delete(nom);
    }
  }
  for (const row of await loadVersions(client, change.recompute)) {
    for (const nom of Object.keys(row.autres_evenements)) shrunk.add(nom);
  }
  for (const nom of shrunk) added.delete(nom);
  await addTypesEvenement(client, centreId, added);
  await refreshTypesEvenement(client, centreId, [...shrunk]);
}

function add(sum: Map<string, AutreEvenement>, nom: string, entry: AutreEvenement): void {
  const seen = sum.get(nom);
  if (!seen) {
    sum.set(nom, { ...entry });
    return;
  }
  seen.nombre += entry.nombre;
  seen.premier = Math.min(seen.premier, entry.premier);
  seen.dernier = Math.max(seen.dernier, entry.dernier);
}
