import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Etape, IngestContext } from '../../src/jobs/ingest/context.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import type { FichierSource, SourceJournaux } from '../../src/sources/source.ts';
import type { ModelImports } from '../reference/programs.ts';
import type { SeenVersion } from '../reference/reference.ts';
import { sha256Of } from '../reference/reference.ts';
import type { Workshop } from './ingest.ts';

export const ETAPES: readonly Etape[] = [
  'apres_lecture',
  'avant_enregistrement',
  'dans_enregistrement',
  'apres_enregistrement',
  'dans_recalcul',
  'avant_validation',
  'apres_recalcul',
];

/** Thrown at a named point: the import is over there and then, as far as one process can play it. */
export class Killed extends Error {
  /** as when the server goes: what concerns one file or day only would be put aside, and the import go on */
  readonly code = '57P01';
}

/**
 * A source whose signatures are hashes of the bytes. The real one gives none for files changed within the last two
 * seconds, which in a test is all of them: that a file is left alone because of its signature is tested with this.
 */
export function withPerfectSignatures(source: SourceJournaux, logs: string): SourceJournaux {
  const sign = async (fichier: FichierSource): Promise<string> =>
    createHash('sha256')
      .update(await readFile(join(logs, fichier.chemin)))
      .digest('hex');
  return {
    description: source.description,
    watch: (onHint, signal) => source.watch(onHint, signal),
    async *list() {
      for await (const entree of source.list()) {
        if (entree.kind !== 'fichier') yield entree;
        else yield { ...entree, fichier: { ...entree.fichier, signature: await sign(entree.fichier) } };
      }
    },
    async open(fichier) {
      return { ...(await source.open(fichier)), signature: await sign(fichier) };
    },
  };
}

/** The imports of a program as the real ones: one, two at once, and one that is killed. */
export function realImports(workshop: Workshop, options: { signatures: boolean }): ModelImports {
  const { context } = workshop;
  const source = options.signatures ? withPerfectSignatures(context.source, workshop.logs) : context.source;
  const base: IngestContext = { ...context, source };
  return {
    run: async () => void (await ingest(base)),
    twice: async () => void (await Promise.all([ingest(base), ingest(base)])),
    kill: (point) => killed(workshop, base, point),
  };
}

/** Points 0 to 6 stop at a named step, 7 to 9 lose every connection there. */
async function killed(workshop: Workshop, base: IngestContext, point: number): Promise<void> {
  const named = ETAPES[point];
  if (named) {
    const onEtape = (etape: Etape): void => {
      if (etape === named) throw new Killed(etape);
    };
    await ingest({ ...base, onEtape }).catch(() => undefined);
    return;
  }
  const cut: readonly Etape[] = ['avant_enregistrement', 'dans_enregistrement', 'dans_recalcul'];
  const at = cut[point - ETAPES.length];
  // A pool of its own: what the next import finds in the pool must not depend on when the loss is noticed.
  const pool = createPool(workshop.url, { logger: base.logger, max: 2 });
  pool.options.application_name = CONDEMNED;
  const lost: Promise<void>[] = [];
  const onEtape = (etape: Etape): void => {
    if (etape === at && lost.length === 0) lost.push(loseConnections(workshop.url));
  };
  await ingest({ ...base, pool, onEtape }).catch(() => undefined);
  await Promise.all(lost);
  await pool.end();
}

const CONDEMNED = 'condamne';

/** What an administrator's `pg_terminate_backend` or a dying server does to the import's connections. */
async function loseConnections(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = $1`,
    [CONDEMNED],
  );
  await admin.end();
}

/** Of versions that killed imports may have seen, those that one of them did register. */
export async function recorded(reader: Pool, candidates: SeenVersion[]): Promise<SeenVersion[]> {
  const { rows } = await reader.query<{ key: string }>(
    `SELECT f.chemin || ' ' || encode(v.sha256, 'hex') AS key
       FROM fichier_log_contenu c JOIN fichier_log f ON f.id = c.fichier_log_id
       JOIN fichier_log_version v ON v.id = c.version_id
     UNION SELECT f.chemin || ' ' || encode(p.sha256, 'hex')
       FROM fichier_log_prefixe p JOIN fichier_log f ON f.id = p.fichier_log_id`,
  );
  const keys = new Set(rows.map((row) => row.key));
  return candidates.filter(({ chemin, octets }) => keys.has(`${chemin} ${sha256Of(octets)}`));
}
