import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { type Extraction, extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';

const log = silentLogger();

describe.skipIf(SANS_MARIADB)('contrôle de la source', () => {
  let maria: MariadbDeTest;
  let reference: Extraction;
  const lire = (): Promise<Extraction> => extraireCommandes(maria.config(), { log });
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
    reference = await lire();
  });
  afterAll(() => maria?.arreter());
  beforeEach(() => maria.chargerDemo());

  test.each([
    ['DROP TABLE A_Vorgang', /table A_Vorgang : absente/],
    ['ALTER TABLE P_Zubeh DROP COLUMN ZCode', /colonne P_Zubeh\.ZCode : absente/],
    ['ALTER TABLE A_Kopf CHANGE AufStatus Statut varchar(50)', /colonne A_Kopf\.AufStatus : absente/],
    [
      "REVOKE SELECT (Notiz) ON erp.A_Logbuch FROM 'atelier_lecture'@'%'",
      /A_Logbuch\.Notiz : .*droit de lecture/,
    ],
    [
      "REVOKE SELECT (ID_A_Kopf, Nummer) ON erp.A_Vorgang FROM 'atelier_lecture'@'%'",
      /table A_Vorgang : absente, ou/,
    ],
    ['ALTER TABLE A_Logbuch MODIFY Datum bigint', /A_Logbuch\.Datum : type bigint inattendu/],
    ['ALTER TABLE P_Zubeh MODIFY ZCode blob', /P_Zubeh\.ZCode : type blob inattendu/],
  ])('%s : refusé, nommé', async (sql, message) => {
    await maria.admin.query(
      `SET SESSION sql_mode = ''; ALTER TABLE P_Zubeh DROP INDEX ix_zubeh_code; ${sql}`,
    );
    await expect(lire()).rejects.toMatchObject({ code: 'ATL_E403', message: expect.stringMatching(message) });
    await expect(lire()).rejects.toThrow(/ERP 127\.0\.0\.1:\d+, base erp, utilisateur atelier_lecture/);
  });

  test('tout ce qui manque est nommé d’un coup', async () => {
    await maria.admin.query('DROP TABLE A_Vorgang; ALTER TABLE A_Kopf DROP COLUMN AufStatus');
    await expect(lire()).rejects.toThrow(/A_Kopf\.AufStatus.*A_Vorgang/s);
  });

  test('index absents : signalés avec l’ordre qui les créerait, rien n’est créé, même résultat', async () => {
    await maria.admin.query(
      'ALTER TABLE P_Zubeh DROP INDEX ix_zubeh_code; ALTER TABLE A_Vorgang DROP INDEX ix_vorgang_kopf',
    );
    const found = await lire();
    expect(found.lecture.controle.indexManquants).toEqual([
      'CREATE INDEX ix_zubeh_code ON P_Zubeh (ZCode, ID_A_Kopf);',
      'CREATE INDEX ix_vorgang_kopf ON A_Vorgang (ID_A_Kopf, Nummer);',
    ]);
    expect(found.commandes).toEqual(reference.commandes);
    const [rows] = await maria.admin.query<never[]>('SHOW INDEX FROM A_Vorgang');
    expect(rows).toHaveLength(1);
    for (const sql of found.lecture.controle.indexManquants) await maria.admin.query(sql);
    expect((await lire()).lecture.controle.indexManquants).toEqual([]);
  });

  test('colonne ou table ajoutée : ignorée', async () => {
    await maria.admin.query('ALTER TABLE A_Kopf ADD Neu int FIRST; CREATE TABLE Neu (a int)');
    expect((await lire()).commandes).toEqual(reference.commandes);
  });

  test('moteur qui n’a pas d’instantané : signalé', async () => {
    await maria.admin.query('ALTER TABLE P_Zubeh ENGINE = MyISAM');
    const { commandes, lecture } = await lire();
    expect(lecture.controle.avertissements.join()).toMatch(/P_Zubeh : moteur MyISAM/);
    expect(commandes).toEqual(reference.commandes);
  });

  test.each(['utf8mb4_bin', 'utf8mb4_unicode_ci'])(
    'interclassement %s : mêmes commandes',
    async (collation) => {
      for (const table of ['A_Kopf', 'A_Logbuch', 'P_Zubeh', 'A_Vorgang']) {
        await maria.admin.query(`ALTER TABLE ${table} CONVERT TO CHARACTER SET utf8mb4 COLLATE ${collation}`);
      }
      expect((await lire()).commandes).toEqual(reference.commandes);
    },
  );

  test('table latin1 : convertie, et lue juste', async () => {
    await maria.admin.query(
      "SET SESSION sql_mode = ''; ALTER TABLE A_Kopf CONVERT TO CHARACTER SET latin1; ALTER TABLE A_Logbuch CONVERT TO CHARACTER SET latin1",
    );
    const { commandes, lecture } = await lire();
    expect(lecture.controle.avertissements.join()).toMatch(/A_Kopf\.AufStatus : en latin1/);
    const known = new Map(reference.commandes.map((row) => [`${row.numero_commande} ${row.extension}`, row]));
    // What latin1 cannot hold (emoji, combining accents) became « ? » in the ERP itself.
    for (const row of commandes) {
      if (row.status.includes('?')) continue;
      expect(row).toEqual(known.get(`${row.numero_commande} ${row.extension}`));
    }
    expect(commandes.length).toBeGreaterThanOrEqual(50);
  });

  test('grands nombres, textes longs, valeurs NULL et zéro : rien ne s’arrête', async () => {
    await maria.admin.query(
      `SET SESSION sql_mode = ''; ALTER TABLE A_Kopf MODIFY AuNummer bigint;
       INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AufStatus) VALUES ('GRAND', 1, 9007199254740993, 'Planifiée'), ('NUL', 9, NULL, NULL);
       INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES ('GRAND', '2025-05-01', CONCAT(REPEAT('é😀Ã', 7000), 'cde Planifiée')), ('ORPHELIN', NULL, 'cde Planifiée');
       INSERT INTO P_Zubeh (ID_A_Kopf, ZCode) VALUES ('GRAND', 'SOP 1'), ('ORPHELIN', 'SOP 1'), ('', NULL)`,
    );
    const { commandes } = await lire();
    expect(commandes.at(-1)).toMatchObject({ numero_commande: '9007199254740993', coffre: 'SOP 1' });
    expect(commandes).toHaveLength(reference.commandes.length + 1);
  });

  test('ERP vide : aucune commande et le dit', async () => {
    await maria.creerErp('vide');
    const { commandes, lecture } = await extraireCommandes(maria.config({ database: 'vide' }), { log });
    expect(commandes).toEqual([]);
    expect(lecture.entetesErp).toBe(0);
  });
});
