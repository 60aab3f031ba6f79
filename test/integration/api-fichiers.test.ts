// `/fichiers/`: LOG files as they were last seen, the contents they carried, their exact bytes out of the archive.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fluxDe } from '../../src/api/octets.ts';
import { fichierLog, versionDeFichier } from '../../src/api/schemas/fichiers.ts';
import { saveErreur } from '../../src/postgres/journaux/fichiers.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';
import { randomFrom } from '../harness/tree.ts';

let atelier: AtelierDEssai;
beforeAll(async () => {
  atelier = await createAtelier();
});
afterAll(() => atelier.close());

const sha = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const piece = (time: string, text = 'A'): string => `20250528 ${time}|@StukUitgevoerd: ${text}\r\n`;

/** Writes a file under LOGS_DIR. */
async function put(chemin: string, bytes: Buffer | string): Promise<string> {
  const path = join(atelier.workshop.logs, chemin);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

interface Fichier {
  id: number;
  chemin: string;
  etat: string;
  sha256: string;
  taille: number;
  [key: string]: unknown;
}

async function byPath(query = ''): Promise<Record<string, Fichier>> {
  const answer = await atelier.get(`/fichiers/?${query}`);
  conforme(z.array(fichierLog), answer.json());
  return Object.fromEntries(answer.json<Fichier[]>().map((fichier) => [fichier.chemin, fichier]));
}

describe('lists', () => {
  const first = piece('06:00:00') + piece('06:01:00');
  const grown = `${first}onzin\r\n\r\n20250528 06:02:00|@Zaagcyclus: 1\r\n`;

  beforeAll(async () => {
    await atelier.workshop.reset();
    const { workshop } = atelier;
    await put('DEM12/20250528.LOG', first);
    const short = await put('DEM12/court.LOG', grown);
    await put('SU12/remplace.LOG', piece('07:00:00'));
    await put('SU12/ecarte.LOG', piece('08:00:00'));
    await workshop.import();
    await put('DEM12/20250528.LOG', grown);
    await truncate(short, first.length);
    await put('SU12/remplace.LOG', piece('07:30:00'));
    await workshop.import();
    await workshop.import({ replace: 'SU12/remplace.LOG' });
    await put('SU12/remplace.LOG', piece('07:00:00'));
    await workshop.import();
    const { rows } = await workshop.reader.query<{ id: number }>(
      "SELECT id FROM centre_usinage WHERE nom = 'SU12'",
    );
    await saveErreur(workshop.reader, rows[0]!.id, 'SU12/illisible.LOG', 'EACCES: permission denied');
    await workshop.reader.query(
      `UPDATE fichier_log_version SET ecartee = 'journée démesurée'
        WHERE id = (SELECT version_id FROM fichier_log WHERE chemin = 'SU12/ecarte.LOG')`,
    );
  });

  it('says of each path its state, its counts and what it holds', async () => {
    const files = await byPath();
    expect(Object.fromEntries(Object.entries(files).map(([chemin, { etat }]) => [chemin, etat]))).toEqual({
      'DEM12/20250528.LOG': 'lu',
      'DEM12/court.LOG': 'prefixe',
      'SU12/remplace.LOG': 'remplace',
      'SU12/ecarte.LOG': 'ecarte',
      'SU12/illisible.LOG': 'erreur',
    });
    const unread = files['SU12/illisible.LOG']!;
    expect(unread).toMatchObject({
      sha256: null,
      lignes: null,
      versions: 0,
      erreur: 'EACCES: permission denied',
    });
    await atelier.get(`/fichiers/${unread.id}/octets`, { statut: 404 });
    expect(files['DEM12/20250528.LOG']).toMatchObject({
      taille: grown.length,
      encodage: 'utf-8',
      lignes: 5,
      lignes_evenements: 2,
      lignes_autres: 1,
      lignes_rejetees: 1,
      lignes_ignorees: 1,
      premier_instant: '2025-05-28T06:00:00+02:00',
      dernier_instant: '2025-05-28T06:02:00+02:00',
      versions: 1,
      sha256: sha(grown),
      erreur: null,
    });
    expect(files['DEM12/court.LOG']).toMatchObject({ taille: first.length, sha256: sha(first), lignes: 5 });
    expect(files['SU12/remplace.LOG']).toMatchObject({ versions: 2, sha256: sha(piece('07:00:00')) });
    expect(files['SU12/ecarte.LOG']).toMatchObject({ erreur: 'journée démesurée' });
  });

  it('filters, sorts and pages; refuses what it does not know', async () => {
    const all = Object.keys(await byPath()).sort();
    expect(Object.keys(await byPath('type_cu=PVC')).sort()).toEqual(
      all.filter((chemin) => chemin.startsWith('DEM12/')),
    );
    expect(Object.keys(await byPath('etat=prefixe'))).toEqual(['DEM12/court.LOG']);
    const one = await byPath('chemin=DEM12%2Fcourt.LOG');
    expect(Object.keys(one)).toEqual(['DEM12/court.LOG']);
    const centre = one['DEM12/court.LOG']!['centre_usinage_id'];
    expect(Object.keys(await byPath(`centre_usinage_id=${centre}`)).length).toBe(2);
    // Reading by cursor through ties and nulls gives every row once.
    for (const tri of ['-lignes_rejetees', 'dernier_instant,-taille', '-chemin']) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = await atelier.get(`/fichiers/?limit=2&tri=${tri}${cursor}`);
        seen.push(...page.json<Fichier[]>().map(({ chemin }) => chemin));
        const next = page.headers['x-next-cursor'];
        cursor = next === undefined ? '' : `&cursor=${next}`;
      } while (cursor !== '');
      const whole = await atelier.get(`/fichiers/?tri=${tri}`);
      expect(seen).toEqual(whole.json<Fichier[]>().map(({ chemin }) => chemin));
    }
    for (const query of ['etat=perdu', 'tri=sha256', 'chemin=a%00', 'fichier=x', 'etat=lu&etat=lu'])
      await atelier.get(`/fichiers/?${query}`, { statut: 422 });
  });

  it('the same rows as CSV and XLSX', async () => {
    const csv = await atelier.get('/fichiers/?format=csv&tri=-chemin');
    const [header, ...lines] = csv.body.trimEnd().split(/\r?\n/);
    expect(header).toBe(Object.keys(fichierLog.shape).join(','));
    expect(lines.map((line) => line.split(',')[2])).toEqual(Object.keys(await byPath('tri=-chemin')));
    expect((await atelier.get('/fichiers/?format=xlsx')).rawPayload.subarray(0, 2).toString()).toBe('PK');
  });

  it('gives one file; unknown ones are 404', async () => {
    const { id } = (await byPath())['DEM12/court.LOG']!;
    const one = await atelier.get(`/fichiers/${id}`);
    expect(conforme(fichierLog, one.json()).etat).toBe('prefixe');
    expect((await atelier.get(`/fichiers/${id}/`)).body).toBe(one.body);
    for (const url of ['/fichiers/999999', '/fichiers/999999/versions', '/fichiers/999999/octets'])
      await atelier.get(url, { statut: 404 });
  });

  it('names every content that a path carried, the present one first, and gives the bytes of each', async () => {
    const files = await byPath();
    const versions = async (chemin: string, query = ''): Promise<z.infer<typeof versionDeFichier>[]> =>
      conforme(
        z.array(versionDeFichier),
        (await atelier.get(`/fichiers/${files[chemin]!.id}/versions${query}`)).json(),
      );
    expect(await versions('DEM12/20250528.LOG')).toMatchObject([
      { sha256: sha(grown), etat: 'active', taille: grown.length, courante: true, contenue_dans: null },
      {
        sha256: sha(first),
        etat: 'prefixe',
        taille: first.length,
        courante: false,
        contenue_dans: sha(grown),
      },
    ]);
    expect(await versions('DEM12/court.LOG')).toMatchObject([
      { sha256: sha(first), etat: 'prefixe', courante: true },
      { sha256: sha(grown), etat: 'active', courante: false },
    ]);
    expect(
      new Set((await versions('SU12/remplace.LOG')).map((v) => `${v.etat} ${v.sha256} ${v.courante}`)),
    ).toEqual(
      new Set([`remplacee ${sha(piece('07:00:00'))} true`, `active ${sha(piece('07:30:00'))} false`]),
    );
    const page = await atelier.get(`/fichiers/${files['SU12/remplace.LOG']!.id}/versions?limit=1`);
    expect(page.headers).toMatchObject({ 'x-total-count': '2', link: expect.stringContaining('rel="next"') });

    for (const chemin of ['DEM12/20250528.LOG', 'DEM12/court.LOG', 'SU12/remplace.LOG']) {
      const { id } = files[chemin]!;
      const now = await atelier.get(`/fichiers/${id}/octets`);
      expect(now.rawPayload).toEqual(await readFile(join(atelier.workshop.logs, chemin)));
      for (const { sha256, taille } of await versions(chemin)) {
        // Upper case is the same number.
        const bytes = await atelier.get(`/fichiers/${id}/octets?sha256=${sha256.toUpperCase()}`);
        expect(sha(bytes.rawPayload)).toBe(sha256);
        expect(bytes.headers).toMatchObject({ 'content-length': String(taille), etag: `"${sha256}"` });
      }
    }
    // What another path carried is none of this one's.
    const other = files['SU12/ecarte.LOG']!.sha256;
    const { id } = files['DEM12/court.LOG']!;
    await atelier.get(`/fichiers/${id}/octets?sha256=${other}`, { statut: 404 });
    await atelier.get(`/fichiers/${id}/octets?sha256=abc`, { statut: 422 });
    await atelier.get(`/fichiers/${id}/octets?version=1`, { statut: 422 });
  });
});

