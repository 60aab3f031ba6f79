import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from './errors.ts';

/**
 * Where process numbers mean something: this boot of this machine, and of this container. Containers may share the
 * name of their host, and begin again at the same numbers.
 */
export const ESPACE: string = (() => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // No Linux, so no containers either.
    return hostname();
  }
})();

/** Whether a process of this number may be there in this space, ours or not; of what is no number, never. */
export function vit(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
