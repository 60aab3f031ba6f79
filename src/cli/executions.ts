import { parseArgs } from 'node:util';
import { NOMS_TACHES } from '../base/config/planification.ts';
import { FactoryTime } from '../base/time.ts';
import { ETATS, type ExecutionListee, listerExecutions } from '../postgres/taches/listes-executions.ts';
import { type Cli, UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { FORMAT_OPTIONS, formatOf, positive, printRows, type TableColumn } from './table.ts';
import { nombre } from './text.ts';

/** What is noted as a run: the tasks, and what only a command does. */
const NOMS: readonly string[] = [...NOMS_TACHES, 'restauration', 'reconstruction'];

export const summary = 'liste les passages des tâches, le dernier d’abord';
export const usage = `Usage : npx atelier executions [--tache NOM] [--etat ÉTAT] [--limite N] [--json | --csv | --excel]

Chaque passage d’une tâche, quel que soit ce qui l’a lancée : une commande, une échéance, une demande. Un passage
échoué est réessayé (TACHE_ESSAIS) ; « 2/5 » : deuxième essai de cinq.
Tâches : ${NOMS.join(', ')}.
États : ${ETATS.join(', ')}.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      tache: { type: 'string' },
      etat: { type: 'string' },
      limite: { type: 'string' },
      ...FORMAT_OPTIONS,
    },
  });
  const format = formatOf(values);
  if (values.etat !== undefined && !(ETATS as readonly string[]).includes(values.etat)) {
    throw new UsageError(`--etat : attendu l’un de ${ETATS.join(', ')}, reçu « ${values.etat} »`);
  }
  if (values.tache !== undefined && !NOMS.includes(values.tache)) {
    throw new UsageError(`--tache : attendu l’une de ${NOMS.join(', ')}, reçu « ${values.tache} »`);
  }
  const limite = positive('limite', values.limite, format === 'table' ? 20 : 1000);
  const pool = await openPool(cli);
  const rows = await listerExecutions(pool, { tache: values.tache, etat: values.etat, limite });
  printRows(cli, format, columns(new FactoryTime(cli.config.fuseau)), rows);
  if (rows.length === limite && format === 'table') cli.err(`… ${limite} derniers (--limite N pour plus).`);
  return 0;
}

function columns(time: FactoryTime): TableColumn<ExecutionListee>[] {
  const instant = (seconds: number | null): string | null => (seconds === null ? null : time.format(seconds));
  const court = (text: string | null): string => text?.slice(0, 19).replace('T', ' ') ?? '';
  const essai = (e: ExecutionListee): string =>
    e.tentatives_max === null ? '' : `${e.tentative}/${e.tentatives_max}`;
  return [
    { key: 'id', title: 'Id', align: 'right', value: (e) => e.id },
    { key: 'tache', title: 'Tâche', value: (e) => e.tache },
    { key: 'etat', title: 'État', value: (e) => e.etat },
    { key: 'declencheur', title: 'Déclencheur', value: (e) => e.declencheur },
    { key: 'essai', title: 'Essai', align: 'right', value: essai },
    { key: 'debut', title: 'Début', value: (e) => instant(e.debut), text: (e) => court(instant(e.debut)) },
    {
      key: 'duree_secondes',
      title: 'Durée (s)',
      align: 'right',
      value: (e) => e.duree_secondes,
      text: (e) => (e.duree_secondes === null ? '' : nombre(e.duree_secondes, 1)),
    },
    { key: 'echeance', title: 'Échéance', value: (e) => instant(e.echeance), dataOnly: true },
    {
      key: 'erreur',
      title: 'Erreur',
      value: (e) => e.erreur,
      text: (e) => ((e.erreur?.length ?? 0) > 60 ? `${e.erreur!.slice(0, 59)}…` : (e.erreur ?? '')),
    },
    { key: 'travail', title: 'Travail', value: (e) => e.travail, dataOnly: true },
    { key: 'hote', title: 'Machine', value: (e) => e.hote, dataOnly: true },
    { key: 'compteurs', title: 'Compteurs', value: (e) => JSON.stringify(e.compteurs), dataOnly: true },
  ];
}
