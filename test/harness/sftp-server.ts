import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { Sshd } from './sshd.ts';
import { freePort, makeKey, publicKey } from './sshd.ts';

type Attrs = Partial<{ mode: number; uid: number; gid: number; size: number; atime: number; mtime: number }>;

/** How a server tells of what it holds; all of these are met on controllers and NAS. */
export interface Manner {
  /** what it puts where OpenSSH puts a line of `ls -l` */
  readonly longname: (name: string, stats: Stats) => string;
  /** what its listings tell of an entry (undefined: nothing) */
  readonly listed: (stats: Stats) => Attrs;
  /** what it answers to LSTAT and FSTAT */
  readonly stat: (stats: Stats) => Attrs;
  /** whether its listings follow links */
  readonly follows?: boolean;
}

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

/** All of it, as OpenSSH tells. */
export const full = ({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attrs => ({
  ...{ mode, uid, gid, size },
  ...{ atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) },
});

/** Rights without the kind. */
export const rightsOnly = (stats: Stats): Attrs => ({ ...full(stats), mode: stats.mode & 0o7777 });

/** A real SFTP server, for reading, that differs from OpenSSH in what it tells. Lets in whoever comes. */
export async function startOther(home: string, manner: Manner): Promise<Sshd> {
  const cle = makeKey(join(home, 'cle'));
  const hote = makeKey(join(home, 'hote'));
  const port = await freePort();
  const server = new ssh2.Server({ hostKeys: [readFileSync(hote)] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (ctx) => ctx.accept());
    client.on('session', (accept) => {
      accept().on('sftp', (open) => answer(open(), manner));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    ...{ port, home, cle, user: 'machine', cleHote: publicKey(hote) },
    log: () => '',
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function answer(sftp: ssh2.SFTPWrapper, manner: Manner): void {
  const handles = new Map<number, { fd: number } | { names: string[]; path: string }>();
  let next = 0;
  const give = (what: { fd: number } | { names: string[]; path: string }): Buffer => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(next);
    handles.set(next++, what);
    return handle;
  };
  const of = (handle: Buffer): { fd: number } | { names: string[]; path: string } =>
    handles.get(handle.readUInt32BE())!;
  const guard = (id: number, work: () => void): void => {
    try {
      work();
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      sftp.status(id, missing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
    }
  };
  sftp.on('OPENDIR', (id, path) => {
    guard(id, () => sftp.handle(id, give({ names: readdirSync(path), path })));
  });
  sftp.on('READDIR', (id, handle) => {
    guard(id, () => {
      const folder = of(handle) as { names: string[]; path: string };
      const names = folder.names.splice(0);
      if (names.length === 0) return sftp.status(id, STATUS_CODE.EOF);
      const look = manner.follows ? statSync : lstatSync;
      const entries = names.map((filename) => {
        const stats = look(join(folder.path, filename));
        const longname = manner.longname(filename, lstatSync(join(folder.path, filename)));
        return { filename, longname, attrs: manner.listed(stats) as ssh2.Attributes };
      });
      return sftp.name(id, entries);
    });
  });
  sftp.on('LSTAT', (id, path) => {
    guard(id, () => sftp.attrs(id, manner.stat(lstatSync(path)) as ssh2.Attributes));
  });
  sftp.on('OPEN', (id, path, flags) => {
    guard(id, () => {
      if (flags !== OPEN_MODE.READ) throw new Error('lecture seule');
      sftp.handle(id, give({ fd: openSync(path, 'r') }));
    });
  });
  sftp.on('FSTAT', (id, handle) => {
    guard(id, () =>
      sftp.attrs(id, manner.stat(fstatSync((of(handle) as { fd: number }).fd)) as ssh2.Attributes),
    );
  });
  sftp.on('READ', (id, handle, offset, length) => {
    guard(id, () => {
      const buffer = Buffer.alloc(length);
      const read = readSync((of(handle) as { fd: number }).fd, buffer, 0, length, offset);
      if (read === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, buffer.subarray(0, read));
    });
  });
  sftp.on('CLOSE', (id, handle) => {
    guard(id, () => {
      const what = of(handle);
      if ('fd' in what) closeSync(what.fd);
      sftp.status(id, STATUS_CODE.OK);
    });
  });
}
