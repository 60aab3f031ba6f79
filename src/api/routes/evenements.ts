import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Acteur, autorise, lire } from '../acces.ts';
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
    description: `Ce qu’on veut suivre, séparé par des virgules (${SUJETS.join(', ')}) ; par défaut tout, d’une clé tout ce qu’elle peut lire`,
    examples: ['sessions,commandes-volets'],
  });

const DESCRIPTION = `Flux \`text/event-stream\` (Server-Sent Events), à lire avec \`fetch\` : l’en-tête Authorization est nécessaire, \`EventSource\` ne l’envoie pas.

- \`${SUJETS.join('`, `')}\` : des lignes ont changé ; \`data\` est \`{"action": "insert" | "update" | "delete", "ids": [1, 2] | null, "nombre": 2}\`, \`ids\` étant \`null\` au-delà de 200 lignes. Un détail qui change (pièce, attente, arrêt, profilé) change sa session. Les changements d’un même dixième de seconde viennent ensemble.
- \`resynchroniser\` : à l’ouverture, et chaque fois que des changements ont pu manquer : relire ce qu’on affiche.
- \`fin\` : le flux se ferme ; \`data\` est \`{"raison": "jeton" | "acces" | "arret"}\` : jeton expiré (en prendre un autre), accès changé, serveur arrêté (revenir).

Toutes les 15 secondes au moins, un commentaire montre que le flux vit. Un client qui ne lit pas est coupé. Une clé a besoin, en plus, de la portée de chaque chose qu’elle suit.`;

/** A key learns of changes only where it may read what has changed. */
function peutSuivre(acteur: Acteur, sujet: Sujet): boolean {
  return autorise(acteur, lire(sujet));
}

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
      const { tables: asked } = request.query as { tables?: Sujet[] };
      const wanted = asked ?? SUJETS.filter((sujet) => peutSuivre(acteur, sujet));
      const refused = wanted.length === 0 ? SUJETS : wanted.filter((sujet) => !peutSuivre(acteur, sujet));
      if (refused.length > 0) {
        const what = refused.map((sujet) => `${sujet}:lire`).join(wanted.length === 0 ? ' ou ' : ', ');
        throw new Probleme(403, `Suivre ce qui change demande aussi la portée de ce qui change : ${what}.`, {
          headers: { 'www-authenticate': 'Bearer realm="atelier", error="insufficient_scope"' },
        });
      }
      const flux = evenements.ouvrir({
        compte: acteur.userId,
        cle: acteur.cle?.id,
        sujets: new Set(wanted),
        expire: acteur.expire * 1000,
        verifier: async () => {
          try {
            await authenticate(request, ACCES);
            return wanted.every((sujet) => peutSuivre(acteurDe(request), sujet));
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
