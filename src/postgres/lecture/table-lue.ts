/** What the API may read of a table: the columns of its contract, and what may be asked of them. */

/** A condition that a query parameter adds; `$` stands for its value. */
export interface Filtre {
  /** SQL over the alias `t`, with `$` where the value goes (any number of times) */
  readonly sql: string;
  /** SQL for single values, without `$`: where some are so rare that they need a plan of their own */
  readonly parValeur?: Readonly<Record<string, string>>;
  /** the same as a condition on the centre `c` of a row, where it is one */
  readonly surCentre?: string;
}

/** A column that a list may be sorted by. */
export interface ColonneTriee {
  readonly sql: string;
  readonly nullable?: true;
  /**
   * Of a column made of several, such as an id written `12-345`: what an index has instead of `sql`, and how each is
   * had from the text of a position (`$`).
   */
  readonly parties?: readonly { readonly sql: string; readonly position: string }[];
}

export interface TableLue {
  /** name of the table */
  readonly nom: string;
  /** what is read, with the alias `t` for the rows of the table */
  readonly from: string;
  /** columns of the answer, in the order of the contract: name, and SQL where it is not `t.name` */
  readonly colonnes: readonly (readonly [nom: string, sql?: string])[];
  /** query parameters that restrict the list */
  readonly filtres: Readonly<Record<string, Filtre>>;
  /**
   * Columns that a list may be sorted by; all are columns of the answer. `nullable` ones sort their NULL last
   * when ascending, as PostgreSQL does.
   */
  readonly tri: Readonly<Record<string, ColonneTriee>>;
  /** what of `from` decides how many rows there are, when that is less than all of it */
  readonly fromCompte?: string;
  /**
   * Of tables that grow with every piece: the column of instants that an index has after the centre, before `id`. There
   * is no such index without the centre, because each index of these tables is paid for by every import.
   */
  readonly instantParCentre?: string;
}

/** Centres are few: an index that begins with the centre answers for all of them, too. */
const TOUS_LES_CENTRES = 't.centre_usinage_id = ANY (ARRAY(SELECT c.id FROM centre_usinage c))';
/** Filters that restrict the rows of a table with `instantParCentre` to some centres, or to fewer. */
const LIEUX = ['centre_usinage_id', 'type_cu', 'session_id'];
/** Filters that give a range. */
export const DATES = ['date_debut', 'date_fin', 'date_fin_exclue'];

export interface Tri {
  readonly colonne: string;
  readonly sens: 'asc' | 'desc';
}

/** Values that go with a statement, in order of their `$n`. */
export class Parametres {
  readonly valeurs: unknown[] = [];

  /** Adds a value; returns its placeholder. */
  add(valeur: unknown): string {
    this.valeurs.push(valeur);
    return `$${this.valeurs.length}`;
  }
}

const listes = new WeakMap<TableLue, string>();

/** The SELECT list in the order of the contract. */
export function colonnesSql(table: TableLue): string {
  let liste = listes.get(table);
  if (liste === undefined) {
    liste = table.colonnes
      .map(([nom, sql]) => (sql === undefined ? `t.${nom}` : `${sql} AS ${nom}`))
      .join(', ');
    listes.set(table, liste);
  }
  return liste;
}

/**
 * Conditions of the filters that are given, none without. Unknown names are a mistake of ours, never of a client.
 *
 * @param options `unCentre`: whoever asks adds that the rows are of one centre
 */
export function conditionsSql(
  table: TableLue,
  filtres: Readonly<Record<string, unknown>>,
  parametres: Parametres,
  options: { readonly unCentre?: boolean } = {},
): string[] {
  const conditions: string[] = [];
  for (const [nom, valeur] of Object.entries(filtres)) {
    if (valeur === undefined) continue;
    const filtre = table.filtres[nom];
    if (!filtre) throw new TypeError(`${table.nom} : filtre inconnu ${nom}`);
    const own = filtre.parValeur?.[String(valeur)];
    if (own !== undefined) {
      conditions.push(own);
      continue;
    }
    const place = parametres.add(valeur);
    // A function: `$1` in a replacement text would be read as a pattern.
    conditions.push(filtre.sql.replaceAll('$', () => place));
  }
  if (table.instantParCentre && !options.unCentre && donne(filtres, DATES) && !donne(filtres, LIEUX)) {
    conditions.push(TOUS_LES_CENTRES);
  }
  return conditions;
}

/** Whether one of these filters is given. */
export function donne(filtres: Readonly<Record<string, unknown>>, noms: readonly string[]): boolean {
  return noms.some((nom) => filtres[nom] !== undefined);
}

export function whereSql(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/** The order of a list, always total: `id` breaks ties, in the direction of the last column. */
export function ordreComplet(tri: readonly Tri[]): readonly Tri[] {
  if (tri.some(({ colonne }) => colonne === 'id')) return tri;
  return [...tri, { colonne: 'id', sens: tri.at(-1)?.sens ?? 'asc' }];
}

export function ordreSql(table: TableLue, ordre: readonly Tri[]): string {
  return ordre
    .flatMap(({ colonne, sens }) => {
      const { sql, parties } = triSql(table, colonne);
      return (parties ?? [{ sql }]).map((partie) => `${partie.sql} ${sens.toUpperCase()}`);
    })
    .join(', ');
}

export function triSql(table: TableLue, colonne: string): ColonneTriee {
  const found = table.tri[colonne];
  if (!found) throw new TypeError(`${table.nom} : tri inconnu ${colonne}`);
  return found;
}
