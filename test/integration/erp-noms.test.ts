import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { type Extraction, extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';

const log = silentLogger();
const TABLES = ['A_Kopf', 'A_Logbuch', 'P_Zubeh', 'A_Vorgang'];

describe.skipIf(SANS_MARIADB)('les noms sont ceux qu’un SELECT trouverait', () => {
  let maria: MariadbDeTest;
  let reference: Extraction;
  const lire = (database = 'erp'): Promise<Extraction> =>
    extraireCommandes(maria.config({ database }), { log });
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
    reference = await lire();
  });
  afterAll(() => maria?.arreter());
  beforeEach(async () => {
    await maria.chargerDemo();
    await maria.admin.query(
      "DROP TABLE IF EXISTS a_kopf, A_KOPF, p_zubeh; GRANT SELECT ON erp.* TO 'atelier_lecture'@'%'",
    );
  });

  test('une vieille copie a_kopf à côté de A_Kopf : le nom exact est lu', async () => {
    await maria.admin.query('CREATE TABLE a_kopf (ID int, AuNummer blob)');
    const { commandes, lecture } = await lire();
    expect(commandes).toEqual(reference.commandes);
    expect(lecture.controle.avertissements.join()).not.toMatch(/lue sous le nom/);
  });

  test('pas de A_Kopf, une seule a_kopf : elle est lue partout, et c’est dit', async () => {
    await maria.admin.query(
      `RENAME TABLE A_Kopf TO a_kopf, P_Zubeh TO p_zubeh; ALTER TABLE p_zubeh DROP INDEX ix_zubeh_code;
       ALTER TABLE a_kopf CHANGE AuNummer aunummer int, CHANGE ID id varchar(32) NOT NULL`,
    );
    const { commandes, lecture } = await lire();
    expect(commandes).toEqual(reference.commandes);
    expect(lecture.controle.avertissements.join('\n')).toMatch(/table A_Kopf : lue sous le nom a_kopf/);
    expect(lecture.controle.indexManquants).toEqual([
      'CREATE INDEX ix_zubeh_code ON p_zubeh (ZCode, ID_A_Kopf);',
    ]);
    await maria.admin.query('RENAME TABLE a_kopf TO A_Kopf, p_zubeh TO P_Zubeh');
  });

  test('deux à la casse près, aucune exacte : refusé, les deux nommées', async () => {
    await maria.admin.query('RENAME TABLE A_Kopf TO a_kopf; CREATE TABLE A_KOPF LIKE a_kopf');
    await expect(lire()).rejects.toMatchObject({
      code: 'ATL_E403',
      message: expect.stringMatching(/table A_Kopf : aucune de ce nom exact.*A_KOPF, a_kopf/),
    });
  });

  test('des vues servent de tables, sans conseil d’index', async () => {
    await maria.admin.query('DROP DATABASE IF EXISTS vues; CREATE DATABASE vues');
    for (const table of TABLES)
      await maria.admin.query(`CREATE VIEW vues.${table} AS SELECT * FROM erp.${table}`);
    await maria.admin.query("GRANT SELECT ON vues.* TO 'atelier_lecture'@'%'");
    const { commandes, lecture } = await lire('vues');
    expect(commandes).toEqual(reference.commandes);
    expect(lecture.controle.indexManquants).toEqual([]);
    expect(lecture.controle.avertissements).toEqual([]);
  });

  test('une vue qui ne marche plus : dit ce que c’est', async () => {
    await maria.admin.query('DROP DATABASE IF EXISTS vues; CREATE DATABASE vues');
    for (const table of TABLES)
      await maria.admin.query(`CREATE VIEW vues.${table} AS SELECT * FROM erp.${table}`);
    await maria.admin.query("GRANT SELECT ON vues.* TO 'atelier_lecture'@'%'; DROP TABLE erp.A_Vorgang");
    await expect(lire('vues')).rejects.toMatchObject({ code: 'ATL_E403' });
  });

  test('une base ERP à côté de erp : chacune a ses propres tables', async () => {
    await maria.admin.query(
      `DROP DATABASE IF EXISTS ERP; CREATE DATABASE ERP; CREATE TABLE ERP.A_Kopf (ID bigint);
       GRANT SELECT ON ERP.* TO 'atelier_lecture'@'%'`,
    );
    try {
      expect((await lire()).commandes).toEqual(reference.commandes);
      await expect(lire('ERP')).rejects.toThrow(/A_Kopf\.AuNummer.*table P_Zubeh : absente/s);
    } finally {
      await maria.admin.query('DROP DATABASE ERP');
    }
  });

  test('un nom de base qui demande des guillemets', async () => {
    await maria.admin.query("DROP DATABASE IF EXISTS `l``ERP d'hier`; CREATE DATABASE `l``ERP d'hier`");
    for (const table of TABLES) {
      await maria.admin.query(`CREATE VIEW \`l\`\`ERP d'hier\`.${table} AS SELECT * FROM erp.${table}`);
    }
    await maria.admin.query("GRANT SELECT ON `l``ERP d'hier`.* TO 'atelier_lecture'@'%'");
    expect((await lire("l`ERP d'hier")).commandes).toEqual(reference.commandes);
  });
});

