import { hostname } from 'node:os';
import type { Config } from '../base/config.ts';
import { lireHoraire, prochainTick } from '../base/cron.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { avisDe, type GenreAvis } from '../domain/alertes/avis.ts';
import { evaluer, type Faits, type FaitsDisque, type FaitsTache } from '../domain/alertes/evaluer.ts';
import { rapprocher } from '../domain/alertes/rapprocher.ts';
import { cleDe, REGLES, type Regle } from '../domain/alertes/regles.ts';
import { mettreEnFile } from '../postgres/alertes/envois.ts';
import { type EcheanceNotee, echeances, faitsDesCentres, faitsDesTaches } from '../postgres/alertes/faits.ts';
import {
  type AlerteRow,
  appliquer,
  type Changements,
  lireAttentes,
  lireOuvertes,
  verrouillerAlertes,
} from '../postgres/alertes.ts';
import { type Client, type Pool, transaction, withClient } from '../postgres/pool.ts';
import { horlogeBase } from '../postgres/taches/planification.ts';
import { mesurerDisques } from './alertes/disques.ts';
import { type BilanEnvois, canauxDe, type EnvoiContext, envoyerAvis } from './alertes/envoyer.ts';

export interface AlertesContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly pool: Pool;
  /** milliseconds since the epoch */
  readonly maintenant: () => number;
  /** what disks have left; this machine's as they are without it */
  readonly disques?: () => Promise<readonly FaitsDisque[]>;
  readonly apresEnvoi?: EnvoiContext['apresEnvoi'];
}

/** What a pass did. */
export interface BilanAlertes extends BilanEnvois {
  readonly ouvertes: number;
  readonly rappelees: number;
  readonly resolues: number;
}

const LOCK_NOT_AVAILABLE = '55P03';
/** Milliseconds that two clocks may be apart without harm. */
const ECART_TOLERE = 5_000;

/**
 * One pass: looks at everything, opens and ends alerts, sends what is to be sent. Any number of processes may do so at
 * once, on any number of machines: each alert is opened once, each notice sent by one of them.
 *
 * @throws AtelierError ATL_D301, or what PostgreSQL says, when the database is away
 */
export async function surveiller(ctx: AlertesContext): Promise<void> {
  await passer(ctx);
}

/** The same, and says what it did. */
export async function passer(ctx: AlertesContext): Promise<BilanAlertes> {
  const time = new FactoryTime(ctx.config.fuseau, ctx.config.journeeDebut);
  const ecart = await ecartHorloge(ctx);
  const aLHeure = { ...ctx, maintenant: () => ctx.maintenant() + ecart };
  const { ouvertes, rappelees, resolues } = await controler(aLHeure, time);
  const bilan = await envoyerAvis({ ...aLHeure, time });
  return { ouvertes: ouvertes.length, rappelees: rappelees.length, resolues: resolues.length, ...bilan };
}

/**
 * Milliseconds to add to this machine's clock: all go by that of the database. One that is an hour ahead would find silent
 * what the next one finds well, and so on, every half minute.
 */
async function ecartHorloge({ pool, logger }: AlertesContext): Promise<number> {
  const ecart = (await withClient(pool, horlogeBase)) - Date.now();
  if (Math.abs(ecart) < ECART_TOLERE) {
    decalees.delete(pool);
    return 0;
  }
  if (!decalees.has(pool)) {
    decalees.add(pool);
    const ecart_secondes = Math.round(ecart / 1000);
    logger.warn({ ecart_secondes }, 'l’horloge de cette machine n’est pas celle de PostgreSQL');
  }
  return ecart;
}

/** Databases whose clock was said to be another: once is enough, a pass comes every half minute. */
const decalees = new WeakSet<Pool>();

/** Looks, and notes what it saw together with the notices about it. */
async function controler(ctx: AlertesContext, time: FactoryTime): Promise<Changements> {
  const disques = await (ctx.disques ?? (() => mesurerDisques(ctx.config, ctx.logger)))();
  try {
    const changements = await withClient(ctx.pool, (client) =>
      transaction(client, async () => {
        await verrouillerAlertes(client);
        return await noter(ctx, client, time, disques);
      }),
    );
    raconter(ctx.logger, changements);
    return changements;
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
    ctx.logger.warn('contrôle des alertes passé : un autre dure encore');
    return { ouvertes: [], rappelees: [], resolues: [] };
  }
}

