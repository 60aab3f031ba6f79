/** Answers and headers that routes have in common: said once in the document, referred to everywhere. */
import { TITRES } from '../problemes.ts';
import { TEXTES_ERREURS } from '../schemas/commun.ts';
import { ENTETES, nomsDEntetes, PAR_STATUT, PARAMETRES } from './entetes.ts';
import type { Composants, Entete, Operation, Reponse } from './types.ts';

const PROBLEME = 'application/problem+json';
/** What is wrong, in an example of each error that many routes have. */
const EXEMPLES: Readonly<Record<number, string>> = {
  400: 'Le corps n’est pas du JSON valide.',
  401: 'Il faut un jeton (POST /token) ou une clé d’API : Authorization: Bearer …',
  403: 'Il faut le rôle gestionnaire.',
  404: 'Une session de production : il n’y a rien sous cet identifiant.',
  406: 'Les formes possibles sont application/json, text/csv et XLSX (en-tête Accept, ou format=).',
  408: 'La requête a mis trop de temps à arriver.',
  409: 'Une ligne avec ces valeurs existe déjà.',
  410: 'Ces octets ont été effacés le 2027-05-29T02:00:00+02:00 : leur durée de conservation est passée.',
  412: 'La ligne a changé depuis votre lecture (If-Match) : relisez-la, puis recommencez.',
  413: 'Le corps de la requête dépasse la taille permise.',
  414: 'Une adresse a au plus 8000 caractères.',
  415: 'Envoyez du JSON (application/json).',
  416: 'La plage demandée commence après la fin.',
  421: 'Ce serveur ne répond pas au nom « autre.example » ; si c’est le sien, ajoutez-le à HOTES.',
  422: 'Attendu un entier de 1 à 1000.',
  429: 'Trop d’essais : attendez 8 s avant le suivant.',
  431: 'Les en-têtes de la requête sont trop longs.',
  500: 'Une erreur inattendue est survenue ; le journal du serveur la décrit sous ce numéro de requête.',
  503: 'La base de données ne répond pas pour l’instant ; réessayez dans quelques secondes.',
};

/** Statuses that every operation may answer: the server's own limits, and what nobody foresaw. */
const PARTOUT = [400, 408, 414, 421, 431, 500] as const;
/** And those that may have a body. */
const AVEC_CORPS = [413, 415] as const;
/** The shared part of `components`. */
export function composantsCommuns(): Pick<Composants, 'responses' | 'headers' | 'parameters'> {
  const responses = Object.fromEntries(
    Object.entries(EXEMPLES).map(([status, detail]): [string, Reponse] => [
      nomDeReponse(Number(status)),
      {
        description: TEXTES_ERREURS[Number(status)] ?? '',
        headers: entetes('X-Request-Id', PAR_STATUT[Number(status)]),
        content: {
          [PROBLEME]: {
            schema: { $ref: '#/components/schemas/Probleme' },
            example: exempleDeProbleme(Number(status), detail),
          },
        },
      },
    ]),
  );
  return { responses, headers: { ...ENTETES }, parameters: { ...PARAMETRES } };
}

/** Completes the answers of an operation, in place: shared errors by reference, headers of the rest. */
export function completerReponses(operation: Operation, methode: string): void {
  const { responses } = operation;
  // Below `/token` errors have another form, and what is no form at all is a 400 there.
  const oauth = responses['400']?.content?.['application/json'] !== undefined;
  const added = [...PARTOUT, ...(methode === 'get' || oauth ? [] : AVEC_CORPS)];
  for (const status of added) responses[status] ??= { description: TEXTES_ERREURS[status] ?? '' };
  for (const [status, response] of Object.entries(responses)) {
    const code = Number(status);
    if (code >= 400 && estCommune(code, response)) {
      responses[status] = { $ref: `#/components/responses/${nomDeReponse(code)}` };
    } else {
      response.headers = { ...entetes(...nomsDEntetes(code, operation)), ...response.headers };
    }
  }
}

function nomDeReponse(status: number): string {
  return `Erreur${status}`;
}

/** Whether it says what the shared answer says. */
function estCommune(status: number, { description, content }: Reponse): boolean {
  if (!(status in EXEMPLES) || description !== TEXTES_ERREURS[status]) return false;
  return content === undefined || Object.keys(content).every((type) => type === PROBLEME);
}

function entetes(...names: (string | undefined)[]): Record<string, Entete> {
  return Object.fromEntries(
    names
      .filter((name) => name !== undefined)
      .map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

function exempleDeProbleme(status: number, detail: string): Record<string, unknown> {
  return {
    type: 'about:blank',
    title: TITRES[status],
    status,
    detail,
    instance: 'urn:requete:0b6e7c1d-94a2-4d0e-8a57-3c1f2e9d7b64',
    ...(status === 422 ? { errors: [{ pointer: '/query/limit', detail }] } : {}),
  };
}
