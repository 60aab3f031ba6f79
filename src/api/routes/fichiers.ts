import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { lireVersions } from '../../postgres/lecture/fichiers.ts';
import { lire, lireBrut } from '../acces.ts';
import type { ApiDeps } from '../deps.ts';
import { routeDElement } from '../elements.ts';
import { envoyerJson } from '../etag.ts';
import { enLecture } from '../lectures.ts';
import { routeDeListe } from '../listes.ts';
import { entetesDePage } from '../pages.ts';
import { introuvable } from '../problemes.ts';
import { RESSOURCE_FICHIERS } from '../ressources/fichiers.ts';
import { erreurs, json, parametresId } from '../schemas/commun.ts';
import { sha256, versionDeFichier } from '../schemas/fichiers.ts';
import { LIMITE_DEFAUT, PAGE } from '../schemas/listes.ts';
import { envoyerOctets } from '../telechargement.ts';

/** LOG files that were seen, the contents they carried, and their bytes. */
export function routesFichiers(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_FICHIERS);
  routeDElement(app, deps, RESSOURCE_FICHIERS);
  app.get(
    '/fichiers/:id/versions',
    {
      config: { acces: lire('fichiers') },
      schema: {
        tags: ['fichiers'],
        operationId: 'lister_versions_fichier',
        summary: 'Tous les contenus qu’un chemin a portés, l’actuel d’abord, puis les plus récents',
        description:
          'Un fichier qui grandit laisse un préfixe par passage : la liste est longue pour un fichier suivi en direct. `Link` donne les pages voisines, `X-Total-Count` le total.',
        params: parametresId,
        querystring: z.strictObject({ skip: PAGE.skip, limit: PAGE.limit }),
        response: {
          200: json('Les contenus', z.array(versionDeFichier)),
          ...erreurs(304, 400, 401, 403, 404, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      const { skip, limit = LIMITE_DEFAUT } = request.query as { skip: number; limit?: number };
      const page = await enLecture(deps, request, (pool) => lireVersions(pool, id, { skip, limit }));
      if (!page) throw introuvable(RESSOURCE_FICHIERS.libelle);
      reply.headers(entetesDePage(request.url, { skip, limit }, page.total));
      return envoyerJson(request, reply, page.json);
    },
  );
  app.get(
    '/fichiers/:id/octets',
    {
      config: { acces: lireBrut('fichiers') },
      // Ranges and lengths are those of the file itself.
      compress: false,
      schema: {
        tags: ['fichiers'],
        operationId: 'telecharger_fichier',
        summary: 'Les octets mêmes d’un fichier, tirés de l’archive (admin)',
        description:
          'Réservé aux admins : des noms peuvent y être, que MASQUES cache partout ailleurs. Sans `sha256` : ce que le fichier contenait au dernier passage ; avec : l’un des contenus de /fichiers/{id}/versions. L’ETag est l’empreinte. Une plage (`Range: bytes=…`) à la fois ; `If-Range` est respecté. Une réponse qui s’arrête avant Content-Length est incomplète.',
        params: parametresId,
        querystring: z.strictObject({
          sha256: sha256.optional().meta({ description: 'Lequel des contenus que ce chemin a portés' }),
        }),
        response: {
          200: octets('Tout le contenu'),
          206: octets('La plage demandée'),
          ...erreurs(304, 400, 401, 403, 404, 410, 416, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      const query = request.query as { sha256?: string };
      return await envoyerOctets(request, reply, deps, { fichierId: id, sha256: query.sha256 });
    },
  );
}

function octets(description: string): {
  description: string;
  content: { 'application/octet-stream': { schema: z.ZodType } };
} {
  return {
    description,
    content: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } },
  };
}
