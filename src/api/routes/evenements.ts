import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { lire } from '../acces.ts';
import { acteurDe, authentification } from '../auth/authentifier.ts';
import type { ApiDeps } from '../deps.ts';
import { SUJETS, type Sujet } from '../evenements.ts';
import { Probleme } from '../problemes.ts';
import { erreurs } from '../schemas/commun.ts';

const ACCES = lire('evenements');

const tables = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(SUJETS, `Attendu un ou plusieurs de : ${SUJETS.join(', ')}.`)))
  .meta({
    type: 'string',
    description: `Ce qu’on veut suivre, séparé par des virgules (${SUJETS.join(', ')}) ; tout par défaut`,
    examples: ['sessions,commandes-volets'],
  });

const DESCRIPTION = `Flux \`text/event-stream\` (Server-Sent Events), à lire avec \`fetch\` : l’en-tête Authorization est nécessaire, \`EventSource\` ne l’envoie pas.

- \`${SUJETS.join('`, `')}\` : des lignes ont changé ; \`data\` est \`{"action": "insert" | "update" | "delete", "ids": [1, 2] | null, "nombre": 2}\`, \`ids\` étant \`null\` au-delà de 200 lignes. Un détail qui change (pièce, attente, arrêt, profilé) change sa session. Les changements d’un même dixième de seconde viennent ensemble.
- \`resynchroniser\` : à l’ouverture, et chaque fois que des changements ont pu manquer : relire ce qu’on affiche.
- \`fin\` : le flux se ferme ; \`data\` est \`{"raison": "jeton" | "acces" | "arret"}\` : jeton expiré (en prendre un autre), accès changé, serveur arrêté (revenir).

Toutes les 15 secondes au moins, un commentaire montre que le flux vit. Un client qui ne lit pas est coupé.`;

/** `GET /evenements`: what changes, as it does. */
export function routesEvenements(app: FastifyInstance, deps: ApiDeps): void {
  const { evenements } = deps;
  const authenticate = authentification(deps);
  app.addHook('preClose', async () => evenements.arreter());
  app.get(
    '/evenements',
    {
      // The head of a stream says nothing.
      exposeHeadRoute: false,
      config: { acces: ACCES },
      schema: {
        tags: ['evenements'],
        operationId: 'suivre_evenements',
        summary: 'Suivre ce qui change, en direct',
        description: DESCRIPTION,
        querystring: z.strictObject({ tables: tables.optional() }),
        response: {
          200: {
            description: 'Le flux ; il dure jusqu’à la fin du jeton',
            content: { 'text/event-stream': { schema: z.string() } },
          },
          ...erreurs(400, 401, 403, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const acteur = acteurDe(request);
      const { tables: wanted } = request.query as { tables?: Sujet[] };
      const flux = evenements.ouvrir({
        compte: acteur.userId,
        cle: acteur.cle?.id,
        sujets: new Set(wanted ?? SUJETS),
        expire: acteur.expire * 1000,
        verifier: async () => {
          try {
            await authenticate(request, ACCES);
            return true;
          } catch (error) {
            if (error instanceof Probleme && (error.status === 401 || error.status === 403)) return false;
            throw error;
          }
        },
      });
      return reply
        .type('text/event-stream; charset=utf-8')
        .headers({
          'cache-control': 'no-store',
          // nginx gathers answers by default; events must not wait for each other.
          'x-accel-buffering': 'no',
        })
        .send(flux);
    },
  );
}
