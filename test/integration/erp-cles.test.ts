import fc from 'fast-check';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { type Extraction, extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';

const log = silentLogger();

/** How the key of the headers and that of the accessories are declared. */
interface Declaration {
  readonly entete: string;
  readonly enfant: string;
}

const utf8 = (collation: string): string => `varchar(32) CHARACTER SET utf8mb4 COLLATE ${collation}`;
const same = (type: string): Declaration => ({ entete: type, enfant: type });

const COLLATIONS = [
  'utf8mb4_general_ci',
  'utf8mb4_bin',
  'utf8mb4_nopad_bin',
  'utf8mb4_general_nopad_ci',
  'utf8mb4_unicode_ci',
  'utf8mb4_unicode_520_ci',
  'utf8mb4_unicode_nopad_ci',
  'utf8mb4_german2_ci',
  'utf8mb4_turkish_ci',
  'utf8mb4_spanish2_ci',
  'utf8mb4_uca1400_ai_ci',
  'utf8mb4_uca1400_as_cs',
  'utf8mb4_uca1400_nopad_as_cs',
];
const DECLARATIONS: readonly Declaration[] = [
  ...COLLATIONS.map((collation) => same(utf8(collation))),
  same('char(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'),
  same('varchar(32) CHARACTER SET latin1 COLLATE latin1_german2_ci'),
  same('varchar(32) CHARACTER SET latin1 COLLATE latin1_swedish_ci'),
  same('varchar(32) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci'),
  same('varchar(32) CHARACTER SET ucs2 COLLATE ucs2_general_ci'),
  same('binary(16)'),
  same('varbinary(40)'),
  { entete: 'binary(16)', enfant: 'varbinary(40)' },
  { entete: 'varbinary(40)', enfant: utf8('utf8mb4_general_ci') },
  { entete: utf8('utf8mb4_general_ci'), enfant: utf8('utf8mb4_bin') },
  { entete: utf8('utf8mb4_bin'), enfant: utf8('utf8mb4_unicode_ci') },
  { entete: utf8('utf8mb4_unicode_ci'), enfant: 'varchar(32) CHARACTER SET latin1' },
  { entete: utf8('utf8mb4_general_ci'), enfant: 'char(32) CHARACTER SET utf8mb3' },
];

/** Keys that some collation takes for others: case, accents, ß, blanks, what weighs nothing, what weighs twice. */
const PIECES = [
  'K',
  'k',
  'é',
  'e',
  'E\u0301',
  'ß',
  'ss',
  'S',
  'ä',
  'ae',
  'ñ',
  'n',
  'ı',
  'I',
  'i',
  'İ',
  '1',
  ' ',
  ' ',
  '\t',
];
const RARE = [
  '\u00ad',
  '\u00a0',
  '\u3000',
  '\0',
  '\u0001',
  '-',
  '😀',
  '🎉',
  '\ufdfa',
  'ﬃ',
  '\u200b',
  '\u0301',
];
const key = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...PIECES) }, fc.constantFrom(...RARE)), {
    maxLength: 5,
  })
  .map((pieces) => pieces.join(''));

