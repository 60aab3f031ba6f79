import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiConfig } from '../base/config/api.ts';
import { PASSERELLE, passerelles } from '../base/passerelle.ts';

/** Senders that are told of one by one; whoever invents more is not told of. */
const DITS = 10;

/** What Fastify is to believe `X-Forwarded-For` from: addresses and networks, or nobody. */
export function proxysCrus({ proxys }: Pick<ApiConfig, 'proxys'>): string[] | false {
  const all = proxys.flatMap((proxy) => (proxy === PASSERELLE ? passerelles() : [proxy]));
  return all.length > 0 ? all : false;
}

/**
 * Says it, once for each sender, when somebody forwards for others and is not believed: then all who come through that
 * proxy count as one address, in the log and to the brake on sign-ins.
 */
export function direProxysInconnus(app: FastifyInstance): void {
  const told = new Set<string>();
  const look = (request: FastifyRequest): void => {
    if (request.headers['x-forwarded-for'] === undefined || estCru(request)) return;
    const sender = request.socket.remoteAddress;
    if (sender === undefined || told.has(sender) || told.size >= DITS) return;
    told.add(sender);
    const here = passerelles().includes(sender.replace(/^::ffff:/, ''));
    request.log.warn(
      { adresse: sender },
      `X-Forwarded-For reçu de ${sender}, qui n’est pas dans PROXYS_DE_CONFIANCE : ignoré, tous ceux qui passent par là comptent pour une adresse. Si c’est votre proxy : PROXYS_DE_CONFIANCE=${here ? PASSERELLE : sender.replace(/^::ffff:/, '')}`,
    );
  };
  app.addHook('onRequest', (request, _reply, done) => {
    look(request);
    done();
  });
}

/** Whether who is at the other end of the connection forwards for somebody else, and is believed. */
/** Fastify gives the addresses up to the first that is not believed: one alone is the sender's. */
export function estCru(request: FastifyRequest): boolean {
  return (request.ips?.length ?? 1) > 1;
}
