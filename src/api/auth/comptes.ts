import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Effacements } from '../../archives/effacements.ts';
import { FichierCles, nomFichierCles } from '../../archives/sauvegarde/cles-comptes.ts';
import { CleDeCompte } from '../../base/cle-de-compte.ts';
import { messageSansValeurs } from '../../base/log-redaction.ts';
import { type LigneAudit, noter } from '../../postgres/audit.ts';
import { clesValables, revoquerClesDe } from '../../postgres/comptes/cles.ts';
import { sousVerrouDesCles } from '../../postgres/comptes/cles-emballees.ts';
import { fermerFamilles } from '../../postgres/comptes/rafraichissements.ts';
import {
  type Compte,
  CompteRefuse,
  creerCompte,
  lireCompte,
  modifierCompte,
  poivreDe,
  supprimerCompte,
} from '../../postgres/comptes/users.ts';
import { type Client, transaction, withClient } from '../../postgres/pool.ts';
import type { ApiDeps } from '../deps.ts';
import { champInvalide } from '../ecritures.ts';
import { etagDe, exigerIfMatch } from '../etag.ts';
import { introuvable, Probleme } from '../problemes.ts';
import { enLectureSeule } from '../saisies/recu.ts';
import type { compteModifie, compteSaisi } from '../schemas/users.ts';
import { acteurDe } from './authentifier.ts';
import { direAbime } from './comptes-abimes.ts';
import type { Freinage } from './freinage.ts';
import { hacher } from './mot-de-passe.ts';
import { exigerMotDePasseActuel } from './mot-de-passe-actuel.ts';
import { refusMotDePasse, refusNom } from './politique.ts';
import { ligneAudit } from './trace.ts';
import { patienter } from './verification.ts';

type Changements = z.infer<typeof compteModifie>;
/** What nobody changes of an account; of one's own, neither role nor state. */
const LECTURE_SEULE = ['id', 'date_creation'] as const;
export const LECTURE_SEULE_SOI = [...LECTURE_SEULE, 'role', 'actif'] as const;

/** An account as the API shows it: nothing of its password, of its encryption, of its counters. */
export function corpsDeCompte(compte: Compte): string {
  const { id, username, email, role, actif, date_creation } = compte;
  return JSON.stringify({ id, username, email, role, actif, date_creation });
}

/** @throws Probleme 404 */
export async function exigerCompte(deps: ApiDeps, id: string): Promise<Compte> {
  const compte = await lireCompte(deps.pool, deps.coffre, id);
  if (!compte) throw introuvable('Compte');
  direAbime(deps.logger, compte);
  return compte;
}

/**
 * Makes an account.
 *
 * @param options `premier`: as the very first, which is `admin` whatever was asked
 * @returns undefined when it was to be the first, and another was faster
 * @throws Probleme 409 (name or address taken), 422 (password)
 */
export async function ajouterCompte(
  deps: ApiDeps,
  request: FastifyRequest,
  saisi: z.infer<typeof compteSaisi>,
  options: { premier: boolean; freinage: Freinage },
): Promise<Compte | undefined> {
  exigerNom(saisi.username);
  exigerMotDePasse(saisi.password, saisi);
  if (!options.premier) await exigerMotDePasseActuel(deps, options.freinage, request, saisi.password_actuel);
  const role = options.premier ? 'admin' : (saisi.role ?? 'lecteur');
  const cle = CleDeCompte.tirer();
  const motDePasseHache = await patienter(() => hacher(saisi.password, cle.poivre()));
  return await ecrire(deps, async (client) => {
    const { username, email } = saisi;
    const compte = await creerCompte(
      client,
      deps.coffre,
      { username, email, motDePasseHache, role, cle },
      { seulementSiAucun: options.premier },
    );
    if (!compte) return undefined;
    const details = options.premier ? { role, premier: true } : { role };
    await noter(client, ligneAudit(request, 'compte_cree', { cible: `users/${compte.id}`, details }));
    return compte;
  });
}

/**
 * Changes an account for whoever asks: nobody changes his own role or state. It takes the password of who asks, be it
 * through `/users/me` or `/users/{id}`; to disable somebody it does not, as that is in a hurry and can be undone.
 *
 * @throws Probleme 403, 404, 409, 412, 422, 429
 */
