/** What `stat` says of a file, as far as rights go. */
interface Droits {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whether others than its owner and us can read or write a file of secrets. A service reads settings of root through its
 * group (`root:atelier`, 640): that is as it should be.
 *
 * @param moi user and group of this process
 */
export function ouvertAuxAutres(
  { mode, uid, gid }: Droits,
  moi = { uid: process.getuid?.(), gid: process.getgid?.() },
): boolean {
  const throughGroup = uid !== moi.uid && gid === moi.gid;
  return (mode & (throughGroup ? 0o037 : 0o077)) !== 0;
}
