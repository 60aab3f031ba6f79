import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';

const log = silentLogger();

describe.skipIf(SANS_MARIADB)('ERP de démonstration', () => {
  let maria: MariadbDeTest;
  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
  });
  afterAll(() => maria?.arreter());

  test('chaque cas annoncé en commentaire est rendu', async () => {
    const { commandes, compteurs, rejets, lecture } = await extraireCommandes(maria.config(), { log });
    expect(compteurs).toMatchObject({ commandes: 57, statuts_repares: 4, doublons: 4, rejetees: 2 });
    expect(lecture.entetesErp).toBe(82);
    expect(lecture.controle).toMatchObject({ problemes: [], avertissements: [], indexManquants: [] });
    expect(rejets.map((rejet) => rejet.motif).sort()).toEqual(['date_invalide', 'numero_absent']);
    const of = (status: string): number => commandes.filter((row) => row.status === status).length;
    expect(of('Planifiée – à lancer en prod')).toBe(1);
    expect(of('Vitrage reçu 👍')).toBe(1);
    expect(of('VITRAGE POSÉ…')).toBe(1);
    expect(of('«\u00a0Planifiée\u00a0»')).toBe(1);
    expect(commandes.filter((row) => /Ã|\0|^\s|\s$/.test(row.status))).toEqual([]);
    expect(commandes.find((row) => row.numero_commande === '25001')).toMatchObject({ gestion_en_stock: 1 });
    expect(commandes.find((row) => row.numero_commande === '25002')?.date_modification).toBe('2025-05-28');
    expect(commandes.find((row) => row.numero_commande === '25003')?.status).toBe('Planifiée');
    expect(commandes.find((row) => row.numero_commande === '25004')).toMatchObject({
      extension: '',
      date_modification: '2025-05-22',
    });
    const coffres = commandes.map((row) => row.coffres.join('|'));
    expect(coffres).toContain('S D 165|S P 200|S Q 18|S T 24|S TAB 30|S TN 12|SOP 185');
    expect(coffres).toContain('SOP 185|sop 185');
  });

  test('se recharge par-dessus elle-même', async () => {
    await maria.chargerDemo();
    const { compteurs } = await extraireCommandes(maria.config(), { log });
    expect(compteurs.commandes).toBe(57);
  });

  test('l’utilisateur de lecture ne peut rien lire ni faire d’autre', async () => {
    const { host, port, user, password, database } = maria.config();
    const reader = await createConnection({ host, port, user, password, database });
    const refused = [
      ...[
        'KundenNr',
        'KundenBez',
        'Kommission',
        'Bauvorhaben',
        'Techniker',
        'A_VorMwSt',
        'AuftragsTyp',
        '*',
      ].map((column) => `SELECT ${column} FROM A_Kopf`),
      ...['Benutzer', 'Code', 'Bezeichnung', 'Zeit', 'ID', '*'].map(
        (column) => `SELECT ${column} FROM A_Logbuch`,
      ),
      ...['Text', 'Kennung', 'Stueck', '*'].map((column) => `SELECT ${column} FROM P_Zubeh`),
      ...['Benutzer', 'NotizText', 'Datum', '*'].map((column) => `SELECT ${column} FROM A_Vorgang`),
      'SELECT 1 FROM A_Kopf WHERE KundenNr = 70001',
      'SELECT ID FROM A_Kopf ORDER BY KundenBez',
      'SELECT * FROM A_KopfFreie',
      'SELECT COUNT(*) FROM P_Artikel',
      'SELECT * FROM mysql.user',
      'SELECT * FROM mysql.global_priv',
      "SELECT 1 FROM A_Kopf INTO OUTFILE '/tmp/atelier-interdit'",
      "UPDATE A_Kopf SET AufStatus = 'x'",
      "INSERT INTO A_Kopf (ID, AuftragsTyp) VALUES ('x', 1)",
      'DELETE FROM A_Logbuch',
      'CREATE TABLE t (a int)',
      'CREATE TEMPORARY TABLE t (a int)',
      'CREATE INDEX i ON A_Kopf (AufStatus)',
      'DROP TABLE A_Kopf',
      'LOCK TABLES A_Kopf READ',
      'FLUSH TABLES WITH READ LOCK',
      'SHUTDOWN',
      "CREATE USER 'x'@'%'",
      'SHOW CREATE TABLE A_Kopf',
    ];
    const passed: string[] = [];
    for (const sql of refused) {
      await reader.query(sql).then(
        () => passed.push(sql),
        (error: { sqlState?: string }) => expect(error.sqlState, sql).toMatch(/^(42000|28000|HY000)$/),
      );
    }
    const [databases] = await reader.query<never[]>('SHOW DATABASES');
    const [tables] = await reader.query<never[]>('SHOW TABLES');
    await reader.end();
    expect(passed).toEqual([]);
    expect(databases.map((row) => Object.values(row)[0]).sort()).toEqual(['erp', 'information_schema']);
    expect(tables.map((row) => Object.values(row)[0]).sort()).toEqual([
      'A_Kopf',
      'A_Logbuch',
      'A_Vorgang',
      'P_Zubeh',
    ]);
  });
});
