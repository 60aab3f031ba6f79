import { parseArgs } from 'node:util';
import { FactoryTime } from '../base/time.ts';
import { type CommandeListee, lastSync, listCommandes } from '../postgres/commandes.ts';
import type { Cli } from './cli.ts';
import { openPool } from './open.ts';
import { FORMAT_OPTIONS, formatOf, positive, printRows, type TableColumn } from './table.ts';

export const summary = 'liste les commandes de volets roulants';
export const usage = `Usage : npx atelier commandes [--status STATUT] [--limite N] [--json | --csv | --excel]

Les commandes enregistrées, la plus récente d’abord (50 sauf --limite).`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { status: { type: 'string' }, limite: { type: 'string' }, ...FORMAT_OPTIONS },
  });
  const format = formatOf(values);
  const limite = positive('limite', values.limite, format === 'table' ? 50 : 1_000_000);
  const pool = await openPool(cli);
  const rows = await listCommandes(pool, { status: values.status, limite });
  printRows(cli, format, COMMANDE_COLUMNS, rows);
  if (format !== 'table') return 0;
  const last = await lastSync(pool);
  cli.err(
    last === null
      ? 'Jamais synchronisées : `npx atelier sync`.'
      : `Synchronisées le ${new FactoryTime(cli.config.fuseau).format(Math.floor(last))}.`,
  );
  if (rows.length === limite) cli.err(`… ${limite} premières lignes (--limite N pour plus).`);
  return 0;
}

export const COMMANDE_COLUMNS: TableColumn<CommandeListee>[] = [
  { key: 'id', title: 'Id', align: 'right', value: (c) => c.id },
  { key: 'numero_commande', title: 'Commande', value: (c) => c.numero_commande },
  { key: 'extension', title: 'Ext.', value: (c) => c.extension },
  { key: 'status', title: 'Statut', value: (c) => c.status },
  { key: 'date_modification', title: 'Planifiée le', value: (c) => c.date_modification },
  { key: 'coffre', title: 'Coffre', value: (c) => c.coffre },
  { key: 'coffres', title: 'Coffres', value: (c) => c.coffres.join('|'), wide: true },
  {
    key: 'gestion_en_stock',
    title: 'Stock',
    value: (c) => c.gestion_en_stock,
    text: (c) => (c.gestion_en_stock ? 'oui' : 'non'),
  },
  { key: 'origine', title: 'Origine', value: (c) => c.origine },
];
