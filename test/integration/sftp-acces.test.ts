// Who is let in, and whom atelier speaks to: keys, passwords, host keys; with real servers.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DossierSftp } from '../../src/sources/sftp/dossier-sftp.ts';
import { type Installation, install } from '../harness/cli.ts';
import { filesOf, listAll, openSftp, readAll, sftpSettings } from '../harness/sftp.ts';
import { makeKey, publicKey, type Sshd, startSshd } from '../harness/sshd.ts';

let sshd: Sshd;
let home: string;
const opened: DossierSftp[] = [];

beforeAll(async () => {
  sshd = await startSshd();
  home = mkdtempSync(join(tmpdir(), 'atelier-acces-'));
  mkdirSync(join(home, 'DEM12'));
  writeFileSync(join(home, 'DEM12', '20250528.LOG'), '20250528 06:00:00|@StukUitgevoerd: A\r\n');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.fermer()));
});
afterAll(async () => {
  await sshd.stop();
  rmSync(home, { recursive: true });
});

function source(own: Record<string, string> = {}, at: Sshd = sshd): DossierSftp {
  const settings = sftpSettings(at, { path: join(home, 'DEM12'), own });
  const one = openSftp(settings, { miroirs: join(home, 'miroirs') });
  opened.push(one);
  return one;
}

function known(name: string, text: string): string {
  const file = join(home, name);
  writeFileSync(file, text);
  return file;
}

const failure = async (one: DossierSftp): Promise<{ code: string; message: string }> => {
  const error = await one.verifier().then(
    () => undefined,
    (thrown: unknown) => thrown as { code: string; message: string },
  );
  if (!error) throw new Error('accepté');
  return error;
};

describe('S27: the server must be the one that is known', () => {
  it('unknown: refused, with fingerprint and the line to add; with that line it is let through', async () => {
    const file = join(home, 'aucun');
    const error = await failure(source({ SFTP_HOTES_CONNUS: file }));
    expect(error.code).toBe('ATL_L211');
    const shown = execFileSync('ssh-keygen', ['-l', '-f', join(sshd.home, 'hote.pub')], { encoding: 'utf8' });
    expect(error.message).toContain(shown.split(' ')[1]);
    const line = /la ligne : (\S+ \S+ \S+)/.exec(error.message)![1]!;
    writeFileSync(file, `${line}\n`);
    await source({ SFTP_HOTES_CONNUS: file }).verifier();
  });

  it('changed: refused loudly, nothing is sent; also when the key known is of another type', async () => {
    const other = publicKey(makeKey(join(home, 'autre-hote')));
    const rsa = publicKey(makeKey(join(home, 'hote-rsa'), { type: 'rsa' }));
    for (const key of [other, rsa]) {
      const file = known('change', `[127.0.0.1]:${sshd.port} ${key}\n`);
      const error = await failure(source({ SFTP_HOTES_CONNUS: file }));
      expect(error.code).toBe('ATL_L212');
      expect(error.message).toContain('LA CLÉ DU SERVEUR A CHANGÉ');
    }
    const file = known('revoque', `[127.0.0.1]:${sshd.port} ${sshd.cleHote}\n@revoked * ${sshd.cleHote}\n`);
    expect((await failure(source({ SFTP_HOTES_CONNUS: file }))).code).toBe('ATL_L212');
    expect(sshd.log()).not.toMatch(/Accepted publickey.*\n.*Accepted publickey.*\n.*Accepted publickey/);
  });

  it('several host keys, only the RSA one known, hashed: that one is asked for', async () => {
    const both = await startSshd({ extra: [`HostKey ${makeKey(join(home, 'second'), { type: 'rsa' })}`] });
    try {
      const file = known('hache', `[127.0.0.1]:${both.port} ${publicKey(join(home, 'second'))}\n`);
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
      expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
      await source({ SFTP_HOTES_CONNUS: file }, both).verifier();
    } finally {
      await both.stop();
    }
  });

  it('a server that is installed anew while it is followed is not spoken to any more', async () => {
    const first = await startSshd();
    const cle = join(home, 'cle-gardee');
    copyFileSync(first.cle, cle);
    const connus = known('gardes', `[127.0.0.1]:${first.port} ${first.cleHote}\n`);
    const one = source({ SFTP_CLE: cle, SFTP_HOTES_CONNUS: connus }, first);
    await one.verifier();
    await first.stop();
    const second = await startSshd({ port: first.port });
    try {
      const entrees = await listAll(one);
      expect(entrees[1]).toMatchObject({ kind: 'ecarte', erreur: true });
      expect(entrees[1]).toMatchObject({ raison: expect.stringContaining('ATL_L212') });
    } finally {
      await second.stop();
    }
  });
});

