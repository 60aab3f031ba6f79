// R16, R15, R10 through the doors that people use: what was purged or forgotten after a backup does not come back with
// it, nor with the machine's files.

import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { createApi } from '../harness/api.ts';
import { DAY, type Installation, install } from '../harness/cli.ts';
import { createDatabase, sansMotDePasse } from '../harness/postgres.ts';
import { vieillir } from '../harness/purge.ts';
import { toutesLesLignes } from '../harness/sauvegarde.ts';
import { dumpState } from '../harness/state.ts';

const NOM = 'zebulon.marque';
const [TRES_VIEUX, VIEUX] = ['19990528', '20190528'];
const HIER = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
/** One of everything, and a line that nobody can read, all of it with the mark of its day. */
const jour = (day: string): string =>
  `${DAY.replaceAll('20250528', day).replaceAll(': A', `: piece-${day}`)}${day} rebut-${day}\r\n`;

let place: Installation;
let depot: string;
let env: Record<string, string>;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  place = await install();
  depot = await mkdtemp(join(tmpdir(), 'atelier-depot-'));
  env = {
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    SECRET_KEY: randomBytes(48).toString('base64url'),
    SAUVEGARDE_DIR: depot,
    // The oldest day goes whole, of the other past one the figures stay.
    CONSERVATION_SESSIONS: '240 mois',
    CONSERVATION_QUARANTAINE: '1 mois',
    CONSERVATION_ARCHIVES: '1 mois',
    CONSERVATION_DETAILS: '1 mois',
  };
  for (const day of [TRES_VIEUX, VIEUX, HIER]) await place.write(`DEM12/${day}.LOG`, jour(day!));
  await fait(['ingest']);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await place.close();
  await rm(depot, { recursive: true, force: true });
});

/** @returns what a command that must succeed says */
async function fait(args: readonly string[], own: Record<string, string> = {}): Promise<string> {
  const done = await place.run(args, { env: { ...env, ...own } });
  expect([done.code, done.stderr], args.join(' ')).toEqual([0, expect.not.stringContaining('ATL_')]);
  return done.stdout;
}

/** An account with traces. @returns its id */
async function compte(): Promise<string> {
  const api = await createApi({ url: place.url, env: { ...env, ARCHIVES_DIR: place.archives } });
  try {
    const { id, entete } = await api.compte(NOM, 'gestionnaire');
    await api.app.inject({ url: '/sessions/?format=csv', headers: entete });
    return id;
  } finally {
    await api.close();
  }
}

async function sauvegarde(): Promise<string> {
  return (JSON.parse(await fait(['backup', '--json'])) as { nom: string }).nom;
}

async function base(): Promise<{ url: string; pool: Pool }> {
  const { url, drop } = await createDatabase({ template: false });
  const pool = createPool(url, { logger: silentLogger(), max: 2 });
  closers.push(async () => {
    await pool.end();
    await drop();
  });
  return { url, pool };
}

/** Every row and every archived byte, as text. */
async function tout(pool: Pool, archives: string): Promise<string> {
  const names = await readdir(archives, { recursive: true });
  const bytes = names.filter((name) => name.endsWith('.zst')).map((name) => readFile(join(archives, name)));
  const archived = (await Promise.all(bytes)).map((zst) => zstdDecompressSync(zst).toString('latin1'));
  return JSON.stringify([await toutesLesLignes(pool), archived]);
}

it('R16, R15, R10: an older backup, restored after a purge and an erasure; then the files are sent again', async () => {
  const id = await compte();
  const nom = await sauvegarde();
  const before = await dumpState(place.pool);
  expect(before.sessions).toHaveLength(3);
  await vieillir(place.pool);
  const purged = JSON.parse(await fait(['purge', '--json']));
  for (const categorie of ['details', 'quarantaine', 'archives', 'sessions'])
    expect(purged.categories.find((c: { categorie: string }) => c.categorie === categorie).lignes).not.toBe(
      0,
    );
  await fait(['user', 'forget', NOM, '--oui']);
  const wanted = await dumpState(place.pool);
  expect(wanted.sessions.map((s) => [s.date_production.replaceAll('-', ''), s.pieces.length])).toEqual([
    [VIEUX, 0],
    [HIER, 2],
  ]);
  const { url, pool } = await base();
  const { adresse, secret } = sansMotDePasse(url);
  await fait(['restore', nom, '--vers-base', adresse, '--oui'], secret);
  const gone = new RegExp(`${id}|piece-${TRES_VIEUX}|piece-${VIEUX}|rebut-${TRES_VIEUX}|rebut-${VIEUX}`);
  const nothing = async (): Promise<void> => {
    expect(gone.exec(await tout(pool, place.archives))?.[0]).toBeUndefined();
    // Figures of the day whose details are gone are those that it had before.
    expect(await dumpState(pool)).toEqual(wanted);
  };
  await nothing();
  expect(await tout(pool, place.archives)).toContain(`piece-${HIER}`);
  const restored = { DATABASE_URL: url };
  await fait(['ingest'], restored);
  await nothing();
  // Longer, and under another name: no figure comes back, and the bytes that it brought go with their own time.
  await place.write(
    `DEM12/${VIEUX}.LOG`,
    `${jour(VIEUX!)}${VIEUX} 09:00:00|@StukUitgevoerd: piece-${VIEUX}\r\n`,
  );
  await place.write(`DEM12/copie-${TRES_VIEUX}.LOG`, `${jour(TRES_VIEUX!)}\r\n`);
  await fait(['ingest'], restored);
  await vieillir(pool);
  await fait(['purge'], restored);
  expect(gone.exec(await tout(pool, place.archives))?.[0]).toBeUndefined();
  expect((await dumpState(pool)).sessions.map((s) => ({ ...s, fichier_log_source: '' }))).toEqual(
    wanted.sessions.map((s) => ({ ...s, fichier_log_source: '' })),
  );
}, 120_000);

it('R15, R16: with the disk of the archives their journal is lost; a later backup tells who was forgotten', async () => {
  const id = await compte();
  const nom = await sauvegarde();
  await fait(['user', 'forget', NOM, '--oui']);
  await sauvegarde();
  await rm(place.archives, { recursive: true });
  const { url, pool } = await base();
  const { adresse, secret } = sansMotDePasse(url);
  await fait(['restore', nom, '--vers-base', adresse, '--oui'], secret);
  expect(await tout(pool, place.archives)).not.toContain(id);
  expect(await tout(pool, place.archives)).toContain(`piece-${HIER}`);
}, 120_000);
