import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dansConteneurSftp } from './capacites.ts';
import { freePort, launchSshd, makeKey, publicKey } from './sshd.ts';

export const DEPLOY_SFTP = join(import.meta.dirname, '../../deploy/sftp');

/** What a program said. */
export interface Sortie {
  readonly status: number | null;
  readonly text: string;
}

/**
 * The drop server as it is shipped (deploy/sftp), with other paths, the capabilities that its container has, and one centre
 * with its own system account.
 */
export interface Depot {
  readonly home: string;
  readonly port: number;
  /** of the machine's account */
  readonly compte: string;
  /** the centre's folder, which its machine is locked into; below it `depot` */
  readonly dossier: string;
  /** arguments by which `sftp` and `ssh` sign in */
  readonly options: readonly string[];
  /** process number of sshd */
  readonly pid: number;
  /** runs a script of deploy/sftp */
  script(name: string, args: readonly string[], env?: Readonly<Record<string, string>>): Sortie;
  /** runs `sftp -b` as the machine would */
  sftp(...orders: string[]): Sortie;
  close(): Promise<void>;
}

/** Opens it. Takes root: it makes an account for the time of the test. */
export async function ouvrirDepot(): Promise<Depot> {
  const mark = randomBytes(3).toString('hex');
  // Not below /tmp: sshd wants every parent to be of root, and writable by nobody else.
  const home = mkdtempSync('/var/lib/atelier-essai-');
  chmodSync(home, 0o755);
  for (const folder of ['hote', 'machines', 'depots']) mkdirSync(join(home, folder));
  const nom = `ESSAI-Q${mark}`;
  const compte = nom.toLowerCase();
  const groups = { GROUPE_DEPOTS: `essai-d${mark}`, GROUPE_LECTURE: `essai-l${mark}` };
  const env = {
    PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    DEPOTS: join(home, 'depots'),
    MACHINES: join(home, 'machines'),
    GID_LECTURE: String(40_000 + Math.floor(Math.random() * 10_000)),
    ...groups,
  };
  const run = (program: string, args: readonly string[], more = {}): Sortie => {
    const words = program.startsWith(DEPLOY_SFTP)
      ? [...dansConteneurSftp(), program, ...args]
      : [program, ...args];
    const done = spawnSync(words[0]!, words.slice(1), {
      env: { ...env, ...more },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status: done.status, text: done.stdout + done.stderr };
  };
  const cle = makeKey(join(home, 'cle'));
  const made = run(join(DEPLOY_SFTP, 'ajouter-centre.sh'), [nom, `${cle}.pub`]);
  if (made.status !== 0) throw new Error(made.text);
  const hote = (type: string): string => join(home, 'hote', `ssh_host_${type}_key`);
  for (const type of ['ed25519', 'rsa']) makeKey(hote(type), { type });
  const port = await freePort();
  const shipped = readFileSync(join(DEPLOY_SFTP, 'sshd_config'), 'utf8')
    .replaceAll('/etc/ssh/atelier', home)
    .replace('AllowGroups atelier-depots', `AllowGroups ${groups.GROUPE_DEPOTS}`)
    .replace(/^(Port|PidFile|AddressFamily) .*$/gm, '');
  const server = await launchSshd(shipped.split('\n'), { home, port, before: dansConteneurSftp() });
  writeFileSync(join(home, 'connus'), `[127.0.0.1]:${port} ${publicKey(hote('ed25519'))}\n`);
  const settings = [
    ...['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=yes'],
    `UserKnownHostsFile=${join(home, 'connus')}`,
  ];
  const options = ['-F', '/dev/null', '-i', cle, ...settings.flatMap((option) => ['-o', option])];
  return {
    ...{ home, port, compte, options, dossier: join(env.DEPOTS, nom) },
    pid: Number(readFileSync(join(home, 'pid'), 'utf8')),
    script: (name, args, more) => run(join(DEPLOY_SFTP, name), args, more),
    sftp(...orders) {
      const batch = join(home, 'ordres');
      writeFileSync(batch, `${orders.join('\n')}\n`);
      return run('sftp', [...options, '-P', String(port), '-b', batch, `${compte}@127.0.0.1`]);
    },
    async close() {
      await server.stop();
      run('userdel', [compte]);
      for (const group of Object.values(groups)) run('groupdel', [group]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
