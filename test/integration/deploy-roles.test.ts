// deploy/postgres/roles.sql and the rights that `atelier migrate` gives: least privilege (S29, R19, R21), by trying.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { lectureEnTrop } from '../../src/postgres/droits.ts';
import { Ecoute } from '../../src/postgres/ecoute.ts';
import { createApi } from '../harness/api.ts';
import { install, startAtelier } from '../harness/cli.ts';
import { cibles, developper } from '../harness/grafana.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';

const ROLES_SQL = join(import.meta.dirname, '../../deploy/postgres/roles.sql');
const ROLES = ['atelier_migration', 'atelier_service', 'atelier_api', 'atelier_lecture'] as const;
type Role = (typeof ROLES)[number];
const SECRETS: Readonly<Record<Role, string>> = {
  atelier_migration: 'secret-migration',
  atelier_service: "secret-'service",
  atelier_api: 'secret-api',
  atelier_lecture: 'secret-lecture',
};
/** SQLSTATE of what a role may not do. */
const DENIED = '42501';

/** What a role that only reads might do all the same, as PostgreSQL is delivered. */
const READ_ONLY_TEMPTATIONS = [
  'SELECT pg_advisory_lock(4711000013)',
  'SELECT pg_advisory_lock_shared(1)',
  'SELECT pg_advisory_xact_lock(1, 2)',
  'SELECT pg_try_advisory_lock(1)',
  'SELECT pg_try_advisory_xact_lock_shared(1, 2)',
  'SELECT pg_advisory_unlock_all()',
  'SELECT lo_create(0)',
  'SELECT lo_creat(-1)',
  "SELECT lo_from_bytea(0, '\\x00')",
  "SELECT lo_import('/etc/hostname')",
  "SELECT lo_put(1, 0, '\\x00')",
  'SELECT lo_open(1, 131072)',
  'SELECT loread(0, 1)',
  "SELECT lowrite(0, '\\x00')",
  "SELECT pg_notify('atelier', 'x')",
  "SELECT pg_logical_emit_message(false, 'x', 'y')",
  'SELECT pg_export_snapshot()',
  'SELECT pg_sleep(0)',
  'DO $$ BEGIN NULL; END $$',
  'SET LOCAL temp_file_limit = -1',
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
  "SELECT annoncer('user', 'update', NULL, 1)",
  'SELECT annoncer_sessions(ARRAY[1])',
];

const NOTE = "SELECT noter_audit('essai', NULL, NULL, NULL, NULL, NULL, '{}')";
/** How a program whose password was stolen would cover its tracks. */
const AUDIT_TEMPTATIONS = [
  "INSERT INTO journal_audit (evenement) VALUES ('faux')",
  "INSERT INTO journal_audit (evenement, instant) VALUES ('faux', '2020-01-01')",
  "SET LOCAL atelier.purge = 'oui'; DELETE FROM journal_audit",
  "SET LOCAL atelier.oubli = 'oui'; UPDATE journal_audit SET user_id = NULL",
  "SET LOCAL atelier.oubli = 'oui'; UPDATE journal_audit SET evenement = 'x'",
  'TRUNCATE journal_audit',
  "INSERT INTO audit_maillon VALUES (1, 'ligne', 1, now(), NULL, '')",
  "SET LOCAL atelier.purge = 'oui'; DELETE FROM audit_maillon",
  'UPDATE audit_maillon SET instant = now()',
  "SELECT enchainer_audit('ligne', 1, now(), NULL)",
  "SELECT setval('journal_audit_id_seq', 1)",
  'ALTER TABLE journal_audit DISABLE TRIGGER audit_chaine',
  'ALTER TABLE journal_audit DISABLE TRIGGER ALL',
  'DROP TRIGGER audit_chaine ON journal_audit',
  'DROP TABLE audit_maillon',
  'CREATE OR REPLACE FUNCTION proteger_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
  'ALTER FUNCTION noter_audit(text, uuid, uuid, text, text, text, jsonb) SECURITY INVOKER',
  "SET session_replication_role = 'replica'",
  // Objects of one's own in front of those that the functions use.
  'CREATE TABLE journal_audit (i int)',
];

let server: PrivatePostgres;
let adminUrl: string;

