import { isUtf8 } from 'node:buffer';

const LOG = /\.log$/i;
const LEFTOVER = /\.(filepart|part|tmp|swp)$/i;

/** A name for people and tables; the bytes stay what the file is opened by. */
export function decodeName(name: Buffer): string {
  return isUtf8(name) ? name.toString('utf8') : name.toString('latin1');
}

/** Whether a name is one of a log file. */
export function isLog(name: string): boolean {
  return LOG.test(name);
}

/** Hidden names, and what an upload under way or an editor leaves: not looked at, not even entered. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || LEFTOVER.test(name);
}
