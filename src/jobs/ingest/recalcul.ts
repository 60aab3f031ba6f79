import { formatDay } from '../../base/time.ts';
import { parseEncoding } from '../../domain/journal/encoding.ts';
import type { Evenement } from '../../domain/journal/events.ts';
import { rank, unite } from '../../domain/journal/union.ts';
import { preferredPath } from '../../domain/journal/versions.ts';
import { computeSession } from '../../domain/session/session.ts';
import * as jours from '../../postgres/journaux/jours.ts';
import type { Client } from '../../postgres/pool.ts';
import * as sessions from '../../postgres/production/sessions.ts';
import { lireJours, MEMORY_BUDGET } from './analyse.ts';
import type { IngestContext } from './context.ts';
import { type SessionAEcrire, toValeurs, writeNewSessions, writeSession } from './ecriture.ts';
import type { WrittenRows } from './written-rows.ts';

/** Events of versions that are in memory: by SHA-256, then production day. */
export type Memoire = ReadonlyMap<string, ReadonlyMap<number, readonly Evenement[]>>;

export interface Recalcul {
  creees: number;
  modifiees: number;
  inchangees: number;
  supprimees: number;
  /** days that something was purged of: they stay as they are, whatever comes */
  gelees: number;
}

/** What recomputing needs of an import. */
export type RecalculContext = Pick<IngestContext, 'archive' | 'time' | 'logger' | 'onEtape'>;

/**
 * Recomputes production days of one centre from the bytes of the versions that count, and writes the difference
 * to what is stored. To be called inside a transaction; the days are locked until its end. Days that nobody
 * marked, or that somebody else has recomputed since, are left alone; so are days that something was purged of.
 */
export async function recalculer(
  ctx: RecalculContext,
  client: Client,
  centre: { readonly id: number; readonly attente: 'debut' | 'fin' },
  wanted: readonly number[],
  memoire: Memoire = new Map(),
  written?: WrittenRows,
): Promise<Recalcul> {
  const result: Recalcul = { creees: 0, modifiees: 0, inchangees: 0, supprimees: 0, gelees: 0 };
  const claimed = await jours.claimDays(client, centre.id, wanted);
  result.gelees = claimed.geles.length;
  if (claimed.geles.length > 0) {
    ctx.logger.info(
      { centre: centre.id, jours: claimed.geles.map(formatDay) },
      'journées gelées : la purge en a effacé, leurs chiffres ne changent plus',
    );
  }
  if (claimed.jours.length === 0) {
    await jours.deleteMarks(client, claimed.marks);
    return result;
  }
  const active = await jours.activeVersions(client, centre.id, claimed.jours);
  const stored = new Map(
    (await sessions.loadSessions(client, centre.id, claimed.jours)).map((session) => [session.jour, session]),
  );
  for (const group of groupDays(claimed.jours, active)) {
    const events = await loadEvents(ctx, centre.id, active, group, memoire);
    const fresh: SessionAEcrire[] = [];
    for (const jour of group) {
      const versions = active
        .filter((version) => version.jours.has(jour))
        .map((version) => ({ ...version, evenements: events.get(version.sha256)?.get(jour) ?? [] }));
      const ranked = rank(versions);
      const old = stored.get(jour);
      if (ranked.length === 0) {
        if (old) {
          await sessions.deleteSessions(client, centre.id, [old.id]);
          result.supprimees++;
        }
        continue;
      }
      const session = computeSession(unite(ranked), centre.attente);
      const source = preferredPath(ranked[session.source]!.chemins) ?? '';
      const versionIds = ranked.map((version) => version.versionId);
      const ecrite = { jour, session, valeurs: toValeurs(session, source), versionIds };
      if (!old) fresh.push(ecrite);
      else if (await writeSession(client, centre.id, old, ecrite, written)) result.modifiees++;
      else result.inchangees++;
    }
    await writeNewSessions(client, centre.id, fresh);
    result.creees += fresh.length;
    ctx.onEtape?.('dans_recalcul');
  }
  await jours.deleteMarks(client, claimed.marks);
  ctx.logger.debug(
    { centre: centre.id, jours: claimed.jours.map(formatDay), ...result },
    'journées recalculées',
  );
  ctx.onEtape?.('avant_validation');
  return result;
}

/** Groups of days whose events fit into memory together; a day is never cut. */
function* groupDays(days: readonly number[], active: readonly jours.VersionActive[]): Generator<number[]> {
  let group: number[] = [];
  let events = 0;
  for (const day of days) {
    const here = active.reduce((sum, version) => sum + (version.jours.get(day) ?? 0), 0);
    if (group.length > 0 && events + here > MEMORY_BUDGET) {
      yield group;
      group = [];
      events = 0;
    }
    group.push(day);
    events += here;
  }
  if (group.length > 0) yield group;
}

/** Events of the given days of every version: from memory where they are, else from the archive. */
async function loadEvents(
  ctx: RecalculContext,
  centreId: number,
  active: readonly jours.VersionActive[],
  days: readonly number[],
  memoire: Memoire,
): Promise<Memoire> {
  const events = new Map<string, ReadonlyMap<number, readonly Evenement[]>>();
  for (const version of active) {
    const wanted = new Set(days.filter((day) => version.jours.has(day)));
    if (wanted.size === 0) continue;
    const known = memoire.get(version.sha256);
    events.set(
      version.sha256,
      known ??
        (await lireJours(
          ctx.archive.read(centreId, version.sha256),
          parseEncoding(version.encodage),
          ctx.time,
          wanted,
        )),
    );
  }
  return events;
}
