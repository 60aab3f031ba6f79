import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A private OpenSSH server: own port, own keys, the loopback, SFTP for whoever runs the tests. */
export interface Sshd {
  readonly port: number;
  readonly user: string;
  /** folder of keys and configuration */
  readonly home: string;
  /** private key that is let in */
  readonly cle: string;
  /** public host key, `ssh-ed25519 AAAA…` */
  readonly cleHote: string;
  /** what it wrote so far */
  log(): string;
  stop(): Promise<void>;
}

/** Paths of a machine that leaves /usr/sbin out of an ordinary user's PATH. */
export function findProgram(name: string): string {
  const script = 'PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1"';
  return execFileSync('sh', ['-c', script, 'sh', name], { encoding: 'utf8' }).trim();
}

/** Makes a key pair; returns the path of the private one. */
export function makeKey(file: string, options: { type?: string; phrase?: string } = {}): string {
  const { type = 'ed25519', phrase = '' } = options;
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', phrase, '-C', 'essai', '-f', file]);
  return file;
}

export function publicKey(file: string): string {
  return readFileSync(`${file}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
}

/** A port that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** @param extra more lines of configuration, which win */
export async function startSshd(options: { port?: number; extra?: readonly string[] } = {}): Promise<Sshd> {
  const home = mkdtempSync(join(tmpdir(), 'atelier-sshd-'));
  const cle = makeKey(join(home, 'cle'));
  makeKey(join(home, 'hote'));
  writeFileSync(join(home, 'autorisees'), `${publicKey(cle)}\n`, { mode: 0o600 });
  const port = options.port ?? (await freePort());
  const config = [
    ...(options.extra ?? []),
    `HostKey ${join(home, 'hote')}`,
    `AuthorizedKeysFile ${join(home, 'autorisees')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxStartups 100',
    'Subsystem sftp internal-sftp',
  ];
  const running = await launchSshd(config, { home, port });
  return {
    ...{ port, home, cle, user: userInfo().username, cleHote: publicKey(join(home, 'hote')) },
    log: running.log,
    async stop() {
      await running.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/**
 * Starts sshd with these lines of configuration on a port of the loopback, and waits until it answers.
 *
 * @param options `before`: words before the command
 */
export async function launchSshd(
  config: readonly string[],
  { home, port, before = [] }: { home: string; port: number; before?: readonly string[] },
): Promise<{ log(): string; stop(): Promise<void> }> {
  // sshd of root wants its empty folder, which only a running service of the machine has.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  chmodSync(home, 0o755);
  const file = join(home, 'sshd_config');
  const lines = [`Port ${port}`, 'ListenAddress 127.0.0.1', `PidFile ${join(home, 'pid')}`, ...config];
  writeFileSync(file, `${lines.join('\n')}\n`);
  // A file, not a pipe: a test that waits for a program without reading would stop the server once the pipe is full.
  const journal = join(home, 'journal');
  writeFileSync(journal, '');
  const log = (): string => readFileSync(journal, 'utf8');
  const [program, ...args] = [...before, findProgram('sshd'), '-D', '-E', journal, '-f', file];
  const child = spawn(program!, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  for (let tries = 0; !(await answers(port)); tries++) {
    if (child.exitCode !== null || tries > 300) throw new Error(`sshd ne démarre pas : ${log()}`);
    await sleep(50);
  }
  return {
    log,
    async stop() {
      stopSessions(child);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Its children serve the open connections, and would outlive it. */
function stopSessions(child: ChildProcess): void {
  for (const pid of descendants(child.pid!)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
}

function descendants(pid: number): number[] {
  const found: number[] = [];
  for (const line of execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (parent === pid && child !== undefined) found.push(child, ...descendants(child));
  }
  return found;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
