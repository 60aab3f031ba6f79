import type { ErpSession } from './session.ts';

/** A key column as the catalogue has it. */
export interface ColonneCle {
  /** name as SQL takes it */
  readonly sql: string;
  /** data type, lower case */
  readonly type: string;
  readonly charset: string | null;
  readonly collation: string | null;
  /** characters at most; 0 when it is no text */
  readonly longueur: number;
}

/** Expressions whose results, as text, are equal exactly when the ERP's own join takes the keys for equal. */
export interface Cles {
  readonly entete: string;
  readonly enfants: readonly string[];
  /** what names an order to a person, and orders two of them: never compared for equality */
  readonly id: string;
}

const BINAIRE = /binary$/;

/**
 * The keys of headers and of their children, made comparable by the server itself: the collation of `A_Kopf.ID`
 * says what is equal (case, accents, ß, trailing blanks), and is never imitated here.
 *
 * Whether trailing blanks count, and what they weigh, is asked of the server too: `WEIGHT_STRING` gives them a
 * weight even where `=` passes them over.
 *
 * @throws AtelierError ATL_E404 to ATL_E407
 */
export async function clesComparables(
  session: ErpSession,
  entete: ColonneCle,
  enfants: readonly ColonneCle[],
): Promise<Cles> {
  const all = [entete, ...enfants];
  const same = (of: (column: ColonneCle) => string, id = entete.sql): Cles => ({
    entete: of(entete),
    enfants: enfants.map(of),
    id,
  });
  const numbers = all.filter(({ type }) => type.endsWith('int'));
  // Adding drops what a column shows beside its value (ZEROFILL); a number and a text are compared as doubles.
  if (numbers.length === all.length) return same(({ sql }) => `(${sql} + 0)`);
  if (numbers.length > 0) return same(({ sql }) => `(${sql} + 0e0)`);
  if (all.some(({ type }) => BINAIRE.test(type))) {
    return same(({ sql }) => `HEX(${sql})`, BINAIRE.test(entete.type) ? `HEX(${entete.sql})` : entete.sql);
  }
  const { charset, collation } = entete;
  if (charset === null || collation === null) return same(({ sql }) => `HEX(${sql})`);
  const weigh = await pesee(
    session,
    charset,
    collation,
    8 * Math.max(...all.map(({ longueur }) => longueur)),
  );
  return same((column) => {
    if (column.charset === charset) {
      return weigh(column.collation === collation ? column.sql : `${column.sql} COLLATE ${collation}`);
    }
    const converted = `CONVERT(${column.sql} USING ${charset})`;
    const weight = weigh(`${converted} COLLATE ${collation}`);
    if (charset === 'utf8mb4') return weight;
    // A character that the header's set does not have would become « ? », and equal to a real one.
    const there = `CAST(CONVERT(${converted} USING utf8mb4) AS BINARY)`;
    return `IF(${there} = CAST(CONVERT(${column.sql} USING utf8mb4) AS BINARY), ${weight}, NULL)`;
  });
}

/**
 * Collations whose weights are characters themselves (of the basic plane, never half of a pair). As such they are a
 * quarter as long as in hexadecimal, and looking keys up is the dearest step of a big read.
 */
const LETTRES = /^utf8(?:mb[34])?_general_ci$/;

/** Weights of two bytes as the characters that have these numbers. */
function enLettres(weights: string): string {
  return `CONVERT(CONVERT(${weights} USING utf16) USING utf8mb4)`;
}

/** How a text is weighed under a collation; `largeur` is more characters than any key can weigh. */
async function pesee(
  session: ErpSession,
  charset: string,
  collation: string,
  largeur: number,
): Promise<(sql: string) => string> {
  const text = (value: string): string => `CONVERT('${value}' USING ${charset}) COLLATE ${collation}`;
  const weight = (value: string): string => `WEIGHT_STRING(${text(value)})`;
  const [answer] = await session.lire(
    'comparaison des clés',
    `SELECT ${text('a')} = ${text('a ')}, HEX(${weight(' ')}),
            HEX(${weight('  ')}) = CONCAT(HEX(${weight(' ')}), HEX(${weight(' ')})),
            LENGTH(${weight(' ')}) = LENGTH(${weight('é')})`,
  );
  const [padded, blank, oneLevel, fixed] = answer ?? [];
  if (padded !== '1') return (sql) => `HEX(WEIGHT_STRING(${sql}))`;
  if (blank && oneLevel === '1' && fixed === '1') {
    const trimmed = (sql: string): string => `TRIM(TRAILING x'${blank}' FROM WEIGHT_STRING(${sql}))`;
    return LETTRES.test(collation) ? (sql) => enLettres(trimmed(sql)) : (sql) => `HEX(${trimmed(sql)})`;
  }
  // Several levels: blanks at the end are in the middle of the weights, so both sides are filled up instead.
  return (sql) => `HEX(WEIGHT_STRING(${sql} AS CHAR(${largeur})))`;
}
