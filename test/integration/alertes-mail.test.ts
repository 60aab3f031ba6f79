// Notices by mail, to a real SMTP server: what they say, to whom, under which identity, and never in clear (R22, R24).

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSurveillance, type Surveillance } from '../harness/alertes.ts';

interface Courriel {
  readonly de: string;
  readonly a: readonly string[];
  readonly chiffre: boolean;
  readonly utilisateur: unknown;
  readonly brut: string;
}

let s: Surveillance;
let servers: SMTPServer[] = [];
beforeAll(async () => {
  s = await createSurveillance();
});
beforeEach(() => s.reset());
afterEach(async () => {
  for (const server of servers) await new Promise<void>((resolve) => server.close(() => resolve()));
  servers = [];
});
afterAll(async () => s?.close());

/** A server that keeps what it is sent; its certificate is nobody's. */
async function serveur(options: SMTPServerOptions = {}): Promise<{ port: number; recus: Courriel[] }> {
  const recus: Courriel[] = [];
  const server = new SMTPServer({
    ...{ authOptional: true, logger: false, disableReverseLookup: true },
    onAuth: (auth, _, done) => done(null, { user: `${auth.username} ${auth.password}` }),
    onData(stream, { envelope, secure, user }, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const de = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const a = envelope.rcptTo.map(({ address }) => address);
        recus.push({ de, a, chiffre: secure, utilisateur: user, brut: Buffer.concat(parts).toString() });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  servers.push(server);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return { port: (listening.address() as AddressInfo).port, recus };
}

const ADRESSES = {
  ALERTE_MAIL_A: 'marie@exemple.test, paul@exemple.test',
  ALERTE_MAIL_DE: 'atelier@usine.test',
};
const vers = (port: number, more: Record<string, string> = {}): Record<string, string> => ({
  ...{ ...ADRESSES, SMTP_HOST: '127.0.0.1', SMTP_PORT: String(port), SMTP_TLS: 'sans-verification' },
  ...more,
});

async function passage(etat: 'reussie' | 'echouee', erreur: string | null = null): Promise<void> {
  await s.workshop.reader.query(
    `INSERT INTO execution (tache, etat, debut, fin, erreur, hote, processus, tentative, tentatives_max)
     SELECT 'purge', $1, i, i, $3, 'h', 1, 5, 5 FROM to_timestamp($2) i`,
    [etat, s.maintenant / 1000, erreur],
  );
}

/** A header, unfolded, and a part, as a reader has them. */
function entete({ brut }: Courriel, nom: string): string {
  const head = brut.slice(0, brut.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ');
  const value = new RegExp(`^${nom}: (.*)$`, 'im').exec(head)?.[1] ?? '';
  return value.replaceAll(/=\?utf-8\?(Q|B)\?([^?]*)\?=\s*/gi, (_, kind: string, text: string) =>
    /b/i.test(kind) ? Buffer.from(text, 'base64').toString() : imprimable(text.replaceAll('_', ' ')),
  );
}
function partie({ brut }: Courriel, type: string): string {
  const start = brut.indexOf(`Content-Type: ${type}`);
  const body = brut.slice(brut.indexOf('\r\n\r\n', start) + 4);
  const encoding = /Content-Transfer-Encoding: (\S+)/.exec(brut.slice(start))?.[1];
  const text = body.slice(0, body.indexOf('\r\n----'));
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString();
  return encoding === 'quoted-printable' ? imprimable(text.replaceAll(/=\r\n/g, '')) : text;
}
function imprimable(text: string): string {
  return Buffer.from(
    text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();
}

it('R24 says what is wrong, since when and what to do, to everybody, encrypted; then that it is over', async () => {
  const { port, recus } = await serveur();
  s.env = vers(port, { SMTP_USER: 'relais', SMTP_PASSWORD: 'mot-plante' });
  await passage('echouee', '<b>disque</b> plein & « café »');
  expect(await s.passer()).toMatchObject({ envoyes: 1, echoues: 0 });
  s.maintenant += 3_600_000;
  await passage('reussie');
  await s.passer();
  const [first, last] = recus as [Courriel, Courriel];
  expect(first).toMatchObject({
    ...{ de: 'atelier@usine.test', a: ['marie@exemple.test', 'paul@exemple.test'] },
    ...{ chiffre: true, utilisateur: 'relais mot-plante' },
  });
  expect(entete(first, 'Subject')).toBe('[atelier] Critique : Tâche échouée (purge)');
  expect(entete(first, 'Auto-Submitted')).toBe('auto-generated');
  expect(entete(first, 'From')).toBe('atelier <atelier@usine.test>');
  const text = partie(first, 'text/plain');
  expect(text).toContain('La tâche purge a échoué : <b>disque</b> plein & « café »');
  expect(text).toContain('Depuis le 03/06/2026 à 15:00.');
  expect(text).toContain('Que faire : npx atelier executions');
  expect(partie(first, 'text/html')).toContain('&lt;b&gt;disque&lt;/b&gt; plein &amp; « café »');
  expect(partie(first, 'text/html')).not.toContain('<b>');
  expect(entete(last, 'Subject')).toBe('[atelier] Résolu : Tâche échouée (purge)');
  expect(partie(last, 'text/plain')).toContain('Depuis le 03/06/2026 à 15:00, jusqu’au 03/06/2026 à 16:00.');
  // One conversation, two messages.
  expect(entete(last, 'References')).toBe(entete(first, 'References'));
  expect(entete(last, 'Message-ID')).not.toBe(entete(first, 'Message-ID'));
  const [envoi] = await s.envois();
  expect(entete(first, 'Message-ID')).toBe(`<${envoi!['message_id']}@usine.test>`);
});

it('R22 a server that refuses is tried again under the same Message-ID; nobody’s address is kept or logged', async () => {
  let refuse = true;
  const ids: string[] = [];
  const { port, recus } = await serveur({
    onRcptTo: ({ address }, _, done) =>
      refuse ? done(Object.assign(new Error(`no such user ${address}`), { responseCode: 550 })) : done(),
  });
  s.env = vers(port);
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => void lines.push(line) });
  await passage('echouee');
  expect(await s.passer({ logger })).toMatchObject({ envoyes: 0, echoues: 1 });
  const [envoi] = await s.envois();
  expect(envoi).toMatchObject({ etat: 'a_envoyer', erreur: expect.stringMatching(/refusé.*EENVELOPE/) });
  ids.push(String(envoi!['message_id']));
  refuse = false;
  s.maintenant += 60_000;
  expect(await s.passer({ logger })).toMatchObject({ envoyes: 1 });
  expect(entete(recus[0]!, 'Message-ID')).toContain(ids[0]);
  expect(lines.join('') + JSON.stringify(await s.envois())).not.toMatch(/marie|paul|exemple\.test/);
});

describe('R24 encryption', () => {
  it('a server that offers none is not spoken to', async () => {
    const { port, recus } = await serveur({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    s.env = vers(port, { SMTP_USER: 'relais', SMTP_PASSWORD: 'mot-plante' });
    await passage('echouee');
    expect(await s.passer()).toMatchObject({ envoyes: 0, echoues: 1 });
    expect(recus).toEqual([]);
  });
  it('nor one whose certificate is nobody’s', async () => {
    const { port, recus } = await serveur();
    s.env = vers(port, { SMTP_TLS: 'oui' });
    await passage('echouee');
    expect(await s.passer()).toMatchObject({ envoyes: 0, echoues: 1 });
    expect(recus).toEqual([]);
  });
  it('TLS from the first byte, and none at all where that is allowed', async () => {
    const tls = await serveur({ secure: true });
    s.env = vers(tls.port, { SMTP_URL: `smtps://127.0.0.1:${tls.port}` });
    await passage('echouee');
    expect(await s.passer()).toMatchObject({ envoyes: 1 });
    const plain = await serveur({ hideSTARTTLS: true, disabledCommands: ['STARTTLS', 'AUTH'] });
    s.env = vers(plain.port, { SMTP_TLS: 'non' });
    await passage('reussie');
    expect(await s.passer()).toMatchObject({ envoyes: 1 });
    expect([tls.recus[0]!.chiffre, plain.recus[0]!.chiffre]).toEqual([true, false]);
  });
});
