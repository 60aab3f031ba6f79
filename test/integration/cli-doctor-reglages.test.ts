// doctor on what surrounds an installation: keys, ports, ERP, SFTP, worker. Each finding fine and not fine.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Env } from '../harness/cli.ts';
import { MariadbDeTest, SANS_MARIADB, UTILISATEUR_LECTURE } from '../harness/mariadb.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

let place: Awaited<ReturnType<typeof installerApi>>;
beforeAll(async () => {
  place = await installerApi();
});
afterAll(() => place?.close());

interface Constat {
  readonly quoi: string;
  readonly etat: string;
  readonly detail: string;
  readonly remede?: string;
}

/** State of one subject, with what is said of it; undefined when nothing is. */
async function constat(quoi: string, env: Env = {}): Promise<Constat | undefined> {
  const { stdout, stderr } = await place.run(['doctor', '--json'], {
    env: { METRICS_PORT: '0', ...place.apiEnv, ...env },
  });
  expect(stderr).toBe('');
  const all = JSON.parse(stdout) as Constat[];
  const { PORT: _, ...secrets } = place.apiEnv;
  for (const secret of [...Object.values(secrets), UTILISATEUR_LECTURE.password])
    expect(stdout).not.toContain(secret);
  const found = all.filter((one) => one.quoi === quoi);
  expect(found.length).toBeLessThanOrEqual(1);
  if (found[0] && found[0].etat !== 'bien') expect(found[0].remede).toMatch(/\p{L}{3}/u);
  return found[0];
}

describe('.env', () => {
  it('that others can read is to look at; that only we can is fine', async () => {
    const file = join(place.home, '.env');
    expect(await constat('.env')).toBeUndefined();
    await writeFile(file, 'CRON_LOG=10:00\n');
    await chmod(file, 0o640);
    expect(await constat('Réglages')).toMatchObject({ detail: expect.stringContaining('CRON_LOGS') });
    const open = await constat('.env');
    expect(open).toMatchObject({ etat: 'attention', remede: expect.stringMatching(/^chmod 600 .*\.env$/) });
    await chmod(file, 0o600);
    expect(await constat('.env')).toMatchObject({ etat: 'bien' });
  });
});

describe('keys', () => {
  it('given, half given, too weak, none', async () => {
    expect(await constat('Clés')).toMatchObject({ etat: 'bien' });
    expect(await constat('Clés', { CLE_CHIFFREMENT: '' })).toMatchObject({
      etat: 'mal',
      detail: expect.stringContaining('CLE_CHIFFREMENT manque'),
    });
    expect(await constat('Clés', { SECRET_KEY: 'court' })).toMatchObject({ etat: 'mal' });
    expect(await constat('Clés', { SECRET_KEY: '', CLE_CHIFFREMENT: '' })).toMatchObject({ etat: 'bien' });
  });

  it('the key of the database, and another one; nothing is written into it', async () => {
    const quoi = 'Clé de chiffrement';
    expect(await constat(quoi)).toBeUndefined();
    const { rows } = await place.pool.query('SELECT count(*)::int AS n FROM cle_chiffrement');
    expect(rows[0].n).toBe(0);
    const server = await servir(place);
    expect((await creerCompteHttp(server.url, 'chef')).status).toBe(201);
    await server.arreter();
    expect(await constat(quoi)).toMatchObject({
      etat: 'bien',
      detail: expect.stringContaining('1 compte(s)'),
    });
    const other = { CLE_CHIFFREMENT: randomBytes(32).toString('hex') };
    expect(await constat(quoi, other)).toMatchObject({
      etat: 'mal',
      remede: expect.stringContaining('remettez-la'),
    });
    const both = { ...other, CLE_CHIFFREMENT_PRECEDENTE: place.apiEnv['CLE_CHIFFREMENT']! };
    expect(await constat(quoi, both)).toMatchObject({ etat: 'bien' });
  });
});

describe('ports', () => {
  it('free; taken by somebody else; taken by us; no address of this machine', async () => {
    const stranger = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const taken = String((stranger.address() as AddressInfo).port);
    let server: Serveur | undefined;
    try {
      expect(await constat('PORT', { PORT: taken })).toMatchObject({ etat: 'attention' });
      expect(await constat('METRICS_PORT', { METRICS_PORT: taken })).toMatchObject({ etat: 'attention' });
      server = await servir(place);
      expect(await constat('PORT', { PORT: String(server.port) })).toMatchObject({
        etat: 'bien',
        detail: expect.stringContaining('atelier y répond'),
      });
    } finally {
      stranger.close();
      await server?.arreter();
    }
    expect(await constat('PORT', { PORT: taken })).toMatchObject({
      etat: 'bien',
      detail: expect.stringContaining('libre'),
    });
    expect(await constat('PORT', { PORT: taken, HOST: '203.0.113.7' })).toMatchObject({ etat: 'mal' });
  });
});