export async function changerCompte(
  deps: ApiDeps,
  freinage: Freinage,
  request: FastifyRequest,
  id: string,
  changes: Changements,
  lectureSeule: readonly string[] = LECTURE_SEULE,
): Promise<Compte> {
  const before = await exigerCompte(deps, id);
  exigerIfMatch(request, corpsDeCompte(before));
  const { password_actuel, password, revoquer_cles, ...rest } = differences(before, changes, lectureSeule);
  if (revoquer_cles && password === undefined) {
    throw champInvalide('revoquer_cles', 'Va avec un nouveau mot de passe ; une clé se révoque par /cles/.');
  }
  if (password === undefined && Object.keys(rest).length === 0) return before;
  if (acteurDe(request).userId === id) {
    if ((rest.role ?? before.role) !== before.role || (rest.actif ?? before.actif) !== before.actif) {
      throw new Probleme(
        403,
        'On ne change ni son propre rôle ni son propre état : demandez à un autre admin.',
      );
    }
    // Said again, they are not written again: another admin may be changing them at this moment.
    delete rest.role;
    delete rest.actif;
    if (password === undefined && Object.keys(rest).length === 0) return before;
  }
  // One that it has already, it keeps.
  if (rest.username !== undefined) exigerNom(rest.username);
  if (!seulementDesactiver(rest, password)) {
    await exigerMotDePasseActuel(deps, freinage, request, password_actuel);
  }
  if (password !== undefined) {
    const { username, email } = before;
    exigerMotDePasse(password, { username: rest.username ?? username, email: rest.email ?? email });
  }
  const motDePasseHache = password === undefined ? undefined : await hacherPour(deps, id, password);
  const after = await ecrire(deps, async (client) => {
    const version = versionVoulue(request, before);
    const compte = await modifierCompte(client, deps.coffre, id, { ...rest, motDePasseHache }, { version });
    if (typeof compte !== 'object') return compte;
    if (compte.version_jetons !== before.version_jetons) await fermerFamilles(client, id);
    if (revoquer_cles) {
      for (const cible of await revoquerClesDe(client, id, deps.maintenant())) {
        await noter(
          client,
          ligneAudit(request, 'cle_revoquee', { cible: `cles/${cible}`, details: { de: id } }),
        );
      }
    }
    for (const line of lignesDeChangement(request, before, compte, password !== undefined)) {
      await noter(client, line);
    }
    return compte;
  });
  if (after === undefined) throw introuvable('Compte');
  if (after === 'version') throw modifieEntreTemps();
  if (after.username !== before.username) await freinage.renommer(id, before.username, after.username);
  // What was guessed was another password.
  if (password !== undefined) await freinage.oublier(await freinage.cles(after));
  return after;
}

function seulementDesactiver(rest: Changements, password: string | undefined): boolean {
  return password === undefined && rest.actif === false && Object.keys(rest).length === 1;
}

/** Hashes a new password for an account that is there. @throws Probleme 404, 409 (damaged), 503 */
async function hacherPour(deps: ApiDeps, id: string, password: string): Promise<string> {
  const poivre = await enProbleme(() => poivreDe(deps.pool, deps.coffre, id));
  if (!poivre) throw introuvable('Compte');
  return await patienter(() => hacher(password, poivre));
}

/** What differs from the account as it is read: it may be sent back whole. @throws Probleme 422 (read-only) */
function differences(before: Compte, changes: Changements, lectureSeule: readonly string[]): Changements {
  const stored = JSON.parse(corpsDeCompte(before)) as Readonly<Record<string, unknown>>;
  const differing = Object.entries(changes).filter(
    ([nom, valeur]) =>
      valeur !== undefined && !(Object.hasOwn(stored, nom) && memeValeur(nom, valeur, stored[nom])),
  );
  const refused = differing.map(([nom]) => nom).filter((nom) => lectureSeule.includes(nom));
  if (refused.length > 0) throw enLectureSeule(refused);
  return Object.fromEntries(differing) as Changements;
}

function memeValeur(nom: string, a: unknown, b: unknown): boolean {
  if (nom !== 'date_creation') return a === b;
  return Temporal.Instant.compare(String(a), String(b)) === 0;
}

/** Deletes an account with its keys and sign-ins. @throws Probleme 404, 409, 412, 422 (password), 429 */
export async function retirerCompte(
  deps: ApiDeps,
  freinage: Freinage,
  request: FastifyRequest,
  id: string,
): Promise<void> {
  const before = await exigerCompte(deps, id);
  exigerIfMatch(request, corpsDeCompte(before));
  await exigerMotDePasseActuel(deps, freinage, request, undefined);
  const counted = await freinage.cles(before);
  const gone = await ecrire(deps, async (client) => {
    const done = await supprimerCompte(client, id, { version: versionVoulue(request, before) });
    if (done === true) {
      const details = { role: before.role };
      await noter(client, ligneAudit(request, 'compte_supprime', { cible: `users/${id}`, details }));
      await journaliserEffacement(deps, request, id);
    }
    return done;
  });
  if (gone === 'version') throw modifieEntreTemps();
  if (!gone) throw introuvable('Compte');
  await freinage.oublier(counted);
  await oublierSaCle(deps, request, id);
}

