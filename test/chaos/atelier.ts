// An installation that is there to be broken: its own PostgreSQL behind a proxy, its own small disk for the archive,
// worker processes with clocks of their own.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { vi } from 'vitest';
import { type Env, type Finished, type Installation, install, type Running } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';
import { ProxyDePanne } from '../harness/proxy.ts';

const run = promisify(execFile);
/** Bytes of the archive's small disk. */
const DISK = 24 * 1024 * 1024;
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/** One worker process after another, under one number. */
export interface Poste {
  running: Running;
  /** clock to be set by writing an offset in seconds, where that is possible */
  readonly horloge: string | undefined;
}

export class Atelier {
  readonly place: Installation;
  readonly server: PrivatePostgres;
  readonly proxy: ProxyDePanne;
  readonly postes: Poste[] = [];
  /** everything that ended: what it wrote must be whole lines */
  readonly finis: Finished[] = [];
  readonly #env: Env;
  readonly #horloges: boolean;
  readonly disque: boolean;

  private constructor(parts: {
    place: Installation;
    server: PrivatePostgres;
    proxy: ProxyDePanne;
    disque: boolean;
    horloges: boolean;
  }) {
    const { place, server, proxy } = parts;
    this.place = place;
    this.server = server;
    this.proxy = proxy;
    this.disque = parts.disque;
    this.#horloges = parts.horloges;
    const url = new URL(place.url);
    url.port = String(proxy.port);
    this.#env = {
      DATABASE_URL: url.href,
      METRICS_PORT: '0',
      CRON_LOGS: '* * * * *',
      CRON_PURGE: 'non',
      TACHE_PAUSE: '1',
    };
  }

  /** A new database on the given server, with its own folders. */
  static async installer(server: PrivatePostgres): Promise<Atelier> {
    const url = new URL(server.url);
    url.pathname = `/chaos_${randomBytes(5).toString('hex')}`;
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${url.pathname.slice(1)} TEMPLATE template0`);
    await admin.end();
    await migrateUrl(url.href);
    const place = await install({ url: url.href });
    await mkdir(place.archives, { recursive: true });
    const disque = await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', place.archives]).then(
      () => true,
      () => false,
    );
    const horloges = await access(FAKETIME).then(
      () => true,
      () => false,
    );
    return new Atelier({ place, server, proxy: await ProxyDePanne.devant(server.port), disque, horloges });
  }

  /** Starts worker `n`, anew if it ran before. */
  async embaucher(n: number): Promise<void> {
    const old = this.postes[n];
    const horloge = this.#horloges ? (old?.horloge ?? join(this.place.home, `horloge-${n}`)) : undefined;
    if (horloge !== undefined && !old) await writeFile(horloge, '+0');
    const clock: Env = horloge
      ? {
          LD_PRELOAD: FAKETIME,
          FAKETIME_TIMESTAMP_FILE: horloge,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        }
      : {};
    const running = this.place.start(['worker'], { ...this.#env, ...clock });
    void running.ended.then((finished) => this.finis.push(finished));
    if (old) this.postes[n] = { ...old, running };
    else this.postes[n] = { running, horloge };
  }

  /** Every worker runs and is ready. */
  async prets(timeout = 60_000): Promise<void> {
    for (const { running } of this.postes) {
      await vi.waitFor(
        () => {
          if (!running.text().includes('worker prêt')) throw new Error(running.text());
        },
        { timeout, interval: 50 },
      );
    }
  }

  /** SIGTERM to all; how they ended. */
  async congedier(): Promise<Finished[]> {
    for (const { running } of this.postes) running.process.kill('SIGTERM');
    return await Promise.all(this.postes.map(({ running }) => running.ended));
  }

  async fermer(): Promise<void> {
    for (const { running } of this.postes) {
      running.process.kill('SIGKILL');
      await running.ended;
    }
    await this.proxy.fermer();
    if (this.disque) await run('umount', ['-l', this.place.archives]);
    await this.place.close();
  }
}
