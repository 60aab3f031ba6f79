// Following a centre whose folder is on a server: lines come by themselves, and a slow server keeps nobody waiting.

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Installation, install, type Running } from '../harness/cli.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { sftpSettings } from '../harness/sftp.ts';
import { type Sshd, startSshd } from '../harness/sshd.ts';

/** The promise is 2 seconds; the rest is for machines that do other things at the same time. */
const SOON = 20_000;

let sshd: Sshd;
let proxy: ProxyDePanne;
let place: Installation;
let remote: string;
let running: Running | undefined;

beforeAll(async () => {
  sshd = await startSshd();
  proxy = await ProxyDePanne.devant(sshd.port);
});
afterAll(async () => {
  await proxy.fermer();
  await sshd.stop();
});
beforeEach(async () => {
  proxy.remettreAZero();
  place = await install();
  remote = mkdtempSync(join(tmpdir(), 'atelier-suivi-'));
  mkdirSync(join(remote, 'DEM12'));
});
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.ended;
  await place.close();
  rmSync(remote, { recursive: true });
});

async function until(what: string, check: () => unknown, limit = SOON): Promise<void> {
  const end = Date.now() + limit;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`pas en ${limit} ms : ${what}\n${running?.text()}`);
    await sleep(50);
  }
}

async function expectPieces(centre: string, count: number): Promise<void> {
  const sql = `SELECT count(*)::int AS n FROM piece_production p JOIN centre_usinage c ON c.id = p.centre_usinage_id
                WHERE c.nom = $1`;
  await until(
    `${count} pièces de ${centre}`,
    async () => (await place.pool.query<{ n: number }>(sql, [centre])).rows[0]!.n === count,
  );
}

const PIECE = (second: number): string =>
  `20250528 06:00:${String(second).padStart(2, '0')}|@StukUitgevoerd: ${second}\r\n`;
const file = (): string => join(remote, 'DEM12', '20250528.LOG');
const follow = (): Running =>
  place.start(['ingest', '--watch', '--json'], {
    ...sftpSettings(sshd, { path: join(remote, 'DEM12'), port: proxy.port, own: { SFTP_DELAI: '2' } }),
  });

it('F27, F28: lines of a remote file come by themselves, by range; it stops by SIGTERM', async () => {
  writeFileSync(file(), PIECE(0) + '20250528 05:00:00|@Zaagcyclus: 1\r\n'.repeat(20_000));
  running = follow();
  await expectPieces('DEM12', 1);
  const before = proxy.versClient;
  for (let i = 1; i <= 3; i++) {
    appendFileSync(file(), PIECE(i));
    await expectPieces('DEM12', i + 1);
  }
  // The file is 700 kB; listings and windows are all that came since.
  expect(proxy.versClient - before).toBeLessThan(500_000);
  running.process.kill('SIGTERM');
  expect((await running.ended).code).toBe(0);
});

it('F34, O11: the server falls silent: the other centres go on; it comes back: nothing is missing', async () => {
  writeFileSync(file(), PIECE(0));
  await place.write('SU12/20250528.LOG', PIECE(0));
  running = follow();
  await expectPieces('DEM12', 1);
  await expectPieces('SU12', 1);
  proxy.panne = { trouNoirApres: 0 };
  appendFileSync(file(), PIECE(1));
  for (let i = 1; i <= 3; i++) {
    appendFileSync(join(place.logs, 'SU12/20250528.LOG'), PIECE(i));
    await expectPieces('SU12', i + 1);
  }
  await until('panne dite', () => running!.text().includes('dossier distant injoignable'), 60_000);
  proxy.remettreAZero();
  proxy.toutCouper();
  await until('retour dit', () => running!.text().includes('dossier distant de nouveau lu'), 60_000);
  await expectPieces('DEM12', 2);
}, 180_000);
