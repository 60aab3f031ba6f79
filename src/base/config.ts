import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AlertesConfig, readAlertes } from './config/alertes.ts';
import { type ApiConfig, readApi } from './config/api.ts';
import { type ArchivesConfig, readArchives } from './config/archives.ts';
import {
  type ConservationConfig,
  type PurgeConfig,
  readConservation,
  readPurge,
} from './config/conservation.ts';
import { type ErpConfig, readErp } from './config/erp.ts';
import { type FichierEnv, lireFichierEnv } from './config/fichier-env.ts';
import {
  type Lien,
  protegerPostgres,
  readModeTls,
  readReseaux,
  situerParmi,
  type TlsPostgres,
} from './config/liens.ts';
import { readMasques } from './config/masques.ts';
import { entier, type Texte } from './config/nombres.ts';
import { type ObservationConfig, readObservation } from './config/observation.ts';
import { type PlanificationConfig, readPlanification } from './config/planification.ts';
import { readSauvegarde, type SauvegardeConfig } from './config/sauvegarde.ts';
import { isGiven, OWN_PROCESSES, type OwnProcess, withheldFrom } from './config/secrets.ts';
import { SETTINGS } from './config/settings.ts';
import { readSftp, type SftpConfig } from './config/sftp.ts';
import { AtelierError, messageOf } from './errors.ts';
import type { Masques } from './masques/masques.ts';
import { parseTimeOfDay } from './time.ts';

/** When a controller writes its `MachineWait` line: as the wait begins (spec default) or once it is over. */
export type AncreAttente = 'debut' | 'fin';

/** What is known of a centre before any of its files is read. */
export interface CentreConfig {
  /** name of the sub-folder of LOGS_DIR, as it is on the disk */
  readonly dossier: string;
  readonly nom: string;
  /** `PVC`, `ALU`, `HYBRIDE`… */
  readonly type: string;
  readonly attente: AncreAttente;
}

