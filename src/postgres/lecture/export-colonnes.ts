/** How a column goes into a file, by its type in PostgreSQL. */
import { FORMULA_STARTS, formulaBehind } from '../../base/csv.ts';

export type Genre =
  | 'entier'
  | 'decimal'
  | 'booleen'
  | 'date'
  | 'instant'
  /** a date and a time without a zone */
  | 'heure_locale'
  | 'liste'
  | 'texte';

export interface ColonneExportee {
  readonly nom: string;
  readonly genre: Genre;
}

/** What differs between countries in a CSV file. */
export interface Csv {
  readonly separateur: ',' | ';';
  readonly decimale: '.' | ',';
  /**
   * How instants are written. `iso`: as in JSON, with offset and fraction. `fr`: `02/06/2025 05:29:55`, the factory's
   * clock to the second, which a French spreadsheet takes for a date.
   */
  readonly instants: 'iso' | 'fr';
}

/** `DateStyle` of PostgreSQL in which it writes 02/06/2025 05:29:55. */
export const DATES_FRANCAISES = 'SQL, DMY';

/** By the numbers of PostgreSQL's own types, which never change. */
const GENRES: Readonly<Record<number, Genre>> = {
  16: 'booleen',
  ...{ 20: 'entier', 21: 'entier', 23: 'entier' },
  ...{ 700: 'decimal', 701: 'decimal', 1700: 'decimal' },
  ...{ 1082: 'date', 1114: 'heure_locale', 1184: 'instant' },
  // boolean[], smallint[], integer[], text[], varchar[], bigint[], real[], double precision[], date[], timestamptz[], numeric[], uuid[]
  ...Object.fromEntries(
    [1000, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 1182, 1185, 1231, 2951].map((oid) => [oid, 'liste']),
  ),
};

/** @param oid number of the type in `pg_type` */
export function genreDe(oid: number): Genre {
  return GENRES[oid] ?? 'texte';
}

/**
 * Text that no spreadsheet takes for a formula (src/base/csv.ts). Most have nothing behind which a cell could begin: to look
 * for that costs a tenth of what the expression does.
 */
function sansFormule(sql: string, separateur: Csv['separateur']): string {
  const other = separateur === ',' ? ';' : ',';
  const begins = [`'${other}'`, `E'\\t'`, `E'\\n'`, `E'\\r'`].map((text) => `strpos(${sql}, ${text}) > 0`);
  const inside = `regexp_replace(${sql}, '${formulaBehind(other)}', '\\1''\\2', 'g')`;
  const text = `CASE WHEN ${begins.join(' OR ')} THEN ${inside} ELSE ${sql} END`;
  return `CASE WHEN ascii(${sql}) = ANY ('{${FORMULA_STARTS.join(',')}}'::int[]) THEN '''' || ${text} ELSE ${text} END`;
}

/**
 * SQL of a column of the subquery `l` for CSV: as in JSON, but numbers as the country writes them, lists joined by
 * ` | `, and no formulas. Instants come as PostgreSQL writes them: in French those of `DATES_FRANCAISES`.
 */
export function csvSql({ nom, genre }: ColonneExportee, { separateur, decimale, instants }: Csv): string {
  const l = `l.${nom}`;
  return `${valeur()} AS ${nom}`;

  function valeur(): string {
    switch (genre) {
      case 'decimal':
        return decimale === '.' ? l : `replace(${l}::text, '.', '${decimale}')`;
      case 'booleen':
        return `${l}::text`;
      // Days stay as they are: every spreadsheet knows them.
      case 'date':
        return instants === 'fr' ? `to_char(${l}, 'YYYY-MM-DD')` : l;
      case 'instant':
      case 'heure_locale':
        return instants === 'fr' ? `date_trunc('second', ${l}::timestamp)` : l;
      case 'liste':
        return sansFormule(`array_to_string(${l}, ' | ')`, separateur);
      case 'texte':
        return sansFormule(`${l}::text`, separateur);
      default:
        return l;
    }
  }
}

/** Days since 1899-12-30 are what spreadsheets have for dates; before March 1900 theirs are wrong, so that is text. */
const FIN_DU_TABLEUR = '10000-01-01';
const DEBUT_DU_TABLEUR = '1900-03-01';

/** The form that JSON has: `2025-05-28T06:12:00+02:00`. */
const isoSql = (sql: string): string => `btrim(to_json(${sql})::text, '"')`;

/** SQL of a column of the subquery `l` for a cell of a spreadsheet. */
export function tableurSql({ nom, genre }: ColonneExportee): string {
  const l = `l.${nom}`;
  const dedans = (type: string): string =>
    `${l} >= ${type} '${DEBUT_DU_TABLEUR}' AND ${l} < ${type} '${FIN_DU_TABLEUR}'`;
  switch (genre) {
    case 'date':
      return `CASE WHEN ${dedans('date')} THEN (${l} - date '1899-12-30')::text ELSE ${l}::text END`;
    case 'instant':
    case 'heure_locale': {
      const type = genre === 'instant' ? 'timestamptz' : 'timestamp';
      const jours = `extract(epoch FROM ${l}::timestamp)::float8 / 86400 + 25569`;
      return `CASE WHEN ${dedans(type)} THEN (${jours})::text ELSE ${isoSql(l)} END`;
    }
    case 'liste':
      return `array_to_string(${l}, ' | ')`;
    default:
      return l;
  }
}
