import type { Archive } from '../../archives/archive.ts';
import { Effacements } from '../../archives/effacements.ts';
import type { Config } from '../../base/config.ts';
import type { BaseContext } from '../../base/context.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { coupure, dernierJourEchu } from '../../domain/conservation/coupure.ts';
import type { Duree } from '../../domain/conservation/duree.ts';
import type { CentrePurge, JoursEchus } from '../../postgres/conservation/jours.ts';
import { compterPurge } from '../../postgres/conservation/purges.ts';
import type { Client, Pool } from '../../postgres/pool.ts';
import { concerneTous } from '../ingest/pannes.ts';

/** Steps of a purge at which a crash must do no harm; crash tests stop the process there. */
export type EtapePurge = 'apres_journal' | 'avant_validation' | 'apres_lot' | 'avant_effacement';

export interface PurgeContext extends BaseContext {
  readonly pool: Pool;
  readonly archive: Archive;
  /** asks to stop between two transactions, besides the context's own shutdown */
  readonly signal?: AbortSignal | undefined;
  readonly onEtape?: ((etape: EtapePurge) => void) | undefined;
}

/** Kinds of what is kept for a time; the names of the settings. */
export type Categorie = keyof Config['conservation'];

/** How much a transaction takes. */
export interface Lots {
  readonly jours: number;
  readonly versions: number;
  readonly lignes: number;
}
export const LOTS: Lots = { jours: 20, versions: 16, lignes: 5_000 };

/** One kind in one run. */
export class Passage {
  readonly ctx: PurgeContext;
  readonly client: Client;
  readonly categorie: Categorie;
  /** ms since the epoch */
  readonly maintenant: number;
  /** cut-off, ms since the epoch */
  readonly avant: number;
  readonly aBlanc: boolean;
  readonly lots: Lots;
  readonly effacements: Effacements;
  /** its record in `purge`, undefined in a dry run */
  readonly #purge: number | undefined;
  /** rows (archives, accounts, files) that went, or would */
  lignes = 0;

  constructor(
    base: Pick<Passage, 'ctx' | 'client' | 'categorie' | 'maintenant' | 'aBlanc' | 'lots'>,
    duree: Duree,
    purge: number | undefined,
  ) {
    this.ctx = base.ctx;
    this.client = base.client;
    this.categorie = base.categorie;
    this.maintenant = base.maintenant;
    this.aBlanc = base.aBlanc;
    this.lots = base.lots;
    this.avant = coupure(base.maintenant, duree, base.ctx.config.fuseau);
    this.effacements = new Effacements(base.ctx.config.archivesDir);
    this.#purge = purge;
  }

  /** Which days of a centre are past. */
  echeance(centre: CentrePurge): JoursEchus {
    const { time } = this.ctx;
    return {
      centreId: centre.id,
      dernier: dernierJourEchu(this.avant, time),
      aujourdhui: dernierJourEchu(this.maintenant, time) + 1,
      avant: this.avant,
    };
  }

  /** Counts what the present transaction deletes. */
  async compter(lignes: number): Promise<void> {
    this.lignes += lignes;
    if (this.#purge !== undefined && lignes > 0) await compterPurge(this.client, this.#purge, lignes);
  }

  /**
   * Does something for one centre after the other. What one of them chokes on keeps no other from it (F33).
   *
   * @throws the first such error, once all had their turn; at once what concerns everybody
   */
  async chacun(centres: readonly CentrePurge[], work: (centre: CentrePurge) => Promise<void>): Promise<void> {
    const echecs: unknown[] = [];
    for (const centre of centres) {
      try {
        await work(centre);
      } catch (error) {
        this.continuer();
        const journal = error instanceof AtelierError && error.code === 'ATL_R601';
        if (journal || concerneTous(error)) throw error;
        const { categorie, ctx } = this;
        ctx.logger.error(
          { categorie, centre: centre.nom, erreur: messageOf(error) },
          'purge : centre inachevé',
        );
        echecs.push(error);
      }
    }
    if (echecs.length > 0) throw echecs[0];
  }

  etape(etape: EtapePurge): void {
    this.ctx.onEtape?.(etape);
  }

  /** @throws the reason why the purge is to stop */
  continuer(): void {
    this.ctx.shutdown.signal.throwIfAborted();
    this.ctx.signal?.throwIfAborted();
  }
}

/** Lists in pieces of at most `taille`. */
export function* lots<T>(items: readonly T[], taille: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += taille) yield items.slice(at, at + taille);
}
