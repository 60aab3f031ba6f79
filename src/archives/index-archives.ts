import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { ajouterLignes } from './ajout.ts';

const NAME = 'index.jsonl';

/**
 * What an archive does not say of itself: each names the path where its bytes were first seen, nothing more.
 * `centre` is a name, `chemin` relative to LOGS_DIR, hashes are lower-case hexadecimal.
 */
export type EntreeIndex =
  /** these bytes were seen at this path, too */
  | { readonly genre: 'lien'; readonly centre: string; readonly chemin: string; readonly sha256: string }
  /** what the bytes seen at a path count for from now on (`ingest --replace`) */
  | {
      readonly genre: 'etats';
      readonly centre: string;
      readonly chemin: string;
      readonly actives: readonly string[];
      readonly remplacees: readonly string[];
    };

/** What the index says of one path. */
export interface CheminIndexe {
  readonly centre: string;
  readonly chemin: string;
  /** SHA-256 of bytes that the path held besides those whose archive names it */
  readonly liens: ReadonlySet<string>;
  /** SHA-256 of bytes that no longer count there */
  readonly remplacees: ReadonlySet<string>;
}

/**
 * `ARCHIVES_DIR/index.jsonl`: with it the archives alone are enough to rebuild the tables. One JSON object a line, only
 * ever added to; most imports add nothing. A line is on the disk before the transaction that it tells about commits.
 */
export class IndexArchives {
  readonly path: string;
  readonly #dir: string;

  /** @param racine ARCHIVES_DIR */
  constructor(racine: string) {
    this.#dir = racine;
    this.path = join(racine, NAME);
  }

  /** Adds entries; they are on the disk when this returns. @throws AtelierError ATL_L203 */
  async ajouter(entrees: readonly EntreeIndex[], maintenant = Date.now()): Promise<void> {
    if (entrees.length === 0) return;
    const le = new Date(maintenant).toISOString();
    const text = entrees.map((entree) => `${JSON.stringify({ ...entree, le })}\n`).join('');
    try {
      await ajouterLignes(this.#dir, NAME, text);
    } catch (cause) {
      throw new AtelierError('ATL_L203', `Écriture de ${this.path} : ${messageOf(cause)}`, { cause });
    }
  }

  /** What is known of each path. Lines that were cut short are passed over. @throws AtelierError ATL_L203 */
  async lire(): Promise<CheminIndexe[]> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return [];
      throw new AtelierError('ATL_L203', `Lecture de ${this.path} : ${messageOf(cause)}`, { cause });
    }
    const entries = text.split('\n').flatMap((line) => parse(line));
    // A restoration unites two states of the file: then lines do not lie in the order of time.
    entries.sort((a, b) => (a.le < b.le ? -1 : a.le > b.le ? 1 : 0));
    const paths = new Map<string, CheminIndexe & { liens: Set<string>; remplacees: Set<string> }>();
    for (const entry of entries) {
      const { centre, chemin } = entry;
      const key = `${centre}\n${chemin}`;
      const path = paths.get(key) ?? { centre, chemin, liens: new Set(), remplacees: new Set() };
      paths.set(key, path);
      if (entry.genre === 'lien') {
        path.liens.add(entry.sha256);
        continue;
      }
      for (const sha of entry.remplacees) {
        path.liens.add(sha);
        path.remplacees.add(sha);
      }
      for (const sha of entry.actives) {
        path.liens.add(sha);
        path.remplacees.delete(sha);
      }
    }
    return [...paths.values()];
  }
}

function parse(line: string): (EntreeIndex & { le: string })[] {
  if (line === '') return [];
  try {
    const entry = JSON.parse(line) as EntreeIndex & { le: string };
    return typeof entry.centre === 'string' && typeof entry.chemin === 'string' ? [entry] : [];
  } catch {
    return [];
  }
}
