// The search for planted texts (canaris.test.ts) finds them where they are hard to see: without this its silence proves nothing.

import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { colonnesComprimees, regarderProcessus, sansCompression, surUneBase } from '../harness/canaris.ts';
import { migrateUrl } from '../harness/context.ts';
import { Chercheur } from '../harness/decouvrir.ts';
import { launchPrivate, type PrivatePostgres } from '../harness/private-postgres.ts';
import { tousLesFichiers } from '../harness/sauvegarde.ts';

const TEMOIN = 'Témoin-au-milieu-Ondine';
let postgres: PrivatePostgres;
beforeAll(async () => {
  postgres = await launchPrivate({});
  await migrateUrl(postgres.url);
}, 120_000);
afterAll(async () => {
  await postgres?.remove();
});

/** Puts a long text into a table, and says in which files of PostgreSQL it is found, and where long values of it lie. */
async function chercher(table: string): Promise<{ found: string[]; path: string }> {
  const long = `${'Zaagcyclus klaar, '.repeat(300)}${TEMOIN}${', klaar Zaagcyclus'.repeat(300)}`;
  const path = await surUneBase(postgres.url, async (pool) => {
    await pool.query(`INSERT INTO ${table} SELECT i, $1 || i FROM generate_series(1, 3) i`, [long]);
    await pool.query('CHECKPOINT');
    const { rows } = await pool.query(
      'SELECT pg_relation_filepath(reltoastrelid) AS path FROM pg_class WHERE relname = $1',
      [table],
    );
    return rows[0].path as string;
  });
  const cherche = new Chercheur({ temoin: TEMOIN });
  const files = await tousLesFichiers(postgres.dataDir);
  return { found: [...files].flatMap(([name, bytes]) => cherche.dans(bytes, name)), path };
}

it('in a long text of a table, which PostgreSQL would squeeze', async () => {
  await surUneBase(postgres.url, async (pool) => {
    await pool.query(
      'CREATE TABLE serre (id integer, texte text); CREATE TABLE ample (id integer, texte text)',
    );
    expect(await colonnesComprimees(pool)).toContain('serre.texte');
  });
  // As it is delivered, the name is nowhere as bytes: that is why the search has columns laid out as they are.
  expect((await chercher('serre')).found).toEqual([]);
  await surUneBase(postgres.url, async (pool) => {
    await sansCompression(pool);
    expect(await colonnesComprimees(pool)).toEqual([]);
  });
  const { found, path } = await chercher('ample');
  expect(found).toContain(`temoin (utf-8) dans ${path}`);
}, 240_000);

it('in words and environments of processes that ours start', async () => {
  const [word, variable] = ['Canari-dans-les-mots-7731', 'Canari-dans-l-environnement-7732'];
  const there = new Chercheur({ word, variable });
  const seen = async (): Promise<string> => {
    const vus = new Set<string>();
    await regarderProcessus(vus);
    return [...vus].flatMap((words) => there.dans(Buffer.from(words), words)).join('\n');
  };
  expect(await seen()).toBe('');
  const parent = spawn('sh', ['-c', 'sleep 60 & wait', 'bin/atelier.mjs', word], {
    env: { PATH: process.env['PATH'], CANARI: variable },
    detached: true,
  });
  try {
    await vi.waitUntil(async () => /^word [\s\S]*^variable [^\n]* ENV /m.test(await seen()), {
      timeout: 60_000,
      interval: 200,
    });
  } finally {
    process.kill(-parent.pid!, 'SIGKILL');
  }
}, 120_000);
