import { type CentreEfface, type EffacementDate, Effacements } from '../archives/effacements.ts';
import { parseDay } from '../base/time.ts';
import { ensureCentre } from '../postgres/centres.ts';
import { oublierCompte } from '../postgres/comptes/oubli.ts';
import {
  type CentrePurge,
  listerCentres,
  supprimerDetails,
  supprimerSessions,
  versionsParSha,
} from '../postgres/conservation/jours.ts';
import { geler, type MotifGel } from '../postgres/conservation/jours-geles.ts';
import { supprimerRejetsDe } from '../postgres/conservation/rejets.ts';
import { type CategorieDatee, supprimerAnciens, TABLES_DATEES } from '../postgres/conservation/tables.ts';
import { lockCentre } from '../postgres/journaux/fichiers.ts';
import { type Client, transaction, withClient } from '../postgres/pool.ts';
import { eraseArchives } from './ingest/archives-perimees.ts';
import { LOTS, lots, type PurgeContext } from './purge/contexte.ts';
import { prendreJours, retirerVersions } from './purge/jours.ts';

/** What a replay needs. */
export type RejeuContext = Omit<PurgeContext, 'onEtape'>;

/** What a replay erased again. */
export interface BilanRejeu {
  /** entries of the journal */
  readonly entrees: number;
  /** days that lost a part again, or were frozen again */
  readonly jours: number;
  readonly details: number;
  readonly sessions: number;
  readonly rejets: number;
  readonly archives: number;
  readonly anciens: number;
  readonly comptes: number;
}

/**
 * Erases again what `effacements.jsonl` says was erased: to be run after an older backup was restored or the database
 * was rebuilt, before anybody may read it (R16). Any number of times; what is gone already stays gone.
 *
 * @throws AtelierError ATL_R601
 */
export async function rejouerEffacements(ctx: RejeuContext): Promise<BilanRejeu> {
  const entrees = await new Effacements(ctx.config.archivesDir).lire();
  const bilan = { jours: 0, details: 0, sessions: 0, rejets: 0, archives: 0, anciens: 0, comptes: 0 };
  await withClient(ctx.pool, async (client) => {
    const centres = new Centres(ctx, client);
    for (const [part, centre, days] of joursDe(entrees)) {
      bilan.jours += days.size;
      const gone = await reprendre(ctx, client, await centres.row(centre), part, days);
      if (part === 'details') bilan.details += gone;
      else if (part === 'session') bilan.sessions += gone;
      else if (part === 'quarantaine') bilan.rejets += gone;
    }
    for (const [centre, shas] of archivesDe(entrees)) {
      const row = await centres.row(centre);
      for (const lot of lots([...shas.keys()], 500)) {
        ctx.shutdown.signal.throwIfAborted();
        await transaction(client, async () => {
          await lockCentre(client, row.id);
          const back = await versionsParSha(client, row.id, lot);
          const le = Math.max(0, ...lot.map((sha) => shas.get(sha)!));
          await retirerVersions(ctx, client, row, back, le, async () => undefined);
          bilan.archives += back.length;
          // A backup of the archives may have brought bytes back that no version here tells of.
          for (const sha of lot)
            if (!back.some(({ sha256 }) => sha256 === sha)) await ctx.archive.remove(row.id, sha);
        });
      }
      await eraseArchives(ctx, client, row.id);
    }
    for (const [categorie, avant] of anciensDe(entrees)) {
      bilan.anciens += await supprimerAnciens(client, categorie, avant, LOTS.lignes, async () => undefined);
    }
    for (const id of comptesDe(entrees)) {
      const gone = await transaction(client, async () =>
        oublierCompte(client, id, { motif: 'restauration', avant: async () => undefined }),
      );
      if (gone !== undefined) bilan.comptes++;
    }
  });
  ctx.logger.info({ entrees: entrees.length, ...bilan }, 'effacements rejoués');
  return { entrees: entrees.length, ...bilan };
}

/**
 * Freezes the days that lost figures or bytes, before archives are read into an empty database: what is left of them
 * must not be taken for all that there was.
 *
 * @throws AtelierError ATL_R601
 */
export async function gelerJoursEffaces(ctx: RejeuContext): Promise<void> {
  const entrees = await new Effacements(ctx.config.archivesDir).lire();
  await withClient(ctx.pool, async (client) => {
    const centres = new Centres(ctx, client);
    for (const [part, centre, days] of joursDe(entrees)) {
      if (part !== 'archives' && part !== 'session') continue;
      await reprendre(ctx, client, await centres.row(centre), part, days);
    }
  });
}

