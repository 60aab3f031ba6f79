import { AtelierError, messageOf } from '../../base/errors.ts';
import { type FichierConnu, lockCentre, saveErreur } from '../../postgres/fichiers.ts';
import { pendingDays } from '../../postgres/jours.ts';
import { type Client, transaction, withClient } from '../../postgres/pool.ts';
import { takeStaleArchives } from '../../postgres/versions.ts';
import { type FichierSource, MAX_PATH } from '../../sources/source.ts';
import { BufferRing } from './buffer-ring.ts';
import { type Centre, Centres, remember, withRow } from './centres.ts';
import { type Compteurs, compterLecture, nouveauxCompteurs } from './compteurs.ts';
import type { IngestContext } from './context.ts';
import { enregistrer } from './enregistrement.ts';
import { type Lecture, lire } from './lecture.ts';
import { raisonEcart } from './nouvelles-versions.ts';
import { type Memoire, type Recalcul, recalculer } from './recalcul.ts';

export interface ImportOptions {
  /** only this centre (name) */
  readonly centre?: string;
  /** path under LOGS_DIR whose older bytes no longer count */
  readonly replace?: string;
  /** say what would change, change nothing */
  readonly aBlanc?: boolean;
  readonly onProgress?: (compteurs: Readonly<Compteurs>) => void;
}

/** A transaction takes at most this many files, bytes, events: short locks, flat memory. */
const BATCH = { files: 16, bytes: 16 * 1024 * 1024, events: 20_000 };
/** The first batch has this many files, each next one twice as many: PostgreSQL gets to work early. */
const FIRST_BATCH = 4;

interface Lot {
  readonly centre: Centre;
  readonly lectures: Lecture[];
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
  /** what was told about unreadable and passed-over entries: once is enough */
  readonly #told = new Map<string, string>();
  #compteurs = nouveauxCompteurs();
  #scans = 0;
  #lot: Lot | undefined;
  #files = FIRST_BATCH;
  /** the batch being written while the next one is read */
  #writing: Promise<void> = Promise.resolve();
  #replaced = false;

  constructor(ctx: IngestContext, options: ImportOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#aBlanc = options.aBlanc ?? false;
    this.#centres = new Centres(ctx, options.centre, this.#aBlanc);
  }

  /** Counts of the last scan, or of the one under way. */
  get compteurs(): Compteurs {
    return this.#compteurs;
  }

