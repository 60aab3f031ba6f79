import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { to as copyTo } from 'pg-copy-streams';
import { sansIndex } from '../comptes/lignes.ts';
import { type Client, connect, type Pool, type Queryable } from '../pool.ts';
import { Filtre } from './filtre.ts';
import { apresLesLignes, avantLesLignes, type TableSauvegardee, tablesDuSchema } from './schema.ts';

/** Table that marks a restoration under way (see `marque.ts`): never part of a backup. */
export const TABLE_DE_MARQUE = 'restauration_en_cours';

/**
 * Tables of which a backup has the shape and no rows: the keys of accounts, so that it forgets whoever is erased; and
 * keyed hashes of names and networks that only slow down guessing, which with the master key would confirm a guess.
 */
export const SANS_LIGNES: ReadonlySet<string> = new Set([
  'compte_cle',
  'tentative_connexion',
  'reseau_connu',
]);

/** Columns that a backup has another value of, the same for the same row. */
const REMPLACEES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  user: { username_index: sansIndex('username'), email_index: sansIndex('email') },
};

/** How values are written, so that the same rows give the same text on every server. */
const SETTINGS = `SET LOCAL search_path = '';
SET LOCAL datestyle = ISO; SET LOCAL intervalstyle = postgres; SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = hex; SET LOCAL client_encoding = 'UTF8'; SET LOCAL standard_conforming_strings = on;
SET LOCAL synchronize_seqscans = off; SET LOCAL row_security = off;
SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`;

/** Rows of a table, and the SHA-256 of their COPY text in the order in which they lie. */
export interface EmpreinteDeTable {
  readonly lignes: number;
  readonly sha256: string;
}

/** A look at the database as it was at one moment, however long it takes and whatever is written meanwhile. */
export interface Instantane {
  readonly client: Client;
  readonly schema: string;
  readonly serveur: number;
  /** ISO 8601, UTC */
  readonly instant: string;
  readonly tables: readonly TableSauvegardee[];
}

/**
 * Runs `work` on one REPEATABLE READ snapshot of all tables. Writers are never stopped; only changes of the schema
 * (migrations) wait until the end.
 */
export async function surInstantane<T>(pool: Pool, work: (vue: Instantane) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    const schema = await schemaCourant(client);
    const found = (await tablesDuSchema(client, schema)).filter(({ nom }) => nom !== TABLE_DE_MARQUE);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(SETTINGS);
    // LOCK takes no snapshot: the first query after it does, when no table can change its shape any more.
    if (found.length > 0) {
      await client.query(
        `LOCK TABLE ${found.map((t) => nomComplet(schema, t)).join(', ')} IN ACCESS SHARE MODE`,
      );
    }
    const { rows } = await client.query<{ serveur: string; instant: Date }>(
      `SELECT current_setting('server_version_num') AS serveur, clock_timestamp() AS instant`,
    );
    const tables = (await tablesDuSchema(client, schema)).filter(({ nom }) => nom !== TABLE_DE_MARQUE);
    const { serveur, instant } = rows[0]!;
    const vue = { client, schema, serveur: Number(serveur), instant: instant.toISOString(), tables };
    const result = await work(vue);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    broken ??= error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('error', onError);
    // In the middle of a COPY nobody listens: only cutting the line lets the server end it, and its locks.
    if (broken) (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    client.release(broken);
  }
}

/** Lets queries that name tables alone find them on a snapshot again. */
export async function nommerSchema({ client, schema }: Instantane): Promise<void> {
  await client.query(`SET LOCAL search_path = ${quoted(schema)}`);
}

/** Marks the places of a dump where this program must do more than send text; no other line can look so. */
export interface Reperes {
  /** a COPY block follows */
  readonly copie: string;
  /** what came so far may be sent */
  readonly suite: string;
  readonly fin: string;
}

/** Statements that are sent at once. */
const STATEMENTS = 50;
/** First line of a dump, after which {@link lireReperes} finds its marks. */
const TITLE = '-- Sauvegarde de la base d’atelier';

function reperesDe(jeton: string): Reperes {
  return { copie: `-- ${jeton} copie `, suite: `-- ${jeton} suite`, fin: `-- ${jeton} fin` };
}

/** The marks of a dump, from its first line; undefined when it is not ours. */
export function lireReperes(line: string): Reperes | undefined {
  const match = /^(.*) \(([0-9a-f]{32})\)$/.exec(line);
  return match && match[1] === TITLE ? reperesDe(match[2]!) : undefined;
}

