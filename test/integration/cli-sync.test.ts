// `atelier sync` and `atelier commandes` as a person or a cron starts them.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeMariadb } from '../../src/embedded/mariadb.ts';
import { type Env, type Installation, install, startAtelier } from '../harness/cli.ts';
import { MariadbDeTest, SANS_MARIADB, UTILISATEUR_LECTURE } from '../harness/mariadb.ts';
import { ProxyDePanne } from '../harness/proxy.ts';

const { user, password } = UTILISATEUR_LECTURE;

describe.skipIf(SANS_MARIADB)('atelier sync, atelier commandes', () => {
  let maria: MariadbDeTest;
  let place: Installation;
  let erp: Env;
  beforeAll(async () => {
    [maria, place] = await Promise.all([MariadbDeTest.demarrer(), install()]);
    erp = { MYSQL_URL: `mysql://${user}:${password}@127.0.0.1:${maria.server.port}/erp` };
  });
  afterAll(async () => {
    await place?.close();
    await maria?.arreter();
  });

  async function logLines(): Promise<Record<string, unknown>[]> {
    const text = await readFile(join(place.syncLogs, 'mysql_sync.log'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Runs a command; whatever it writes anywhere, the password is not in it. */
  async function run(args: string[], env: Env = erp) {
    const done = await place.run(args, { env });
    const written = done.stdout + done.stderr + JSON.stringify(await logLines());
    for (const secret of [password, 'Sesame-faux']) expect(written).not.toContain(secret);
    return done;
  }

  /** The answer of the command, without the running log that shares stdout with it. */
  const answer = (stdout: string): string[] =>
    stdout.split('\n').filter((line) => line !== '' && !line.startsWith('{'));

  test('jamais synchronisé : commandes le dit', async () => {
    const { code, stderr } = await run(['commandes'], {});
    expect([code, stderr]).toEqual([0, expect.stringContaining('Jamais synchronisées : `npx atelier sync`')]);
    expect((await run(['commandes', '--json'], {})).stdout.trim()).toBe('[]');
  });

  test('sans ERP réglé : ATL_E411, code 1, dans le journal aussi', async () => {
    const { code, stderr } = await run(['sync'], {});
    expect(code).toBe(1);
    expect(stderr).toContain('[ATL_E411] Synchronisation : aucun ERP n’est réglé.');
    expect(stderr).toContain('→ Donnez MYSQL_URL, ou MYSQL_HOST');
    expect((await logLines()).at(-1)).toMatchObject({ level: 'error', msg: 'synchronisation impossible' });
  });

  test('à blanc : dit tout, ne change rien', async () => {
    const { code, stdout } = await run(['sync', '--dry-run']);
    expect(code).toBe(0);
    expect(answer(stdout)[0]).toBe('À blanc : rien n’a été changé. La synchronisation ferait ceci :');
    expect(stdout).toContain('57 ajoutées, 0 changées, 0 retirées, 0 inchangées');
    expect((await run(['commandes', '--json'], {})).stdout.trim()).toBe('[]');
    const { rows } = await place.pool.query("SELECT FROM execution WHERE tache = 'sync'");
    expect(rows).toHaveLength(0);
  });

  test('la première : les 20 premiers changements, puis les comptes ; un objet JSON par ligne du journal', async () => {
    const { code, stdout, stderr } = await run(['sync']);
    expect([code, stderr]).toEqual([0, '']);
    const lines = answer(stdout);
    expect(lines[0]).toBe('Synchronisation terminée.');
    expect(lines[1]).toMatch(
      /^ {2}ERP {8}\d+ commandes lues, 57 retenues, 4 textes réparés, 2 non enregistrables$/,
    );
    expect(lines[2]).toBe('  commandes  57 ajoutées, 0 changées, 0 retirées, 0 inchangées');
    expect(lines.filter((line) => /^ {4}\+ \S+/.test(line))).toHaveLength(20);
    expect(lines.at(-1)).toBe('    … et 37 autres');
    const last = (await logLines()).at(-1);
    expect(last).toMatchObject({
      level: 'info',
      msg: 'synchronisation terminée',
      erp: '127.0.0.1',
      ajoutees: 57,
    });
    expect(last?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    // The log goes to stdout as well as to the file.
    expect(stdout).toContain('"msg":"synchronisation terminée"');
  });

  test('--json : le bilan seul sur la sortie', async () => {
    await maria.admin.query("UPDATE A_Kopf SET AufStatus = 'Vitrage reçu' WHERE ID = 'AK000001'");
    const { code, stdout, stderr } = await run(['sync', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      etat: 'reussie',
      aBlanc: false,
      ajoutees: 0,
      modifiees: 1,
      retirees: 0,
      inchangees: 56,
      lues: { commandes: 57 },
      exemples: [{ numero_commande: '24101', ancien_status: 'Planifiée', nouveau_status: 'Vitrage reçu' }],
    });
    expect(JSON.parse(stderr.trim().split('\n').at(-1)!)).toMatchObject({ msg: 'synchronisation terminée' });
    expect((await place.pool.query("SELECT etat FROM execution WHERE tache = 'sync'")).rows).toEqual([
      { etat: 'reussie' },
      { etat: 'reussie' },
    ]);
  });

  test('les réglages un par un valent l’adresse', async () => {
    const { code, stdout } = await run(['sync'], {
      MYSQL_HOST: '127.0.0.1',
      MYSQL_PORT: String(maria.server.port),
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
    });
    expect(code).toBe(0);
    expect(stdout).toContain('0 ajoutées, 0 changées, 0 retirées, 57 inchangées');
  });

  test('garde : code 1 et la marche à suivre ; --force passe', async () => {
    await maria.admin.query("UPDATE A_Logbuch SET Notiz = 'x' WHERE ID_A_Kopf > 'AK000010'");
    const { code, stderr } = await run(['sync']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /\[ATL_E410\] .* ne rend que \d+ commandes, 57 sont enregistrées et le restent \(SYNC_SEUIL_BAISSE 0\.5\)/,
    );
    expect(stderr).toContain('npx atelier sync --force');
    expect(JSON.parse((await run(['commandes', '--json'], {})).stdout)).toHaveLength(57);
    expect((await logLines()).at(-1)).toMatchObject({
      level: 'error',
      msg: 'synchronisation échouée, commandes intactes',
    });
    expect((await run(['sync'], { ...erp, SYNC_SEUIL_BAISSE: '0' })).code).toBe(0);
    await maria.chargerDemo();
    expect((await run(['sync', '--force'])).code).toBe(0);
    expect(JSON.parse((await run(['commandes', '--json'], {})).stdout)).toHaveLength(57);
  });

  test('pannes : code 1, le serveur et la demande sont nommés, jamais le mot de passe', async () => {
    const port = maria.server.port;
    const wrong = await run(['sync'], { MYSQL_URL: `mysql://${user}:Sesame-faux@127.0.0.1:${port}/erp` });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('[ATL_E402] ERP 127.0.0.1:')]);
    const nobody = await run(['sync'], { MYSQL_URL: `mysql://${user}:Sesame-faux@127.0.0.1:1/erp` });
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('[ATL_E401] ERP 127.0.0.1:1')]);
    const bad = await run(['sync'], { MYSQL_URL: 'mysql://u:Sesame-faux@h' });
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('[ATL_C101]')]);
    const noBase = await run(['sync'], { ...erp, DATABASE_URL: 'postgresql://u:Sesame-faux@127.0.0.1:1/x' });
    expect([noBase.code, noBase.stderr]).toEqual([1, expect.stringContaining('[ATL_D301]')]);
    expect((await logLines()).at(-1)).toMatchObject({ level: 'error', msg: 'synchronisation impossible' });
    const usage = await run(['sync', '--tout']);
    expect([usage.code, usage.stderr]).toEqual([2, expect.stringContaining('--tout')]);
  });

  test('F51 deux à la fois : l’autre sort avec 0 et le dit', async () => {
    const proxy = await ProxyDePanne.devant(maria.server.port);
    try {
      proxy.panne = { latence: 25, tranche: 128 };
      const slow = place.start(['sync'], {
        ...erp,
        MYSQL_URL: erp['MYSQL_URL']!.replace(`:${maria.server.port}/`, `:${proxy.port}/`),
      });
      while (proxy.versClient < 500) await new Promise((done) => setTimeout(done, 20));
      // Nothing arrives any more until both others have come and gone, however long this machine takes to start them.
      proxy.panne = { latence: 1_000, tranche: 16 };
      const other = await run(['sync']);
      expect([other.code, answer(other.stdout)]).toEqual([
        0,
        ['Ignorée : une autre synchronisation est en cours.'],
      ]);
      expect(JSON.parse((await run(['sync', '--json'])).stdout)).toEqual({ etat: 'ignoree', aBlanc: false });
      proxy.panne = {};
      const first = await slow.ended;
      expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('57 inchangées')]);
    } finally {
      await proxy.fermer();
    }
  });

  test('commandes : tableau, --status, --limite, --json, --csv', async () => {
    const all = JSON.parse((await run(['commandes', '--json'], {})).stdout) as Record<string, unknown>[];
    expect(all).toHaveLength(57);
    expect(Object.keys(all[0]!)).toEqual([
      'id',
      'numero_commande',
      'extension',
      'status',
      'date_modification',
      'coffre',
      'coffres',
      'gestion_en_stock',
      'origine',
    ]);
    const dates = all.map((row) => String(row['date_modification']));
    expect(dates).toEqual([...dates].sort().reverse());
    const some = JSON.parse((await run(['commandes', '--status', 'Vitrage reçu', '--json'], {})).stdout);
    expect(some.length).toBeGreaterThan(0);
    expect(some).toEqual(all.filter((row) => row['status'] === 'Vitrage reçu'));
    const { stdout: csv } = await run(['commandes', '--csv'], {});
    expect(csv.replace('\ufeff', '').split(/\r?\n/)[0]).toMatch(/^id,numero_commande,extension,status,/);
    expect(csv.trim().split(/\r?\n/)).toHaveLength(58);
    const table = await run(['commandes', '--limite', '5'], {});
    expect(table.code).toBe(0);
    expect(table.stdout).toContain('Planifiée le');
    expect(table.stderr).toMatch(/Synchronisées le \d{4}-\d\d-\d\d|Synchronisées le \d\d/);
    expect(table.stderr).toContain('… 5 premières lignes (--limite N pour plus).');
    for (const line of table.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    const none = await run(['commandes', '--status', 'Inconnu', '--json'], {});
    expect([none.code, none.stdout.trim()]).toEqual([0, '[]']);
    expect((await run(['commandes', '--limite', 'x'], {})).code).toBe(2);
  });
});

