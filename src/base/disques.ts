import { statfs } from 'node:fs/promises';
import { Gauge, Registry } from 'prom-client';
import type { RegistreLisible } from './metrics.ts';

/**
 * Free space of the disks of some folders, looked at when somebody asks. A folder that is not there has no sample.
 *
 * @param dossiers path by the name of its setting, for example `ARCHIVES_DIR`
 */
export function registreDisques(dossiers: Readonly<Record<string, string>>): RegistreLisible {
  const registre = new Registry();
  new Gauge({
    name: 'atelier_disk_free_bytes',
    help: 'Place libre sur le disque d’un dossier, vue de ce processus',
    labelNames: ['folder'],
    registers: [registre],
    async collect() {
      const free = await Promise.all(
        Object.entries(dossiers).map(async ([folder, path]) => {
          const disk = await statfs(path).catch(() => undefined);
          return [folder, disk && disk.bavail * disk.bsize] as const;
        }),
      );
      this.reset();
      for (const [folder, bytes] of free) if (bytes !== undefined) this.set({ folder }, bytes);
    },
  });
  return registre;
}
