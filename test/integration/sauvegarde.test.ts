// O15: what is backed up comes back, all of it, also while imports run; what is damaged or not meant is refused.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Archive } from '../../src/archives/archive.ts';
import { Depot } from '../../src/archives/sauvegarde/depot.ts';
import { messageOf } from '../../src/base/errors.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { purger } from '../../src/jobs/purge.ts';
import { restaurer } from '../../src/jobs/restauration.ts';
import { verifierSauvegarde } from '../../src/jobs/sauvegarde/verification.ts';
import { sauvegarder } from '../../src/jobs/sauvegarde.ts';
import { verifierAudit } from '../../src/postgres/audit-chain.ts';
import { type Pool, withClient } from '../../src/postgres/pool.ts';
import { dumpSchema } from '../../src/postgres/schema-dump.ts';
import { makeContext } from '../harness/context.ts';
import { checkInvariants } from '../harness/invariants.ts';
import {
  CHANGEES,
  type Etabli,
  MARQUEUR,
  monter,
  ouvrir,
  peupler,
  tousLesFichiers,
  toutesLesLignes,
} from '../harness/sauvegarde.ts';
import { dumpState } from '../harness/state.ts';

let etabli: Etabli;
let nom: string;
beforeAll(async () => {
  etabli = await monter();
  await peupler(etabli);
  const bilan = await etabli.sauvegarder();
  expect(bilan).toMatchObject({
    etat: 'reussie',
    archivesManquantes: [],
    nonSauvegardes: [],
    chiffree: false,
  });
  nom = bilan.nom;
}, 120_000);
afterAll(() => etabli.close());

const unchanged = (all: Record<string, string[]>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(all).filter(([table]) => !CHANGEES.has(table)));

/** PostgreSQL writes `a OR b OR c` with fewer brackets once it has read what it wrote. */
const schemaOf = async (pool: Pool): Promise<string> => (await dumpSchema(pool)).replaceAll(/[()]/g, '');

