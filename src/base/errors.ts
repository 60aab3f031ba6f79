/**
 * Every error that a person may meet, by number.
 *
 * A code never changes its meaning. `conseil` is what the person should do; `docs/erreurs.md` is made
 * from this table (`npm run generate`). Bad log lines are not errors: they are counted data (quarantine).
 */
export const CODES = {
  ATL_U001: { titre: 'Commande ou option inconnue', conseil: 'Tapez `npx atelier --help`.' },
  ATL_C101: {
    titre: 'Configuration invalide',
    conseil: 'Corrigez les réglages nommés (variables ou fichier .env ; voir .env_exemple).',
  },
  ATL_C102: {
    titre: 'Clés de l’API manquantes ou trop faibles',
    conseil:
      'Mettez SECRET_KEY et CLE_CHIFFREMENT dans .env (chmod 600), faites avec les commandes données ; gardez-en une copie hors de la machine.',
  },
  ATL_C103: {
    titre: 'Mauvaise clé de chiffrement',
    conseil:
      'La base a été chiffrée avec une autre CLE_CHIFFREMENT : remettez-la (ou donnez-la dans CLE_CHIFFREMENT_PRECEDENTE pendant un changement de clé).',
  },
  ATL_L201: {
    titre: 'Dossier de journaux introuvable ou illisible',
    conseil: 'Vérifiez LOGS_DIR (ou --dir) et les droits de lecture ; `npx atelier doctor` les contrôle.',
  },
  ATL_L202: {
    titre: 'Fichier de journal illisible',
    conseil: 'Vérifiez les droits du fichier ; il sera relu au prochain import, rien d’autre n’est perdu.',
  },
  ATL_L203: {
    titre: 'Archive impossible à écrire ou à relire',
    conseil:
      'Vérifiez la place libre et les droits de ARCHIVES_DIR puis relancez : rien n’est enregistré sans son archive.',
  },
  ATL_L204: {
    titre: 'Journée démesurée',
    conseil:
      'Le fichier porte plus d’événements qu’une machine n’en peut écrire en un jour : il est archivé mais écarté ; vérifiez son origine.',
  },
  ATL_L205: {
    titre: 'Fichier à remplacer introuvable',
    conseil:
      'Donnez à --replace le chemin d’un fichier présent sous LOGS_DIR, dans le dossier de son centre.',
  },
  ATL_L206: {
    titre: 'Centre sans dossier',
    conseil:
      'Donnez à --centre le nom d’un centre qui a un dossier sous LOGS_DIR (`npx atelier doctor` les compte).',
  },
  ATL_L207: {
    titre: 'Fichier, journée ou centre mis de côté',
    conseil:
      'Tout le reste est importé, rien n’est perdu : chaque import réessaie (le suivi, dès que le fichier change). Le message dit quoi et pourquoi ; signalez-le avec le fichier (`npx atelier fichiers --octets`).',
  },
  ATL_L208: {
    titre: 'Aucun dossier de centre',
    conseil:
      'Donnez le dossier qui contient ceux des centres (LOGS_DIR, --dir), non celui d’un centre ; un seul centre : --centre NOM. Un lien n’est jamais suivi : mettez le vrai dossier, ou montez-le là (mount --bind).',
  },
  ATL_L209: {
    titre: 'Clé des archives',
    conseil:
      'Donnez dans CLE_ARCHIVES (ou CLE_ARCHIVES_PRECEDENTE) la clé dont le message dit l’identifiant (`npx atelier archives` les compte) ; rien n’est changé ni perdu, et tout reprend avec elle.',
  },
  ATL_L210: {
    titre: 'Serveur SFTP injoignable',
    conseil:
      'Vérifiez l’adresse et le port dans SFTP_CENTRES, le réseau et que le serveur tourne ; les autres centres sont lus, rien n’est effacé, et celui-ci sera repris où il en était.',
  },
  ATL_L211: {
    titre: 'Serveur SFTP inconnu',
    conseil:
      'Comparez l’empreinte donnée avec celle que montre le serveur lui-même, puis ajoutez la ligne donnée à SFTP_HOTES_CONNUS.',
  },
  ATL_L212: {
    titre: 'La clé du serveur SFTP a changé',
    conseil:
      'Ne passez pas outre : demandez à qui tient ce serveur s’il a été réinstallé. Si oui, ôtez l’ancienne ligne (`ssh-keygen -R hôte -f fichier`) et ajoutez la nouvelle clé.',
  },
  ATL_L213: {
    titre: 'Serveur SFTP : accès refusé',
    conseil:
      'Vérifiez l’utilisateur dans SFTP_CENTRES, et que la clé publique qui va avec SFTP_CLE est bien dans ses clés autorisées sur le serveur.',
  },
  ATL_L214: {
    titre: 'Serveur SFTP muet',
    conseil:
      'Le serveur ne répond plus ou trop lentement ; voyez le réseau et sa charge, ou augmentez SFTP_DELAI.',
  },
  ATL_L215: {
    titre: 'Clé ou serveurs connus illisibles',
    conseil:
      'Vérifiez le fichier nommé et ses droits : atelier doit pouvoir le lire, et personne d’autre la clé (chmod 600).',
  },
  ATL_L216: {
    titre: 'Dossier distant introuvable ou illisible',
    conseil:
      'Vérifiez le chemin dans SFTP_CENTRES tel que le compte le voit (`sftp utilisateur@hôte` puis `ls`) et ses droits de lecture.',
  },
  ATL_D301: {
    titre: 'PostgreSQL injoignable',
    conseil:
      'Vérifiez DATABASE_URL ou POSTGRES_*, et que le serveur tourne (`npx atelier db start` pour le serveur embarqué).',
  },
  ATL_D302: {
    titre: 'Migration impossible',
    conseil:
      'Une migration appliquée ne se modifie pas ; mettez atelier à jour, ou restaurez le fichier d’origine.',
  },
  ATL_D303: {
    titre: 'Schéma absent ou ancien',
    conseil: 'Tapez `npx atelier migrate`.',
  },
  ATL_D304: {
    titre: 'Requête PostgreSQL refusée',
    conseil:
      'Le message de PostgreSQL dit pourquoi ; rien n’a été écrit à moitié, relancez après correction.',
  },
  ATL_D305: {
    titre: 'Serveur PostgreSQL embarqué',
    conseil: 'Lisez le journal indiqué ; `npx atelier db stop` puis `npx atelier db start` le relance.',
  },
  ATL_D306: {
    titre: 'Connexion par un pooler',
    conseil:
      'Mettez dans DATABASE_URL (ou POSTGRES_*) l’adresse du serveur PostgreSQL lui-même ; celle de PgBouncer va dans DATABASE_API_URL, et l’API seule s’en sert.',
  },
  ATL_E401: {
    titre: 'ERP injoignable',
    conseil:
      'Vérifiez MYSQL_HOST, MYSQL_PORT (ou MYSQL_URL), le réseau et que le serveur tourne ; les commandes déjà enregistrées restent.',
  },
  ATL_E402: {
    titre: 'ERP : accès refusé',
    conseil:
      'Vérifiez MYSQL_USER, MYSQL_PASSWORD, MYSQL_DB et les droits de l’utilisateur de lecture (demo/init.sql montre ceux qu’il faut).',
  },
  ATL_E403: {
    titre: 'ERP : source non conforme',
    conseil:
      'Le message nomme chaque table, colonne ou droit qui manque ; faites-les rétablir par l’administrateur de l’ERP puis relancez.',
  },
  ATL_E404: {
    titre: 'ERP : lecture interrompue',
    conseil:
      'La connexion a été coupée en pleine lecture ; rien n’a été remplacé : relancez, puis vérifiez le réseau si cela se répète.',
  },
  ATL_E405: {
    titre: 'ERP : délai dépassé',
    conseil:
      'Le serveur ne répond plus ou trop lentement ; voyez sa charge, les index signalés, ou augmentez SYNC_DELAI_MAX.',
  },
  ATL_E406: {
    titre: 'ERP : lecture incomplète',
    conseil:
      'Le nombre de lignes reçues n’est pas celui que le serveur annonce ; rien n’a été remplacé : relancez, puis signalez-le.',
  },
  ATL_E407: {
    titre: 'ERP : requête refusée',
    conseil:
      'Le message du serveur dit pourquoi ; rien n’a été remplacé. Une table ou une colonne a peut-être changé.',
  },
  ATL_E408: {
    titre: 'ERP : session mal réglée',
    conseil:
      'Un réglage dont la lecture dépend n’a pas tenu : le message le nomme. Cherchez du côté d’un proxy (ProxySQL, MaxScale) ou de init_connect, avec l’administrateur de l’ERP ; rien n’a été remplacé.',
  },
  ATL_E409: {
    titre: 'Serveur MariaDB embarqué',
    conseil:
      'Installez les paquets nommés, ou lisez le journal nommé (le dossier où il est peut être effacé : il sera refait) ; atelier marche sans, avec l’ERP de MYSQL_HOST.',
  },
  ATL_E410: {
    titre: 'L’ERP rend trop peu de commandes',
    conseil:
      'Vérifiez l’ERP (est-ce un mauvais matin ?). Si la baisse est voulue : `npx atelier sync --force`.',
  },
  ATL_E411: {
    titre: 'Aucun ERP réglé',
    conseil: 'Donnez MYSQL_URL, ou MYSQL_HOST et les siens (voir .env_exemple).',
  },
  ATL_E412: {
    titre: 'ERP : valeur inattendue',
    conseil:
      'Le message nomme la commande et sa valeur ; faites-la corriger dans l’ERP, puis relancez. Rien n’a été remplacé.',
  },
  ATL_E413: {
    titre: 'ERP : compte inutilisable',
    conseil:
      'Le compte existe et n’ouvre pas (verrouillé, expiré, authentification inconnue) : c’est à l’administrateur de l’ERP de le remettre en état ; rien n’a été remplacé.',
  },
  ATL_E414: {
    titre: 'ERP : trop de connexions',
    conseil:
      'Le serveur ou le compte est à sa limite : relancez un peu plus tard, puis voyez avec l’administrateur de l’ERP qui tient les connexions ; rien n’a été remplacé.',
  },
  ATL_S601: {
    titre: 'Session introuvable',
    conseil: 'Donnez l’identifiant d’une session, ou CENTRE/AAAA-MM-JJ ; `npx atelier sessions` les liste.',
  },
  ATL_R601: {
    titre: 'Journal des effacements impossible à écrire ou à relire',
    conseil:
      'Vérifiez la place libre et les droits de ARCHIVES_DIR (effacements.jsonl) : sans ce journal rien n’est effacé, car une restauration le ferait revenir.',
  },
  ATL_R603: {
    titre: 'Octets effacés',
    conseil:
      'Leur durée de conservation est passée (CONSERVATION_ARCHIVES) : c’est voulu. Les chiffres de la journée restent.',
  },
  ATL_R604: {
    titre: 'Purge refusée : trop partirait d’un coup',
    conseil:
      'Vérifiez l’horloge du serveur PostgreSQL (`date`, `timedatectl`). Si elle est juste et que c’est voulu (durées raccourcies, purge longtemps arrêtée, historique importé d’un coup) : `npx atelier purge --dry-run`, puis `npx atelier purge --force`.',
  },
  ATL_A501: {
    titre: 'Compte introuvable',
    conseil: 'Donnez le nom d’un compte ; `npx atelier user list` les montre.',
  },
  ATL_A502: {
    titre: 'Compte refusé',
    conseil:
      'Corrigez ce que le message nomme (nom déjà pris, adresse, mot de passe trop faible, rôle inconnu).',
  },
  ATL_A503: {
    titre: 'Adresse ou port déjà pris',
    conseil: 'Un autre programme écoute sur HOST:PORT ; arrêtez-le, ou donnez un autre PORT.',
  },
  ATL_O851: {
    titre: 'Sonde : adresse ou port indisponible',
    conseil:
      'Un autre programme écoute sur METRICS_HOST:METRICS_PORT ; donnez un autre METRICS_PORT (0 : aucun).',
  },
  ATL_O852: {
    titre: 'Pas prêt',
    conseil:
      'Le service ne répond pas ou n’atteint pas sa base ; `npx atelier doctor` dit ce qui manque, le journal pourquoi.',
  },
  ATL_B901: {
    titre: 'Sauvegarde impossible',
    conseil:
      'Vérifiez la place libre et les droits de SAUVEGARDE_DIR, puis relancez : une sauvegarde inachevée ne porte jamais le nom d’une entière.',
  },
  ATL_B902: {
    titre: 'Sauvegarde abîmée ou incomplète',
    conseil:
      'Prenez une autre sauvegarde (`npx atelier backup list`), ou une autre copie de celle-ci ; rien n’a été restauré.',
  },
  ATL_B903: {
    titre: 'Clé de sauvegarde',
    conseil:
      'Donnez dans CLE_SAUVEGARDE (ou CLE_SAUVEGARDE_PRECEDENTE) la clé avec laquelle la sauvegarde a été faite.',
  },
  ATL_B904: {
    titre: 'La base d’arrivée n’est pas libre',
    conseil:
      'Donnez une base vide, et arrêtez ce qui s’en sert ; le message dit ce que la commande sait faire d’autre.',
  },
  ATL_B905: {
    titre: 'Sauvegarde introuvable',
    conseil: 'Donnez le nom ou le dossier d’une sauvegarde ; `npx atelier backup list` les montre.',
  },
  ATL_B906: {
    titre: 'Restauration ou reconstruction inachevée',
    conseil:
      'Relancez la même commande (`npx atelier restore` ou `npx atelier rebuild`) : elle reprend où elle en était.',
  },
  ATL_B907: {
    titre: 'Reconstruction impossible',
    conseil: 'Vérifiez ARCHIVES_DIR : il doit contenir les archives <centre>/<sha256>.zst.',
  },
  ATL_B908: {
    titre: 'Contenu restauré différent de la sauvegarde',
    conseil:
      'Rien n’a été gardé. Prenez une autre sauvegarde, et signalez-le avec le message : cela ne devrait pas arriver.',
  },
  ATL_B909: {
    titre: 'Sauvegarde sans sceau',
    conseil:
      'Elle n’est pas scellée avec CLE_SAUVEGARDE : quelqu’un a pu la changer. Prenez-en une scellée ; si vous savez d’où vient celle-ci (faite avant la clé, ou par un ancien atelier), --sans-sceau l’accepte quand même.',
  },
  ATL_B910: {
    titre: 'Sauvegarde qui demande autre chose que ses lignes',
    conseil:
      'Atelier n’écrit pas cette instruction : quelqu’un a changé la sauvegarde. Rien n’a été restauré. Prenez-en une autre, et cherchez qui a pu écrire dans ce dossier.',
  },
  ATL_B911: {
    titre: 'Clés des comptes absentes',
    conseil:
      'Remettez le fichier nommé à côté des sauvegardes (il est à recopier avec elles, à chaque fois). S’il est perdu, --sans-comptes restaure le reste : aucun compte ne revient, refaites-les avec `npx atelier user add`.',
  },
  ATL_T701: {
    titre: 'File de tâches indisponible',
    conseil:
      'Vérifiez que PostgreSQL répond et tapez `npx atelier migrate` ; rien de ce qui attend n’est perdu.',
  },
  ATL_T702: {
    titre: 'Tâche inconnue ou impossible ici',
    conseil:
      '`npx atelier taches` montre les tâches et ce qui manque pour les lancer (l’ERP pour sync, par exemple).',
  },
  ATL_T703: {
    titre: 'Passage repris par un autre worker',
    conseil:
      'Ce worker est resté trop longtemps muet (machine suspendue, réseau coupé) : un autre a repris la tâche, rien n’est fait deux fois. Voyez pourquoi si cela se répète.',
  },
  ATL_T704: {
    titre: 'Tâche interrompue',
    conseil:
      'La tâche dépassait TACHE_DELAI_MAX, ou le worker s’arrêtait ; elle est reprise au prochain essai (`npx atelier executions`).',
  },
  ATL_T705: {
    titre: 'Tâche abandonnée',
    conseil:
      'Tous les essais ont échoué : `npx atelier executions --etat echouee` dit pourquoi. Une fois la cause levée : `npx atelier lancer TACHE`.',
  },
  ATL_N801: {
    titre: 'Aucun canal d’alerte réglé',
    conseil:
      'Donnez ALERTE_WEBHOOK_URL et ALERTE_WEBHOOK_SECRET, ou ALERTE_MAIL_A et un serveur de courriel (voir .env_exemple et docs/alertes.md).',
  },
  ATL_N802: {
    titre: 'Alerte introuvable ou déjà résolue',
    conseil: 'Donnez le numéro d’une alerte ouverte ; `npx atelier alertes` les montre.',
  },
  ATL_X901: {
    titre: 'Erreur inattendue',
    conseil: 'C’est un défaut d’atelier : signalez-le avec le message et le journal.',
  },
} as const satisfies Record<string, { titre: string; conseil: string }>;

