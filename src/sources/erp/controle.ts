import { AtelierError } from '../../base/errors.ts';
import { type ColonneCle, clesComparables } from './cles.ts';
import { estInconnue, estInterdite } from './erreurs.ts';
import { deLaBase, type TableTrouvee, trouverTable } from './noms.ts';
import { guillemets } from './reglages.ts';
import type { Source } from './requetes.ts';
import { INDEX_VOULUS, type Nature, TABLES } from './schema.ts';
import type { ErpSession, Valeur } from './session.ts';

/** What the check of the source found; without `problemes` the extraction can start. */
export interface Controle {
  /** for example `10.11.19-MariaDB` */
  readonly version: string;
  /** what makes reading impossible, French, one line each */
  readonly problemes: readonly string[];
  /** what only makes it slower or less sure */
  readonly avertissements: readonly string[];
  /** statements that would create the indexes that are missing; nothing is ever created */
  readonly indexManquants: readonly string[];
  /** how the reads are written for this ERP; only of use without `problemes` */
  readonly source: Source;
  /** `A_Logbuch.Datum` is an instant, to be dated in the factory's zone, and not a wall clock's reading */
  readonly datesInstants: boolean;
}

const TYPES: Readonly<Record<Nature, RegExp>> = {
  cle: /^(char|varchar|(tiny|small|medium|big)?int|binary|varbinary)$/,
  texte: /^(char|varchar|(tiny|medium|long)?text|enum|set|binary|varbinary)$/,
  nombre: /^((tiny|small|medium|big)?int|decimal|float|double|char|varchar)$/,
  date: /^(date|datetime|timestamp)$/,
};

/**
 * Looks at tables, columns, rights, character sets, engine and indexes before the first read. Reads the
 * catalogue only, and creates nothing.
 *
 * @throws AtelierError ATL_E401, ATL_E404, ATL_E405, ATL_E407 when the catalogue itself cannot be read
 */
export async function controlerSource(session: ErpSession): Promise<Controle> {
  const [row] = await session.lire('lecture de la version', 'SELECT VERSION(), DATABASE()');
  const found: Found = {
    base: row?.[1] ?? '',
    problemes: [],
    avertissements: [],
    indexManquants: [],
    tables: new Map(),
    colonnes: new Map(),
    textes: new Map(),
    cles: new Map(),
    types: new Map(),
  };
  const names = new Map<string, TableTrouvee>();
  for (const { table } of TABLES) {
    const name = await controlerTable(session, table, found);
    if (name) names.set(table, name);
  }
  await controlerIndex(session, names, found);
  const { tables, colonnes, textes, problemes, avertissements, indexManquants } = found;
  const cles = new Map<string, string>();
  let id = 'ID';
  const keys = CLES.map((key) => found.cles.get(key));
  if (problemes.length === 0 && keys.every((key) => key !== undefined)) {
    const [entete, ...enfants] = keys;
    const comparable = await clesComparables(session, entete!, enfants);
    id = comparable.id;
    for (const [at, sql] of [comparable.entete, ...comparable.enfants].entries()) cles.set(CLES[at]!, sql);
  }
  return {
    version: row?.[0] ?? '',
    problemes,
    avertissements,
    indexManquants,
    source: { tables, colonnes, textes, cles, id },
    datesInstants: found.types.get('A_Logbuch.Datum') === 'timestamp',
  };
}

/** The key of the headers, then those that refer to it. */
const CLES = ['A_Kopf.ID', 'P_Zubeh.ID_A_Kopf', 'A_Logbuch.ID_A_Kopf', 'A_Vorgang.ID_A_Kopf'];

/**
 * @throws AtelierError ATL_E403 naming everything that is missing at once
 */
export function exigerConforme(controle: Controle, cible: string): void {
  if (controle.problemes.length === 0) return;
  throw new AtelierError(
    'ATL_E403',
    `${cible}, contrôle de la source :\n${controle.problemes.map((line) => `  - ${line}`).join('\n')}`,
  );
}

interface Found {
  /** the current database, as the server has it */
  readonly base: string;
  readonly problemes: string[];
  readonly avertissements: string[];
  readonly indexManquants: string[];
  readonly tables: Map<string, string>;
  readonly colonnes: Map<string, string>;
  readonly textes: Map<string, string>;
  readonly cles: Map<string, ColonneCle>;
  readonly types: Map<string, string>;
}

