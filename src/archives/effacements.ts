import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { ajouterLignes } from './ajout.ts';

/**
 * A centre as entries name it: by the id and instant (ISO 8601) of its row, which a backup has too, whatever it is called
 * there; and by name, for a database that was rebuilt.
 */
export interface CentreEfface {
  readonly id: number;
  readonly cree?: string | undefined;
  readonly nom: string;
}

/** What of a day went. */
export type PartDeJour = 'details' | 'session' | 'archives' | 'quarantaine';

/** Something that was erased and must stay so after an older backup is restored: ids, days and kinds, nothing personal. */
export type Effacement =
  /** days (`YYYY-MM-DD`) of a centre that lost a part */
  | {
      readonly genre: 'jours';
      readonly part: PartDeJour;
      readonly centre: CentreEfface;
      readonly jours: readonly string[];
    }
  /** bytes that left the archive, by SHA-256 (hexadecimal) */
  | { readonly genre: 'archives'; readonly centre: CentreEfface; readonly sha256: readonly string[] }
  /** rows of a kind older than an instant (ISO 8601) */
  | { readonly genre: 'anciens'; readonly categorie: string; readonly avant: string }
  /** an account that was deleted or forgotten, by its random id */
  | { readonly genre: 'compte'; readonly id: string };

/** An entry as it is read back, with the instant at which it was written. */
export type EffacementDate = Effacement & { readonly le: string };

const NAME = 'effacements.jsonl';

/**
 * The journal of erasures: `ARCHIVES_DIR/effacements.jsonl`, one JSON object a line, only ever added to. It lies outside
 * the database so that restoring an older one does not bring back what was erased since (R16). An entry is on the disk
 * before the transaction that it tells about commits: better one erasure announced too often than one forgotten.
 */
export class Effacements {
  readonly path: string;
  readonly #dir: string;

  /** @param racine ARCHIVES_DIR */
  constructor(racine: string) {
    this.#dir = racine;
    this.path = join(racine, NAME);
  }

  /**
   * Adds an entry; it is on the disk when this returns.
   *
   * @throws AtelierError ATL_R601
   */
  async ajouter(entree: Effacement, maintenant = Date.now()): Promise<void> {
    const line = `${JSON.stringify({ ...entree, le: new Date(maintenant).toISOString() })}\n`;
    try {
      await ajouterLignes(this.#dir, NAME, line);
    } catch (cause) {
      throw new AtelierError('ATL_R601', `Écriture de ${this.path} : ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * All entries, oldest first. A line that was cut short is passed over: its transaction cannot have committed.
   *
   * @throws AtelierError ATL_R601 when the file cannot be read (none at all is an empty journal)
   */
  async lire(): Promise<EffacementDate[]> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return [];
      throw new AtelierError('ATL_R601', `Lecture de ${this.path} : ${messageOf(cause)}`, { cause });
    }
    return lireEffacements(text);
  }
}

/** The entries in the text of a journal, as they lie. A line that was cut short is passed over. */
export function lireEffacements(text: string): EffacementDate[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as EffacementDate];
    } catch {
      return [];
    }
  });
}
