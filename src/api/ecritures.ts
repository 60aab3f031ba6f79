import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { codeOf } from '../base/errors.ts';
import { noter } from '../postgres/audit.ts';
import { lireLigne } from '../postgres/lecture/page.ts';
import { type Client, type Queryable, transaction, withClient } from '../postgres/pool.ts';
import {
  supprimerLigne,
  type TableSaisie,
  type Valeurs,
  verrouillerLigne,
} from '../postgres/production/saisie.ts';
import { ecrire } from './acces.ts';
import { ligneAudit } from './auth/trace.ts';
import type { ApiDeps } from './deps.ts';
import { etagDe, exigerIfMatch } from './etag.ts';
import { avecNom, introuvable, Probleme } from './problemes.ts';
import type { Ressource } from './ressource.ts';
import { changements, situerInstants } from './saisies/recu.ts';
import { erreurs, json, parametresId } from './schemas/commun.ts';
import { SANS_PARAMETRE } from './schemas/saisie.ts';

/** A stored row that is about to be written, locked. */
export interface Ligne {
  readonly id: number;
  /** as a GET gives it */
  readonly valeurs: Valeurs;
}

/** Where and when rows are written. */
export type Atelier = Pick<ApiDeps, 'time' | 'maintenant'>;

/** How the rows of a resource are written by hand. All functions run in the transaction of the write. */
export interface Saisie {
  readonly ressource: Ressource;
  readonly table: TableSaisie;
  /** body of a creation, and of a change */
  readonly saisie: z.ZodType;
  readonly modification: z.ZodType;
  /** what each write means, French, for the documentation */
  readonly notes: { readonly creer: string; readonly modifier: string; readonly supprimer: string };
  /** Adds a row; returns its id. @throws Probleme */
  creer(client: Client, corps: Valeurs, atelier: Atelier): Promise<number>;
  /** Changes a locked row: `corps` has what is said of it. @throws Probleme */
  modifier(client: Client, ligne: Ligne, corps: Valeurs, atelier: Atelier): Promise<void>;
  /** What a GET may give beyond the row, to be compared when it is sent back. */
  lireEnPlus?(client: Client, id: number, champs: readonly string[]): Promise<Valeurs>;
  /** What forbids a deletion beyond `derivee`. @throws Probleme */
  avantSuppression?(client: Client, ligne: Ligne): Promise<void>;
  /** Why a row is not to be changed or deleted by hand, French; undefined when it may be. */
  derivee?(client: Client, valeurs: Valeurs): Promise<string | undefined>;
  /** Takes the locks that go before that of the row. */
  verrouiller?(client: Client, valeurs: Valeurs): Promise<void>;
  /** Which row has these values already, French. */
  doublon(db: Queryable, valeurs: Valeurs): Promise<string>;
}

