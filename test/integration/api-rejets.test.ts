// `/rejets/`: the quarantine, of the versions that count; read by version and line however large it is.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ligneRejetee, rejetsParRaison } from '../../src/api/schemas/fichiers.ts';
import { lirePage } from '../../src/postgres/lecture/page.ts';
import type { Tri } from '../../src/postgres/lecture/table-lue.ts';
import { REJETS } from '../../src/postgres/lecture/tables-fichiers.ts';
import type { Queryable } from '../../src/postgres/pool.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';

type Rejet = z.infer<typeof ligneRejetee>;

let atelier: AtelierDEssai;
beforeAll(async () => {
  atelier = await createAtelier();
});
afterAll(() => atelier.close());

async function put(chemin: string, text: string | Buffer): Promise<void> {
  const path = join(atelier.workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
async function list(query = ''): Promise<Rejet[]> {
  return conforme(z.array(ligneRejetee), (await atelier.get(`/rejets/${query}`)).json());
}

describe('of a real import', () => {
  const GOOD = '20250528 06:00:00|@StukUitgevoerd: A\n';
  const FORMULA = '=1+1;"<script>"\ttexte 🙂';

  beforeAll(async () => {
    await put(
      'DEM12/20250528.LOG',
      `${GOOD}${FORMULA}\n20250528 06:00:01|@MachineWait: wacht\n20259999 06:00:00|@X\n`,
    );
    await put(
      'DEM12/copie.LOG',
      `${GOOD}${FORMULA}\n20250528 06:00:01|@MachineWait: wacht\n20259999 06:00:00|@X\n`,
    );
    await put('SU12/20250528.LOG', `onzin 1\n${GOOD}onzin 2\n`);
    await put('SU12/20250529.LOG', 'remplacée\n');
    await atelier.workshop.import();
    await put('SU12/20250529.LOG', `${GOOD}`);
    await atelier.workshop.import({ replace: 'SU12/20250529.LOG' });
  });

  it('lists the lines of versions that count, by version and line, with the text as it was', async () => {
    const all = await list();
    expect(all.map(({ fichier, ligne, raison }) => `${fichier} ${ligne} ${raison}`).sort()).toEqual([
      'DEM12/20250528.LOG 2 sans_separateur',
      'DEM12/20250528.LOG 3 attente_sans_duree',
      'DEM12/20250528.LOG 4 horodatage_invalide',
      'SU12/20250528.LOG 1 sans_separateur',
      'SU12/20250528.LOG 3 sans_separateur',
    ]);
    const formula = all.find(({ texte }) => texte === FORMULA)!;
    expect(formula).toMatchObject({
      ligne: 2,
      octet: GOOD.length,
      longueur: Buffer.byteLength(`${FORMULA}\n`),
    });
    // The path that is named leads to the file, and its bytes to the line.
    const file = await atelier.get(`/fichiers/${formula.fichier_id}/octets?sha256=${formula.sha256}`, {
      headers: { range: `bytes=${formula.octet}-${formula.octet + formula.longueur - 1}` },
      statut: 206,
    });
    expect(file.body).toBe(`${FORMULA}\n`);
    const positions = all.map(({ id }) => id.split('-').map(Number) as [number, number]);
    expect(positions).toEqual(positions.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]));
  });

  it('filters by centre, type, reason and file', async () => {
    const all = await list();
    const texts = (rows: Rejet[]): string[] => rows.map(({ texte }) => texte);
    const su12 = all.filter(({ fichier }) => fichier.startsWith('SU12/'));
    expect(await list(`?centre_usinage_id=${su12[0]!.centre_usinage_id}`)).toEqual(su12);
    expect(await list('?type_cu=HYBRIDE')).toEqual(su12);
    expect(await list('?type_cu=BOIS')).toEqual([]);
    expect(await list(`?fichier_id=${su12[0]!.fichier_id}`)).toEqual(su12);
    expect(texts(await list('?raison=sans_separateur&type_cu=PVC'))).toEqual([FORMULA]);
    // The same bytes at another path are the same lines, found by either.
    const files = (await atelier.get('/fichiers/?chemin=DEM12%2Fcopie.LOG')).json<{ id: number }[]>();
    expect((await list(`?fichier_id=${files[0]!.id}`)).length).toBe(3);
    for (const query of ['raison=autre', 'fichier_id=x', 'texte=onzin', 'tri=texte', 'centre_usinage_id=-1'])
      await atelier.get(`/rejets/?${query}`, { statut: 422 });
  });

  it('S23: as a file, formulas are text; the same lines in the same order', async () => {
    const csv = await atelier.get('/rejets/?format=csv&tri=-id');
    expect(csv.headers['content-type']).toContain('text/csv');
    const [header, ...lines] = csv.body.trimEnd().split(/\r?\n/);
    expect(header).toBe(Object.keys(ligneRejetee.shape).join(','));
    expect(lines.map((line) => line.split(',', 1)[0])).toEqual((await list('?tri=-id')).map(({ id }) => id));
    expect(csv.body).toContain(`"'${FORMULA.replaceAll('"', '""')}"`);
    expect((await atelier.get('/rejets/?format=xlsx')).rawPayload.subarray(0, 2).toString()).toBe('PK');
  });

  it('counts by centre and reason', async () => {
    const counts = conforme(z.array(rejetsParRaison), (await atelier.get('/rejets/par-raison')).json());
    const [dem12, su12] = [...new Set(counts.map(({ centre_usinage_id }) => centre_usinage_id))];
    expect(counts).toEqual([
      { centre_usinage_id: dem12, raison: 'attente_sans_duree', nombre: 1 },
      { centre_usinage_id: dem12, raison: 'horodatage_invalide', nombre: 1 },
      { centre_usinage_id: dem12, raison: 'sans_separateur', nombre: 1 },
      { centre_usinage_id: su12, raison: 'sans_separateur', nombre: 2 },
    ]);
    expect((await atelier.get('/rejets/par-raison/?type_cu=HYBRIDE')).json()).toEqual(counts.slice(3));
    expect((await atelier.get(`/rejets/par-raison?centre_usinage_id=${su12}`)).json()).toEqual(
      counts.slice(3),
    );
    await atelier.get('/rejets/par-raison?raison=sans_separateur', { statut: 422 });
  });

  it('gives one line by version and line; of a version that counts no more, none', async () => {
    const [first] = await list();
    const one = await atelier.get(`/rejets/${first!.id}`);
    expect(conforme(ligneRejetee, one.json())).toEqual(first);
    const { rows } = await atelier.workshop.reader.query<{ id: string }>(
      "SELECT version_id || '-' || ligne AS id FROM ligne_rejetee WHERE texte = 'remplacée'",
    );
    expect(rows.length).toBe(1);
    for (const id of [rows[0]!.id, '999999-1', '9999999999-9999999999999999'])
      await atelier.get(`/rejets/${id}`, { statut: 404 });
    for (const id of ['12', '12-', 'a-b', '1-1-1', "1-1'", '-1-1'])
      await atelier.get(`/rejets/${id}`, { statut: 422 });
  });
});

