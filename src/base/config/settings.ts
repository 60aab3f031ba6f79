import { ALERTES_SETTINGS } from './alertes.ts';
import { API_SETTINGS } from './api.ts';
import { ARCHIVES_SETTINGS } from './archives.ts';
import { CONSERVATION_SETTINGS } from './conservation.ts';
import { CONTENEURS_SETTINGS } from './conteneurs.ts';
import { ERP_SETTINGS } from './erp.ts';
import { LIENS_SETTINGS, POSTGRES_TLS_SETTINGS } from './liens.ts';
import { MASQUES_SETTINGS } from './masques.ts';
import { OBSERVATION_SETTINGS } from './observation.ts';
import { PLANIFICATION_SETTINGS } from './planification.ts';
import { SAUVEGARDE_SETTINGS } from './sauvegarde.ts';
import type { Setting } from './setting.ts';
import { SFTP_SETTINGS } from './sftp.ts';

const BASE: readonly Setting[] = [
  {
    name: 'DATABASE_URL',
    doc: 'PostgreSQL : une adresse complète (postgresql://utilisateur:motdepasse@hote:5432/base).\nVide, et POSTGRES_HOST vide : le serveur embarqué, dans ATELIER_DIR.',
    default: '',
    secret: true,
    processes: ['api', 'worker', 'migrate', 'maintenance'],
  },
  { name: 'POSTGRES_HOST', doc: 'PostgreSQL : ou bien ses parties, une par une.', default: '' },
  { name: 'POSTGRES_PORT', doc: 'Port de PostgreSQL.', default: '5432' },
  { name: 'POSTGRES_DB', doc: 'Nom de la base.', default: 'atelier' },
  { name: 'POSTGRES_USER', doc: 'Utilisateur de la base.', default: 'atelier' },
  {
    name: 'POSTGRES_PASSWORD',
    doc: 'Son mot de passe.',
    default: '',
    secret: true,
    processes: ['api', 'worker', 'migrate', 'maintenance', 'roles'],
  },
  ...POSTGRES_TLS_SETTINGS,
];

const DOSSIERS: readonly Setting[] = [
  {
    name: 'LOGS_DIR',
    doc: 'Dossier où les machines déposent leurs *.LOG : un sous-dossier par centre d’usinage.',
    default: './logs',
  },
  {
    name: 'DOSSIERS_IGNORES',
    doc: 'Noms de dossiers à ignorer sous LOGS_DIR et dans les centres, séparés par des points-virgules, en plus de ceux\ndes disques et des serveurs de fichiers (lost+found, #recycle, @eaDir, $RECYCLE.BIN…).',
    default: '',
  },
  {
    name: 'SYNC_LOGS_DIR',
    doc: 'Dossier des journaux d’atelier (ftp_log_service.log, mysql_sync.log). Vide : sync_logs dans ATELIER_DIR.',
    default: '',
  },
  {
    name: 'ARCHIVES_DIR',
    doc: 'Dossier des archives : chaque octet reçu des machines, compressé, rangé par SHA-256. À sauvegarder.\nVide : archives dans ATELIER_DIR.',
    default: '',
  },
  {
    name: 'ATELIER_DIR',
    doc: 'Dossier des serveurs embarqués et de la démonstration.',
    default: './.atelier',
  },
];

const USINE: readonly Setting[] = [
  {
    name: 'FUSEAU',
    doc: 'Fuseau horaire de l’usine (nom IANA) : les machines écrivent l’heure locale.',
    default: 'Europe/Paris',
  },
  {
    name: 'JOURNEE_DEBUT',
    doc: 'Heure locale à laquelle commence une journée de production (05:00 pour une équipe de nuit).',
    default: '00:00',
  },
  {
    name: 'CENTRES',
    doc: 'Centres d’usinage, séparés par des points-virgules : dossier=NOM,TYPE[,debut|fin]\n(debut ou fin : l’horodatage d’une attente est celui de son début ou de sa fin).\nUn dossier absent de la liste devient un centre de type INCONNU, ou du type (PVC, ALU, HYBRIDE)\nécrit entre parenthèses dans son nom ; ce que CENTRES dit l’emporte.',
    default: 'DEM12=DEM12,PVC;DEMALU=DEMALU,ALU;SU12=SU12,HYBRIDE',
  },
];

const JOURNAL: readonly Setting[] = [
  { name: 'NIVEAU_JOURNAL', doc: 'Détail du journal : debug, info, warn ou error.', default: 'info' },
];

const PROCESSUS: readonly Setting[] = [
  {
    name: 'PROCESSUS',
    doc: 'Ce que fait tourner cet environnement : api, worker, migrate ou maintenance ; les secrets des autres n’y sont alors\nni attendus ni lus. docker-compose.yaml et les unités systemd le disent ; dans .env, laissez vide.',
    default: '',
  },
];

/** Every setting, in the order of `.env_exemple`, by what an installer is doing. */
export const SECTIONS: readonly { readonly titre: string; readonly settings: readonly Setting[] }[] = [
  { titre: 'L’usine', settings: USINE },
  { titre: 'Liens vers d’autres machines', settings: LIENS_SETTINGS },
  { titre: 'PostgreSQL', settings: BASE },
  { titre: 'Dossiers', settings: DOSSIERS },
  { titre: 'Centres sur un serveur SFTP', settings: SFTP_SETTINGS },
  { titre: 'ERP', settings: ERP_SETTINGS },
  { titre: 'Horaires des tâches', settings: PLANIFICATION_SETTINGS },
  { titre: 'API', settings: API_SETTINGS },
  { titre: 'Alertes', settings: ALERTES_SETTINGS },
  { titre: 'Conservation (RGPD)', settings: [...MASQUES_SETTINGS, ...CONSERVATION_SETTINGS] },
  { titre: 'Archives', settings: ARCHIVES_SETTINGS },
  { titre: 'Sauvegarde', settings: SAUVEGARDE_SETTINGS },
  { titre: 'Journaux, mesures et traces', settings: [...JOURNAL, ...OBSERVATION_SETTINGS] },
  { titre: 'Conteneurs (lus par docker-compose.yaml et start.sh seulement)', settings: CONTENEURS_SETTINGS },
  { titre: 'Processus', settings: PROCESSUS },
];

export const SETTINGS: readonly Setting[] = SECTIONS.flatMap(({ settings }) => settings);
