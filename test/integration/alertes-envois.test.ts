// Notices by webhook: signed, tried again, sent once however many look, and never lost (S28, O6, O18).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { posterWebhook } from '../../src/jobs/alertes/webhook.ts';
import { acquitter } from '../../src/postgres/alertes.ts';
import { createPool, transaction, withClient } from '../../src/postgres/pool.ts';
import {
  createSurveillance,
  MERCREDI,
  ouvrirRecepteur,
  type Recepteur,
  SECRET,
  type Surveillance,
} from '../harness/alertes.ts';

const CHILD = fileURLToPath(new URL('../crash/alertes-child.ts', import.meta.url));
const MINUTE = 60_000;
const HEURE = 60 * MINUTE;

let s: Surveillance;
let recepteur: Recepteur;
let env: Record<string, string>;
beforeAll(async () => {
  recepteur = await ouvrirRecepteur();
  env = { ALERTE_WEBHOOK_URL: recepteur.url, ALERTE_WEBHOOK_SECRET: SECRET };
  s = await createSurveillance(env);
});
beforeEach(async () => {
  await s.reset();
  recepteur.recus.length = 0;
  recepteur.repondre = undefined;
});
afterAll(async () => {
  expect(recepteur.faux).toEqual([]);
  await recepteur.close();
  await s.close();
});

/** Something that is wrong: the task « purge » was given up. */
async function casser(): Promise<void> {
  await s.workshop.reader.query(
    `INSERT INTO execution (tache, etat, debut, fin, erreur, hote, processus, tentative, tentatives_max)
     SELECT 'purge', 'echouee', i, i, 'disque plein', 'h', 1, 5, 5 FROM to_timestamp($1) i`,
    [s.maintenant / 1000 - 60],
  );
}
async function reparer(): Promise<void> {
  await s.workshop.reader.query(
    `INSERT INTO execution (tache, etat, debut, fin, hote, processus)
     SELECT 'purge', 'reussie', i, i, 'h', 1 FROM to_timestamp($1) i`,
    [s.maintenant / 1000],
  );
}
const types = (): string[] => recepteur.recus.map(({ type }) => type);

it('tells of an alert once, and of its end once', async () => {
  await casser();
  expect(await s.passer()).toEqual({
    ouvertes: 1,
    rappelees: 0,
    resolues: 0,
    envoyes: 1,
    echoues: 0,
    abandonnes: 0,
  });
  s.maintenant += HEURE;
  expect(await s.passer()).toMatchObject({ ouvertes: 0, envoyes: 0 });
  await reparer();
  expect(await s.passer()).toMatchObject({ resolues: 1, envoyes: 1 });
  expect(await s.passer()).toMatchObject({ resolues: 0, envoyes: 0 });
  expect(types()).toEqual(['alerte.ouverture', 'alerte.retablissement']);
  const [alerte] = await s.alertes();
  const [first, last] = recepteur.recus;
  expect(first!.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'atelier',
  });
  expect(first!.headers['webhook-timestamp']).toBe(String(MERCREDI / 1000));
  expect(first!.data).toEqual({
    ...{
      id: alerte!['id'],
      regle: 'tache_echouee',
      titre: 'Tâche échouée',
      objet: 'purge',
      gravite: 'critique',
    },
    ...{
      etat: 'ouverte',
      message: 'La tâche purge a échoué : disque plein',
      debut: '2026-06-03T14:59:00+02:00',
      fin: null,
    },
    details: { abandonnee: true, dernier_succes: null },
    conseil: expect.stringContaining('npx atelier executions'),
  });
  expect(last!.data).toMatchObject({ id: alerte!['id'], etat: 'resolue', fin: '2026-06-03T16:00:00+02:00' });
  expect(last!.id).not.toBe(first!.id);
});

