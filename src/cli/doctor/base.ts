import { readFileSync } from 'node:fs';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { silentLogger } from '../../base/logger.ts';
import { lectureEnTrop } from '../../postgres/droits.ts';
import { requireSchema } from '../../postgres/migrate.ts';
import { createPool, describeUrl, type Pool } from '../../postgres/pool.ts';
import { type ServeurEtat, serverState } from '../../postgres/production/controle.ts';
import { dumpSchema } from '../../postgres/schema-dump.ts';
import type { Cli } from '../cli.ts';
import { databaseUrl } from '../open.ts';
import { centresDesAlertes } from './canaux.ts';
import { clesDeLaBase, clesDesComptes } from './cles.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';
import { donnees } from './donnees.ts';
import { taches } from './taches.ts';

/** PostgreSQL 14, the oldest that the schema was written for. */
const OLDEST_POSTGRES = 140_000;
/** Seconds between two clocks from which on dates in the database may mislead. */
const CLOCK_SKEW = 60;
const SCHEMA = new URL('../../../schema.sql', import.meta.url);

/** What is looked at with a connection, each by itself: one that fails does not hide the others. */
const BEHIND: readonly {
  readonly quoi: string;
  readonly faire: (cli: Cli, pool: Pool) => Promise<readonly Constat[]>;
}[] = [
  { quoi: 'Schéma', faire: async (_cli, pool) => [compareSchema(await dumpSchema(pool), readSchema())] },
  { quoi: 'Compte de lecture', faire: async (_cli, pool) => compteDeLecture(await lectureEnTrop(pool)) },
  { quoi: 'Clé de chiffrement', faire: clesDeLaBase },
  { quoi: 'Clés des comptes', faire: clesDesComptes },
  { quoi: 'Tâches', faire: taches },
  { quoi: 'Données', faire: donnees },
  { quoi: 'Alertes, centres', faire: centresDesAlertes },
];

/** The server, its clock, its schema, and what is in it. */
export const base: Controle = {
  quoi: 'PostgreSQL',
  async faire(cli) {
    let pool: Pool | undefined;
    let where: string | undefined;
    try {
      const url = await databaseUrl(cli);
      where = describeUrl(url);
      pool = createPool(url, { logger: silentLogger(), max: 2 });
      const constats = checkServer(where, await serverState(pool));
      await requireSchema(pool);
      for (const { quoi, faire } of BEHIND) {
        constats.push(...(await faire(cli, pool).catch((error: unknown) => [failed(quoi, error)])));
      }
      return constats;
    } catch (error) {
      const detail = where === undefined ? messageOf(error) : `${where} : ${messageOf(error)}`;
      return [mal('PostgreSQL', detail, remedeDe(error))];
    } finally {
      await pool?.end();
    }
  },
};

/** What to do when the server cannot be asked at all. */
export function remedeDe(error: unknown): string {
  if (error instanceof AtelierError) return error.conseil;
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return 'Corrigez POSTGRES_USER et POSTGRES_PASSWORD (ou DATABASE_URL) : le serveur répond, mais refuse ce compte ou son mot de passe.';
    case '3D000':
      return 'Corrigez POSTGRES_DB (ou DATABASE_URL), ou créez la base : createdb --template=template0 --encoding=UTF8 NOM.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'Corrigez POSTGRES_HOST (ou DATABASE_URL) : ce nom de machine est inconnu ici.';
    case 'ECONNREFUSED':
      return 'Le serveur ne tourne pas, ou pas à cette adresse : voyez POSTGRES_HOST et POSTGRES_PORT (ou DATABASE_URL).';
    default:
      return 'Vérifiez DATABASE_URL ou POSTGRES_*, et que le serveur tourne.';
  }
}

function failed(quoi: string, error: unknown): Constat {
  const remede =
    codeOf(error) === '42501'
      ? 'Le compte de DATABASE_URL n’a pas le droit de le regarder : relancez doctor avec celui du propriétaire.'
      : 'Regardez le journal de PostgreSQL, puis recommencez.';
  return attention(quoi, `contrôle impossible : ${messageOf(error)}`, remede);
}

