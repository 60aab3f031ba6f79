// A hostile machine account on the SFTP drop: it has the key of one centre, and the drop server as it is shipped. What it leaves
// there must not reach other centres, whoever reads the API, or atelier's own account. Takes root: it makes an account.

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY, type Finished } from '../harness/cli.ts';
import { type Depot, ouvrirDepot } from '../harness/depot.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write('machine hostile : essais passés, il faut root pour créer un compte\n');

const MIB = 1024 * 1024;
let depot: Depot;
let place: Awaited<ReturnType<typeof installerApi>>;
let api: Serveur;
let headers: Record<string, string>;
/** of the hostile machine, and of another centre */
let sien: string;
let autre: string;
/** the hostile machine's numbers */
let uid: number;
let gid: number;

/** One more day of the other centre. */
let jour = 0;
const SECRET = `piece-de-l-autre-${randomBytes(4).toString('hex')}`;
function lautreDepose(): void {
  jour++;
  const day = `202505${String(jour).padStart(2, '0')}`;
  writeFileSync(
    join(autre, `${day}.LOG`),
    DAY.replaceAll('20250528', day).replace('StukUitgevoerd: A', `StukUitgevoerd: ${SECRET}`),
  );
}
const ingest = async (): Promise<Finished> =>
  await place.run(['ingest'], { env: { ...place.apiEnv, LOGS_DIR: join(depot.dossier, '..') } });

