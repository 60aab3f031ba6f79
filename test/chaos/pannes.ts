// What may go wrong, each with its end: after it, everything can work again.

import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Atelier } from './atelier.ts';

const run = promisify(execFile);

export interface Panne {
  readonly nom: string;
  /** absent: always possible */
  readonly possible?: (atelier: Atelier) => boolean;
  faire(atelier: Atelier, random: () => number): Promise<void>;
}

const between = (random: () => number, least: number, most: number): number =>
  Math.floor(least + random() * (most - least));

/** A worker that runs now. */
function victime(atelier: Atelier, random: () => number): number {
  return between(random, 0, atelier.postes.length);
}

export const PANNES: readonly Panne[] = [
  {
    nom: 'O6, F30 : kill -9 d’un worker',
    async faire(atelier, random) {
      const n = victime(atelier, random);
      const { running } = atelier.postes[n]!;
      running.process.kill('SIGKILL');
      await running.ended;
      await sleep(between(random, 0, 600));
      await atelier.embaucher(n);
    },
  },
  {
    nom: 'O7 : worker gelé (SIGSTOP), puis repris',
    async faire(atelier, random) {
      const { running } = atelier.postes[victime(atelier, random)]!;
      running.process.kill('SIGSTOP');
      await sleep(between(random, 200, 4_000));
      running.process.kill('SIGCONT');
    },
  },
  {
    nom: 'O10, F29 : PostgreSQL arrêté net, puis relancé',
    async faire(atelier, random) {
      await atelier.server.stop('immediate');
      await sleep(between(random, 0, 1_500));
      await atelier.server.start();
    },
  },
  {
    nom: 'O10 : toutes les sessions PostgreSQL fermées',
    async faire(atelier) {
      const admin = new pg.Client({ connectionString: atelier.place.url });
      await admin.connect();
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      await admin.end();
    },
  },
  {
    nom: 'O11 : toutes les connexions coupées (RST)',
    async faire(atelier) {
      atelier.proxy.toutCouper();
    },
  },
  {
    nom: 'O11 : connexions coupées après quelques octets',
    async faire(atelier, random) {
      atelier.proxy.panne = { couperApres: between(random, 0, 8_000) };
      await sleep(between(random, 500, 2_000));
      atelier.proxy.panne = {};
    },
  },
  {
    nom: 'O11 : trou noir',
    async faire(atelier, random) {
      atelier.proxy.panne = { trouNoirApres: between(random, 0, 4_000) };
      await sleep(between(random, 500, 3_000));
      atelier.proxy.panne = {};
      // What the hole swallowed is missing: a connection that goes on with a gap exists in no network.
      atelier.proxy.toutCouper();
    },
  },
  {
    nom: 'O11 : tranches d’un octet',
    async faire(atelier, random) {
      atelier.proxy.panne = { tranche: 1 };
      await sleep(between(random, 300, 1_500));
      atelier.proxy.panne = {};
    },
  },
  {
    nom: 'O11 : réseau lent',
    async faire(atelier, random) {
      atelier.proxy.panne = { latence: between(random, 20, 300) };
      await sleep(between(random, 500, 2_500));
      atelier.proxy.panne = {};
    },
  },
  {
    nom: 'O12, F34 : disque des archives plein',
    possible: ({ disque }) => disque,
    async faire(atelier, random) {
      const filler = join(atelier.place.archives, 'plein');
      const { bavail, bsize } = statfsSync(atelier.place.archives);
      await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => undefined);
      await sleep(between(random, 300, 2_000));
      await rm(filler);
    },
  },
  {
    nom: 'O12 : RLIMIT_FSIZE',
    async faire(atelier, random) {
      const { pid } = atelier.postes[victime(atelier, random)]!.running.process;
      const limit = (size: string): Promise<unknown> =>
        // It may be gone, or gone meanwhile.
        run('prlimit', ['--pid', String(pid), `--fsize=${size}:`]).catch(() => undefined);
      await limit('256');
      await sleep(between(random, 300, 2_000));
      await limit('unlimited');
    },
  },
  {
    nom: 'O8 : l’horloge d’un worker saute',
    possible: ({ postes }) => postes[0]?.horloge !== undefined,
    async faire(atelier, random) {
      const { horloge } = atelier.postes[victime(atelier, random)]!;
      await writeFile(horloge!, `${random() < 0.5 ? '+' : '-'}${between(random, 1, 7_200)}`);
    },
  },
];
