import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { accesEnMots, finirDocument, securiteDe } from './openapi/document.ts';
import type { Document } from './openapi/types.ts';
import { garderPages } from './pages-gardees.ts';
import { envoyerStatique, preparerStatique, type Statique } from './statiques.ts';

const DESCRIPTION = `Les chiffres de l’atelier : centres d’usinage, sessions, pièces, attentes, arrêts, commandes de volets roulants.

**Se connecter** : une personne prend un jeton par \`POST /token\` (le bouton *Authorize* le fait) ; un programme emploie une clé d’API \`atl_…\` (\`/cles/\`). Les deux s’envoient en \`Authorization: Bearer …\`.

**Lire** : les listes sont des tableaux JSON, filtrés, triés (\`tri\`), par pages (\`skip\`, \`limit\`) ou en suivant un curseur (\`cursor\`) ; \`format=csv\` et \`format=xlsx\` rendent les mêmes lignes en fichier, toutes. Chaque lecture porte un \`ETag\`.

**Écrire** : les lignes calculées des journaux (\`origine\` = \`log\`) sont des faits et ne se modifient pas (409) ; les saisies à la main, oui. \`If-Match\` est respecté quand il est envoyé (412).

**Erreurs** : \`application/problem+json\` (RFC 9457), en français, avec chaque champ fautif. \`instance\` et l’en-tête \`X-Request-Id\` portent le numéro de la requête, le même que dans le journal du serveur. Une méthode que l’adresse ne connaît pas : 405, et \`Allow\` donne les autres.

**Limites** : un corps a au plus 1 Mio (413), une adresse 8 000 caractères (414), les en-têtes 16 Kio (431), une page 1 000 lignes ; un champ ou un paramètre inconnu est refusé par son nom (422).

**Adresses** : avec ou sans \`/\` à la fin, les deux répondent.`;

const TAGS: readonly (readonly [string, string])[] = [
  ['token', 'Se connecter'],
  ['users', 'Comptes'],
  ['cles', 'Clés d’API des programmes'],
  ['centres', 'Centres d’usinage'],
  ['sessions', 'Sessions : un centre, une journée'],
  ['job-profils', 'Barres de profilé chargées'],
  ['periodes-attente', 'Attentes de la machine'],
  ['periodes-arret', 'Arrêts volontaires'],
  ['pieces-production', 'Pièces finies'],
  ['commandes-volets', 'Commandes de volets roulants'],
  ['stats', 'Chiffres par centre'],
  ['fichiers', 'Fichiers LOG vus, leurs versions, leurs octets'],
  ['rejets', 'Quarantaine : lignes dont on n’a pas pu se servir'],
  ['executions', 'Passages des tâches'],
  ['alertes', 'Ce qui ne va pas, et ce qui n’allait pas'],
  ['evenements', 'Ce qui change, en direct'],
  ['santé', 'L’API répond-elle'],
];

/** What the page of `/docs` may load and ask: what this server has, and nothing else. */
const CSP: Readonly<Record<string, string>> = {
  'default-src': "'none'",
  'script-src': "'self'",
  // The hash is of the one style sheet that the page writes into itself (test/integration/api-docs.test.ts).
  'style-src': "'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  'img-src': "'self' data:",
  'font-src': "'self'",
  'connect-src': "'self'",
  'form-action': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
};

/** OpenAPI 3.1 from the schemas of the routes, at `/openapi.json`, and interactive at `/docs`. */
export async function documenter(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'atelier',
        version: '0.1.0',
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'Ce serveur' }],
      tags: TAGS.map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          motDePasse: {
            type: 'oauth2',
            description: 'Une personne : nom et mot de passe',
            flows: { password: { tokenUrl: '/token', scopes: {} } },
          },
          cle: {
            type: 'http',
            scheme: 'bearer',
            description: 'Un programme : clé d’API atl_…, ou un jeton déjà pris',
          },
          metriques: {
            type: 'http',
            scheme: 'bearer',
            description: 'Prometheus : METRICS_JETON, pour /metrics seulement',
          },
        },
      },
      security: [{ motDePasse: [] }, { cle: [] }],
    },
    // A path has one spelling in the document, though both answer; HEAD goes without saying.
    exposeHeadRoutes: false,
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      const { acces, inclus } = document.route.config ?? {};
      const security = schema.security ?? securiteDe(acces);
      const description = [schema.description, accesEnMots(acces, security, inclus)]
        .filter(Boolean)
        .join('\n\n');
      // « Lire : Une pièce », as the machinery of the resources has it, in one sentence.
      const summary = (schema.summary ?? '').replace(
        / : (Une?|les) /u,
        (_, article: string) => ` ${article.toLowerCase()} `,
      );
      return { url, schema: { ...schema, summary, description, ...(security ? { security } : {}) } };
    },
    transformObject: (document) =>
      finirDocument(jsonSchemaTransformObject(document) as unknown as Document) as never,
  });
  let kept: Promise<Statique> | undefined;
  app.get(
    '/openapi.json',
    { config: { acces: { acces: 'public' } }, schema: { hide: true } },
    async (request, reply) => {
      kept ??= preparerStatique(JSON.stringify(app.swagger()), 'application/json; charset=utf-8');
      return envoyerStatique(request, reply, await kept);
    },
  );
  await app.register(async (docs) => {
    await garderPages(docs, '/docs');
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: CSP,
      uiConfig: {
        deepLinking: true,
        persistAuthorization: false,
        tryItOutEnabled: true,
        docExpansion: 'none',
        displayRequestDuration: true,
        defaultModelsExpandDepth: 0,
      },
      theme: { title: 'API d’atelier' },
    });
  });
}
