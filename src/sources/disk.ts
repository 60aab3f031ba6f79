import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  open,
  read,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const openFile = promisify(open);
const readFile = promisify(read);
// O_NONBLOCK: a pipe that took the file's place must not hold us for ever.
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What is looked at of a file. */
export type FileStats = Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs' | 'ino' | 'dev'>;

/** An entry of a folder, as the file system tells of it. */
export type DiskEntry = Pick<Dirent<Buffer>, 'name' | 'isDirectory' | 'isFile' | 'isSymbolicLink'>;

export interface OpenFile {
  readonly stats: FileStats;
  /** Reads up to `length` bytes from `position` into `buffer`; 0 at the end of the file. */
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  close(): Promise<void>;
}

/** How folders and files are reached. Every method throws what the file system says, with its code. */
export interface Disk {
  /** what a folder holds, in the order of the names' bytes */
  entries(path: Buffer): Promise<DiskEntry[]>;
  /** of an entry that was just listed; a link is not followed */
  stats(path: Buffer, entry: DiskEntry): FileStats;
  /** an ordinary file as it is now; undefined: there is none. @throws for other reasons not to know */
  look(path: Buffer): FileStats | undefined | Promise<FileStats | undefined>;
  open(path: Buffer): Promise<OpenFile>;
}

/** A disk of this machine, which answers at once. */
export const LOCAL_DISK: Disk = {
  async entries(path) {
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    return entries.sort((a, b) => Buffer.compare(a.name, b.name));
  },
  // Synchronous on purpose: a stat takes microseconds, handing it to another thread takes fifty times as long.
  stats: (path) => lstatSync(path, { bigint: true }),
  look(path) {
    const stats = lstatSync(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  },
  async open(path) {
    const fd = await openFile(path, OPEN_FLAGS);
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) throw new Error('pas un fichier ordinaire');
      return {
        stats,
        read: async (buffer, offset, length, position) =>
          (await readFile(fd, buffer, offset, length, position)).bytesRead,
        close: async () => closeSync(fd),
      };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  },
};