async function noter(
  ctx: AlertesContext,
  client: Client,
  time: FactoryTime,
  disques: readonly FaitsDisque[],
): Promise<Changements> {
  const reglages = ctx.config.alertes;
  const maintenant = ctx.maintenant() / 1000;
  const ouvertes = await lireOuvertes(client);
  const faits: Faits = {
    centres: await faitsDesCentres(client),
    taches: await taches(ctx, client),
    disques,
  };
  const constats = evaluer(faits, { reglages, time, maintenant, ouvertes: new Set(ouvertes.map(cleDe)) });
  const suites = rapprocher(constats, {
    ouvertes,
    attentes: await lireAttentes(client),
    maintenant,
    rappel: reglages.rappel,
    vu: (regle, objet) => regle !== 'disque_court' || objet.startsWith(`${hostname()} `),
  });
  const changements = await appliquer(client, suites, maintenant);
  const ecrire = (genre: GenreAvis, alerte: AlerteRow, numero = 0): Promise<void> =>
    mettreEnFile(client, avisDe(genre, enAvis(alerte, time)), {
      canaux: canauxDe(reglages),
      ...{ numero, maintenant },
    });
  for (const alerte of changements.ouvertes) await ecrire('ouverture', alerte);
  for (const alerte of changements.rappelees) await ecrire('rappel', alerte, alerte.rappels);
  for (const alerte of changements.resolues) await ecrire('retablissement', alerte);
  return changements;
}

/** Tasks that ran or are planned, with the oldest tick that nothing followed. */
async function taches({ config, maintenant, logger }: AlertesContext, client: Client): Promise<FaitsTache[]> {
  const horaires: Readonly<Record<string, unknown>> = config.planification.horaires;
  const planned = (await echeances(client)).filter(
    // What is switched off is not missed; nor are orders when there is no ERP to read them from.
    ({ tache }) => horaires[tache] !== undefined && (tache !== 'sync' || config.erp !== undefined),
  );
  const attendues = new Map(planned.map((note) => [note.tache, attendue(note, maintenant(), logger)]));
  const faits = (await faitsDesTaches(client)).filter(
    ({ tache }) => tache !== 'sync' || config.erp !== undefined,
  );
  const known = new Set(faits.map(({ tache }) => tache));
  return [
    ...faits.map((fait) => ({ ...fait, attendue: attendues.get(fait.tache) ?? null })),
    ...planned
      .filter(({ tache }) => !known.has(tache))
      .map(({ tache }) => ({ ...JAMAIS, tache, attendue: attendues.get(tache) ?? null })),
  ];
}

const JAMAIS = {
  ...{ etat: null, erreur: null, abandonnee: false },
  ...{ depuis: null, dernierSucces: null, premierPassage: null },
} as const;

/** The oldest tick that has come and that no run followed, in seconds; null when there is none. */
function attendue(note: EcheanceNotee, maintenant: number, logger: Logger): number | null {
  const { tache, derniere, prochaine, passee } = note;
  try {
    const horaire = lireHoraire(note.horaire, note.fuseau);
    // A schedule that was just set has been dealt with up to an instant that is no tick.
    if (!passee && horaire && prochainTick(horaire, derniere - 1) === derniere) return derniere / 1000;
  } catch (error) {
    logger.debug({ tache, erreur: messageOf(error) }, 'horaire illisible');
  }
  // Nobody plans any more.
  return prochaine <= maintenant ? prochaine / 1000 : null;
}

function enAvis(alerte: AlerteRow, time: FactoryTime) {
  const { id, regle, objet, gravite, etat, message, details, debut, fin } = alerte;
  return {
    // Alerts of other rules are left alone, so this one is known.
    ...{ id, regle: regle as Regle, objet, gravite, etat, message, details },
    debut: time.format(Math.floor(debut)),
    fin: fin === null ? null : time.format(Math.floor(fin)),
  };
}

/** Whoever has neither webhook nor mail finds alerts in the log. */
function raconter(logger: Logger, { ouvertes, rappelees, resolues }: Changements): void {
  const say = ({ id, regle, objet }: AlerteRow) => ({ alerte: id, regle, objet });
  for (const alerte of ouvertes) {
    const level = alerte.gravite === 'critique' ? 'error' : 'warn';
    logger[level](say(alerte), `alerte : ${REGLES[alerte.regle as Regle].titre} : ${alerte.message}`);
  }
  for (const alerte of rappelees) logger.warn(say(alerte), `alerte toujours ouverte : ${alerte.message}`);
  for (const alerte of resolues) logger.info(say(alerte), 'alerte résolue');
}
