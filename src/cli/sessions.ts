import { parseArgs } from 'node:util';
import { FactoryTime } from '../base/time.ts';
import { listSessions, type SessionListee } from '../postgres/listes.ts';
import type { Cli } from './cli.ts';
import { openPool } from './open.ts';
import { date, FORMAT_OPTIONS, formatOf, positive, printRows, type TableColumn } from './table.ts';

export const summary = 'liste les sessions de production';
export const usage = `Usage : npx atelier sessions [--centre NOM] [--du AAAA-MM-JJ] [--au AAAA-MM-JJ] [--limite N] [--json | --csv | --excel]

Une ligne par centre et journée de production, la plus récente d’abord (50 lignes sauf --limite).
Durées en heures décimales, taux en % de la fenêtre entre première et dernière pièce.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      centre: { type: 'string' },
      du: { type: 'string' },
      au: { type: 'string' },
      limite: { type: 'string' },
      ...FORMAT_OPTIONS,
    },
  });
  const format = formatOf(values);
  const filtre = {
    centre: values.centre,
    du: date('du', values.du),
    au: date('au', values.au),
    limite: positive('limite', values.limite, format === 'table' ? 50 : 1_000_000),
  };
  const rows = await listSessions(await openPool(cli), filtre);
  printRows(cli, format, sessionColumns(new FactoryTime(cli.config.fuseau)), rows);
  if (rows.length === 0 && format === 'table')
    cli.err(
      (values.centre ?? values.du ?? values.au)
        ? 'Aucune session de ce centre ou de ces dates (`npx atelier sessions` les montre toutes).'
        : 'Aucune session : `npx atelier ingest` lit les journaux.',
    );
  if (rows.length === filtre.limite && format === 'table')
    cli.err(`… ${rows.length} premières lignes (--limite N pour plus).`);
  return 0;
}

/** The columns of the sessions' table, also used by the demonstration. */
export function sessionColumns(time: FactoryTime): TableColumn<SessionListee>[] {
  const instant = (value: number | null): string | null => (value === null ? null : time.format(value));
  const hour = (value: number | null): string => (value === null ? '—' : time.formatTime(value));
  return [
    { key: 'id', title: 'Session', align: 'right', value: (s) => s.id },
    { key: 'centre', title: 'Centre', value: (s) => s.centre },
    { key: 'date_production', title: 'Journée', value: (s) => s.date_production },
    { key: 'total_pieces', title: 'Pièces', align: 'right', value: (s) => s.total_pieces },
    {
      key: 'heure_premiere_piece',
      title: 'Première',
      value: (s) => instant(s.heure_premiere_piece),
      text: (s) => hour(s.heure_premiere_piece),
    },
    {
      key: 'heure_derniere_piece',
      title: 'Dernière',
      value: (s) => instant(s.heure_derniere_piece),
      text: (s) => hour(s.heure_derniere_piece),
    },
    figure('duree_production_totale', 'Fenêtre h'),
    figure('temps_attente', 'Attente h'),
    figure('temps_arret_volontaire', 'Arrêt h'),
    figure('temps_production_effectif', 'Effectif h'),
    figure('taux_occupation', 'Occup. %'),
    figure('taux_attente', 'Attente %'),
    figure('taux_arret_volontaire', 'Arrêt %'),
    { key: 'fichier_log_source', title: 'Fichier', value: (s) => s.fichier_log_source, dataOnly: true },
  ];
}

type FigureKey = {
  [K in keyof SessionListee]: SessionListee[K] extends string ? K : never;
}[keyof SessionListee];

function figure(key: FigureKey, title: string): TableColumn<SessionListee> {
  // Hours give way where there is little room: the rates say the same, for days of any length.
  const wide = key.startsWith('taux_') ? {} : { wide: true as const };
  return { key, title, align: 'right', value: (s) => Number(s[key]), text: (s) => s[key], ...wide };
}
