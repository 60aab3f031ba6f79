import type { FastifyInstance } from 'fastify';

/**
 * What every answer tells browsers: that it is no page and may not be shown in one, is of the type that it says, and is
 * only to be had by TLS once it was. The same for all, so it is written down here and not worked out for each answer;
 * the pages of `/docs` have a policy of their own (documentation.ts).
 */
const PROTECTIVE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

/** Sets them, and the number of the request, on whatever is answered. */
export function protectAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(PROTECTIVE_HEADERS).header('x-request-id', request.id);
    done();
  });
}
