import { parseArgs } from 'node:util';
import { RAISONS } from '../domain/journal/events.ts';
import { countRejets, listRejets, type RejetListe, type RejetsParRaison } from '../postgres/listes.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { FORMAT_OPTIONS, formatOf, positive, printRows, type TableColumn } from './table.ts';

export const summary = 'liste les lignes en quarantaine, avec fichier, ligne et raison';
export const usage = `Usage : npx atelier rejets [--centre NOM] [--raison RAISON] [--fichier CHEMIN] [--limite N] [--json | --csv | --excel]
       npx atelier rejets --par-raison [--centre NOM] [--json | --csv | --excel]

Les lignes des journaux qu’on n’a pas pu utiliser : elles sont gardées, jamais perdues.
Raisons : ${RAISONS.join(', ')}.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      centre: { type: 'string' },
      raison: { type: 'string' },
      fichier: { type: 'string' },
      limite: { type: 'string' },
      'par-raison': { type: 'boolean' },
      ...FORMAT_OPTIONS,
    },
  });
  const format = formatOf(values);
  if (values.raison !== undefined && !(RAISONS as readonly string[]).includes(values.raison)) {
    throw new UsageError(`--raison : attendu l’une de ${RAISONS.join(', ')}, reçu « ${values.raison} »`);
  }
  const limite = positive('limite', values.limite, format === 'table' ? 50 : 1_000_000);
  const pool = await openPool(cli);
  if (values['par-raison']) {
    printRows(cli, format, COUNTS, await countRejets(pool, values.centre));
    return 0;
  }
  const rows = await listRejets(pool, {
    centre: values.centre,
    raison: values.raison,
    chemin: values.fichier,
    limite,
  });
  printRows(cli, format, COLUMNS, rows);
  if (rows.length === limite && format === 'table')
    cli.err(`… ${limite} premières lignes (--limite N pour plus).`);
  return 0;
}

const COUNTS: TableColumn<RejetsParRaison>[] = [
  { key: 'centre', title: 'Centre', value: (r) => r.centre },
  { key: 'raison', title: 'Raison', value: (r) => r.raison },
  { key: 'nombre', title: 'Lignes', align: 'right', value: (r) => r.nombre },
];

const COLUMNS: TableColumn<RejetListe>[] = [
  { key: 'centre', title: 'Centre', value: (r) => r.centre },
  { key: 'chemin', title: 'Fichier', value: (r) => r.chemin },
  { key: 'ligne', title: 'Ligne', align: 'right', value: (r) => r.ligne },
  { key: 'octet', title: 'Octet', align: 'right', value: (r) => r.octet, dataOnly: true },
  { key: 'raison', title: 'Raison', value: (r) => r.raison },
  {
    key: 'texte',
    title: 'Texte',
    value: (r) => r.texte,
    text: (r) => (r.texte.length > 60 ? `${r.texte.slice(0, 59)}…` : r.texte),
  },
  { key: 'sha256', title: 'SHA-256', value: (r) => r.sha256, dataOnly: true },
];
