// Model-based: whatever happens to a tree of logs, reading a part of it over SFTP gives the tables of the reference.

import { mkdir } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { realImports, recorded } from '../harness/programs.ts';
import { assertProperty, setting } from '../harness/property.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { sftpSettings } from '../harness/sftp.ts';
import { openSource } from '../harness/sftp-workshop.ts';
import { type Sshd, startSshd } from '../harness/sshd.ts';
import { programArbitrary, runProgram } from '../reference/programs.ts';
import { reference } from '../reference/reference.ts';

const PROGRAMS = setting('ATELIER_PROGRAMMES', 12);

let sshd: Sshd;
let proxy: ProxyDePanne;
let workshop: Workshop;
beforeAll(async () => {
  sshd = await startSshd();
  proxy = await ProxyDePanne.devant(sshd.port);
  workshop = await createWorkshop();
});
afterAll(async () => {
  await workshop.close();
  await proxy.fermer();
  await sshd.stop();
});

it(
  'L1-L7, F1-F4, F11-F20, F32: after any program the tables equal the reference, whole connections cut or not',
  async () => {
    await assertProperty(
      'programmes SFTP',
      fc.asyncProperty(
        programArbitrary(),
        fc.record({ court: fc.boolean(), coupure: fc.option(fc.integer({ min: 0, max: 9_000 })) }),
        async (program, { court, coupure }) => {
          await workshop.reset();
          proxy.remettreAZero();
          const { logs } = workshop;
          const remote = sftpSettings(sshd, { path: `${logs}/DEM12`, port: proxy.port });
          // The same database and folders, with DEM12 taken from the server: its folder is there from the beginning.
          await mkdir(`${logs}/DEM12`, { recursive: true });
          const config = { ...workshop.context.config, sftp: loadConfig(remote).sftp };
          let source = await openSource({ ...workshop.context, config });
          const imports = () => {
            if (coupure !== null) {
              // The next connection breaks once, whatever it is in the middle of.
              const first = proxy.connexions;
              proxy.toutCouper();
              proxy.panne = {
                get couperApres() {
                  return proxy.connexions <= first + 1 ? coupure : Number.POSITIVE_INFINITY;
                },
              };
            }
            return realImports(
              { ...workshop, context: { ...workshop.context, config, source } },
              { signatures: false },
            );
          };
          // One process for all imports, or one for each.
          const renew = async (): Promise<void> => {
            if (!court) return;
            await source.fermer();
            source = await openSource({ ...workshop.context, config });
          };
          try {
            const model = await runProgram(program, logs, {
              run: async () => {
                await renew();
                await imports().run();
              },
              twice: async () => {
                await renew();
                await imports().twice();
              },
              kill: async (point) => {
                await renew();
                await imports().kill(point);
              },
            });
            const versions = [...model.seen, ...(await recorded(workshop.reader, model.uncertain))];
            const zone = { fuseau: 'Europe/Paris', journeeDebut: '00:00' };
            expect(await workshop.state()).toEqual(reference({ versions, ...zone }));
            await workshop.checkInvariants();
          } finally {
            await source.fermer();
          }
        },
      ),
      { numRuns: PROGRAMS },
    );
  },
  Math.max(300_000, PROGRAMS * 5_000),
);
