// R15, R16, S4: a forgotten account is nowhere, its tokens die at once, and an older backup does not bring it back.

import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Archive } from '../../src/archives/archive.ts';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { purger } from '../../src/jobs/purge.ts';
import { rejouerEffacements } from '../../src/jobs/rejeu-effacements.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { type ApiDEssai, type CompteDEssai, createApi } from '../harness/api.ts';
import { type Installation, install } from '../harness/cli.ts';
import { copyDatabase } from '../harness/copie-base.ts';
import { conservation } from '../harness/purge.ts';

const KEYS = {
  SECRET_KEY: randomBytes(48).toString('base64url'),
  CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
};
const NAME = 'zebulon.marque';

let place: Installation;
let api: ApiDEssai;
let personne: CompteDEssai;
beforeEach(async () => {
  place = await install();
  api = await createApi({ url: place.url, env: { ...KEYS, ARCHIVES_DIR: place.archives } });
  personne = await api.compte(NAME, 'gestionnaire');
});
afterEach(async () => {
  await api?.close();
  await place?.close();
});

const forget = (...args: string[]) => place.run(['user', 'forget', ...args], { env: KEYS });
const status = async (authorization: string): Promise<number> =>
  (await api.app.inject({ url: '/users/me', headers: { authorization } })).statusCode;

/** Lets the person leave traces wherever people leave some. @returns an API key of his */
async function live(): Promise<string> {
  const headers = personne.entete;
  const made = await api.app.inject({
    ...{ method: 'POST', url: '/cles/', headers },
    payload: {
      nom: 'tableur',
      portees: ['*:lire'],
      date_fin: new Date(Date.now() + 86_400_000).toISOString(),
    },
  });
  expect(made.statusCode, made.body).toBe(201);
  await api.app.inject({ url: '/sessions/?format=csv', headers });
  await api.app.inject({ url: '/users/me/export', headers });
  const admin = api.comptes.admin.entete;
  const other = { method: 'PUT', url: `/users/${personne.id}`, headers: admin } as const;
  expect((await api.app.inject({ ...other, payload: { role: 'lecteur' } })).statusCode).toBe(200);
  await api.pool.query(
    `INSERT INTO execution (tache, etat, declencheur, demandeur, hote, processus) VALUES ('sync', 'reussie', 'demande', $1, 'h', 1)`,
    [personne.id],
  );
  await api.pool.query(
    `INSERT INTO alerte (regle, objet, gravite, message, debut, ouverte_le, derniere_vue, dernier_avis, acquittee_par)
     VALUES ('r', 'o', 'attention', 'm', now(), now(), now(), now(), $1)`,
    [personne.id],
  );
  const key = made.json<{ cle: string }>().cle;
  expect(await status(`Bearer ${key}`)).not.toBe(200);
  return key;
}

/** Everything in the database that could lead to the person. */
async function traces(pool: Pool): Promise<string[]> {
  const [name, email] = (['username', 'email'] as const).map((column, i) =>
    api.deps.coffre.index(column, i === 0 ? NAME : `${NAME}@exemple.test`)[0]!.toString('hex'),
  );
  const dump = await dumpOf(pool);
  return [personne.id, NAME, `${NAME}@exemple.test`, name!, email!].filter((trace) => dump.includes(trace));
}

async function dumpOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ nom: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS nom FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p')`,
  );
  let text = '';
  for (const { nom } of rows) {
    text += (await pool.query(`SELECT to_jsonb(t)::text AS r FROM ${nom} t`)).rows
      .map(({ r }) => r)
      .join('\n');
  }
  return text;
}

