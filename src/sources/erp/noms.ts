import type { ErpSession, Valeur } from './session.ts';

/** What the catalogue says of a table or view that a SELECT would find. */
export interface TableTrouvee {
  /** name as the server has it */
  readonly nom: string;
  readonly vue: boolean;
  /** storage engine, of tables */
  readonly moteur: string;
}

/** What stands for a name of ours in the ERP; `candidats`: several that differ in case only, none of them exact. */
export type Trouvee = TableTrouvee | { readonly candidats: readonly string[] } | undefined;

/**
 * The table or view that `SELECT … FROM table` would read: the exact name first, else a single one that differs in
 * case only. The catalogue compares names of databases without case, so the rows of another database that differs in
 * case only are passed over.
 *
 * @param base the current database, as the server has it
 * @throws AtelierError ATL_E404 to ATL_E407
 */
export async function trouverTable(session: ErpSession, base: string, table: string): Promise<Trouvee> {
  const rows = await session.lire(
    `contrôle de la table ${table}`,
    `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = DATABASE() AND LOWER(TABLE_NAME) = LOWER(?)`,
    [table],
  );
  const here = deLaBase(rows, base);
  const row = here.find((found) => found[1] === table) ?? (here.length === 1 ? here[0] : undefined);
  if (row) return { nom: row[1] ?? '', vue: /view/i.test(row[2] ?? ''), moteur: row[3] ?? '' };
  return here.length === 0 ? undefined : { candidats: here.map((found) => found[1] ?? '').sort() };
}

/** The rows of exactly this database (first column), or, when there are none, all. */
export function deLaBase(rows: readonly Valeur[][], base: string): readonly Valeur[][] {
  const exact = rows.filter((row) => row[0] === base);
  return exact.length > 0 ? exact : rows;
}
