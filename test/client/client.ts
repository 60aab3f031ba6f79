// A client in TypeScript as the manual of openapi-typescript has it; `paths` is made of openapi.json by the test.
import createClient from 'openapi-fetch';
import type { components, paths } from './atelier.d.ts';

const [baseUrl = '', token = ''] = process.argv.slice(2);
// Lists also answer CSV and XLSX: the second type says that JSON is meant.
const client = createClient<paths, 'application/json'>({
  baseUrl,
  headers: { authorization: `Bearer ${token}` },
});

function must<T>(data: T | undefined, error: unknown): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const made = await client.POST('/centres/', { body: { nom: 'TYPÉ', type_cu: 'PVC' } });
const centre: components['schemas']['CentreUsinage'] = must(made.data, made.error);

const opened = await client.POST('/sessions/', {
  body: {
    centre_usinage_id: centre.id,
    date_production: '2025-05-28',
    temps_attente: '0.5',
    duree_production_totale: 2,
  },
});
const session = must(opened.data, opened.error);
const rate: number = session.taux_occupation;

const profile = await client.POST('/job-profils/', {
  body: { session_id: session.id, reference: '1', longueur: 3359.5 },
});
const begin: string = must(profile.data, profile.error).timestamp_debut;

const changed = await client.PUT('/sessions/{id}', {
  params: { path: { id: session.id }, header: { 'If-Match': '*' } },
  body: { ...session, total_pieces: 3 },
});
const pieces: number = must(changed.data, changed.error).total_pieces;

const list = await client.GET('/sessions/', {
  params: { query: { centre_usinage_id: centre.id, tri: '-date_production', limit: 10 } },
});
const rows: components['schemas']['SessionProduction'][] = must(list.data, list.error);

const refused = await client.GET('/centres/{id}', { params: { path: { id: 987_654 } } });
// Errors are problems, another media type than the one that is meant above.
const problem = refused.error as unknown as components['schemas']['Probleme'] | undefined;

const gone = await client.DELETE('/sessions/{id}', { params: { path: { id: session.id } } });
process.stdout.write(
  JSON.stringify({
    ...{
      nom: centre.nom,
      rate,
      begin,
      pieces,
      rows: rows.length,
      total: list.response.headers.get('x-total-count'),
    },
    ...{ refused: problem?.status, gone: gone.response.status },
  }),
);
