// S27: the drop server as it is shipped (deploy/sftp): its configuration, with other paths, and its scripts as they are.
// It makes two system accounts for the time of the test; that takes root.

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAPACITES_SFTP, dansConteneurSftp } from '../harness/capacites.ts';
import { findProgram, freePort, launchSshd, makeKey, publicKey } from '../harness/sshd.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy/sftp');
const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write('S27 : essais du dépôt SFTP passés, il faut root pour créer des comptes\n');

/** Names that no machine has; an account is the name in lower case. */
const MARK = randomBytes(3).toString('hex');
const [A, B] = [`ESSAI-A${MARK}`, `ESSAI-B${MARK}`] as [string, string];
const account = (name: string): string => name.toLowerCase();
const GROUPS = { GROUPE_DEPOTS: `essai-d${MARK}`, GROUPE_LECTURE: `essai-l${MARK}` };

let home: string;
let port: number;
let server: Awaited<ReturnType<typeof launchSshd>>;
let env: Record<string, string>;

function script(name: string, ...args: string[]): { status: number | null; text: string } {
  const words = [...dansConteneurSftp(), join(DEPLOY, name), ...args];
  const { status, stdout, stderr } = spawnSync(words[0]!, words.slice(1), { env, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

/** Runs `sftp -b` as a machine would. */
function sftp(
  name: string,
  lines: string[],
  options: { key?: string; args?: string[] } = {},
): { status: number | null; text: string } {
  const batch = join(home, `ordres-${randomBytes(4).toString('hex')}`);
  writeFileSync(batch, `${lines.join('\n')}\n`);
  const args = [
    ...sshOptions(options.key ?? keyOf(name)),
    ...(options.args ?? []),
    '-P',
    String(port),
    '-b',
    batch,
    `${account(name)}@127.0.0.1`,
  ];
  const { status, stdout, stderr } = spawnSync('sftp', args, { encoding: 'utf8', timeout: 30_000 });
  return { status, text: stdout + stderr };
}

function ssh(name: string, args: string[], rest: string[] = []): { status: number | null; text: string } {
  const all = [
    ...sshOptions(keyOf(name)),
    '-p',
    String(port),
    ...args,
    `${account(name)}@127.0.0.1`,
    ...rest,
  ];
  const { status, stdout, stderr } = spawnSync('ssh', all, {
    encoding: 'utf8',
    timeout: 30_000,
    input: 'id\nexit\n',
  });
  return { status, text: stdout + stderr };
}

const keyOf = (name: string): string => join(home, `cle-${name}`);

function sshOptions(key: string): string[] {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${join(home, 'connus')}`,
    'StrictHostKeyChecking=yes',
  ];
  return ['-F', '/dev/null', '-i', key, ...options.flatMap((option) => ['-o', option])];
}

const depot = (name: string): string => join(env['DEPOTS']!, name, 'depot');

describe.skipIf(!ROOT)('the drop server (needs root: it makes accounts)', () => {
  beforeAll(async () => {
    // Not below /tmp: sshd wants every parent to be of root, and writable by nobody else.
    home = mkdtempSync('/var/lib/atelier-essai-');
    chmodSync(home, 0o755);
    for (const folder of ['hote', 'machines', 'depots']) mkdirSync(join(home, folder));
    env = {
      PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
      DEPOTS: join(home, 'depots'),
      MACHINES: join(home, 'machines'),
      GID_LECTURE: String(40_000 + Math.floor(Math.random() * 10_000)),
      ...GROUPS,
    };
    for (const name of [A, B]) {
      makeKey(keyOf(name));
      const made = script('ajouter-centre.sh', name, `${keyOf(name)}.pub`);
      expect(made).toMatchObject({ status: 0 });
    }
    const hote = (type: string): string => join(home, 'hote', `ssh_host_${type}_key`);
    for (const type of ['ed25519', 'rsa']) makeKey(hote(type), { type });
    port = await freePort();
    const shipped = readFileSync(join(DEPLOY, 'sshd_config'), 'utf8')
      .replaceAll('/etc/ssh/atelier', home)
      .replace('AllowGroups atelier-depots', `AllowGroups ${GROUPS.GROUPE_DEPOTS}`)
      .replace(/^(Port|PidFile|AddressFamily) .*$/gm, '');
    expect(shipped).not.toContain('/etc/ssh');
    server = await launchSshd(shipped.split('\n'), { home, port, before: dansConteneurSftp() });
    writeFileSync(join(home, 'connus'), `[127.0.0.1]:${port} ${publicKey(hote('ed25519'))}\n`);
  });
  afterAll(async () => {
    await server?.stop();
    for (const name of [A, B]) spawnSync('userdel', [account(name)], { env });
    for (const group of Object.values(GROUPS)) spawnSync('groupdel', [group], { env });
    rmSync(home, { recursive: true, force: true });
  });

  it('a machine drops a file where a session starts; the group of atelier reads it, nobody else', () => {
    const file = join(home, '20250528.LOG');
    writeFileSync(file, 'ligne\n');
    const { status, text } = sftp(A, [
      'pwd',
      `put ${file}`,
      'ls -l',
      `put ${file} x.LOG.filepart`,
      'rename x.LOG.filepart x.LOG',
    ]);
    expect({ status, text }).toMatchObject({ status: 0 });
    expect(text).toContain('Remote working directory: /depot');
    const stats = statSync(join(depot(A), '20250528.LOG'));
    expect(stats.mode & 0o777).toBe(0o640);
    expect(stats.gid).toBe(Number(env['GID_LECTURE']));
    const uid = statSync(depot(A)).uid;
    const read = (...who: string[]): number | null =>
      spawnSync('setpriv', [...who, '--clear-groups', 'cat', join(depot(A), '20250528.LOG')]).status;
    expect(read('--reuid', '40001', '--regid', env['GID_LECTURE']!)).toBe(0);
    expect(read('--reuid', '40001', '--regid', '40001')).not.toBe(0);
    // The other centre's account, even if it were not locked in.
    const other = statSync(depot(B)).uid;
    expect(other).not.toBe(uid);
    expect(read('--reuid', String(other), '--regid', String(other))).not.toBe(0);
  });

  it('the capabilities of its container are enough for the group to read what is dropped, and not one less', () => {
    const opened = (name: string, capacites: readonly string[]): string => {
      const words = [
        ...dansConteneurSftp(capacites),
        join(DEPLOY, 'ajouter-centre.sh'),
        name,
        `${keyOf(A)}.pub`,
      ];
      const done = spawnSync(words[0]!, words.slice(1), { env, encoding: 'utf8' });
      expect([name, done.status, done.stderr]).toEqual([name, 0, '']);
      const mode = (statSync(depot(name)).mode & 0o7777).toString(8);
      expect(script('retirer-centre.sh', name).status).toBe(0);
      return mode;
    };
    // Without it the folder loses its setgid bit: what a machine drops would be of the machine's own group.
    const without = CAPACITES_SFTP.filter((name) => name !== 'FSETID');
    expect(opened(`ESSAI-X${MARK}`, without)).toBe('750');
    expect(opened(`ESSAI-Y${MARK}`, CAPACITES_SFTP)).toBe('2750');
  });

  it('its health check needs no connection, so it leaves no line in the log and nothing that sshd would punish', () => {
    const sante = (more: Record<string, string> = {}): { status: number | null; text: string } => {
      const settings = { ...env, PID_SSHD: join(home, 'pid'), PORT: String(port), ...more };
      const { status, stdout, stderr } = spawnSync(join(DEPLOY, 'sante.sh'), [], {
        env: settings,
        encoding: 'utf8',
      });
      return { status, text: stdout + stderr };
    };
    const before = server.log();
    expect(sante()).toEqual({ status: 0, text: '' });
    expect(server.log()).toBe(before);
    expect(sante({ PORT: '1' })).toMatchObject({ status: 1, text: expect.stringContaining('port 1') });
    expect(sante({ PID_SSHD: join(home, 'aucun') })).toMatchObject({ status: 1 });
    const pid = Number(readFileSync(join(home, 'pid'), 'utf8'));
    process.kill(pid, 'SIGSTOP');
    try {
      expect(sante()).toMatchObject({ status: 1, text: expect.stringContaining('ne tourne pas') });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('S27: whoever opens connections and says nothing takes none from the others', async () => {
    const mute = Array.from({ length: 30 }, () =>
      connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' }),
    );
    for (const socket of mute) socket.on('error', () => undefined);
    try {
      const heard = await Promise.all(
        mute.map((socket) =>
          Promise.race([once(socket, 'data').then(String), once(socket, 'close').then(() => '')]),
        ),
      );
      const served = heard.filter((text) => text.startsWith('SSH-'));
      expect(served.length).toBeGreaterThan(0);
      expect(served.length).toBeLessThanOrEqual(10);
      expect(sftp(A, ['pwd'])).toMatchObject({ status: 0 });
    } finally {
      for (const socket of mute) socket.destroy();
    }
  });

  it('S27: locked into its folder: nothing above, nothing of others, nothing beside the drop folder', () => {
    writeFileSync(join(depot(B), 'secret.LOG'), 'de B');
    expect(sftp(A, ['pwd']), server.log()).toMatchObject({ status: 0 });
    const file = join(home, 'intrus.LOG');
    writeFileSync(file, 'intrus');
    const refused = [
      'get /etc/passwd',
      `get ${join(depot(B), 'secret.LOG')}`,
      `get ../../${B}/depot/secret.LOG`,
      `put ${file} /intrus.LOG`,
      'mkdir /autre',
      `put ${file} ../../intrus.LOG`,
      'rmdir /depot',
      'chmod 777 /',
      'chown 0 /depot',
      'symlink /etc/passwd lien.LOG',
      `ln ${'20250528.LOG'} dur.LOG`,
    ];
    for (const order of refused) {
      const { status, text } = sftp(A, [`lcd ${home}`, order]);
      expect({ order, status, text }).not.toMatchObject({ status: 0 });
    }
    expect(sftp(A, ['cd /', 'ls -1a']).text).not.toMatch(new RegExp(B));
    expect(existsSync(join(env['DEPOTS']!, 'intrus.LOG'))).toBe(false);
    // Its own folder is all that the root shows.
    expect(sftp(A, ['cd /', 'ls -1']).text).not.toMatch(/etc|home|usr/);
  });

  it('S27: no shell, no command, no terminal, whatever is asked for', () => {
    for (const rest of [['id'], ['sh', '-c', 'id'], ['scp', '-t', '/depot']]) {
      const { status, text } = ssh(A, [], rest);
      expect(text).not.toContain('uid=');
      expect(status).not.toBe(0);
    }
    const shell = ssh(A, ['-tt']);
    expect(shell.text).not.toMatch(/uid=|\$ $/);
    expect(shell.text).toMatch(/PTY allocation request failed|This service allows sftp connections only/);
  });

  it('S27: no forwarding of any kind', async () => {
    const client = new ssh2.Client();
    await new Promise<void>((resolve, reject) => {
      client.on('ready', resolve).on('error', reject);
      client.connect({ host: '127.0.0.1', port, username: account(A), privateKey: readFileSync(keyOf(A)) });
    });
    const asked = <T>(
      ask: (done: (error: Error | undefined, value?: T) => void) => unknown,
    ): Promise<string> =>
      new Promise((resolve) => void ask((error) => resolve(error ? 'refusé' : 'accordé')));
    try {
      expect(await asked((done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', port, done))).toBe(
        'refusé',
      );
      expect(
        await asked((done) => client.forwardIn('127.0.0.1', 0, (error) => done(error ?? undefined))),
      ).toBe('refusé');
      expect(await asked((done) => client.openssh_forwardOutStreamLocal('/run/x', done))).toBe('refusé');
      expect(
        await asked((done) =>
          client.openssh_forwardInStreamLocal('/depot/x', (error) => done(error ?? undefined)),
        ),
      ).toBe('refusé');
      expect(await asked((done) => client.shell({ term: 'xterm' }, done))).toBe('refusé');
      expect(await asked((done) => client.exec('true', { x11: true }, done))).toBe('refusé');
    } finally {
      client.end();
    }
  });

  it('S27: keys only: no password is asked for, no other key, no other account, no key of its own making', () => {
    const why = spawnSync(
      'ssh',
      [
        '-F',
        '/dev/null',
        '-o',
        'BatchMode=no',
        '-o',
        'PubkeyAuthentication=no',
        '-o',
        'PreferredAuthentications=password,keyboard-interactive',
        '-o',
        `UserKnownHostsFile=${join(home, 'connus')}`,
        '-p',
        String(port),
        `${account(A)}@127.0.0.1`,
      ],
      { encoding: 'utf8', timeout: 30_000, input: '', stdio: ['pipe', 'pipe', 'pipe'] },
    );
    expect(why.stderr).toContain('Permission denied (publickey)');
    expect(sftp(A, ['pwd'], { key: keyOf(B) }).status).not.toBe(0);
    const root = spawnSync(
      'sftp',
      [...sshOptions(keyOf(A)), '-P', String(port), '-b', '/dev/null', 'root@127.0.0.1'],
      { encoding: 'utf8' },
    );
    expect(root.stderr).toContain('Permission denied');
    const own = makeKey(join(home, 'fabriquee'));
    const orders = ['mkdir .ssh', `put ${own}.pub .ssh/authorized_keys`, 'chmod 600 .ssh/authorized_keys'];
    expect(sftp(A, orders).status).toBe(0);
    expect(sftp(A, ['pwd'], { key: own }).status).not.toBe(0);
  });

  it('nothing old: weak algorithms are refused', () => {
    for (const args of [
      ['-o', 'KexAlgorithms=diffie-hellman-group14-sha1'],
      ['-o', 'Ciphers=aes128-cbc'],
      ['-o', 'Ciphers=aes256-ctr', '-o', 'MACs=hmac-sha1'],
      ['-o', 'HostKeyAlgorithms=ssh-rsa'],
    ]) {
      const { status, text } = sftp(A, ['pwd'], { args });
      expect({ args, status }).not.toMatchObject({ status: 0 });
      expect(text).toMatch(/no matching|Unable to negotiate|host key/i);
    }
  });

  it('the scripts: run again, another key, refusals, closing', () => {
    const other = makeKey(join(home, 'autre'));
    const uid = statSync(depot(A)).uid;
    expect(script('ajouter-centre.sh', A, `${other}.pub`).status).toBe(0);
    expect(sftp(A, ['pwd']).status).not.toBe(0);
    expect(sftp(A, ['pwd'], { key: other }).status).toBe(0);
    expect(script('ajouter-centre.sh', A, `${keyOf(A)}.pub`).status).toBe(0);
    const bad = join(home, 'mauvaise.pub');
    writeFileSync(bad, 'command="sh" ssh-ed25519 AAAA\n');
    for (const [name, key, why] of [
      ['root', `${keyOf(A)}.pub`, "n'est pas celui d'un centre"],
      ['../x', `${keyOf(A)}.pub`, 'commence par une lettre'],
      ['a b', `${keyOf(A)}.pub`, 'lettres sans accent'],
      ['Z', keyOf(A), 'clé privée'],
      ['Z', bad, "n'est pas une clé publique"],
      [account(A), `${keyOf(A)}.pub`, 'est déjà celui de'],
    ] as const) {
      const { status, text } = script('ajouter-centre.sh', name, key);
      expect({ name, status }).toEqual({ name, status: 1 });
      expect(text).toContain(why);
    }
    // Closed, its files stay; opened again (a container made anew), they are still its own.
    expect(script('retirer-centre.sh', B).status).toBe(0);
    expect(sftp(B, ['pwd']).status).not.toBe(0);
    expect(existsSync(join(depot(B), 'secret.LOG'))).toBe(true);
    const before = statSync(depot(B)).uid;
    expect(script('ajouter-centre.sh', B, `${keyOf(B)}.pub`).status).toBe(0);
    expect(statSync(depot(B)).uid).toBe(before);
    expect(statSync(depot(A)).uid).toBe(uid);
    expect(sftp(B, ['pwd']).status).toBe(0);
  });
});

it('sshd accepts the configuration as it is shipped', () => {
  const home = mkdtempSync(join(tmpdir(), 'atelier-config-'));
  try {
    mkdirSync(join(home, 'hote'));
    for (const type of ['ed25519', 'rsa']) makeKey(join(home, 'hote', `ssh_host_${type}_key`), { type });
    if (ROOT) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const file = join(home, 'config');
    writeFileSync(
      file,
      readFileSync(join(DEPLOY, 'sshd_config'), 'utf8').replaceAll('/etc/ssh/atelier', home),
    );
    const text = execFileSync(findProgram('sshd'), ['-T', '-f', file], { encoding: 'utf8' });
    for (const line of [
      'passwordauthentication no',
      'permittty no',
      'disableforwarding yes',
      'permitrootlogin no',
      'permittunnel no',
      'chrootdirectory %h',
      'forcecommand internal-sftp -d /depot -u 0027 -l INFO -P symlink,hardlink',
      'authenticationmethods publickey',
      'permituserrc no',
    ]) {
      expect(text.toLowerCase()).toContain(line.toLowerCase());
    }
  } finally {
    rmSync(home, { recursive: true });
  }
});

it.skipIf(!ROOT)('S27: a key that was taken away opens nothing after a restart of the container', () => {
  const place = mkdtempSync(join(tmpdir(), 'atelier-conteneur-'));
  const own = (...names: string[]): string => join(place, ...names);
  const group = `essai-c${MARK}`;
  try {
    for (const folder of ['bin', 'cles', 'machines']) mkdirSync(own(folder));
    // What the container had given at its last start, and the key of one machine that stays.
    for (const name of ['reste', 'partie'])
      writeFileSync(own('machines', name), 'restrict ssh-ed25519 AAAA\n');
    writeFileSync(own('cles', 'RESTE.pub'), 'ssh-ed25519 AAAA\n');
    const adds = `#!/bin/sh\nmkdir -p "$MACHINES"\ncp "$2" "$MACHINES/$(echo "$1" | tr A-Z a-z)"\n`;
    writeFileSync(own('bin', 'ajouter-centre'), adds, { mode: 0o755 });
    const { status, stderr } = spawnSync(join(DEPLOY, 'entrypoint.sh'), [], {
      encoding: 'utf8',
      env: {
        PATH: `${own('bin')}:${process.env['PATH']}:/usr/sbin:/sbin`,
        HOTE: own('hote'),
        CLES_MACHINES: own('cles'),
        MACHINES: own('machines'),
        GROUPE_DEPOTS: group,
        // sshd refuses to start with it: the rest has been done by then.
        CONFIG: own('absent'),
      },
    });
    expect(stderr).toContain('absent');
    expect(status).not.toBe(0);
    expect(readdirSync(own('machines'))).toEqual(['reste']);
  } finally {
    spawnSync('groupdel', [group]);
    rmSync(place, { recursive: true });
  }
});

it('the image gives its files their rights itself, by whatever builder and from whatever clone', () => {
  const text = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8');
  // From Docker 28.1 on `COPY --chmod` also gives its mode to the folders that it makes; docker-compose 1.29 does not know it.
  expect(text.match(/^(COPY|ADD) --.*$/gm)).toBeNull();
  const copied = [...text.matchAll(/^COPY \S+ (\S+)$/gm)].map(([, path]) => path!);
  const chmod = /^RUN chmod (.*)$/m.exec(text)![1]!;
  for (const path of copied)
    expect(path.startsWith('/usr/local/sbin/') || chmod.includes(path), path).toBe(true);
  expect(chmod).toMatch(/^0755 \/etc\/ssh\/atelier \/usr\/local\/sbin\/\* && chmod 0644 /);
});

it('the shell scripts parse, and stop at the first error', () => {
  for (const name of ['ajouter-centre.sh', 'retirer-centre.sh', 'entrypoint.sh', 'sante.sh']) {
    execFileSync('sh', ['-n', join(DEPLOY, name)]);
    expect(readFileSync(join(DEPLOY, name), 'utf8')).toMatch(/^set -eu$/m);
    expect(statSync(join(DEPLOY, name)).mode & 0o111).toBe(0o111);
  }
});