/** Version, encoding, clock. */
export function checkServer(where: string, { version, encodage, avance }: ServeurEtat): Constat[] {
  const detail = `${where}, version ${Math.floor(version / 10_000)}, ${encodage}`;
  const constats: Constat[] = [];
  if (version < OLDEST_POSTGRES) {
    constats.push(mal('PostgreSQL', detail, 'Il faut PostgreSQL 14 ou plus récent.'));
  } else if (encodage !== 'UTF8') {
    constats.push(mal('PostgreSQL', detail, 'Créez la base avec ENCODING UTF8.'));
  } else constats.push(bien('PostgreSQL', detail));
  const clock = `${Math.abs(Math.round(avance))} s d’écart avec PostgreSQL`;
  constats.push(
    Math.abs(avance) > CLOCK_SKEW
      ? attention('Horloge', clock, 'Réglez les deux machines par NTP (timedatectl set-ntp true).')
      : bien('Horloge', clock),
  );
  return constats;
}

/** Whether the role of dashboards can do no more than read. @param trop see {@link lectureEnTrop} */
function compteDeLecture(trop: readonly string[] | undefined): Constat[] {
  if (trop === undefined) return [];
  const quoi = 'Compte de lecture';
  if (trop.length === 0) return [bien(quoi, 'atelier_lecture ne peut que lire')];
  return [
    attention(
      quoi,
      `atelier_lecture peut encore : ${trop.join(' ; ')}`,
      'Relancez deploy/postgres/roles.sql en super-utilisateur (psql --set=serveur_dedie=oui si ce serveur n’a d’autre base que celle d’atelier).',
    ),
  ];
}

function readSchema(): string | undefined {
  try {
    return readFileSync(SCHEMA, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Compares the schema of the database with that of the program, statement by statement: whoever added an index or
 * dropped a trigger by hand should know before the next migration does.
 *
 * Parentheses do not count: PostgreSQL writes `(a OR b) OR c` of what a migration said, `a OR b OR c` once a
 * restoration has read that again.
 *
 * @param expected `schema.sql`, or undefined when it was not delivered
 */
export function compareSchema(actual: string, expected: string | undefined): Constat {
  const quoi = 'Schéma';
  if (expected === undefined) return bien(quoi, 'à jour (schema.sql absent : non comparé)');
  const [here, wanted] = [statements(actual), statements(expected)];
  const extra = [...here].flatMap(([key, text]) => (wanted.has(key) ? [] : [text]));
  const missing = [...wanted].flatMap(([key, text]) => (here.has(key) ? [] : [text]));
  if (extra.length + missing.length === 0) return bien(quoi, 'à jour, tel que schema.sql');
  const examples = [
    ...missing.map((text) => `manque : ${brief(text)}`),
    ...extra.map((text) => `en trop : ${brief(text)}`),
  ];
  const more = examples.length > 3 ? ` ; et ${examples.length - 3} autres` : '';
  return attention(
    quoi,
    `s’écarte de schema.sql : ${examples.slice(0, 3).join(' ; ')}${more}`,
    'Quelqu’un a changé la base à la main : remettez-la comme schema.sql la décrit, ou faites-en une migration.',
  );
}

/** Lines of tables one by one, everything else by whole statements; by what of them is compared. */
function statements(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('--') || line.trim() === '') continue;
    const start = /^CREATE TABLE (\S+)/.exec(line);
    if (start) table = start[1]!;
    // Columns and constraints of other tables have the same words.
    const said = line.startsWith('  ') && table !== '' ? `${table} : ${line.trim().replace(/,$/, '')}` : line;
    found.set(said.replaceAll(/[()]/g, ''), said);
    if (line === ');') table = '';
  }
  return found;
}

function brief(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
