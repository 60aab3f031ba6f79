import { messageOf } from '../../base/errors.ts';
import { tracer } from '../../base/traces.ts';
import { type Client, transaction, withClient } from '../../postgres/pool.ts';
import type { FichierSource } from '../../sources/source.ts';
import { MEMORY_BUDGET } from './analyse.ts';
import { append, isAppend } from './append.ts';
import { type Centre, withRow } from './centres.ts';
import type { IngestContext } from './context.ts';
import { type Enregistrement, enregistrer } from './enregistrement.ts';
import { discard, type Lecture } from './lecture.ts';
import { mesurerRetard } from './mesures.ts';
import { concerneTous } from './pannes.ts';
import { type Memoire, type Recalcul, recalculer } from './recalcul.ts';
import { Reunions } from './reunions.ts';
import { Tetes } from './tetes.ts';
import { Voies } from './voies.ts';
import { WrittenRows } from './written-rows.ts';

/** A transaction takes at most this many files, bytes, events: short locks, flat memory. */
const BATCH = { files: 16, bytes: 16 * 1024 * 1024, events: 20_000 };
/** The first batch has this many files, each next one twice as many: PostgreSQL gets to work early. */
const FIRST_BATCH = 4;
/** Events of days of several versions that are kept while a source is followed: some 60 MB. */
const REUNIS = 200_000;
/** Batches of a followed source that are written side by side: each waits for PostgreSQL most of its time. */
const LANES = 3;

interface Lot {
  readonly centre: Centre;
  readonly lectures: Lecture[];
  /** when its first file had been read (ms of the monotonic clock) */
  readonly debut: number;
  bytes: number;
  events: number;
}

export interface OptionsLots {
  /** change nothing */
  readonly aBlanc: boolean;
  /** paths whose older bytes no longer count */
  readonly remplacer: ReadonlySet<string>;
  /** Whether files are met that were seen before: they change by little, and small batches go side by side. */
  readonly grandissants: () => boolean;
  /** Reads a file whole, whatever is known of its bytes; undefined when it cannot be read. */
  readonly relire: (centre: Centre, fichier: FichierSource) => Promise<Lecture | undefined>;
  /** Files are registered: their bytes are safe, their days will be recomputed. */
  readonly onEnregistres: (centre: Centre, lectures: readonly Lecture[]) => void;
  readonly onRecalcul: (recalcul: Recalcul) => void;
  /** Days were left to the end of the scan. */
  readonly onInacheve: () => void;
  /**
   * A file is put aside, so that the others go on.
   *
   * @throws the error itself when it concerns everybody
   */
  readonly refuser: (centre: Centre, lecture: Lecture, error: unknown) => Promise<void>;
}

/** Files that were read, on their way into PostgreSQL: in batches, while the next ones are being read. */
export class Lots {
  readonly #ctx: IngestContext;
  readonly #options: OptionsLots;
  readonly #voies = new Voies({ nombre: LANES, poids: BATCH.bytes });
  /** of sessions that grow while they are followed */
  readonly #written = new WrittenRows();
  /** of days of several versions */
  readonly #reunions = new Reunions(() => (this.#options.grandissants() ? REUNIS : MEMORY_BUDGET));
  readonly #tetes = new Tetes();
  #lot: Lot | undefined;
  #files = FIRST_BATCH;
  /** the batch being written while the next one is read */
  #writing: Promise<void> = Promise.resolve();

  constructor(ctx: IngestContext, options: OptionsLots) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** A scan begins. */
  commencer(): void {
    this.#files = FIRST_BATCH;
  }

