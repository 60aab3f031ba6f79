// A hostile machine account on the SFTP drop that makes as much work as it can, while others work: thousands of names of every
// kind, deep folders, uploads that never end, holes, renames without end, connections that say nothing. Asserted is what the
// others see meanwhile: lines of their machines arrive, the API answers all, nobody's memory grows with it. Takes root.

import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Running } from '../harness/cli.ts';
import { type Depot, ouvrirDepot } from '../harness/depot.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write('tempête SFTP : essai passé, il faut root pour créer un compte\n');

const MIB = 1024 * 1024;
/** An export is a page of everything: whoever waits, waits for this long at most, on the slowest of machines. */
const DEADLINE = { timeout: 240_000, interval: 250 };
/** One is listed before the hostile centre, one after it. */
const OTHERS = ['AUTRE', 'ZAUTRE'] as const;

let depot: Depot;
let place: Awaited<ReturnType<typeof installerApi>>;
let api: Serveur;
let worker: Running;
let headers: Record<string, string>;

const folderOf = (centre: string): string => join(depot.dossier, '..', centre, 'depot');
/** pieces that each of the others has written so far */
let pieces = 0;
function othersGoOn(): void {
  pieces++;
  for (const centre of OTHERS)
    appendFileSync(
      join(folderOf(centre), '20250528.LOG'),
      `20250528 06:${String(pieces).padStart(2, '0')}:00|@StukUitgevoerd: P${pieces}\r\n`,
    );
}

/** What others see: each line that their machines wrote is a piece. */
async function arrived(): Promise<void> {
  await vi.waitUntil(async () => {
    const { rows } = await place.pool.query<{ nom: string; n: number }>(
      `SELECT c.nom, s.total_pieces AS n FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
        WHERE c.nom = ANY ($1) AND s.total_pieces = $2`,
      [OTHERS, pieces],
    );
    return rows.length === OTHERS.length;
  }, DEADLINE);
}