/** `POST /noun/`, `PUT /noun/{id}`, `DELETE /noun/{id}`. */
export function routesDEcriture(app: FastifyInstance, deps: ApiDeps, saisie: Saisie): void {
  const { nom, libelle, table, lu } = saisie.ressource;
  const config = { acces: ecrire(nom) };
  app.post(
    `/${nom}/`,
    {
      config,
      schema: {
        tags: [nom],
        operationId: `creer_${table.nom}`,
        summary: `Créer : ${libelle}`,
        description: `${saisie.notes.creer} \`Location\` dit où la lire.`,
        querystring: SANS_PARAMETRE,
        body: saisie.saisie,
        response: {
          201: json('La ligne, comme une lecture la rend', lu),
          ...erreurs(400, 401, 403, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const corps = situerInstants(saisie.table, request.body as Valeurs, deps.time);
      const made = await ecrireLigne(deps, saisie, corps, async (client) => {
        const id = await saisie.creer(client, corps, deps);
        const json = (await lireLigne(client, table, id))!;
        await noterEcriture(client, request, 'ligne_creee', `${nom}/${id}`);
        return { id, json };
      });
      reply.code(201).header('location', `/${nom}/${made.id}`);
      return envoyerLigne(reply, made.json);
    },
  );
  const element = `/${nom}/:id`;
  app.put(
    element,
    {
      config,
      schema: {
        tags: [nom],
        operationId: `modifier_${table.nom}`,
        summary: `Modifier : ${libelle}`,
        description: `Les champs envoyés changent, les autres restent. ${saisie.notes.modifier}`,
        params: parametresId,
        querystring: SANS_PARAMETRE,
        body: saisie.modification,
        response: {
          200: json('La ligne, comme une lecture la rend', lu),
          ...erreurs(400, 401, 403, 404, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      const corps = request.body as Valeurs;
      const after = await ecrireLigne(deps, saisie, { id, ...corps }, async (client) => {
        const ligne = await ligneAEcrire(request, client, saisie, id, 'changer');
        const champs = await modifierLigne(deps, saisie, client, ligne, corps);
        const json = (await lireLigne(client, table, id))!;
        if (champs) await noterEcriture(client, request, 'ligne_modifiee', `${nom}/${id}`, champs);
        return json;
      });
      return envoyerLigne(reply, after);
    },
  );
  app.delete(
    element,
    {
      config,
      schema: {
        tags: [nom],
        operationId: `supprimer_${table.nom}`,
        summary: `Supprimer : ${libelle}`,
        description: saisie.notes.supprimer,
        params: parametresId,
        querystring: SANS_PARAMETRE,
        response: {
          204: z.undefined().describe('Supprimée'),
          ...erreurs(400, 401, 403, 404, 409, 412, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      await ecrireLigne(deps, saisie, { id }, async (client) => {
        const ligne = await ligneAEcrire(request, client, saisie, id, 'supprimer');
        await saisie.avantSuppression?.(client, ligne);
        await supprimerLigne(client, saisie.table, id);
        await noterEcriture(client, request, 'ligne_supprimee', `${nom}/${id}`);
      });
      return reply.code(204).header('cache-control', 'no-store').send();
    },
  );
}

/** Notes who wrote a row by hand, and which fields; never their values. Last in the transaction. */
async function noterEcriture(
  client: Client,
  request: FastifyRequest,
  evenement: 'ligne_creee' | 'ligne_modifiee' | 'ligne_supprimee',
  cible: string,
  champs?: readonly string[],
): Promise<void> {
  await noter(client, ligneAudit(request, evenement, { cible, ...(champs ? { details: { champs } } : {}) }));
}

/** Writes what a body changes of a locked row. @returns which fields; undefined: none @throws Probleme */
async function modifierLigne(
  deps: ApiDeps,
  saisie: Saisie,
  client: Client,
  ligne: Ligne,
  corps: Valeurs,
): Promise<readonly string[] | undefined> {
  const placed = situerInstants(saisie.table, corps, deps.time, ligne.valeurs);
  const more = Object.keys(corps).filter((nom) => !Object.hasOwn(ligne.valeurs, nom));
  const beyond = more.length === 0 ? {} : await saisie.lireEnPlus?.(client, ligne.id, more);
  const { valeurs, differe } = changements(saisie.table, placed, { ...ligne.valeurs, ...beyond });
  if (!differe) return undefined;
  await saisie.modifier(client, ligne, valeurs, deps);
  return Object.keys(valeurs);
}

/** 422 for one field of the body. */
export function champInvalide(champ: string, detail: string): Probleme {
  return new Probleme(422, avecNom(champ, detail), { errors: [{ pointer: `/body/${champ}`, detail }] });
}

/**
 * Locks the row of a change or deletion, and makes sure that it may be done. A derived row is refused before any lock
 * is waited for, and looked at again under it: a synchronisation may have taken it over meanwhile.
 *
 * @throws Probleme 404, 409 (derived), 412 (`If-Match`)
 */
async function ligneAEcrire(
  request: FastifyRequest,
  client: Client,
  saisie: Saisie,
  id: number,
  pour: 'changer' | 'supprimer',
): Promise<Ligne> {
  const { libelle, table } = saisie.ressource;
  const before = await lireLigne(client, table, id);
  if (before === undefined) throw introuvable(libelle);
  const seen = JSON.parse(before) as Valeurs;
  await refuserDerivee(client, saisie, seen);
  await saisie.verrouiller?.(client, seen);
  const locked = await verrouillerLigne(client, saisie.table, id, pour);
  if (locked === undefined) throw introuvable(libelle);
  const valeurs = JSON.parse(locked) as Valeurs;
  await refuserDerivee(client, saisie, valeurs);
  exigerIfMatch(request, locked);
  return { id, valeurs };
}

async function refuserDerivee(client: Client, saisie: Saisie, valeurs: Valeurs): Promise<void> {
  const reason = await saisie.derivee?.(client, valeurs);
  if (reason !== undefined) throw new Probleme(409, reason);
}

/**
 * Runs a write in one transaction. Two rows with the same key are a conflict that names the one that is there.
 *
 * @param valeurs what was to be written
 */
async function ecrireLigne<T>(
  deps: ApiDeps,
  saisie: Saisie,
  valeurs: Valeurs,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const outcome = await withClient(deps.pool, async (client) => {
    try {
      return { result: await transaction(client, () => work(client)) };
    } catch (error) {
      // A refusal of ours says nothing against the connection: it goes back to the pool.
      if (error instanceof Probleme) return { refus: error };
      if (codeOf(error) !== '23505') throw error;
      const detail = await saisie.doublon(client, await completer(client, saisie, valeurs));
      return { refus: new Probleme(409, detail, { cause: error }) };
    }
  });
  if ('refus' in outcome) throw outcome.refus;
  return outcome.result;
}

/** Of a change, the values of the key that were not sent are those of the row. */
async function completer(client: Client, saisie: Saisie, valeurs: Valeurs): Promise<Valeurs> {
  if (valeurs['id'] === undefined) return valeurs;
  const stored = await lireLigne(client, saisie.ressource.table, valeurs['id'] as number);
  return { ...(JSON.parse(stored ?? '{}') as Valeurs), ...valeurs };
}

/** The row as it is now, with the ETag that the next `If-Match` wants; never 304, which is for reads. */
function envoyerLigne(reply: FastifyReply, corps: string): FastifyReply {
  return reply
    .headers({ etag: etagDe(corps), 'cache-control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send(corps);
}