describe('R15: user forget', () => {
  it('S4, R5: token and key die at once, and a dump has nothing that leads to the person', async () => {
    const key = await live();
    const fresh = await api.app.inject({
      ...{ method: 'POST', url: '/token', payload: `username=${NAME}&password=faux` },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(fresh.statusCode).toBeGreaterThanOrEqual(400);
    expect(await traces(api.pool)).toHaveLength(3);
    const before = (await api.pool.query('SELECT id, instant, evenement FROM journal_audit ORDER BY id'))
      .rows;
    expect(await forget(NAME, '--oui')).toMatchObject({ code: 0, stdout: expect.stringContaining('oublié') });
    expect(await status(personne.entete.authorization)).toBe(401);
    expect(
      (await api.app.inject({ url: '/sessions/', headers: { authorization: `Bearer ${key}` } })).statusCode,
    ).toBe(401);
    expect(await traces(api.pool)).toEqual([]);
    // What was done, and when, is still told; by whom leads to one tombstone, drawn at random.
    const after = await api.pool.query('SELECT * FROM journal_audit ORDER BY id');
    expect(
      after.rows.slice(0, before.length).map(({ id, instant, evenement }) => ({ id, instant, evenement })),
    ).toEqual(before);
    const last = after.rows.find((row) => row.evenement === 'compte_oublie')!;
    expect(last).toMatchObject({ evenement: 'compte_oublie', user_id: null, details: { motif: 'demande' } });
    const tombe = last.cible.slice('users/'.length);
    expect(tombe).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    const his = after.rows.filter((row) => row.user_id === tombe);
    expect(his.length).toBeGreaterThan(2);
    expect(his.every((row) => row.adresse === null && row.requete === null && row.cle_id === null)).toBe(
      true,
    );
    expect((await api.pool.query('SELECT demandeur FROM execution')).rows).toEqual([{ demandeur: tombe }]);
    expect((await api.pool.query('SELECT acquittee_par FROM alerte')).rows).toEqual([
      { acquittee_par: tombe },
    ]);
    // The journal outside of the database knows an id, no name; and not the tombstone, which would link the two.
    const journal = await readFile(join(place.archives, 'effacements.jsonl'), 'utf8');
    expect(journal).toContain(personne.id);
    expect(journal).not.toContain(NAME);
    expect(journal).not.toContain(tombe);
  });

  it('an account that was deleted is forgotten by its id; nothing is left to forget then', async () => {
    await live();
    const headers = api.comptes.admin.entete;
    expect(
      (await api.app.inject({ method: 'DELETE', url: `/users/${personne.id}`, headers })).statusCode,
    ).toBe(204);
    expect(await traces(api.pool)).toEqual([personne.id]);
    expect(await forget(personne.id, '--oui')).toMatchObject({ code: 0 });
    expect(await traces(api.pool)).toEqual([]);
    expect(await forget(personne.id, '--oui')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ATL_A501'),
    });
  });

  it('the last admin is not forgotten, nor anybody without a yes; neither is noted', async () => {
    expect(await forget('admin', '--oui')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ATL_A502'),
    });
    expect(await forget(NAME)).toMatchObject({ code: 2, stderr: expect.stringContaining('--oui') });
    expect(await traces(api.pool)).not.toEqual([]);
    expect(await readFile(join(place.archives, 'effacements.jsonl'), 'utf8').catch(() => '')).toBe('');
  });

  it('R16: without its journal nobody is forgotten', async () => {
    const env = { ...KEYS, ARCHIVES_DIR: join(place.home, 'fichier/archives') };
    await writeFile(join(place.home, 'fichier'), '');
    const done = await place.run(['user', 'forget', NAME, '--oui'], { env });
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('ATL_R601') });
    expect(await status(personne.entete.authorization)).toBe(200);
  });

  it('R21: the audit log refuses any other change, also under the name of forgetting', async () => {
    const client = await api.pool.connect();
    try {
      for (const change of ["evenement = 'autre'", 'instant = now()', 'id = DEFAULT']) {
        await client.query('BEGIN');
        await client.query("SET LOCAL atelier.oubli = 'oui'");
        await expect(client.query(`UPDATE journal_audit SET ${change}`)).rejects.toMatchObject({
          code: '42501',
        });
        await client.query('ROLLBACK');
      }
    } finally {
      client.release();
    }
  });
});