/** Where the backups can be reached from here, they forget the account at once; else the next one makes them. */
async function oublierSaCle(deps: ApiDeps, request: FastifyRequest, id: string): Promise<void> {
  const { dossier, cle, clePrecedente } = deps.config.sauvegarde;
  const cles = [cle, clePrecedente].filter((key) => key !== undefined);
  try {
    await sousVerrouDesCles(deps.pool, (_, graine) =>
      new FichierCles(dossier, nomFichierCles(graine), cles).retirer([id]),
    );
  } catch (error) {
    request.log.info(
      { compte: id, raison: messageSansValeurs(error) },
      'clé du compte supprimé : encore à côté des sauvegardes, la prochaine l’en retire',
    );
  }
}

/**
 * Notes outside of the database that an account is gone, before that is committed: restoring an older backup must not
 * bring it back (R16). A server that may only read the archives deletes it all the same, and says so.
 */
async function journaliserEffacement(deps: ApiDeps, request: FastifyRequest, id: string): Promise<void> {
  try {
    await new Effacements(deps.config.archivesDir).ajouter({ genre: 'compte', id }, deps.maintenant());
  } catch (error) {
    request.log.error(
      { compte: id, erreur: messageSansValeurs(error) },
      'compte supprimé, mais la restauration d’une sauvegarde plus ancienne le ferait revenir : `atelier user forget` le note',
    );
  }
}

/** 201 with the place of what was made. */
export function repondreCree(reply: FastifyReply, url: string, corps: string): FastifyReply {
  return reply
    .code(201)
    .headers({ location: url, 'cache-control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send(corps);
}

/** 200 with the account as it is now, and its keys that are still good when it has another password; never 304, which is for reads. */
export async function repondreModifie(
  deps: ApiDeps,
  reply: FastifyReply,
  compte: Compte,
  changes: Changements,
): Promise<FastifyReply> {
  const lu = corpsDeCompte(compte);
  let corps = lu;
  if (changes.password !== undefined) {
    // Whoever takes another password because the old one is known should see what else opens the account.
    const cles = await clesValables(deps.pool, compte.id, deps.maintenant());
    corps = `${lu.slice(0, -1)},"cles":${JSON.stringify(cles)}}`;
  }
  return reply
    .headers({ etag: etagDe(lu), 'cache-control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send(corps);
}

/** The version that `If-Match` named, once it has been compared: it must still be this one when we write. */
function versionVoulue(request: FastifyRequest, before: Compte): number | undefined {
  const sent = request.headers['if-match'];
  return sent === undefined || sent.trim() === '*' ? undefined : before.version;
}

function modifieEntreTemps(): Probleme {
  return new Probleme(
    412,
    'Le compte a changé depuis votre lecture (If-Match) : relisez-le, puis recommencez.',
  );
}

function exigerNom(username: string): void {
  const refused = refusNom(username);
  if (refused !== undefined) throw champInvalide('username', refused);
}

function exigerMotDePasse(password: string, personne: { username: string; email: string }): void {
  const reasons = refusMotDePasse(password, personne);
  if (reasons.length === 0) return;
  const errors = reasons.map((detail) => ({ pointer: '/body/password', detail }));
  throw new Probleme(422, reasons.join(' '), { errors });
}

/** One line of the audit log for each thing that changed. */
function lignesDeChangement(
  request: FastifyRequest,
  before: Compte,
  after: Compte,
  password: boolean,
): LigneAudit[] {
  const line = (evenement: string, details: Readonly<Record<string, unknown>> = {}): LigneAudit =>
    ligneAudit(request, evenement, { cible: `users/${after.id}`, details });
  const lines: LigneAudit[] = [];
  const champs = (['username', 'email'] as const).filter((champ) => before[champ] !== after[champ]);
  if (champs.length > 0) lines.push(line('compte_modifie', { champs }));
  if (password) lines.push(line('mot_de_passe_change'));
  if (before.role !== after.role) lines.push(line('role_change', { avant: before.role, apres: after.role }));
  if (before.actif !== after.actif) lines.push(line(after.actif ? 'compte_reactive' : 'compte_desactive'));
  return lines;
}

/** Runs a change and its audit lines in one transaction; what the table of accounts refuses is a conflict. */
async function ecrire<T>(deps: ApiDeps, work: (client: Client) => Promise<T>): Promise<T> {
  return await enProbleme(() => withClient(deps.pool, (client) => transaction(client, () => work(client))));
}

async function enProbleme<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CompteRefuse)) throw error;
    const { champ, message } = error;
    const errors = champ === undefined ? undefined : [{ pointer: `/body/${champ}`, detail: message }];
    throw new Probleme(409, message, errors ? { errors } : {});
  }
}
