import { ordreComplet, type Parametres, type TableLue, type Tri, triSql } from './table-lue.ts';

/** Where a reading stopped: the values of the sort columns of its last row, as text; NULL stays null. */
export type Position = readonly (string | null)[];

/**
 * The rows after a position, so that reading on costs the same at any depth: where no column is nullable and all
 * go the same way a row comparison, which one index range answers, else the same spelt out.
 */
export function apresSql(
  table: TableLue,
  tri: readonly Tri[],
  position: Position,
  parametres: Parametres,
): string {
  const ordre = ordreComplet(tri).flatMap(({ colonne, sens }, i) => {
    const { sql, nullable, parties } = triSql(table, colonne);
    const place = position[i] === null ? null : parametres.add(position[i]);
    if (!parties || place === null) return [{ sql, nullable, sens, place }];
    return parties.map((partie) => ({
      ...{ sql: partie.sql, nullable, sens },
      place: partie.position.replaceAll('$', () => place),
    }));
  });
  const first = ordre[0]!;
  // A cursor that somebody made up may hold NULL where no row does.
  if (ordre.every(({ nullable, sens, place }) => !nullable && place !== null && sens === first.sens)) {
    const sign = first.sens === 'asc' ? '>' : '<';
    const beyond = (columns: typeof ordre): string =>
      `(${columns.map(({ sql }) => sql).join(', ')}) ${sign} (${columns.map(({ place }) => place).join(', ')})`;
    const instant = table.instantParCentre;
    if (instant === undefined || tri[0]?.colonne !== instant) return beyond(ordre);
    // Beside a date filter PostgreSQL would begin at the date, however far the position is from it: of two bounds on
    // one column it takes the nearer, but it cannot compare a bound with a row.
    return `${first.sql} ${sign}= ${first.place} AND (${first.sql} ${sign} ${first.place} OR ${beyond(ordre.slice(1))})`;
  }
  // From the last column to the first: beyond it, or equal to it and the rest beyond.
  let rest = 'false';
  for (const { sql, sens, nullable, place } of ordre.toReversed()) {
    if (place === null) {
      // NULL is the greatest value: nothing is beyond it upwards, everything else is downwards.
      const beyond = sens === 'asc' ? 'false' : `${sql} IS NOT NULL`;
      rest = `(${beyond} OR (${sql} IS NULL AND ${rest}))`;
    } else {
      const beyond =
        sens === 'asc' ? `${sql} > ${place}${nullable ? ` OR ${sql} IS NULL` : ''}` : `${sql} < ${place}`;
      rest = `(${beyond} OR (${sql} = ${place} AND ${rest}))`;
    }
  }
  return rest;
}

/** The position of a row, from its JSON. */
export function positionDe(ligne: Readonly<Record<string, unknown>>, tri: readonly Tri[]): Position {
  return ordreComplet(tri).map(({ colonne }) => {
    const value = ligne[colonne];
    return value === null || value === undefined ? null : String(value);
  });
}
