import type { FileStats } from './disk.ts';

/** A file changed less than this ago (ns) may change again within the same tick of the file system's clock. */
const STILL_WARM = 2_000_000_000n;
const STILL_WARM_MS = 2_000;

/**
 * Signature of a file by what its folder tells of it: the same as long as the bytes are.
 *
 * @returns undefined while the file was changed a moment ago, and may change again without a trace. When the clock of its
 * disk is ahead of ours nobody can tell: then it begins with `?`, see {@link settle}
 */
export function sign(stats: FileStats, now = BigInt(Date.now()) * 1_000_000n): string | undefined {
  const { ctimeNs, mtimeNs } = stats;
  if (isWarm(now - ctimeNs) || isWarm(now - mtimeNs)) return undefined;
  const signature = stateOf(stats);
  // Whoever writes may set the time of his file (mtime) to anything; the time of the change (ctime) is the disk's.
  return ctimeNs > now ? `?${signature}` : signature;
}

/** What a file's folder tells of it, whatever the time. */
export function stateOf({ size, mtimeNs, ctimeNs, ino, dev }: FileStats): string {
  return [size, mtimeNs, ctimeNs, ino, dev].join(':');
}

function isWarm(age: bigint): boolean {
  return age < STILL_WARM && age > -STILL_WARM;
}

/**
 * The signature to be kept of what was just read. One of a disk whose clock is ahead counts once the file was read again
 * with the same signature, a moment later by our own clock.
 *
 * @param kept signature on record, if any
 * @param read that of the file as it was opened
 * @param now ms since 1970
 */
export function settle(
  kept: string | null | undefined,
  read: string | undefined,
  now = Date.now(),
): string | undefined {
  if (!read?.startsWith('?')) return read;
  const own = read.slice(1);
  if (kept === `!${own}`) return kept;
  const [, since, before] = /^\?(\d+) (.*)$/s.exec(kept ?? '') ?? [];
  const waited = now - Number(since);
  if (before !== own || waited < 0) return `?${now} ${own}`;
  return waited >= STILL_WARM_MS ? `!${own}` : kept!;
}

/** Whether a file whose signature is on record has the same bytes as then. */
export function isUnchanged(kept: string | null, listed: string | undefined): boolean {
  if (kept === null || listed === undefined) return false;
  // The disk's clock may have been caught up with since.
  return kept === listed || kept === `!${listed.replace(/^\?/, '')}`;
}
