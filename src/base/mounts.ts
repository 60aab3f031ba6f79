import { readFileSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A file system and where it hangs in the tree. */
export interface Mount {
  /** changes when something else is mounted there */
  readonly id: string;
  /** folder, as the kernel spells it: without links */
  readonly point: string;
  /** as the kernel names it: ext4, nfs4, fuse.sshfs… */
  readonly type: string;
}

/**
 * Kinds of file system that this machine answers for by itself. Any other one (shares of every kind, programs behind FUSE)
 * may leave whoever touches it waiting for ever, in a way that no signal ends.
 */
const LOCAL = new Set(
  (
    'ext2 ext3 ext4 xfs btrfs zfs f2fs jfs reiserfs bcachefs nilfs2 tmpfs ramfs rootfs overlay aufs squashfs erofs iso9660 ' +
    'udf vfat msdos exfat ntfs ntfs3 hfs hfsplus proc sysfs devtmpfs devpts cgroup cgroup2 mqueue'
  ).split(' '),
);

/** All mounts as the kernel lists them, the one on top last; none where it does not tell. Touches no disk. */
export function readMounts(): Mount[] {
  let text: string;
  try {
    text = readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [id = '', , , , point = ''] = before.split(' ');
      return { id, point: fromOctal(point), type: after.split(' ')[0] ?? '' };
    });
}

/** The kernel writes blanks and the like in octal. */
function fromOctal(point: string): string {
  const bytes = point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * What of a folder, of those above it and of those below it lies on another machine or behind a program.
 *
 * @param path a folder; links on the way are followed, without touching what may not answer
 * @returns the mounts, topmost first; `above`: the one that the folder itself lies on
 */
export function remoteMounts(
  path: string,
  mounts: readonly Mount[] = readMounts(),
): { readonly real: string; readonly above: Mount | undefined; readonly below: readonly Mount[] } {
  const top = new Map(mounts.map((mount) => [mount.point, mount]));
  let real = '/';
  let above: Mount | undefined;
  const parts = resolve(path).split('/').filter(Boolean);
  for (let links = 0; parts.length > 0; ) {
    const next = join(real, parts.shift()!);
    const here = top.get(next);
    if (here) above = LOCAL.has(here.type) ? undefined : here;
    // Below what may not answer nothing is looked at: a link there makes no difference to us.
    const target = above || here ? undefined : linkOf(next);
    if (target === undefined || links++ > 40) {
      real = next;
      continue;
    }
    parts.unshift(...target.split('/').filter(Boolean));
    if (target.startsWith('/')) {
      real = '/';
    } else {
      while (parts[0] === '..' || parts[0] === '.') {
        if (parts.shift() === '..') real = dirname(real);
      }
    }
  }
  const inside = real === '/' ? '/' : `${real}/`;
  const below = [...top.values()].filter(({ point, type }) => point.startsWith(inside) && !LOCAL.has(type));
  return { real, above, below: below.filter(({ point }) => point !== real) };
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
