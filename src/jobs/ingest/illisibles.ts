import { effacerErreurs, saveErreur } from '../../postgres/journaux/fichiers.ts';
import { MAX_PATH } from '../../sources/source.ts';
import { type Centre, rememberErreur } from './centres.ts';
import type { IngestContext } from './context.ts';

/** Paths that cannot be read, or are passed over: told once, noted in the database, taken out of it when that is over. */
export class Illisibles {
  readonly #ctx: Pick<IngestContext, 'logger' | 'pool'>;
  readonly #aBlanc: boolean;
  /** what was told, by path: once is enough */
  readonly #told = new Map<string, string>();
  /** of the scan under way: paths that cannot be read, and centres that were listed for certain */
  readonly #now = new Set<string>();
  readonly #listes = new Set<Centre>();

  constructor(ctx: Pick<IngestContext, 'logger' | 'pool'>, aBlanc: boolean) {
    this.#ctx = ctx;
    this.#aBlanc = aBlanc;
  }

  /** A scan of the whole source begins. */
  commencer(): void {
    this.#now.clear();
    this.#listes.clear();
  }

  /** This scan meets every file of a centre, but for those that it cannot read. */
  lister(centre: Centre): void {
    this.#listes.add(centre);
  }

  /** Passed over on purpose. */
  ecarter(chemin: string, raison: string): void {
    if (this.#isNews(chemin, raison)) this.#ctx.logger.warn({ fichier: chemin, raison }, 'écarté');
  }

  async noter(centre: Centre, chemin: string, raison: string): Promise<void> {
    this.#now.add(chemin);
    if (!this.#isNews(chemin, raison)) return;
    this.#ctx.logger.error({ centre: centre.nom, fichier: chemin, erreur: raison }, 'fichier illisible');
    if (this.#aBlanc || chemin.length > MAX_PATH) return;
    await saveErreur(this.#ctx.pool, centre.id, chemin, raison);
    rememberErreur(centre, chemin);
  }

  /** The path was read: when it fails again, that is news. */
  lire(chemin: string): void {
    this.#told.delete(chemin);
  }

  /** The scan has ended: folders that can be looked into again, and files that are gone unread, are no errors any more. */
  async terminer(): Promise<void> {
    if (this.#aBlanc) return;
    for (const centre of this.#listes) {
      const over = [...centre.connus.values()]
        .filter(
          ({ chemin, etat, tailles }) => etat === 'erreur' && tailles.length === 0 && !this.#isHidden(chemin),
        )
        .map(({ chemin }) => chemin);
      if (over.length === 0) continue;
      await effacerErreurs(this.#ctx.pool, centre.id, over);
      for (const chemin of over) {
        centre.connus.delete(chemin);
        this.#told.delete(chemin);
      }
    }
  }

  /** Whether this scan could not read a path, or could not look where it is. */
  #isHidden(chemin: string): boolean {
    const parts = chemin.split('/');
    return parts.some((_, i) => this.#now.has(parts.slice(0, i + 1).join('/')));
  }

  #isNews(chemin: string, raison: string): boolean {
    if (this.#told.get(chemin) === raison) return false;
    this.#told.set(chemin, raison);
    return true;
  }
}
