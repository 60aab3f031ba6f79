import { lireDuree } from '../duree.ts';
import { type Feries, type Horaires, lireFeries, lireHoraires } from '../horaires.ts';
import {
  CANAUX_SETTINGS,
  type MailConfig,
  readMail,
  readWebhook,
  type WebhookConfig,
} from './alertes-canaux.ts';
import type { Lien, Situer } from './liens.ts';
import { entier, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** When a person is to be told, and by which way. */
export interface AlertesConfig {
  /** working seconds without a line after which a machine is silent; `undefined`: it is not watched */
  readonly silence: {
    readonly defaut: number | undefined;
    readonly parCentre: ReadonlyMap<string, number | undefined>;
  };
  readonly horaires: Horaires;
  readonly feries: Feries;
  /** rejected lines: share (0 to 1) of the lines of recent files from which on, and how many there must be at least */
  readonly rejets: { readonly taux: number; readonly minimum: number } | undefined;
  /** seconds without a successful synchronisation after which the orders are stale */
  readonly commandesAge: number | undefined;
  /** seconds that the last event of a file may lie after its reception; `undefined`: clocks are not watched */
  readonly horloge: number | undefined;
  /** seconds that a planned task may be late */
  readonly retard: number | undefined;
  /** free space below which a disk is short: the smaller of both limits counts */
  readonly disque: { readonly part: number | undefined; readonly octets: number | undefined } | undefined;
  /** seconds after which an open alert is told again; `undefined`: never */
  readonly rappel: number | undefined;
  readonly webhook: WebhookConfig | undefined;
  readonly mail: MailConfig | undefined;
}

/** Of a workshop, and of the centres that have none of their own. */
const HORAIRES = 'lun-ven 08:00-17:00';
const SILENCE = '2h';

export const ALERTES_SETTINGS: readonly Setting[] = [
  {
    name: 'ALERTE_SILENCE',
    doc: 'Alertes : durée sans nouvelle d’une machine, comptée pendant ses heures de travail, au-delà de laquelle on s’inquiète.\nUn centre peut avoir la sienne : « 2h; DEM12: 45min; SU12: non ». « non » : jamais.',
    default: SILENCE,
  },
  {
    name: 'HORAIRES',
    doc: 'Heures de travail, dans FUSEAU : « lun-ven 06:00-12:00,13:00-22:00; sam 06:00-12:00 ».\nUn centre peut avoir les siennes : « DEM12: lun-sam 05:00-21:00 », « SU12: jamais ». 22:00-06:00 finit le lendemain.',
    default: HORAIRES,
  },
  {
    name: 'FERIES',
    doc: 'Jours sans travail : france (jours fériés légaux), MM-JJ (chaque année), AAAA-MM-JJ ou AAAA-MM-JJ..AAAA-MM-JJ (congés),\nséparés par des points-virgules ; non : aucun.',
    default: 'france',
  },
  {
    name: 'ALERTE_REJETS',
    doc: 'Part des lignes en quarantaine, dans les fichiers reçus en dernier d’un centre, à partir de laquelle on alerte (« non » : jamais).',
    default: '5%',
  },
  {
    name: 'ALERTE_REJETS_MINIMUM',
    doc: 'Nombre de lignes en quarantaine en dessous duquel on n’alerte pas, quelle que soit leur part.',
    default: '20',
  },
  {
    name: 'ALERTE_COMMANDES_AGE',
    doc: 'Âge de la dernière synchronisation réussie au-delà duquel la liste des commandes est dite ancienne (« non » : jamais).',
    default: '26h',
  },
  {
    name: 'ALERTE_HORLOGE',
    doc: 'Avance d’un événement sur sa réception au-delà de laquelle l’horloge d’une machine est dite fausse (« non » : jamais) ;\nun retard l’est au-delà de 30 jours.',
    default: '1h',
  },
  {
    name: 'ALERTE_RETARD',
    doc: 'Retard au-delà duquel une tâche planifiée est dite manquée (« non » : jamais).',
    default: '30min',
  },
  {
    name: 'ALERTE_DISQUE',
    doc: 'Place libre en dessous de laquelle un disque est dit court : « 10% », « 5 Go », ou les deux (la plus petite compte) ; « non » : jamais.',
    default: '10%,5Go',
  },
  {
    name: 'ALERTE_RAPPEL',
    doc: 'Une alerte ouverte, et que personne n’a acquittée, est rappelée après cette durée (« non » : jamais).',
    default: '24h',
  },
  ...CANAUX_SETTINGS,
];

const HEURE = 3600;
const JOUR = 86_400;

/**
 * Reads the settings of the alerts. Adds one line to `problems` for each that is wrong, never with a secret in it.
 *
 * @param text the trimmed value of a setting, or its default
 */
export function readAlertes(text: Texte, problems: string[], situer: Situer, liens: Lien[]): AlertesConfig {
  return {
    silence: readSilence(text('ALERTE_SILENCE'), problems),
    horaires: lireHoraires('HORAIRES', text('HORAIRES'), HORAIRES, problems),
    feries: lireFeries('FERIES', text('FERIES'), problems),
    rejets: readRejets(text, problems),
    commandesAge: duree('ALERTE_COMMANDES_AGE', text('ALERTE_COMMANDES_AGE'), 60, 366 * JOUR, problems),
    horloge: duree('ALERTE_HORLOGE', text('ALERTE_HORLOGE'), 60, 366 * JOUR, problems),
    retard: duree('ALERTE_RETARD', text('ALERTE_RETARD'), 60, 7 * JOUR, problems),
    disque: readDisque(text('ALERTE_DISQUE'), problems),
    rappel: duree('ALERTE_RAPPEL', text('ALERTE_RAPPEL'), 10 * 60, 30 * JOUR, problems),
    webhook: readWebhook(text, problems, situer, liens),
    mail: readMail(text, problems, situer, liens),
  };
}

function readSilence(value: string, problems: string[]): AlertesConfig['silence'] {
  const parCentre = new Map<string, number | undefined>();
  let defaut = lireDuree(SILENCE);
  for (const entree of value.split(';').map((part) => part.trim())) {
    if (entree === '') continue;
    const [, centre, texte = ''] = /^(?:(.+?)\s*:\s*)?([^:]*)$/.exec(entree) ?? [];
    const secondes = duree('ALERTE_SILENCE', texte, 60, 30 * 24 * HEURE, problems);
    if (centre === undefined) defaut = secondes;
    else parCentre.set(centre, secondes);
  }
  return { defaut, parCentre };
}

function readRejets(text: Texte, problems: string[]): AlertesConfig['rejets'] {
  const minimum = entier('ALERTE_REJETS_MINIMUM', text, problems, 1, 1_000_000);
  if (text('ALERTE_REJETS') === 'non') return undefined;
  const taux = part(text('ALERTE_REJETS'));
  if (taux === undefined || taux === 0) {
    problems.push(
      `ALERTE_REJETS : attendu une part comme 5% (plus de 0, 100 au plus) ou non, reçu « ${text('ALERTE_REJETS')} »`,
    );
  }
  return { taux: taux ?? 1, minimum };
}

function readDisque(value: string, problems: string[]): AlertesConfig['disque'] {
  if (value === 'non') return undefined;
  let pourcent: number | undefined;
  let octets: number | undefined;
  // « 2,5 Go » has a comma of its own: only one that no figure follows, or that a limit with its unit precedes, separates.
  for (const limite of value.split(/(?<=[%o])\s*,/).map((each) => each.trim())) {
    const nombre = /^(\d+(?:[.,]\d+)?)\s*([MGT])o$/.exec(limite);
    const exposant = { M: 1e6, G: 1e9, T: 1e12 }[nombre?.[2] ?? ''];
    if (nombre && exposant) octets = Math.round(Number(nombre[1]!.replace(',', '.')) * exposant);
    else pourcent = part(limite);
    if (!(nombre && exposant) && pourcent === undefined) {
      problems.push(
        `ALERTE_DISQUE : attendu 10%, 5 Go, les deux séparés par une virgule, ou non, reçu « ${value} »`,
      );
      break;
    }
  }
  return { part: pourcent, octets };
}

/** 0 to 1 from `5%`; undefined when it is not a share. */
function part(value: string): number | undefined {
  const match = /^(\d+(?:[.,]\d+)?)\s*%$/.exec(value);
  const share = match ? Number(match[1]!.replace(',', '.')) / 100 : Number.NaN;
  return share >= 0 && share <= 1 ? share : undefined;
}

function duree(
  name: string,
  value: string,
  min: number,
  max: number,
  problems: string[],
): number | undefined {
  if (value === 'non') return undefined;
  const secondes = lireDuree(value);
  if (secondes !== undefined && secondes >= min && secondes <= max) return secondes;
  problems.push(
    `${name} : attendu une durée comme 45min, 2h ou 3j (de ${enDuree(min)} à ${enDuree(max)}) ou non, reçu « ${value} »`,
  );
  return undefined;
}

function enDuree(secondes: number): string {
  return secondes >= JOUR ? `${secondes / JOUR}j` : `${secondes / 60}min`;
}
