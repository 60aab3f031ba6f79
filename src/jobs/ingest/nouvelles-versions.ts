import type { ArchiveEnAttente } from '../../archives/archive.ts';
import { AtelierError } from '../../base/errors.ts';
import { formatEncoding } from '../../domain/journal/encoding.ts';
import type { ContenuConnu } from '../../domain/journal/versions.ts';
import { joursSansQuarantaine } from '../../postgres/conservation/jours-geles.ts';
import { deleteAutresJours, insertJours } from '../../postgres/journaux/jours.ts';
import { copyRejets, deleteRejets, recompterPurges } from '../../postgres/journaux/rejets.ts';
import {
  insertVersions,
  isHeldOnce,
  markArchivesStale,
  updateVersion,
  type VersionEcrite,
  type VersionRow,
} from '../../postgres/journaux/versions.ts';
import type { Client } from '../../postgres/pool.ts';
import { type ContenuLu, daterRejets, lireRejets, MAX_EVENTS_PER_DAY, type RejetDate } from './analyse.ts';
import type { IngestContext } from './context.ts';
import type { Lecture } from './lecture.ts';

/** Bytes that nobody knew, and the paths that hold them. */
export interface Nouvelle {
  readonly lectures: Lecture[];
  readonly contenu: ContenuLu & { readonly archive: Promise<ArchiveEnAttente> };
  /** the version that they continue, whose row they take over if no other path holds it */
  readonly grandie: ContenuConnu | undefined;
  /** whether they go on from that one: where it had NULs instead, other lines may stand */
  readonly suite: boolean;
}

/** Whether a new version took over the row of the one that it continues. */
export function estEnPlace(nouvelle: Nouvelle, versionId: number): boolean {
  return nouvelle.grandie?.versionId === versionId;
}

/**
 * Writes new versions: archive, row, days, quarantine. Returns their ids.
 *
 * @param before the versions that may be continued, as they are
 */
export async function writeVersions(
  ctx: IngestContext,
  client: Client,
  centre: { readonly id: number; readonly regles: string },
  nouvelles: readonly Nouvelle[],
  before: readonly VersionRow[],
  aBlanc: boolean,
): Promise<Map<Nouvelle, number>> {
  const ids = new Map<Nouvelle, number>();
  if (nouvelles.length === 0) return ids;
  const waiting = await Promise.all(
    nouvelles.map(async ({ lectures, contenu }) => ({
      sha256: lectures[0]!.sha256,
      waiting: await contenu.archive,
    })),
  );
  if (aBlanc) ctx.archive.rehearse(centre.id, waiting);
  else await ctx.archive.place(centre.id, waiting);

  /** lines of a grown version whose rejects stay as they are */
  const keptLines = new Map<Nouvelle, number>();
  /** grown versions of whose rejects some were purged */
  const purged: number[] = [];
  const inserted: Nouvelle[] = [];
  for (const nouvelle of nouvelles) {
    const old = before.find(({ id }) => id === nouvelle.grandie?.versionId);
    if (old && (await isHeldOnce(client, old.id))) {
      keptLines.set(nouvelle, await grow(client, centre, old, nouvelle));
      ids.set(nouvelle, old.id);
      if (old.rejets_purges > 0) purged.push(old.id);
    } else {
      inserted.push(nouvelle);
    }
  }
  const rows = inserted.map((nouvelle) => toVersion(nouvelle, centre.regles));
  const insertedIds = await insertVersions(client, centre.id, rows);
  for (const [i, nouvelle] of inserted.entries()) ids.set(nouvelle, insertedIds[i]!);
  const jours = [...ids].map(([nouvelle, versionId]) => ({ versionId, jours: joursDe(nouvelle.contenu) }));
  await insertJours(client, centre.id, jours);
  // A day that grows by a line has, most of the time, no more rejects than before.
  const rejects = (nouvelle: Nouvelle): boolean =>
    nouvelle.contenu.rejets?.some(({ ligne }) => ligne > (keptLines.get(nouvelle) ?? 0)) ?? true;
  if (nouvelles.some(rejects)) {
    const purges = await joursSansQuarantaine(client, centre.id);
    await copyRejets(client, centre.id, quarantaine(ctx, centre.id, ids, keptLines), purges);
  }
  await recompterPurges(client, purged);
  return ids;
}

/** Lets a version become the longer one that continues it; returns how many of its lines stay as they are. */
async function grow(
  client: Client,
  centre: { readonly id: number; readonly regles: string },
  before: VersionRow,
  nouvelle: Nouvelle,
): Promise<number> {
  const row = toVersion(nouvelle, centre.regles);
  await deleteAutresJours(client, before.id, joursDe(nouvelle.contenu).keys());
  // All lines but the last one are the same in the longer bytes, unless they are read in another encoding; and the one
  // before it, whose CR may turn out to be the half of an ending.
  const kept = nouvelle.suite && before.encodage === row.encodage ? Math.max(before.lignes - 2, 0) : 0;
  if (before.lignes_rejetees > 0) await deleteRejets(client, before.id, kept + 1);
  await updateVersion(client, before.id, row);
  await markArchivesStale(client, centre.id, [before.sha256]);
  return kept;
}

async function* quarantaine(
  ctx: IngestContext,
  centreId: number,
  ids: ReadonlyMap<Nouvelle, number>,
  keptLines: ReadonlyMap<Nouvelle, number>,
): AsyncGenerator<readonly [number, RejetDate]> {
  for (const [nouvelle, versionId] of ids) {
    const { contenu, lectures } = nouvelle;
    const kept = keptLines.get(nouvelle) ?? 0;
    const all =
      daterRejets(contenu) ??
      lireRejets(
        ctx.archive.read(centreId, lectures[0]!.sha256),
        contenu.encodage,
        ctx.time,
        ctx.config.masques,
      );
    for await (const rejet of all) if (rejet.ligne > kept) yield [versionId, rejet];
  }
}

export function toVersion({ lectures, contenu }: Nouvelle, regles: string): VersionEcrite {
  const { sha256, taille, nuls } = lectures[0]!;
  const { encodage, reading } = contenu;
  return {
    sha256,
    taille,
    nuls,
    encodage: formatEncoding(encodage),
    reading,
    regles,
    ecartee: raisonEcart(contenu),
  };
}

/** Days that a version counts for: none when it is put aside. */
export function joursDe(contenu: ContenuLu): ReadonlyMap<number, number> {
  return raisonEcart(contenu) === undefined ? contenu.evenementsParJour : new Map();
}

/** Why a version is archived but does not count, if so. */
export function raisonEcart(contenu: ContenuLu): string | undefined {
  const most = Math.max(0, ...contenu.evenementsParJour.values());
  if (most <= MAX_EVENTS_PER_DAY) return undefined;
  return new AtelierError('ATL_L204', `${most} événements en une journée de production`).message;
}
