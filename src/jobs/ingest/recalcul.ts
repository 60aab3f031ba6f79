import { formatDay } from '../../base/time.ts';
import { parseEncoding } from '../../domain/journal/encoding.ts';
import type { Evenement } from '../../domain/journal/events.ts';
import { preferredPath } from '../../domain/journal/versions.ts';
import { computeSession } from '../../domain/session/session.ts';
import * as jours from '../../postgres/journaux/jours.ts';
import type { Client } from '../../postgres/pool.ts';
import * as sessions from '../../postgres/production/sessions.ts';
import { lireJours, MEMORY_BUDGET } from './analyse.ts';
import type { IngestContext } from './context.ts';
import { type SessionAEcrire, toValeurs, writeNewSessions, writeSession } from './ecriture.ts';
import { type JourReuni, Reunions } from './reunions.ts';
import type { WrittenRows } from './written-rows.ts';

/** Events of versions that are in memory: by SHA-256, then production day. */
export type Memoire = ReadonlyMap<string, ReadonlyMap<number, readonly Evenement[]>>;

/** What was learnt a moment ago, and spares work; without it the same comes out. */
export interface Souvenirs {
  readonly memoire?: Memoire;
  /** of sessions that grow while they are followed */
  readonly written?: WrittenRows | undefined;
  /** of days of several versions */
  readonly reunions?: Reunions;
}

export interface Recalcul {
  creees: number;
  modifiees: number;
  inchangees: number;
  supprimees: number;
  /** days that something was purged of: they stay as they are, whatever comes */
  gelees: number;
}

/** What recomputing needs of an import. */
export type RecalculContext = Pick<IngestContext, 'archive' | 'config' | 'time' | 'logger' | 'onEtape'>;

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
  { memoire = new Map(), written, reunions = new Reunions(() => 0) }: Souvenirs = {},
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
  const bySha = new Map(active.map((version) => [version.sha256, version]));
  const stored = new Map(
    (await sessions.loadSessions(client, centre.id, claimed.jours)).map((session) => [session.jour, session]),
  );
  for (const group of groupDays(claimed.jours, active)) {
    const days = new Map(group.map((jour) => [jour, reunions.take(centre.id, jour)]));
    await loadEvents(ctx, centre.id, active, days, memoire);
    const fresh: SessionAEcrire[] = [];
    for (const [jour, day] of days) {
      const union = day.unir();
      const ranked = union.versions.map((sha256) => bySha.get(sha256)!);
      const old = stored.get(jour);
      if (ranked.length === 0) {
        if (old) {
          await sessions.deleteSessions(client, centre.id, [old.id]);
          result.supprimees++;
        }
        continue;
      }
      const session = computeSession(union.jour, centre.attente);
      const source = preferredPath(ranked[session.source]!.chemins) ?? '';
      const versionIds = ranked.map((version) => version.versionId);
      const ecrite = { jour, session, valeurs: toValeurs(session, source), versionIds };
      if (!old) fresh.push(ecrite);
      else if (await writeSession(client, centre.id, old, ecrite, written)) result.modifiees++;
      else result.inchangees++;
    }
    await writeNewSessions(client, centre.id, fresh);
    for (const [jour, day] of days)
      if (active.filter((version) => version.jours.has(jour)).length > 1) reunions.put(centre.id, jour, day);
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

/** Lets days have the events of every version that they do not know: from memory where they are, else from the archive. */
async function loadEvents(
  ctx: RecalculContext,
  centreId: number,
  active: readonly jours.VersionActive[],
  days: ReadonlyMap<number, JourReuni>,
  memoire: Memoire,
): Promise<void> {
  const unknown = new Map(
    [...days].map(([jour, day]) => [
      jour,
      day.commencer(active.filter((version) => version.jours.has(jour))),
    ]),
  );
  for (const version of active) {
    const wanted = new Set([...unknown].filter(([, shas]) => shas.has(version.sha256)).map(([jour]) => jour));
    if (wanted.size === 0) continue;
    const events =
      memoire.get(version.sha256) ??
      (await lireJours(
        ctx.archive.read(centreId, version.sha256),
        parseEncoding(version.encodage),
        ctx.time,
        ctx.config.masques,
        wanted,
      ));
    for (const jour of wanted) days.get(jour)!.add(version, events.get(jour) ?? []);
  }
}