/**
 * The database as text that psql takes: statements, `COPY … FROM stdin` blocks, statements. Memory stays flat.
 *
 * @param empreintes receives what each table held
 * @param onTable called as each table begins
 * @param ecartees receives what of the schema is left out, since a restoration would not play it
 */
export async function* ecrireBase(
  vue: Instantane,
  empreintes: Map<string, EmpreinteDeTable>,
  onTable: (nom: string) => void = () => undefined,
  ecartees: string[] = [],
): AsyncGenerator<Buffer> {
  const filtre = new Filtre(vue.schema);
  const { client, schema, tables } = vue;
  const jeton = randomBytes(16).toString('hex');
  const { copie, suite, fin } = reperesDe(jeton);
  yield text(
    `${TITLE} (${jeton})\n-- ${vue.instant}, PostgreSQL ${vue.serveur}. À jouer sur une base vide : psql -1 -v ON_ERROR_STOP=1 -f CE_FICHIER\n\n` +
      `SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n` +
      `SET check_function_bodies = false;\nSET client_min_messages = warning;\nSET row_security = off;\n` +
      `SELECT pg_catalog.set_config('search_path', '', false);\n`,
  );
  for (const statement of filtre.garder(await avantLesLignes(client, schema))) yield text(`\n${statement}\n`);
  const names = await nomsAffiches(client, schema);
  for (const table of tables) {
    if (SANS_LIGNES.has(table.nom) || filtre.absent(names.get(table.nom)!)) continue;
    onTable(table.nom);
    const target = cible(schema, table);
    yield text(`\n${copie}${table.nom}\nCOPY ${target} FROM stdin;\n`);
    yield* lignes(client, source(schema, table), (empreinte) => empreintes.set(table.nom, empreinte));
    yield text('\\.\n');
  }
  yield text('\n');
  const after = filtre.garder(await apresLesLignes(client, schema));
  for (const [i, statement] of after.entries()) {
    yield text(`${statement}\n${i % STATEMENTS === STATEMENTS - 1 ? `${suite}\n` : ''}`);
  }
  ecartees.push(...filtre.ecartees);
  yield text(`${fin}\n`);
}

/** Tables as PostgreSQL writes their names, by name. */
async function nomsAffiches(client: Client, schema: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ nom: string; affiche: string }>(
    `SELECT relname AS nom, oid::regclass::text AS affiche FROM pg_class WHERE relnamespace = quote_ident($1)::regnamespace AND relkind = 'r'`,
    [schema],
  );
  return new Map(rows.map(({ nom, affiche }) => [nom, affiche]));
}

/** What a table holds now, to be compared with what a dump says. */
export async function empreinteDeTable(
  client: Client,
  schema: string,
  table: TableSauvegardee,
): Promise<EmpreinteDeTable> {
  let found: EmpreinteDeTable | undefined;
  for await (const _ of lignes(client, cible(schema, table), (empreinte) => (found = empreinte)));
  return found!;
}

/** Settings under which {@link empreinteDeTable} gives the same text as the dump: for the transaction. */
export async function fixerEcriture(client: Client): Promise<void> {
  await client.query(SETTINGS);
}

async function* lignes(
  client: Client,
  target: string,
  done: (empreinte: EmpreinteDeTable) => void,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let rows = 0;
  const stream = client.query(copyTo(`COPY ${target} TO STDOUT`));
  for await (const piece of stream as AsyncIterable<Buffer>) {
    hash.update(piece);
    // In this format a line feed ends a row and is nothing else; the stream's own count comes after its end.
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) rows++;
    yield piece;
  }
  done({ lignes: rows, sha256: hash.digest('hex') });
}

function cible(schema: string, table: TableSauvegardee): string {
  return `${nomComplet(schema, table)} (${table.colonnes.map(quoted).join(', ')})`;
}

/** What a COPY reads the rows of a backup from. */
function source(schema: string, table: TableSauvegardee): string {
  const replaced = REMPLACEES[table.nom];
  if (!replaced) return cible(schema, table);
  const columns = table.colonnes.map((name) =>
    replaced[name] ? `${replaced[name]} AS ${quoted(name)}` : quoted(name),
  );
  return `(SELECT ${columns.join(', ')} FROM ${nomComplet(schema, table)})`;
}

function nomComplet(schema: string, { nom }: TableSauvegardee): string {
  return `${quoted(schema)}.${quoted(nom)}`;
}

/** Schema that tables without one are looked for in. */
export async function schemaCourant(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ schema: string }>('SELECT current_schema() AS schema');
  return rows[0]!.schema;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}
