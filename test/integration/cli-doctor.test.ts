import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMigrations } from '../../src/postgres/migrate.ts';
import { ajouterAncien } from '../harness/accounts.ts';
import { DAY, type Env, type Installation, install, withoutPrivileges } from '../harness/cli.ts';

let place: Installation;
beforeEach(async () => {
  place = await install();
  await place.write('DEM12/20250528.LOG', DAY);
  await place.run(['ingest']);
});
afterEach(() => place.close());

interface Constat {
  readonly quoi: string;
  readonly etat: 'bien' | 'attention' | 'mal';
  readonly detail: string;
  readonly remede?: string;
}

/** No port of this machine is looked at, and no key is half given: other tests do that. */
const QUIET: Env = { PORT: '0', METRICS_PORT: '0', SECRET_KEY: '' };

async function doctor(
  env: Env = {},
  before: string[] = [],
): Promise<{ code: number | null; constats: Constat[] }> {
  const { code, stdout } = await place.run(['doctor', '--json'], { env: { ...QUIET, ...env }, before });
  const constats = JSON.parse(stdout) as Constat[];
  // Whatever is wrong, there is a way out.
  for (const { etat, remede } of constats) if (etat !== 'bien') expect(remede).toMatch(/\p{L}{3}/u);
  return { code, constats };
}

/** The one finding that is not fine. */
async function diagnosis(env?: Env, before?: string[]): Promise<Constat & { code: number | null }> {
  const { code, constats } = await doctor(env, before);
  const bad = constats.filter(({ etat }) => etat !== 'bien');
  expect(bad).toHaveLength(1);
  return { code, ...bad[0]! };
}

