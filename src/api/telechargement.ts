import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { noter } from '../postgres/audit.ts';
import { type OctetsArchives, trouverOctets } from '../postgres/lecture/fichiers.ts';
import { ligneAudit } from './auth/trace.ts';
import type { ApiDeps } from './deps.ts';
import { enPieceJointe } from './disposition.ts';
import { correspond } from './etag.ts';
import { fluxDe, lireOctets } from './octets.ts';
import { type Plage, plageDemandee } from './plages.ts';
import { introuvable, Probleme } from './problemes.ts';
import { archiveMuette, archivePurgee } from './provenance.ts';
import { RESSOURCE_FICHIERS } from './ressources/fichiers.ts';

/** Which bytes: those of a path when it was last read, or those with a hash that it carried. */
interface Demande {
  readonly fichierId: number;
  readonly sha256: string | undefined;
}

/**
 * Sends the bytes of a LOG file out of the archive: whole or one range, streamed. `Content-Length` is always there, and
 * the connection is cut when the archive fails in the middle: nothing partial looks complete.
 */
export async function envoyerOctets(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ApiDeps,
  demande: Demande,
): Promise<FastifyReply> {
  const found = await trouver(deps, demande);
  if (found.purgeeLe !== null) throw archivePurgee(found.sha256, found.chemin, found.purgeeLe);
  const etag = `"${found.sha256}"`;
  // Set at the last moment: a problem must not carry them.
  const headers = { etag, 'cache-control': 'private, no-cache', 'accept-ranges': 'bytes' };
  if (correspond(request.headers['if-none-match'], etag)) return reply.headers(headers).code(304).send();
  const plage = plageDe(request, found, etag);
  const { debut, fin } = plage ?? { debut: 0, fin: found.taille };
  let flux = Readable.from([]);
  if (request.method !== 'HEAD') {
    const opened = await ouvrir(deps, demande, found, { debut, fin });
    try {
      // Names of operators may stand in these bytes: none is given without a trace of to whom.
      const details = { sha256: found.sha256, debut, fin };
      const cible = `fichiers/${demande.fichierId}`;
      await noter(deps.pool, ligneAudit(request, 'octets_lus', { cible, details }));
      flux = opened;
    } finally {
      if (flux !== opened) opened.destroy();
    }
  }
  if (plage) reply.code(206).header('content-range', `bytes ${debut}-${fin - 1}/${found.taille}`);
  return reply
    .headers({
      ...headers,
      'content-length': String(fin - debut),
      'content-disposition': enPieceJointe(found.chemin.slice(found.chemin.lastIndexOf('/') + 1)),
    })
    .type('application/octet-stream')
    .send(flux);
}

async function trouver(deps: ApiDeps, { fichierId, sha256 }: Demande): Promise<OctetsArchives> {
  const found = await trouverOctets(deps.pool, fichierId, sha256);
  if (found === 'fichier') throw introuvable(RESSOURCE_FICHIERS.libelle);
  if (found === 'octets') {
    throw new Probleme(
      404,
      sha256 === undefined
        ? 'Ce fichier n’a encore jamais pu être lu : l’archive n’en a rien.'
        : 'Ce fichier n’a jamais porté ces octets ; /fichiers/{id}/versions donne ceux qu’il a portés.',
    );
  }
  return found;
}

/** Ranges are for GET only, and for the content that the client has the beginning of (RFC 9110, 13.1.5 and 14.2). */
function plageDe(request: FastifyRequest, { taille }: OctetsArchives, etag: string): Plage | undefined {
  const ifRange = request.headers['if-range'];
  if (request.method !== 'GET' || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const plage = plageDemandee(request.headers.range, taille);
  if (plage !== 'impossible') return plage;
  throw new Probleme(416, `La plage commence après la fin : le contenu a ${taille} octets.`, {
    headers: { 'content-range': `bytes */${taille}` },
  });
}

/**
 * Opens the archive and waits for its first piece, so that what is missing is said by a status. A file that grew since
 * it was looked up took its archive along under another name: then it is looked up once more.
 */
async function ouvrir(
  deps: ApiDeps,
  demande: Demande,
  found: OctetsArchives,
  plage: Plage,
): Promise<Readable> {
  let place = found;
  for (let last = false; ; last = true) {
    const pieces = lireOctets(deps.archive, place, plage);
    try {
      return fluxDe(await pieces.next(), pieces);
    } catch (error) {
      if (last) throw archiveMuette(found.sha256, found.chemin, error);
      // By its hash: what is promised already must not become other bytes.
      place = await trouver(deps, { ...demande, sha256: found.sha256 });
      if (place.purgeeLe !== null) throw archivePurgee(place.sha256, place.chemin, place.purgeeLe);
    }
  }
}