describe('O15: round trip', () => {
  it('every table, the schema and every archive are as they were; everybody signs in again', async () => {
    const { atelier } = etabli;
    const before = await toutesLesLignes(atelier.reader);
    const base = await etabli.base();
    const bilan = await etabli.restaurer(nom, { url: base.url });
    const after = await toutesLesLignes(base.pool);
    expect(unchanged(after)).toEqual(unchanged(before));
    for (const table of ['piece_production', 'ligne_rejetee', 'user', 'commande_historique'])
      expect(before[table]!.length, table).toBeGreaterThan(1);
    expect(await schemaOf(base.pool)).toBe(await schemaOf(atelier.reader));
    // What it changes on purpose.
    expect(after['jeton_rafraichissement']).toEqual([]);
    expect(after['user']).toHaveLength(before['user']!.length);
    const { rows } = await base.pool.query(
      `SELECT min(version_jetons) > 1000 AS "autres jetons", (SELECT count(*) FROM execution WHERE etat = 'en_cours') AS "en cours" FROM "user"`,
    );
    expect(rows).toEqual([{ 'autres jetons': true, 'en cours': 0 }]);
    // Rows that come after get new ids, and what the triggers guard stays guarded.
    await base.pool.query(`INSERT INTO centre_usinage (nom) VALUES ('NOUVEAU')`);
    await expect(base.pool.query('DELETE FROM journal_audit')).rejects.toThrow(/journal_audit/);
    // The audit log goes on where it was, its chain whole (M6).
    const chaine = await withClient(base.pool, (client) => verifierAudit(client));
    expect(chaine).toMatchObject({ nombreEcarts: 0, lignes: after['journal_audit']!.length });
    const restored = await tousLesFichiers(join(etabli.home, 'archives-restaurees'));
    const kept = [...restored].filter(([path]) => path.endsWith('.zst'));
    const original = await tousLesFichiers(atelier.archives);
    expect(bilan.archivesCopiees).toBe(kept.length);
    expect(kept.length).toBeGreaterThan(5);
    for (const [path, bytes] of kept) expect(original.get(path)?.equals(bytes), path).toBe(true);
    expect(bilan).toMatchObject({ archivesManquantes: [], reprise: false, migrations: [] });
  }, 60_000);

  it('psql alone restores the text of the database', async () => {
    const base = await etabli.base();
    const { dossier } = await ouvrir(etabli.depot, nom);
    const sql = zstdDecompressSync(await readFile(join(dossier, 'base.sql.zst')));
    const done = spawnSync('psql', ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', base.url], { input: sql });
    expect([done.status, done.stderr.toString()]).toEqual([0, '']);
    const [before, after] = [await toutesLesLignes(etabli.atelier.reader), await toutesLesLignes(base.pool)];
    expect(unchanged(after)).toEqual(unchanged(before));
    // What finds an account is computed again at the first use (R17).
    const sansIndex = (rows: string[]): object[] =>
      rows.map((row) => ({ ...JSON.parse(row), username_index: '', email_index: '' }));
    expect(sansIndex(after['user']!)).toEqual(sansIndex(before['user']!));
    expect(after['user']!.join()).not.toContain(JSON.parse(before['user']![0]!).username_index);
  }, 60_000);

  it('objects that others made are kept or named: views, sequences, types, grants, options', async () => {
    const source = await etabli.base({ template: true });
    await source.pool.query(`
      CREATE TYPE humeur AS ENUM ('bien', 'pas ''bien''');
      CREATE SEQUENCE suite INCREMENT BY 5 START WITH 7; SELECT nextval('suite');
      CREATE TABLE divers (h humeur DEFAULT 'bien', n integer DEFAULT nextval('suite'), "Mot Clé" text COLLATE "C",
        double integer GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY (n)) WITH (fillfactor = 70);
      ALTER SEQUENCE suite OWNED BY divers.n;
      INSERT INTO divers ("Mot Clé") VALUES ('x'), (NULL);
      CREATE VIEW vue AS SELECT n, double FROM divers; CREATE VIEW vue_de_vue AS SELECT n FROM vue GROUP BY n;
      CREATE MATERIALIZED VIEW figee AS SELECT 1 AS un;
      GRANT SELECT ON divers TO pg_monitor; GRANT UPDATE ("Mot Clé") ON divers TO pg_monitor;
      COMMENT ON VIEW vue IS 'l’une'`);
    const made = await sauvegarder({ ...etabli.contexte(), pool: source.pool });
    if (made.etat === 'ignoree') throw new Error('ignored');
    expect(made.nonSauvegardes).toEqual(['vue matérialisée public.figee']);
    const target = await etabli.base();
    await etabli.restaurer(made.nom, { url: target.url });
    const facts = async (pool: typeof source.pool): Promise<unknown> =>
      (
        await pool.query(
          `SELECT (SELECT json_agg(d ORDER BY n) FROM divers d) AS lignes, (SELECT count(*) FROM vue_de_vue) AS vues,
              nextval('suite') AS suite, has_table_privilege('pg_monitor', 'divers', 'SELECT') AS lire,
              has_column_privilege('pg_monitor', 'divers', 'Mot Clé', 'UPDATE') AS ecrire,
              obj_description('vue'::regclass) AS commentaire, (SELECT reloptions FROM pg_class WHERE relname = 'divers') AS options`,
        )
      ).rows;
    expect(await facts(target.pool)).toEqual(await facts(source.pool));
  }, 60_000);
});

it('O15: a backup made while imports run is one moment: it restores to a state that holds together', async () => {
  const { atelier } = etabli;
  let running = true;
  let rounds = 0;
  const writer = (async () => {
    // Files only grow: what is read after the backup can be read again after the restoration.
    while (running) {
      for (const day of ['20250501', '20250502', '20250503'])
        await appendFile(
          join(atelier.logs, 'SU12', `${day}.LOG`),
          `${day} 22:00:00|@StukUitgevoerd: ${rounds}\r\n`,
        );
      rounds++;
      await atelier.import();
    }
  })();
  const made = [];
  try {
    for (let i = 0; i < 3; i++) made.push(await etabli.sauvegarder());
  } finally {
    running = false;
    await writer;
  }
  expect(rounds).toBeGreaterThan(1);
  const last = made.at(-1)!;
  expect(last).toMatchObject({ etat: 'reussie', archivesManquantes: [] });
  const base = await etabli.base();
  const archives = join(etabli.home, 'archives-concurrentes');
  await etabli.restaurer(last.nom, { url: base.url }, { ARCHIVES_DIR: archives });
  // An import takes up what the snapshot had left to do, and all invariants hold on it.
  const ctx = makeContext({ url: base.url, logs: atelier.logs, archives });
  try {
    await ingest(ctx);
    await checkInvariants(base.pool, ctx.archive);
    await atelier.import();
    expect(await dumpState(base.pool)).toEqual(await atelier.state());
  } finally {
    await ctx.pool.end();
  }
}, 120_000);

describe('a damaged backup is refused before anything is touched', () => {
  const damage = async (file: string, how: (path: string) => Promise<void>): Promise<string[]> => {
    const { dossier } = await ouvrir(etabli.depot, nom);
    const path = join(dossier, file);
    const bytes = await readFile(path);
    await how(path);
    try {
      const depot = new Depot(etabli.depot, []);
      const opened = await depot.ouvrir(nom).catch((error: unknown) => error as Error);
      if (opened instanceof Error) return [opened.message];
      const { defauts } = await verifierSauvegarde(depot, opened, []);
      const base = await etabli.base();
      const refused = await etabli
        .restaurer(nom, { url: base.url })
        .catch((error: unknown) => messageOf(error));
      if (defauts.length > 0 && !file.startsWith('../')) {
        expect(refused).toEqual(expect.any(String));
        expect(await toutesLesLignes(base.pool)).toEqual({});
      }
      return [...defauts];
    } finally {
      await writeFile(path, bytes);
    }
  };
  const flip = (at: number) => async (path: string) => {
    const bytes = await readFile(path);
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    await writeFile(path, bytes);
  };

  it.each([
    ['base.sql.zst', 'flipped byte', flip(500)],
    ['base.sql.zst', 'cut', (path: string) => truncate(path, 1000)],
    ['base.sql.zst', 'missing', (path: string) => rm(path)],
    ['archives.jsonl', 'flipped byte', flip(30)],
    ['manifest.json', 'flipped byte', flip(2)],
    ['manifest.json', 'missing', (path: string) => rm(path)],
  ])('%s: %s', async (file, _, how) => {
    expect((await damage(file, how)).length).toBeGreaterThan(0);
  });

  it('an archive in the pool', async () => {
    const depot = new Depot(etabli.depot, []);
    const [one] = await depot.archives(await depot.ouvrir(nom));
    const found = await damage(`../archives/${one!.fichier}`, flip(-20));
    expect(found.join()).toContain(one!.sha256);
  });

  it('whole again, it verifies', async () => {
    const depot = new Depot(etabli.depot, []);
    expect((await verifierSauvegarde(depot, await depot.ouvrir(nom), [])).defauts).toEqual([]);
  });
});

describe('R25: encrypted', () => {
  const key = randomBytes(32).toString('hex');
  const other = randomBytes(32).toString('hex');
  let secret: string;
  beforeAll(async () => {
    secret = (await etabli.sauvegarder({ chiffrer: true }, { CLE_SAUVEGARDE: key })).nom;
  }, 60_000);

  it('R5: nothing of what is in it can be read without the key', async () => {
    const files = await tousLesFichiers(etabli.depot);
    const mine = [...files].filter(([path]) => path.startsWith(`${secret}/`) || path.endsWith('.chiffre'));
    expect(mine.length).toBeGreaterThan(5);
    const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
    for (const [path, bytes] of mine) {
      for (const text of [MARQUEUR, 'DEM12', '20250501.LOG', 'StukUitgevoerd', 'argon2id', 'chemin'])
        expect(bytes.includes(text), `${text} in ${path}`).toBe(false);
      if (path.endsWith('.chiffre')) expect(bytes.includes(zstd), path).toBe(false);
    }
    // The clear one holds it: the search can find.
    const clear = zstdDecompressSync(files.get(`${nom}/base.sql.zst`)!);
    expect(clear.includes(MARQUEUR)).toBe(true);
  });

  it('a wrong key, or none, is refused by name; the right one, also as the previous one, restores', async () => {
    const base = await etabli.base();
    for (const settings of [{ CLE_SAUVEGARDE: other }, {}]) {
      await expect(etabli.restaurer(secret, { url: base.url }, settings)).rejects.toMatchObject({
        code: 'ATL_B903',
      });
    }
    await expect(etabli.sauvegarder({ chiffrer: true })).rejects.toMatchObject({ code: 'ATL_B903' });
    const archives = join(etabli.home, 'archives-dechiffrees');
    await etabli.restaurer(
      secret,
      { url: base.url },
      { CLE_SAUVEGARDE: other, CLE_SAUVEGARDE_PRECEDENTE: key, ARCHIVES_DIR: archives },
    );
    const before = await toutesLesLignes(etabli.atelier.reader);
    expect(unchanged(await toutesLesLignes(base.pool))).toEqual(unchanged(before));
    const original = await tousLesFichiers(etabli.atelier.archives);
    for (const [path, bytes] of await tousLesFichiers(archives))
      if (path.endsWith('.zst')) expect(original.get(path)?.equals(bytes), path).toBe(true);
  }, 60_000);

  it('a manifest that somebody changed does not open, even when its checksums go together', async () => {
    const path = join(etabli.depot, secret, 'manifest.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/"nonSauvegardes": \[\]/, '"nonSauvegardes": ["x"]'));
    try {
      await expect(ouvrir(etabli.depot, secret, [Buffer.from(key, 'hex')])).rejects.toMatchObject({
        code: 'ATL_B902',
      });
    } finally {
      await writeFile(path, text);
    }
  });
});

describe('a database that is not free', () => {
  it('is refused with what is in it; --forcer puts that aside, whole', async () => {
    const base = await etabli.base({ template: true });
    await base.pool.query(`INSERT INTO centre_usinage (nom) VALUES ('PRECIEUX')`);
    const before = await toutesLesLignes(base.pool);
    const refused = etabli.restaurer(nom, { url: base.url });
    await expect(refused).rejects.toMatchObject({
      code: 'ATL_B904',
      message: expect.stringContaining('centre_usinage 1'),
    });
    expect(await toutesLesLignes(base.pool)).toEqual(before);
    const bilan = await etabli.restaurer(nom, { url: base.url, forcer: true });
    expect(bilan.misDeCote).toMatch(/^avant_restauration_\d{14}$/);
    expect(await toutesLesLignes(base.pool, bilan.misDeCote)).toEqual(before);
    // R15, R16: nobody erases rows in there, so it may stay as long as a backup, not longer.
    const { logger, time, shutdown, config } = etabli.contexte();
    const archive = new Archive(join(etabli.home, 'archives-restaurees'));
    const purge = async (jours: number): Promise<unknown> =>
      await purger(
        { logger, time, shutdown, config, archive, pool: base.pool },
        { maintenant: Date.now() + jours * 86_400_000, force: true },
      );
    const there = `SELECT count(*) AS n FROM pg_namespace WHERE nspname LIKE 'avant%'`;
    await purge(config.sauvegarde.conservation - 1);
    expect((await base.pool.query(there)).rows).toEqual([{ n: 1 }]);
    await purge(config.sauvegarde.conservation + 1);
    expect((await base.pool.query(there)).rows).toEqual([{ n: 0 }]);
    expect(await schemaOf(base.pool)).toBe(await schemaOf(etabli.atelier.reader));
  }, 60_000);

  it('that is new (migrated, no rows) is used; one that a program is connected to is not', async () => {
    const base = await etabli.base({ template: true });
    base.pool.options.application_name = 'atelier';
    const client = await base.pool.connect();
    await expect(etabli.restaurer(nom, { url: base.url })).rejects.toMatchObject({
      code: 'ATL_B904',
      message: expect.stringContaining('connexion'),
    });
    client.release(true);
    await expect
      .poll(() => etabli.restaurer(nom, { url: base.url }).then(() => 'fait', messageOf), { timeout: 20_000 })
      .toBe('fait');
    const { rows } = await base.pool.query(
      `SELECT count(*) AS n FROM pg_namespace WHERE nspname LIKE 'avant%'`,
    );
    expect(rows).toEqual([{ n: 0 }]);
  }, 60_000);

  it('a backup of a newer program is refused', async () => {
    const opened = await ouvrir(etabli.depot, nom);
    const { manifeste } = opened;
    const base = { ...manifeste.base, migrations: [...manifeste.base.migrations, '9999_demain.sql'] };
    const target = await etabli.base();
    await expect(
      restaurer(
        etabli.contexte(),
        new Depot(etabli.depot, []),
        { ...opened, manifeste: { ...manifeste, base } },
        {
          ...{ url: target.url, cles: [] },
        },
      ),
    ).rejects.toMatchObject({ code: 'ATL_B905', message: expect.stringContaining('9999_demain.sql') });
  });
});
