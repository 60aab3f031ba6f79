import { colonnesSql, type TableLue } from './table-lue.ts';

/**
 * Rows as JSON, read column by column. `row_to_json` looks up the type of every value of every row and writes every
 * name with it; an aggregate of one column looks its type up once. So PostgreSQL writes an array for each column, and
 * its values are put between the names here as they are: byte for byte what `row_to_json` gives. Only for columns of
 * numbers, texts, instants, dates and booleans.
 */
export interface Colonnes {
  /** SELECT that gives one row of `nombre` texts, all NULL when there are no rows */
  readonly sql: string;
  readonly nombre: number;
  /**
   * The rows as the inside of a JSON array.
   *
   * @param textes what `sql` gave
   * @param fixes JSON of each of the columns `fixes`
   * @param usuelles JSON of each of the columns `usuelles`
   */
  json(
    textes: readonly (string | null)[],
    fixes: Readonly<Record<string, string>>,
    usuelles: Readonly<Record<string, string>>,
  ): string;
}

/**
 * @param lignes FROM clause with all that follows it, the rows of the table being `t`
 * @param fixes columns that have the same value in all rows, known to who asks: they are not read
 * @param usuelles columns, never NULL, that as a rule have a value known to who asks, with its SQL: it is not written
 */
export function parColonnes(
  table: TableLue,
  lignes: string,
  fixes: readonly string[],
  usuelles: Readonly<Record<string, string>>,
): Colonnes {
  const noms = table.colonnes.map(([nom]) => nom);
  const lus = noms.filter((nom) => !fixes.includes(nom));
  const colonne = (nom: string): string => {
    const usuelle = usuelles[nom];
    return usuelle === undefined ? `d.${nom}` : `nullif(d.${nom}, ${usuelle})`;
  };
  return {
    sql: `SELECT ${lus.map((nom) => `json_agg(${colonne(nom)})::text AS ${nom}`).join(', ')}
      FROM (SELECT ${colonnesSql(table)} ${lignes}) d`,
    nombre: lus.length,
    json(textes, valeursFixes, valeursUsuelles) {
      const premier = textes[0];
      if (premier == null) return '';
      const n = valeurs(premier).length;
      const devant: string[] = [];
      let texte = '{';
      for (const [i, nom] of noms.entries()) {
        texte += `${i === 0 ? '' : ','}"${nom}":`;
        if (fixes.includes(nom)) {
          texte += valeursFixes[nom]!;
        } else {
          devant.push(texte);
          texte = '';
        }
      }
      const fin = `${texte}}`;
      const colonnes = lus.map((nom, c) => {
        const usuelle = valeursUsuelles[nom];
        const lues = valeurs(textes[c]!, n);
        return usuelle === undefined ? lues : lues.map((valeur) => (valeur === 'null' ? usuelle : valeur));
      });
      let json = '';
      for (let i = 0; i < n; i++) {
        if (i > 0) json += ',';
        for (let c = 0; c < colonnes.length; c++) json += devant[c]! + colonnes[c]![i]!;
        json += fin;
      }
      return json;
    },
  };
}

/** The values of a JSON array of PostgreSQL, as JSON texts. */
function valeurs(tableau: string, nombre?: number): string[] {
  const morceaux = tableau.slice(1, -1).split(', ');
  if (nombre === undefined || morceaux.length === nombre) return morceaux;
  // More pieces than values: some texts have the separator in them. Only texts can, and JavaScript writes them as
  // PostgreSQL does.
  return (JSON.parse(tableau) as (string | null)[]).map((valeur) => JSON.stringify(valeur));
}
