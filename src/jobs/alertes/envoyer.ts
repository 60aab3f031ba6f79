import { randomUUID } from 'node:crypto';
import type { AlertesConfig } from '../../base/config/alertes.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { FactoryTime } from '../../base/time.ts';
import type { Avis } from '../../domain/alertes/avis.ts';
import { ABANDON, attenteApres } from '../../domain/alertes/reprise.ts';
import {
  abandonnerSansCanal,
  type Canal,
  type Envoi,
  noterEnvoi,
  prendreEnvoi,
} from '../../postgres/alertes/envois.ts';
import type { Pool } from '../../postgres/pool.ts';
import { envoyerMail } from './mail.ts';
import { posterWebhook } from './webhook.ts';

/** Seconds after which a notice that somebody took is anybody's again: longer than any attempt lasts. */
const BAIL = 60;
/** Notices that one pass sends by one channel: the next pass takes the others. */
const PAR_PASSE = 50;

export interface EnvoiContext {
  readonly config: { readonly alertes: AlertesConfig };
  readonly logger: Logger;
  readonly pool: Pool;
  readonly time: FactoryTime;
  /** milliseconds since the epoch */
  readonly maintenant: () => number;
  /** between a receiver's acceptance and its being noted: tests stop the process here */
  readonly apresEnvoi?: ((envoi: Envoi) => void | Promise<void>) | undefined;
}

/** What a round of sending did. */
export interface BilanEnvois {
  readonly envoyes: number;
  readonly echoues: number;
  readonly abandonnes: number;
}

/** The channels that are set. */
export function canauxDe({ webhook, mail }: AlertesConfig): Canal[] {
  return [...(webhook ? (['webhook'] as const) : []), ...(mail ? (['mail'] as const) : [])];
}

/** Sends what is due, each channel for itself. Failures are noted and tried again later; only the database may throw. */
export async function envoyerAvis(ctx: EnvoiContext): Promise<BilanEnvois> {
  const canaux = canauxDe(ctx.config.alertes);
  const forgotten = await abandonnerSansCanal(ctx.pool, canaux, secondes(ctx) - ABANDON);
  if (forgotten > 0) {
    ctx.logger.error({ avis: forgotten }, 'avis d’alerte abandonnés : leur canal n’est plus réglé');
  }
  const bilans = await Promise.all(canaux.map((canal) => envoyerPar(ctx, canal)));
  const sum = (key: keyof BilanEnvois): number => bilans.reduce((total, bilan) => total + bilan[key], 0);
  return { envoyes: sum('envoyes'), echoues: sum('echoues'), abandonnes: sum('abandonnes') + forgotten };
}

async function envoyerPar(ctx: EnvoiContext, canal: Canal): Promise<BilanEnvois> {
  const bilan = { envoyes: 0, echoues: 0, abandonnes: 0 };
  for (let i = 0; i < PAR_PASSE; i++) {
    const envoi = await prendreEnvoi(ctx.pool, canal, { maintenant: secondes(ctx), bail: BAIL });
    if (!envoi) break;
    const erreur = await essayer(ctx, envoi);
    if (erreur === undefined) {
      await ctx.apresEnvoi?.(envoi);
      await noterEnvoi(ctx.pool, envoi, { etat: 'envoye', maintenant: secondes(ctx) });
      ctx.logger.info(ligne(envoi), 'avis d’alerte envoyé');
      bilan.envoyes++;
      continue;
    }
    bilan.echoues++;
    if (await noterEchec(ctx, envoi, erreur)) bilan.abandonnes++;
    // Who did not take this one will not take the next one now.
    break;
  }
  return bilan;
}

/** @returns why it failed, undefined when it was accepted */
async function essayer(ctx: EnvoiContext, envoi: Envoi): Promise<string | undefined> {
  try {
    await transmettre(ctx, envoi.canal, envoi.messageId, envoi.contenu);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** @returns whether it was given up */
async function noterEchec(ctx: EnvoiContext, envoi: Envoi, erreur: string): Promise<boolean> {
  const now = secondes(ctx);
  if (now - envoi.creation >= ABANDON) {
    await noterEnvoi(ctx.pool, envoi, { etat: 'abandonne', erreur });
    ctx.logger.error({ ...ligne(envoi), erreur }, 'avis d’alerte abandonné après un jour d’essais');
    return true;
  }
  const prochainEssai = now + attenteApres(envoi.tentatives, Math.random());
  await noterEnvoi(ctx.pool, envoi, { etat: 'a_envoyer', prochainEssai, erreur });
  ctx.logger.warn({ ...ligne(envoi), erreur }, 'avis d’alerte non envoyé, nouvel essai plus tard');
  return false;
}

async function transmettre(
  ctx: Pick<EnvoiContext, 'config' | 'time' | 'maintenant'>,
  canal: Canal,
  messageId: string,
  avis: Avis,
): Promise<void> {
  const { webhook, mail } = ctx.config.alertes;
  if (canal === 'webhook') await posterWebhook(webhook!, { messageId, avis, maintenant: ctx.maintenant() });
  else await envoyerMail(mail!, { messageId, avis }, ctx.time);
}

/**
 * Sends a test by every channel, without the database.
 *
 * @returns by channel why it failed, undefined when it was accepted
 */
export async function essayerCanaux(
  ctx: Pick<EnvoiContext, 'config' | 'time' | 'maintenant'>,
): Promise<{ readonly canal: Canal; readonly erreur: string | undefined }[]> {
  const debut = new Date(ctx.maintenant()).toISOString();
  const avis: Avis = {
    genre: 'ouverture',
    alerte: {
      ...{ id: 0, regle: 'essai', titre: 'Essai', objet: 'atelier', gravite: 'attention', etat: 'ouverte' },
      message: 'Ceci est un essai des alertes d’atelier : tout va bien.',
      ...{ details: {}, debut, fin: null, conseil: 'Rien : si vous lisez ceci, les alertes arrivent.' },
    },
  };
  return await Promise.all(
    canauxDe(ctx.config.alertes).map(async (canal) => {
      try {
        await transmettre(ctx, canal, randomUUID(), avis);
        return { canal, erreur: undefined };
      } catch (error) {
        return { canal, erreur: messageOf(error) };
      }
    }),
  );
}

function ligne({ canal, genre, alerteId, messageId, tentatives }: Envoi): Record<string, unknown> {
  return { canal, genre, alerte: alerteId, message: messageId, tentatives };
}

function secondes({ maintenant }: Pick<EnvoiContext, 'maintenant'>): number {
  return maintenant() / 1000;
}