/** What others see: all days of the other centre, and an API that answers. */
async function rienPourLesAutres(): Promise<void> {
  const days = (await (await fetch(`${api.url}/sessions/?limit=100`, { headers })).json()) as {
    centre_usinage?: string;
  }[];
  const { rows } = await place.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id WHERE c.nom = 'AUTRE'`,
  );
  expect([rows[0]!.n, days.length >= jour]).toEqual([jour, true]);
  expect((await fetch(`${api.url}/health/ready`)).status).toBe(200);
}

/** Writes by SFTP under names that `sftp -b` could not spell. */
async function ecrire(files: readonly (readonly [string, Buffer, number?])[]): Promise<string[]> {
  const client = new ssh2.Client();
  await new Promise<void>((done, fail) =>
    client
      .on('ready', done)
      .on('error', fail)
      .connect({
        ...{ host: '127.0.0.1', port: depot.port, username: depot.compte },
        privateKey: readFileSync(join(depot.home, 'cle')),
      }),
  );
  const sftp = await new Promise<ssh2.SFTPWrapper>((done, fail) =>
    client.sftp((error, open) => (error ? fail(error) : done(open))),
  );
  const said: string[] = [];
  for (const [name, bytes, at = 0] of files)
    said.push(
      await new Promise<string>((done) =>
        sftp.open(name, 'w', (error, handle) => {
          if (error) return done(error.message);
          sftp.write(handle, bytes, 0, bytes.length, at, (wrong) =>
            sftp.close(handle, () => done(wrong ? wrong.message : 'écrit')),
          );
        }),
      ),
    );
  client.end();
  return said;
}

beforeAll(async () => {
  if (!ROOT) return;
  depot = await ouvrirDepot();
  sien = join(depot.dossier, 'depot');
  ({ uid, gid } = statSync(sien));
  autre = join(depot.dossier, '../AUTRE/depot');
  mkdirSync(autre, { recursive: true });
  chmodSync(join(autre, '..'), 0o751);
  chownSync(autre, 0, gid);
  chmodSync(autre, 0o2750);
  place = await installerApi();
  api = await servir(place);
  await creerCompteHttp(api.url, 'lecteur');
  headers = await api.entete('lecteur');
}, 240_000);
afterAll(async () => {
  if (!ROOT) return;
  await api.arreter();
  await place.close();
  await depot.close();
}, 120_000);

describe.skipIf(!ROOT)('a hostile machine account on SFTP', () => {
  it('gets neither out of its folder nor into another, by path or by link', async () => {
    lautreDepose();
    for (const order of [
      'ls /../AUTRE/depot',
      'cd /../../AUTRE',
      `get /../AUTRE/depot/20250501.LOG ${depot.home}/vol`,
      'get /etc/passwd',
      `get ${autre}/20250501.LOG ${depot.home}/vol`,
      'ln -s ../../AUTRE/depot a.LOG',
      'ln -s /etc/passwd b.LOG',
      'put /etc/hostname ../hors',
      'mkdir /hors',
      'chmod 777 /',
    ])
      expect([order, depot.sftp(order).status]).not.toEqual([order, 0]);
    expect(readdirSync(depot.home)).not.toContain('vol');
    // Links that came there some other way are not followed: what they lead to is not the machine's.
    symlinkSync(join(autre, '20250501.LOG'), join(sien, '20250501.LOG'));
    symlinkSync(autre, join(sien, 'dossier'));
    symlinkSync('/proc/self/environ', join(sien, 'environ.LOG'));
    expect((await ingest()).code).toBeLessThanOrEqual(3);
    await rienPourLesAutres();
    const { rows } = await place.pool.query<{ nom: string }>(
      `SELECT DISTINCT c.nom FROM piece_production p JOIN centre_usinage c ON c.id = p.centre_usinage_id WHERE p::text LIKE $1`,
      [`%${SECRET}%`],
    );
    expect(rows).toEqual([{ nom: 'AUTRE' }]);
  }, 180_000);

  it('hostile names are shown harmless, and name nothing but its own files', async () => {
    lautreDepose();
    const bytes = Buffer.from(DAY.replaceAll('20250528', '20250410'));
    const names = [
      'GOL.\u202e0140520.LOG',
      'a\nERROR tout est perdu.LOG',
      '\u001b[2J\u001b]0;x\u0007.LOG',
      '$(touch vol).LOG',
      "'; DROP TABLE centre_usinage; --.LOG",
      '..\\..\\AUTRE\\20250501.LOG',
      '<script>alert(1)</script>.LOG',
      '=cmd|x!A1.LOG',
    ];
    await ecrire(names.map((name) => [name, bytes] as const));
    // Not UTF-8: no client of ours can spell it.
    writeFileSync(
      Buffer.concat([Buffer.from(`${sien}/f`), Buffer.from([0xff, 0xfe]), Buffer.from('.LOG')]),
      bytes,
    );
    await ecrire([['../../AUTRE/depot/20250402.LOG', bytes]]);
    expect([readdirSync(autre).length, readdirSync(autre).includes('20250402.LOG')]).toEqual([jour, false]);
    const { code, stdout, stderr } = await ingest();
    expect(code).toBeLessThanOrEqual(3);
    expect(stdout + stderr).not.toMatch(/[\u202e\u001b\u0007]|^ERROR/mu);
    await rienPourLesAutres();
    const text = await (await fetch(`${api.url}/fichiers/?limit=100`, { headers })).text();
    expect(text).not.toMatch(/[\u001b\u0007]/);
    const listed = await place.run(['fichiers'], { env: place.apiEnv });
    expect(listed.stdout).not.toMatch(/[\u202e\u001b\u0007]|^ERROR/mu);
  }, 180_000);

  it('pipes, devices, sockets, holes and bombs hold nobody up', async () => {
    lautreDepose();
    execFileSync('mkfifo', [join(sien, '20250411.LOG')]);
    spawnSync('mknod', [join(sien, '20250412.LOG'), 'c', '1', '5']);
    mkdirSync(join(sien, '20250413.LOG'));
    writeFileSync(join(sien, '20250414.LOG'), '');
    truncateSync(join(sien, '20250414.LOG'), 48 * MIB);
    writeFileSync(join(sien, '20250415.LOG.gz'), gzipSync(Buffer.alloc(64 * MIB)));
    writeFileSync(join(sien, '20250416.LOG'), gzipSync(Buffer.alloc(64 * MIB)));
    for (const name of readdirSync(sien))
      if (statSync(join(sien, name), { throwIfNoEntry: false }))
        spawnSync('chown', ['-h', `${uid}:${gid}`, join(sien, name)]);
    expect((await ingest()).code).toBeLessThanOrEqual(3);
    await rienPourLesAutres();
  }, 240_000);

  it('thousands of tiny names pass its quota: it is shut out, the other centre goes on', async () => {
    const many = join(sien, 'beaucoup');
    mkdirSync(many);
    for (let n = 0; n < 3000; n++) writeFileSync(join(many, `${n}.LOG`), '');
    spawnSync('chown', ['-hR', `${uid}:${gid}`, many]);
    spawnSync('chmod', ['-R', 'g+rX', many]);
    lautreDepose();
    const look = depot.script('surveiller-depots.sh', ['--une-fois'], { QUOTA_FICHIERS: '2000' });
    expect(look.text).toMatch(/FERMÉ/);
    expect(depot.sftp('put /etc/hostname encore.LOG').status).not.toBe(0);
    expect((await ingest()).code).toBeLessThanOrEqual(3);
    await rienPourLesAutres();
  }, 300_000);
});
