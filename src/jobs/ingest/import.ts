import { ErreurArchive } from '../../archives/archive.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { octetsImportes } from '../../base/metrics.ts';
import { tracer } from '../../base/traces.ts';
import { type Confirmation, saveConfirmations } from '../../postgres/journaux/append.ts';
import type { FichierConnu } from '../../postgres/journaux/fichiers.ts';
import { withClient } from '../../postgres/pool.ts';
import { isUnchanged, settle } from '../../sources/signature.ts';
import type { EntreeSource, FichierSource } from '../../sources/source.ts';
import { eraseArchives } from './archives-perimees.ts';
import { BufferRing } from './buffer-ring.ts';
import { type Centre, Centres, remember } from './centres.ts';
import { type Compteurs, compterLecture, compterRecalcul, nouveauxCompteurs } from './compteurs.ts';
import type { IngestContext } from './context.ts';
import { Illisibles } from './illisibles.ts';
import { type Lecture, type LectureContexte, lire } from './lecture.ts';
import { chronometrer } from './listage.ts';
import { Lots } from './lots.ts';
import { masquerGardes } from './masquage.ts';
import { mesurerLecture } from './mesures.ts';
import { concerneTous, Pannes, RETENTER } from './pannes.ts';
import type { Recalcul } from './recalcul.ts';
import { direLecture, reprendreJournees } from './reprise.ts';
import { Suites } from './suites.ts';

export interface ImportOptions {
  /** only this centre (name) */
  readonly centre?: string;
  /** path under LOGS_DIR whose older bytes no longer count */
  readonly replace?: string;
  /** say what would change, change nothing */
  readonly aBlanc?: boolean;
  /** the source is not the one that is followed as a rule: what it does not hold says nothing */
  readonly ailleurs?: boolean;
  /** many scans of files that grow, instead of one: what they hold stays in memory, small batches go side by side */
  readonly suivi?: boolean;
  readonly onProgress?: (compteurs: Readonly<Compteurs>) => void;
}

/** Time between two looks at what others left undone, while a source is followed (ms). */
const FINISH_EVERY = 5_000;
/** The same before archives that are no longer needed are erased: each is another state of a file that grows. */
const ERASE_EVERY = 15_000;
/** So many paths that were passed over are kept by name. */
const NON_LUS = 20;
/** Files that grow of which it is remembered where they are. */
const MOBILES = 1_000;

/**
 * One import, or several scans of the same source one after the other (following): what a scan has learnt of the
 * files spares the next one the questions.
 */
export class Import {
  readonly #ctx: IngestContext;
  readonly #options: ImportOptions;
  readonly #aBlanc: boolean;
  readonly #centres: Centres;
  readonly #buffers = new BufferRing();
  readonly #illisibles: Illisibles;
  #compteurs = nouveauxCompteurs();
  #scans = 0;
  #replaced = false;
  /** ids of the centres whose files were read since archives were last erased */
  readonly #touched = new Set<number>();
  #finished = Number.NEGATIVE_INFINITY;
  #erased = Number.NEGATIVE_INFINITY;
  /** files that grow while they are followed */
  readonly #suites = new Suites();
  /** those read since the first scan, by path: where a hint may lead straight to */
  readonly #mobiles = new Map<string, FichierSource>();
  /** files whose signatures are to be noted, by path */
  readonly #confirmes = new Map<string, Confirmation>();
  readonly #pannes: Pannes;
  /** files that the database refused, by path: what they were, and when (ms of the monotonic clock) */
  readonly #refuses = new Map<string, { readonly signature: string | undefined; readonly quand: number }>();
  readonly #lots: Lots;
  /** what listing the source took the last time, ms */
  #listing = 0;