describe('doctor', () => {
  test('finds nothing where nothing is wrong', async () => {
    const { code, constats } = await doctor();
    expect(constats.filter(({ etat }) => etat !== 'bien')).toEqual([]);
    expect(code).toBe(0);
    const { stdout } = await place.run(['doctor'], { env: QUIET });
    for (const { quoi } of constats) expect(stdout).toContain(`✔ ${quoi} : `);
  });

  test('accounts without a key of their own: how many, what that means, and of which the key is lost', async () => {
    const cle = randomBytes(32);
    const env = { CLE_CHIFFREMENT: cle.toString('hex'), SECRET_KEY: randomBytes(48).toString('base64url') };
    expect(await place.run(['user', 'list'], { env })).toMatchObject({ code: 0 });
    const ids: string[] = [];
    for (const name of ['ancien', 'autre', 'perdu']) {
      ids.push(await ajouterAncien(place.pool, name, { cle }));
    }
    const found = async (): Promise<Constat[]> =>
      (await doctor()).constats.filter(({ quoi }) => quoi === 'Clés des comptes');
    expect(await found()).toEqual([
      {
        ...{ quoi: 'Clés des comptes', etat: 'attention' },
        detail: expect.stringMatching(/^3 compte\(s\) sur 3 sans clé à eux.*sauvegardes/),
        remede: expect.stringContaining('user rotation'),
      },
    ]);
    expect(await place.run(['user', 'rotation'], { env })).toMatchObject({ code: 0 });
    expect(await found()).toEqual([
      { quoi: 'Clés des comptes', etat: 'bien', detail: '3 compte(s), chacun a la sienne' },
    ]);
    await place.pool.query('DELETE FROM compte_cle WHERE user_id = $1', [ids[2]]);
    expect(await found()).toEqual([
      {
        ...{ quoi: 'Clés des comptes', etat: 'mal' },
        detail: expect.stringMatching(/^1 compte\(s\) sur 3 illisible/),
        remede: expect.stringContaining(`user forget ${ids[2]}`),
      },
    ]);
  });

  test('a missing archive', async () => {
    const centre = (await readdir(place.archives)).find((name) => /^\d+$/.test(name))!;
    for (const name of await readdir(join(place.archives, centre))) {
      if (name.endsWith('.zst')) await rm(join(place.archives, centre, name));
    }
    const found = await diagnosis();
    expect(found).toMatchObject({ code: 1, quoi: 'Archives', etat: 'mal' });
    expect(found.detail).toContain('1 sur 1');
    expect(found.remede).toContain('sauvegarde');
    const { stdout } = await place.run(['doctor']);
    expect(stdout).toMatch(/^✖ Archives : .*\n {4}→ Restaurez/m);
  });

  test('orphans', async () => {
    const client = await place.pool.connect();
    await client.query(`BEGIN; SET LOCAL session_replication_role = replica;
      INSERT INTO periode_attente (centre_usinage_id, session_id, numero, timestamp_debut, timestamp_fin, duree_secondes)
        VALUES (1, 999999, 1, now(), now(), 0);
      INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, job_profil_id)
        SELECT centre_usinage_id, id, 3, now(), 999999 FROM session_production;
      UPDATE session_production SET total_pieces = 3; COMMIT`);
    client.release();
    const found = await diagnosis();
    expect(found).toMatchObject({ code: 1, quoi: 'Lignes orphelines', etat: 'mal' });
    expect(found.detail).toContain('periode_attente.session_id 1');
    expect(found.detail).toContain('piece_production.job_profil_id 1');
  });

  test('a session whose total is not the number of its pieces', async () => {
    await place.pool.query('UPDATE session_production SET total_pieces = 5');
    expect(await diagnosis()).toMatchObject({ code: 1, quoi: 'Sessions', etat: 'mal' });
  });

  test('days left behind by a killed import: to look at, not to mend', async () => {
    await place.pool.query(
      "INSERT INTO jour_a_recalculer (centre_usinage_id, jour) VALUES (1, '2025-05-28')",
    );
    const found = await diagnosis();
    expect(found).toMatchObject({ code: 0, quoi: 'Journées', etat: 'attention' });
    expect(found.remede).toContain('npx atelier ingest');
  });

  test('LOGS_DIR: absent, locked, a locked centre, an unknown one, none', async () => {
    const absent = await diagnosis({ LOGS_DIR: join(place.home, 'absent') });
    expect(absent).toMatchObject({ code: 1, quoi: 'LOGS_DIR', etat: 'mal' });
    expect(absent.remede).toContain('LOGS_DIR');
    for (const folder of [place.logs, join(place.logs, 'DEM12')]) {
      await chmod(folder, 0o000);
      const locked = await diagnosis({}, withoutPrivileges());
      await chmod(folder, 0o755);
      expect(locked).toMatchObject({ code: 1, quoi: 'LOGS_DIR', etat: 'mal' });
    }
    await mkdir(join(place.logs, 'Nouvelle machine'));
    const unknown = await diagnosis();
    expect(unknown).toMatchObject({ code: 0, quoi: 'LOGS_DIR', etat: 'attention' });
    expect(unknown.detail).toContain('Nouvelle machine');
    expect(unknown.remede).toContain('CENTRES');
    const none = await diagnosis({ LOGS_DIR: join(place.logs, 'DEM12') });
    expect(none).toMatchObject({ code: 0, quoi: 'LOGS_DIR', etat: 'attention' });
  });

  test('LOGS_DIR that nobody has set, as after the demonstration, is not wrong', async () => {
    const unset = await diagnosis({ LOGS_DIR: '' }, ['env', '--chdir', place.archives]);
    expect(unset).toMatchObject({ code: 0, quoi: 'LOGS_DIR', etat: 'attention' });
    expect(unset.detail).toContain('non réglé');
  });

  test.each(['ARCHIVES_DIR', 'SYNC_LOGS_DIR'])('%s that cannot be written', async (name) => {
    const folder = join(place.home, 'ferme');
    await mkdir(folder, { mode: 0o500 });
    const env = { [name]: join(folder, 'x') };
    const { code, constats } = await doctor(env, withoutPrivileges());
    expect(code).toBe(1);
    expect(constats).toContainEqual(expect.objectContaining({ quoi: name, etat: 'mal' }));
  });

  test('a server that is away', async () => {
    const found = await diagnosis({ DATABASE_URL: 'postgresql://u:mot-de-passe-plante@127.0.0.1:1/b' });
    expect(found).toMatchObject({ code: 1, quoi: 'PostgreSQL', etat: 'mal' });
    expect(JSON.stringify(found)).not.toContain('mot-de-passe-plante');
  });

  test('an old schema', async () => {
    const empty = await install({ migrated: false });
    try {
      const { code, stdout } = await empty.run(['doctor']);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^✖ .*0001_journaux\.sql.*\n {4}→ Tapez `npx atelier migrate`/m);
    } finally {
      await empty.close();
    }
  });

  test('changes nothing', async () => {
    const before = await place.everything();
    await place.run(['doctor']);
    expect(await place.everything()).toBe(before);
  });
});

describe('migrate', () => {
  test('--dry-run writes the SQL and touches nothing; then it is applied, then there is nothing to do', async () => {
    const empty = await install({ migrated: false });
    try {
      const dry = await empty.run(['migrate', '--dry-run']);
      expect(dry.code).toBe(0);
      for (const { nom, sql } of readMigrations()) expect(dry.stdout).toContain(`-- ${nom}\n${sql}`);
      expect(JSON.parse(await empty.everything())[0]).toEqual({});
      const real = await empty.run(['migrate']);
      expect(real.code).toBe(0);
      for (const { nom } of readMigrations()) expect(real.stdout).toContain(`Migration appliquée : ${nom}`);
      const again = await empty.run(['migrate']);
      expect([again.code, again.stdout]).toEqual([0, 'Le schéma est à jour.\n']);
    } finally {
      await empty.close();
    }
  });
});