describe('SFTP', () => {
  it('a server that is away, with a key that others can read', async () => {
    expect(await constat('SFTP DEM12')).toBeUndefined();
    const cle = join(place.home, 'cle');
    await writeFile(cle, 'pas une clé');
    await chmod(cle, 0o644);
    const env = { SFTP_CENTRES: 'DEM12=sftp://dem12@127.0.0.1:1/depot', SFTP_CLE: cle };
    expect(await constat('SFTP_CLE', env)).toMatchObject({ etat: 'attention' });
    expect(await constat('SFTP DEM12', env)).toMatchObject({ etat: 'mal' });
  });
});

describe('alerts and exposure', () => {
  it('are told as they are set', async () => {
    expect(await constat('Alertes')).toMatchObject({
      etat: 'bien',
      detail: expect.stringContaining('à personne'),
    });
    expect(await constat('TLS', { HOST: '0.0.0.0' })).toMatchObject({ etat: 'attention' });
    expect(await constat('TLS', { HOST: '0.0.0.0', PROXYS_DE_CONFIANCE: '10.0.0.2' })).toBeUndefined();
    expect(await constat('METRICS_JETON', { METRICS_HOST: '0.0.0.0' })).toMatchObject({ etat: 'attention' });
  });

  it('a centre that nobody knows has hours that nobody applies', async () => {
    expect(await constat('HORAIRES', { HORAIRES: 'DEM12: jamais' })).toBeUndefined();
    const env = { HORAIRES: 'lun-ven 06:00-14:00; DEM21: jamais', ALERTE_SILENCE: '2h; dem12: non' };
    expect(await constat('HORAIRES', env)).toMatchObject({
      etat: 'attention',
      detail: 'centre inconnu : DEM21',
      remede: expect.stringContaining('DEM12'),
    });
    expect(await constat('ALERTE_SILENCE', env)).toMatchObject({ detail: 'centre inconnu : dem12' });
  });
});

describe('the worker', () => {
  it('never there, there, gone', async () => {
    expect(await constat('Worker')).toMatchObject({
      etat: 'bien',
      detail: expect.stringContaining('jamais lancé'),
    });
    const worker = place.start(['worker', '--taches', 'aucune'], { METRICS_PORT: '0' });
    try {
      await vi.waitUntil(
        async () =>
          (await place.pool.query('SELECT FROM planification')).rowCount! > 0 &&
          worker.text().includes('suivi commencé'),
        { timeout: 40_000 },
      );
      expect(await constat('Worker')).toMatchObject({ etat: 'bien', detail: 'en marche' });
    } finally {
      worker.process.kill('SIGTERM');
      await worker.ended;
    }
    expect(await constat('Worker')).toMatchObject({ etat: 'attention', detail: 'arrêté' });
    await place.pool.query(
      "UPDATE planification SET derniere_echeance = now() - interval '2 h', prochaine_echeance = now() - interval '1 h' WHERE tache = 'ingest'",
    );
    expect(await constat('Worker')).toMatchObject({ detail: 'arrêté, en retard : ingest' });
  });
});

describe.skipIf(SANS_MARIADB)('the ERP', () => {
  let maria: MariadbDeTest;
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
  });
  afterAll(() => maria?.arreter());

  it('none, read only, with rights to write, with a right missing, away', async () => {
    expect(await constat('ERP')).toMatchObject({
      etat: 'bien',
      detail: expect.stringContaining('non réglé'),
    });
    const { user, password } = UTILISATEUR_LECTURE;
    const env = { MYSQL_URL: `mysql://${user}:${password}@127.0.0.1:${maria.server.port}/erp` };
    expect(await constat('ERP', env)).toMatchObject({
      etat: 'bien',
      detail: expect.stringContaining('MariaDB'),
    });
    expect(await constat('ERP, droits', env)).toMatchObject({ etat: 'bien' });
    await maria.admin.query(`GRANT INSERT, DELETE ON erp.A_Kopf TO '${user}'@'%'`);
    expect(await constat('ERP, droits', env)).toMatchObject({
      etat: 'attention',
      detail: expect.stringContaining('DELETE ON erp.A_Kopf'),
    });
    await maria.admin.query(`REVOKE INSERT, DELETE ON erp.A_Kopf FROM '${user}'@'%'`);
    await maria.admin.query(`REVOKE SELECT (ZCode) ON erp.P_Zubeh FROM '${user}'@'%'`);
    expect(await constat('ERP', env)).toMatchObject({
      etat: 'mal',
      detail: expect.stringContaining('P_Zubeh.ZCode'),
    });
    expect(await constat('ERP', { MYSQL_URL: `mysql://${user}:${password}@127.0.0.1:1/erp` })).toMatchObject({
      etat: 'mal',
      detail: expect.stringContaining('ERP'),
    });
  });
});