  constructor(ctx: IngestContext, options: ImportOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#aBlanc = options.aBlanc ?? false;
    this.#pannes = new Pannes(ctx, options.suivi === true);
    this.#centres = new Centres(ctx, options.centre, this.#aBlanc, this.#pannes);
    this.#illisibles = new Illisibles(ctx, { aBlanc: this.#aBlanc, ailleurs: options.ailleurs ?? false });
    this.#lots = new Lots(ctx, {
      aBlanc: this.#aBlanc,
      remplacer: new Set(options.replace === undefined ? [] : [options.replace]),
      // The first scan meets files of years; those that it misses next time are those that grow.
      grandissants: () => this.#following(),
      relire: (centre, fichier) => this.#lire(centre, fichier, undefined, true),
      onEnregistres: (centre, lectures) => {
        this.#touched.add(centre.id);
        for (const lecture of lectures) this.#tell(centre, lecture);
      },
      onRecalcul: this.#count,
      onInacheve: () => {
        this.#finished = Number.NEGATIVE_INFINITY;
      },
      refuser: (centre, lecture, error) => this.#refuser(centre, lecture, error),
    });
  }

  /** Counts of the last scan, or of the one under way. */
  get compteurs(): Compteurs {
    return this.#compteurs;
  }

  /** What listing the whole source took the last time, ms. */
  get listing(): number {
    return this.#listing;
  }

  /** Of some paths, the files that were seen to grow: there, looking at them is enough. */
  known(chemins: Iterable<string>): string[] {
    if (!this.#ctx.source.revoir) return [];
    return [...chemins].filter((chemin) => this.#mobiles.has(chemin));
  }

  /** Goes through the source once; what changed is in PostgreSQL when it returns. */
  async scan(): Promise<Compteurs> {
    const listing = chronometrer(this.#ctx.source.list(), (ms) => {
      this.#listing = ms;
    });
    this.#illisibles.commencer();
    const compteurs = await this.#go(listing);
    await this.#illisibles.terminer();
    return compteurs;
  }

  /** The same for some paths that `known` knows. */
  async look(chemins: readonly string[]): Promise<Compteurs> {
    if (chemins.length === 0) return nouveauxCompteurs();
    const { source } = this.#ctx;
    const mobiles = this.#mobiles;
    async function* entries(): AsyncGenerator<EntreeSource> {
      // In the order of a listing: all imports take their locks in the same order.
      for (const chemin of chemins.toSorted()) {
        const fichier = await source.revoir!(mobiles.get(chemin)!);
        if (fichier) yield { kind: 'fichier', fichier };
        else mobiles.delete(chemin);
      }
    }
    return await this.#go(entries());
  }

  async #go(entries: AsyncIterable<EntreeSource>): Promise<Compteurs> {
    const { signal } = this.#ctx.shutdown;
    this.#compteurs = nouveauxCompteurs();
    this.#pannes.commencer();
    this.#centres.commencer();
    this.#lots.commencer();
    try {
      for await (const entree of entries) {
        signal.throwIfAborted();
        if (entree.kind === 'dossier') await this.#dossier(entree.dossier);
        else if (entree.kind === 'ecarte') await this.#ecarte(entree.chemin, entree.raison, entree.erreur);
        else await this.#fichier(entree.fichier);
      }
      await this.#lots.terminer();
    } finally {
      await this.#lots.abandonner();
      if (this.#aBlanc) await this.#ctx.archive.endRehearsal();
    }
    if (this.#options.replace !== undefined && !this.#replaced) {
      throw new AtelierError(
        'ATL_L205',
        `--replace ${this.#options.replace} : aucun fichier de ce chemin n’a pu être lu.`,
      );
    }
    this.#verifierCentres();
    const now = performance.now();
    if (!this.#aBlanc && now - this.#finished >= (this.#options.suivi ? FINISH_EVERY : 0)) {
      await this.#finish();
      this.#finished = now;
    }
    this.#compteurs.misDeCote = this.#pannes.messages;
    this.#scans++;
    return this.#compteurs;
  }

  /** @throws AtelierError when nothing can come from here, for a reason that only a person can mend */
  #verifierCentres(): void {
    if (this.#centres.any()) return;
    const { nonLus } = this.#compteurs;
    const { centre, suivi } = this.#options;
    const details = nonLus.length > 0 ? ` Non lus : ${nonLus.join(' ; ')}.` : '';
    if (centre !== undefined) {
      const known = this.#centres.names().join(', ') || 'aucun';
      throw new AtelierError(
        'ATL_L206',
        `--centre ${centre} : pas de dossier de ce centre (${known}).${details}`,
      );
    }
    // Whoever follows waits: folders may still be made.
    if (nonLus.length === 0 || suivi) return;
    const ou = this.#ctx.source.description;
    throw new AtelierError('ATL_L208', `Aucun dossier de centre sous ${ou} : rien à lire.${details}`);
  }

  /** The centre of a folder; undefined when it is not to be imported. */
  #centre(dossier: string): Promise<Centre | undefined> {
    return this.#centres.of(dossier, this.#count);
  }

  async #dossier(dossier: string): Promise<void> {
    this.#illisibles.voirDossier(dossier);
    const centre = await this.#centre(dossier);
    // A remote folder that is followed may not have been listed yet: there, only its files prove it.
    if (centre && !this.#options.suivi) this.#illisibles.lister(centre);
  }

  async #ecarte(chemin: string, raison: string, erreur: boolean): Promise<void> {
    if (!erreur) {
      if (this.#compteurs.nonLus.length < NON_LUS)
        this.#compteurs.nonLus = [...this.#compteurs.nonLus, `${chemin} : ${raison}`];
      this.#illisibles.ecarter(chemin, raison);
      return;
    }
    const dossier = chemin.split('/')[0]!;
    this.#illisibles.voirDossier(dossier);
    await this.#illisible(await this.#centre(dossier), chemin, raison);
  }

  async #illisible(
    centre: Centre | undefined,
    chemin: string,
    raison: string,
    { dit = false } = {},
  ): Promise<void> {
    if (!centre) return;
    this.#compteurs.fichiersIllisibles++;
    try {
      await this.#illisibles.noter(centre, chemin, raison, dit);
    } catch (error) {
      // Not even its name can be noted.
      this.#pannes.noter(`${centre.nom}, fichier ${JSON.stringify(chemin)}`, error);
    }
  }

  /** Puts a file aside whose registration failed. */
  async #refuser(centre: Centre, { fichier, signature }: Lecture, error: unknown): Promise<void> {
    const { chemin } = fichier;
    this.#pannes.noter(chemin, error);
    // What was kept of its bytes to go on from is of a state that nobody knows.
    this.#suites.take(chemin);
    this.#refuses.set(chemin, { signature, quand: performance.now() });
    await this.#illisible(centre, chemin, this.#pannes.raison(error), { dit: true });
  }

  async #fichier(fichier: FichierSource): Promise<void> {
    const centre = await this.#centre(fichier.dossier);
    if (!centre) return;
    this.#compteurs.fichiersVus++;
    this.#illisibles.lister(centre);
    const replace = this.#options.replace === fichier.chemin;
    const connu = centre.connus.get(fichier.chemin);
    const unchanged = connu?.etat === 'lu' && isUnchanged(connu.signature, fichier.signature);
    if (unchanged && !replace) {
      this.#compteurs.fichiersInchanges++;
      return;
    }
    if (this.#refuse(fichier)) {
      this.#compteurs.fichiersIllisibles++;
      this.#illisibles.garder(fichier.chemin);
      return;
    }
    // Changed a moment ago, and read since: what may have changed unseen will be seen once the file's times have cooled.
    if (this.#following() && !replace && connu?.etat === 'lu' && isAsRead(connu, fichier)) {
      this.#compteurs.fichiersInchanges++;
      return;
    }
    const lecture = await this.#lire(centre, fichier, connu, false);
    if (!lecture) return;
    if (this.#following()) {
      this.#suivre(fichier);
      if (this.#confirmer(centre, lecture, connu)) return;
    }
    if (replace) this.#replaced = true;
    await this.#lots.ajouter(centre, lecture);
  }

  /** Whether the database refused these very bytes a while ago, and another look each second would bring nothing. */
  #refuse({ chemin, signature }: FichierSource): boolean {
    const refus = this.#options.suivi ? this.#refuses.get(chemin) : undefined;
    if (refus === undefined || signature === undefined || refus.signature !== signature) return false;
    return performance.now() - refus.quand < RETENTER;
  }

  /** Whether a file that cooled down has the bytes that were read while it was warm: only its signature is news. */
  #confirmer(centre: Centre, lecture: Lecture, connu: FichierConnu | undefined): boolean {
    const { fichier, sha256, signature, contenu } = lecture;
    if (contenu || connu?.etat !== 'lu' || connu.lu?.sha256 !== sha256) return false;
    compterLecture(this.#compteurs, undefined);
    remember(centre, lecture);
    if (signature === undefined) return true;
    this.#confirmes.set(fichier.chemin, { centreId: centre.id, chemin: fichier.chemin, sha256, signature });
    return true;
  }

  /** The longest untouched are forgotten: another news of them costs a scan. */
  #suivre(fichier: FichierSource): void {
    this.#mobiles.delete(fichier.chemin);
    this.#mobiles.set(fichier.chemin, fichier);
    if (this.#mobiles.size > MOBILES) this.#mobiles.delete(this.#mobiles.keys().next().value!);
  }

  async #lire(
    centre: Centre,
    fichier: FichierSource,
    connu: FichierConnu | undefined,
    full: boolean,
  ): Promise<Lecture | undefined> {
    const { source, archive, time, config } = this.#ctx;
    try {
      const span = { 'atelier.centre': centre.nom, 'file.path': fichier.chemin, 'file.size': fichier.taille };
      const contexte: LectureContexte = {
        source,
        archive,
        time,
        masques: config.masques,
        buffers: this.#buffers,
        centre: centre.nom,
        connait: (sha256) => !full && centre.shas.has(sha256),
        suites: this.#following() ? this.#suites : undefined,
        onBytes: (bytes) => {
          this.#compteurs.octetsLus += bytes;
          octetsImportes.inc(bytes);
          this.#options.onProgress?.(this.#compteurs);
        },
      };
      const lecture = await tracer('fichier', span, () => lire(fichier, connu, contexte));
      if (lecture) return { ...lecture, signature: settle(connu?.signature, lecture.signature) };
      this.#ctx.logger.info({ fichier: fichier.chemin }, 'fichier disparu avant sa lecture');
      return undefined;
    } catch (error) {
      // A stop ends connections too: that says nothing of the file.
      this.#ctx.shutdown.signal.throwIfAborted();
      // Without an archive nothing may be registered; anything else concerns this file only.
      if (error instanceof ErreurArchive && concerneTous(error)) throw error;
      await this.#illisible(centre, fichier.chemin, messageOf(error));
      return undefined;
    }
  }

  /** Whether files are met that were seen before: they change by little. */
  #following(): boolean {
    return this.#options.suivi === true && this.#scans > 0;
  }

  #tell(centre: Centre, lecture: Lecture): void {
    compterLecture(this.#compteurs, lecture.contenu);
    if (!this.#aBlanc) mesurerLecture(centre, lecture);
    remember(centre, lecture);
    this.#illisibles.lire(lecture.fichier.chemin);
    this.#refuses.delete(lecture.fichier.chemin);
    direLecture(this.#ctx.logger, centre.nom, lecture, this.#compteurs);
  }

  readonly #count = (recalcul: Recalcul): void => compterRecalcul(this.#compteurs, recalcul);

  /** Recomputes days that a killed import left behind, and erases archives that are no longer needed. */
  async #finish(): Promise<void> {
    const byId = this.#centres.byId();
    // Whoever looks at one centre leaves the others as they are.
    if (this.#scans === 0 && this.#options.centre === undefined) await masquerGardes(this.#ctx, this.#pannes);
    await withClient(this.#ctx.pool, async (client) => {
      await saveConfirmations(client, [...this.#confirmes.values()]);
      this.#confirmes.clear();
      await reprendreJournees(this.#ctx, client, byId, this.#count, this.#pannes);
      const now = performance.now();
      if (this.#options.suivi && now - this.#erased < ERASE_EVERY) return;
      this.#erased = now;
      // What others left to be erased is found once; after that only what was read here makes more of it.
      for (const centreId of this.#scans === 0 ? byId.keys() : this.#touched) {
        try {
          await eraseArchives(this.#ctx, client, centreId);
          this.#touched.delete(centreId);
        } catch (error) {
          this.#pannes.noter(`${byId.get(centreId)?.nom ?? centreId}, archives à effacer`, error);
        }
      }
    });
  }
}

/** Whether a file whose bytes may still change unseen looks as it did when it was opened for its last reading. */
function isAsRead({ lu }: FichierConnu, { signature, etat }: FichierSource): boolean {
  return signature === undefined && etat !== undefined && lu?.etat === etat;
}