it('O6 five workers look at once, ten times: each notice goes out once', async () => {
  const pools = Array.from({ length: 5 }, () =>
    createPool(s.workshop.url, { logger: s.workshop.context.logger, max: 2 }),
  );
  try {
    const all = () => Promise.all(pools.map((pool) => s.passer({ pool })));
    for (let i = 0; i < 10; i++) {
      await (i % 2 === 0 ? casser() : reparer());
      const bilans = await all();
      expect(bilans.reduce((sum, { ouvertes, resolues }) => sum + ouvertes + resolues, 0)).toBe(1);
      s.maintenant += HEURE;
    }
    expect(types()).toEqual(
      Array.from({ length: 5 }, () => ['alerte.ouverture', 'alerte.retablissement']).flat(),
    );
    expect(new Set(recepteur.recus.map(({ id }) => id)).size).toBe(10);
    expect(await s.alertes()).toHaveLength(5);
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});

it('is tried again, later each time, under the same id and with the same words', async () => {
  recepteur.repondre = (response, rang) => response.writeHead(rang < 4 ? 500 : 200).end('n’importe quoi');
  await casser();
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) {
    expect(await s.passer()).toMatchObject({ envoyes: 0, echoues: 1 });
    const [envoi] = await s.envois();
    expect(envoi).toMatchObject({
      etat: 'a_envoyer',
      tentatives: i + 1,
      erreur: 'réponse 500',
      envoye_le: null,
    });
    const next = (envoi!['prochain_essai'] as Date).getTime();
    waits.push((next - s.maintenant) / 1000);
    s.maintenant = next - 10;
    expect(await s.passer()).toMatchObject({ envoyes: 0, echoues: 0 });
    s.maintenant = next + 10;
  }
  for (const [i, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(15 * 2 ** i);
    expect(wait).toBeLessThanOrEqual(30 * 2 ** i);
  }
  expect(await s.passer()).toMatchObject({ envoyes: 1 });
  expect(await s.envois()).toMatchObject([{ etat: 'envoye', tentatives: 4, erreur: null }]);
  expect(new Set(recepteur.recus.map(({ id, data }) => `${id} ${JSON.stringify(data)}`)).size).toBe(1);
  expect(recepteur.recus).toHaveLength(4);
});

it('the end waits for the beginning; a receiver that is away for a day is given up, aloud', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
  recepteur.repondre = (response) => response.writeHead(503).end();
  await casser();
  await s.passer({ logger });
  s.maintenant += HEURE;
  await reparer();
  await s.passer({ logger });
  expect(new Set(types())).toEqual(new Set(['alerte.ouverture']));
  s.maintenant += 23 * HEURE - MINUTE;
  expect(await s.passer({ logger })).toMatchObject({ echoues: 1, abandonnes: 0 });
  s.maintenant += 2 * HEURE;
  expect(await s.passer({ logger })).toMatchObject({ echoues: 1, abandonnes: 1 });
  recepteur.repondre = undefined;
  expect(await s.passer({ logger })).toMatchObject({ envoyes: 1 });
  expect(types().at(-1)).toBe('alerte.retablissement');
  expect((await s.envois()).map(({ genre, etat }) => `${genre} ${etat}`)).toEqual([
    'ouverture abandonne',
    'retablissement envoye',
  ]);
  const text = lines.join('');
  expect(text).toMatch(/"level":"error"|"level":50/);
  expect(text).toContain('abandonné après un jour d’essais');
  // S28: neither the address, which holds a token, nor the secret.
  expect(text + JSON.stringify(await s.envois())).not.toMatch(/plante-dans-l-adresse|crochet|un-secret-tire/);
});