  /** Goes through the source once; what changed is in PostgreSQL when it returns. */
  async scan(): Promise<Compteurs> {
    const { signal } = this.#ctx.shutdown;
    this.#compteurs = nouveauxCompteurs();
    this.#files = FIRST_BATCH;
    // A failure is thrown by the next wait; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
    try {
      for await (const entree of this.#ctx.source.list()) {
        signal.throwIfAborted();
        if (entree.kind === 'dossier') await this.#centre(entree.dossier);
        else if (entree.kind === 'ecarte') await this.#ecarte(entree.chemin, entree.raison, entree.erreur);
        else await this.#fichier(entree.fichier);
      }
      await this.#flush();
    } finally {
      await this.#writing.catch(() => undefined);
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
    const { fichiersLus, fichiersDejaConnus } = this.#compteurs;
    if (!this.#aBlanc && (this.#scans === 0 || fichiersLus > fichiersDejaConnus)) await this.#finish();
    this.#scans++;
    return this.#compteurs;
  }

  /** The centre of a folder; undefined when it is not to be imported. */
  #centre(dossier: string): Promise<Centre | undefined> {
    return this.#centres.of(dossier, (recalcul) => this.#count(recalcul));
  }

  async #ecarte(chemin: string, raison: string, erreur: boolean): Promise<void> {
    if (!erreur) {
      if (this.#isNews(chemin, raison)) this.#ctx.logger.warn({ fichier: chemin, raison }, 'écarté');
      return;
    }
    const dossier = chemin.split('/')[0]!;
    await this.#illisible(await this.#centre(dossier), chemin, raison);
  }

  async #illisible(centre: Centre | undefined, chemin: string, raison: string): Promise<void> {
    if (!centre) return;
    this.#compteurs.fichiersIllisibles++;
    if (!this.#isNews(chemin, raison)) return;
    this.#ctx.logger.error({ centre: centre.nom, fichier: chemin, erreur: raison }, 'fichier illisible');
    if (!this.#aBlanc && chemin.length <= MAX_PATH)
      await saveErreur(this.#ctx.pool, centre.id, chemin, raison);
  }

  #isNews(chemin: string, raison: string): boolean {
    if (this.#told.get(chemin) === raison) return false;
    this.#told.set(chemin, raison);
    return true;
  }

  async #fichier(fichier: FichierSource): Promise<void> {
    const centre = await this.#centre(fichier.dossier);
    if (!centre) return;
    this.#compteurs.fichiersVus++;
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
      const lecture = await lire(fichier, connu, {
        source,
        archive,
        time,
        buffers: this.#buffers,
        centre: centre.nom,
        connait: (sha256) => !full && centre.shas.has(sha256),
        onBytes: (bytes) => {
          this.#compteurs.octetsLus += bytes;
          this.#options.onProgress?.(this.#compteurs);
        },
      });
      if (!lecture) this.#ctx.logger.info({ fichier: fichier.chemin }, 'fichier disparu avant sa lecture');
      return lecture;
    } catch (error) {
      // Without an archive nothing may be registered; anything else concerns this file only.
      if (error instanceof AtelierError && error.code === 'ATL_L203') throw error;
      await this.#illisible(centre, fichier.chemin, messageOf(error));
      return undefined;
    }
  }

  async #add(centre: Centre, lecture: Lecture): Promise<void> {
    if (this.#lot && this.#lot.centre !== centre) await this.#flush();
    this.#lot ??= { centre, lectures: [], bytes: 0, events: 0 };
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
    if (lot) {
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

  async #register({ centre, lectures }: Lot): Promise<ReadonlySet<number>> {
    const remplacer = new Set(this.#options.replace === undefined ? [] : [this.#options.replace]);
    this.#ctx.onEtape?.('avant_enregistrement');
    const { jours, aRelire } = await withClient(this.#ctx.pool, (client) =>
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
    this.#ctx.onEtape?.('apres_enregistrement');
    for (const lecture of lectures) this.#tell(centre, lecture);
    for (const { fichier } of aRelire) {
      const lecture = await this.#lire(centre, fichier, undefined, true);
      if (!lecture) continue;
      const lot = { centre, lectures: [lecture], bytes: 0, events: 0 };
      await this.#recompute(lot, await this.#register(lot));
    }
    return jours;
  }

  async #recompute({ centre, lectures }: Lot, jours: ReadonlySet<number>): Promise<void> {
    if (this.#aBlanc || jours.size === 0) return;
    await withClient(this.#ctx.pool, (client) =>
      transaction(client, () => this.#recalculer(client, centre, lectures, jours)),
    );
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
    const { fichier, taille, contenu } = lecture;
    compterLecture(this.#compteurs, contenu);
    remember(centre, lecture);
    this.#told.delete(fichier.chemin);
    const entry = { centre: centre.nom, fichier: fichier.chemin, octets: taille };
    if (!contenu) {
      this.#ctx.logger.info(entry, 'contenu déjà connu');
      return;
    }
    const ecart = raisonEcart(contenu);
    if (ecart !== undefined) {
      this.#compteurs.fichiersEcartes++;
      this.#ctx.logger.error({ ...entry, raison: ecart }, 'fichier archivé mais écarté');
      return;
    }
    const { lignes, lignesEvenements: evenements, lignesRejetees: rejets } = contenu.reading.compte;
    this.#ctx.logger.info(
      { ...entry, encodage: contenu.encodage.name, lignes, evenements, rejets },
      'fichier lu',
    );
  }

  #count({ creees, modifiees, inchangees, supprimees }: Recalcul): void {
    this.#compteurs.sessionsCreees += creees;
    this.#compteurs.sessionsModifiees += modifiees;
    this.#compteurs.sessionsInchangees += inchangees;
    this.#compteurs.sessionsSupprimees += supprimees;
  }

  /** Recomputes days that a killed import left behind, and erases archives that are no longer needed. */
  async #finish(): Promise<void> {
    const byId = this.#centres.byId();
    await withClient(this.#ctx.pool, async (client) => {
      for (const { centreId, jours } of await pendingDays(client)) {
        const centre = byId.get(centreId);
        if (!centre) continue;
        this.#ctx.logger.info(
          { centre: centre.nom, jours: jours.length },
          'reprise de journées à recalculer',
        );
        this.#count(await transaction(client, () => recalculer(this.#ctx, client, centre, jours)));
      }
      for (const centreId of byId.keys()) await eraseArchives(this.#ctx, client, centreId);
    });
  }
}

/** Erases archives whose bytes are in a longer one. */
async function eraseArchives(ctx: IngestContext, client: Client, centreId: number): Promise<void> {
  await transaction(client, async () => {
    await lockCentre(client, centreId);
    for (const sha256 of await takeStaleArchives(client, centreId))
      await ctx.archive.remove(centreId, sha256);
  });
}

async function discard(ctx: IngestContext, lecture: Lecture): Promise<void> {
  const waiting = await lecture.contenu?.archive.catch(() => undefined);
  if (waiting) await ctx.archive.discard(waiting);
}
