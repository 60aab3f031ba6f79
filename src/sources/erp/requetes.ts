/**
 * The four reads of the extraction: one pass over each table, no join, no grouping, no temporary table.
 *
 * Each filter lets through at least what the rules of `domain/commandes` select; the rules themselves are
 * applied to what arrives. `docs/erp.md` has the plans and the measurements.
 */

/** Expression by which a text column is compared, by `TABLE.COLUMN`; the column itself when absent. */
export type Expressions = ReadonlyMap<string, string>;

export interface Requete {
  readonly nom: 'entetes' | 'accessoires' | 'notes' | 'operations';
  readonly sql: string;
}

/**
 * Texts that `LIKE` cannot judge and the rules may still select: a letter that starts a twice-encoded one,
 * followed by another character that is not ASCII; a combining accent; the Angstrom sign. `é` is no such
 * letter, so a correct French text hardly ever passes here. Understood alike by MariaDB (PCRE) and MySQL 8 (ICU);
 * linear in the length of the text.
 */
const A_VERIFIER =
  "REGEXP '(?-i)[\\\\x{C3}-\\\\x{C9}\\\\x{CC}\\\\x{CD}\\\\x{E1}][^\\\\x{00}-\\\\x{7F}]|[\\\\x{300}-\\\\x{36F}\\\\x{212B}]'";

const COFFRES = ['SOP%', 'S P %', 'S D %', 'S Q %', 'S T %', 'S TAB %', 'S TN %'];

/** The reads, in the order in which `CollecteCommandes` wants their rows. */
export function requetes(expressions: Expressions): readonly Requete[] {
  const of = (table: string, column: string): string => expressions.get(`${table}.${column}`) ?? column;
  const like = (text: string, pattern: string): string => `${text} LIKE '${pattern}'`;
  const status = of('A_Kopf', 'AufStatus');
  const code = of('P_Zubeh', 'ZCode');
  const note = of('A_Logbuch', 'Notiz');
  const number = of('A_Vorgang', 'Nummer');
  const anyStatus = ['%planifiee%', '%lancer en prod%', '%vitrage%'].map((p) => like(status, p));
  const anyCode = COFFRES.map((pattern) => like(code, pattern)).join(' OR ');
  return [
    {
      nom: 'entetes',
      sql: `SELECT ID, AuNummer, AuAlpha, AufStatus FROM A_Kopf WHERE ${anyStatus.join(' OR ')} OR ${status} ${A_VERIFIER}`,
    },
    { nom: 'accessoires', sql: `SELECT ID_A_Kopf, ZCode FROM P_Zubeh WHERE ${anyCode}` },
    {
      nom: 'notes',
      sql: `SELECT ID_A_Kopf, Datum, Notiz FROM A_Logbuch WHERE ${like(note, '%cde planifiee%')} OR ${note} ${A_VERIFIER}`,
    },
    { nom: 'operations', sql: `SELECT ID_A_Kopf, Nummer FROM A_Vorgang WHERE ${like(number, '%VR%')}` },
  ];
}
