import { nombre, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** A retention period: calendar months or days; undefined: for ever. */
export type DureeReglee = { readonly nombre: number; readonly unite: 'mois' | 'j' } | undefined;

/** What is kept for how long (RGPD, article 5): one period a kind. */
export interface ConservationConfig {
  /** pieces, profiles, waits, stops of a production day */
  readonly details: DureeReglee;
  /** daily figures */
  readonly sessions: DureeReglee;
  /** raw bytes of the machines */
  readonly archives: DureeReglee;
  readonly quarantaine: DureeReglee;
  readonly executions: DureeReglee;
  readonly commandes: DureeReglee;
  readonly audit: DureeReglee;
  readonly alertes: DureeReglee;
  /** sign-in failures, refresh tokens that ended */
  readonly connexions: DureeReglee;
  /** API keys that ended or were revoked */
  readonly cles: DureeReglee;
  /** accounts that nobody uses: first they cannot sign in any more … */
  readonly comptesDesactivation: DureeReglee;
  /** … then they are forgotten */
  readonly comptes: DureeReglee;
  /** the machines' own files under LOGS_DIR; never, as a rule */
  readonly depot: DureeReglee;
}

type Kind = keyof ConservationConfig;
interface Rule {
  readonly name: string;
  readonly default: string;
  readonly doc: string;
  /** shortest and longest, in days (a month counts 30); without a longest it may be kept for ever */
  readonly min: number;
  readonly max?: number;
}

const MONTH = 30;

/** Bounds are what the law, the CNIL and common sense allow; outside of them atelier does not start. */
export const REGLES_CONSERVATION: Readonly<Record<Kind, Rule>> = {
  details: {
    name: 'CONSERVATION_DETAILS',
    default: '24 mois',
    doc: 'pièces, profilés, attentes et arrêts (1 à 60 mois). Passé ce délai il reste les chiffres de la journée',
    min: MONTH,
    max: 60 * MONTH,
  },
  sessions: {
    name: 'CONSERVATION_SESSIONS',
    default: 'jamais',
    doc: 'chiffres par centre et par jour, qui ne désignent personne (6 mois au moins, pas moins que les détails)',
    min: 6 * MONTH,
  },
  archives: {
    name: 'CONSERVATION_ARCHIVES',
    default: '24 mois',
    doc: 'octets reçus des machines, dans ARCHIVES_DIR (1 à 120 mois). Une journée sans archive ne se recalcule plus',
    min: MONTH,
    max: 120 * MONTH,
  },
  quarantaine: {
    name: 'CONSERVATION_QUARANTAINE',
    default: '12 mois',
    doc: 'lignes rejetées (7 j à 60 mois)',
    min: 7,
    max: 60 * MONTH,
  },
  executions: {
    name: 'CONSERVATION_EXECUTIONS',
    default: '12 mois',
    doc: 'passages des tâches (30 j à 60 mois)',
    min: 30,
    max: 60 * MONTH,
  },
  commandes: {
    name: 'CONSERVATION_COMMANDES',
    default: '24 mois',
    doc: 'historique des commandes (30 j à 120 mois)',
    min: 30,
    max: 120 * MONTH,
  },
  audit: {
    name: 'CONSERVATION_AUDIT',
    default: '12 mois',
    doc: 'journal d’audit (6 à 12 mois ; jusqu’à 36 mois avec CONSERVATION_AUDIT_JUSTIFICATION)',
    min: 6 * MONTH,
    max: 12 * MONTH,
  },
  alertes: {
    name: 'CONSERVATION_ALERTES',
    default: '12 mois',
    doc: 'alertes terminées (30 j à 60 mois)',
    min: 30,
    max: 60 * MONTH,
  },
  connexions: {
    name: 'CONSERVATION_CONNEXIONS',
    default: '7 j',
    doc: 'échecs de connexion et connexions terminées du tableau de bord (2 à 90 j)',
    min: 2,
    max: 90,
  },
  cles: {
    name: 'CONSERVATION_CLES',
    default: '12 mois',
    doc: 'clés d’API, après leur fin ou leur révocation (30 j à 36 mois)',
    min: 30,
    max: 36 * MONTH,
  },
  comptesDesactivation: {
    name: 'CONSERVATION_COMPTES_DESACTIVATION',
    default: '12 mois',
    doc: 'comptes que personne n’utilise : désactivés après ce délai (3 à 24 mois)',
    min: 3 * MONTH,
    max: 24 * MONTH,
  },
  comptes: {
    name: 'CONSERVATION_COMPTES',
    default: '24 mois',
    doc: 'comptes que personne n’utilise : oubliés, comme par `user forget`, après ce délai (6 à 36 mois)',
    min: 6 * MONTH,
    max: 36 * MONTH,
  },
  depot: {
    name: 'CONSERVATION_DEPOT',
    default: 'jamais',
    doc: 'fichiers des machines sous LOGS_DIR, déjà lus. jamais (règle) : atelier n’y efface rien',
    min: 30,
  },
};

/** Longest life of the audit log with a justification (CNIL: three years, for internal control). */
const AUDIT_JUSTIFIED = 36 * MONTH;
const JUSTIFICATION = 'CONSERVATION_AUDIT_JUSTIFICATION';

const FORM =
  'Tout ceci est effacé chaque nuit par `atelier purge` une fois sa durée passée : « 24 mois », « 90 j » ou « jamais ».';

export const CONSERVATION_SETTINGS: readonly Setting[] = [
  ...Object.values(REGLES_CONSERVATION).map((rule, place): Setting => {
    const what = `${rule.doc[0]!.toUpperCase()}${rule.doc.slice(1)}.`;
    // What holds for all of them is said once, before the first.
    return { name: rule.name, doc: place === 0 ? `${FORM}\n${what}` : what, default: rule.default };
  }),
  {
    name: JUSTIFICATION,
    doc: 'Pourquoi le journal d’audit est gardé hors de 6 à 12 mois (contrôle interne, obligation légale…) ; reprise au registre.',
    default: '',
  },
  {
    name: 'PURGE_SEUIL_PART',
    doc: 'Part (0 à 1) de ce qui est enregistré d’une sorte qu’une purge efface sans --force. Au-delà elle n’efface rien : l’horloge du\nserveur a pu sauter. 1 : jamais de refus pour cela.',
    default: '0.2',
  },
];

/** What a purge may do without being asked. */
export interface PurgeConfig {
  /** largest share (0 to 1) of what is stored of a kind that one purge takes without --force */
  readonly seuilPart: number;
}

/** Reads the guard of the purge. */
export function readPurge(text: Texte, problems: string[]): PurgeConfig {
  return { seuilPart: nombre('PURGE_SEUIL_PART', text, problems, 0, 1) };
}

/**
 * Reads the retention periods. Adds one line to `problems` for each that is wrong or out of its bounds.
 *
 * @param text the trimmed value of a setting, or its default
 */
export function readConservation(text: Texte, problems: string[]): ConservationConfig {
  const justified = text(JUSTIFICATION) !== '';
  const kinds = Object.keys(REGLES_CONSERVATION) as Kind[];
  const read = Object.fromEntries(
    kinds.map((kind) => {
      const rule = REGLES_CONSERVATION[kind];
      const loose = kind === 'audit' && justified ? { ...rule, min: MONTH, max: AUDIT_JUSTIFIED } : rule;
      return [kind, readDuree(loose, text(rule.name), problems)];
    }),
  ) as unknown as ConservationConfig;
  const longer = (a: Kind, b: Kind, why: string): void => {
    if (days(read[a]) >= days(read[b])) return;
    const [first, second] = [REGLES_CONSERVATION[a].name, REGLES_CONSERVATION[b].name];
    problems.push(`${first} : ne peut pas être plus court que ${second} (${why})`);
  };
  longer('sessions', 'details', 'sans sa session, un détail n’est plus rien');
  longer('comptes', 'comptesDesactivation', 'un compte est désactivé avant d’être oublié');
  return read;
}

function readDuree(rule: Rule, value: string, problems: string[]): DureeReglee {
  const match = /^(\d{1,5})\s*(mois|j|jours?|ans?)$/i.exec(value);
  if (value.toLowerCase() === 'jamais') {
    if (rule.max === undefined) return undefined;
    problems.push(`${rule.name} : « jamais » n’est pas permis, la durée va ${span(rule)}`);
    return undefined;
  }
  if (!match) {
    problems.push(`${rule.name} : attendu « 24 mois », « 90 j » ou « jamais », reçu « ${value} »`);
    return undefined;
  }
  const unit = match[2]!.toLowerCase();
  const nombre = Number(match[1]) * (unit.startsWith('an') ? 12 : 1);
  const duree = { nombre, unite: unit.startsWith('j') ? 'j' : 'mois' } as const;
  const length = days(duree);
  if (length < rule.min || length > (rule.max ?? 200 * 12 * MONTH)) {
    const how =
      rule.name === REGLES_CONSERVATION.audit.name && rule.max !== AUDIT_JUSTIFIED
        ? ` (au-delà, jusqu’à 36 mois, dites pourquoi dans ${JUSTIFICATION})`
        : '';
    problems.push(`${rule.name} : la durée va ${span(rule)}, reçu « ${value} »${how}`);
  }
  return duree;
}

function span({ min, max }: Rule): string {
  const write = (d: number): string => (d % MONTH === 0 ? `${d / MONTH} mois` : `${d} j`);
  return max === undefined ? `de ${write(min)} à jamais` : `de ${write(min)} à ${write(max)}`;
}

function days(duree: DureeReglee): number {
  if (!duree) return Number.POSITIVE_INFINITY;
  return duree.nombre * (duree.unite === 'mois' ? MONTH : 1);
}
