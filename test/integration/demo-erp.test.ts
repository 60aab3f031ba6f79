// `npm run demo` without its ERP: whatever goes wrong there is one line with the way out, and the demonstration goes on
// to the API. The programs of MariaDB and the package manager are stand-ins, found before the real ones.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAMMES_MARIADB, program } from '../../src/embedded/mariadb-lieux.ts';
import { freePort } from '../../src/embedded/postgres-process.ts';
import { type Finished, startAtelier } from '../harness/cli.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';

const ROOT = process.getuid?.() === 0;
if (!ROOT)
  process.stdout.write(
    'démonstration sans MariaDB : un essai passé, il faut root pour cacher un programme\n',
  );

let home: string;
let port: number;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'atelier-demo-erp-'));
  // The embedded servers do not run as root: their accounts must get in.
  chmodSync(home, 0o755);
  port = await freePort();
}, 120_000);
afterEach(() => rmSync(join(home, 'bin'), { recursive: true, force: true }));
afterAll(async () => {
  await run(['demo', '--arreter']);
  await run(['db', 'stop']);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** Puts a program before the one of this machine. */
function standIn(name: string, script: string): void {
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

async function run(args: readonly string[], before: readonly string[] = []): Promise<Finished> {
  const env = { PATH: `${join(home, 'bin')}:${process.env['PATH']}` };
  return await startAtelier(args, { cwd: home, env, before }).ended;
}

/** Runs the demonstration to its end, which must be the API, and gives what it said of its ERP. */
async function withoutOrders(before: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await run(['demo', '--port', String(port)], before);
  expect([code, stderr]).toEqual([0, expect.stringContaining('sans commandes')]);
  expect(stdout).toContain(`http://localhost:${port}/docs`);
  expect((await fetch(`http://localhost:${port}/health`)).status).toBe(200);
  const lines = stderr.trim().split('\n');
  expect(lines.filter((line) => /sans commandes|\bat \S+:\d+|ATL_E/.test(line))).toHaveLength(1);
  return lines.at(-1)!;
}

describe('the demonstration goes on to the API, exit 0, when', () => {
  it.skipIf(!ROOT)(
    'a package of MariaDB is missing and cannot be installed',
    async () => {
      standIn(
        'apt-get',
        `case "$*" in *install*) echo 'E: Unable to locate package x' >&2; exit 100 ;; esac`,
      );
      for (const { program: name, debian } of PROGRAMMES_MARIADB) {
        // In a mount namespace of its own: for this run alone the program is not one.
        const hide = `mount --bind /dev/null ${program(name)} 2>/dev/null; exec "$@"`;
        const line = await withoutOrders(['unshare', '--mount', 'sh', '-c', hide, 'sh']);
        expect(line).toMatch(/apt-get install a échoué \(Unable to locate package x\) : il manque/);
        expect(line).toContain(`apt-get install ${debian}`);
      }
    },
    240_000,
  );

  it.skipIf(SANS_MARIADB)(
    'its data folder cannot be made',
    async () => {
      standIn('mariadb-install-db', `echo 'FATAL ERROR: Could not find my_print_defaults'; exit 1`);
      expect(await withoutOrders()).toMatch(/Préparation des données de MariaDB : .*mariadb\.log.*effacé/);
    },
    240_000,
  );

  it.skipIf(SANS_MARIADB)(
    'its server does not start',
    async () => {
      standIn('mariadbd', `echo 'Aborting' >&2; exit 1`);
      expect(await withoutOrders()).toMatch(
        /Démarrage de MariaDB : arrêt immédiat \(1\) ; voir .*mariadb\.log/,
      );
    },
    240_000,
  );

  it.skipIf(SANS_MARIADB)(
    'its orders cannot be stored; and shows them as soon as they can',
    async () => {
      const admin = new pg.Client({ connectionString: (await run(['db', 'url'])).stdout.trim() });
      await admin.connect();
      try {
        await admin.query(`CREATE FUNCTION refus() RETURNS trigger LANGUAGE plpgsql
          AS $$ BEGIN RAISE EXCEPTION 'plus de place dans le carnet'; END $$`);
        await admin.query(
          'CREATE TRIGGER refus BEFORE INSERT ON commandes_volets_roulants EXECUTE FUNCTION refus()',
        );
        expect(await withoutOrders()).toContain('plus de place dans le carnet');
        await admin.query('DROP FUNCTION refus() CASCADE');
      } finally {
        await admin.end();
      }
      const { code, stdout, stderr } = await run(['demo', '--port', String(port)]);
      expect([code, stdout]).toEqual([0, expect.stringContaining('57 ajoutées')]);
      expect(stderr).not.toContain('sans commandes');
    },
    240_000,
  );
});
