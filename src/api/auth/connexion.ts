import type { FastifyRequest } from 'fastify';
import { noter } from '../../postgres/audit.ts';
import {
  continuerFamille,
  fermerFamille,
  ouvrirFamille,
  utiliserRafraichissement,
} from '../../postgres/comptes/rafraichissements.ts';
import {
  type CompteTrouve,
  etatCompte,
  noterConnexion,
  trouverParNom,
} from '../../postgres/comptes/users.ts';
import { transaction, withClient } from '../../postgres/pool.ts';
import type { ApiDeps } from '../deps.ts';
import { empreinteDe, nouveauSecret } from './cle.ts';
import { direAbime } from './comptes-abimes.ts';
import { type Cookie, secretRecu } from './cookie.ts';
import type { Freinage } from './freinage.ts';
import { verifier, verifierFactice } from './mot-de-passe.ts';
import { ligneAudit } from './trace.ts';

/** How long a sign-in can be refreshed, ms: a working day. Refreshing does not move the end. */
export const DUREE_FAMILLE = 12 * 3_600_000;

/** The same work whether there is such an account or not, and whether it is active or not. */
export async function chercher(
  deps: ApiDeps,
  username: string,
  password: string,
): Promise<{ compte: CompteTrouve | undefined; juste: boolean }> {
  const compte = await trouverParNom(deps.accesPool, deps.coffre, username);
  if (compte) direAbime(deps.logger, compte);
  const juste = compte
    ? await verifier(password, compte.motDePasse, compte.poivre)
    : await verifierFactice(password);
  return { compte, juste };
}

/** Notes the sign-in and opens a family of refresh tokens; undefined when the account has changed meanwhile. */
export async function ouvrir(
  deps: ApiDeps,
  freinage: Freinage,
  request: FastifyRequest,
  compte: CompteTrouve,
  rehashed: string | undefined,
): Promise<Cookie | undefined> {
  const secret = nouveauSecret();
  const maintenant = deps.maintenant();
  const expire = maintenant + DUREE_FAMILLE;
  const opened = await withClient(deps.accesPool, (client) =>
    transaction(client, async () => {
      await noterConnexion(client, compte.id, rehashed, compte.motDePasseRange);
      const done = await ouvrirFamille(client, {
        ...{ userId: compte.id, empreinte: empreinteDe(secret), versionJetons: compte.version_jetons },
        ...{ expire, maintenant },
      });
      if (done) {
        await freinage.retenir(client, compte.id, request.ip);
        await noter(client, ligneAudit(request, 'connexion_reussie', { userId: compte.id }));
      }
      return done;
    }),
  );
  return opened ? { secret, expire, maintenant } : undefined;
}

/**
 * Uses up the cookie's token and makes the next one; undefined when it, or the account, is worth nothing any more.
 */
export async function renouveler(
  deps: ApiDeps,
  request: FastifyRequest,
): Promise<(Cookie & { compte: { id: string; version_jetons: number } }) | undefined> {
  const received = secretRecu(request);
  if (received === undefined) return undefined;
  const maintenant = deps.maintenant();
  const usage = await utiliserRafraichissement(deps.accesPool, empreinteDe(received), maintenant);
  if (usage.etat === 'inconnu') return undefined;
  const { user_id: id, famille, version_jetons, expire } = usage.jeton;
  if (usage.etat === 'reutilise') {
    await noter(deps.accesPool, ligneAudit(request, 'rafraichissement_reutilise', { userId: id }));
    return undefined;
  }
  const compte = await etatCompte(deps.accesPool, id);
  if (!compte?.actif || compte.version_jetons !== version_jetons) {
    await fermerFamille(deps.accesPool, famille);
    return undefined;
  }
  const secret = nouveauSecret();
  const continued = await withClient(deps.accesPool, (client) =>
    transaction(client, () => continuerFamille(client, usage.jeton, empreinteDe(secret), maintenant)),
  );
  return continued ? { secret, expire, maintenant, compte: { id, version_jetons } } : undefined;
}
