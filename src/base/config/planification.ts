import { type Horaire, lireHoraire } from '../cron.ts';
import { messageOf } from '../errors.ts';
import { entier, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** Tasks that the worker runs at set times or on demand. */
export const NOMS_TACHES = ['ingest', 'sync', 'purge', 'sauvegarde'] as const;
export type NomTache = (typeof NOMS_TACHES)[number];

/** What to do with ticks that came due while no worker ran: the latest one, each, or none. */
export const RATTRAPAGES = ['un', 'tous', 'aucun'] as const;
export type Rattrapage = (typeof RATTRAPAGES)[number];

/** When tasks run and how often they are tried. */
export interface PlanificationConfig {
  /** undefined: only on demand */
  readonly horaires: Readonly<Record<NomTache, Horaire | undefined>>;
  readonly rattrapage: Rattrapage;
  /** age in seconds from which a missed tick is not caught up any more */
  readonly rattrapageMax: number;
  /** attempts of a run, the first one included */
  readonly essais: number;
  /** seconds before the second attempt; each later wait is about twice the one before, up to `pauseMax` */
  readonly pause: number;
  readonly pauseMax: number;
  /** seconds that one attempt may last */
  readonly delaiMax: number;
  /** seconds that running tasks are given to finish when the worker is stopped; then they are handed back */
  readonly delaiArret: number;
}

export const PLANIFICATION_SETTINGS: readonly Setting[] = [
  {
    name: 'CRON_LOGS',
    doc: 'Quand lire les journaux des machines : HH:MM[,HH:MM…] ou cinq champs cron, à l’heure de FUSEAU ; non : jamais.\nL’heure qui manque au printemps est prise après le saut, celle qui revient en automne une seule fois.',
    default: '11:00',
  },
  {
    name: 'CRON_COMMANDES',
    doc: 'Quand lire les commandes dans l’ERP (sans effet tant qu’aucun ERP n’est réglé).',
    default: '09:00,14:00',
  },
  { name: 'CRON_PURGE', doc: 'Quand effacer ce qui a dépassé sa durée de conservation.', default: '03:30' },
  { name: 'CRON_SAUVEGARDE', doc: 'Quand sauvegarder. Vide : jamais.', default: '' },
  {
    name: 'RATTRAPAGE',
    doc: 'Échéances passées pendant que tout était arrêté : un (la dernière seulement), tous ou aucun.',
    default: 'un',
  },
  {
    name: 'RATTRAPAGE_MAX',
    doc: 'Âge, en heures, à partir duquel une échéance manquée n’est plus rattrapée (1 à 720).',
    default: '24',
  },
  { name: 'TACHE_ESSAIS', doc: 'Nombre d’essais d’une tâche avant de l’abandonner (1 à 20).', default: '5' },
  {
    name: 'TACHE_PAUSE',
    doc: 'Attente avant le deuxième essai, en secondes (1 à 3600) ; elle double ensuite, jusqu’à 15 minutes.',
    default: '30',
  },
  {
    name: 'TACHE_DELAI_MAX',
    doc: 'Durée maximale d’un essai, en minutes (1 à 1380) ; au-delà il est interrompu et compté comme un échec.',
    default: '120',
  },
  {
    name: 'ARRET_DELAI',
    doc: 'Temps laissé aux tâches en cours quand on arrête le worker, en secondes (1 à 600) ; ensuite elles sont rendues à la file.',
    default: '25',
  },
];

/** Longest wait between two attempts, in seconds. */
const PAUSE_MAX = 900;

/**
 * Reads the settings of the schedule. Adds one line to `problems` for each that is wrong.
 *
 * @param text the trimmed value of a setting, or its default
 * @param fuseau zone that the times are in
 */
export function readPlanification(text: Texte, fuseau: string, problems: string[]): PlanificationConfig {
  const horaire = (name: string): Horaire | undefined => {
    try {
      return lireHoraire(text(name), fuseau);
    } catch (error) {
      problems.push(`${name} : ${messageOf(error)}`);
      return undefined;
    }
  };
  const pause = entier('TACHE_PAUSE', text, problems, 1, 3600);
  return {
    horaires: {
      ingest: horaire('CRON_LOGS'),
      sync: horaire('CRON_COMMANDES'),
      purge: horaire('CRON_PURGE'),
      sauvegarde: horaire('CRON_SAUVEGARDE'),
    },
    rattrapage: readRattrapage(text('RATTRAPAGE'), problems),
    rattrapageMax: entier('RATTRAPAGE_MAX', text, problems, 1, 720) * 3600,
    essais: entier('TACHE_ESSAIS', text, problems, 1, 20),
    pause,
    pauseMax: Math.max(pause, PAUSE_MAX),
    delaiMax: entier('TACHE_DELAI_MAX', text, problems, 1, 1380) * 60,
    delaiArret: entier('ARRET_DELAI', text, problems, 1, 600),
  };
}

function readRattrapage(value: string, problems: string[]): Rattrapage {
  const known = RATTRAPAGES.find((one) => one === value);
  if (!known) problems.push(`RATTRAPAGE : attendu un, tous ou aucun, reçu « ${value} »`);
  return known ?? 'un';
}
