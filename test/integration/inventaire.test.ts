// R1, R9, R12, R20: the inventory of personal data is that of the database, of the register and of the export.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGLES_CONSERVATION } from '../../src/base/config/conservation.ts';
import {
  BASES,
  FINALITES,
  INVENTAIRE,
  TABLES_PERSONNELLES,
} from '../../src/domain/conservation/inventaire.ts';
import { REFERENCES_COMPTE } from '../../src/postgres/comptes/oubli.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';

const DOC = readFileSync(join(import.meta.dirname, '../../docs/rgpd.md'), 'utf8');

let api: ApiDEssai;
beforeAll(async () => {
  api = await createApi();
});
afterAll(() => api?.close());

const columns = async (where: string): Promise<string[]> => {
  const { rows } = await api.pool.query<{ nom: string }>(
    `SELECT table_name || '.' || column_name AS nom FROM information_schema.columns WHERE table_schema = 'public' AND ${where} ORDER BY 1`,
  );
  return rows.map(({ nom }) => nom);
};
const listed = INVENTAIRE.map(({ table, colonne }) => `${table}.${colonne}`);

describe('R1: the inventory', () => {
  it('has every column of the tables about persons, and none that is not there', async () => {
    const tables = TABLES_PERSONNELLES.map((table) => `'${table}'`).join(', ');
    const there = await columns(`table_name IN (${tables})`);
    expect(
      listed.filter((nom) => TABLES_PERSONNELLES.some((table) => nom.startsWith(`${table}.`))).sort(),
    ).toEqual(there);
    expect(new Set(listed).size).toBe(listed.length);
    expect(await columns('true')).toEqual(expect.arrayContaining(listed));
  });

  it('has every column elsewhere that may lead to a person, by its type or its name', async () => {
    const tables = TABLES_PERSONNELLES.map((table) => `'${table}'`).join(', ');
    const suspect = await columns(
      `table_name NOT IN (${tables}) AND table_name NOT LIKE 'pg%' AND (data_type IN ('uuid', 'inet', 'cidr')
         OR column_name ~ '(^|_)(user|utilisateur|compte|operateur|personne|email|courriel|mail|telephone|badge|prenom|demandeur|auteur|par)(_|$)')`,
    );
    // Numbers of jobs, of messages, of reservations: of machines, not of persons.
    const machines = ['execution.travail', 'alerte_envoi.message_id', 'alerte_envoi.reservation'];
    expect(suspect.filter((nom) => !machines.includes(nom) && !listed.includes(nom))).toEqual([]);
    // And forgetting reaches each of them.
    expect(REFERENCES_COMPTE.map(([table, column]) => `${table}.${column}`).sort()).toEqual(
      listed.filter((nom) => !TABLES_PERSONNELLES.some((table) => nom.startsWith(`${table}.`))).sort(),
    );
  });

  it('R2: no table of production has a column for a person', async () => {
    const production =
      "table_name ~ '^(session_production|piece_production|job_profil|periode_|fichier_log|ligne_rejetee)'";
    expect(await columns(`${production} AND column_name ~ '(operat|user|personne|badge)'`)).toEqual([]);
  });
});

it('R12: the export of article 15 has every column that the inventory says it has, with its value', async () => {
  const { id, entete } = await api.compte('portable', 'gestionnaire');
  const payload = {
    nom: 'k',
    portees: ['*:lire'],
    date_fin: new Date(Date.now() + 86_400_000).toISOString(),
  };
  await api.app.inject({ method: 'POST', url: '/cles/', headers: entete, payload });
  await api.app.inject({ method: 'GET', url: '/sessions/?format=csv', headers: entete });
  await api.pool.query(
    `INSERT INTO execution (tache, etat, declencheur, demandeur, hote, processus) VALUES ('sync', 'reussie', 'demande', $1, 'h', 1)`,
    [id],
  );
  await api.pool.query(
    `INSERT INTO alerte (regle, objet, gravite, message, debut, ouverte_le, derniere_vue, dernier_avis, acquittee_par, acquittee_le)
     VALUES ('r', 'o', 'attention', 'm', now(), now(), now(), now(), $1, now())`,
    [id],
  );
  await api.pool.query(
    `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire)
     VALUES (gen_random_uuid(), $1, gen_random_uuid(), '\\x01', 1, now() + interval '1 day')`,
    [id],
  );
  const body = (await api.app.inject({ url: '/users/me/export', headers: entete })).json();
  for (const { table, colonne, export: where } of INVENTAIRE) {
    if (!Array.isArray(where)) continue;
    for (const path of where as readonly string[]) {
      const [part, field] = path.split('.') as [string, string];
      const rows = [body[part]].flat();
      expect(rows.length, `${table}.${colonne} : ${path}`).toBeGreaterThan(0);
      for (const row of rows) expect(row, `${table}.${colonne} : ${path}`).toHaveProperty(field);
    }
  }
  expect(body.compte).toMatchObject({ id, username: 'portable', email: 'portable@exemple.test' });
});

describe('R20: docs/rgpd.md', () => {
  it('has an entry for each purpose and ground', () => {
    for (const finalite of Object.values(FINALITES)) expect(DOC).toContain(finalite);
    for (const base of Object.values(BASES)) expect(DOC).toContain(base);
  });

  it.each(Object.values(REGLES_CONSERVATION))('R9: names $name with its default', (rule) => {
    const row = DOC.split('\n').find((line) => line.startsWith(`| \`${rule.name}\``));
    expect(row, rule.name).toBeDefined();
    expect(row).toContain(`| ${rule.default} |`);
  });

  it('names every table with personal data', () => {
    for (const table of new Set(INVENTAIRE.map((c) => c.table))) expect(DOC).toContain(`\`${table}\``);
  });
});
