import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Capabilities that docker-compose.yaml leaves the drop server. */
export const CAPACITES_SFTP: readonly string[] = (
  parse(readFileSync(join(import.meta.dirname, '../../docker-compose.yaml'), 'utf8'), { merge: true }) as {
    services: { sftp: { cap_add: string[] } };
  }
).services.sftp.cap_add;

/**
 * Words before a command that make root what it is in the container of the drop server: root with these capabilities and
 * no other, without new privileges.
 */
export function dansConteneurSftp(capacites: readonly string[] = CAPACITES_SFTP): string[] {
  const kept = capacites.map((name) => `+${name.toLowerCase()}`).join(',');
  return ['setpriv', '--no-new-privs', `--bounding-set=-all,${kept}`, `--inh-caps=-all`, '--'];
}
