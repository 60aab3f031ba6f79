// `/alertes/`: lists, one alert, taking it on, live events, files; who may is in the matrix (S12).

import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { alerteLue } from '../../src/api/schemas/alertes.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { problemOf, type Requests, requestsOf } from '../harness/api-requests.ts';
import { conforme } from '../harness/api-workshop.ts';
import { ecouterApp, suivre } from '../harness/flux.ts';

let api: ApiDEssai;
let lecteur: Requests;
let gestionnaire: Requests;
beforeAll(async () => {
  api = await createApi();
  lecteur = requestsOf(api, 'lecteur');
  gestionnaire = requestsOf(api, 'gestionnaire');
  await api.pool.query(
    `INSERT INTO alerte (regle, objet, gravite, etat, message, details, debut, ouverte_le, derniere_vue, dernier_avis, fin)
     SELECT r, o, g, e, 'Une phrase', '{"limite_secondes": 7200}', d, d, d, d, CASE e WHEN 'resolue' THEN d + interval '1 h' END
       FROM (VALUES ('machine_silencieuse', 'DEM12', 'attention', 'resolue', timestamptz '2026-06-01 23:30+02'),
                    ('machine_silencieuse', 'DEM12', 'attention', 'ouverte', '2026-06-02 12:00+02'),
                    ('disque_court', 'h ARCHIVES_DIR', 'critique', 'ouverte', '2026-06-03 12:00+02')) v (r, o, g, e, d)`,
  );
  await api.pool.query(
    `INSERT INTO alerte_envoi (alerte_id, canal, genre, contenu, etat, tentatives, prochain_essai, envoye_le, erreur, date_creation)
     SELECT id, 'webhook', 'ouverture', '{}', 'envoye', 2, debut, debut, 'secret-du-canal', debut FROM alerte WHERE fin IS NOT NULL`,
  );
});
afterAll(() => api?.close());

const ids = async (query = ''): Promise<number[]> =>
  (await lecteur.get<{ id: number }[]>(`/alertes/${query}`)).map(({ id }) => id);

it('lists alerts, the latest first, with how their notices fared and nothing more', async () => {
  const answer = await lecteur.send('GET', '/alertes/');
  const rows = conforme(z.array(alerteLue), answer.json());
  expect(rows.map(({ id }) => id)).toEqual([3, 2, 1]);
  expect(answer.headers['x-total-count']).toBe('3');
  expect(rows[2]).toMatchObject({
    ...{
      regle: 'machine_silencieuse',
      etat: 'resolue',
      debut: '2026-06-01T23:30:00+02:00',
      fin: '2026-06-02T00:30:00+02:00',
    },
    avis: [
      {
        canal: 'webhook',
        genre: 'ouverture',
        etat: 'envoye',
        tentatives: 2,
        envoye_le: '2026-06-01T23:30:00+02:00',
      },
    ],
  });
  expect(answer.body).not.toContain('secret-du-canal');
});

it('filters, sorts and pages as other lists do', async () => {
  expect(await ids('?etat=ouverte')).toEqual([3, 2]);
  expect(await ids('?regle=disque_court')).toEqual([3]);
  expect(await ids('?objet=DEM12&tri=debut')).toEqual([1, 2]);
  expect(await ids('?gravite=critique')).toEqual([3]);
  // 23:30 in Paris is still that day.
  expect(await ids('?date_debut=2026-06-01&date_fin=2026-06-01')).toEqual([1]);
  const first = await lecteur.send('GET', '/alertes/?limit=2');
  expect(await ids(`?limit=2&cursor=${first.headers['x-next-cursor']}`)).toEqual([1]);
  for (const query of ['regle=inconnue', 'etat=x', 'tri=message', 'objet=%00', 'inconnu=1']) {
    await lecteur.get(`/alertes/?${query}`, 422);
  }
});

it('the same rows as CSV and XLSX', async () => {
  const csv = await lecteur.send('GET', '/alertes/?format=csv');
  const [header, ...lines] = csv.body.trimEnd().split(/\r?\n/);
  expect(header).toBe(Object.keys(alerteLue.shape).join(','));
  expect(lines).toHaveLength(3);
  expect((await lecteur.send('GET', '/alertes/?format=xlsx')).rawPayload.subarray(0, 2).toString()).toBe(
    'PK',
  );
});

it('gives one alert with its ETag; unknown ones are 404', async () => {
  const one = await lecteur.send('GET', '/alertes/2');
  conforme(alerteLue, one.json());
  const again = await lecteur.send('GET', '/alertes/2', undefined, {
    'if-none-match': String(one.headers.etag),
  });
  expect(again.statusCode).toBe(304);
  await lecteur.get('/alertes/99', 404);
  await lecteur.get('/alertes/x', 422);
});

it('S32 taking on an alert: who was first stays, it is noted, and live clients hear of it', async () => {
  const base = await ecouterApp(api.app);
  const flux = await suivre(base, api.comptes.lecteur.entete, '?tables=alertes');
  try {
    expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
    const done = conforme(alerteLue, await gestionnaire.post('/alertes/2/acquittement', undefined, 200));
    expect(done).toMatchObject({ etat: 'ouverte', acquittee_par: api.comptes.gestionnaire.id });
    expect(done.acquittee_le).not.toBeNull();
    expect(await flux.suivant()).toMatchObject({
      event: 'alertes',
      data: { action: 'update', ids: [2], nombre: 1 },
    });
  } finally {
    flux.fermer();
  }
  const again = await requestsOf(api, 'admin').post('/alertes/2/acquittement', undefined, 200);
  expect(again).toMatchObject({ acquittee_par: api.comptes.gestionnaire.id });
  const { rows } = await api.pool.query(
    "SELECT user_id, cible FROM journal_audit WHERE evenement = 'alerte_acquittee'",
  );
  expect(rows).toEqual([{ user_id: api.comptes.gestionnaire.id, cible: 'alertes/2' }]);
  problemOf(await gestionnaire.send('POST', '/alertes/1/acquittement'), 409);
  problemOf(await gestionnaire.send('POST', '/alertes/99/acquittement'), 404);
  problemOf(await lecteur.send('POST', '/alertes/3/acquittement'), 403);
});