it('R16: forgotten by a command, deleted by the API: neither comes back with an older backup', async () => {
  await live();
  const other = await api.compte('autre', 'lecteur');
  const backup = await copyDatabase(place.url);
  const pool = createPool(backup.url, { logger: silentLogger() });
  try {
    await forget(NAME, '--oui');
    const headers = api.comptes.admin.entete;
    await api.app.inject({ method: 'DELETE', url: `/users/${other.id}`, headers });
    expect(await traces(pool)).toHaveLength(3);
    const ctx = contextOn(pool, backup.url);
    expect(await rejouerEffacements(ctx)).toMatchObject({ entrees: 2, comptes: 2 });
    expect(await traces(pool)).toEqual([]);
    expect((await pool.query('SELECT FROM "user" WHERE id = $1', [other.id])).rowCount).toBe(0);
    // Those who were not forgotten are still there.
    expect((await pool.query('SELECT FROM "user"')).rowCount).toBe(3);
    const once = await dumpOf(pool);
    expect(await rejouerEffacements(ctx)).toMatchObject({ comptes: 0 });
    expect(await dumpOf(pool)).toBe(once);
  } finally {
    await pool.end();
    await backup.drop();
    await rm(place.archives, { recursive: true, force: true });
  }
});

function contextOn(pool: Pool, url: string) {
  const config = loadConfig({ DATABASE_URL: url, ARCHIVES_DIR: place.archives });
  const archive = new Archive(config.archivesDir);
  const time = new FactoryTime(config.fuseau, config.journeeDebut);
  return { config, archive, time, pool, logger: silentLogger(), shutdown: new Shutdown() };
}

describe('R9: accounts that nobody uses', () => {
  const month = 30.5 * 86_400_000;
  const purge = async (months: number) => {
    const ctx = contextOn(api.pool, place.url);
    const config = { ...ctx.config, conservation: conservation({ CONSERVATION_AUDIT: '12 mois' }) };
    const bilan = await purger({ ...ctx, config }, { maintenant: Date.now() + months * month, force: true });
    return Object.fromEntries(bilan.categories.map((c) => [c.categorie, c.lignes]));
  };

  it('are closed, then forgotten; who signed in, used a key or was let in again is not; one admin always stays', async () => {
    const keyed = await api.compte('robot', 'lecteur');
    const again = await api.compte('revenu', 'lecteur');
    expect(await purge(11.5)).toMatchObject({ comptesDesactivation: 0, comptes: 0 });
    // Ten months later one is used, and one is closed and opened.
    await api.pool.query(
      `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin, derniere_utilisation)
       VALUES (gen_random_uuid(), $1, 'k', decode(repeat('00', 32), 'hex'), '{*:lire}', now() + interval '5 years', now() + interval '10 months')`,
      [keyed.id],
    );
    await api.pool.query(`UPDATE "user" SET reactive_le = now() + interval '10 months' WHERE id = $1`, [
      again.id,
    ]);
    expect(await purge(12.5)).toMatchObject({ comptesDesactivation: 3, comptes: 0 });
    expect(await status(personne.entete.authorization)).toBe(401);
    const names = async (): Promise<unknown[]> =>
      (await api.pool.query('SELECT id FROM "user" WHERE actif ORDER BY id')).rows.map(({ id }) => id);
    expect(await names()).toEqual([api.comptes.admin.id, keyed.id, again.id].sort());
    expect(await purge(24.5)).toMatchObject({ comptes: 3 });
    expect(await traces(api.pool)).toEqual([]);
    // Whom nobody has used for twelve months since is closed by now.
    expect(await names()).toEqual([api.comptes.admin.id]);
    expect((await api.pool.query('SELECT FROM "user"')).rowCount).toBe(3);
    expect(await purge(60)).toMatchObject({ comptes: 2 });
    expect(await names()).toEqual([api.comptes.admin.id]);
  }, 60_000);
});
