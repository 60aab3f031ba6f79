import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { CommandeVoletRoulant } from '../../src/domain/commandes/commande.ts';
import type { ErpOrder } from '../../test/harness/erp-generator.ts';
import type { MariadbDeTest } from '../../test/harness/mariadb.ts';
import { commandesAttendues } from '../../test/reference/commandes.ts';
import { reduceSeedRows, SEED_QUERY, type SeedRow } from './seed-query.ts';

/** Whether the extraction, the reference and the query (reduced to one row an order) say the same. */
export async function sameOrders(
  ours: readonly CommandeVoletRoulant[],
  orders: () => Iterable<ErpOrder>,
  admin: { host: string; port: number; user: string; password: string; database: string },
): Promise<boolean> {
  const { host, port, user, password, database } = admin;
  const connection = await createConnection({ host, port, user, password, database, dateStrings: true });
  const [rows] = await connection.query<(SeedRow & RowDataPacket)[]>(SEED_QUERY);
  await connection.end();
  const show = (c: Omit<CommandeVoletRoulant, 'gestion_en_stock'> & { gestion_en_stock: number }): string =>
    JSON.stringify([
      JSON.stringify([c.numero_commande, c.extension]),
      c.status,
      c.date_modification,
      c.coffres,
      c.gestion_en_stock,
    ]);
  const found = ours.map(show).sort().join('\n');
  const reference = commandesAttendues([...orders()])
    .map(show)
    .sort()
    .join('\n');
  return found === reference && found === reduceSeedRows(rows).join('\n');
}

/** Rows of the five child tables. */
export async function childRows(maria: MariadbDeTest): Promise<number> {
  let sum = 0;
  for (const name of ['A_Logbuch', 'P_Zubeh', 'A_Vorgang', 'A_KopfFreie', 'P_Artikel']) {
    const [rows] = await maria.admin.query<RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${name}`);
    sum += Number(rows[0]!['n']);
  }
  return sum;
}

/** Every row of the orders and of their history: its table, its place and the transaction that wrote it. */
export async function physicalRows(url: string): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ r: string }>(
      `SELECT 'c' || ctid || xmin AS r FROM commandes_volets_roulants
        UNION ALL SELECT 'h' || ctid || xmin FROM commande_historique`,
    );
    return new Set(rows.map((row) => row.r));
  } finally {
    await client.end();
  }
}