export type Code = keyof typeof CODES;

/** An error with a number, a sentence about what was being done on what, and a way out. */
export class AtelierError extends Error {
  readonly code: Code;

  /**
   * @param message what was being done, on what, and what went wrong (French, no secrets)
   * @param options `cause` keeps the first error
   */
  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AtelierError';
    this.code = code;
  }

  get conseil(): string {
    return CODES[this.code].conseil;
  }
}

/** What the system says of files, in the language of whoever reads it; its own words stay behind, for whoever searches. */
const FICHIERS: Readonly<Record<string, string>> = {
  ENOENT: 'n’existe pas',
  EACCES: 'droits insuffisants',
  EPERM: 'opération interdite',
  ENOTDIR: 'n’est pas un dossier',
  EISDIR: 'est un dossier',
  ENOSPC: 'plus de place sur le disque',
  EDQUOT: 'quota de disque atteint',
  EROFS: 'disque en lecture seule',
};

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join(' ; ');
  }
  const text = error instanceof Error ? error.message || error.name : String(error);
  // No text of PostgreSQL may hold a NUL, and what is said of an error is noted there.
  const line = onOneLine(text.replaceAll('\0', ''));
  const code = codeOf(error) ?? '';
  const french = error instanceof Error && 'syscall' in error ? FICHIERS[code] : undefined;
  return french !== undefined && line.startsWith(`${code}:`) ? `${french} (${line})` : line;
}

/** Ends of lines, and the blanks around them, as one blank. In steps that take as long as the text, whoever wrote it. */
function onOneLine(text: string): string {
  const lines = text.split('\n');
  const last = lines.length - 1;
  if (last === 0) return text;
  const inside = lines.slice(1, last).flatMap((line) => line.trim() || []);
  return [lines[0]!.trimEnd(), ...inside, lines[last]!.trimStart()].join(' ');
}

/** The `code` of a system or PostgreSQL error (`ENOENT`, `57P01`…), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}
