import { randomBytes } from 'node:crypto';
import { RESSOURCES } from '../../../src/api/acces.ts';
import { Jetons } from '../../../src/api/auth/jetons.ts';
import { type CompteDEssai, MOT_DE_PASSE } from '../../harness/api.ts';
import { type ApiAvecDonnees, createApiAvecDonnees } from '../../harness/api-donnees.ts';
import { OTHER_PASSWORD } from '../../harness/api-people.ts';
import { type Cible, CORPS, type Qui, type Regle } from './matrice.ts';

type Entetes = Readonly<Record<string, string>>;
export const PORTEES = RESSOURCES.flatMap((ressource) => [`${ressource}:lire`, `${ressource}:ecrire`]);
const TOUT = ['*:lire', '*:ecrire'];

/** Paths where rows to call upon are made. */
const OU: Partial<Record<Cible, readonly [chemin: string, corps: (n: number) => Record<string, unknown>]>> = {
  centre: ['/centres/', CORPS.centre],
  session: ['/sessions/', CORPS.session],
  profil: ['/job-profils/', CORPS.profil],
  attente: ['/periodes-attente/', CORPS.periode],
  arret: ['/periodes-arret/', CORPS.periode],
  piece: ['/pieces-production/', CORPS.piece],
  commande: ['/commandes-volets/', CORPS.commande],
  compte: ['/users/', CORPS.compte],
  cle: ['/cles/', CORPS.cle],
};

/** Everybody who calls, and everything that is called upon. */
export interface Monde extends ApiAvecDonnees {
  /** what somebody sends along; `jetable`: an account of his kind that nobody needs afterwards */
  entetes(qui: Qui, regle: Regle, jetable?: boolean): Promise<Entetes>;
  /** a row of its own for one request; what stands in the address for it */
  cible(cible: Cible): Promise<string>;
  /** the body of a rule, with ids of rows that are there */
  corps(corps: (n: number) => Record<string, unknown>): Record<string, unknown>;
  /** a key of an admin with these scopes and no others */
  cle(portees: readonly string[]): Promise<Entetes>;
}

