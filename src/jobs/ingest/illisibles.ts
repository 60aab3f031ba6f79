import { cheminsEnErreur, leverErreurs, saveErreur } from '../../postgres/journaux/fichiers.ts';
import { isLog } from '../../sources/noms.ts';
import { MAX_PATH } from '../../sources/source.ts';
import { type Centre, rememberErreur } from './centres.ts';
import type { IngestContext } from './context.ts';

/** Paths that cannot be read, or are passed over: told once, noted in the database, taken out of it when that is over. */
export class Illisibles {
  readonly #ctx: Pick<IngestContext, 'logger' | 'pool'>;
  readonly #aBlanc: boolean;
  readonly #ailleurs: boolean;
  /** what was told, by path: once is enough */
  readonly #told = new Map<string, string>();
  /** of the scan under way: paths that cannot be read, those passed over, and centres that were listed for certain */
  readonly #now = new Set<string>();
  readonly #passed = new Set<string>();
  readonly #listes = new Set<Centre>();
  /** folders of centres that are there, whether or not they are imported; those of the scan before */
  #dossiers = new Set<string>();
  #avant = '';

  constructor(
    ctx: Pick<IngestContext, 'logger' | 'pool'>,
    { aBlanc, ailleurs }: { aBlanc: boolean; ailleurs: boolean },
  ) {
    this.#ctx = ctx;
    this.#aBlanc = aBlanc;
    this.#ailleurs = ailleurs;
  }

  /** A scan of the whole source begins. */
  commencer(): void {
    this.#now.clear();
    this.#passed.clear();
    this.#listes.clear();
    this.#dossiers = new Set();
  }

  /** A centre's folder is there. */
  voirDossier(dossier: string): void {
    this.#dossiers.add(dossier);
  }

  /** This scan meets every file of a centre, but for those that it cannot read. */
  lister(centre: Centre): void {
    this.#listes.add(centre);
  }

  /** Passed over on purpose. */
  ecarter(chemin: string, raison: string): void {
    this.#passed.add(chemin);
    if (this.#isNews(chemin, raison)) this.#ctx.logger.warn({ fichier: chemin, raison }, 'non lu');
  }

  /**
   * @param dit it was told already: it is only noted
   * @throws what the database says when it cannot note it
   */
  async noter(centre: Centre, chemin: string, raison: string, dit = false): Promise<void> {
    this.#now.add(chemin);
    if (!this.#isNews(chemin, raison)) return;
    const quoi = isLog(chemin) ? 'fichier illisible' : 'dossier illisible';
    if (!dit) this.#ctx.logger.error({ centre: centre.nom, fichier: chemin, erreur: raison }, quoi);
    if (this.#aBlanc || chemin.length > MAX_PATH) return;
    try {
      await saveErreur(this.#ctx.pool, centre.id, chemin, raison);
    } catch (error) {
      this.#told.delete(chemin);
      throw error;
    }
    rememberErreur(centre, chemin);
  }

  /** The path is as it was when it could not be read, and is not tried yet. */
  garder(chemin: string): void {
    this.#now.add(chemin);
  }

  /** The path was read: when it fails again, that is news. */
  lire(chemin: string): void {
    this.#told.delete(chemin);
  }

  /** The scan has ended: what can be looked into again, and what is gone, are no errors any more. */
  async terminer(): Promise<void> {
    for (const chemin of this.#told.keys()) {
      if (!this.#passed.has(chemin) && !this.#isHidden(chemin)) this.#told.delete(chemin);
    }
    if (this.#aBlanc) return;
    for (const centre of this.#listes) {
      const over = [...centre.connus.values()].filter(
        ({ chemin, etat }) => etat === 'erreur' && !this.#isHidden(chemin),
      );
      if (over.length === 0) continue;
      await leverErreurs(
        this.#ctx.pool,
        centre.id,
        over.map(({ chemin }) => chemin),
      );
      for (const fichier of over) {
        const { chemin, tailles } = fichier;
        this.#ctx.logger.info(
          { centre: centre.nom, fichier: chemin },
          'erreur levée : lisible de nouveau, ou ôté',
        );
        if (tailles.length === 0) centre.connus.delete(chemin);
        else centre.connus.set(chemin, { ...fichier, etat: 'lu', signature: null });
      }
    }
    await this.#leverDisparus();
  }

  /**
   * Errors below folders of centres that are gone. Asked for when other folders are there than the time before; none at all
   * says nothing: a disk that is not mounted leaves an empty folder.
   */
  async #leverDisparus(): Promise<void> {
    const dossiers = [...this.#dossiers].sort().join('/');
    if (this.#ailleurs || dossiers === '' || dossiers === this.#avant) return;
    for (const { centreId, chemin } of await cheminsEnErreur(this.#ctx.pool)) {
      if (!this.#dossiers.has(chemin.split('/')[0]!)) await leverErreurs(this.#ctx.pool, centreId, [chemin]);
    }
    this.#avant = dossiers;
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
