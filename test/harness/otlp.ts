// A collector of traces: takes OTLP over HTTP in JSON, and keeps the spans.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface SpanRecu {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributs: Readonly<Record<string, unknown>>;
  /** attributes of the process that sent it */
  readonly ressource: Readonly<Record<string, unknown>>;
}

export interface Collecteur {
  readonly url: string;
  readonly spans: SpanRecu[];
  /** headers of the last delivery */
  readonly entetes: () => Readonly<Record<string, unknown>>;
  /** the text of everything that came */
  readonly texte: () => string;
  close(): Promise<void>;
}

interface Attribut {
  readonly key: string;
  readonly value: Record<string, unknown>;
}

export async function collecter(): Promise<Collecteur> {
  const spans: SpanRecu[] = [];
  let headers: Record<string, unknown> = {};
  let text = '';
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const bytes = Buffer.concat(pieces);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
      if (request.url !== '/v1/traces') {
        response.writeHead(404).end();
        return;
      }
      headers = request.headers;
      text += body;
      for (const resource of JSON.parse(body).resourceSpans) {
        const ressource = flat(resource.resource.attributes);
        for (const scope of resource.scopeSpans) {
          for (const span of scope.spans)
            spans.push({ ...span, attributs: flat(span.attributes), ressource });
        }
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    entetes: () => headers,
    texte: () => text,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function flat(attributes: readonly Attribut[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