export async function creerMonde(): Promise<Monde> {
  const donnees = await createApiAvecDonnees();
  const { api, ids } = donnees;
  let n = 0;
  const corps: Monde['corps'] = (make) => {
    const body = make(++n);
    if ('session_id' in body) body['session_id'] = Number(ids.session);
    if ('centre_usinage_id' in body) body['centre_usinage_id'] = Number(ids.centre);
    return body;
  };
  const send = async (
    url: string,
    payload: Record<string, unknown>,
    as: Entetes,
  ): Promise<{ id: string; cle: string }> => {
    const answer = await api.app.inject({ method: 'POST', url, headers: as, payload });
    if (answer.statusCode !== 201) throw new Error(`POST ${url}: ${answer.statusCode} ${answer.body}`);
    return answer.json();
  };
  const change = async (
    method: 'PUT' | 'DELETE',
    url: string,
    payload?: Record<string, unknown>,
  ): Promise<void> => {
    const answer = await api.app.inject({
      ...{ method, url, headers: api.comptes.admin.entete },
      ...(payload ? { payload } : {}),
    });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
  };
  const { gestionnaire, admin } = api.comptes;
  const key = async (
    portees: readonly string[],
    as: Entetes,
  ): Promise<{ authorization: string; id: string }> => {
    const { cle, id } = await send('/cles/', { nom: `clé ${++n}`, portees }, as);
    return { authorization: `Bearer ${cle}`, id };
  };

  // Each account has at most fifty keys: those that lack one scope belong to another.
  const autre = await api.compte('autre', 'gestionnaire');
  const porteur = await api.compte('porteur', 'gestionnaire');
  const demuni = await api.compte('demuni', 'gestionnaire');
  const fixes = new Map<Qui, Entetes>([
    ['personne', {}],
    ['jeton expiré', await jeton(donnees, gestionnaire, api.deps.cles.signature, -86_400_000)],
    ['jeton forgé', await jeton(donnees, gestionnaire, [randomBytes(48)], 0)],
    ['lecteur', api.comptes.lecteur.entete],
    ['gestionnaire', gestionnaire.entete],
    ['admin', admin.entete],
    ['autre compte', autre.entete],
    ['clé d’un lecteur', await keyOfReader()],
    ['clé révoquée', await revokedKey()],
    ['compte désactivé', await disabled()],
    ['clé expirée', await expiredKey()],
    ['clé d’un compte désactivé', await keyOfDisabled()],
    ['jeton d’avant un autre mot de passe', await former('PUT', { password: OTHER_PASSWORD })],
    ['jeton d’un compte supprimé', await former('DELETE')],
  ]);
  const keys = new Map<string, Entetes>();

  const single = async (portees: readonly string[]): Promise<Entetes> => {
    const { authorization } = await key(portees, (await api.compte(`seule-${++n}`, 'admin')).entete);
    return { authorization };
  };

  return { ...donnees, corps, entetes, cible, cle: single };

  /** He was gestionnaire when he got it, and is not any more. */
  async function keyOfReader(): Promise<Entetes> {
    const before = await api.compte('retrograde', 'gestionnaire');
    const { authorization } = await key(TOUT, before.entete);
    await change('PUT', `/users/${before.id}`, { role: 'lecteur' });
    return { authorization };
  }

  async function revokedKey(): Promise<Entetes> {
    const { authorization, id } = await key(TOUT, admin.entete);
    await change('DELETE', `/cles/${id}`);
    return { authorization };
  }

  async function disabled(): Promise<Entetes> {
    const off = await api.compte('desactive', 'admin');
    await change('PUT', `/users/${off.id}`, { actif: false });
    return off.entete;
  }

  async function expiredKey(): Promise<Entetes> {
    const { authorization, id } = await key(TOUT, admin.entete);
    await api.pool.query(
      `UPDATE cle_api SET date_creation = now() - interval '2 days', date_fin = now() - interval '1 day' WHERE id = $1`,
      [id],
    );
    return { authorization };
  }

  async function keyOfDisabled(): Promise<Entetes> {
    const off = await api.compte('desactive-avec-cle', 'admin');
    const { authorization } = await key(TOUT, off.entete);
    await change('PUT', `/users/${off.id}`, { actif: false });
    return { authorization };
  }

  /** The token of an admin whose account has been changed, or is gone. */
  async function former(method: 'PUT' | 'DELETE', payload?: Record<string, unknown>): Promise<Entetes> {
    const gone = await api.compte(`ancien-${++n}`, 'admin');
    await change(method, `/users/${gone.id}`, payload);
    return gone.entete;
  }

  async function entetes(qui: Qui, { portee, inclus = [] }: Regle, jetable = false): Promise<Entetes> {
    if (jetable && (qui === 'lecteur' || qui === 'gestionnaire' || qui === 'admin')) {
      return (await api.compte(`jetable-${++n}`, qui)).entete;
    }
    const fixed =
      jetable && qui === 'autre compte'
        ? (await api.compte(`jetable-${++n}`, 'gestionnaire')).entete
        : fixes.get(qui);
    if (fixed) return fixed;
    const name = `${qui} ${portee} ${inclus.join(' ')}`;
    let made = keys.get(name);
    if (!made) {
      // Where keys have no access at all, no scope gives it: neither this key nor that.
      const scopes =
        portee === undefined
          ? TOUT
          : qui === 'clé avec la portée'
            ? [portee, ...inclus]
            : qui === 'clé sans ce qui est inclus'
              ? [portee]
              : PORTEES.filter((p) => p !== portee);
      const { authorization } = await key(
        scopes,
        (qui === 'clé avec la portée' ? gestionnaire : qui === 'clé sans la portée' ? porteur : demuni)
          .entete,
      );
      made = { authorization };
      keys.set(name, made);
    }
    return made;
  }

  async function cible(cible: Cible): Promise<string> {
    if (cible === 'fichier' || cible === 'rejet' || cible === 'execution' || cible === 'alerte')
      return ids[cible];
    if (cible === 'statut') return encodeURIComponent('Planifiée');
    const [url, make] = OU[cible]!;
    const owner = cible === 'cle' ? gestionnaire : admin;
    const made = await send(url, corps(make), owner.entete);
    // A number of an order is not its id, but `by-numero` answers an empty list just as well.
    return String(made.id);
  }
}

/** A token as the server would have made it, at another time or with another key. */
async function jeton(
  { api }: ApiAvecDonnees,
  { id }: CompteDEssai,
  cles: readonly Buffer[],
  decalage: number,
): Promise<Entetes> {
  const jetons = new Jetons(cles, { duree: 900, maintenant: () => api.deps.maintenant() + decalage });
  return { authorization: `Bearer ${await jetons.signer({ id, version_jetons: 1 })}` };
}

/** The form of a sign-in. */
export const FORMULAIRE = new URLSearchParams({ username: 'lecteur', password: MOT_DE_PASSE }).toString();
