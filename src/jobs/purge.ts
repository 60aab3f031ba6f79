import { AtelierError, messageOf } from '../base/errors.ts';
import { lignesPurgees } from '../base/metrics.ts';
import { type Conservation, type Duree, ecrireDuree } from '../domain/conservation/duree.ts';
import {
  commencerPurge,
  deverrouillerPurge,
  finirPurge,
  verrouillerPurge,
} from '../postgres/conservation/purges.ts';
import {
  type CategorieDatee,
  compterAnciens,
  supprimerAnciens,
  TABLES_DATEES,
} from '../postgres/conservation/tables.ts';
import { type Client, isServerAway, withClient } from '../postgres/pool.ts';
import { endExecution, startExecution, tenirExecution } from '../postgres/taches/executions.ts';
import { horlogeBase } from '../postgres/taches/planification.ts';
import { desactiverComptes, oublierComptes } from './purge/comptes.ts';
import { type Categorie, LOTS, type Lots, Passage, type PurgeContext } from './purge/contexte.ts';
import { purgerDepot } from './purge/depot.ts';
import { passageDEssai, raisonsDeRefuser, refuser } from './purge/garde.ts';
import { purgerArchives, purgerDetails, purgerQuarantaine, purgerSessions } from './purge/jours.ts';
import { purgerMisesDeCote } from './purge/mises-de-cote.ts';

export interface PurgeOptions {
  /** say what would go, change nothing */
  readonly aBlanc?: boolean;
  /** even when more would go than PURGE_SEUIL_PART allows, or the clock seems to have jumped */
  readonly force?: boolean;
  /** ms since the epoch, instead of the present by the database's clock */
  readonly maintenant?: number;
  /** rows, days, versions a transaction, instead of the usual */
  readonly lots?: Partial<Lots>;
  readonly onProgress?: (categorie: BilanCategorie) => void;
}

/** What became of one kind. */
export interface BilanCategorie {
  readonly categorie: Categorie;
  /** `24 mois`, `jamais` */
  readonly conservation: string;
  /** ISO 8601, UTC: what is older went; null when the kind is kept for ever */
  readonly coupure: string | null;
  /** rows (archives, accounts, files) that went, or would */
  readonly lignes: number;
  /** why it could not be finished; the rest was */
  readonly erreur?: string;
}

export interface BilanPurge {
  /** `ignoree`: another purge is running */
  readonly etat: 'reussie' | 'partielle' | 'ignoree';
  readonly aBlanc: boolean;
  readonly categories: readonly BilanCategorie[];
  /** a dry run: why it would be refused without --force */
  readonly refus?: readonly string[];
}

/** In this order: what explains goes after what it explains, figures last; accounts are closed before they are forgotten. */
const ORDRE: readonly (readonly [Categorie, (passage: Passage) => Promise<void>])[] = [
  ['details', purgerDetails],
  ['quarantaine', purgerQuarantaine],
  ['archives', purgerArchives],
  ['sessions', purgerSessions],
  ...(Object.keys(TABLES_DATEES) as CategorieDatee[]).map(
    (categorie) => [categorie, (passage: Passage) => purgerAnciens(passage, categorie)] as const,
  ),
  ['comptesDesactivation', desactiverComptes],
  ['comptes', oublierComptes],
  ['depot', purgerDepot],
];

/**
 * Erases what is past its retention period (settings CONSERVATION_*), in short transactions, and notes of each kind how
 * much went (`purge`). What was purged stays so after a crash; the next purge goes on. One purge at a time.
 *
 * @throws AtelierError ATL_R604 (more would go than is plausible; nothing did), ATL_R601 (journal of erasures), ATL_D301;
 *   another kind that fails is told in the result
 */