describe.skipIf(SANS_MARIADB)('le texte d’une valeur ne dépend pas du type de sa colonne', () => {
  let maria: MariadbDeTest;
  const lire = (): Promise<Extraction> => extraireCommandes(maria.config({ database: 'types' }), { log });
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
  });
  afterAll(() => maria?.arreter());
  beforeEach(async () => {
    await maria.creerErp('types');
    await maria.admin.query(
      `SET SESSION sql_mode = '';
       INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus) VALUES ('K1', 1, 5001, 'A', 'Planifiée');
       INSERT INTO P_Zubeh (ID_A_Kopf, ZCode) VALUES ('K1', 'S P 12');
       INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES ('K1', '2025-05-01', 'cde Planifiée');
       INSERT INTO A_Vorgang (ID_A_Kopf, Nummer) VALUES ('K1', 'VR')`,
    );
  });

  test.each([
    'int(10) unsigned zerofill',
    'bigint(20) zerofill',
    'smallint',
    'decimal(12,2)',
    'decimal(20,0) zerofill',
    'double',
    'float',
    'varchar(20)',
    'char(10)',
  ])('AuNummer %s : 5001', async (type) => {
    await maria.admin.query(`ALTER TABLE A_Kopf MODIFY AuNummer ${type}`);
    expect((await lire()).commandes.map((row) => row.numero_commande)).toEqual(['5001']);
  });

  test('AuNummer double ou float : tous ses chiffres', async () => {
    await maria.admin.query('ALTER TABLE A_Kopf MODIFY AuNummer float; UPDATE A_Kopf SET AuNummer = 1234567');
    expect((await lire()).commandes[0]!.numero_commande).toBe('1234567');
    await maria.admin.query('ALTER TABLE A_Kopf MODIFY AuNummer double; UPDATE A_Kopf SET AuNummer = 1e15');
    expect((await lire()).commandes[0]!.numero_commande).toBe('1000000000000000');
  });

  test.each(['decimal(12,2)', 'double', 'varchar(20)'])(
    'AuNummer %s avec une fraction : une erreur qui nomme la ligne',
    async (type) => {
      await maria.admin.query(
        `ALTER TABLE A_Kopf MODIFY AuNummer ${type}; UPDATE A_Kopf SET AuNummer = '5001.50'`,
      );
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E412',
        message: expect.stringMatching(
          /A_Kopf\.AuNummer « 5001\.50*» de la commande d’ID « K1 »|5001\.50* » de la commande d’ID « K1 »/,
        ),
      });
    },
  );

  test.each([
    ['A_Kopf', 'AufStatus', 'char(30)'],
    ['A_Kopf', 'AufStatus', "enum('Devis','Planifiée')"],
    ['A_Kopf', 'AufStatus', "set('Devis','Planifiée')"],
    ['A_Kopf', 'AufStatus', 'binary(30)'],
    ['A_Kopf', 'AufStatus', 'varbinary(30)'],
    ['A_Kopf', 'AuAlpha', 'binary(5)'],
    ['A_Kopf', 'AuAlpha', "enum('A','B')"],
    ['P_Zubeh', 'ZCode', 'binary(20)'],
    ['P_Zubeh', 'ZCode', 'char(20)'],
    ['A_Logbuch', 'Notiz', 'varbinary(200)'],
    ['A_Vorgang', 'Nummer', 'binary(15)'],
  ])('%s.%s %s : la même commande', async (table, column, type) => {
    const before = (await lire()).commandes;
    expect(before).toHaveLength(1);
    await maria.admin.query(`ALTER TABLE ${table} MODIFY ${column} ${type}`);
    expect((await lire()).commandes).toEqual(before);
  });

  test('des octets qui ne sont pas de l’UTF-8 dans une colonne binaire : une erreur, pas un « ? »', async () => {
    await maria.admin.query(
      "ALTER TABLE A_Kopf MODIFY AufStatus varbinary(30); UPDATE A_Kopf SET AufStatus = x'506C616E696669E965207669747261676520'",
    );
    await expect(lire()).rejects.toMatchObject({
      code: 'ATL_E406',
      message: expect.stringMatching(/A_Kopf.*avertissement 1300/),
    });
  });
});