beforeAll(async () => {
  // Roles belong to a whole server: in the common one other tests would meet them.
  server = await startPrivatePostgres();
  adminUrl = server.url;
  runRoles();
});
afterAll(() => server.remove());

function address(from: string, change: (url: URL) => void): string {
  const url = new URL(from);
  change(url);
  return url.href;
}

function urlOf(role: Role, password = SECRETS[role]): string {
  return address(adminUrl, (url) => {
    url.username = role;
    url.password = encodeURIComponent(password);
  });
}

/** As an administrator or the PostgreSQL image runs it. */
function runRoles(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): string {
  const all = ['--no-psqlrc', '--quiet', '--dbname', adminUrl, '--file', ROLES_SQL, ...args];
  const done = spawnSync('psql', all, {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      POSTGRES_MIGRATION_PASSWORD: SECRETS.atelier_migration,
      POSTGRES_SERVICE_PASSWORD: SECRETS.atelier_service,
      POSTGRES_API_PASSWORD: SECRETS.atelier_api,
      POSTGRES_LECTURE_PASSWORD: SECRETS.atelier_lecture,
      ...env,
    },
  });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return done.stdout;
}

async function as<T>(role: Role, work: (client: pg.Client) => Promise<T>, password?: string): Promise<T> {
  const client = new pg.Client({ connectionString: urlOf(role, password) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** SQLSTATE of a statement, `00000` when it went through; nothing of it stays. */
async function stateOf(role: Role, sql: string): Promise<string> {
  return await as(role, async (client) => {
    await client.query('BEGIN');
    try {
      await client.query(sql);
      return '00000';
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await client.query('ROLLBACK');
    }
  });
}

async function migrateAs(role: Role): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return await startAtelier(['migrate'], { cwd: server.dataDir, env: { DATABASE_URL: urlOf(role) } }).ended;
}

describe('roles.sql (S29)', () => {
  it('the role of migrations makes the schema and gives the others their rights; the others cannot', async () => {
    const refused = await migrateAs('atelier_service');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('ATL_D302');
    const first = await migrateAs('atelier_migration');
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const again = await migrateAs('atelier_migration');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('Le schéma est à jour.');
    // Nothing to apply and nothing to grant: whoever runs it by mistake is told so, and breaks nothing.
    const byService = await migrateAs('atelier_service');
    expect([byService.code, byService.stderr]).toEqual([0, '']);
  });

  it('can be run again, keeps passwords that are not given, changes those that are', () => {
    runRoles();
    runRoles({ POSTGRES_API_PASSWORD: '', POSTGRES_SERVICE_PASSWORD: 'nouveau' });
    return Promise.all([
      as('atelier_api', (client) => client.query('SELECT 1')),
      as('atelier_service', (client) => client.query('SELECT 1'), 'nouveau'),
      expect(as('atelier_service', (client) => client.query('SELECT 1'))).rejects.toThrow(),
    ]).then(() => runRoles());
  });

  it('takes over a database that one account had made', async () => {
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query('CREATE TABLE ancienne (id int GENERATED ALWAYS AS IDENTITY, n serial)');
    await admin.query('CREATE FUNCTION ancienne_fonction() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$');
    runRoles();
    const { rows } = await admin.query(
      `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = 'ancienne'
       UNION ALL SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE proname = 'ancienne_fonction'
       UNION ALL SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()`,
    );
    expect(rows.map((row) => row.owner)).toEqual(Array(3).fill('atelier_migration'));
    await admin.query('DROP TABLE ancienne; DROP FUNCTION ancienne_fonction()');
    await admin.end();
  });

  it.each<[Role, string, string]>([
    // Data, yes; schema, servers, other programs, no.
    ['atelier_api', DENIED, 'CREATE TABLE t (i int)'],
    ['atelier_api', DENIED, 'ALTER TABLE session_production ADD COLUMN x int'],
    ['atelier_api', DENIED, 'DROP TABLE piece_production'],
    ['atelier_api', DENIED, 'TRUNCATE piece_production'],
    ['atelier_api', DENIED, "COPY (SELECT 1) TO PROGRAM 'true'"],
    ['atelier_api', DENIED, "COPY piece_production FROM '/etc/passwd'"],
    ['atelier_api', DENIED, "SELECT pg_read_file('/etc/passwd')"],
    ['atelier_api', DENIED, 'CREATE ROLE intrus LOGIN'],
    ['atelier_api', DENIED, 'SET ROLE atelier_migration'],
    ['atelier_api', DENIED, "UPDATE migration SET sha256 = 'x'"],
    // How a replica is told from a stranger's server.
    ['atelier_api', '00000', 'SELECT system_identifier FROM pg_control_system()'],
    ['atelier_api', '00000', "INSERT INTO centre_usinage (nom) VALUES ('X')"],
    // The audit log is written by functions alone, which say when it was; it shrinks by the purge of the worker (R15, R21, M6).
    ...(['atelier_api', 'atelier_service'] as const).flatMap((role) => [
      [role, '00000', NOTE] as [Role, string, string],
      ...AUDIT_TEMPTATIONS.map((sql): [Role, string, string] => [role, DENIED, sql]),
    ]),
    ['atelier_api', DENIED, 'SELECT purger_audit(now(), 10)'],
    ['atelier_api', DENIED, "SELECT oublier_audit(gen_random_uuid(), gen_random_uuid(), '{}')"],
    ['atelier_service', '00000', "SELECT purger_audit('2001-01-01', 10)"],
    ['atelier_service', '00000', "SELECT oublier_audit(gen_random_uuid(), gen_random_uuid(), '{}')"],
    ['atelier_lecture', DENIED, NOTE],
    ['atelier_service', '00000', 'CREATE TEMPORARY TABLE t (i int)'],
    ['atelier_service', DENIED, 'CREATE TABLE t (i int)'],
    ['atelier_service', DENIED, 'DROP TABLE piece_production'],
    ['atelier_service', DENIED, "COPY (SELECT 1) TO PROGRAM 'true'"],
    ['atelier_service', DENIED, 'DELETE FROM migration'],
    ['atelier_service', DENIED, 'CREATE SCHEMA s'],
    // Whoever reads figures sees no account, no raw line, and writes nothing.
    ['atelier_lecture', '00000', 'SELECT count(*) FROM piece_production'],
    ['atelier_lecture', '00000', 'SELECT tache, etat, debut FROM execution'],
    ['atelier_lecture', '00000', 'SELECT raison, count(*) FROM ligne_rejetee GROUP BY 1'],
    ['atelier_lecture', DENIED, 'SELECT texte FROM ligne_rejetee'],
    ['atelier_lecture', DENIED, 'SELECT * FROM "user"'],
    ['atelier_lecture', DENIED, 'SELECT * FROM journal_audit'],
    ['atelier_lecture', DENIED, 'SELECT * FROM cle_api'],
    ['atelier_lecture', DENIED, 'SELECT * FROM jeton_rafraichissement'],
    ['atelier_lecture', DENIED, 'SELECT * FROM tentative_connexion'],
    ['atelier_lecture', DENIED, 'SELECT * FROM cle_chiffrement'],
    ['atelier_lecture', DENIED, 'SELECT * FROM pgboss.job'],
    ['atelier_lecture', '25006', 'DELETE FROM piece_production'],
    ['atelier_lecture', DENIED, 'SET LOCAL transaction_read_only = off; DELETE FROM piece_production'],
    ['atelier_lecture', DENIED, 'SET LOCAL transaction_read_only = off; CREATE TEMPORARY TABLE t (i int)'],
    // M10: nor does it hold up others, fill the disk, or call what is not reading.
    ...READ_ONLY_TEMPTATIONS.map((sql): [Role, string, string] => [
      'atelier_lecture',
      DENIED,
      `SET LOCAL transaction_read_only = off; ${sql}`,
    ]),
    ['atelier_service', '00000', 'SELECT pg_advisory_xact_lock(1), pg_try_advisory_lock_shared(1, 2)'],
    ['atelier_api', '00000', "SELECT pg_advisory_xact_lock(1), pg_notify('atelier', '')"],
    ['atelier_api', DENIED, 'DO $$ BEGIN NULL; END $$'],
    ['atelier_api', DENIED, 'SELECT lo_create(0)'],
  ])('%s: %s for %s', async (role, state, sql) => {
    expect(await stateOf(role, sql)).toBe(state);
  });

  it('M10: what the reader could still do is said by doctor, until roles.sql has run', async () => {
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    const finding = async (): Promise<Record<string, string> | undefined> => {
      const { stdout } = await startAtelier(['doctor', '--json'], {
        cwd: server.dataDir,
        env: { DATABASE_URL: urlOf('atelier_migration') },
      }).ended;
      const constats: Record<string, string>[] = JSON.parse(stdout);
      return constats.find(({ quoi }) => quoi === 'Compte de lecture');
    };
    try {
      const { rows } = await admin.query('SELECT current_database() AS nom');
      for (const sql of [
        'GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint), lo_create(oid) TO PUBLIC',
        `GRANT TEMPORARY ON DATABASE ${rows[0].nom} TO atelier_lecture`,
        'ALTER ROLE atelier_lecture RESET temp_file_limit',
        'ALTER ROLE atelier_lecture CONNECTION LIMIT -1',
      ])
        await admin.query(sql);
      const before = await finding();
      expect(before).toMatchObject({ etat: 'attention', remede: expect.stringContaining('roles.sql') });
      for (const word of [
        'verrous nommés',
        'grands objets',
        'tables temporaires',
        'fichiers temporaires',
        'connexions',
        'autres bases',
      ])
        expect(before!['detail']).toContain(word);
      await admin.query(`REVOKE TEMPORARY ON DATABASE ${rows[0].nom} FROM atelier_lecture`);
      runRoles();
      const left = async (): Promise<string[] | undefined> => as('atelier_api', (db) => lectureEnTrop(db));
      expect(await left()).toEqual(['entrer dans d’autres bases de ce serveur']);
      runRoles({}, ['--set=serveur_dedie=oui']);
      expect(await left()).toEqual([]);
    } finally {
      await admin.end();
    }
  }, 180_000);

  it('M10: an announcement that the reader forges, which nothing can forbid, changes nothing', async () => {
    const heard: unknown[] = [];
    const ecoute = new Ecoute({ url: urlOf('atelier_api'), logger: silentLogger() });
    ecoute.on('annonce', (annonce) => heard.push(annonce));
    const listening = once(ecoute, 'connecte');
    ecoute.demarrer();
    try {
      await listening;
      const forge = (ids: unknown, nombre: unknown = 1): string =>
        JSON.stringify({ table: 'session_production', action: 'delete', ids, nombre });
      await as('atelier_lecture', async (client) => {
        for (const payload of [
          ...[
            '',
            'x',
            '[]',
            'null',
            forge(['<script>'], 1),
            forge([1.5]),
            forge([{}]),
            forge('1'),
            forge([1], -1),
          ],
          forge([7]),
        ])
          await client.query(`NOTIFY atelier, ${client.escapeLiteral(payload)}`);
      });
      await vi.waitUntil(() => heard.length > 0, { timeout: 20_000 });
      expect(heard).toEqual([{ table: 'session_production', action: 'delete', ids: [7], nombre: 1 }]);
    } finally {
      await ecoute.fermer();
    }
  });

  it('a stranger gets no connection, and passwords are in no log of the server', async () => {
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query("CREATE ROLE passant LOGIN PASSWORD 'x'");
    await admin.query("ALTER SYSTEM SET log_statement = 'all'; ");
    await admin.query('SELECT pg_reload_conf()');
    await admin.end();
    const stranger = new pg.Client({
      connectionString: address(adminUrl, (url) =>
        Object.assign(url, { username: 'passant', password: 'x' }),
      ),
    });
    await expect(stranger.connect()).rejects.toMatchObject({ code: DENIED });
    runRoles();
    const logs = spawnSync(
      'grep',
      ['-rlaF', '-e', SECRETS.atelier_migration, '-e', SECRETS.atelier_lecture, server.dataDir],
      { encoding: 'utf8' },
    );
    expect(logs.stdout).toBe('');
  });
});

describe('programs under their own roles (S29)', () => {
  it('the API signs in, serves, writes, and asks for runs', async () => {
    const api = await createApi({ url: urlOf('atelier_api') });
    try {
      const headers = api.comptes.admin.entete;
      const ask = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object): Promise<number> =>
        (await api.app.inject({ method, url, headers, ...(payload ? { payload } : {}) })).statusCode;
      expect(await ask('POST', '/centres/', { nom: 'X1', type_cu: 'PVC' })).toBe(201);
      expect(await ask('GET', '/sessions/')).toBe(200);
      expect(await ask('GET', '/health/ready')).toBe(200);
      expect(await ask('POST', '/executions/', { tache: 'ingest' })).toBe(202);
      expect(await ask('DELETE', `/users/${api.comptes.lecteur.id}`)).toBeLessThan(300);
    } finally {
      await api.close();
    }
  });

  it('the worker follows machines and carries out what the API asked for; purge, backup and alerts run too', async () => {
    const workshop = await install({ url: urlOf('atelier_service') });
    const worker = workshop.start(['worker'], { METRICS_PORT: '0', ALERTE_HORLOGE: 'non' });
    try {
      await workshop.write('DEM12/20250528.LOG', '20250528 06:00:10|@StukUitgevoerd: A\r\n');
      const done = async (): Promise<boolean> => {
        const { rows } = await workshop.pool.query(
          `SELECT (SELECT sum(total_pieces) FROM session_production) = 1
              AND EXISTS (SELECT FROM execution WHERE tache = 'ingest' AND declencheur = 'demande' AND etat = 'reussie') AS fait`,
        );
        return rows[0].fait === true;
      };
      const deadline = Date.now() + 90_000;
      while (!(await done())) {
        if (Date.now() > deadline || worker.process.exitCode !== null) throw new Error(worker.text());
        await sleep(200);
      }
      worker.process.kill('SIGTERM');
      expect((await worker.ended).code).toBe(0);
      // « permission denied », in any of its runs
      expect(worker.text()).not.toMatch(/permission denied|42501/);
      const sauvegardes = join(workshop.home, 'sauvegardes');
      for (const args of [['purge'], ['alertes', 'evaluer'], ['backup', '--vers', sauvegardes]]) {
        // The line is of 2025: an alert about the machine's clock would end `alertes evaluer` with 1, as it should.
        const ended = await workshop.run(args, { env: { ALERTE_HORLOGE: 'non' } });
        expect([args[0], ended]).toEqual([args[0], expect.objectContaining({ code: 0 })]);
      }
    } finally {
      worker.process.kill('SIGKILL');
      await worker.ended;
      await workshop.close();
    }
  }, 180_000);

  it('a restoration by the role of migrations leaves everybody the rights that they had (O15)', async () => {
    const workshop = await install({ url: urlOf('atelier_migration') });
    try {
      const folder = join(workshop.home, 'sauvegardes');
      expect(await workshop.run(['backup', '--sans-archives', '--vers', folder])).toMatchObject({ code: 0 });
      const [name] = (await readdir(folder)).filter((each) => /^\d{4}/.test(each));
      const restored = await workshop.run([
        'restore',
        join(folder, name!),
        '--sans-archives',
        '--forcer',
        '--oui',
      ]);
      expect([restored.code, restored.stderr]).toEqual([0, expect.anything()]);
    } finally {
      await workshop.close();
    }
    expect(await stateOf('atelier_api', 'SELECT FROM "user"')).toBe('00000');
    for (const role of ['atelier_api', 'atelier_service'] as const) {
      expect(await stateOf(role, NOTE)).toBe('00000');
      for (const sql of AUDIT_TEMPTATIONS)
        expect([role, sql, await stateOf(role, sql)]).toEqual([role, sql, DENIED]);
    }
    expect(await stateOf('atelier_api', 'SELECT purger_audit(now(), 10)')).toBe(DENIED);
    expect(await stateOf('atelier_service', 'DELETE FROM piece_production')).toBe('00000');
    expect(await stateOf('atelier_lecture', 'SELECT count(*) FROM session_production')).toBe('00000');
    expect(await stateOf('atelier_lecture', 'SELECT FROM "user"')).toBe(DENIED);
  });

  const sql = cibles().filter(({ rawSql }) => rawSql !== undefined);
  it.each(sql)('Grafana’s panel « $panneau » reads with the reader’s rights, quickly', async ({ rawSql }) => {
    const query = developper(rawSql!, '2025-05-28T00:00:00Z', '2025-05-29T00:00:00Z');
    const rows = await as('atelier_lecture', async (client) => (await client.query(query)).rows);
    for (const row of rows) expect(Object.keys(row).length).toBeGreaterThan(1);
    if (/piece_production|FROM centre_usinage/.test(query)) expect(rows.length).toBeGreaterThan(0);
  });
});
