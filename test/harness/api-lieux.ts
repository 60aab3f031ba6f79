import { type ApiDEssai, createApi } from './api.ts';
import { type Json, type Requests, type Row, requestsOf } from './api-requests.ts';
import { type Derived, makeDerived, makePlaces, noun, type Places } from './api-rows.ts';

/** An API with rows entered by hand to hang others on, and rows as an import makes them. */
export interface ApiAvecLieux {
  readonly api: ApiDEssai;
  readonly requests: Requests;
  readonly places: Places;
  readonly derived: Derived;
  /** a row of a resource, on the places unless `more` says otherwise */
  make(nom: string, more?: Json): Promise<Row>;
  /** a number that no row made here has; for `Noun.body` */
  next(): number;
  /** how many rows have a centre that is not that of their session */
  orphans(): Promise<number>;
}

const DETAILS = ['piece_production', 'job_profil', 'periode_attente', 'periode_arret'];
const ORPHANS = DETAILS.map(
  (table) =>
    `SELECT count(*) AS n FROM ${table} d WHERE NOT EXISTS (
       SELECT FROM session_production s WHERE (s.id, s.centre_usinage_id) = (d.session_id, d.centre_usinage_id))`,
).join(' UNION ALL ');

/** Close its `api`. */
export async function createApiAvecLieux(): Promise<ApiAvecLieux> {
  const api = await createApi();
  const requests = requestsOf(api);
  const places = await makePlaces(requests, 'LIEUX');
  const derived = await makeDerived(api, 'JOURNAUX');
  let n = 100;
  const next = (): number => n++;
  return {
    ...{ api, requests, places, derived, next },
    make: (nom, more = {}) => requests.post<Row>(`/${nom}/`, { ...noun(nom).body(places, next()), ...more }),
    async orphans() {
      const { rows } = await api.pool.query<{ n: number }>(`SELECT sum(n)::int AS n FROM (${ORPHANS}) t`);
      return rows[0]!.n;
    },
  };
}