describe('keys and passwords', () => {
  it('the wrong key, the wrong user: refused, said with the name of the key', async () => {
    const other = makeKey(join(home, 'autre-cle'));
    const error = await failure(source({ SFTP_CLE: other }));
    expect(error.code).toBe('ATL_L213');
    expect(error.message).toContain(other);
    const centres = `DEM12=sftp://personne@127.0.0.1:${sshd.port}/`;
    expect((await failure(source({ SFTP_CENTRES: centres }))).code).toBe('ATL_L213');
  });

  it('a key with a passphrase; none, a wrong one, a public key, no key, no file: said before anything is sent', async () => {
    const locked = makeKey(join(home, 'cle-phrase'), { phrase: 'phrase-secrete' });
    writeFileSync(join(sshd.home, 'autorisees'), `${publicKey(sshd.cle)}\n${publicKey(locked)}\n`, {
      mode: 0o600,
    });
    await source({ SFTP_CLE: locked, SFTP_CLE_PHRASE: 'phrase-secrete' }).verifier();
    const cases: [Record<string, string>, string][] = [
      [{ SFTP_CLE: locked }, 'SFTP_CLE_PHRASE'],
      [{ SFTP_CLE: locked, SFTP_CLE_PHRASE: 'fausse-phrase' }, 'SFTP_CLE_PHRASE n’est pas'],
      [{ SFTP_CLE: `${locked}.pub` }, 'clé publique'],
      [{ SFTP_CLE: join(home, 'DEM12', '20250528.LOG') }, 'pas une clé privée'],
      [{ SFTP_CLE: join(home, 'nulle-part') }, 'ENOENT'],
    ];
    for (const [own, part] of cases) {
      const { code, message } = await failure(source(own));
      expect(code).toBe('ATL_L215');
      expect(message).toContain(part);
      expect(message).not.toMatch(/phrase-secrete|fausse-phrase/);
    }
  });

  it.each(['password', 'keyboard-interactive'] as const)('by %s', async (method) => {
    const server = await passwordServer(method);
    try {
      const own = {
        SFTP_CENTRES: `DEM12=sftp://dem12@127.0.0.1:${server.port}/`,
        SFTP_CLE: '',
        SFTP_HOTES_CONNUS: known('mdp', `[127.0.0.1]:${server.port} ${publicKey(join(sshd.home, 'hote'))}\n`),
      };
      // It knows the account, and has no SFTP to offer: what comes after signing in is of no interest here.
      expect((await failure(source({ ...own, SFTP_MOT_DE_PASSE: 'le bon' }))).code).toBe('ATL_L210');
      expect(server.accepted()).toBe(true);
      const error = await failure(source({ ...own, SFTP_MOT_DE_PASSE: 'mauvais-secret' }));
      expect(error.code).toBe('ATL_L213');
      expect(error.message).not.toContain('mauvais-secret');
    } finally {
      await server.stop();
    }
  });
});

describe('atelier ingest', () => {
  let place: Installation;
  beforeAll(async () => {
    place = await install();
  });
  afterAll(() => place.close());

  it('SFTP_CENTRES end to end; an unknown server is exit code 3 and named in the log', async () => {
    const env = {
      ...sftpSettings(sshd, { path: join(home, 'DEM12') }),
      // Not a secret that is needed here: one that must not show.
      SFTP_CLE_PHRASE: 'phrase-plantee',
    };
    await place.write('SU12/20250528.LOG', '20250528 06:00:00|@StukUitgevoerd: B\r\n');
    const unknown = await place.run(['ingest', '--json'], {
      env: { ...env, SFTP_HOTES_CONNUS: join(home, 'rien') },
    });
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toContain('ATL_L211');
    const { code, stdout, stderr } = await place.run(['ingest', '--json'], { env });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ fichiersVus: 2, fichiersIllisibles: 0 });
    expect(stdout + stderr + JSON.stringify(await place.log())).not.toContain('phrase-plantee');
    const { rows } = await place.pool.query(
      'SELECT c.nom FROM piece_production p JOIN centre_usinage c ON c.id = p.centre_usinage_id ORDER BY 1',
    );
    expect(rows).toEqual([{ nom: 'DEM12' }, { nom: 'SU12' }]);
    // That folder alone, no server.
    const alone = await place.run(['ingest', '--json', '--dir', place.logs], { env });
    expect(JSON.parse(alone.stdout)).toMatchObject({ fichiersVus: 1 });
  });
});

/** A server that asks for a password and has nothing else. */
async function passwordServer(
  method: 'password' | 'keyboard-interactive',
): Promise<{ port: number; accepted(): boolean; stop(): Promise<void> }> {
  let accepted = false;
  const clients = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [readFileSync(join(sshd.home, 'hote'))] }, (client) => {
    clients.add(client);
    client.on('error', () => undefined);
    client.on('authentication', (ctx) => {
      const settle = (password: string | undefined): void => {
        if (ctx.username !== 'dem12' || password !== 'le bon') ctx.reject([method]);
        else {
          accepted = true;
          ctx.accept();
        }
      };
      if (ctx.method !== method) ctx.reject([method]);
      else if (ctx.method === 'password') settle(ctx.password);
      else if (ctx.method === 'keyboard-interactive') {
        ctx.prompt([{ prompt: 'Mot de passe : ', echo: false }], (answers) => settle(answers[0]));
      }
    });
    client.on('session', (_accept, reject) => reject());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    accepted: () => accepted,
    async stop() {
      for (const client of clients) client.end();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

it('what is read through the right door is what is there', async () => {
  const one = source();
  const [fichier] = filesOf(await listAll(one));
  expect((await readAll(one, fichier!)).octets.toString()).toContain('StukUitgevoerd');
});
