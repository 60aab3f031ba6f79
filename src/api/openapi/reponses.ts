/** Answers and headers that routes have in common: said once in the document, referred to everywhere. */
import { TEXTES_ERREURS } from '../schemas/commun.ts';
import { ENTETES, nomsDEntetes, PAR_STATUT, PARAMETRES } from './entetes.ts';
import type { Composants, Entete, Operation, Reponse } from './types.ts';

const PROBLEME = 'application/problem+json';
const EXEMPLES: Readonly<Record<number, readonly [titre: string, detail: string]>> = {
  400: ['Requête mal formée', 'Le corps n’est pas du JSON valide.'],
  401: [
    'Authentification nécessaire',
    'Il faut un jeton (POST /token) ou une clé d’API : Authorization: Bearer …',
  ],
  403: ['Action non permise', 'Il faut le rôle gestionnaire.'],
  404: ['Introuvable', 'Une session de production : il n’y a rien sous cet identifiant.'],
  406: [
    'Format non disponible',
    'Les formes possibles sont application/json, text/csv et XLSX (en-tête Accept, ou format=).',
  ],
  408: ['Requête trop lente', 'La requête a mis trop de temps à arriver.'],
  409: ['Conflit', 'Une ligne avec ces valeurs existe déjà.'],
  412: [
    'Modifié entre-temps',
    'La ligne a changé depuis votre lecture (If-Match) : relisez-la, puis recommencez.',
  ],
  413: ['Corps trop grand', 'Le corps de la requête dépasse la taille permise.'],
  414: ['Adresse trop longue', 'Une adresse a au plus 8000 caractères.'],
  415: ['Type de contenu non pris en charge', 'Envoyez du JSON (application/json).'],
  416: ['Plage impossible', 'La plage demandée commence après la fin.'],
  422: ['Champ invalide', 'Attendu un entier de 1 à 1000.'],
  429: ['Trop d’essais', 'Trop d’essais : attendez 8 s avant le suivant.'],
  431: ['En-têtes trop longs', 'Les en-têtes de la requête sont trop longs.'],
  500: [
    'Erreur interne',
    'Une erreur inattendue est survenue ; le journal du serveur la décrit sous ce numéro de requête.',
  ],
  503: [
    'Service momentanément indisponible',
    'La base de données ne répond pas pour l’instant ; réessayez dans quelques secondes.',
  ],
};

/** Statuses that every operation may answer: the server's own limits, and what nobody foresaw. */
const PARTOUT = [400, 408, 414, 431, 500] as const;
/** And those that may have a body. */
const AVEC_CORPS = [413, 415] as const;
/** The shared part of `components`. */
export function composantsCommuns(): Pick<Composants, 'responses' | 'headers' | 'parameters'> {
  const responses = Object.fromEntries(
    Object.entries(EXEMPLES).map(([status, [title, detail]]): [string, Reponse] => [
      nomDeReponse(Number(status)),
      {
        description: TEXTES_ERREURS[Number(status)] ?? title,
        headers: entetes('X-Request-Id', PAR_STATUT[Number(status)]),
        content: {
          [PROBLEME]: {
            schema: { $ref: '#/components/schemas/Probleme' },
            example: exempleDeProbleme(Number(status), title, detail),
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

function exempleDeProbleme(status: number, title: string, detail: string): Record<string, unknown> {
  return {
    type: 'about:blank',
    title,
    status,
    detail,
    instance: 'urn:requete:0b6e7c1d-94a2-4d0e-8a57-3c1f2e9d7b64',
    ...(status === 422 ? { errors: [{ pointer: '/query/limit', detail }] } : {}),
  };
}
