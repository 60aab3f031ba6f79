/** How many requests of one account, and of one key, are worked on at once; so that others have theirs. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Acteur } from './acces.ts';
import type { ApiDeps } from './deps.ts';
import { Probleme } from './problemes.ts';

export interface LimitesParts {
  /** milliseconds that a request waits for others of its account */
  readonly attentePart: number;
  /** requests of one account that may wait */
  readonly filePart: number;
}

interface Ticket {
  /** whether the place is had at once; otherwise one is told */
  readonly eue: boolean;
  /** free again; before the share was had: does not want it any more */
  rendre(): void;
}

/** A number of places for each name; whoever comes when they are taken waits in line, for some time. */
export class Shares {
  readonly #places: number;
  readonly #limites: LimitesParts;
  readonly #lines = new Map<string, { taken: number; readonly waiting: Set<() => void> }>();

  constructor(places: number, limites: LimitesParts) {
    this.#places = places;
    this.#limites = limites;
  }

  /**
   * @param fait called later, unless the place is had at once: without anything when it is had, with a problem (503)
   *   when it was not to be had in time
   * @throws Probleme 503 when too many wait already
   */
  prendre(nom: string, fait: (refus?: Probleme) => void): Ticket {
    let line = this.#lines.get(nom);
    if (!line) {
      line = { taken: 0, waiting: new Set() };
      this.#lines.set(nom, line);
    }
    const { waiting } = line;
    if (line.taken < this.#places) {
      line.taken++;
      return this.#ticket(nom);
    }
    if (waiting.size >= this.#limites.filePart) throw occupe(this.#places);
    let held: Ticket | undefined;
    const leave = (): void => {
      clearTimeout(timer);
      waiting.delete(enter);
    };
    const enter = (): void => {
      leave();
      held = this.#ticket(nom);
      fait();
    };
    const timer = setTimeout(() => {
      leave();
      fait(occupe(this.#places));
    }, this.#limites.attentePart);
    waiting.add(enter);
    return { eue: false, rendre: () => (held ? held.rendre() : leave()) };
  }

  #ticket(nom: string): Ticket {
    let had = true;
    return {
      eue: true,
      rendre: () => {
        if (!had) return;
        had = false;
        const line = this.#lines.get(nom)!;
        const [next] = line.waiting;
        if (next) next();
        else if (--line.taken === 0) this.#lines.delete(nom);
      },
    };
  }
}

function occupe(places: number): Probleme {
  return new Probleme(
    503,
    `Ce compte fait déjà travailler l’API autant qu’un seul le peut (${places} requêtes à la fois) ; attendez leurs réponses, puis réessayez.`,
    { headers: { 'retry-after': '5' } },
  );
}

/**
 * Gives every account half of the connections for data at most, and every key of it half of that, from the moment its
 * request is understood until the answer is made. Whoever is not signed in asks nothing of the data; live streams hold
 * no connection, exports have places of their own.
 */
export function partager(app: FastifyInstance, deps: ApiDeps, limites: LimitesParts): void {
  const parCompte = Math.max(1, Math.floor(deps.pool.options.max / 2));
  const comptes = new Shares(parCompte, limites);
  const cles = new Shares(Math.max(1, Math.ceil(parCompte / 2)), limites);
  const tickets = new WeakMap<FastifyRequest, Ticket[]>();
  const rendre = (request: FastifyRequest): void => {
    for (const ticket of tickets.get(request) ?? []) ticket.rendre();
    tickets.delete(request);
  };

  app.addHook('preHandler', (request, reply, done) => {
    const { acteur } = request;
    if (!acteur || request.routeOptions.url === '/evenements') {
      done();
      return;
    }
    const held: Ticket[] = [];
    tickets.set(request, held);
    // A client that goes away while it waits, or before it has its answer.
    reply.raw.once('close', () => rendre(request));
    // The place of a key first: what waits for it must not keep one of the account's.
    const lines = acteur.cle ? [cles, comptes] : [comptes];
    const next = (refus?: Probleme): void => {
      const line = lines.shift();
      if (refus || !line) {
        done(refus);
        return;
      }
      let ticket: Ticket;
      try {
        ticket = line.prendre(line === cles ? nomDe(acteur) : acteur.userId, next);
      } catch (error) {
        done(error as Probleme);
        return;
      }
      held.push(ticket);
      if (ticket.eue) next();
    };
    next();
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    rendre(request);
    done(null, payload);
  });
}

function nomDe({ userId, cle }: Acteur): string {
  return `${userId} ${cle?.id ?? ''}`;
}
