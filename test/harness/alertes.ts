import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadConfig } from '../../src/base/config.ts';
import type { FaitsDisque } from '../../src/domain/alertes/evaluer.ts';
import { type AlertesContext, type BilanAlertes, passer } from '../../src/jobs/alertes.ts';
import { createWorkshop, type Workshop } from './ingest.ts';

export const SECRET = 'un-secret-tire-au-hasard-0123456789';
/** A Wednesday at three in the afternoon, in Paris. */
export const MERCREDI = Date.parse('2026-06-03T15:00:00+02:00');

/** A notice as a receiver got it; its signature was verified. */
export interface AvisRecu {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server that verifies signatures as a receiver would, with its own few lines. */
export interface Recepteur {
  readonly url: string;
  readonly recus: AvisRecu[];
  /** requests whose signature was wrong */
  readonly faux: string[];
  /** how the next requests are answered; 204 without it */
  repondre: ((response: ServerResponse, rang: number) => void) | undefined;
  close(): Promise<void>;
}

export async function ouvrirRecepteur(): Promise<Recepteur> {
  const recus: AvisRecu[] = [];
  const faux: string[] = [];
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const { headers } = request;
      const id = String(headers['webhook-id']);
      if (!signatureJuste(headers, body)) faux.push(body);
      else recus.push({ id, ...(JSON.parse(body) as Pick<AvisRecu, 'type' | 'data'>), headers, body });
      if (self.repondre) self.repondre(response, recus.length);
      else response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const self: Recepteur = {
    url: `http://127.0.0.1:${port}/crochet?jeton=plante-dans-l-adresse`,
    ...{ recus, faux, repondre: undefined },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}

/** As standardwebhooks.com says it is to be verified. */
function signatureJuste(headers: IncomingHttpHeaders, body: string): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', SECRET).update(signed).digest();
  const [version, signature = ''] = String(headers['webhook-signature']).split(',');
  const given = Buffer.from(signature, 'base64');
  return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
}

/** A workshop that is watched, with a clock of its own. */
export interface Surveillance {
  readonly workshop: Workshop;
  /** milliseconds since the epoch */
  maintenant: number;
  disques: readonly FaitsDisque[];
  env: Readonly<Record<string, string>>;
  /** as one process has it, with its own connections when `pool` is given */
  contexte(more?: Partial<AlertesContext>): AlertesContext;
  passer(more?: Partial<AlertesContext>): Promise<BilanAlertes>;
  /** imports a file of DEM12 whose bytes came at an instant of the clock */
  recevoir(chemin: string, texte: string, quand?: number): Promise<void>;
  alertes(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  envois(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** empty tables, the clock at its beginning */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function createSurveillance(env: Readonly<Record<string, string>> = {}): Promise<Surveillance> {
  const workshop = await createWorkshop();
  const { reader } = workshop;
  const arrivees = new Map<string, number>();
  const self: Surveillance = {
    ...{ workshop, maintenant: MERCREDI, disques: [], env },
    contexte: (more) => ({
      ...{ logger: workshop.context.logger, pool: workshop.context.pool },
      config: loadConfig({ DATABASE_URL: workshop.url, ...self.env }),
      maintenant: () => self.maintenant,
      disques: async () => self.disques,
      ...more,
    }),
    passer: (more) => passer(self.contexte(more)),
    async recevoir(chemin, texte, quand = self.maintenant) {
      await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
      await writeFile(join(workshop.logs, 'DEM12', chemin), texte);
      await workshop.import();
      arrivees.set(`DEM12/${chemin}`, quand / 1000);
      // The clock of the database is not ours: each file keeps the instant at which its bytes came.
      await reader.query(
        `UPDATE fichier_log_version v SET derniere_reception = to_timestamp(a.quand)
           FROM unnest($1::text[], $2::float8[]) a (chemin, quand) JOIN fichier_log f ON f.chemin = a.chemin
          WHERE v.id = f.version_id`,
        [[...arrivees.keys()], [...arrivees.values()]],
      );
      // What the import itself left of its run is of today.
      await reader.query('DELETE FROM execution');
    },
    alertes: async () => (await reader.query('SELECT * FROM alerte ORDER BY id')).rows,
    envois: async () => (await reader.query('SELECT * FROM alerte_envoi ORDER BY id')).rows,
    async reset() {
      await workshop.reset();
      arrivees.clear();
      await reader.query('DELETE FROM alerte; DELETE FROM alerte_attente; DELETE FROM planification');
      self.maintenant = MERCREDI;
      self.disques = [];
      self.env = env;
    },
    close: () => workshop.close(),
  };
  return self;
}
