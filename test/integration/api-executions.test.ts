// `/executions/`: runs of tasks with counts, duration and error; which machine and process they ran on stays inside.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { executionLue } from '../../src/api/schemas/executions.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';
import { writeTree } from '../harness/tree.ts';

let atelier: AtelierDEssai;
beforeAll(async () => {
  atelier = await createAtelier();
  await writeTree(atelier.workshop.logs, 2, 20);
  await atelier.workshop.import();
  await writeFile(join(atelier.workshop.logs, 'DEM12/20250503.LOG'), '20250503 06:00:00|@MachineStop\n');
  await atelier.workshop.import();
  await atelier.workshop.reader.query(
    `INSERT INTO execution (tache, etat, debut, fin, compteurs, erreur, hote, processus) VALUES
       ('sync', 'echouee', '2025-01-15T10:00:00+01:00', '2025-01-15T10:00:01.5+01:00', '{}', 'ERP injoignable', 'usine-secrete', 4242),
       ('sync', 'en_cours', '2025-01-15T23:30:00+01:00', NULL, '{}', NULL, 'usine-secrete', 4243)`,
  );
});
afterAll(() => atelier.close());

it('lists runs, the latest first, with what real imports counted', async () => {
  const answer = await atelier.get('/executions/');
  const runs = conforme(z.array(executionLue), answer.json());
  expect(answer.headers['x-total-count']).toBe('4');
  expect(runs.map(({ tache, etat }) => `${tache} ${etat}`)).toEqual([
    'ingest reussie',
    'ingest reussie',
    'sync en_cours',
    'sync echouee',
  ]);
  expect(runs.map(({ compteurs }) => compteurs['sessionsCreees'])).toEqual([1, 4, undefined, undefined]);
  expect(runs[0]!.duree_secondes).toBeGreaterThan(0);
  expect(runs[2]).toMatchObject({ fin: null, duree_secondes: null, erreur: null });
  expect(runs[3]).toMatchObject({
    debut: '2025-01-15T10:00:00+01:00',
    duree_secondes: 1.5,
    erreur: 'ERP injoignable',
  });
  expect(answer.body).not.toMatch(/usine-secrete|424[23]|processus/);
});

it('filters by task, state and day in the factory’s zone; sorts; pages by cursor', async () => {
  const etats = async (query: string): Promise<string[]> =>
    (await atelier.get(`/executions?${query}`)).json<{ etat: string }[]>().map(({ etat }) => etat);
  expect(await etats('tache=sync&tri=debut')).toEqual(['echouee', 'en_cours']);
  expect(await etats('etat=en_cours')).toEqual(['en_cours']);
  // 23:30 in Paris is still that day.
  expect(await etats('date_debut=2025-01-15&date_fin=2025-01-15&tri=debut')).toEqual(['echouee', 'en_cours']);
  expect(await etats('date_fin=2025-01-15T10:00:00%2B01:00')).toEqual(['echouee']);
  const first = await atelier.get('/executions/?limit=3');
  const rest = await atelier.get(`/executions/?limit=3&cursor=${first.headers['x-next-cursor']}`);
  expect(rest.json()).toMatchObject([{ etat: 'echouee' }]);
  for (const query of ['etat=fini', 'hote=x', 'tri=hote', 'date_debut=hier', 'tache=%00', 'limit=0'])
    await atelier.get(`/executions/?${query}`, { statut: 422 });
});

it('gives one run, both spellings, ETag and 304; unknown ones are 404', async () => {
  const [{ id } = { id: 0 }] = (await atelier.get('/executions/')).json<{ id: number }[]>();
  const one = await atelier.get(`/executions/${id}`);
  conforme(executionLue, one.json());
  expect((await atelier.get(`/executions/${id}/`)).body).toBe(one.body);
  await atelier.get(`/executions/${id}`, {
    headers: { 'if-none-match': String(one.headers['etag']) },
    statut: 304,
  });
  await atelier.get('/executions/999999', { statut: 404 });
  await atelier.get('/executions/abc', { statut: 422 });
});

it('the same rows as CSV and XLSX, counts and all', async () => {
  const csv = await atelier.get('/executions/?format=csv');
  const [header, ...lines] = csv.body.trimEnd().split(/\r?\n/);
  expect(header).toBe(Object.keys(executionLue.shape).join(','));
  expect(lines.length).toBe(4);
  expect(csv.body).toContain('""sessionsCreees""');
  expect((await atelier.get('/executions/?format=xlsx')).rawPayload.subarray(0, 2).toString()).toBe('PK');
});
