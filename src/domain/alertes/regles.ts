/** What a person is told about, by name. A name never changes its meaning: `docs/alertes.md` has a section for each. */

export const GRAVITES = ['attention', 'critique'] as const;
export type Gravite = (typeof GRAVITES)[number];

interface Definition {
  /** what it is called, French */
  readonly titre: string;
  readonly gravite: Gravite;
  /** seconds that it must last before anybody is told */
  readonly apres: number;
  /** seconds without it before it is over */
  readonly calme: number;
  /** the first thing to do, French; the rest is in docs/alertes.md */
  readonly conseil: string;
}

/** A failure that the task's own next attempt mends is no news. */
const NOUVEL_ESSAI = 600;

export const REGLES = {
  machine_silencieuse: {
    titre: 'Machine silencieuse',
    ...{ gravite: 'attention', apres: 0, calme: 0 },
    conseil:
      'Voyez si la machine tourne, si elle dépose ses fichiers, et si le dossier ou le SFTP répond (npx atelier doctor).',
  },
  lignes_rejetees: {
    titre: 'Trop de lignes rejetées',
    ...{ gravite: 'attention', apres: 0, calme: 0 },
    conseil: 'Regardez les lignes : npx atelier rejets --centre NOM ; un réglage de la machine a pu changer.',
  },
  horloge_machine: {
    titre: 'Horloge d’une machine fausse',
    ...{ gravite: 'attention', apres: 0, calme: 0 },
    conseil:
      'Mettez la machine à l’heure (pile du pupitre, serveur de temps) : ses journées sont rangées sous de fausses dates.',
  },
  import_echoue: {
    titre: 'Import échoué',
    ...{ gravite: 'critique', apres: NOUVEL_ESSAI, calme: 0 },
    conseil: 'Lisez le message et ftp_log_service.log, puis npx atelier doctor ; rien de reçu n’est perdu.',
  },
  import_partiel: {
    titre: 'Import partiel',
    ...{ gravite: 'attention', apres: NOUVEL_ESSAI, calme: 0 },
    conseil: 'Des fichiers sont illisibles ou de côté : npx atelier fichiers et le message disent lesquels.',
  },
  synchronisation_echouee: {
    titre: 'Synchronisation échouée',
    ...{ gravite: 'attention', apres: NOUVEL_ESSAI, calme: 0 },
    conseil:
      'Lisez le message et mysql_sync.log ; la liste des commandes reste celle de la dernière réussite.',
  },
  commandes_anciennes: {
    titre: 'Commandes anciennes',
    ...{ gravite: 'critique', apres: 0, calme: 0 },
    conseil: 'Voyez si l’ERP répond et si le worker tourne, puis npx atelier sync.',
  },
  tache_echouee: {
    titre: 'Tâche échouée',
    ...{ gravite: 'critique', apres: NOUVEL_ESSAI, calme: 0 },
    conseil: 'npx atelier executions dit pourquoi ; la cause levée : npx atelier lancer TACHE.',
  },
  tache_manquee: {
    titre: 'Tâche manquée',
    ...{ gravite: 'critique', apres: 0, calme: 0 },
    conseil: 'Voyez si un worker tourne (npx atelier taches), puis npx atelier lancer TACHE.',
  },
  disque_court: {
    titre: 'Disque court',
    ...{ gravite: 'critique', apres: 60, calme: 300 },
    conseil: 'Faites de la place ou agrandissez le disque : plein, il arrête les imports.',
  },
} as const satisfies Record<string, Definition>;

export type Regle = keyof typeof REGLES;
export const NOMS_REGLES = Object.keys(REGLES) as [Regle, ...Regle[]];

/** The definition of a rule, as the loosest type of all. */
export function definitionDe(regle: Regle): Definition {
  return REGLES[regle];
}

/** Something that is wrong now. */
export interface Constat {
  readonly regle: Regle;
  /** what it is about: name of a centre, of a task, machine and setting of a folder */
  readonly objet: string;
  /** one sentence, French, without anything about a person */
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** since when, seconds since the epoch; undefined: since it was first seen */
  readonly depuis: number | undefined;
  /** it will not mend itself: nobody waits to see whether it lasts */
  readonly definitif?: boolean;
}

/** Identity of an alert while it lasts. */
export function cleDe({ regle, objet }: { readonly regle: string; readonly objet: string }): string {
  return `${regle} ${objet}`;
}
