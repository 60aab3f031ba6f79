import type { FastifyRequest } from 'fastify';
import { messageSansValeurs } from '../../base/log-redaction.ts';
import { noter } from '../../postgres/audit.ts';
import type { ApiDeps } from '../deps.ts';
import { ligneAudit } from './trace.ts';

/**
 * Lines that one {@link JournalDesRefus} may add to the audit log per minute. A server has three: of all routes, of
 * `POST /users/`, of signing in.
 */
const REFUS_PAR_MINUTE = 60;

/**
 * Notes refusals in the audit log, so many a minute and no more: anyone can be refused as often as he likes, and must
 * not fill the disk with it. What was left out is counted in the next line that is written.
 */
export class JournalDesRefus {
  readonly #deps: Pick<ApiDeps, 'accesPool' | 'maintenant' | 'logger'>;
  #minute = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #omitted = 0;

  constructor(deps: Pick<ApiDeps, 'accesPool' | 'maintenant' | 'logger'>) {
    this.#deps = deps;
  }

  /** Never throws: a refusal stays a refusal when it cannot be noted. */
  async noter(
    request: FastifyRequest,
    evenement: string,
    suite: { userId?: string | undefined; details: Readonly<Record<string, unknown>> },
  ): Promise<void> {
    const minute = Math.floor(this.#deps.maintenant() / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#lines = 0;
    }
    if (this.#lines >= REFUS_PAR_MINUTE) {
      this.#omitted++;
      return;
    }
    this.#lines++;
    const omis = this.#omitted;
    this.#omitted = 0;
    const line = ligneAudit(request, evenement, {
      userId: suite.userId ?? request.acteur?.userId,
      details: omis > 0 ? { ...suite.details, omis } : suite.details,
    });
    try {
      await noter(this.#deps.accesPool, line);
    } catch (error) {
      this.#omitted += omis + 1;
      this.#deps.logger.warn({ erreur: messageSansValeurs(error) }, 'refus absent du journal d’audit');
    }
  }
}
