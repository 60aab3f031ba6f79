// The line to the server breaks, is slow, or the server is away: the tables are those of a local folder all the same.

import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { SEED, setting } from '../harness/property.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { sftpSettings } from '../harness/sftp.ts';
import { importRemote, openSource } from '../harness/sftp-workshop.ts';
import { freePort, type Sshd, startSshd } from '../harness/sshd.ts';
import { growTree, randomFrom, referenceOf, seenIn, writeTree } from '../harness/tree.ts';

/** Places where the line is cut; more with ATELIER_COUPURES. */
const CUTS = setting('ATELIER_COUPURES', 5);

let sshd: Sshd;
let proxy: ProxyDePanne;
let workshop: Workshop;
let tree: string;
let random: () => number;

beforeAll(async () => {
  process.stdout.write(`coupures SFTP : ATELIER_GRAINE=${SEED}\n`);
  random = randomFrom(SEED);
  sshd = await startSshd();
  proxy = await ProxyDePanne.devant(sshd.port);
  workshop = await createWorkshop();
  tree = await mkdtemp(join(tmpdir(), 'atelier-distant-'));
});
afterAll(async () => {
  await workshop.close();
  await proxy.fermer();
  await sshd.stop();
  await rm(tree, { recursive: true, force: true });
});
beforeEach(async () => {
  proxy.remettreAZero();
  await rm(tree, { recursive: true, force: true });
  await writeTree(tree, 4, 300, SEED % 1000);
});

/** DEM12 is on the server behind the proxy, SU12 below LOGS_DIR. */
const settings = (own: Record<string, string> = {}): Record<string, string> =>
  sftpSettings(sshd, {
    path: join(tree, 'DEM12'),
    port: proxy.port,
    own: { LOGS_DIR: tree, SFTP_DELAI: '5', ...own },
  });

async function expectReference(): Promise<void> {
  expect(await workshop.state()).toEqual(referenceOf(await seenIn(tree)));
  await workshop.checkInvariants();
}

/** Length in bytes of the whole conversation of an import. */
async function conversation(): Promise<number> {
  await workshop.reset(settings());
  await importRemote(workshop);
  await expectReference();
  return proxy.versClient;
}

describe('a connection that breaks', () => {
  it('L1, O11: cut once, at any byte of the conversation: one import is enough', async () => {
    const total = await conversation();
    for (let i = 0; i < CUTS; i++) {
      const at = Math.floor(random() * total);
      await workshop.reset(settings());
      proxy.remettreAZero({
        get couperApres() {
          return proxy.connexions <= 1 ? at : Number.POSITIVE_INFINITY;
        },
      });
      const compteurs = await importRemote(workshop);
      expect({ at, illisibles: compteurs.fichiersIllisibles }).toEqual({ at, illisibles: 0 });
      // At the very end there may be nothing left to ask for.
      if (at < total * 0.9) expect(proxy.connexions).toBeGreaterThan(1);
      await expectReference();
    }
  }, 240_000);

  it('L5, F30: every connection cut at the same byte, growth meanwhile: nothing wrong, and all of it afterwards', async () => {
    const total = await conversation();
    for (let i = 0; i < Math.ceil(CUTS / 2); i++) {
      proxy.remettreAZero();
      await rm(tree, { recursive: true, force: true });
      await writeTree(tree, 4, 300, i);
      await workshop.reset(settings());
      proxy.panne = { couperApres: Math.floor(random() * total) };
      await importRemote(workshop);
      await growTree(tree, 20, i);
      await importRemote(workshop);
      proxy.remettreAZero();
      const compteurs = await importRemote(workshop);
      expect(compteurs.fichiersIllisibles).toBe(0);
      // Which of the older states were seen depends on the cut; all of them are beginnings of the last.
      await expectReference();
    }
  }, 240_000);

  it('O11: a line that brings a few bytes at a time, late: only slower', async () => {
    await workshop.reset(settings({ SFTP_DELAI: '60' }));
    proxy.panne = { tranche: 700, latence: 2 };
    await importRemote(workshop);
    await expectReference();
  });

  it('O11: a black hole in mid-file is left after the delay, and the rest fetched on another connection', async () => {
    const total = await conversation();
    await workshop.reset(settings({ SFTP_DELAI: '1' }));
    proxy.remettreAZero({ trouNoirApres: Math.floor(total * 0.6) });
    expect((await importRemote(workshop)).fichiersIllisibles).toBe(0);
    expect(proxy.connexions).toBeGreaterThan(1);
    await expectReference();
  });

  it('O11: a server that accepts and says nothing is left after the delay, and said of its centre', async () => {
    await workshop.reset(settings({ SFTP_DELAI: '1' }));
    proxy.remettreAZero({ trouNoirApres: 0 });
    expect((await importRemote(workshop)).fichiersIllisibles).toBe(1);
    const { rows } = await workshop.reader.query('SELECT etat FROM execution ORDER BY id');
    expect(rows).toEqual([{ etat: 'partielle' }]);
    const said = await workshop.reader.query(`SELECT erreur FROM fichier_log WHERE etat = 'erreur'`);
    expect(said.rows).toEqual([{ erreur: expect.stringMatching(/pas de réponse en 1 s \(ATL_L214\)/) }]);
    proxy.remettreAZero();
    await importRemote(workshop);
    await expectReference();
  });
});

