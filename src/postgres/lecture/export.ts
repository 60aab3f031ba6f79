/** All rows of a list for a file: one consistent view, at constant memory, as CSV text or row by row, by COPY. */
import { to as copierVers } from 'pg-copy-streams';
import { type Client, connect, type Pool } from '../pool.ts';
import {
  type ColonneExportee,
  type Csv,
  csvSql,
  DATES_FRANCAISES,
  genreDe,
  tableurSql,
} from './export-colonnes.ts';
import { Instants } from './export-instants.ts';
import { Lignes } from './export-lignes.ts';
import {
  colonnesSql,
  conditionsSql,
  ordreComplet,
  ordreSql,
  Parametres,
  type TableLue,
  type Tri,
  whereSql,
} from './table-lue.ts';

/** Milliseconds that one statement of an export may take; other reads have half a minute. */
const DUREE_MAX = 30 * 60_000;

export interface DemandeDeLecture {
  readonly filtres: Readonly<Record<string, unknown>>;
  readonly tri: readonly Tri[];
  readonly skip: number;
  /** undefined: all rows */
  readonly limit: number | undefined;
}

/** What an export reads, as it was at one moment, whatever is written meanwhile. */
export interface Lecture {
  readonly colonnes: readonly ColonneExportee[];
  /** rows that will come, exactly */
  readonly nombre: number;
  /**
   * The rows as CSV with a header line, in pieces as PostgreSQL sends them.
   *
   * @throws when they are not all there, whatever the reason
   */
  csv(forme: Csv): AsyncGenerator<Buffer>;
  /**
   * The rows for a spreadsheet, some at a time: texts, numbers as PostgreSQL writes them, `t` or `f`, and dates as
   * numbers of days since 1899-12-30 (instants: of the wall clock in the zone of the connection).
   *
   * @throws when they are not all there
   */
  lots(): AsyncGenerator<(string | null)[][]>;
}

/**
 * Opens a view of a list on a connection of its own, for as long as `work` takes. However `work` ends, the
 * connection is free afterwards; one whose rows were not all read is closed, and its statement stopped.
 *
 * @param signal gives up at once: whoever reads then gets an error
 */
export async function lireEnEntier<T>(
  pool: Pool,
  table: TableLue,
  demande: DemandeDeLecture,
  signal: AbortSignal,
  work: (lecture: Lecture) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  const etat = { occupee: false };
  let rendue = false;
  const rendre = (casse?: Error): void => {
    if (rendue) return;
    rendue = true;
    // A connection that is being closed may still complain; nobody is interested any more.
    if (!casse) client.off('error', ignore);
    client.release(casse);
  };
  let pid = 0;
  const interrompre = (): void => {
    rendre(new Error('lecture interrompue'));
    // A server that sorts would not notice before it first writes that nobody listens.
    if (pid !== 0) pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(ignore);
  };
  client.on('error', ignore);
  signal.addEventListener('abort', interrompre, { once: true });
  try {
    signal.throwIfAborted();
    pid = await ouvrir(client);
    const result = await work(await preparer(client, table, demande, etat));
    await client.query('COMMIT');
    rendre();
    return result;
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    // A COPY that was not read to its end leaves nothing to say on this connection.
    if (etat.occupee) rendre(error);
    else if (!rendue) await client.query('ROLLBACK').then(() => rendre(), rendre);
    throw cause;
  } finally {
    signal.removeEventListener('abort', interrompre);
  }
}

function ignore(): void {}

/** Begins the one snapshot that everything is read from; returns the number of the server's process. */
async function ouvrir(client: Client): Promise<number> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const settings = {
    statement_timeout: String(DUREE_MAX),
    datestyle: 'ISO, YMD',
  };
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pg_backend_pid() AS pid, ${Object.keys(settings)
      .map((name, i) => `set_config('${name}', $${i + 1}, true)`)
      .join(', ')}`,
    Object.values(settings),
  );
  return rows[0]!.pid;
}

/**
 * Values of a statement that takes none with it (COPY): settings of the transaction, read where the value goes. The planner looks at them as it does at bound values.
 */
class Reglages extends Parametres {
  override add(valeur: unknown): string {
    super.add(valeur);
    return `current_setting('atelier.p${this.valeurs.length}')`;
  }

  async poser(client: Client): Promise<void> {
    if (this.valeurs.length === 0) return;
    const calls = this.valeurs.map((_, i) => `set_config('atelier.p${i + 1}', $${i + 1}::text, true)`);
    await client.query(`SELECT ${calls.join(', ')}`, this.valeurs);
  }
}

async function preparer(
  client: Client,
  table: TableLue,
  { filtres, tri, skip, limit }: DemandeDeLecture,
  etat: { occupee: boolean },
): Promise<Lecture> {
  const reglages = new Reglages();
  const where = whereSql(conditionsSql(table, filtres, reglages));
  const bornes =
    (limit === undefined ? '' : ` LIMIT ${reglages.add(limit)}::bigint`) +
    (skip === 0 ? '' : ` OFFSET ${reglages.add(skip)}::bigint`);
  const select = colonnesSql(table);
  // Being sorted, this stays a subquery of its own: each column is computed once, however often it is named above.
  const lignes = `(SELECT ${select} FROM ${table.from}${where} ORDER BY ${ordreSql(table, ordreComplet(tri))}${bornes}) l`;

  await reglages.poser(client);
  const { fields } = await client.query(`SELECT ${select} FROM ${table.from} WHERE false`);
  const colonnes = fields.map(({ name, dataTypeID }) => ({ nom: name, genre: genreDe(dataTypeID) }));
  const counted =
    bornes === '' ? `${table.from}${where}` : `(SELECT 1 FROM ${table.from}${where}${bornes}) c`;
  const { rows } = await client.query<{ nombre: number }>(`SELECT count(*) AS nombre FROM ${counted}`);
  const { nombre } = rows[0]!;
  /** @throws when the rows did not all come */
  async function* copier(sortie: readonly string[], options: string): AsyncGenerator<Buffer> {
    etat.occupee = true;
    const copie = client.query(
      copierVers(`COPY (SELECT ${sortie.join(', ')} FROM ${lignes}) TO STDOUT (ENCODING 'UTF8', ${options})`),
    );
    // The driver may tell of a lost connection twice; the second time nobody reads any more.
    copie.on('error', ignore);
    for await (const piece of copie) yield piece as Buffer;
    // The answer to this comes after the end of COPY, which says how many rows there were.
    await client.query('SELECT');
    etat.occupee = false;
    if (copie.rowCount !== nombre)
      throw new Error(`${table.nom} : ${copie.rowCount} lignes lues sur ${nombre}`);
  }

  return {
    colonnes,
    nombre,
    async *csv(forme) {
      const francais = forme.instants === 'fr';
      if (francais) await client.query(`SET LOCAL datestyle = '${DATES_FRANCAISES}'`);
      const instants = new Instants(
        forme.separateur,
        colonnes.map(({ genre }) => genre === 'instant' || genre === 'heure_locale'),
      );
      const sortie = colonnes.map((colonne) => csvSql(colonne, forme));
      for await (const piece of copier(sortie, `FORMAT csv, HEADER true, DELIMITER '${forme.separateur}'`))
        yield francais ? piece : instants.traduire(piece);
    },
    async *lots() {
      const texte = new Lignes();
      for await (const piece of copier(colonnes.map(tableurSql), 'FORMAT text')) {
        const lot = texte.lire(piece);
        if (lot.length > 0) yield lot;
      }
    },
  };
}