describe.skipIf(SANS_MARIADB)('les clés sont égales quand l’ERP le dit', () => {
  let maria: MariadbDeTest;
  const lire = (): Promise<Extraction> => extraireCommandes(maria.config({ database: 'cles' }), { log });
  const declarer = async ({ entete, enfant }: Declaration): Promise<void> => {
    await maria.creerErp('cles');
    await maria.admin.query(
      `SET SESSION sql_mode = ''; ALTER TABLE A_Kopf MODIFY ID ${entete} NOT NULL;
       ALTER TABLE P_Zubeh MODIFY ID_A_Kopf ${enfant} NULL; ALTER TABLE A_Logbuch MODIFY ID_A_Kopf ${enfant} NULL;
       ALTER TABLE A_Vorgang MODIFY ID_A_Kopf ${enfant} NULL`,
    );
  };
  /** Headers and children under these keys; a duplicate of a header, as this collation sees it, is left out. */
  const remplir = async (entetes: readonly unknown[], enfants: readonly unknown[]): Promise<void> => {
    for (const table of ['A_Kopf', 'P_Zubeh', 'A_Logbuch', 'A_Vorgang']) {
      await maria.admin.query(`DELETE FROM ${table}`);
    }
    for (const [at, id] of entetes.entries()) {
      await maria.admin.query(
        "INSERT IGNORE INTO A_Kopf (ID, AuftragsTyp, AuNummer, AufStatus) VALUES (?, 1, ?, 'Planifiée')",
        [id, at],
      );
    }
    for (const [at, id] of enfants.entries()) {
      await maria.admin.query('INSERT INTO P_Zubeh (ID_A_Kopf, ZCode) VALUES (?, ?)', [id, `SOP ${at}`]);
      await maria.admin.query(
        "INSERT INTO A_Logbuch (ID_A_Kopf, Datum, Notiz) VALUES (?, ?, 'cde Planifiée')",
        [id, `2025-01-${String(at + 1).padStart(2, '0')}`],
      );
      if (at % 2 === 0)
        await maria.admin.query("INSERT INTO A_Vorgang (ID_A_Kopf, Nummer) VALUES (?, 'VR')", [id]);
    }
  };
  /** What the ERP's own join makes of the three child tables. */
  const jointure = async (compare: (child: string) => string): Promise<unknown[]> => {
    const [rows] = await maria.admin.query<RowDataPacket[]>(
      `SELECT CAST(k.AuNummer AS CHAR) AS numero,
              GROUP_CONCAT(DISTINCT BINARY z.ZCode ORDER BY BINARY z.ZCode SEPARATOR '|') AS coffres,
              DATE_FORMAT(MAX(l.Datum), '%Y-%m-%d') AS jour, MAX(v.Nummer IS NOT NULL) AS stock
         FROM A_Kopf k JOIN P_Zubeh z ON k.ID = ${compare('z.ID_A_Kopf')}
         JOIN A_Logbuch l ON k.ID = ${compare('l.ID_A_Kopf')}
         LEFT JOIN A_Vorgang v ON k.ID = ${compare('v.ID_A_Kopf')} GROUP BY k.AuNummer`,
    );
    return rows
      .map((row) => [row['numero'], String(row['coffres']), row['jour'], Number(row['stock'])])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  };
  const rendues = ({ commandes }: Extraction): unknown[] =>
    commandes.map((row) => [
      row.numero_commande,
      row.coffres.join('|'),
      row.date_modification,
      row.gestion_en_stock,
    ]);
  /** The collation of `A_Kopf.ID` decides where the two differ, as the contract says. */
  const comparaison = ({ entete, enfant }: Declaration): ((child: string) => string) => {
    const [, charset, collation] = /CHARACTER SET (\w+)(?: COLLATE (\w+))?/.exec(entete) ?? [];
    if (entete === enfant || !collation || /binary/.test(enfant)) return (child) => child;
    return (child) => `CONVERT(${child} USING ${charset}) COLLATE ${collation}`;
  };

  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
  });
  afterAll(() => maria?.arreter());

  test.each([
    ['aB3x et AB3X, binaire', same(utf8('utf8mb4_bin')), ['aB3x', 'AB3X'], ['AB3X', 'aB3x', 'ab3x']],
    ['aB3x et AB3X, sans casse', same(utf8('utf8mb4_general_ci')), ['aB3x'], ['AB3X', 'aB3x', 'ab3x']],
    [
      'ß et SS',
      same(utf8('utf8mb4_unicode_ci')),
      ['STRASSE1', 'STRASE1'],
      ['STRAßE1', 'strasse1', 'STRASE1'],
    ],
    ['ß et S', same(utf8('utf8mb4_general_ci')), ['STRASSE1', 'STRASE1'], ['STRAßE1', 'strasse1']],
    ['blanc final, compté', same(utf8('utf8mb4_nopad_bin')), ['K1', 'K1 '], ['K1', 'K1 ', 'K1  ']],
    ['blanc final, omis', same(utf8('utf8mb4_bin')), ['K1'], ['K1', 'K1 ', 'K1  ', 'K1\t']],
    [
      'BINARY(16)',
      same('binary(16)'),
      [Buffer.from('ff00fe', 'hex'), Buffer.from('fe00ff', 'hex')],
      [Buffer.from('fe00ff', 'hex'), Buffer.from('ff00fe', 'hex'), Buffer.from('efbfbd', 'hex')],
    ],
    ['clé vide et clé nulle', same(utf8('utf8mb4_general_ci')), [''], [null, '', ' ']],
    ['entiers', same('int(10) unsigned zerofill'), [7, 4_000_000_000], [4_000_000_000, 7, 8]],
    ['entier et texte', { entete: 'int', enfant: 'varchar(32)' }, [7, 8], ['007', '7', ' 8', '9']],
  ] as const)('%s', async (_name, declaration, entetes, enfants) => {
    await declarer(declaration);
    await remplir(entetes, enfants);
    const expected = await jointure((child) => child);
    expect(rendues(await lire())).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
  });

  test.each(DECLARATIONS)(
    '$entete, $enfant : clés tirées au sort, comparées à la jointure',
    async (declaration) => {
      await declarer(declaration);
      const compare = comparaison(declaration);
      await fc.assert(
        fc.asyncProperty(
          fc.array(key, { minLength: 1, maxLength: 6 }),
          fc.array(key, { minLength: 1, maxLength: 8 }),
          async (entetes, others) => {
            await remplir(entetes, [...entetes.slice(0, 3), ...others]);
            expect(rendues(await lire())).toEqual(await jointure(compare));
          },
        ),
        { numRuns: 8 },
      );
    },
    120_000,
  );
});
