// PostgreSQL that crashes, an archive without room, migrations that race.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { readMigrations } from '../../src/postgres/migrate.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { runChild, startChild } from '../harness/child.ts';
import { makeContext, migrateUrl } from '../harness/context.ts';
import { createWorkshop } from '../harness/ingest.ts';
import { checkInvariants } from '../harness/invariants.ts';
import { createDatabase, startPrivatePostgres } from '../harness/postgres.ts';
import { recorded } from '../harness/programs.ts';
import { dumpState } from '../harness/state.ts';
import { growTree, randomFrom, referenceOf, seenIn, writeTree } from '../harness/tree.ts';
import type { SeenVersion } from '../reference/reference.ts';

const run = promisify(execFile);
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'atelier-pannes-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe('F29: PostgreSQL goes away in the middle', () => {
  it('F29, L5: stopped at once and started again, several times: the next import gives what no fault would', async () => {
    const server = await startPrivatePostgres();
    const logs = join(home, 'logs');
    const archives = join(home, 'archives');
    const random = randomFrom(29);
    try {
      await migrateUrl(server.url);
      await writeTree(logs, 12, 40);
      let failures = 0;
      const seen: SeenVersion[] = [];
      for (let round = 0; round < 4; round++) {
        seen.push(...(await seenIn(logs)));
        const context = makeContext({ url: server.url, logs, archives });
        // Stopped at a step of the import, not before or after it.
        let steps = 1 + Math.floor(random() * 12);
        let stopped: Promise<void> | undefined;
        const onEtape = (): void => {
          if (--steps === 0) stopped = server.stop('immediate');
        };
        await ingest({ ...context, onEtape }).catch(() => failures++);
        await (stopped ?? server.stop('immediate'));
        await server.start();
        await context.pool.end();
        await growTree(logs, 2, round + 1);
      }
      expect(failures).toBeGreaterThan(0);
      const context = makeContext({ url: server.url, logs, archives });
      await ingest(context);
      const versions = [...(await seenIn(logs)), ...(await recorded(context.pool, seen))];
      expect(await dumpState(context.pool)).toEqual(referenceOf(versions));
      await checkInvariants(context.pool, context.archive);
      await context.pool.end();
    } finally {
      await server.remove();
    }
  });
});

describe('F34: no room for the archive', () => {
  it.each(['disk', 'file size limit'])(
    '%s: nothing is registered without its archive; with room, all is',
    async (kind) => {
      const workshop = await createWorkshop();
      let mounted = false;
      try {
        await mkdir(workshop.archives, { recursive: true });
        // Only root may mount; the limit of the process is the same fault for everybody.
        if (kind === 'disk') {
          mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', workshop.archives]).then(
            () => true,
            () => false,
          );
        }
        await writeTree(workshop.logs, 16, 400);
        const order = {
          task: 'ingest',
          url: workshop.url,
          logs: workshop.logs,
          archives: workshop.archives,
        } as const;
        const failed = await runChild(order, mounted ? {} : { shell: 'ulimit -f 1' });
        expect([failed.code, failed.result?.erreur]).toEqual([
          1,
          expect.stringMatching(/archive.*(ENOSPC|EFBIG)/),
        ]);
        // Whatever was registered is archived, whole days only.
        const { rows } = await workshop.reader.query<{ sha: string; centre: number }>(
          `SELECT encode(sha256, 'hex') AS sha, centre_usinage_id AS centre FROM fichier_log_version`,
        );
        for (const { sha, centre } of rows)
          expect(await workshop.context.archive.has(centre, sha)).toBe(true);
        expect(await readdir(join(workshop.archives, 'en-attente')).catch(() => [])).toEqual([]);
        if (mounted) await run('mount', ['-o', 'remount,size=32m', workshop.archives]);
        await workshop.import();
        expect(await workshop.state()).toEqual(referenceOf(await seenIn(workshop.logs)));
        await workshop.checkInvariants();
      } finally {
        if (mounted) await run('umount', ['-l', workshop.archives]);
        await workshop.close();
      }
    },
  );
});

describe('P10: migrations', () => {
  it('P10, F32: twenty processes migrate at once, one of them killed: each migration once, all others content', async () => {
    const database = await createDatabase({ template: false });
    try {
      const order = { task: 'migrate', url: database.url, logs: home, archives: home } as const;
      const children = Array.from({ length: 20 }, () => startChild(order));
      const pool = createPool(database.url, { logger: silentLogger(), max: 1 });
      // Killed while it holds the lock of the migrations, if that moment is met; else while it waits.
      for (let met = false; !met; await sleep(5)) {
        const { rowCount } = await pool.query(
          `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
        met = (rowCount ?? 0) > 0;
      }
      children[0]!.process.kill('SIGKILL');
      const ends = await Promise.all(children.map((child) => child.ended));
      for (const [i, { code, stderr }] of ends.entries()) {
        if (i > 0) expect([code, stderr]).toEqual([0, expect.anything()]);
      }
      const { rows } = await pool.query('SELECT nom FROM migration ORDER BY id');
      expect(rows.map(({ nom }) => nom)).toEqual(readMigrations().map(({ nom }) => nom));
      await pool.end();
    } finally {
      await database.drop();
    }
  });
});
