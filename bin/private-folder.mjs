// Where code may be kept that is run later. Plain JavaScript: it is needed before types can be stripped.
import { existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';

/**
 * The folder of our compile cache, made if need be, or undefined when none is surely ours. Never the one that Node takes
 * by itself, which has a fixed name in the temporary folder of everybody: whoever makes it first has his code run by
 * others, root among them.
 */
export function cacheFolder(env = process.env) {
  try {
    const given = env.XDG_CACHE_HOME;
    if (given && isAbsolute(given)) return privateFolder(given, 'atelier', 'compile');
    return privateFolder(homedir(), '.cache', 'atelier', 'compile');
  } catch {
    // No home, a full or read-only disk: a start takes 0.2 s longer.
    return undefined;
  }
}

/**
 * `base/…names` when it is a folder of this account's that nobody else can enter, and nobody else can put another one in
 * its place: each folder above is root's or ours, and only its owner writes there (or it is sticky, as /tmp). A link below
 * `base` is not followed. Looked at before anything is made: root makes nothing in somebody's home.
 */
function privateFolder(base, ...names) {
  let path = realpathSync(base);
  if (!isSafeUpwards(path)) return undefined;
  for (const name of names) {
    path = join(path, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!isSafe(lstatSync(path))) return undefined;
  }
  return isClosed(lstatSync(path)) ? path : undefined;
}

/**
 * Whether the folder that somebody gave Node for its compile cache (`NODE_COMPILE_CACHE`) may hold code for us: nobody but
 * this account and root writes there, or above, or has a link on the way to it, which could lead elsewhere a moment later. Of
 * one that is not there yet, the folders above count.
 */
export function isTrustedCache(given) {
  try {
    if (me !== undefined && !isOurWay(resolve(given))) return false;
    let path = resolve(given);
    while (!existsSync(path) && path !== dirname(path)) path = dirname(path);
    path = realpathSync(path);
    return isSafeUpwards(path) && (me === undefined || (lstatSync(path).mode & 0o022) === 0);
  } catch {
    return false;
  }
}

/** Links that lead to links: more are a circle. */
const MOST_LINKS = 40;

/** Whether every folder and every link by which a path leads is one that only its owner changes, ours or root's. */
function isOurWay(path) {
  let at = parse(path).root;
  let left = path.slice(at.length).split(sep);
  for (let links = 0; left.length > 0; ) {
    const next = join(at, left[0]);
    left = left.slice(1);
    const stat = lstatSync(next, { throwIfNoEntry: false });
    if (!stat) return true;
    if (stat.isSymbolicLink()) {
      if ((stat.uid !== me && stat.uid !== 0) || ++links > MOST_LINKS) return false;
      const target = resolve(at, readlinkSync(next));
      at = parse(target).root;
      left = [...target.slice(at.length).split(sep), ...left].filter(Boolean);
    } else {
      if (!isSafe(stat)) return false;
      at = next;
    }
  }
  return true;
}

function isSafeUpwards(path) {
  for (let above = path; ; above = dirname(above)) {
    if (!isSafe(lstatSync(above))) return false;
    if (above === dirname(above)) return true;
  }
}

/** Folders of Windows belong to their account: there is nothing to look at. */
const me = process.getuid?.();

function isSafe(stat) {
  if (!stat.isDirectory()) return false;
  if (me === undefined) return true;
  return (stat.uid === me || stat.uid === 0) && ((stat.mode & 0o022) === 0 || (stat.mode & 0o1000) !== 0);
}

function isClosed({ uid, mode }) {
  return me === undefined || (uid === me && (mode & 0o077) === 0);
}