describe('a server that is away', () => {
  it('F34: the other centres are imported, nothing is deleted, the run says so', async () => {
    await workshop.reset(settings());
    await importRemote(workshop);
    await growTree(tree, 30, 7);
    const before = (await workshop.state()).sessions.filter(({ centre }) => centre === 'DEM12');
    expect(before.length).toBeGreaterThan(0);
    proxy.panne = { arrete: true };
    const compteurs = await importRemote(workshop);
    expect(compteurs.fichiersIllisibles).toBe(1);
    expect(compteurs.sessionsSupprimees).toBe(0);
    const { sessions } = await workshop.state();
    expect(sessions.filter(({ centre }) => centre === 'DEM12')).toEqual(before);
    const local = referenceOf((await seenIn(tree)).filter(({ centre }) => centre === 'SU12'));
    expect(sessions.filter(({ centre }) => centre === 'SU12')).toEqual(local.sessions);
    const erreurs = `SELECT chemin FROM fichier_log WHERE etat = 'erreur'`;
    expect((await workshop.reader.query(erreurs)).rows).toEqual([{ chemin: 'DEM12' }]);
    proxy.remettreAZero();
    await importRemote(workshop);
    await expectReference();
    expect((await workshop.reader.query(erreurs)).rows).toEqual([]);
  });

  it('nobody listens on that port: said in words, with the number of the error', async () => {
    const port = await freePort();
    await workshop.reset({
      ...settings(),
      SFTP_CENTRES: `DEM12=sftp://${sshd.user}@127.0.0.1:${port}${join(tree, 'DEM12')}`,
    });
    await importRemote(workshop);
    const { rows } = await workshop.reader.query(
      `SELECT chemin, erreur FROM fichier_log WHERE etat = 'erreur'`,
    );
    expect(rows).toEqual([{ chemin: 'DEM12', erreur: expect.stringMatching(/connexion refusée.*ATL_L210/) }]);
  });

  it('F34: the folder is emptied or gone on the server: nothing is deleted', async () => {
    await workshop.reset(settings());
    await importRemote(workshop);
    const before = await workshop.state();
    await rm(join(tree, 'DEM12'), { recursive: true });
    await mkdir(join(tree, 'DEM12'));
    await importRemote(workshop);
    expect(await workshop.state()).toEqual(before);
    await rm(join(tree, 'DEM12'), { recursive: true });
    expect((await importRemote(workshop)).fichiersIllisibles).toBe(1);
    expect(await workshop.state()).toEqual(before);
  });

  it('LOGS_DIR is not there: remote centres are imported, those that should be local are named', async () => {
    await workshop.reset(
      settings({ LOGS_DIR: join(tree, 'absent'), CENTRES: 'DEM12=DEM12,PVC;SU12=SU12,HYBRIDE' }),
    );
    expect((await importRemote(workshop)).fichiersIllisibles).toBe(1);
    const { rows } = await workshop.reader.query(`SELECT chemin FROM fichier_log WHERE etat = 'erreur'`);
    expect(rows).toEqual([{ chemin: 'SU12' }]);
    await workshop.reset(settings({ LOGS_DIR: join(tree, 'absent'), CENTRES: 'DEM12=DEM12,PVC' }));
    expect((await importRemote(workshop)).fichiersIllisibles).toBe(0);
  });
});

it('a local folder of a remote centre is left aside, and said once', async () => {
  await workshop.reset(settings());
  // The one below LOGS_DIR holds something else than the one on the server.
  const other = join(tree, '..', `${tree.split('/').at(-1)}-local`);
  await mkdir(join(other, 'DEM12'), { recursive: true });
  await writeFile(join(other, 'DEM12', '20250601.LOG'), await readFile(join(tree, 'DEM12', '20250501.LOG')));
  await workshop.reset({ ...settings(), LOGS_DIR: other });
  const source = await openSource(workshop.context);
  const entrees = [];
  for await (const entree of source.list()) entrees.push(entree);
  await source.fermer();
  await rm(other, { recursive: true });
  expect(entrees.slice(0, 2)).toEqual([
    { kind: 'ecarte', chemin: 'DEM12', raison: expect.stringContaining('lu par SFTP'), erreur: false },
    { kind: 'dossier', dossier: 'DEM12' },
  ]);
  expect(entrees.filter(({ kind }) => kind === 'fichier').length).toBe(4);
});

it('the same tree, here and there: the same tables', async () => {
  await appendFile(join(tree, 'DEM12', '20250501.LOG'), 'sans fin');
  await workshop.reset({ LOGS_DIR: tree });
  await workshop.import();
  const local = await workshop.state();
  await workshop.reset(settings());
  await importRemote(workshop);
  expect(await workshop.state()).toEqual(local);
});