describe('of a large quarantine', () => {
  const LINES = 60_000;

  beforeAll(async () => {
    await atelier.workshop.reset();
    await atelier.workshop.reader.query(
      `INSERT INTO centre_usinage (id, nom, type_cu) VALUES (1, 'DEM12', 'PVC'), (2, 'SU12', 'HYBRIDE'), (3, 'VIDE', 'ALU')`,
    );
    await atelier.workshop.reader.query(
      `INSERT INTO fichier_log_version (id, centre_usinage_id, sha256, taille, active, regles, encodage, lignes,
              lignes_evenements, lignes_autres, lignes_rejetees, lignes_ignorees, octets_evenements, octets_autres,
              octets_rejetes, octets_ignores, autres_evenements)
       SELECT n, 1 + n % 2, sha256(n::text::bytea), 10, n % 10 <> 0, '', 'utf-8', 1, 0, 0, 1, 0, 0, 0, 10, 0, '{}'
         FROM generate_series(1, 200) n`,
    );
    await atelier.workshop.reader.query(
      `INSERT INTO fichier_log (id, centre_usinage_id, chemin, etat, taille, version_id)
       SELECT n, 1 + n % 2, n || '.LOG', 'lu', 10, n FROM generate_series(1, 200) n`,
    );
    await atelier.workshop.reader.query(
      `INSERT INTO fichier_log_contenu (fichier_log_id, version_id, etat)
       SELECT n, n, CASE WHEN n % 10 = 0 THEN 'remplacee' ELSE 'active' END FROM generate_series(1, 200) n`,
    );
    await atelier.workshop.reader.query(
      `INSERT INTO ligne_rejetee (version_id, centre_usinage_id, ligne, octet, raison, texte, longueur)
       SELECT 1 + n % 200, 1 + (1 + n % 200) % 2, 1 + n / 200, n,
              CASE n % 7 WHEN 0 THEN 'attente_sans_duree' ELSE 'sans_separateur' END, 'onzin ' || n, 10
         FROM generate_series(0, ${LINES - 1}) n`,
    );
    await atelier.workshop.reader.query(
      'VACUUM ANALYZE ligne_rejetee, fichier_log_version, fichier_log_contenu',
    );
  });

  it('reading by cursor gives every line once, in the order of one big sort, in both directions', async () => {
    const { rows } = await atelier.workshop.reader.query<{ id: string }>(
      `SELECT r.version_id || '-' || r.ligne AS id FROM ligne_rejetee r
         JOIN fichier_log_version v ON v.id = r.version_id AND v.active
        WHERE r.raison = 'attente_sans_duree' ORDER BY r.version_id, r.ligne`,
    );
    const expected = rows.map(({ id }) => id);
    for (const [tri, wanted] of [
      ['id', expected],
      ['-id', expected.toReversed()],
      ['raison', expected],
      ['-raison,id', expected],
    ] as const) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = await atelier.get(`/rejets/?raison=attente_sans_duree&limit=1000&tri=${tri}${cursor}`);
        seen.push(...page.json<Rejet[]>().map(({ id }) => id));
        const next = page.headers['x-next-cursor'];
        cursor = next === undefined ? '' : `&cursor=${next}`;
      } while (cursor !== '');
      expect(seen).toEqual(wanted);
    }
    // A cursor of someone's own making is refused or finds its place; it never fails.
    for (const position of ['abc', "1-1'", '1-1-1', '99999999999-1', '']) {
      const cursor = Buffer.from(JSON.stringify(['id', [position]])).toString('base64url');
      await atelier.get(`/rejets/?cursor=${cursor}`, { statut: position === '1-1-1' ? 200 : 422 });
    }
  });

  it('whatever the filter and the order, a page reads little more than its own lines', async () => {
    const asked: [Record<string, unknown>, Tri[]][] = [
      [{}, [{ colonne: 'id', sens: 'asc' }]],
      [{}, [{ colonne: 'id', sens: 'desc' }]],
      [{}, [{ colonne: 'raison', sens: 'asc' }]],
      [{ centre_usinage_id: 1 }, [{ colonne: 'id', sens: 'asc' }]],
      [{ type_cu: 'ALU' }, [{ colonne: 'id', sens: 'asc' }]],
      [{ raison: 'attente_sans_duree' }, [{ colonne: 'id', sens: 'asc' }]],
      [{ raison: 'profil_incomplet' }, [{ colonne: 'id', sens: 'asc' }]],
      [{ centre_usinage_id: 2, raison: 'attente_sans_duree' }, [{ colonne: 'id', sens: 'desc' }]],
      [{ fichier_id: 5 }, [{ colonne: 'id', sens: 'asc' }]],
    ];
    for (const [filtres, tri] of asked) {
      for (const apres of [
        undefined,
        tri.length === 1 && tri[0]!.colonne === 'id' ? ['100-50'] : undefined,
      ]) {
        const lues = await linesRead((db) =>
          lirePage(db, REJETS, { filtres, tri, skip: 0, limit: 100, apres, total: 'non' }),
        );
        // A page of 101 lines, and at most two versions of 300 that count no more before it.
        expect(lues, JSON.stringify({ filtres, tri, apres })).toBeLessThan(1_000);
      }
    }
  });

  interface Plan {
    readonly 'Relation Name'?: string;
    readonly 'Actual Rows': number;
    readonly 'Actual Loops': number;
    readonly 'Rows Removed by Filter'?: number;
    readonly Plans?: readonly Plan[];
  }

  /** How many rows of the quarantine PostgreSQL looked at for the one statement that a reading sends. */
  async function linesRead(read: (db: Queryable) => Promise<unknown>): Promise<number> {
    const { reader } = atelier.workshop;
    let lines = 0;
    const count = (plan: Plan): void => {
      if (plan['Relation Name'] === 'ligne_rejetee')
        lines += (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
      plan.Plans?.forEach(count);
    };
    const spy = {
      query: async ({ name: _, ...query }: pg.QueryConfig) => {
        const { rows } = await reader.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) ${query.text}`,
          query.values,
        );
        count(rows[0]!['QUERY PLAN'][0].Plan);
        return await reader.query(query);
      },
    };
    await read(spy as unknown as Queryable);
    return lines;
  }
});
