import type { FastifyRequest } from 'fastify';
import type { ApiConfig } from '../base/config/api.ts';
import { type Authority, isOurName, parseAuthority } from '../base/hosts.ts';
import { Probleme } from './problemes.ts';
import { estCru } from './proxys.ts';

/** Names that are told in the log, once each; whoever invents more is not told of. */
const TOLD = 10;
/** The probe of containers: it says nothing of anybody, and must not depend on how it is called. */
const OPEN = '/health/live';
const CLOSE = { headers: { connection: 'close' } };

/**
 * Makes the check of by which name a request comes: one `Host`, and no other (RFC 9112, 3.2: proxies choose by it, too),
 * the same before the path when the address is a whole one, and one of ours (src/base/hosts.ts).
 *
 * @returns throws Probleme 400 for none, two or a broken one, 421 for a name that is not ours
 */
export function hostCheck({
  hotes: listed,
  host,
}: Pick<ApiConfig, 'hotes' | 'host'>): (request: FastifyRequest) => void {
  const told = new Set<string>();
  const accepts = ({ name, port }: Authority, request: FastifyRequest): boolean =>
    isOurName(name, { listed, host }) ||
    // A proxy that is believed has chosen by the name already. A page whose name leads straight to us has our port in it.
    (listed.length === 0 && port === undefined && estCru(request));
  return (request) => {
    const claimed = claims(request);
    if (request.routeOptions.url === OPEN) return;
    const foreign = claimed.find((authority) => !accepts(authority, request));
    if (foreign === undefined) return;
    if (!told.has(foreign.name) && told.size < TOLD) {
      told.add(foreign.name);
      request.log.warn(
        { hote: foreign.name },
        `demandé sous le nom ${foreign.name}, inconnu ici : 421. Si ce nom est le sien : HOTES=${[...listed, foreign.name].join(',')}`,
      );
    }
    throw new Probleme(
      421,
      `Ce serveur ne répond pas au nom « ${foreign.name} ». Si c’est bien le sien, ajoutez-le à HOTES dans ses réglages et relancez-le.`,
    );
  };
}

/** The hosts that a request names: its own, and what a proxy that is believed says of the client's. */
function claims(request: FastifyRequest): Authority[] {
  const { raw } = request;
  const hosts: string[] = [];
  for (let i = 0; i < raw.rawHeaders.length; i += 2) {
    const name = raw.rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(raw.rawHeaders[i + 1]!);
  }
  const [, absolute] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.url) ?? [];
  if (hosts.length === 0 && raw.httpVersion === '1.0')
    return absolute === undefined ? [] : [parsed(absolute)];
  if (hosts.length !== 1) throw new Probleme(400, 'Une requête porte un en-tête Host, et un seul.', CLOSE);
  const own = parsed(hosts[0]!);
  if (absolute !== undefined) {
    const whole = parsed(absolute);
    if (whole.name !== own.name || whole.port !== own.port)
      throw new Probleme(400, 'L’adresse et l’en-tête Host nomment deux serveurs différents.', CLOSE);
  }
  // Fastify takes X-Forwarded-Host of proxies that are believed, and of nobody else.
  return request.host === raw.headers.host ? [own] : [own, parsed(request.host)];
}

/** Hosts that were read already: a server has a few names, and whoever invents others gets no more of them kept. */
const read = new Map<string, Authority>();
const READ = 100;

function parsed(text: string): Authority {
  const known = read.get(text);
  if (known) return known;
  const authority = parseAuthority(text);
  if (authority) {
    if (read.size < READ) read.set(text, authority);
    return authority;
  }
  throw new Probleme(400, 'L’en-tête Host n’est pas un nom d’hôte, avec ou sans port.', CLOSE);
}