/** A part of days of one centre, some days a transaction. @param days instant (ms) of each @returns number of rows */
async function reprendre(
  ctx: RejeuContext,
  client: Client,
  centre: CentrePurge,
  part: MotifGel,
  days: ReadonlyMap<string, number>,
): Promise<number> {
  let gone = 0;
  for (const lot of lots([...days.keys()].sort(), LOTS.jours)) {
    ctx.shutdown.signal.throwIfAborted();
    const dated = lot.map((jour) => [parseDay(jour), days.get(jour)!] as const);
    gone += await reprendreJours(ctx, client, centre, part, dated);
  }
  return gone;
}

/** Freezes days again and takes away what they had lost. @param days day number and ms since the epoch */
async function reprendreJours(
  ctx: RejeuContext,
  client: Client,
  centre: CentrePurge,
  part: MotifGel,
  days: readonly (readonly [number, number])[],
): Promise<number> {
  const jours = days.map(([jour]) => jour);
  const le = Math.max(...days.map(([, at]) => at));
  return await transaction(client, async () => {
    if (part === 'quarantaine') await lockCentre(client, centre.id);
    await prendreJours(ctx, client, centre, jours);
    await geler(client, centre.id, jours, part, le);
    if (part === 'details') return await supprimerDetails(client, centre.id, jours);
    if (part === 'session') return await supprimerSessions(client, centre.id, jours);
    if (part === 'quarantaine') return await supprimerRejetsDe(client, centre.id, jours);
    return 0;
  });
}

/** The centres of the journal in this database: ids may be others after a rebuild, names after a change. */
class Centres {
  readonly #ctx: RejeuContext;
  readonly #client: Client;
  #rows: CentrePurge[] | undefined;

  constructor(ctx: RejeuContext, client: Client) {
    this.#ctx = ctx;
    this.#client = client;
  }

  async row(centre: CentreEfface): Promise<CentrePurge> {
    this.#rows ??= await listerCentres(this.#client);
    const found =
      this.#rows.find(({ id, cree }) => id === centre.id && cree === centre.cree) ??
      this.#rows.find(({ nom }) => nom === centre.nom);
    if (found) return found;
    // Not there yet: its days must be frozen before its files come.
    const type = this.#ctx.config.centres.find(({ nom }) => nom === centre.nom)?.type ?? 'INCONNU';
    const { id } = await ensureCentre(this.#client, centre.nom, type);
    const made = { id, nom: centre.nom, cree: '' };
    this.#rows.push(made);
    return made;
  }
}

type Parts = Extract<EffacementDate, { genre: 'jours' }>['part'];

/** Days by part and centre, with the instant (ms) at which each was erased first. */
function joursDe(
  entrees: readonly EffacementDate[],
): (readonly [Parts, CentreEfface, Map<string, number>])[] {
  const found = new Map<string, readonly [Parts, CentreEfface, Map<string, number>]>();
  for (const entree of entrees) {
    if (entree.genre !== 'jours') continue;
    const key = `${entree.part} ${entree.centre.id} ${entree.centre.nom}`;
    const group = found.get(key) ?? ([entree.part, entree.centre, new Map<string, number>()] as const);
    for (const jour of entree.jours) if (!group[2].has(jour)) group[2].set(jour, Date.parse(entree.le));
    found.set(key, group);
  }
  // Archives last: until then a day that was left to be computed can be.
  return [...found.values()].sort(([a], [b]) => Number(a === 'archives') - Number(b === 'archives'));
}

function archivesDe(entrees: readonly EffacementDate[]): (readonly [CentreEfface, Map<string, number>])[] {
  const found = new Map<string, readonly [CentreEfface, Map<string, number>]>();
  for (const entree of entrees) {
    if (entree.genre !== 'archives') continue;
    const key = `${entree.centre.id} ${entree.centre.nom}`;
    const group = found.get(key) ?? ([entree.centre, new Map<string, number>()] as const);
    for (const sha of entree.sha256) group[1].set(sha, Date.parse(entree.le));
    found.set(key, group);
  }
  return [...found.values()];
}

/** The latest cut-off of each kind, ms since the epoch. */
function anciensDe(entrees: readonly EffacementDate[]): Map<CategorieDatee, number> {
  const found = new Map<CategorieDatee, number>();
  for (const entree of entrees) {
    if (entree.genre !== 'anciens' || !Object.hasOwn(TABLES_DATEES, entree.categorie)) continue;
    const categorie = entree.categorie as CategorieDatee;
    found.set(categorie, Math.max(found.get(categorie) ?? 0, Date.parse(entree.avant)));
  }
  return found;
}

function comptesDe(entrees: readonly EffacementDate[]): Set<string> {
  return new Set(entrees.flatMap((entree) => (entree.genre === 'compte' ? [entree.id] : [])));
}
