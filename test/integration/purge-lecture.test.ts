// R11: what reads bytes or details that were purged says so, and when; it is no error.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explicationDeSession } from '../../src/api/schemas/explication.ts';
import { expectedArchives, findMiscounted, findOrphans } from '../../src/postgres/production/controle.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';
import { DAY } from '../harness/cli.ts';
import { purgeAt } from '../harness/purge.ts';

let atelier: AtelierDEssai;
let piece: number;
let session: number;
let sha: string;
const AT = '2027-05-30T12:00:00+02:00';

beforeAll(async () => {
  atelier = await createAtelier();
  const { workshop } = atelier;
  await mkdir(join(workshop.logs, 'DEM12'));
  await writeFile(join(workshop.logs, 'DEM12/20250528.LOG'), DAY);
  await workshop.import();
  piece = (await atelier.get('/pieces-production/')).json()[0].id;
  session = (await atelier.get('/sessions/')).json()[0].id;
  sha = (await atelier.get('/fichiers/')).json()[0].sha256;
});
afterAll(() => atelier?.close());

describe('bytes purged, details kept', () => {
  beforeAll(async () => {
    await purgeAt(atelier.workshop, AT, { CONSERVATION_DETAILS: '36 mois' });
  });

  it('R11: /octets, by path and by hash: 410, with the day', async () => {
    const id = (await atelier.get('/fichiers/')).json()[0].id;
    for (const url of [`/fichiers/${id}/octets`, `/fichiers/${id}/octets?sha256=${sha}`]) {
      const answer = await atelier.get(url, { statut: 410 });
      expect(answer.json().detail).toMatch(/DEM12\/20250528\.LOG.*effacés le 2027-05-30T12:00:00\+02:00/);
      expect(answer.headers['etag']).toBeUndefined();
    }
    // What was seen stays known.
    expect((await atelier.get(`/fichiers/${id}/versions`)).json()).toMatchObject([
      { sha256: sha, courante: true },
    ]);
  });

  it('R11: /origine: 410 that names file and line', async () => {
    const answer = await atelier.get(`/pieces-production/${piece}/origine`, { statut: 410 });
    expect(answer.json().detail).toMatch(/DEM12\/20250528\.LOG, ligne 2.*effacés le 2027-05-30/);
  });

  it('R11: /explication still adds up', async () => {
    const body = conforme(
      explicationDeSession,
      (await atelier.get(`/sessions/${session}/explication`)).json(),
    );
    expect(body).toMatchObject({ conforme: true, note: null });
  });
});

describe('details purged, too', () => {
  beforeAll(async () => {
    await purgeAt(atelier.workshop, AT);
  });

  it('R11: the session stays, its details are gone, its explication says when', async () => {
    expect((await atelier.get(`/sessions/${session}`)).json()).toMatchObject({ total_pieces: 2 });
    expect((await atelier.get(`/pieces-production/?session_id=${session}`)).json()).toEqual([]);
    await atelier.get(`/pieces-production/${piece}/origine`, { statut: 404 });
    const body = conforme(
      explicationDeSession,
      (await atelier.get(`/sessions/${session}/explication`)).json(),
    );
    expect(body).toMatchObject({ conforme: null, formules: [], chiffres: { total_pieces: 2 } });
    expect(body.note).toMatch(/effacées le 2027-05-30/);
  });

  it('R11: what doctor checks is in order', async () => {
    const { reader } = atelier.workshop;
    expect(await findMiscounted(reader)).toBe(0);
    expect(await findOrphans(reader)).toEqual([]);
    expect(await expectedArchives(reader)).toEqual(new Map());
  });
});