/** All settings, resolved: nothing downstream handles an absent or unparsed form. */
export interface Config {
  /** what runs, which has no secret but its own; undefined: a command that somebody typed, or all in one */
  readonly processus: OwnProcess | undefined;
  /** connection string of the server to use, or undefined: the embedded one */
  readonly databaseUrl: string | undefined;
  readonly logsDir: string;
  /** names of folders that are neither a centre nor looked into, beside those of disks and file servers */
  readonly dossiersIgnores: readonly string[];
  readonly syncLogsDir: string;
  readonly archivesDir: string;
  readonly archives: ArchivesConfig;
  /** folder of the embedded servers and of demo data */
  readonly dataDir: string;
  readonly fuseau: string;
  /** seconds after local midnight */
  readonly journeeDebut: number;
  readonly centres: readonly CentreConfig[];
  /** what must not be kept or shown of lines of logs; undefined: no rules are set */
  readonly masques: Masques | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly api: ApiConfig;
  /** centres whose folder is on a remote server */
  readonly sftp: SftpConfig;
  /** the ERP to read orders from, undefined when none is set */
  readonly erp: ErpConfig | undefined;
  /** when somebody is told that something is wrong, and how */
  readonly alertes: AlertesConfig;
  /** what is kept for how long */
  readonly conservation: ConservationConfig;
  readonly purge: PurgeConfig;
  readonly sauvegarde: SauvegardeConfig;
  /** when tasks run by themselves */
  readonly planification: PlanificationConfig;
  /** metrics, log files, traces */
  readonly observation: ObservationConfig;
  /** every link that goes out, and how it is protected */
  readonly liens: readonly Lien[];
  /** the rule for addresses of PostgreSQL that come by an option; those above have gone through it */
  readonly tlsPostgres: TlsPostgres;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The environment of the process over a `.env` file of the working folder (the process wins).
 *
 * @throws AtelierError ATL_C101 when `.env` exists but cannot be read
 */
export function readEnv(file = '.env'): Env {
  return { ...readEnvFile(file), ...process.env };
}

/**
 * What a `.env` file says by itself; nothing when there is none.
 *
 * @throws AtelierError ATL_C101 when it exists but cannot be read, or has lines that two readers would read differently
 */
export function readEnvFile(file: string): Env {
  if (!existsSync(file)) return {};
  let found: FichierEnv;
  try {
    found = lireFichierEnv(readFileSync(file));
  } catch (cause) {
    throw new AtelierError('ATL_C101', `Lecture de ${resolve(file)} : ${messageOf(cause)}`, { cause });
  }
  if (found.problemes.length === 0) return found.valeurs;
  const lines = found.problemes.map((line) => `  - ${line}`).join('\n');
  throw new AtelierError('ATL_C101', `Lecture de ${resolve(file)} :\n${lines}`);
}

/** Takes out of the environment, for the programs that this one starts, what is not for this process. */
export function forgetWithheld(of: OwnProcess): void {
  for (const name of withheldFrom(of)) delete process.env[name];
}

/**
 * Reads every setting and reports all problems at once, by name. Secrets never appear in the message.
 *
 * @param running the process that reads them; else what `PROCESSUS` says. Secrets of others are not there for it,
 *   wherever they stand
 * @throws AtelierError ATL_C101
 */
export function loadConfig(env: Env = readEnv(), running?: OwnProcess): Config {
  const problems: string[] = [];
  const processus = running ?? readProcess(env['PROCESSUS']?.trim() ?? '', problems);
  const text = (name: string): string => {
    const value = isGiven(name, processus) ? env[name]?.trim() : undefined;
    return value ? value : SETTINGS.find((setting) => setting.name === name)!.default;
  };
  const reseaux = readReseaux(text, problems);
  const situer = situerParmi(reseaux);
  const tlsPostgres = {
    mode: readModeTls('POSTGRES_TLS', text, problems),
    ca: text('POSTGRES_TLS_CA'),
    reseaux,
  };
  const liens: Lien[] = [];
  const proteger = (reglage: string, url: string | undefined): string | undefined => {
    if (url === undefined || !URL.canParse(url)) return url;
    const protege = protegerPostgres(url, reglage, tlsPostgres);
    liens.push(protege.lien);
    return protege.url;
  };
  const api = readApi(text, problems);
  const config: Config = {
    ...{ processus, liens, tlsPostgres },
    databaseUrl: proteger(
      text('DATABASE_URL') ? 'DATABASE_URL' : 'POSTGRES_HOST',
      readDatabaseUrl(text, problems),
    ),
    logsDir: resolve(text('LOGS_DIR')),
    dossiersIgnores: text('DOSSIERS_IGNORES')
      .split(';')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    syncLogsDir: resolve(text('SYNC_LOGS_DIR') || join(text('ATELIER_DIR'), 'sync_logs')),
    archivesDir: resolve(text('ARCHIVES_DIR') || join(text('ATELIER_DIR'), 'archives')),
    archives: readArchives(text, problems),
    dataDir: resolve(text('ATELIER_DIR')),
    fuseau: readZone(text('FUSEAU'), problems),
    journeeDebut: readDayStart(text('JOURNEE_DEBUT'), problems),
    centres: readCentres(text('CENTRES'), problems),
    masques: readMasques(text, problems),
    logLevel: readLevel(text('NIVEAU_JOURNAL'), problems),
    api: {
      ...api,
      databaseReadUrl: proteger('DATABASE_READ_URL', api.databaseReadUrl),
      databaseApiUrl: proteger('DATABASE_API_URL', api.databaseApiUrl),
    },
    sftp: readSftp(text, problems),
    erp: readErp(text, problems, situer, liens),
    alertes: readAlertes(text, problems, situer, liens),
    conservation: readConservation(text, problems),
    purge: readPurge(text, problems),
    sauvegarde: readSauvegarde(text, problems),
    planification: readPlanification(text, readZone(text('FUSEAU'), []), problems),
    observation: readObservation(text, problems, situer, liens),
  };
  if (problems.length > 0) {
    throw new AtelierError(
      'ATL_C101',
      `Configuration invalide :\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
  }
  return config;
}

function readProcess(value: string, problems: string[]): OwnProcess | undefined {
  const known = OWN_PROCESSES.find((one) => one === value);
  if (value !== '' && known === undefined)
    problems.push(`PROCESSUS : attendu ${OWN_PROCESSES.join(', ')} ou rien, reçu « ${value} »`);
  return known;
}

function readDatabaseUrl(text: Texte, problems: string[]): string | undefined {
  const url = text('DATABASE_URL');
  if (url) {
    if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return url;
    problems.push('DATABASE_URL : attendu postgresql://utilisateur:motdepasse@hote:port/base');
    return undefined;
  }
  const port = entier('POSTGRES_PORT', text, problems, 1, 65_535);
  const host = text('POSTGRES_HOST');
  if (!host) return undefined;
  const part = (name: string): string => encodeURIComponent(text(name));
  const password = text('POSTGRES_PASSWORD');
  if (host.startsWith('/')) {
    // A socket folder: an address without a host cannot carry a user before it, so all goes behind.
    const query = new URLSearchParams({ host, port: String(port), user: text('POSTGRES_USER') });
    if (password) query.set('password', password);
    return `postgresql:///${part('POSTGRES_DB')}?${query}`;
  }
  const account = part('POSTGRES_USER') + (password ? `:${part('POSTGRES_PASSWORD')}` : '');
  const address = `postgresql://${account}@${host.includes(':') ? `[${host}]` : host}:${port}/${part('POSTGRES_DB')}`;
  if (port >= 1 && !URL.canParse(address)) {
    problems.push(`POSTGRES_HOST : « ${host} » n’est pas un nom d’hôte`);
  }
  return address;
}

function readZone(zone: string, problems: string[]): string {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId;
  } catch {
    problems.push(`FUSEAU : « ${zone} » n’est pas un fuseau connu (exemple : Europe/Paris)`);
    return 'UTC';
  }
}

function readDayStart(value: string, problems: string[]): number {
  const seconds = parseTimeOfDay(value);
  if (seconds === undefined) problems.push(`JOURNEE_DEBUT : attendu HH:MM, reçu « ${value} »`);
  return seconds ?? 0;
}

function readCentres(value: string, problems: string[]): CentreConfig[] {
  const centres: CentreConfig[] = [];
  for (const entry of value.split(';').map((part) => part.trim())) {
    if (entry === '') continue;
    const match = /^([^=]+)=([^,]+),([^,]+?)(?:,\s*(debut|fin))?$/.exec(entry);
    if (!match) {
      problems.push(`CENTRES : « ${entry} » n’a pas la forme dossier=NOM,TYPE[,debut|fin]`);
      continue;
    }
    const [dossier, nom, type] = [match[1]!.trim(), match[2]!.trim(), match[3]!.trim()];
    if (centres.some((centre) => centre.dossier === dossier)) {
      problems.push(`CENTRES : le dossier « ${dossier} » est donné deux fois`);
    }
    centres.push({ dossier, nom, type, attente: match[4] === 'fin' ? 'fin' : 'debut' });
  }
  return centres;
}

function readLevel(value: string, problems: string[]): Config['logLevel'] {
  if (value === 'debug' || value === 'info' || value === 'warn' || value === 'error') return value;
  problems.push(`NIVEAU_JOURNAL : attendu debug, info, warn ou error, reçu « ${value} »`);
  return 'info';
}
