import { AtelierError } from '../../base/errors.ts';
import type { ErpSession } from './session.ts';

/**
 * What the reading depends on, with the value that `SHOW SESSION VARIABLES` then says. Set whatever the server, its
 * administrator (`init_connect`) or a driver had set. A variable that a server does not have is left out:
 * MariaDB and MySQL differ, and so do their versions.
 */
const VOULUS: Readonly<Record<string, string>> = {
  sql_select_limit: '18446744073709551615',
  sql_mode: '',
  autocommit: 'ON',
  // A TIMESTAMP is shown in the session's zone: in this one it is an instant.
  time_zone: '+00:00',
  // An administrator's `SET GLOBAL sql_safe_updates = 1` brings a limit of a thousand rows along, in some clients.
  sql_safe_updates: 'OFF',
  // Else max_join_size refuses what the optimizer thinks is long.
  sql_big_selects: 'ON',
  sql_auto_is_null: 'OFF',
  sql_buffer_result: 'OFF',
  completion_type: 'NO_CHAIN',
  // Without room for warnings, SHOW WARNINGS is empty whatever happened.
  max_error_count: '64',
  // MariaDB: changes what REGEXP means; reads tables as they were; reads a Galera node that is behind.
  default_regex_flags: '',
  system_versioning_asof: 'DEFAULT',
  wsrep_dirty_reads: 'OFF',
  // MariaDB: ends a transaction that waits for us.
  idle_transaction_timeout: '0',
  idle_readonly_transaction_timeout: '0',
  // MySQL: another engine may hold an older copy.
  use_secondary_engine: 'OFF',
  // The two names of one thing: MariaDB's, then MySQL's and that of newer MariaDB.
  tx_isolation: 'REPEATABLE-READ',
  transaction_isolation: 'REPEATABLE-READ',
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  collation_connection: 'utf8mb4_general_ci',
};

/** Set by statements of their own (`SET NAMES`, `SET TRANSACTION`), and read back with the others. */
const AUTREMENT = /^(tx_|transaction_)isolation$|^character_set_|^collation_connection$/;

/** These words are not texts in a SET. */
const MOTS = /^(ON|OFF|DEFAULT|\d+)$/;

/**
 * Makes the session ours: the first statements of a connection. Everything is read back, and a value that did not
 * hold is an error: a server or a proxy that passes a SET over must not change an answer.
 *
 * @param base database that must be current; `init_connect` may have chosen another
 * @param delaiMax seconds after which the server ends a statement, or the session, by itself
 * @throws AtelierError ATL_E408 naming each setting that did not hold; ATL_E401 to ATL_E407
 */
export async function reglerSession(session: ErpSession, base: string, delaiMax: number): Promise<void> {
  const nom = 'réglage de la session';
  const s = Math.ceil(delaiMax);
  // These exist everywhere. Without the first every later answer may be cut short, without the last refused.
  await session.lire(
    nom,
    `SET SESSION sql_select_limit = ${VOULUS['sql_select_limit']}, sql_mode = '', autocommit = 1, sql_big_selects = 1`,
  );
  await session.lire(nom, 'SET NAMES utf8mb4 COLLATE utf8mb4_general_ci');
  await session.lire(nom, 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await session.lire(nom, `USE ${guillemets(base)}`);
  const voulus: Record<string, string> = {
    ...VOULUS,
    max_statement_time: `${s}.000000`,
    max_execution_time: String(s * 1000),
    wait_timeout: String(s),
    net_write_timeout: String(s),
    lock_wait_timeout: String(Math.min(s, 10)),
  };
  const presents = await valeurs(session, Object.keys(voulus));
  const sets = [...presents]
    .filter(([name, value]) => !AUTREMENT.test(name) && !juste(name, value, voulus))
    .map(([name]) => `${name} = ${litteral(name, voulus[name]!)}`);
  if (sets.length > 0) await session.lire(nom, `SET SESSION ${sets.join(', ')}`);
  const relus = await valeurs(session, [...presents.keys()]);
  const faux = [...presents.keys()]
    .filter((name) => !juste(name, relus.get(name), voulus))
    .map((name) => `${name} vaut « ${relus.get(name) ?? ''} » au lieu de « ${voulus[name]} »`);
  if (!relus.has('tx_isolation') && !relus.has('transaction_isolation')) {
    faux.push('le niveau d’isolation ne se relit pas');
  }
  if (faux.length > 0) throw new AtelierError('ATL_E408', `${session.cible}, ${nom} : ${faux.join(' ; ')}`);
}

/**
 * Whether a value is one that the reading may have. What is right is not set: MySQL lets only some accounts set
 * `max_error_count`, of which any number but none will do.
 */
function juste(name: string, value: string | undefined, voulus: Readonly<Record<string, string>>): boolean {
  if (name === 'max_error_count') return Number(value) > 0;
  return value?.toUpperCase() === voulus[name]!.toUpperCase();
}

/**
 * Begins the one read-only snapshot of a reading.
 *
 * @throws AtelierError ATL_E408 when the server warns: it then gave no snapshot
 */
export async function ouvrirInstantane(session: ErpSession): Promise<void> {
  const nom = 'début de transaction';
  await session.lire(nom, 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  const [warning] = await session.lire(nom, 'SHOW WARNINGS');
  if (!warning) return;
  throw new AtelierError(
    'ATL_E408',
    `${session.cible}, ${nom} : pas d’instantané (${warning[1]} : ${warning[2]})`,
  );
}

/** A name as SQL takes it, whatever is in it. */
export function guillemets(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function litteral(name: string, value: string): string {
  if (name === 'max_statement_time') return String(Number(value));
  return MOTS.test(value) ? value : `'${value}'`;
}

async function valeurs(session: ErpSession, names: readonly string[]): Promise<Map<string, string>> {
  const list = names.map((name) => `'${name}'`).join(', ');
  const rows = await session.lire(
    'relecture des réglages',
    `SHOW SESSION VARIABLES WHERE Variable_name IN (${list})`,
  );
  return new Map(rows.map(([name, value]) => [(name ?? '').toLowerCase(), value ?? '']));
}