describe('S28 whoever answers oddly', () => {
  const poster = (delai = 10_000): Promise<void> => {
    const secret = Buffer.from(SECRET);
    const alerte = {
      id: 1,
      regle: 'essai',
      titre: 't',
      objet: 'o',
      gravite: 'attention',
      etat: 'ouverte',
    } as const;
    const rest = { message: 'm', details: {}, debut: '2026-06-03T15:00:00+02:00', fin: null, conseil: 'c' };
    return posterWebhook(
      { url: recepteur.url, secret },
      { messageId: 'x', avis: { genre: 'ouverture', alerte: { ...alerte, ...rest } }, maintenant: MERCREDI },
      { delai },
    );
  };
  it('a redirection is no acceptance and is not followed', async () => {
    const other = await ouvrirRecepteur();
    try {
      for (const status of [301, 302, 307, 308]) {
        recepteur.repondre = (response) => response.writeHead(status, { location: other.url }).end();
        await expect(poster()).rejects.toThrow(`réponse ${status} : les redirections ne sont pas suivies`);
      }
      expect(other.recus.length + other.faux.length).toBe(0);
    } finally {
      await other.close();
    }
  });
  it('who never answers is given up in time', async () => {
    recepteur.repondre = () => undefined;
    await expect(poster(200)).rejects.toThrow('pas de réponse à temps');
  });
  it('an answer without end is not read', async () => {
    recepteur.repondre = (response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', pour);
      pour();
    };
    await poster();
  });
  it('who is not there is named by nothing but the reason', async () => {
    const gone = await ouvrirRecepteur();
    await gone.close();
    const error = await posterWebhook(
      { url: gone.url, secret: Buffer.from(SECRET) },
      { messageId: 'x', avis: { genre: 'ouverture', alerte: {} as never }, maintenant: 0 },
    ).catch((e: Error) => e);
    expect((error as Error).message).toBe('connexion impossible (ECONNREFUSED)');
  });
});

it('O6 killed after the receiver took it and before that was noted: sent again under the same id, once the lease is over', async () => {
  await casser();
  const order = { env: { DATABASE_URL: s.workshop.url, ...env }, maintenant: s.maintenant };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  expect(recepteur.recus).toHaveLength(1);
  s.maintenant += 59_000;
  expect(await s.passer()).toMatchObject({ ouvertes: 0, envoyes: 0 });
  s.maintenant += 2000;
  expect(await s.passer()).toMatchObject({ ouvertes: 0, envoyes: 1 });
  expect(
    new Set(recepteur.recus.map(({ id, body }) => id + JSON.stringify(JSON.parse(body).data))).size,
  ).toBe(1);
  expect(recepteur.recus).toHaveLength(2);
  expect(await s.envois()).toMatchObject([{ etat: 'envoye', tentatives: 2 }]);
});

it('O7 a sender that was suspended notes nothing over the one that took its place', async () => {
  await casser();
  await s.passer({
    async apresEnvoi() {
      // Suspended here for longer than the lease; meanwhile another one fails.
      recepteur.repondre = (response) => response.writeHead(500).end();
      s.maintenant += 61_000;
      expect(await s.passer()).toMatchObject({ echoues: 1 });
    },
  });
  expect(await s.envois()).toMatchObject([{ etat: 'a_envoyer', tentatives: 2, erreur: 'réponse 500' }]);
});

it('an alert that nobody took on is told again each day; one that somebody did is not', async () => {
  await casser();
  await s.passer();
  s.maintenant += 24 * HEURE - 1000;
  expect(await s.passer()).toMatchObject({ rappelees: 0 });
  s.maintenant += 1000;
  expect(await s.passer()).toMatchObject({ rappelees: 1, envoyes: 1 });
  expect(await s.passer()).toMatchObject({ rappelees: 0 });
  // While it cannot be told, reminders do not pile up.
  recepteur.repondre = (response) => response.writeHead(500).end();
  s.maintenant += 24 * HEURE;
  await s.passer();
  s.maintenant += 12 * HEURE;
  await s.passer();
  expect(await s.envois()).toHaveLength(3);
  recepteur.repondre = undefined;
  s.maintenant += 2 * HEURE;
  await s.passer();
  const ids = recepteur.recus.filter(({ type }) => type === 'alerte.rappel').map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
  const [{ id }] = (await s.alertes()) as [{ id: number }];
  const done = await withClient(s.workshop.context.pool, (client) =>
    transaction(client, () => acquitter(client, id, { par: undefined, maintenant: s.maintenant / 1000 })),
  );
  expect(done).toBe('acquittee');
  s.maintenant += 72 * HEURE;
  expect(await s.passer()).toMatchObject({ rappelees: 0, envoyes: 0 });
  await reparer();
  await s.passer();
  expect(types().at(-1)).toBe('alerte.retablissement');
});

