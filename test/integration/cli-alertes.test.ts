// `atelier alertes` as a person uses it.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ouvrirRecepteur, type Recepteur, SECRET } from '../harness/alertes.ts';
import { type Installation, install } from '../harness/cli.ts';

let installation: Installation;
let recepteur: Recepteur;
beforeAll(async () => {
  [installation, recepteur] = await Promise.all([install(), ouvrirRecepteur()]);
});
beforeEach(async () => {
  await installation.pool.query('DELETE FROM alerte; DELETE FROM execution');
  recepteur.recus.length = 0;
});
afterAll(async () => {
  await recepteur?.close();
  await installation?.close();
});

const webhook = (): Record<string, string> => ({
  ALERTE_WEBHOOK_URL: recepteur.url,
  ALERTE_WEBHOOK_SECRET: SECRET,
  // The disk of whoever runs the tests may be short.
  ALERTE_DISQUE: 'non',
});
const casser = () =>
  installation.pool.query(
    `INSERT INTO execution (tache, etat, debut, fin, erreur, hote, processus)
     SELECT 'ingest', 'echouee', i, i, 'LOGS_DIR illisible', 'h', 1 FROM to_timestamp(extract(epoch FROM now()) - 3600) i`,
  );

it('nothing is wrong, something is, somebody takes it on, it is over', async () => {
  const { run, pool } = installation;
  expect(await run(['alertes'])).toMatchObject({ code: 0, stdout: 'Aucune alerte ouverte.\n' });
  await casser();
  const looked = await run(['alertes', 'evaluer'], { env: webhook() });
  expect([looked.code, looked.stdout]).toEqual([
    1,
    'Alertes : 1 nouvelle(s), 0 résolue(s), 0 rappelée(s) ; 1 ouverte(s).\nAvis : 1 envoyé(s), 0 en échec, 0 abandonné(s).\n',
  ]);
  expect(recepteur.recus).toMatchObject([{ type: 'alerte.ouverture', data: { regle: 'import_echoue' } }]);
  const [{ id }] = JSON.parse((await run(['alertes', '--json'])).stdout);
  const table = await run(['alertes']);
  expect(table.stdout).toContain('import_echoue');
  expect(table.stdout).toContain('LOGS_DIR illisible');
  expect(table.stdout).toContain('→ Import échoué : Lisez le message');
  expect(await run(['alertes', 'acquitter', String(id)])).toMatchObject({ code: 0 });
  expect((await run(['alertes'])).stdout).toContain('acquittée');
  expect((await run(['alertes', 'acquitter', String(id)])).stdout).toContain('l’était déjà');
  await pool.query(
    "INSERT INTO execution (tache, etat, debut, fin, hote, processus) VALUES ('ingest', 'reussie', now(), now(), 'h', 1)",
  );
  const over = await run(['alertes', 'evaluer', '--json'], { env: webhook() });
  expect([over.code, JSON.parse(over.stdout)]).toEqual([
    0,
    { ouvertes: 0, rappelees: 0, resolues: 1, envoyes: 1, echoues: 0, abandonnes: 0, restent: 0 },
  ]);
  expect((await run(['alertes', '--toutes', '--csv'])).stdout).toMatch(
    /^id,regle,objet.*\n\d+,import_echoue,ingest,critique,resolue/,
  );
  expect(await run(['alertes', 'acquitter', '99999'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[ATL_N802]'),
  });
});

describe('tester', () => {
  it('says what became of each channel, and tells no secret', async () => {
    const good = await installation.run(['alertes', 'tester'], { env: webhook() });
    expect([good.code, good.stdout]).toEqual([0, '✔ webhook : accepté\n']);
    expect(recepteur.recus).toMatchObject([{ type: 'alerte.ouverture', data: { regle: 'essai' } }]);
    const gone = await ouvrirRecepteur();
    await gone.close();
    const mail = {
      ALERTE_MAIL_A: 'a@exemple.test',
      ALERTE_MAIL_DE: 'b@exemple.test',
      SMTP_URL: 'smtp://u:mot-plante@127.0.0.1:1',
    };
    const bad = await installation.run(['alertes', 'tester'], {
      env: { ...webhook(), ...mail, ALERTE_WEBHOOK_URL: gone.url },
    });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^✖ webhook : connexion impossible \(ECONNREFUSED\)\n✖ courriel : .*\n$/);
    expect(bad.stdout + bad.stderr).not.toMatch(/mot-plante|plante-dans-l-adresse|un-secret/);
  });
  it('without a channel says which settings there are', async () => {
    expect(await installation.run(['alertes', 'tester'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\[ATL_N801\][\s\S]*ALERTE_WEBHOOK_URL/),
    });
  });
});

it.each([
  ['oublier'],
  ['acquitter'],
  ['acquitter', 'x'],
  ['evaluer', 'tout'],
  ['evaluer', '--toutes'],
  ['--json', '--csv'],
  ['tester', '--json'],
])('wrong usage: %s %s', async (...args) => {
  expect(await installation.run(['alertes', ...args.filter(Boolean)])).toMatchObject({ code: 2, stdout: '' });
});
