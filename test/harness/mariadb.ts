import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection } from 'mysql2/promise';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import {
  isMariadbAvailable,
  type MariadbServer,
  mariadbStatus,
  removeMariadb,
  startMariadb,
  stopMariadb,
} from '../../src/embedded/mariadb.ts';
import { paquetsManquants } from '../../src/embedded/mariadb-lieux.ts';

/** Why the tests on a real MariaDB are left out, or undefined when they can run. */
export const SANS_MARIADB: string | undefined = isMariadbAvailable()
  ? undefined
  : `MariaDB absent (paquets ${paquetsManquants().join(', ')})`;

export const UTILISATEUR_LECTURE = { user: 'atelier_lecture', password: 'demonstration' } as const;

const INIT_SQL = new URL('../../demo/init.sql', import.meta.url);
const READ_GRANTS = [
  'SELECT (ID, AuNummer, AuAlpha, AufStatus) ON %.A_Kopf',
  'SELECT (ID_A_Kopf, Datum, Notiz) ON %.A_Logbuch',
  'SELECT (ID_A_Kopf, ZCode) ON %.P_Zubeh',
  'SELECT (ID_A_Kopf, Nummer) ON %.A_Vorgang',
];
const TABLE_NAMES = ['A_Kopf', 'A_Logbuch', 'P_Zubeh', 'A_Vorgang', 'A_KopfFreie', 'P_Artikel'];

/** One private server for a test file, with the demo ERP in `erp`. Stop it in `afterAll`. */
export class MariadbDeTest {
  server: MariadbServer;
  /** administrator's connection: several statements at once, local files (bulk loading) */
  admin: Connection;
  readonly #dir: string;

  private constructor(dir: string, server: MariadbServer, admin: Connection) {
    this.#dir = dir;
    this.server = server;
    this.admin = admin;
  }

  /** @param bufferPoolMb size of the server's cache, MiB */
  static async demarrer(bufferPoolMb = 64): Promise<MariadbDeTest> {
    const dir = mkdtempSync(join(tmpdir(), 'atelier-erp-'));
    const server = await startMariadb(join(dir, 'mariadb'), { bufferPoolMb, detached: false });
    const test = new MariadbDeTest(join(dir, 'mariadb'), server, await connectAdmin(server));
    await test.chargerDemo();
    return test;
  }

  /** Loads `demo/init.sql` again: the demo ERP and its user as on the first day. */
  async chargerDemo(): Promise<void> {
    await this.admin.query(readFileSync(INIT_SQL, 'utf8'));
    await this.admin.query('USE erp');
  }

  /** An empty ERP of that name with the same tables, indexes and rights as the demo one; it becomes current. */
  async creerErp(base: string): Promise<void> {
    await this.admin.query(`DROP DATABASE IF EXISTS ${base}; CREATE DATABASE ${base}; USE ${base}`);
    for (const table of TABLE_NAMES) await this.admin.query(`CREATE TABLE ${table} LIKE erp.${table}`);
    for (const grant of READ_GRANTS) {
      await this.admin.query(`GRANT ${grant.replace('%', base)} TO 'atelier_lecture'@'%'`);
    }
  }

  /** Settings of the reading user on a database of this server. */
  config(overrides: Partial<ErpConfig> = {}): ErpConfig {
    const { host, port } = this.server;
    return {
      host,
      port,
      ...UTILISATEUR_LECTURE,
      database: 'erp',
      tls: { mode: 'non', ca: undefined },
      delaiMax: 60,
      fuseau: 'Europe/Paris',
      seuilBaisse: 0.5,
      ...overrides,
    };
  }

  /** The server dies at once, without a word to its clients. */
  async tuer(): Promise<void> {
    this.admin.destroy();
    process.kill(this.server.pid, 'SIGKILL');
    while (await mariadbStatus(this.#dir)) await sleep(20);
  }

  /** Starts it again after `tuer`, on the same port. @param mots more words for the server */
  async relancer(mots: readonly string[] = []): Promise<void> {
    this.server = await startMariadb(this.#dir, { port: this.server.port, detached: false, mots });
    this.admin = await connectAdmin(this.server);
  }

  async arreter(): Promise<void> {
    await this.admin.end().catch(() => undefined);
    await stopMariadb(this.#dir);
    removeMariadb(this.#dir);
    rmSync(dirname(this.#dir), { recursive: true, force: true });
  }
}

function connectAdmin({ host, port, user, password }: MariadbServer): Promise<Connection> {
  return createConnection({ host, port, user, password, multipleStatements: true });
}