/** Memory that a process takes (bytes). */
function memoryOf({ process: { pid } }: Running): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** Asks the API like an honest reader until told to stop; statuses by number, and how long each answer took (ms). */
function reader(): { stop(): Promise<{ statuses: Set<number>; times: number[] }> } {
  let going = true;
  const statuses = new Set<number>();
  const times: number[] = [];
  const done = (async () => {
    while (going) {
      for (const path of ['/sessions/?limit=10', '/health/ready', '/fichiers/?limit=10']) {
        const start = performance.now();
        const answer = await fetch(api.url + path, { headers });
        await answer.arrayBuffer();
        statuses.add(answer.status);
        times.push(performance.now() - start);
      }
      await sleep(20);
    }
  })();
  return {
    async stop() {
      going = false;
      await done;
      return { statuses, times };
    },
  };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function signIn(): Promise<{ client: ssh2.Client; sftp: ssh2.SFTPWrapper }> {
  const client = new ssh2.Client();
  await new Promise<void>((done, fail) =>
    client
      .on('ready', done)
      .on('error', fail)
      .connect({
        ...{ host: '127.0.0.1', port: depot.port, username: depot.compte, readyTimeout: 120_000 },
        privateKey: readFileSync(join(depot.home, 'cle')),
      }),
  );
  const sftp = await new Promise<ssh2.SFTPWrapper>((done, fail) =>
    client.sftp((error, open) => (error ? fail(error) : done(open))),
  );
  return { client, sftp };
}

const open = (sftp: ssh2.SFTPWrapper, name: string): Promise<Buffer | undefined> =>
  new Promise((done) => sftp.open(name, 'w', (error, handle) => done(error ? undefined : handle)));
const write = (sftp: ssh2.SFTPWrapper, handle: Buffer, bytes: Buffer, at: number): Promise<boolean> =>
  new Promise((done) => sftp.write(handle, bytes, 0, bytes.length, at, (error) => done(!error)));
const close = (sftp: ssh2.SFTPWrapper, handle: Buffer): Promise<void> =>
  new Promise((done) => sftp.close(handle, () => done()));
const asked = (ask: (done: (error?: unknown) => void) => void): Promise<boolean> =>
  new Promise((done) => ask((error) => done(!error)));

async function put(sftp: ssh2.SFTPWrapper, name: string, text = ''): Promise<boolean> {
  const handle = await open(sftp, name);
  if (!handle) return false;
  if (text !== '') await write(sftp, handle, Buffer.from(text), 0);
  await close(sftp, handle);
  return true;
}

beforeAll(async () => {
  if (!ROOT) return;
  depot = await ouvrirDepot();
  const { gid } = statSync(join(depot.dossier, 'depot'));
  place = await installerApi();
  for (const centre of OTHERS) {
    mkdirSync(folderOf(centre), { recursive: true });
    chmodSync(join(folderOf(centre), '..'), 0o751);
    chownSync(folderOf(centre), 0, gid);
    writeFileSync(
      join(folderOf(centre), '20250528.LOG'),
      '20250528 06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016\r\n',
    );
  }
  const env = { ...place.apiEnv, LOGS_DIR: join(depot.dossier, '..'), METRICS_PORT: '0', CRON_LOGS: 'non' };
  api = await servir(place, env);
  await creerCompteHttp(api.url, 'lecteur');
  headers = await api.entete('lecteur');
  worker = place.start(['worker'], env);
  othersGoOn();
  await arrived();
}, 300_000);
afterAll(async () => {
  if (!ROOT) return;
  worker?.process.kill('SIGTERM');
  await worker?.ended;
  await api?.arreter();
  await place?.close();
  await depot?.close();
}, 120_000);

describe.skipIf(!ROOT)('a hostile machine account on SFTP, meanwhile', () => {
  /** Runs what it does; asserts what the others see before it ends and after. */
  async function storm(act: (sftp: ssh2.SFTPWrapper) => Promise<void>): Promise<void> {
    const calm = reader();
    await sleep(1500);
    const before = await calm.stop();
    const [workerBefore, apiBefore] = [memoryOf(worker), memoryOf(api.running)];
    const { client, sftp } = await signIn();
    client.on('error', () => undefined);
    const busy = reader();
    try {
      othersGoOn();
      await act(sftp);
      othersGoOn();
      await arrived();
    } finally {
      client.end();
    }
    const meanwhile = await busy.stop();
    expect([...meanwhile.statuses]).toEqual([200]);
    expect(meanwhile.times.length).toBeGreaterThan(3);
    // Of one in two answers: what the machine does besides weighs on single ones.
    expect(median(meanwhile.times) / Math.max(1, median(before.times))).toBeLessThan(60);
    expect((memoryOf(worker) - workerBefore) / MIB).toBeLessThan(300);
    expect((memoryOf(api.running) - apiBefore) / MIB).toBeLessThan(200);
    expect(worker.process.exitCode).toBeNull();
  }

  it('10,000 names, of 250 bytes, of control and direction marks, some with a line in them', async () => {
    await storm(async (sftp) => {
      const names = Array.from({ length: 10_000 }, (_, i) => {
        const kinds = [
          `${i}.LOG`,
          `\u202e${i}GOL.LOG`,
          `a\r\n${i}\u001b[2J.LOG`,
          `${'é'.repeat(120)}${i}.LOG`.slice(0, 128),
        ];
        return i % 50 === 0 ? kinds[(i / 50) % 4]! : `${i}.LOG`;
      });
      let made = 0;
      for (let i = 0; i < names.length; i += 200) {
        const lot = names.slice(i, i + 200);
        const done = await Promise.all(
          lot.map((name, j) =>
            put(sftp, name, (i + j) % 100 === 0 ? '20250528 07:00:00|@StukUitgevoerd: X\r\n' : ''),
          ),
        );
        made += done.filter(Boolean).length;
        if (i % 2000 === 0) othersGoOn();
      }
      expect(made).toBeGreaterThan(9_000);
    });
  }, 600_000);

  it('folders within folders, and a storm of renames', async () => {
    await storm(async (sftp) => {
      let path = '';
      for (let depth = 0; depth < 60; depth++) {
        path += `${path ? '/' : ''}d${depth}`;
        if (!(await asked((done) => sftp.mkdir(path, done)))) break;
        await put(sftp, `${path}/20250529.LOG`, '20250529 07:00:00|@StukUitgevoerd: X\r\n');
      }
      await put(sftp, 'a.LOG', '20250530 07:00:00|@StukUitgevoerd: X\r\n');
      for (let i = 0; i < 1500; i++) {
        const [from, to] = i % 2 ? ['20250530.LOG', 'a.LOG'] : ['a.LOG', '20250530.LOG'];
        await asked((done) => sftp.rename(from!, to!, done));
        if (i % 500 === 0) othersGoOn();
      }
    });
  }, 600_000);

  it('uploads that never end, holes of many megabytes, and connections that say nothing', async () => {
    const silent: Socket[] = [];
    try {
      await storm(async (sftp) => {
        for (let i = 0; i < 50; i++) {
          const socket = connect(depot.port, '127.0.0.1').on('error', () => undefined);
          silent.push(socket);
        }
        // Left open, each growing by half a line at a time.
        const held: Buffer[] = [];
        for (let i = 0; i < 50; i++) {
          const handle = await open(sftp, `2025060${i % 9}-${i}.LOG`);
          if (handle) held.push(handle);
        }
        expect(held.length).toBeGreaterThan(20);
        for (let round = 0; round < 20; round++) {
          for (const handle of held) await write(sftp, handle, Buffer.from('20250601 07:00:0'), round * 16);
          if (round % 7 === 0) othersGoOn();
        }
        for (let i = 0; i < 4; i++) {
          const handle = await open(sftp, `2025061${i}.LOG`);
          if (handle) await write(sftp, handle, Buffer.from('x'), 64 * MIB);
        }
      });
    } finally {
      for (const socket of silent) socket.destroy();
    }
  }, 600_000);

  it('and once it is quiet, everything of the others is whole, and a new reading of all finds the same', async () => {
    worker.process.kill('SIGTERM');
    const { code } = await worker.ended;
    expect(code).toBe(0);
    othersGoOn();
    const read = await place.run(['ingest'], {
      env: { ...place.apiEnv, LOGS_DIR: join(depot.dossier, '..') },
    });
    expect(read.code).toBeLessThanOrEqual(3);
    expect(read.stdout + read.stderr).not.toMatch(/[\u202e\u001b]/u);
    await arrived();
    const listed = await fetch(`${api.url}/sessions/?limit=1000`, { headers });
    expect(listed.status).toBe(200);
  }, 600_000);
});
