import type { MailConfig } from '../../base/config/alertes-canaux.ts';
import { codeOf } from '../../base/errors.ts';
import type { FactoryTime } from '../../base/time.ts';
import { type Avis, objetDe } from '../../domain/alertes/avis.ts';
import { enInstant } from '../../domain/alertes/textes.ts';

/** Milliseconds for a message to be accepted, and for each step on the way to it. */
const DELAI = 30_000;

/**
 * Mails a notice to everybody it is for, in one message whose Message-ID is the same at each attempt. Notices of one
 * alert are one conversation.
 *
 * @throws Error whose message says why, without address or secret
 */
export async function envoyerMail(
  config: MailConfig,
  { messageId, avis }: { messageId: string; avis: Avis },
  time: FactoryTime,
  options: { readonly delai?: number } = {},
): Promise<void> {
  // Loaded by those who mail only.
  const { createTransport } = await import('nodemailer');
  const delai = options.delai ?? DELAI;
  const { host, port, secure, tls, user, password } = config;
  const transport = createTransport({
    ...{ host, port, secure },
    requireTLS: !secure && tls !== 'non',
    ignoreTLS: tls === 'non',
    tls: { rejectUnauthorized: tls === 'oui' },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    ...{ connectionTimeout: delai, greetingTimeout: delai, socketTimeout: delai, dnsTimeout: delai },
    // A text that names a file or an address is text.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  const domaine = config.de.slice(config.de.indexOf('@') + 1);
  const lignes = lignesDe(avis, time);
  const signal = AbortSignal.timeout(delai);
  try {
    await transport.sendMail({
      from: { name: 'atelier', address: config.de },
      to: [...config.a],
      subject: objetDe(avis),
      messageId: `<${messageId}@${domaine}>`,
      references: `<alerte-${avis.alerte.id}@${domaine}>`,
      // Nobody's holiday notice answers (RFC 3834).
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      text: `${lignes.join('\n\n')}\n`,
      html: `<!doctype html><html lang="fr"><body>${lignes.map((ligne) => `<p>${echapper(ligne)}</p>`).join('')}</body></html>`,
      signal,
    });
  } catch (error) {
    throw new Error(signal.aborted ? 'pas de réponse à temps' : raison(error), { cause: error });
  } finally {
    transport.close();
  }
}

function lignesDe({ genre, alerte }: Avis, time: FactoryTime): string[] {
  const instant = (iso: string): string => enInstant(time, Date.parse(iso) / 1000);
  const depuis = `Depuis le ${instant(alerte.debut)}.`;
  if (genre === 'retablissement') {
    return [
      `C’est rétabli : ${alerte.titre.toLowerCase()} (${alerte.objet}).`,
      `${depuis.slice(0, -1)}${alerte.fin === null ? '' : `, jusqu’au ${instant(alerte.fin)}`}.`,
      `L’alerte disait : ${alerte.message}`,
    ];
  }
  return [
    ...(genre === 'rappel' ? ['Cette alerte est toujours ouverte et personne ne l’a acquittée.'] : []),
    alerte.message,
    depuis,
    `Que faire : ${alerte.conseil}`,
    `Pour ne plus être rappelé : npx atelier alertes acquitter ${alerte.id} (alerte ${alerte.id}, règle ${alerte.regle}, docs/alertes.md).`,
  ];
}

function echapper(texte: string): string {
  return texte
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Answers of servers repeat addresses: only their numbers are kept. */
function raison(error: unknown): string {
  const code = codeOf(error) ?? 'erreur';
  const answer =
    typeof error === 'object' && error !== null && 'responseCode' in error ? ` ${error.responseCode}` : '';
  return `refusé par le serveur de courriel ou injoignable (${code}${answer})`;
}
