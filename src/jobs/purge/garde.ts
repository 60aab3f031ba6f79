import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError } from '../../base/errors.ts';
import type { Duree } from '../../domain/conservation/duree.ts';
import { comptesInactifs } from '../../postgres/comptes/oubli.ts';
import { compterEnTout, dernierSigne } from '../../postgres/conservation/garde.ts';
import * as jours from '../../postgres/conservation/jours.ts';
import { rejetsEchus } from '../../postgres/conservation/rejets.ts';
import { type CategorieDatee, joursDates, TABLES_DATEES } from '../../postgres/conservation/tables.ts';
import { type Categorie, Passage } from './contexte.ts';

/** What a purge would take of a kind. */
interface Part {
  readonly du: number;
  /** all that is stored of it now */
  readonly total: () => Promise<number>;
  /** what is counted, French plural */
  readonly unite: string;
}

/** So many units always go, whatever their share: small bases, single accounts. */
const PLANCHER = 31;
const PLANCHER_COMPTES = 3;
/** Longest silence (ms) between the last purge that was done, or else the last sign of life, and this one. */
const SILENCE = 60 * 86_400_000;

const DAY = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * Sees before anything goes whether so much is plausible: a clock that is years ahead finds everything old. The share of
 * each kind is compared with PURGE_SEUIL_PART, and the clock with what is stored.
 *
 * @param passages the kinds that are not kept for ever
 * @returns why nothing may go without `--force`, one reason each; none: all is well
 */
export async function raisonsDeRefuser(passages: readonly Passage[], execution: number): Promise<string[]> {
  const [first] = passages;
  if (!first) return [];
  const raisons: string[] = [];
  const signe = await dernierSigne(first.client, execution, first.maintenant);
  if (signe && first.maintenant - signe.quand > SILENCE) {
    const quoi = signe.purge ? 'la dernière purge' : 'la dernière trace enregistrée';
    const ecart = Math.round((first.maintenant - signe.quand) / 86_400_000);
    raisons.push(
      `l’horloge de PostgreSQL dit ${DAY(first.maintenant)} et ${quoi} est du ${DAY(signe.quand)} (${ecart} jours)`,
    );
  }
  for (const passage of passages) {
    passage.continuer();
    const part = await partDe(passage);
    const plancher = /^comptes/.test(passage.categorie) ? PLANCHER_COMPTES : PLANCHER;
    if (!part || part.du <= plancher) continue;
    const total = Math.max(await part.total(), part.du);
    const { seuilPart } = passage.ctx.config.purge;
    if (part.du / total > seuilPart) {
      raisons.push(`${passage.categorie} : ${part.du} ${part.unite} sur ${total} partiraient`);
    }
  }
  return raisons;
}

/** @throws AtelierError ATL_R604 */
export function refuser(raisons: readonly string[], seuil: number): never {
  throw new AtelierError(
    'ATL_R604',
    `Purge refusée, rien n’a été effacé : ${raisons.join(' ; ')} (PURGE_SEUIL_PART ${seuil}).`,
  );
}

/** A pass that only looks. */
export function passageDEssai(base: ConstructorParameters<typeof Passage>[0], duree: Duree): Passage {
  return new Passage({ ...base, aBlanc: true }, duree, undefined);
}

async function partDe(passage: Passage): Promise<Part | undefined> {
  const { client, categorie, maintenant, avant } = passage;
  const parCentre = async (compter: (echeance: jours.JoursEchus) => Promise<number>): Promise<number> => {
    let du = 0;
    for (const centre of await jours.listerCentres(client)) du += await compter(passage.echeance(centre));
    return du;
  };
  const total = (quoi: Parameters<typeof compterEnTout>[1]) => () => compterEnTout(client, quoi);
  const par: Partial<Record<Categorie, () => Promise<Part>>> = {
    details: async () => ({
      du: await parCentre(async (e) => (await jours.joursAvecDetails(client, e)).length),
      total: total('details'),
      unite: 'journées',
    }),
    sessions: async () => ({
      du: await parCentre(async (e) => (await jours.joursAvecSession(client, e)).length),
      total: total('sessions'),
      unite: 'journées',
    }),
    archives: async () => ({
      du: await parCentre(async (e) => (await jours.versionsEchues(client, e, maintenant)).length),
      total: total('archives'),
      unite: 'fichiers',
    }),
    quarantaine: async () => ({
      du: await parCentre(async (e) => (await rejetsEchus(client, e, maintenant)).versions.size),
      total: total('quarantaine'),
      unite: 'fichiers',
    }),
    depot: async () => await partDuDepot(passage, parCentre),
    comptesDesactivation: async () => ({
      du: (await comptesInactifs(client, avant)).filter(({ actif }) => actif).length,
      total: total('comptesActifs'),
      unite: 'comptes',
    }),
    comptes: async () => ({
      du: (await comptesInactifs(client, avant)).length,
      total: total('comptes'),
      unite: 'comptes',
    }),
  };
  const own = par[categorie];
  if (own) return await own();
  // Failed sign-ins and tokens that ended are worth nothing, and come and go in bursts.
  if (categorie === 'connexions' || !Object.hasOwn(TABLES_DATEES, categorie)) return undefined;
  const datee = categorie as CategorieDatee;
  return {
    du: await joursDates(client, datee, avant),
    total: () => joursDates(client, datee, undefined),
    unite: 'jours',
  };
}

/** Rows of files stay when the file has gone from LOGS_DIR: only those that are there count. */
async function partDuDepot(
  { client, ctx, maintenant }: Passage,
  parCentre: (compter: (echeance: jours.JoursEchus) => Promise<number>) => Promise<number>,
): Promise<Part> {
  let listes = 0;
  const du = await parCentre(async (echeance) => {
    const past = await jours.fichiersEchus(client, echeance, maintenant);
    listes += past.length;
    let there = 0;
    for (const { chemin } of past) {
      if (await stat(join(ctx.config.logsDir, chemin)).catch(() => undefined)) there++;
    }
    return there;
  });
  const total = async (): Promise<number> => (await compterEnTout(client, 'depot')) - listes + du;
  return { du, total, unite: 'fichiers' };
}
