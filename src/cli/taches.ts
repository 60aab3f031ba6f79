import { parseArgs } from 'node:util';
import { prochainTick } from '../base/cron.ts';
import { FactoryTime } from '../base/time.ts';
import { manqueA } from '../jobs/taches/registre.ts';
import { type EtatTache, lireEtatTaches } from '../postgres/lecture/etat-taches.ts';
import { horlogeBase } from '../postgres/taches/planification.ts';
import type { Cli } from './cli.ts';
import { openPool } from './open.ts';
import { FORMAT_OPTIONS, formatOf, printRows, type TableColumn } from './table.ts';

export const summary = 'montre les tâches : horaires, prochaines échéances, derniers passages';
export const usage = `Usage : npx atelier taches [--json | --csv | --excel]

Les tâches que le worker exécute : leur horaire (CRON_LOGS, CRON_COMMANDES, CRON_PURGE, CRON_SAUVEGARDE, à l’heure de
FUSEAU), leur prochaine échéance, ce qui attend dans la file, et comment s’est terminé leur dernier passage.`;

/** A task with what the settings of this machine say of it. */
interface Ligne extends EtatTache {
  readonly regle: string | null;
  readonly manque: string | undefined;
  /** milliseconds since the epoch */
  readonly suivante: number | null;
}

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({ args, options: FORMAT_OPTIONS });
  const format = formatOf(values);
  const pool = await openPool(cli);
  const now = await horlogeBase(pool);
  const { horaires } = cli.config.planification;
  const lignes = (await lireEtatTaches(pool)).map((etat): Ligne => {
    const horaire = horaires[etat.tache];
    const suivante =
      etat.prochaine_echeance === null
        ? horaire && prochainTick(horaire, now)
        : etat.prochaine_echeance * 1000;
    return {
      ...etat,
      regle: horaire?.texte ?? null,
      manque: manqueA(etat.tache, cli.config),
      suivante: suivante ?? null,
    };
  });
  printRows(cli, format, columns(new FactoryTime(cli.config.fuseau)), lignes);
  if (format === 'table') for (const line of remarques(lignes)) cli.err(line);
  return 0;
}

function columns(time: FactoryTime): TableColumn<Ligne>[] {
  const instant = (seconds: number | null): string | null => (seconds === null ? null : time.format(seconds));
  const court = (text: string | null): string => text?.slice(0, 16).replace('T', ' ') ?? '';
  const suivante = (l: Ligne): string | null => instant(l.suivante === null ? null : l.suivante / 1000);
  return [
    { key: 'tache', title: 'Tâche', value: (l) => l.tache },
    {
      key: 'horaire',
      title: 'Horaire',
      value: (l) => l.horaire ?? l.regle,
      text: (l) => l.horaire ?? l.regle ?? 'sur demande',
    },
    { key: 'prochaine_echeance', title: 'Prochaine', value: suivante, text: (l) => court(suivante(l)) },
    { key: 'en_attente', title: 'Attend', align: 'right', value: (l) => l.en_attente },
    { key: 'en_cours', title: 'Court', align: 'right', value: (l) => l.en_cours },
    {
      key: 'dernier_passage_debut',
      title: 'Dernier passage',
      value: (l) => instant(l.dernier_passage?.debut ?? null),
      text: (l) => court(instant(l.dernier_passage?.debut ?? null)),
    },
    { key: 'dernier_passage_etat', title: 'État', value: (l) => l.dernier_passage?.etat ?? null },
    {
      key: 'derniere_reussite',
      title: 'Dernière réussite',
      value: (l) => instant(l.derniere_reussite),
      dataOnly: true,
    },
    { key: 'echeances_manquees', title: 'Manquées', value: (l) => l.echeances_manquees, dataOnly: true },
    { key: 'manque', title: 'Manque', value: (l) => l.manque ?? null, dataOnly: true },
    { key: 'erreur', title: 'Erreur', value: (l) => l.dernier_passage?.erreur ?? null, dataOnly: true },
  ];
}

/** What somebody who looks at the table should know besides. */
function remarques(lignes: readonly Ligne[]): string[] {
  const lines: string[] = [];
  for (const { tache, regle, horaire, manque, dernier_passage } of lignes) {
    if (manque !== undefined) lines.push(`${tache} : pas exécutée par cette machine, ${manque}.`);
    else if (regle !== null && horaire === null)
      lines.push(`${tache} : aucun worker n’a encore lu son horaire (\`npx atelier worker\`).`);
    else if (regle !== null && regle !== horaire)
      lines.push(`${tache} : le worker suit « ${horaire} », les réglages d’ici disent « ${regle} ».`);
    if (dernier_passage?.etat === 'echouee')
      lines.push(`${tache} : ${dernier_passage.erreur ?? 'échec sans message'}`);
  }
  return lines;
}
