// F23: SFTP servers that tell less than OpenSSH, or something else, give the same files.

import { mkdirSync, mkdtempSync, rmSync, type Stats, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DossierLocal } from '../../src/sources/dossier.ts';
import type { DossierSftp } from '../../src/sources/sftp/dossier-sftp.ts';
import { filesOf, listAll, openSftp, readAll, sftpSettings } from '../harness/sftp.ts';
import { full, type Manner, rightsOnly, startOther } from '../harness/sftp-server.ts';
import type { Sshd } from '../harness/sshd.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

const name = (text: string): string => text;
const ls = (text: string, stats: Stats): string =>
  `${stats.isSymbolicLink() ? 'l' : stats.isDirectory() ? 'd' : '-'}rwxr-xr-x    1 0 0 ${stats.size} Jan  1 00:00 ${text}`;

const MANNERS: readonly (Manner & { readonly what: string; readonly links: boolean })[] = [
  { what: 'the long name is just the name', longname: name, listed: full, stat: full, links: true },
  { what: 'no kind in a listing', longname: name, listed: rightsOnly, stat: full, links: true },
  { what: 'nothing in a listing', longname: name, listed: () => ({}), stat: full, links: true },
  { what: 'no kind anywhere', longname: name, listed: rightsOnly, stat: rightsOnly, links: false },
  { what: 'no kind, and long names that lie', longname: ls, listed: rightsOnly, stat: full, links: true },
  { what: 'listings that follow links', longname: ls, listed: full, stat: full, follows: true, links: true },
];

test.each(MANNERS)('$what', async ({ links, ...manner }) => {
  const home = mkdtempSync(join(tmpdir(), 'atelier-sftp-autre-'));
  cleanUp.push(() => rmSync(home, { recursive: true, force: true }));
  const logs = join(home, 'logs');
  // Names whose first letter means something in a line of `ls -l`.
  const names = ['laatste.LOG', 'dinsdag.LOG', '-.LOG', 'lrwxrwxrwx 1.LOG', 'brug/logs/c.LOG', 'lijst/p.log'];
  for (const [i, path] of names.entries()) {
    mkdirSync(join(logs, 'DEM12', path, '..'), { recursive: true });
    writeFileSync(join(logs, 'DEM12', path), `20250528 06:00:0${i}|@StukUitgevoerd: ${path}\r\n`);
  }
  writeFileSync(join(logs, 'DEM12/lisezmoi.txt'), 'pas un journal');
  mkdirSync(join(logs, 'DEM12/vide'));
  if (links) {
    symlinkSync('laatste.LOG', join(logs, 'DEM12/lien.LOG'));
    symlinkSync('brug', join(logs, 'DEM12/lien-dossier'));
  }
  const server: Sshd = await startOther(home, manner);
  cleanUp.push(() => server.stop());
  const settings = sftpSettings(server, { path: join(logs, 'DEM12') });
  const source: DossierSftp = openSftp(settings, { miroirs: join(home, 'miroirs') });
  cleanUp.push(() => source.fermer());
  const [remote, local] = [await listAll(source), await listAll(new DossierLocal(logs))];
  const shape = (entrees: typeof remote): unknown[] =>
    entrees.map((e) =>
      e.kind === 'fichier'
        ? [e.fichier.chemin, e.fichier.taille]
        : e.kind === 'ecarte'
          ? [e.chemin, e.raison, e.erreur]
          : [e.dossier],
    );
  expect(shape(remote)).toEqual(shape(local));
  expect(filesOf(remote).length).toBe(names.length);
  for (const fichier of filesOf(remote)) {
    expect((await readAll(source, fichier)).octets.toString()).toContain(
      fichier.chemin.slice('DEM12/'.length),
    );
  }
});
