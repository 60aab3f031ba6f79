import { createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { WebhookConfig } from '../../base/config/alertes-canaux.ts';
import { codeOf } from '../../base/errors.ts';
import type { Avis } from '../../domain/alertes/avis.ts';

/** Milliseconds for a receiver to answer. */
const DELAI = 10_000;

/**
 * Posts a notice as Standard Webhooks has it (standardwebhooks.com): `webhook-id` is the same at each attempt,
 * `webhook-signature` is `v1,` and the HMAC-SHA256, base64, of `id.timestamp.body`. Any 2xx is an acceptance; nothing is
 * followed, so that nobody but the address of the settings is ever called.
 *
 * @param maintenant milliseconds since the epoch
 * @throws Error whose message says why, without address or secret
 */
export async function posterWebhook(
  { url, secret }: WebhookConfig,
  { messageId, avis, maintenant }: { messageId: string; avis: Avis; maintenant: number },
  options: { readonly delai?: number } = {},
): Promise<void> {
  const instant = Math.floor(maintenant / 1000);
  const body = JSON.stringify({
    type: `alerte.${avis.genre}`,
    timestamp: new Date(maintenant).toISOString(),
    data: avis.alerte,
  });
  const signature = createHmac('sha256', secret).update(`${messageId}.${instant}.${body}`).digest('base64');
  const status = await envoyer(url, body, options.delai ?? DELAI, {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'atelier',
    'webhook-id': messageId,
    'webhook-timestamp': String(instant),
    'webhook-signature': `v1,${signature}`,
  });
  if (status >= 300 && status < 400)
    throw new Error(`réponse ${status} : les redirections ne sont pas suivies`);
  if (status < 200 || status >= 300) throw new Error(`réponse ${status}`);
}

/** One request on a connection of its own; its answer is not read beyond its status. */
async function envoyer(
  url: string,
  body: string,
  delai: number,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const signal = AbortSignal.timeout(delai);
  try {
    return await new Promise<number>((resolve, reject) => {
      const { request } = url.startsWith('https:') ? https : http;
      const sent = request(url, {
        method: 'POST',
        agent: false,
        signal,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      });
      sent.on('response', (response) => {
        response.on('error', () => undefined);
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
      sent.on('error', reject);
      sent.end(body);
    });
  } catch (error) {
    // Messages of the network name the address, which may hold a secret.
    throw new Error(
      signal.aborted ? 'pas de réponse à temps' : `connexion impossible (${codeOf(error) ?? 'erreur'})`,
      {
        cause: error,
      },
    );
  }
}