describe('bytes', () => {
  // Several pieces of the archive, and nothing that compresses.
  const random = randomFrom(7);
  const big = Buffer.from(
    `${piece('06:00:00', 'début')}${Array.from({ length: 40_000 }, () => piece('07:00:00', random().toString(36))).join('')}`,
  );
  const NAME = 'DEM12/28 mai « été »;"x".LOG';
  let id: number;
  let url: string;

  beforeEach(async () => {
    await atelier.workshop.reset();
    await put(NAME, big);
    await put('DEM12/vide.LOG', '');
    await atelier.workshop.import();
    id = (await byPath())[NAME]!.id;
    url = `/fichiers/${id}/octets`;
  });

  it('S23: come with length, hash and an encoded name, uncompressed', async () => {
    const answer = await atelier.get(url, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.rawPayload.equals(big)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(big.length),
      'accept-ranges': 'bytes',
      etag: `"${sha(big)}"`,
      'content-disposition': `attachment; filename="28 mai _ ete _;_x_.LOG"; filename*=UTF-8''28%20mai%20%C2%AB%20%C3%A9t%C3%A9%20%C2%BB%3B%22x%22.LOG`,
    });
    expect(answer.headers['content-encoding']).toBeUndefined();
    const empty = await atelier.get(`/fichiers/${(await byPath())['DEM12/vide.LOG']!.id}/octets`);
    expect(empty.rawPayload.length).toBe(0);
    expect(empty.headers['content-length']).toBe('0');
  });

  it('answer a conditional request and HEAD without reading the archive', async () => {
    await rm(atelier.workshop.archives, { recursive: true });
    await atelier.get(url, { headers: { 'if-none-match': `W/"${sha(big)}"` }, statut: 304 });
    const head = await atelier.api.app.inject({
      ...{ method: 'HEAD', url },
      headers: { ...atelier.api.comptes.admin.entete, range: 'bytes=0-9' },
    });
    expect(head.statusCode).toBe(200);
    expect(head.headers['content-length']).toBe(String(big.length));
    expect(head.rawPayload.length).toBe(0);
  });

  it('come in ranges: any part equals the same part of the file', async () => {
    const n = big.length;
    const ranges: [string, number, number][] = [
      ['bytes=0-0', 0, 1],
      ['bytes=0-', 0, n],
      [`bytes=${n - 1}-`, n - 1, n],
      ['bytes=-1', n - 1, n],
      [`bytes=-${n + 5}`, 0, n],
      [`bytes=262100-262200`, 262_100, 262_201],
      [`bytes=5-${n * 2}`, 5, n],
    ];
    for (const [range, from, to] of ranges) {
      const answer = await atelier.get(url, { headers: { range }, statut: 206 });
      expect(answer.headers).toMatchObject({
        'content-range': `bytes ${from}-${to - 1}/${n}`,
        'content-length': String(to - from),
        etag: `"${sha(big)}"`,
      });
      expect(answer.rawPayload.equals(big.subarray(from, to)), range).toBe(true);
    }
    for (const range of [`bytes=${n}-`, 'bytes=-0', `bytes=${n + 3}-${n + 9}`]) {
      const refused = await atelier.get(url, { headers: { range }, statut: 416 });
      expect(refused.headers['content-range']).toBe(`bytes */${n}`);
      expect(refused.headers['etag']).toBeUndefined();
    }
    // Several ranges, other units, nonsense: the whole, as HTTP allows.
    for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=5-2', 'bytes=-', 'bytes=a-b'])
      expect((await atelier.get(url, { headers: { range } })).rawPayload.length).toBe(n);
  });

  it('If-Range: a part only of the content that the client has begun', async () => {
    const range = { range: 'bytes=0-9' };
    await atelier.get(url, { headers: { ...range, 'if-range': `"${sha(big)}"` }, statut: 206 });
    for (const other of [`"${sha('x')}"`, `W/"${sha(big)}"`, 'Wed, 28 May 2025 06:00:00 GMT'])
      await atelier.get(url, { headers: { ...range, 'if-range': other } });
  });

  it('a missing or damaged archive is a 503 that says which, without paths of the server', async () => {
    const [folder] = (await readdir(atelier.workshop.archives)).filter((name) => /^\d+$/.test(name));
    const path = join(atelier.workshop.archives, folder!, `${sha(big)}.zst`);
    const archived = await readFile(path);
    await writeFile(path, archived.subarray(0, 100));
    const damaged = await atelier.get(url, { statut: 503 });
    expect(damaged.json().detail).toContain(sha(big));
    await rm(path);
    const missing = await atelier.get(url, { headers: { range: 'bytes=0-9' }, statut: 503 });
    expect(missing.json().detail).toContain(`${sha(big)} (${NAME})`);
    expect(missing.headers).toMatchObject({ 'retry-after': '60' });
    expect(missing.headers['etag']).toBeUndefined();
    expect(missing.headers['content-disposition']).toBeUndefined();
    expect(`${damaged.body}${missing.body}`).not.toContain(atelier.workshop.archives);
  });

  it('an archive that fails in the middle cuts the connection: nothing partial looks complete', async () => {
    const { app, comptes } = atelier.api;
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const download = async (): Promise<{ length: number; complete: boolean }> => {
      const request = httpGet({ port, path: url, headers: comptes.admin.entete });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(200);
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      await new Promise((resolve) => response.on('close', resolve));
      return { length, complete: response.complete };
    };
    expect(await download()).toEqual({ length: big.length, complete: true });

    const [folder] = (await readdir(atelier.workshop.archives)).filter((name) => /^\d+$/.test(name));
    const path = join(atelier.workshop.archives, folder!, `${sha(big)}.zst`);
    const archived = await readFile(path);
    // Cut short on the disk, then whole but with other bytes: the hash tells.
    await writeFile(path, archived.subarray(0, archived.length - 1000));
    expect(await download()).toMatchObject({ complete: false });
    const other = Buffer.from(big);
    other[big.length - 10] = 0x21;
    const archive = atelier.workshop.context.archive;
    const waiting = await archive.write({ centre: 'DEM12', chemin: NAME }, other, sha(big));
    await archive.place(Number(folder), [{ sha256: sha(big), waiting }]);
    const wrong = await download();
    expect(wrong.complete).toBe(false);
    expect(wrong.length).toBeLessThan(big.length);
  });

  it('a download that nobody reads lets go of the archive', async () => {
    let closed = false;
    async function* pieces(): AsyncGenerator<Buffer, void> {
      try {
        for (;;) yield Buffer.alloc(10);
      } finally {
        closed = true;
      }
    }
    const begun = pieces();
    const flux = fluxDe(await begun.next(), begun);
    flux.destroy();
    await once(flux, 'close');
    expect(closed).toBe(true);
  });
});
