import type { FastifyRequest } from 'fastify';
import type { LigneAudit } from '../../postgres/audit.ts';

/** A line of the audit log about a request: whoever made it, from where, under which number. */
export function ligneAudit(
  request: FastifyRequest,
  evenement: string,
  suite: Pick<LigneAudit, 'userId' | 'cible' | 'details'> = {},
): LigneAudit {
  return {
    evenement,
    userId: request.acteur?.userId,
    cleId: request.acteur?.cle?.id,
    adresse: request.ip,
    requete: request.id,
    ...suite,
  };
}
