import type { PgBoss } from 'pg-boss';
import type { NomTache, PlanificationConfig, Rattrapage } from '../base/config/planification.ts';
import { type Horaire, prochainTick, ticksEntre } from '../base/cron.ts';
import type { Logger } from '../base/logger.ts';
import { type Client, type Pool, transaction, withClient } from '../postgres/pool.ts';
import { envoyer } from '../postgres/taches/file-taches.ts';
import {
  ecrirePlanification,
  horlogeBase,
  lirePlanifications,
  oublierPlanification,
  type Planification,
  verrouillerPlanification,
} from '../postgres/taches/planification.ts';

export interface PlanificateurContext {
  readonly pool: Pool;
  readonly logger: Logger;
  readonly boss: PgBoss;
  readonly regles: PlanificationConfig;
  /** tasks that can run here; others are left to the workers that can */
  readonly possibles: readonly NomTache[];
  /** milliseconds of the database's clock to those of the schedule; a test makes days pass in seconds */
  readonly horloge?: ((base: number) => number) | undefined;
  /** see `Cadences` */
  readonly silence?: number | undefined;
}

/** A tick that is younger than this (ms) is no missed one: planners look every few seconds, or take over from another. */
const A_L_HEURE = 120_000;

/** A last tick that is further ahead than this (ms) was noted by a clock that was wrong, and is set right since. */
const EN_AVANCE = 24 * 3_600_000;

/** Which of the ticks that came due are run. */
export function rattraper(
  ticks: readonly number[],
  maintenant: number,
  regles: { readonly rattrapage: Rattrapage; readonly rattrapageMax: number },
): number[] {
  const age = regles.rattrapage === 'aucun' ? A_L_HEURE : Math.max(A_L_HEURE, regles.rattrapageMax * 1000);
  const recents = ticks.filter((tick) => maintenant - tick <= age);
  return regles.rattrapage === 'un' ? recents.slice(-1) : recents;
}

/**
 * One look at the schedule: what came due is put in the queue, and noted, in one transaction. Any number of workers
 * may look at once or die at it: each tick is queued exactly once, or left as RATTRAPAGE says.
 *
 * @returns ticks that were queued, ISO 8601
 */
export async function planifier(ctx: PlanificateurContext): Promise<{ tache: NomTache; echeance: string }[]> {
  const known = new Map((await lirePlanifications(ctx.pool)).map((p) => [p.tache, p]));
  const now = await maintenant(ctx, ctx.pool);
  const queued: { tache: NomTache; echeance: string }[] = [];
  for (const [name, horaire] of Object.entries(ctx.regles.horaires)) {
    const tache = name as NomTache;
    const stored = known.get(tache);
    if (horaire === undefined) {
      if (stored) await oublierPlanification(ctx.pool, tache);
    } else if (ctx.possibles.includes(tache) && aFaire(stored, horaire, now)) {
      const echeances = await withClient(ctx.pool, (client) =>
        transaction(client, () => avancer(ctx, client, tache, horaire)),
      );
      for (const echeance of echeances) queued.push({ tache, echeance });
    }
  }
  return queued;
}

/** Whether a look under lock is worth while. */
function aFaire(p: Planification | undefined, horaire: Horaire, now: number): boolean {
  return p === undefined || change(p, horaire) || p.prochaineEcheance <= now || enAvance(p, now);
}

/** Whether it would wait for an instant that only a wrong clock has seen: days, or years, without a tick. */
function enAvance(p: Planification, now: number): boolean {
  return p.derniereEcheance - now > EN_AVANCE;
}

function change(p: Planification, horaire: Horaire): boolean {
  return p.horaire !== horaire.texte || p.fuseau !== horaire.fuseau;
}

async function avancer(
  ctx: PlanificateurContext,
  client: Client,
  tache: NomTache,
  horaire: Horaire,
): Promise<string[]> {
  const p = await verrouillerPlanification(client, tache);
  const now = await maintenant(ctx, client);
  const ecrire = (derniere: number, manquees: number): Promise<void> =>
    ecrirePlanification(client, {
      tache,
      horaire: horaire.texte,
      fuseau: horaire.fuseau,
      derniereEcheance: derniere,
      prochaineEcheance: prochainTick(horaire, derniere),
      echeancesManquees: manquees,
    });
  if (p && enAvance(p, now)) {
    await oublierPlanification(client, tache);
    await ecrire(now, p.echeancesManquees);
    const derniere = new Date(p.derniereEcheance).toISOString();
    ctx.logger.warn(
      { tache, derniere },
      'l’horloge a reculé de plus d’un jour : l’horaire reprend maintenant',
    );
    return [];
  }
  if (p === undefined || change(p, horaire)) {
    // A new schedule begins now: what it would have asked for before is nothing that was missed.
    await ecrire(Math.max(now, p?.derniereEcheance ?? 0), p?.echeancesManquees ?? 0);
    ctx.logger.info({ tache, horaire: horaire.texte, avant: p?.horaire }, 'horaire enregistré');
    return [];
  }
  const ticks = ticksEntre(horaire, p.derniereEcheance, now);
  if (ticks.length === 0) return [];
  const chosen = rattraper(ticks, now, ctx.regles).map((tick) => new Date(tick).toISOString());
  for (const echeance of chosen) {
    const donnees = { tache, declencheur: 'planifie', echeance } as const;
    await envoyer(ctx.boss, client, donnees, ctx.regles, { silence: ctx.silence });
  }
  const missed = ticks.length - chosen.length;
  await ecrire(ticks.at(-1)!, p.echeancesManquees + missed);
  if (missed > 0) {
    ctx.logger.warn(
      { tache, manquees: missed, rattrapees: chosen.length },
      'échéances passées pendant un arrêt',
    );
  }
  ctx.logger.info({ tache, echeances: chosen }, 'échéance mise en file');
  return chosen;
}

async function maintenant(ctx: PlanificateurContext, db: Pool | Client): Promise<number> {
  const base = await horlogeBase(db);
  return Math.floor(ctx.horloge?.(base) ?? base);
}