it('without a channel alerts are kept all the same; notices of a channel that is gone are given up', async () => {
  recepteur.repondre = (response) => response.writeHead(500).end();
  await casser();
  await s.passer();
  s.env = {};
  s.maintenant += 25 * HEURE;
  expect(await s.passer()).toMatchObject({ abandonnes: 1 });
  await reparer();
  expect(await s.passer()).toMatchObject({ resolues: 1 });
  expect(await s.envois()).toMatchObject([{ etat: 'abandonne', erreur: 'canal plus réglé' }]);
});

it('O8 a machine whose clock is wrong neither opens nor ends anything: all go by the database’s', async () => {
  const real = Date.now();
  await s.workshop.reader.query(
    `INSERT INTO execution (tache, etat, debut, fin, hote, processus)
     SELECT 'ingest', 'echouee', i, i, 'h', 1 FROM to_timestamp($1) i`,
    [real / 1000 - 300],
  );
  const said: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void said.push(line) });
  const passer = async (ecart: number) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ecart });
    try {
      return await s.passer({ maintenant: Date.now, logger });
    } finally {
      vi.useRealTimers();
    }
  };
  expect(await passer(3_600_000)).toMatchObject({ ouvertes: 0 });
  await s.workshop.reader.query(
    "UPDATE execution SET fin = fin - interval '10 min', debut = debut - interval '10 min'",
  );
  expect(await passer(-3_600_000)).toMatchObject({ ouvertes: 1, envoyes: 1 });
  expect(await passer(3_600_000)).toMatchObject({ ouvertes: 0, resolues: 0, rappelees: 0 });
  const [alerte] = await s.alertes();
  expect(Math.abs((alerte!['ouverte_le'] as Date).getTime() - real)).toBeLessThan(600_000);
  // Said once, not every half minute.
  expect(said.filter((line) => line.includes('horloge'))).toHaveLength(1);
});

it('O7 a look that hangs in the middle is put out by the server', async () => {
  await casser();
  const stuck = await s.workshop.context.pool.connect();
  stuck.on('error', () => undefined);
  try {
    await stuck.query('BEGIN');
    const { verrouillerAlertes } = await import('../../src/postgres/alertes.ts');
    await verrouillerAlertes(stuck);
    await stuck.query("SET LOCAL idle_in_transaction_session_timeout = '300ms'");
    expect(await s.passer()).toMatchObject({ ouvertes: 1, envoyes: 1 });
  } finally {
    stuck.release(true);
  }
});

it('migration 4: whoever follows the database hears of alerts, not of each look', async () => {
  const heard: string[] = [];
  await withClient(s.workshop.context.pool, async (client) => {
    client.on('notification', ({ payload }) => heard.push(payload!));
    await client.query('LISTEN atelier');
    await casser();
    await s.passer();
    for (let i = 0; i < 3; i++) {
      s.maintenant += MINUTE;
      await s.passer();
    }
    await reparer();
    await s.passer();
    await client.query('SELECT 1');
    await client.query('UNLISTEN *');
    client.removeAllListeners('notification');
  });
  const alerts = heard.map((text) => JSON.parse(text)).filter(({ table }) => table === 'alerte');
  expect(alerts.map(({ action, nombre }) => `${action} ${nombre}`)).toEqual(['insert 1', 'update 1']);
  expect(alerts[0].ids).toEqual(alerts[1].ids);
});