describe.skipIf(SANS_MARIADB)('npm run demo', () => {
  test('deux fois : la seconde ne change rien', async () => {
    // A blank in the path: one of the programs that are run is a shell script.
    const home = await mkdtemp(join(tmpdir(), 'atelier démo '));
    // Open to the servers' accounts, or they would be sent elsewhere.
    await chmod(home, 0o755);
    const env = { ATELIER_DIR: join(home, 'atelier') };
    const atelier = (...args: string[]) => startAtelier(args, { env, cwd: home }).ended;
    try {
      const first = await atelier('demo', '--sans-api');
      expect(first.stderr).not.toContain('ATL_');
      expect(first.code).toBe(0);
      expect(first.stdout).toContain('57 ajoutées, 0 changées, 0 retirées, 0 inchangées');
      const list = async () => (await atelier('commandes', '--json')).stdout;
      const before = await list();
      expect(JSON.parse(before)).toHaveLength(57);
      const second = await atelier('demo', '--sans-api');
      expect(second.code).toBe(0);
      expect(second.stdout).toContain('0 ajoutées, 0 changées, 0 retirées, 57 inchangées');
      expect(await list()).toBe(before);
      for (const { stdout, stderr } of [first, second]) {
        expect(stdout + stderr).not.toContain(password);
      }
    } finally {
      await atelier('db', 'stop');
      // Started as root its data may be elsewhere than below ATELIER_DIR.
      removeMariadb(join(home, 'atelier', 'mariadb'));
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    }
  }, 300_000);
});
