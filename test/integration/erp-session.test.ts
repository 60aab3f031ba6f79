import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { type Extraction, extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { ErpSession } from '../../src/sources/erp/session.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';
import { ProxyDePanne } from '../harness/proxy.ts';

const log = silentLogger();

/** Everything that a test sets, back to what the server began with. */
const REMISE = `SET GLOBAL sql_select_limit = DEFAULT, max_error_count = 64, sql_safe_updates = 0, max_join_size = DEFAULT,
  sql_big_selects = 1, tx_isolation = 'REPEATABLE-READ', time_zone = 'SYSTEM', sql_mode = DEFAULT, autocommit = 1,
  default_regex_flags = '', completion_type = 'NO_CHAIN', init_connect = '', idle_transaction_timeout = 0,
  sql_auto_is_null = 0, character_set_server = 'utf8mb4', collation_server = 'utf8mb4_general_ci',
  character_set_client = 'utf8mb4', character_set_connection = 'utf8mb4', character_set_results = 'utf8mb4'`;

/** A hundred orders that all qualify. */
const CENT = Array.from({ length: 100 }, (_, at) => {
  const id = `'C${at}'`;
  return `INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AufStatus) VALUES (${id}, 1, ${5000 + at}, 'Planifiée');
    INSERT INTO P_Zubeh (ID_A_Kopf, ZCode) VALUES (${id}, 'SOP 1');
    INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES (${id}, '2025-05-01 00:30:00', 'cde Planifiée');
    INSERT INTO A_Vorgang (ID_A_Kopf, Nummer) VALUES (${id}, 'VR')`;
}).join(';');

describe.skipIf(SANS_MARIADB)('la session est la nôtre, quoi que le serveur ait été réglé', () => {
  let maria: MariadbDeTest;
  let reference: Extraction;
  const lire = (): Promise<Extraction> => extraireCommandes(maria.config({ database: 'cent' }), { log });
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
    await maria.creerErp('cent');
    await maria.admin.query(CENT);
    reference = await lire();
    expect(reference.commandes).toHaveLength(100);
  });
  afterEach(() => maria.admin.query(REMISE));
  afterAll(() => maria?.arreter());

  test('ce qui convient déjà n’est pas réglé : MySQL 8 ne laisse pas un compte de lecture toucher à max_error_count', async () => {
    await maria.admin.query('SET GLOBAL max_error_count = 1024');
    const session = await ErpSession.ouvrir(maria.config({ database: 'cent' }), {});
    try {
      expect(await session.lire('essai', 'SELECT @@SESSION.max_error_count')).toEqual([['1024']]);
    } finally {
      await session.fermer();
    }
  });

  test.each([
    'SET GLOBAL sql_select_limit = 60',
    'SET GLOBAL sql_select_limit = 0',
    'SET GLOBAL sql_select_limit = 1, max_error_count = 0',
    "SET GLOBAL tx_isolation = 'READ-COMMITTED'",
    "SET GLOBAL tx_isolation = 'READ-UNCOMMITTED', max_error_count = 0",
    "SET GLOBAL time_zone = '-11:00'",
    "SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,ORACLE'",
    'SET GLOBAL autocommit = 0',
    'SET GLOBAL sql_big_selects = 0, max_join_size = 10',
    'SET GLOBAL sql_safe_updates = 1',
    "SET GLOBAL default_regex_flags = 'EXTENDED,UNGREEDY'",
    "SET GLOBAL completion_type = 'RELEASE'",
    "SET GLOBAL character_set_server = 'latin1'",
    "SET GLOBAL init_connect = 'SET NAMES latin1'",
    "SET GLOBAL init_connect = 'SET sql_select_limit = 3, autocommit = 0'",
    "SET GLOBAL init_connect = 'USE erp'",
    "SET GLOBAL init_connect = 'START TRANSACTION WITH CONSISTENT SNAPSHOT'",
    "SET GLOBAL init_connect = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED'",
  ])('%s : les mêmes cent commandes', async (sql) => {
    await maria.admin.query("GRANT SELECT ON erp.* TO 'atelier_lecture'@'%'");
    await maria.admin.query(sql);
    expect((await lire()).commandes).toEqual(reference.commandes);
  });

  test('une table à versions n’est pas lue comme elle était hier', async () => {
    await maria.admin.query('ALTER TABLE cent.A_Kopf ADD SYSTEM VERSIONING');
    await maria.admin.query('SET GLOBAL init_connect = \'SET system_versioning_asof = "2020-01-01"\'');
    expect((await lire()).commandes).toEqual(reference.commandes);
    await maria.admin.query('ALTER TABLE cent.A_Kopf DROP SYSTEM VERSIONING');
  });

  test('relecture : les réglages d’une connexion neuve sont ceux voulus', async () => {
    await maria.admin.query(
      "SET GLOBAL sql_select_limit = 7, tx_isolation = 'SERIALIZABLE', time_zone = '+03:00'",
    );
    const session = await ErpSession.ouvrir(maria.config());
    const [row] = await session.lire(
      'relecture',
      'SELECT @@sql_select_limit, @@tx_isolation, @@time_zone, @@sql_mode, @@autocommit, @@collation_connection',
    );
    await session.fermer();
    expect(row).toEqual(['18446744073709551615', 'REPEATABLE-READ', '+00:00', '', '1', 'utf8mb4_general_ci']);
  });

  test('un réglage qui ne tient pas (un proxy l’avale) : refusé, nommé, et rien n’est rendu', async () => {
    const proxy = await ProxyDePanne.devant(maria.server.port);
    proxy.panne = { remplacer: [["time_zone = '+00:00'", 'sql_notes = 1']] };
    await maria.admin.query("SET GLOBAL time_zone = '+05:00'");
    try {
      await expect(
        extraireCommandes(maria.config({ database: 'cent', port: proxy.port }), { log }),
      ).rejects.toMatchObject({
        code: 'ATL_E408',
        message: expect.stringMatching(/time_zone vaut « \+05:00 » au lieu de « \+00:00 »/),
      });
    } finally {
      await proxy.fermer();
    }
  });

  test('une lecture raccourcie en chemin : le comptage le voit', async () => {
    const proxy = await ProxyDePanne.devant(maria.server.port);
    proxy.panne = { remplacer: [["OR `ZCode` LIKE 'S TN %'", 'LIMIT 3']] };
    try {
      await expect(
        extraireCommandes(maria.config({ database: 'cent', port: proxy.port }), { log }),
      ).rejects.toMatchObject({
        code: 'ATL_E406',
        message: expect.stringMatching(/P_Zubeh\) : 3 lignes reçues, 100 comptées/),
      });
    } finally {
      await proxy.fermer();
    }
  });
});

