import { AtelierError, messageOf } from '../../base/errors.ts';
import { octetsImportes } from '../../base/metrics.ts';
import { tracer } from '../../base/traces.ts';
import type { FichierConnu } from '../../postgres/fichiers.ts';
import { type Client, transaction, withClient } from '../../postgres/pool.ts';
import type { EntreeSource, FichierSource } from '../../sources/source.ts';
import { eraseArchives } from './archives-perimees.ts';
import { BufferRing } from './buffer-ring.ts';
import { type Centre, Centres, remember, withRow } from './centres.ts';
import { type Compteurs, compterLecture, compterRecalcul, nouveauxCompteurs } from './compteurs.ts';
import type { IngestContext } from './context.ts';
import { type Enregistrement, enregistrer } from './enregistrement.ts';
import { Illisibles } from './illisibles.ts';
import { discard, type Lecture, type LectureContexte, lire } from './lecture.ts';
import { chronometrer } from './listage.ts';
import { mesurerLecture, mesurerRetard } from './mesures.ts';
import { type Memoire, type Recalcul, recalculer } from './recalcul.ts';
import { direLecture, reprendreJournees } from './reprise.ts';
import { Suites } from './suites.ts';
import { Voies } from './voies.ts';

export interface ImportOptions {
  /** only this centre (name) */
  readonly centre?: string;
  /** path under LOGS_DIR whose older bytes no longer count */
  readonly replace?: string;
  /** say what would change, change nothing */
  readonly aBlanc?: boolean;
  /** many scans of files that grow, instead of one: what they hold stays in memory, small batches go side by side */
  readonly suivi?: boolean;
  readonly onProgress?: (compteurs: Readonly<Compteurs>) => void;
}

/** A transaction takes at most this many files, bytes, events: short locks, flat memory. */
const BATCH = { files: 16, bytes: 16 * 1024 * 1024, events: 20_000 };
/** Batches of a followed source that are written side by side: each waits for PostgreSQL most of its time. */
const LANES = 3;
/** Time between two looks at what others left undone, while a source is followed (ms). */
const FINISH_EVERY = 5_000;
/** The first batch has this many files, each next one twice as many: PostgreSQL gets to work early. */
const FIRST_BATCH = 4;

