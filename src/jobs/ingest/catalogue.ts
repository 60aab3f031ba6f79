import type { AutreEvenement } from '../../domain/journal/events.ts';
import {
  addTypesEvenement,
  loadVersions,
  refreshTypesEvenement,
  type VersionRow,
} from '../../postgres/journaux/versions.ts';
import type { Client } from '../../postgres/pool.ts';
import type { Nouvelle } from './nouvelles-versions.ts';

/** What versions were and are, as far as the catalogue is concerned. */
interface ChangedVersions {
  /** versions that were continued, as they were */
  readonly before: readonly VersionRow[];
  /** what is written instead of them, or anew */
  readonly written: Iterable<Nouvelle>;
}

/** What a change of versions does to the catalogue of other events (`type_evenement`). */
interface CatalogueChange {
  /** what names get */
  readonly added: ReadonlyMap<string, AutreEvenement>;
  /** names that lose something: what is left of them is known only by counting again over all versions */
  readonly shrunk: ReadonlySet<string>;
}

/** What of the catalogue changes with versions; most growth brings nothing new. */
function catalogueChange({ before, written }: ChangedVersions): CatalogueChange {
  const added = new Map<string, AutreEvenement>();
  for (const { contenu } of written) {
    for (const [nom, entry] of contenu.reading.autres) add(added, nom, entry);
  }
  const shrunk = new Set<string>();
  for (const row of before) {
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
  return { added, shrunk };
}

/**
 * Keeps the catalogue true after versions changed. To be called when their rows are written: names that lose something
 * are counted again over all of them.
 *
 * @param recompute versions that began or ceased to count
 */
export async function updateCatalogue(
  client: Client,
  centreId: number,
  versions: ChangedVersions & { readonly recompute: readonly number[] },
): Promise<void> {
  const { added, shrunk } = catalogueChange(versions);
  const names = new Set(shrunk);
  for (const row of await loadVersions(client, versions.recompute)) {
    for (const nom of Object.keys(row.autres_evenements)) names.add(nom);
  }
  await addTypesEvenement(client, centreId, new Map([...added].filter(([nom]) => !names.has(nom))));
  await refreshTypesEvenement(client, centreId, [...names]);
}

/**
 * Adds to the catalogue what versions bring, whether their rows are written yet or not.
 *
 * @returns false when a name loses something: nothing was done, {@link updateCatalogue} counts again
 */
export async function growCatalogue(
  client: Client,
  centreId: number,
  versions: ChangedVersions,
): Promise<boolean> {
  const { added, shrunk } = catalogueChange(versions);
  if (shrunk.size > 0) return false;
  await addTypesEvenement(client, centreId, added);
  return true;
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
