import { AtelierError, codeOf } from '../../base/errors.ts';
import { INDEX_VOULUS, type Nature, TABLES } from './schema.ts';
import type { ErpSession } from './session.ts';

/** What the check of the source found; without `problemes` the extraction can start. */
export interface Controle {
  /** for example `10.11.19-MariaDB` */
  readonly version: string;
  readonly mariadb: boolean;
  /** what makes reading impossible, French, one line each */
  readonly problemes: readonly string[];
  /** what only makes it slower or less sure */
  readonly avertissements: readonly string[];
  /** statements that would create the indexes that are missing; nothing is ever created */
  readonly indexManquants: readonly string[];
  /** expression by which a text column must be compared, by `TABLE.COLUMN`, when it is not utf8mb4_general_ci */
  readonly expressions: ReadonlyMap<string, string>;
}

const TYPES: Readonly<Record<Nature, RegExp>> = {
  cle: /^(char|varchar|(tiny|small|medium|big)?int|binary|varbinary)$/,
  texte: /^(char|varchar|(tiny|medium|long)?text|enum)$/,
  nombre: /^((tiny|small|medium|big)?int|decimal|char|varchar)$/,
  date: /^(date|datetime|timestamp)$/,
};

/**
 * Looks at tables, columns, rights, character sets, engine and indexes before the first read. Reads the
 * catalogue only, and creates nothing.
 *
 * @throws AtelierError ATL_E401, ATL_E404, ATL_E405, ATL_E407 when the catalogue itself cannot be read
 */
export async function controlerSource(session: ErpSession): Promise<Controle> {
  const version = (await session.lire('lecture de la version', 'SELECT VERSION()'))[0]?.[0] ?? '';
  const controle = {
    version,
    mariadb: /mariadb/i.test(version),
    problemes: [] as string[],
    avertissements: [] as string[],
    indexManquants: [] as string[],
    expressions: new Map<string, string>(),
  };
  for (const { table } of TABLES) await controlerTable(session, table, controle);
  await controlerIndex(session, controle);
  return controle;
}

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
  readonly problemes: string[];
  readonly avertissements: string[];
  readonly indexManquants: string[];
  readonly expressions: Map<string, string>;
}

async function controlerTable(session: ErpSession, table: string, found: Found): Promise<void> {
  const nom = `contrôle de la table ${table}`;
  const here = 'TABLE_SCHEMA = DATABASE() AND LOWER(TABLE_NAME) = LOWER(?)';
  const [head] = await session.lire(
    nom,
    `SELECT ENGINE, TABLE_TYPE FROM information_schema.TABLES WHERE ${here}`,
    [table],
  );
  if (!head) {
    found.problemes.push(`table ${table} : absente, ou aucun droit de lecture dessus`);
    return;
  }
  if (head[0]?.toLowerCase() !== 'innodb') {
    found.avertissements.push(
      `table ${table} : moteur ${head[0] ?? head[1]}, pas InnoDB ; sa lecture n’est pas celle d’un instant unique`,
    );
  }
  const columns = await session.lire(
    nom,
    `SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, PRIVILEGES
       FROM information_schema.COLUMNS WHERE ${here}`,
    [table],
  );
  const wanted = Object.entries(TABLES.find((entry) => entry.table === table)!.colonnes);
  for (const [column, nature] of wanted) {
    const row = columns.find(([name]) => name?.toLowerCase() === column.toLowerCase());
    if (!row || !/\bselect\b/i.test(row[4] ?? '')) {
      found.problemes.push(await pourquoi(session, table, column));
      continue;
    }
    const [, type, charset, collation] = row;
    if (!TYPES[nature].test(type?.toLowerCase() ?? '')) {
      found.problemes.push(`colonne ${table}.${column} : type ${type} inattendu (${ATTENDUS[nature]})`);
    }
    if (nature !== 'texte' || collation === 'utf8mb4_general_ci') continue;
    if (charset !== 'utf8mb4') {
      found.avertissements.push(
        `colonne ${table}.${column} : en ${charset}, convertie en utf8mb4 à la lecture`,
      );
    }
    const text = charset === 'utf8mb4' ? column : `CONVERT(${column} USING utf8mb4)`;
    // Compared by another collation, accents or case would count and orders would be missed.
    found.expressions.set(`${table}.${column}`, `${text} COLLATE utf8mb4_general_ci`);
  }
}

const ATTENDUS: Readonly<Record<Nature, string>> = {
  cle: 'une clé était attendue',
  texte: 'un texte était attendu',
  nombre: 'un nombre était attendu',
  date: 'une date était attendue',
};

/** The catalogue hides what may not be read, so a column that is not in it is asked for once. */
async function pourquoi(session: ErpSession, table: string, column: string): Promise<string> {
  try {
    await session.lire(`contrôle de ${table}.${column}`, `SELECT ${column} FROM ${table} LIMIT 0`);
    return `colonne ${table}.${column} : absente du catalogue`;
  } catch (error) {
    const cause = error instanceof AtelierError ? codeOf(error.cause) : undefined;
    if (cause === 'ER_BAD_FIELD_ERROR') return `colonne ${table}.${column} : absente`;
    if (cause === 'ER_COLUMNACCESS_DENIED_ERROR' || cause === 'ER_TABLEACCESS_DENIED_ERROR') {
      return `colonne ${table}.${column} : absente, ou droit de lecture manquant (GRANT SELECT (${column}) ON ${table})`;
    }
    throw error;
  }
}

async function controlerIndex(session: ErpSession, found: Found): Promise<void> {
  for (const { table, premiere, contient, creation } of INDEX_VOULUS) {
    const rows = await session.lire(
      `contrôle des index de ${table}`,
      `SELECT INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = DATABASE() AND LOWER(TABLE_NAME) = LOWER(?)`,
      [table],
    );
    const indexes = Map.groupBy(rows, (row) => row[0] ?? '');
    const has = [...indexes.values()].some((parts) => {
      const names = parts.map((part) => part[1]?.toLowerCase());
      const first = parts.find((part) => part[2] === '1')?.[1]?.toLowerCase();
      const covers = contient.every((column) => names.includes(column.toLowerCase()));
      return covers && (premiere === undefined || first === premiere.toLowerCase());
    });
    if (has) continue;
    found.indexManquants.push(creation);
    found.avertissements.push(
      `index voulu sur ${table} (${contient.join(', ')}) : absent ; la lecture sera plus lente`,
    );
  }
}
