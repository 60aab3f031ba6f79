// S27: a machine that overflows is shut out of its drop folder, and the disk of all others stays free. With the drop server
// as it is shipped; it makes a system account for the time of the test, which takes root.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dansConteneurSftp } from '../harness/capacites.ts';
import { DEPLOY_SFTP, type Depot, ouvrirDepot } from '../harness/depot.ts';

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write('S27 : essais des quotas SFTP passés, il faut root pour créer un compte\n');

const MIB = 1024 * 1024;
/** Limits small enough to be passed in a test. */
const LIMITS = { QUOTA_OCTETS: String(4 * MIB), QUOTA_FICHIERS: '20' };

describe.skipIf(!ROOT)('quotas of the drop server (needs root: it makes an account)', () => {
  let depot: Depot;
  let source: string;
  beforeAll(async () => {
    depot = await ouvrirDepot();
    source = join(depot.home, 'a.LOG');
    writeFileSync(source, Buffer.alloc(3 * MIB, 'x'));
  });
  afterAll(() => depot?.close());
  beforeEach(() => {
    chmodSync(depot.dossier, 0o751);
    for (const name of readdirSync(inside())) rmSync(inside(name), { recursive: true });
  });

  const look = (env: Readonly<Record<string, string>> = LIMITS) =>
    depot.script('surveiller-depots.sh', ['--une-fois'], env);
  const mode = (): number => statSync(depot.dossier).mode & 0o777;
  const inside = (...names: string[]): string => join(depot.dossier, 'depot', ...names);

  it('S27: beyond its quota a folder is closed to its machine alone, and opens again once there is room', () => {
    expect(depot.sftp(`put ${source} a.LOG`).status).toBe(0);
    expect([look(), mode()]).toEqual([{ status: 0, text: '' }, 0o751]);
    expect(depot.sftp(`put ${source} b.LOG`).status).toBe(0);
    expect(look()).toEqual({ status: 0, text: expect.stringMatching(/ESSAI-\w+ FERMÉ : 6\d{6} octets/) });
    expect(mode()).toBe(0o750);
    for (const order of [`put ${source} c.LOG`, `put ${source} /depot/a.LOG`, 'rm a.LOG', 'ls /depot'])
      expect([order, depot.sftp(order).status]).not.toEqual([order, 0]);
    // It is said once, nothing is lost, and whoever reads for atelier still does.
    expect(look()).toEqual({ status: 0, text: '' });
    const { gid } = statSync(depot.dossier);
    const read = [
      '--reuid',
      '40001',
      '--regid',
      String(gid),
      '--clear-groups',
      'cmp',
      source,
      inside('b.LOG'),
    ];
    expect(spawnSync('setpriv', read).status).toBe(0);
    // A little less is not enough: it would close again at once.
    truncateSync(inside('b.LOG'), 900 * 1024);
    expect([look().text, mode()]).toEqual(['', 0o750]);
    rmSync(inside('b.LOG'));
    expect(look().text).toMatch(/rouvert/);
    expect(depot.sftp(`put ${source} b.LOG`).status).toBe(0);
  });

  it('S27: too many small things close it too; what ajouter-centre did not open is left alone', () => {
    mkdirSync(join(depot.dossier, '../AUTRE/depot'), { recursive: true });
    const other = statSync(join(depot.dossier, '../AUTRE')).mode;
    for (let n = 0; n < 30; n++) writeFileSync(join(depot.dossier, '../AUTRE/depot', String(n)), '');
    expect(depot.sftp(...Array.from({ length: 25 }, (_, n) => `mkdir d${n}`)).status).toBe(0);
    expect(look().text).toMatch(/FERMÉ : \d+ octets, 26 fichiers/);
    expect([mode(), statSync(join(depot.dossier, '../AUTRE')).mode]).toEqual([0o750, other]);
    for (let n = 0; n < 25; n++) rmSync(inside(`d${n}`), { recursive: true });
    expect(look().text).toMatch(/rouvert/);
  });

  it('S27: a connection that was open before does not go on writing', async () => {
    const client = new ssh2.Client();
    client.connect({
      ...{ host: '127.0.0.1', port: depot.port, username: depot.compte },
      privateKey: readFileSync(join(depot.home, 'cle')),
    });
    await once(client, 'ready');
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    const sftp = await new Promise<ssh2.SFTPWrapper>((resolve, reject) =>
      client.sftp((error, value) => (error ? reject(error) : resolve(value))),
    );
    const stream = sftp.createWriteStream('/depot/b.LOG');
    stream.on('error', () => undefined);
    await new Promise<void>((resolve) => void stream.write(Buffer.alloc(5 * MIB), () => resolve()));
    expect(look().text).toMatch(/FERMÉ/);
    await closed;
    const { size } = statSync(inside('b.LOG'));
    rmSync(inside('b.LOG'));
    expect(size).toBeGreaterThanOrEqual(5 * MIB);
    expect(look().text).toMatch(/rouvert/);
  });

  it('S27: left running it looks again and again; the kernel ends whoever writes a file without end', async () => {
    const words = [...dansConteneurSftp(), join(DEPLOY_SFTP, 'surveiller-depots.sh')];
    const watch = spawn(words[0]!, words.slice(1), {
      env: { ...process.env, ...LIMITS, CADENCE: '1', DEPOTS: join(depot.dossier, '..') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      writeFileSync(inside('b.LOG'), Buffer.alloc(5 * MIB));
      await once(watch.stderr, 'data');
      expect(mode()).toBe(0o750);
      rmSync(inside('b.LOG'));
      await once(watch.stderr, 'data');
      expect(mode()).toBe(0o751);
    } finally {
      watch.kill('SIGKILL');
    }
    // As LimitFSIZE and ulimits do for every process of the server.
    expect(spawnSync('prlimit', ['--pid', String(depot.pid), `--fsize=${MIB}:`]).status).toBe(0);
    expect(depot.sftp(`put ${source} b.LOG`).status).not.toBe(0);
    expect(statSync(inside('b.LOG')).size).toBeLessThanOrEqual(MIB);
    expect(spawnSync('prlimit', ['--pid', String(depot.pid), '--fsize=unlimited:']).status).toBe(0);
    expect(depot.sftp(`put ${source} b.LOG`).status).toBe(0);
  });

  it('limits that are no numbers are refused, not taken for none', () => {
    for (const bad of ['2G', '', '0', '-1', 'x'].flatMap((value) => [
      { ...LIMITS, QUOTA_OCTETS: value },
      { ...LIMITS, QUOTA_FICHIERS: value },
    ])) {
      // What is empty is not set.
      const set = bad.QUOTA_OCTETS !== '' && bad.QUOTA_FICHIERS !== '';
      expect([bad, look(bad).status]).toEqual([bad, set ? 2 : 0]);
    }
  });
});

it('S27: container and unit start the watch, and bound a file alike', () => {
  const read = (path: string): string => readFileSync(join(DEPLOY_SFTP, path), 'utf8');
  const { services } = parse(read('../../docker-compose.yaml'), { merge: true }) as {
    services: {
      sftp: { ulimits: { fsize: number }; cap_add: string[]; environment: Record<string, string> };
    };
  };
  expect(services.sftp.ulimits.fsize).toBe(1024 * MIB);
  expect(read('atelier-sftp.service')).toMatch(/^LimitFSIZE=1G$/m);
  expect(services.sftp.cap_add).toEqual(expect.arrayContaining(['KILL', 'DAC_OVERRIDE', 'FSETID']));
  expect(services.sftp.environment).toMatchObject({
    QUOTA_OCTETS: `\${SFTP_QUOTA_OCTETS:-${/^QUOTA_OCTETS=.*:-(\d+)/m.exec(read('surveiller-depots.sh'))![1]}}`,
    QUOTA_FICHIERS: `\${SFTP_QUOTA_FICHIERS:-${/^QUOTA_FICHIERS=.*:-(\d+)/m.exec(read('surveiller-depots.sh'))![1]}}`,
  });
  expect(read('Dockerfile')).toContain('surveiller-depots.sh /usr/local/sbin/surveiller-depots');
  expect(read('entrypoint.sh')).toMatch(/surveiller-depots \|\| true[\s\S]*\) &\nexec \/usr\/sbin\/sshd/);
  expect(read('atelier-sftp-quotas.service')).toMatch(/^ExecStart=\/usr\/local\/sbin\/surveiller-depots$/m);
  const folder = mkdtempSync(join(tmpdir(), 'atelier-unites-'));
  try {
    const units = ['atelier-sftp.service', 'atelier-sftp-quotas.service'].map((name) => {
      const here = read(name).replaceAll(/\/usr\/(local\/)?sbin\/(sshd|surveiller-depots)/g, '/bin/true');
      writeFileSync(join(folder, name), here);
      return join(folder, name);
    });
    const done = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' });
    expect([done.status, done.stdout + done.stderr]).toEqual([0, '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