interface Lot {
  readonly centre: Centre;
  readonly lectures: Lecture[];
  /** when its first file had been read (ms of the monotonic clock) */
  readonly debut: number;
  bytes: number;
  events: number;
}

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
  #lot: Lot | undefined;
  #files = FIRST_BATCH;
  /** the batch being written while the next one is read */
  #writing: Promise<void> = Promise.resolve();
  #replaced = false;
  /** ids of the centres whose files were read since archives were last erased */
  readonly #touched = new Set<number>();
  #finished = Number.NEGATIVE_INFINITY;
  /** files that grow while they are followed */
  readonly #suites = new Suites();
  /** those read since the first scan, by path: where a hint may lead straight to */
  readonly #mobiles = new Map<string, FichierSource>();
  /** small batches of a followed source are written side by side */
  readonly #voies = new Voies({ nombre: LANES, poids: BATCH.bytes });
  /** what listing the source took the last time, ms */
  #listing = 0;

  constructor(ctx: IngestContext, options: ImportOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#aBlanc = options.aBlanc ?? false;
    this.#centres = new Centres(ctx, options.centre, this.#aBlanc);
    this.#illisibles = new Illisibles(ctx, this.#aBlanc);
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
    this.#files = FIRST_BATCH;
    // A failure is thrown by the next wait; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
    try {
      for await (const entree of entries) {
        signal.throwIfAborted();
        if (entree.kind === 'dossier') await this.#dossier(entree.dossier);
        else if (entree.kind === 'ecarte') await this.#ecarte(entree.chemin, entree.raison, entree.erreur);
        else await this.#fichier(entree.fichier);
      }
      await this.#flush();
      // Here, where its failure is thrown: the last batch is only on its way.
      await this.#voies.attendre();
    } finally {
      await Promise.allSettled([this.#writing, this.#voies.attendre()]);
      if (this.#aBlanc) await this.#ctx.archive.endRehearsal();
      else for (const lecture of this.#lot?.lectures ?? []) await discard(this.#ctx, lecture);
    }
    await this.#writing;
    if (this.#options.replace !== undefined && !this.#replaced) {
      throw new AtelierError(
        'ATL_L205',
        `--replace ${this.#options.replace} : aucun fichier de ce chemin n’a pu être lu.`,
      );
    }
    if (this.#options.centre !== undefined && !this.#centres.any()) {
      const known = this.#centres.names().join(', ') || 'aucun';
      throw new AtelierError(
        'ATL_L206',
        `--centre ${this.#options.centre} : pas de dossier de ce centre (${known}).`,
      );
    }
    const now = performance.now();
    if (!this.#aBlanc && now - this.#finished >= (this.#options.suivi ? FINISH_EVERY : 0)) {
      await this.#finish();
      this.#finished = now;
    }
    this.#scans++;
    return this.#compteurs;
  }

  /** The centre of a folder; undefined when it is not to be imported. */
  #centre(dossier: string): Promise<Centre | undefined> {
    return this.#centres.of(dossier, this.#count);
  }

  async #dossier(dossier: string): Promise<void> {
    const centre = await this.#centre(dossier);
    // A remote folder that is followed may not have been listed yet: there, only its files prove it.
    if (centre && !this.#options.suivi) this.#illisibles.lister(centre);
  }

  async #ecarte(chemin: string, raison: string, erreur: boolean): Promise<void> {
    if (!erreur) return this.#illisibles.ecarter(chemin, raison);
    const dossier = chemin.split('/')[0]!;
    await this.#illisible(await this.#centre(dossier), chemin, raison);
  }

  async #illisible(centre: Centre | undefined, chemin: string, raison: string): Promise<void> {
    if (!centre) return;
    this.#compteurs.fichiersIllisibles++;
    await this.#illisibles.noter(centre, chemin, raison);
  }

  async #fichier(fichier: FichierSource): Promise<void> {
    const centre = await this.#centre(fichier.dossier);
    if (!centre) return;
    this.#compteurs.fichiersVus++;
    this.#illisibles.lister(centre);
    const replace = this.#options.replace === fichier.chemin;
    const connu = centre.connus.get(fichier.chemin);
    const unchanged =
      connu?.etat === 'lu' && connu.signature !== null && connu.signature === fichier.signature;
    if (unchanged && !replace) {
      this.#compteurs.fichiersInchanges++;
      return;
    }
    const lecture = await this.#lire(centre, fichier, connu, false);
    if (!lecture) return;
    if (this.#following()) this.#mobiles.set(fichier.chemin, fichier);
    if (replace) this.#replaced = true;
    await this.#add(centre, lecture);
  }

  async #lire(
    centre: Centre,
    fichier: FichierSource,
    connu: FichierConnu | undefined,
    full: boolean,
  ): Promise<Lecture | undefined> {
    const { source, archive, time } = this.#ctx;
    try {
      const span = { 'atelier.centre': centre.nom, 'file.path': fichier.chemin, 'file.size': fichier.taille };
      const contexte: LectureContexte = {
        source,
        archive,
        time,
        buffers: this.#buffers,
        centre: centre.nom,
        connait: (sha256) => !full && centre.shas.has(sha256),
        // The first scan meets files of years; those that it misses next time are those that grow.
        suites: this.#following() ? this.#suites : undefined,
        onBytes: (bytes) => {
          this.#compteurs.octetsLus += bytes;
          octetsImportes.inc(bytes);
          this.#options.onProgress?.(this.#compteurs);
        },
      };
      const lecture = await tracer('fichier', span, () => lire(fichier, connu, contexte));
      if (!lecture) this.#ctx.logger.info({ fichier: fichier.chemin }, 'fichier disparu avant sa lecture');
      return lecture;
    } catch (error) {
      // A stop ends connections too: that says nothing of the file.
      this.#ctx.shutdown.signal.throwIfAborted();
      // Without an archive nothing may be registered; anything else concerns this file only.
      if (error instanceof AtelierError && error.code === 'ATL_L203') throw error;
      await this.#illisible(centre, fichier.chemin, messageOf(error));
      return undefined;
    }
  }

  async #add(centre: Centre, lecture: Lecture): Promise<void> {
    if (this.#lot && this.#lot.centre !== centre) await this.#flush();
    this.#lot ??= { centre, lectures: [], debut: performance.now(), bytes: 0, events: 0 };
    const lot = this.#lot;
    lot.lectures.push(lecture);
    this.#ctx.onEtape?.('apres_lecture');
    // Only what is kept in memory counts: known bytes are not.
    if (lecture.contenu) lot.bytes += lecture.taille;
    lot.events += lecture.contenu?.reading.compte.lignesEvenements ?? 0;
    const full =
      lot.lectures.length >= Math.min(BATCH.files, this.#files) ||
      lot.bytes >= BATCH.bytes ||
      lot.events >= BATCH.events;
    if (full) await this.#flush();
  }

  /**
   * Registers the batch while the days of the one before are still being recomputed on another connection, then lets its
   * own days be recomputed while the next batch is read: two batches are in memory at most. Reading waits for the
   * registration, whose many small questions would otherwise each wait for a file to be parsed, with the centre locked.
   */
  async #flush(): Promise<void> {
    const lot = this.#lot;
    this.#lot = undefined;
    if (this.#following()) {
      if (lot) await this.#voies.lancer(lot.bytes, () => this.#write(lot));
    } else if (lot) {
      this.#files *= 2;
      let jours: ReadonlySet<number>;
      try {
        jours = await this.#register(lot);
      } catch (error) {
        // What is not registered must not stay in the archive's waiting room as long as this process lives.
        if (!this.#aBlanc) for (const lecture of lot.lectures) await discard(this.#ctx, lecture);
        throw error;
      }
      await this.#writing;
      this.#writing = this.#recompute(lot, jours);
      this.#writing.catch(() => undefined);
    } else {
      await this.#writing;
    }
  }

  /** Whether files are met that were seen before: they change by little. */
  #following(): boolean {
    return this.#options.suivi === true && this.#scans > 0;
  }

  async #write(lot: Lot): Promise<void> {
    try {
      await this.#recompute(lot, await this.#register(lot));
    } catch (error) {
      for (const lecture of lot.lectures) await discard(this.#ctx, lecture);
      throw error;
    }
  }

  async #register({ centre, lectures }: Lot): Promise<ReadonlySet<number>> {
    const remplacer = new Set(this.#options.replace === undefined ? [] : [this.#options.replace]);
    this.#ctx.onEtape?.('avant_enregistrement');
    const span = { 'atelier.centre': centre.nom, 'atelier.fichiers': lectures.length };
    const write = (): Promise<Enregistrement> =>
      withClient(this.#ctx.pool, (client) =>
        transaction(
          client,
          async () => {
            const options = { remplacer, aBlanc: this.#aBlanc };
            const withId = await withRow(client, centre);
            const registered = await enregistrer(this.#ctx, client, withId, lectures, options);
            // Nothing of a dry run is left after its transaction: its days are computed inside.
            if (this.#aBlanc) await this.#recalculer(client, withId, lectures, registered.jours);
            return registered;
          },
          { keep: !this.#aBlanc },
        ),
      );
    const { jours, aRelire } = await tracer('enregistrement', span, write);
    this.#ctx.onEtape?.('apres_enregistrement');
    this.#touched.add(centre.id);
    for (const lecture of lectures) this.#tell(centre, lecture);
    for (const { fichier } of aRelire) {
      const lecture = await this.#lire(centre, fichier, undefined, true);
      if (!lecture) continue;
      const lot = { centre, lectures: [lecture], debut: performance.now(), bytes: 0, events: 0 };
      await this.#recompute(lot, await this.#register(lot));
      // Bytes that turned out to be known after all got no name.
      if (!this.#aBlanc) await discard(this.#ctx, lecture);
    }
    return jours;
  }

  async #recompute({ centre, lectures, debut }: Lot, jours: ReadonlySet<number>): Promise<void> {
    if (this.#aBlanc || jours.size === 0) return;
    await tracer('recalcul', { 'atelier.centre': centre.nom, 'atelier.jours': jours.size }, () =>
      withClient(this.#ctx.pool, (client) =>
        transaction(client, () => this.#recalculer(client, centre, lectures, jours)),
      ),
    );
    mesurerRetard(centre, debut);
    this.#ctx.onEtape?.('apres_recalcul');
  }

  async #recalculer(
    client: Client,
    centre: Centre,
    lectures: readonly Lecture[],
    jours: ReadonlySet<number>,
  ): Promise<void> {
    const memoire: Memoire = new Map(
      lectures.flatMap((l) => (l.contenu?.jours ? [[l.sha256, l.contenu.jours]] : [])),
    );
    this.#count(await recalculer(this.#ctx, client, centre, [...jours], memoire));
  }

  #tell(centre: Centre, lecture: Lecture): void {
    compterLecture(this.#compteurs, lecture.contenu);
    if (!this.#aBlanc) mesurerLecture(centre, lecture);
    remember(centre, lecture);
    this.#illisibles.lire(lecture.fichier.chemin);
    direLecture(this.#ctx.logger, centre.nom, lecture, this.#compteurs);
  }

  readonly #count = (recalcul: Recalcul): void => compterRecalcul(this.#compteurs, recalcul);

  /** Recomputes days that a killed import left behind, and erases archives that are no longer needed. */
  async #finish(): Promise<void> {
    const byId = this.#centres.byId();
    await withClient(this.#ctx.pool, async (client) => {
      await reprendreJournees(this.#ctx, client, byId, this.#count);
      // What others left to be erased is found once; after that only what was read here makes more of it.
      for (const centreId of this.#scans === 0 ? byId.keys() : this.#touched) {
        await eraseArchives(this.#ctx, client, centreId);
        this.#touched.delete(centreId);
      }
    });
  }
}
