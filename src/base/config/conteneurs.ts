import type { Setting } from './setting.ts';

/**
 * Settings that only docker-compose.yaml and start.sh read: the program itself does without them. They are listed
 * with the others so that one file, `.env`, says everything.
 */
export const CONTENEURS_SETTINGS: readonly Setting[] = [
  {
    name: 'ADRESSE_PUBLIEE',
    doc: 'Conteneurs : adresse de cette machine où l’API et Grafana répondent (0.0.0.0 : toutes ; TLS : un proxy devant).',
    default: '127.0.0.1',
  },
  {
    name: 'WORKERS',
    doc: 'Conteneurs : nombre de workers (un suit les machines, les autres se partagent les tâches et prennent sa place).',
    default: '1',
  },
  { name: 'PORT_PUBLIE', doc: 'Conteneurs : port de cette machine où l’API répond.', default: '8000' },
  { name: 'SFTP_PORT_PUBLIE', doc: 'Conteneurs : port du dépôt SFTP des machines.', default: '2222' },
  {
    name: 'SFTP_ADRESSE_PUBLIEE',
    doc: 'Conteneurs : adresse de cette machine où le dépôt SFTP répond (0.0.0.0 : toutes, les machines y déposent).',
    default: '0.0.0.0',
  },
  {
    name: 'SFTP_QUOTA_OCTETS',
    doc: 'Conteneurs : place d’un dépôt SFTP sur le disque, en octets ; au-delà il se ferme à sa machine (deploy/sftp/README.md).',
    default: '2147483648',
  },
  {
    name: 'SFTP_QUOTA_FICHIERS',
    doc: 'Conteneurs : nombre de fichiers et de dossiers d’un dépôt SFTP au-delà duquel il se ferme à sa machine.',
    default: '20000',
  },
  { name: 'GRAFANA_PORT', doc: 'Conteneurs : port de Grafana (profil monitoring).', default: '3000' },
  {
    name: 'GRAFANA_PASSWORD',
    doc: 'Conteneurs : mot de passe du compte admin de Grafana, à la première mise en route.',
    default: '',
    secret: true,
    processes: ['grafana'],
  },
  {
    name: 'POSTGRES_ADMIN_PASSWORD',
    doc: 'Conteneurs : mot de passe de l’administrateur de PostgreSQL (postgres) ; aucun service d’atelier ne le reçoit.',
    default: '',
    secret: true,
    processes: ['postgres', 'roles'],
  },
  {
    name: 'POSTGRES_MIGRATION_PASSWORD',
    doc: 'Conteneurs : mot de passe du rôle qui possède les tables (atelier_migration).',
    default: '',
    secret: true,
    processes: ['migrate', 'maintenance', 'roles'],
  },
  {
    name: 'POSTGRES_API_PASSWORD',
    doc: 'Conteneurs : mot de passe du rôle de l’API (atelier_api). Le worker prend POSTGRES_PASSWORD (atelier_service).',
    default: '',
    secret: true,
    processes: ['api', 'roles'],
  },
  {
    name: 'POSTGRES_LECTURE_PASSWORD',
    doc: 'Conteneurs : mot de passe du rôle qui ne lit que la production (atelier_lecture) : Grafana, Power BI.',
    default: '',
    secret: true,
    processes: ['grafana', 'roles'],
  },
  {
    name: 'MYSQL_ROOT_PASSWORD',
    doc: 'Conteneurs : mot de passe root de l’ERP de démonstration ; inutile avec le vôtre (MYSQL_HOST ou MYSQL_URL).',
    default: '',
    secret: true,
    processes: ['mysql'],
  },
];
