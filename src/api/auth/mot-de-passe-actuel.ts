import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { noter } from '../../postgres/audit.ts';
import { type Compte, lireCompte, trouverParNom } from '../../postgres/comptes/users.ts';
import type { ApiDeps } from '../deps.ts';
import { introuvable, Probleme } from '../problemes.ts';
import { acteurDe } from './authentifier.ts';
import type { Freinage } from './freinage.ts';
import { verifier } from './mot-de-passe.ts';
import { ligneAudit } from './trace.ts';
import { verifierEssai } from './verification.ts';

/** Where the password goes when there is no body; bodies have `password_actuel`. */
export const ENTETE_MOT_DE_PASSE = 'x-password-actuel';
const DANS_LE_CORPS = '/body/password_actuel';
const DANS_L_ENTETE = `/headers/${ENTETE_MOT_DE_PASSE}`;

export const entetesAvecMotDePasse = z.looseObject({
  [ENTETE_MOT_DE_PASSE]: z.string().max(4000).optional().meta({
    description:
      'Mot de passe actuel de qui demande, en UTF-8 encodé comme dans une adresse (%C3%A9) ; un password_actuel dans le corps passe avant',
    format: 'password',
  }),
});

/**
 * The password again of whoever asks for what outlives or destroys a sign-in: a token that was stolen must not be enough
 * for that, nor serve to guess the password.
 *
 * @param given `password_actuel` of the body, if there is one
 * @returns the account of whoever asks, as it was when its password was found to be right
 * @throws Probleme 422 (none, wrong), 429 (too many guesses)
 */
export async function exigerMotDePasseActuel(
  deps: ApiDeps,
  freinage: Freinage,
  request: FastifyRequest,
  given: string | undefined,
): Promise<Compte> {
  const password = given ?? duEntete(request);
  if (password === undefined) {
    const where = request.method === 'DELETE' ? DANS_L_ENTETE : DANS_LE_CORPS;
    throw refuse(
      where,
      'Donnez votre mot de passe actuel (password_actuel dans le corps, ou l’en-tête X-Password-Actuel) : un jeton ne suffit pas pour cela.',
    );
  }
  const { userId } = acteurDe(request);
  const found = await unALaFois(userId, () => essayer(deps, freinage, request, userId, password));
  if (found) return found;
  await noter(deps.pool, ligneAudit(request, 'mot_de_passe_refuse', { cible: `users/${userId}` }));
  throw refuse(
    given === undefined ? DANS_L_ENTETE : DANS_LE_CORPS,
    'Le mot de passe actuel n’est pas celui-là.',
  );
}

/** Counted with the sign-ins of that name and address. */
async function essayer(
  deps: ApiDeps,
  freinage: Freinage,
  request: FastifyRequest,
  userId: string,
  password: string,
): Promise<Compte | undefined> {
  const compte = await lireCompte(deps.pool, deps.coffre, userId);
  if (!compte) throw introuvable('Compte');
  const essai = await freinage.essayer(compte.username, request.ip);
  if (!essai.permis) {
    throw new Probleme(429, `Trop d’essais : attendez ${essai.attendre} s avant le suivant.`, {
      headers: { 'retry-after': String(essai.attendre) },
    });
  }
  const found = await verifierEssai(essai, async () => {
    const now = await trouverParNom(deps.pool, deps.coffre, compte.username);
    const own = now?.id === userId ? now : undefined;
    return (await verifier(password, own?.motDePasse, own?.poivre)) ? own : undefined;
  });
  if (found) await essai.reussi();
  return found;
}

const enCours = new Map<string, Promise<unknown>>();

/**
 * One after another for one account: an attempt counts as wrong until it turns out right, so that whoever sends twenty
 * requests at once with the right password would be slowed down like somebody who guesses.
 */
async function unALaFois<T>(userId: string, work: () => Promise<T>): Promise<T> {
  const mine = (enCours.get(userId) ?? Promise.resolve()).then(work);
  const ended = mine.catch(() => undefined);
  enCours.set(userId, ended);
  try {
    return await mine;
  } finally {
    if (enCours.get(userId) === ended) enCours.delete(userId);
  }
}

function duEntete(request: FastifyRequest): string | undefined {
  const text = String(request.headers[ENTETE_MOT_DE_PASSE] ?? '');
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(
      DANS_L_ENTETE,
      'L’en-tête X-Password-Actuel n’est pas de l’UTF-8 encodé comme dans une adresse.',
    );
  }
}

function refuse(pointer: string, detail: string): Probleme {
  return new Probleme(422, detail, { errors: [{ pointer, detail }] });
}
