// `atelier taches`, `executions`, `lancer`: the schedule from the command line.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DAY, type Installation, install } from '../harness/cli.ts';

const QUIET = { METRICS_PORT: '0' };

let shop: Installation;
beforeAll(async () => {
  shop = await install();
  await shop.write('DEM12/20250528.LOG', DAY);
});
afterAll(() => shop.close());

test('before any worker: the hours of the settings, and that nobody keeps them', async () => {
  const { code, stdout, stderr } = await shop.run(['taches']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/ingest\s+│\s+11:00/);
  expect(stdout).toMatch(/sauvegarde\s+│\s+sur demande/);
  expect(stderr).toContain('sync : pas exécutée par cette machine, aucun ERP n’est réglé');
  expect(stderr).toContain('ingest : aucun worker n’a encore lu son horaire');
  const taches = JSON.parse((await shop.run(['taches', '--json'])).stdout);
  expect(
    taches.map((t: { tache: string; prochaine_echeance: string | null }) => [
      t.tache,
      t.prochaine_echeance !== null,
    ]),
  ).toEqual([
    ['ingest', true],
    ['sync', true],
    ['purge', true],
    ['sauvegarde', false],
  ]);
});

test('lancer --attendre: a worker does it, and the runs are listed', async () => {
  const asked = await shop.run(['lancer', 'ingest', '--json']);
  const { execution, nouvelle } = JSON.parse(asked.stdout);
  expect([asked.code, nouvelle]).toEqual([0, true]);
  expect((await shop.run(['lancer', 'ingest'])).stdout).toContain(
    `Elle attendait déjà : ingest, passage ${execution}`,
  );
  const refused = await shop.run(['lancer', 'ingest', '--centre', 'DEM12']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ATL_T702')]);
  const waiting = shop.start(['lancer', 'ingest', '--attendre']);
  // A worker that came first would have done the run that it is to wait for.
  await expect.poll(waiting.text, { timeout: 60_000 }).toContain(`passage ${execution}`);
  const worker = shop.start(['worker', '--sans-suivi'], QUIET);
  const { code, stdout } = await waiting.ended;
  expect([code, stdout]).toEqual([0, expect.stringContaining('Terminée : ingest, reussie.')]);
  const purge = await shop.run(['lancer', 'purge', '--attendre', '--json']);
  expect([purge.code, JSON.parse(purge.stdout)]).toMatchObject([
    0,
    { tache: 'purge', etat: 'reussie', tentative: 1 },
  ]);
  worker.process.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  const runs = JSON.parse((await shop.run(['executions', '--json'])).stdout);
  expect(
    runs.map((r: Record<string, unknown>) => [r['tache'], r['etat'], r['declencheur'], r['essai']]),
  ).toEqual([
    ['purge', 'reussie', 'demande', '1/5'],
    ['ingest', 'reussie', 'demande', '1/5'],
  ]);
  expect(
    (await shop.run(['executions', '--tache', 'purge', '--etat', 'echouee', '--csv'])).stdout.split('\n'),
  ).toHaveLength(2);
  expect((await shop.run(['taches'])).stdout).toMatch(/ingest\s+│\s+11:00.*reussie/);
  const { rows } = await shop.pool.query('SELECT count(*) AS n FROM session_production');
  expect(rows[0].n).toBe(1);
}, 240_000);

test('lancer --attendre tells each attempt that fails while there are more to come', async () => {
  const env = { ...QUIET, LOGS_DIR: '/nulle/part', TACHE_ESSAIS: '2', TACHE_PAUSE: '1' };
  const waiting = shop.start(['lancer', 'ingest', '--attendre'], env);
  const worker = shop.start(['worker', '--sans-suivi'], env);
  try {
    const { code, stderr } = await waiting.ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/Essai 1 : .*nulle.*\n(.*\n)*.*ATL_T705.*essai 2 : .*nulle/),
    ]);
  } finally {
    worker.process.kill('SIGTERM');
  }
  expect((await worker.ended).code).toBe(0);
}, 240_000);

test('wrong usage is told by its name', async () => {
  const wrong: [string[], string][] = [
    [['lancer', 'tout'], 'Donnez une tâche'],
    [['lancer', 'ingest', '--centre', 'ABSENT'], '« ABSENT » est inconnu, attendu l’un de DEM12, '],
    [['lancer', 'ingest', '--force'], '--force ne va qu’avec sync'],
    [['executions', '--etat', 'fini'], '--etat'],
    [['worker', '--taches', 'tout'], '--taches'],
  ];
  const answers = await Promise.all(wrong.map(([args]) => shop.run(args)));
  expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual(
    wrong.map(([, message]) => [2, expect.stringContaining(message)]),
  );
}, 180_000);