export async function purger(ctx: PurgeContext, options: PurgeOptions = {}): Promise<BilanPurge> {
  const aBlanc = options.aBlanc ?? false;
  return await withClient(ctx.pool, async (client) => {
    if (aBlanc) return await parcourir(ctx, client, undefined, options);
    const ouverte = ctx.execution;
    if (ouverte !== undefined && !(await tenirExecution(client, ouverte))) {
      throw new AtelierError('ATL_T703', 'Purge : un autre worker a repris ce passage.');
    }
    if (!(await verrouillerPurge(client))) {
      ctx.logger.info('purge ignorée : une autre est en cours');
      await endExecution(client, ouverte ?? (await startExecution(client, 'purge')), 'ignoree', {});
      return { etat: 'ignoree', aBlanc, categories: [] };
    }
    try {
      const execution = ouverte ?? (await startExecution(client, 'purge'));
      try {
        const bilan = await parcourir(ctx, client, execution, options);
        await purgerMisesDeCote(ctx, client, options.maintenant ?? (await horlogeBase(client)));
        const counts = Object.fromEntries(bilan.categories.map((c) => [c.categorie, c.lignes]));
        const why = bilan.categories.flatMap((c) => (c.erreur ? [`${c.categorie} : ${c.erreur}`] : []));
        const etat = bilan.etat === 'partielle' ? 'partielle' : 'reussie';
        await endExecution(client, execution, etat, counts, why.join(' ; ') || undefined);
        ctx.logger.info({ ...counts }, 'purge terminée');
        return bilan;
      } catch (error) {
        const erreur = messageOf(error);
        ctx.logger.error({ erreur }, 'purge interrompue');
        // PostgreSQL may be what failed: then the run stays `en_cours`.
        await endExecution(ctx.pool, execution, 'echouee', {}, erreur).catch(() => undefined);
        throw error;
      }
    } finally {
      await deverrouillerPurge(client).catch(() => undefined);
    }
  });
}

async function parcourir(
  ctx: PurgeContext,
  client: Client,
  execution: number | undefined,
  options: PurgeOptions,
): Promise<BilanPurge> {
  const aBlanc = execution === undefined;
  // Of all clocks the one by which what is stored was dated; this process's may be of another machine.
  const maintenant = options.maintenant ?? (await horlogeBase(client));
  const lots = { ...LOTS, ...options.lots };
  const passages = ORDRE.flatMap(([categorie]) => {
    const duree = ctx.config.conservation[categorie];
    return duree ? [passageDEssai({ ctx, client, categorie, maintenant, aBlanc, lots }, duree)] : [];
  });
  const refus = options.force ? [] : await raisonsDeRefuser(passages, execution ?? 0);
  if (refus.length > 0 && !aBlanc) refuser(refus, ctx.config.purge.seuilPart);
  const categories: BilanCategorie[] = [];
  for (const [categorie, work] of ORDRE) {
    const duree: Conservation = ctx.config.conservation[categorie];
    const base = { ctx, client, categorie, maintenant, aBlanc, lots };
    const done =
      duree === undefined
        ? { categorie, conservation: ecrireDuree(duree), coupure: null, lignes: 0 }
        : await purgerCategorie(base, duree, execution, work);
    categories.push(done);
    options.onProgress?.(done);
  }
  const etat = categories.some(({ erreur }) => erreur !== undefined) ? 'partielle' : 'reussie';
  return { etat, aBlanc, categories, ...(refus.length > 0 ? { refus } : {}) };
}

async function purgerCategorie(
  base: ConstructorParameters<typeof Passage>[0],
  duree: Duree,
  execution: number | undefined,
  work: (passage: Passage) => Promise<void>,
): Promise<BilanCategorie> {
  const { ctx, client, categorie } = base;
  const probe = new Passage(base, duree, undefined);
  const purge =
    execution === undefined ? undefined : await commencerPurge(client, execution, categorie, probe.avant);
  const passage = new Passage(base, duree, purge);
  const coupure = new Date(passage.avant).toISOString();
  const conservation = ecrireDuree(duree);
  try {
    await work(passage);
  } catch (error) {
    // Without its journal nothing may be erased, without the server nothing can; anything else concerns this kind only.
    const fatal = error instanceof AtelierError && error.code === 'ATL_R601';
    const stopped = ctx.shutdown.signal.aborted || ctx.signal?.aborted === true;
    if (fatal || stopped || isServerAway(error)) throw error;
    const erreur = messageOf(error);
    ctx.logger.error({ categorie, erreur }, 'purge : catégorie inachevée');
    return { categorie, conservation, coupure, lignes: passage.lignes, erreur };
  }
  if (purge !== undefined) {
    await finirPurge(client, purge);
    lignesPurgees.inc({ category: categorie }, passage.lignes);
  }
  return { categorie, conservation, coupure, lignes: passage.lignes };
}

/** Rows of tables that go by their own age. */
async function purgerAnciens(passage: Passage, categorie: CategorieDatee): Promise<void> {
  const { client, avant } = passage;
  const nombre = await compterAnciens(client, categorie, avant);
  if (passage.aBlanc) {
    await passage.compter(nombre);
    return;
  }
  if (nombre === 0) return;
  await passage.effacements.ajouter(
    { genre: 'anciens', categorie, avant: new Date(avant).toISOString() },
    passage.maintenant,
  );
  passage.etape('apres_journal');
  await supprimerAnciens(client, categorie, avant, passage.lots.lignes, async (gone) => {
    passage.continuer();
    await passage.compter(gone);
    passage.etape('avant_validation');
  });
}
