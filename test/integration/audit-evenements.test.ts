// What the audit log must tell (S32, M6): an event that is missing fails here.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { auditSince, lastAuditLine } from '../harness/api-audit.ts';
import { type Installation, install } from '../harness/cli.ts';

let place: Installation;
let api: ApiDEssai;
beforeAll(async () => {
  place = await install();
  await place.write(
    'DEM12/20250528.LOG',
    '20250528 06:00:10|@StukUitgevoerd: A\r\n20250528 06:01:10|@StukUitgevoerd: B\r\nligne cassée\r\n',
  );
  expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
  api = await createApi({ url: place.url, env: { ARCHIVES_DIR: place.archives, LOGS_DIR: place.logs } });
}, 120_000);
afterAll(async () => {
  await api?.close();
  await place?.close();
});

/** What a request leaves in the audit log. */
async function left(
  role: 'admin' | 'gestionnaire' | 'lecteur',
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  payload?: object,
): Promise<{ statut: number; id: number; lignes: Record<string, unknown>[] }> {
  const before = await lastAuditLine(api);
  const headers = api.comptes[role].entete;
  const answer = await api.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  const lines = await auditSince(api, before);
  for (const line of lines) {
    expect(line).toMatchObject({ user_id: api.comptes[role].id, requete: answer.headers['x-request-id'] });
  }
  const body = answer.body.startsWith('{') ? answer.json() : {};
  return {
    ...{ statut: answer.statusCode, id: body.id },
    lignes: lines.map(({ evenement, cible, details }) => ({ evenement, cible, details })),
  };
}

describe('M6: writes by hand', () => {
  it('an order: made, changed by which fields, deleted; nothing when nothing changed or it was refused', async () => {
    const order = {
      numero_commande: 'C1',
      extension: '',
      status: 'Planifiée',
      date_modification: '2025-05-28',
      coffre: 'CF1',
    };
    const made = await left('gestionnaire', 'POST', '/commandes-volets/', order);
    expect(made.statut).toBe(201);
    const cible = `commandes-volets/${made.id}`;
    expect(made.lignes).toEqual([{ evenement: 'ligne_creee', cible, details: {} }]);
    expect((await left('gestionnaire', 'POST', '/commandes-volets/', order)).lignes).toEqual([]);
    const url = `/${cible}`;
    // Sent back whole: only what differs counts, if anything does.
    const headers = api.comptes.gestionnaire.entete;
    const read = (await api.app.inject({ url, headers })).json();
    expect((await left('gestionnaire', 'PUT', url, read)).lignes).toEqual([]);
    const changed = await left('gestionnaire', 'PUT', url, { ...read, status: 'camille@plage.example' });
    expect(changed.lignes).toEqual([{ evenement: 'ligne_modifiee', cible, details: { champs: ['status'] } }]);
    expect((await left('gestionnaire', 'DELETE', url)).lignes).toEqual([
      { evenement: 'ligne_supprimee', cible, details: {} },
    ]);
  });

  it('a centre, a session', async () => {
    const centre = await left('gestionnaire', 'POST', '/centres/', { nom: 'M1', type_cu: 'PVC' });
    expect(centre.lignes).toMatchObject([{ evenement: 'ligne_creee', cible: `centres/${centre.id}` }]);
    const session = await left('gestionnaire', 'POST', '/sessions/', {
      centre_usinage_id: centre.id,
      date_production: '2025-05-29',
    });
    expect(session.lignes).toMatchObject([{ evenement: 'ligne_creee', cible: `sessions/${session.id}` }]);
    expect((await left('gestionnaire', 'DELETE', `/sessions/${session.id}`)).lignes).toMatchObject([
      { evenement: 'ligne_supprimee' },
    ]);
  });
});

describe('M6: reads of what may name a person', () => {
  it('bytes of a file: which, and which range; not for HEAD, nor what the client has already', async () => {
    const [{ id, sha256 }] = (
      await api.pool.query(
        "SELECT f.id, encode(v.sha256, 'hex') AS sha256 FROM fichier_log f JOIN fichier_log_version v ON v.id = f.version_id",
      )
    ).rows;
    const url = `/fichiers/${id}/octets`;
    const whole = await left('admin', 'GET', url);
    expect(whole.statut).toBe(200);
    expect(whole.lignes).toEqual([
      {
        evenement: 'octets_lus',
        cible: `fichiers/${id}`,
        details: { sha256, debut: 0, fin: expect.any(Number) },
      },
    ]);
    expect((await left('admin', 'HEAD', url)).lignes).toEqual([]);
  });

  it('lines that a piece comes from', async () => {
    const [{ id }] = (await api.pool.query('SELECT min(id)::int AS id FROM piece_production')).rows;
    const found = await left('lecteur', 'GET', `/pieces-production/${id}/origine`);
    expect(found.lignes).toEqual([
      { evenement: 'lignes_lues', cible: `pieces-production/${id}`, details: {} },
    ]);
  });

  it('lines in quarantine, one or many; not where there are none, nor their counts', async () => {
    const { rows } = await api.pool.query("SELECT version_id || '-' || ligne AS id FROM ligne_rejetee");
    const { lignes } = await left('lecteur', 'GET', '/rejets/?limit=5');
    expect(lignes).toEqual([{ evenement: 'lignes_lues', cible: 'rejets', details: { skip: 0, limit: 5 } }]);
    const [{ id }] = rows;
    expect((await left('lecteur', 'GET', `/rejets/${id}`)).lignes).toEqual([
      { evenement: 'lignes_lues', cible: `rejets/${id}`, details: {} },
    ]);
    for (const url of ['/rejets/?skip=1000', '/rejets/999999-1', '/rejets/par-raison'])
      expect((await left('lecteur', 'GET', url)).lignes).toEqual([]);
  });

  it('lists of accounts, and another one’s account', async () => {
    const list = await left('admin', 'GET', '/users/?limit=2');
    expect(list.lignes).toEqual([
      { evenement: 'comptes_listes', cible: null, details: { nombre: 2, skip: 0 } },
    ]);
    const cible = `users/${api.comptes.lecteur.id}`;
    expect((await left('admin', 'GET', `/${cible}`)).lignes).toEqual([
      { evenement: 'compte_lu', cible, details: {} },
    ]);
    expect((await left('admin', 'GET', `/users/${api.comptes.admin.id}`)).lignes).toEqual([]);
    expect((await left('lecteur', 'GET', '/users/me')).lignes).toEqual([]);
  });
});

describe('M6: commands that destroy or copy', () => {
  it('a forced purge, a backup with the end of the chain', async () => {
    const before = await lastAuditLine(api);
    expect(await place.run(['purge', '--force'])).toMatchObject({ code: 0 });
    const vers = join(place.home, 'sauvegardes');
    const done = await place.run(['backup', '--vers', vers, '--json']);
    expect(done.code).toBe(0);
    const lines = await auditSince(api, before);
    expect(lines.map(({ evenement, user_id }) => [evenement, user_id])).toEqual([
      ['purge_forcee', null],
      ['base_sauvegardee', null],
    ]);
    expect(done.stderr).toMatch(
      /"rang":\d+,"empreinte":"[\da-f]{64}"[^\n]*fin de la chaîne du journal d’audit/,
    );
  });
});