describe.skipIf(SANS_MARIADB)('dates et instants', () => {
  let maria: MariadbDeTest;
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
  });
  afterAll(() => maria?.arreter());
  beforeEach(async () => {
    await maria.creerErp('dates');
    await maria.admin.query(
      `INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AufStatus) VALUES ('K', 1, 1, 'Planifiée');
       INSERT INTO P_Zubeh (ID_A_Kopf, ZCode) VALUES ('K', 'SOP 1')`,
    );
  });

  test.each([
    ['Europe/Paris', '+00:00', '2025-06-01 22:30:00', '2025-06-02'],
    ['Europe/Paris', '+00:00', '2025-06-01 21:59:59', '2025-06-01'],
    ['Europe/Paris', '+00:00', '2025-01-01 23:00:00', '2025-01-02'],
    ['Europe/Paris', '+00:00', '2025-01-01 00:00:00', '2025-01-01'],
    ['Europe/Paris', '-08:00', '2025-06-01 14:30:00', '2025-06-02'],
    ['America/Martinique', '+00:00', '2025-06-02 00:30:00', '2025-06-01'],
    ['Asia/Kathmandu', '+00:00', '2025-06-01 18:15:00', '2025-06-02'],
    ['Asia/Kathmandu', '+00:00', '2025-06-01 18:14:59', '2025-06-01'],
  ])('TIMESTAMP, fuseau %s, serveur en %s : %s est le %s', async (fuseau, zone, written, day) => {
    await maria.admin.query('ALTER TABLE A_Logbuch MODIFY Datum timestamp NULL');
    await maria.admin.query(`SET GLOBAL time_zone = '${zone}'; SET SESSION time_zone = '${zone}'`);
    await maria.admin.query(
      "INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES ('K', ?, 'cde Planifiée')",
      [written],
    );
    const { commandes } = await extraireCommandes(maria.config({ database: 'dates', fuseau }), { log });
    expect(commandes.map((row) => row.date_modification)).toEqual([day]);
  });

  test.each(['datetime', 'date', 'datetime(6)'])('%s est l’horloge de l’ERP, sans fuseau', async (type) => {
    await maria.admin.query(
      `SET GLOBAL time_zone = '+00:00'; ALTER TABLE A_Logbuch MODIFY Datum ${type} NULL`,
    );
    await maria.admin.query(
      "INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES ('K', '2025-06-02 00:30:00', 'cde Planifiée')",
    );
    const { commandes } = await extraireCommandes(maria.config({ database: 'dates' }), { log });
    expect(commandes.map((row) => row.date_modification)).toEqual(['2025-06-02']);
  });

  test('le TIMESTAMP zéro n’est pas une date', async () => {
    await maria.admin.query("SET SESSION sql_mode = ''; ALTER TABLE A_Logbuch MODIFY Datum timestamp NULL");
    await maria.admin.query(
      "INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES ('K', '0000-00-00 00:00:00', 'cde Planifiée'), ('K', NULL, 'cde Planifiée')",
    );
    const { commandes, rejets } = await extraireCommandes(maria.config({ database: 'dates' }), { log });
    expect(commandes).toEqual([]);
    expect(rejets).toEqual([{ id: 'K', motif: 'date_invalide' }]);
  });
});