  async ajouter(centre: Centre, lecture: Lecture): Promise<void> {
    if (this.#lot && this.#lot.centre !== centre) await this.#flush();
    this.#lot ??= lotDe(centre);
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

  /** All that was added is in PostgreSQL when it returns. @throws what went wrong on the way */
  async terminer(): Promise<void> {
    await this.#flush();
    await this.#voies.attendre();
    await this.#writing;
  }

  /** Waits for what is under way, however it ends, and forgets what was not begun. */
  async abandonner(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#voies.attendre()]);
    this.#writing = Promise.resolve();
    const lot = this.#lot;
    this.#lot = undefined;
    if (lot) await this.#jeter(lot);
  }

  /**
   * Registers the batch while the days of the one before are still being recomputed on another connection, then lets its
   * own days be recomputed while the next batch is read: two batches are in memory at most. Reading waits for the
   * registration, whose many small questions would otherwise each wait for a file to be parsed, with the centre locked.
   */
  async #flush(): Promise<void> {
    const lot = this.#lot;
    this.#lot = undefined;
    if (!lot) return;
    if (this.#options.grandissants()) {
      await this.#voies.lancer(lot.bytes, () => this.#write(lot));
      return;
    }
    this.#files *= 2;
    const jours = await this.#registerOrForget(lot);
    await this.#writing;
    this.#writing = this.#recomputeOrNote(lot, jours);
    // A failure is thrown by the next wait; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
  }

  async #write(lot: Lot): Promise<void> {
    if (await this.#append(lot)) return;
    const jours = await this.#registerOrForget(lot);
    await this.#recomputeOrNote(lot, jours);
  }

  /** The short way of one file that grew; false when the long way is to be taken. */
  async #append({ centre, lectures, debut }: Lot): Promise<boolean> {
    const [lecture] = lectures;
    const { aBlanc, remplacer, onEnregistres, onRecalcul } = this.#options;
    if (lectures.length !== 1 || aBlanc || remplacer.size > 0 || !lecture || !isAppend(lecture)) return false;
    this.#ctx.onEtape?.('avant_enregistrement');
    const write = (): Promise<Recalcul | undefined> =>
      withClient(this.#ctx.pool, (client) => append(this.#ctx, client, centre, lecture, this.#written));
    let recalcul: Recalcul | undefined;
    try {
      recalcul = await tracer('suite', { 'atelier.centre': centre.nom }, write);
    } catch (error) {
      // Nothing of it is left. The long way registers the bytes even when their day cannot be computed, or says why not.
      this.#ctx.logger.debug({ fichier: lecture.fichier.chemin, erreur: messageOf(error) }, 'suite refusée');
      return false;
    }
    if (!recalcul) return false;
    onEnregistres(centre, lectures);
    onRecalcul(recalcul);
    mesurerRetard(centre, debut);
    this.#ctx.onEtape?.('apres_recalcul');
    return true;
  }

  /**
   * Of files that cannot be registered together, each is tried alone, and those that are at fault are put aside.
   *
   * @returns days to be recomputed
   */
  async #registerOrForget(lot: Lot): Promise<ReadonlySet<number>> {
    const { centre, lectures } = lot;
    try {
      return await this.#register(lot);
    } catch (error) {
      try {
        if (lectures.length === 1 || concerneTous(error)) {
          await this.#options.refuser(centre, lectures[0]!, error);
          await this.#jeter(lot);
          return new Set();
        }
        const jours = new Set<number>();
        for (const lecture of lectures)
          for (const jour of await this.#registerOrForget(lotDe(centre, [lecture]))) jours.add(jour);
        return jours;
      } catch (cause) {
        await this.#jeter(lot);
        throw cause;
      }
    }
  }

  /** Days that cannot be computed stay marked: the end of the scan tries one after the other. */
  async #recomputeOrNote(lot: Lot, jours: ReadonlySet<number>): Promise<void> {
    try {
      await this.#recompute(lot, jours);
    } catch (error) {
      this.#ctx.shutdown.signal.throwIfAborted();
      if (concerneTous(error)) throw error;
      this.#options.onInacheve();
    }
  }

  /** What is not registered must not stay in the archive's waiting room as long as this process lives. */
  async #jeter({ lectures }: Lot): Promise<void> {
    if (!this.#options.aBlanc) for (const lecture of lectures) await discard(this.#ctx, lecture);
  }

  /** @returns days to be recomputed */
  async #register({ centre, lectures }: Lot): Promise<ReadonlySet<number>> {
    const { aBlanc, remplacer, relire, onEnregistres } = this.#options;
    this.#ctx.onEtape?.('avant_enregistrement');
    const span = { 'atelier.centre': centre.nom, 'atelier.fichiers': lectures.length };
    const write = (): Promise<Enregistrement> =>
      withClient(this.#ctx.pool, (client) =>
        transaction(
          client,
          async () => {
            const withId = await withRow(client, centre);
            const registered = await enregistrer(this.#ctx, client, withId, lectures, {
              remplacer,
              aBlanc,
              tetes: this.#tetes,
            });
            // Nothing of a dry run is left after its transaction: its days are computed inside.
            if (aBlanc) await this.#recalculer(client, withId, lectures, registered.jours);
            return registered;
          },
          { keep: !aBlanc },
        ),
      );
    const { jours, aRelire } = await tracer('enregistrement', span, write);
    this.#ctx.onEtape?.('apres_enregistrement');
    onEnregistres(centre, lectures);
    for (const { fichier } of aRelire) {
      const lecture = await relire(centre, fichier);
      if (!lecture) continue;
      const lot = lotDe(centre, [lecture]);
      await this.#recomputeOrNote(lot, await this.#registerOrForget(lot));
      // Bytes that turned out to be known after all got no name.
      await this.#jeter(lot);
    }
    return jours;
  }

  async #recompute({ centre, lectures, debut }: Lot, jours: ReadonlySet<number>): Promise<void> {
    if (this.#options.aBlanc || jours.size === 0) return;
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
    const written = this.#options.grandissants() ? this.#written : undefined;
    const souvenirs = { memoire, written, reunions: this.#reunions };
    this.#options.onRecalcul(await recalculer(this.#ctx, client, centre, [...jours], souvenirs));
  }
}

function lotDe(centre: Centre, lectures: Lecture[] = []): Lot {
  return { centre, lectures, debut: performance.now(), bytes: 0, events: 0 };
}