async function controlerTable(
  session: ErpSession,
  table: string,
  found: Found,
): Promise<TableTrouvee | undefined> {
  const head = await trouverTable(session, found.base, table);
  if (!head) {
    found.problemes.push(`table ${table} : absente, ou aucun droit de lecture dessus`);
    return undefined;
  }
  if ('candidats' in head) {
    found.problemes.push(
      `table ${table} : aucune de ce nom exact, et plusieurs à la casse près (${head.candidats.join(', ')}) ; laquelle est la bonne n’est pas devinée`,
    );
    return undefined;
  }
  if (head.nom !== table) {
    found.avertissements.push(`table ${table} : lue sous le nom ${head.nom}, seul à la casse près`);
  }
  if (!head.vue && head.moteur.toLowerCase() !== 'innodb') {
    found.avertissements.push(
      `table ${table} : moteur ${head.moteur || 'inconnu'}, pas InnoDB ; sa lecture n’est pas celle d’un instant unique`,
    );
  }
  found.tables.set(table, guillemets(head.nom));
  const columns = deLaBase(
    await session.lire(
      `contrôle de la table ${table}`,
      `SELECT TABLE_SCHEMA, COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, PRIVILEGES,
              CHARACTER_MAXIMUM_LENGTH, TABLE_NAME
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
      [head.nom],
    ),
    found.base,
  ).filter((row) => row[7] === head.nom);
  const wanted = Object.entries(TABLES.find((entry) => entry.table === table)!.colonnes);
  for (const [column, nature] of wanted)
    await controlerColonne(session, { table, head, column, nature, columns }, found);
  return head;
}

interface ColonneVoulue {
  readonly table: string;
  readonly head: TableTrouvee;
  readonly column: string;
  readonly nature: Nature;
  /** all columns of the table, as the catalogue has them */
  readonly columns: readonly Valeur[][];
}

async function controlerColonne(session: ErpSession, wanted: ColonneVoulue, found: Found): Promise<void> {
  const { table, head, column, nature } = wanted;
  // The server compares names of columns without case, always: no two can differ in case only.
  const row = wanted.columns.find((one) => one[1]?.toLowerCase() === column.toLowerCase());
  if (!row || !/\bselect\b/i.test(row[5] ?? '')) {
    found.problemes.push(await pourquoi(session, table, head.nom, column));
    return;
  }
  const [, nom, , charset, collation, , longueur] = row;
  const type = row[2]?.toLowerCase() ?? '';
  const place = `${table}.${column}`;
  const sql = guillemets(nom ?? column);
  // A floating point number is shown rounded, or by its exponent; this way it has all its digits.
  const entier = /^(float|double)$/.test(type) ? `CAST(${sql} AS DECIMAL(65, 10))` : sql;
  found.colonnes.set(place, entier);
  found.types.set(place, type);
  if (!TYPES[nature].test(type)) {
    found.problemes.push(`colonne ${place} : type ${type} inattendu (${ATTENDUS[nature]})`);
  }
  if (nature === 'cle') {
    found.cles.set(place, {
      sql,
      type,
      charset: charset ?? null,
      collation: collation ?? null,
      longueur: Number(longueur ?? 0),
    });
  }
  if (nature !== 'texte' || collation === 'utf8mb4_general_ci') return;
  if (charset !== 'utf8mb4') {
    found.avertissements.push(
      charset === null || charset === undefined || charset === 'binary'
        ? `colonne ${place} : ${type}, sans jeu de caractères ; ses octets sont lus comme de l’UTF-8`
        : `colonne ${place} : en ${charset}, convertie en utf8mb4 à la lecture`,
    );
  }
  const text = charset === 'utf8mb4' ? sql : `CONVERT(${sql} USING utf8mb4)`;
  // Compared by another collation, accents or case would count and orders would be missed.
  found.textes.set(place, `${text} COLLATE utf8mb4_general_ci`);
}

const ATTENDUS: Readonly<Record<Nature, string>> = {
  cle: 'une clé était attendue',
  texte: 'un texte était attendu',
  nombre: 'un nombre était attendu',
  date: 'une date était attendue',
};

/** The catalogue hides what may not be read, so a column that is not in it is asked for once. */
async function pourquoi(session: ErpSession, table: string, nom: string, column: string): Promise<string> {
  try {
    await session.lire(
      `contrôle de ${table}.${column}`,
      `SELECT ${guillemets(column)} FROM ${guillemets(nom)} LIMIT 0`,
    );
    return `colonne ${table}.${column} : absente du catalogue`;
  } catch (error) {
    if (estInconnue(error)) return `colonne ${table}.${column} : absente`;
    if (estInterdite(error)) {
      return `colonne ${table}.${column} : absente, ou droit de lecture manquant (GRANT SELECT (${column}) ON ${nom})`;
    }
    throw error;
  }
}

async function controlerIndex(
  session: ErpSession,
  names: ReadonlyMap<string, TableTrouvee>,
  found: Found,
): Promise<void> {
  for (const { table, premiere, contient, nom } of INDEX_VOULUS) {
    const head = names.get(table);
    // A view has no index of its own, and where its rows come from is its author's affair.
    if (!head || head.vue) continue;
    const rows = deLaBase(
      await session.lire(
        `contrôle des index de ${table}`,
        `SELECT TABLE_SCHEMA, INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX, TABLE_NAME FROM information_schema.STATISTICS
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
        [head.nom],
      ),
      found.base,
    ).filter((row) => row[4] === head.nom);
    const indexes = Map.groupBy(rows, (row) => row[1] ?? '');
    const has = [...indexes.values()].some((parts) => {
      const columns = parts.map((part) => part[2]?.toLowerCase());
      const first = parts.find((part) => part[3] === '1')?.[2]?.toLowerCase();
      const covers = contient.every((column) => columns.includes(column.toLowerCase()));
      return covers && (premiere === undefined || first === premiere.toLowerCase());
    });
    if (has) continue;
    const of = contient.map(
      (column) => found.colonnes.get(`${table}.${column}`)?.replaceAll('`', '') ?? column,
    );
    found.indexManquants.push(`CREATE INDEX ${nom} ON ${head.nom} (${of.join(', ')});`);
    found.avertissements.push(
      `index voulu sur ${table} (${contient.join(', ')}) : absent ; la lecture sera plus lente`,
    );
  }
}
