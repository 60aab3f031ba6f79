/**
 * The four reads of the extraction: one pass over each table, no join, no grouping, no temporary table.
 *
 * Each filter lets through at least what the rules of `domain/commandes` select; the rules themselves are
 * applied to what arrives. `docs/erp.md` has the plans and the measurements.
 */

/** The ERP as it was found: how each table, column and key of `schema.ts` is written in SQL there. */
export interface Source {
  /** name of the table or view, by its name in `schema.ts` */
  readonly tables: ReadonlyMap<string, string>;
  /** name of the column, by `TABLE.COLUMN` */
  readonly colonnes: ReadonlyMap<string, string>;
  /** expression by which a text column is read and compared; the column itself when absent */
  readonly textes: ReadonlyMap<string, string>;
  /** expression of a key, the same text exactly for keys that the ERP takes for equal; the column when absent */
  readonly cles: ReadonlyMap<string, string>;
  /** what names an order to a person */
  readonly id: string;
}

export interface Requete {
  readonly nom: 'entetes' | 'accessoires' | 'notes' | 'operations';
  readonly sql: string;
  /** how many rows `sql` must give: the same condition, asked in the same snapshot */
  readonly compte: string;
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
export function requetes(source: Source): readonly Requete[] {
  const column = (name: string): string => source.colonnes.get(name) ?? name.split('.')[1]!;
  const texte = (name: string): string => source.textes.get(name) ?? column(name);
  const cle = (name: string): string => source.cles.get(name) ?? column(name);
  const read = (nom: Requete['nom'], table: string, columns: readonly string[], where: string): Requete => {
    const from = `FROM ${source.tables.get(table) ?? table} WHERE ${where}`;
    return { nom, sql: `SELECT ${columns.join(', ')} ${from}`, compte: `SELECT COUNT(*) ${from}` };
  };
  const like = (text: string, pattern: string): string => `${text} LIKE '${pattern}'`;
  const status = texte('A_Kopf.AufStatus');
  const code = texte('P_Zubeh.ZCode');
  const note = texte('A_Logbuch.Notiz');
  const number = texte('A_Vorgang.Nummer');
  const anyStatus = ['%planifiee%', '%lancer en prod%', '%vitrage%'].map((p) => like(status, p));
  const anyCode = COFFRES.map((pattern) => like(code, pattern));
  return [
    read(
      'entetes',
      'A_Kopf',
      [cle('A_Kopf.ID'), source.id, column('A_Kopf.AuNummer'), texte('A_Kopf.AuAlpha'), status],
      `${anyStatus.join(' OR ')} OR ${status} ${A_VERIFIER}`,
    ),
    read('accessoires', 'P_Zubeh', [cle('P_Zubeh.ID_A_Kopf'), code], anyCode.join(' OR ')),
    read(
      'notes',
      'A_Logbuch',
      [cle('A_Logbuch.ID_A_Kopf'), column('A_Logbuch.Datum'), note],
      `${like(note, '%cde planifiee%')} OR ${note} ${A_VERIFIER}`,
    ),
    read('operations', 'A_Vorgang', [cle('A_Vorgang.ID_A_Kopf'), number], like(number, '%VR%')),
  ];
}
