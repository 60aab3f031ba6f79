import { readFileSync } from 'node:fs';

/** A query of a panel; `rawSql` for PostgreSQL, `expr` for Prometheus. */
export interface Cible {
  readonly panneau: string;
  readonly rawSql?: string;
  readonly expr?: string;
  readonly datasource: { readonly uid: string; readonly type: string };
}

interface Panneau {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Omit<Cible, 'panneau'>[];
}

export interface Tableau {
  readonly uid: string;
  readonly panels: readonly Panneau[];
}

const FILE = new URL('../../deploy/grafana/dashboards/atelier.json', import.meta.url);

/** The dashboard that is shipped. */
export function lireTableau(): Tableau {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Tableau;
}

/** Every query of it. */
export function cibles(): Cible[] {
  return lireTableau().panels.flatMap((panel) =>
    (panel.targets ?? []).map((target) => ({ panneau: panel.title, ...target })),
  );
}

/** SQL as Grafana sends it: its macros filled in. */
export function developper(sql: string, from: string, to: string): string {
  return sql
    .replaceAll(/\$__timeFilter\(([^)]+)\)/g, (_, column) => `${column} BETWEEN '${from}' AND '${to}'`)
    .replaceAll('$__timeFrom()', `'${from}'`)
    .replaceAll('$__timeTo()', `'${to}'`);
}
