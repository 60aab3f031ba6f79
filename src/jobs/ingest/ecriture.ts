import { formatDecimal, formatDecimalMicros } from '../../domain/session/decimal.ts';
import type { PeriodeCalculee, Provenance, SessionCalculee } from '../../domain/session/session.ts';
import type { Value } from '../../postgres/copy-encoder.ts';
import type { AppendedPieces } from '../../postgres/journaux/append.ts';
import type { Client } from '../../postgres/pool.ts';
import {
  copyDetails,
  type DetailRows,
  type DetailTable,
  FEW,
  insertDetails,
  JOB_PROFIL,
  loadDetails,
  mergeDetails,
  PERIODE_ARRET,
  PERIODE_ATTENTE,
  PIECE_PRODUCTION,
  reserveIds,
} from '../../postgres/production/details.ts';
import * as sessions from '../../postgres/production/sessions.ts';
import { continuesSession, LISTS, type WrittenRows, type WrittenSession } from './written-rows.ts';

/** A computed session, and the version ids that its rows refer to by index. */
export interface SessionAEcrire extends sessions.SessionEcrite {
  readonly versionIds: readonly number[];
  readonly session: SessionCalculee;
}

/** The columns of `session_production` that a computed session fills. */
export function toValeurs(session: SessionCalculee, source: string): sessions.SessionValeurs {
  return {
    heure_premiere_piece: session.premierePiece ?? null,
    heure_derniere_piece: session.dernierePiece ?? null,
    heure_premier_machine_start: session.premierStart ?? null,
    heure_dernier_machine_stop: session.dernierStop ?? null,
    total_pieces: session.pieces.length,
    duree_production_totale: formatDecimal(session.dureeProductionTotale),
    temps_attente: formatDecimal(session.tempsAttente),
    temps_arret_volontaire: formatDecimal(session.tempsArretVolontaire),
    temps_production_effectif: formatDecimal(session.tempsProductionEffectif),
    taux_occupation: formatDecimal(session.tauxOccupation),
    taux_attente: formatDecimal(session.tauxAttente),
    taux_arret_volontaire: formatDecimal(session.tauxArretVolontaire),
    fichier_log_source: source,
  };
}

/** Writes sessions that are not stored yet, details and all, with one COPY a table. */
export async function writeNewSessions(
  client: Client,
  centreId: number,
  fresh: readonly SessionAEcrire[],
): Promise<void> {
  if (fresh.length === 0) return;
  const ids = await sessions.insertSessions(client, centreId, fresh);
  const profilIds = await reserveIds(
    client,
    JOB_PROFIL,
    fresh.reduce((sum, { session }) => sum + session.profils.length, 0),
  );
  let taken = 0;
  const details = fresh.map((ecrite, i) => {
    const own = profilIds.slice(taken, taken + ecrite.session.profils.length);
    taken += own.length;
    return detailRows(centreId, ids[i]!, ecrite, own);
  });
  for (const table of TABLES)
    await copyDetails(
      client,
      table,
      details.map((rows) => rows.get(table)!),
    );
}

/**
 * Writes the difference between a stored session and the computed one; false when there is none.
 *
 * @param written what is known to be stored of sessions that grow
 */
export async function writeSession(
  client: Client,
  centreId: number,
  stored: sessions.SessionStockee,
  ecrite: SessionAEcrire,
  written?: WrittenRows,
): Promise<boolean> {
  const known = written?.get(centreId, stored.jour);
  const current = known?.id === stored.id && known.jeton === stored.jeton ? known : undefined;
  let jeton = await sessions.updateSession(client, centreId, stored, ecrite);
  const merged =
    (current && (await growRows(client, centreId, current, ecrite))) ??
    (await mergeRows(client, centreId, stored.id, ecrite));
  const { profilIds, changed, read } = merged;
  // Whoever remembers what it wrote sees by the row of the session that somebody else wrote since.
  if (changed) jeton ??= await sessions.touchSession(client, centreId, stored.id);
  const { session, versionIds } = ecrite;
  const now = { id: stored.id, jeton: jeton ?? stored.jeton, session, versionIds, profilIds };
  written?.set(centreId, stored.jour, now, { read });
  return changed || jeton !== undefined;
}

interface Merged {
  readonly profilIds: readonly number[];
  readonly changed: boolean;
  /** whether the rows were read for it */
  readonly read: boolean;
}

/** What is stored is read, and made what it should be. */
async function mergeRows(
  client: Client,
  centreId: number,
  sessionId: number,
  ecrite: SessionAEcrire,
): Promise<Merged> {
  let changed = false;
  const oldProfils = await loadDetails(client, JOB_PROFIL, sessionId);
  const missing = Math.max(0, ecrite.session.profils.length - oldProfils.length);
  const profilIds = [
    ...oldProfils.slice(0, ecrite.session.profils.length).map((row) => row.id),
    ...(await reserveIds(client, JOB_PROFIL, missing)),
  ];
  const details = detailRows(centreId, sessionId, ecrite, profilIds);
  // Pieces go last when profiles are added, for they refer to them; rows that go are let go by the database.
  for (const table of TABLES) {
    const old = table === JOB_PROFIL ? oldProfils : await loadDetails(client, table, sessionId);
    const { ajoutees, modifiees, supprimees } = await mergeDetails(client, table, old, details.get(table)!);
    changed ||= ajoutees + modifiees + supprimees > 0;
  }
  return { profilIds, changed, read: true };
}

/**
 * Adds rows to those that are known to be stored, when that is all that changes.
 *
 * @returns undefined when more changes
 */
async function growRows(
  client: Client,
  centreId: number,
  known: WrittenSession,
  ecrite: SessionAEcrire,
): Promise<Merged | undefined> {
  if (!continuesKnown(known, ecrite)) return undefined;
  const missing = ecrite.session.profils.length - known.profilIds.length;
  const profilIds = [...known.profilIds, ...(await reserveIds(client, JOB_PROFIL, missing))];
  const details = detailRows(centreId, known.id, ecrite, profilIds);
  let added = 0;
  for (const [i, table] of TABLES.entries()) {
    const from = known.session[LISTS[i]!].length;
    await insertDetails(client, table, details.get(table)!, from);
    added += ecrite.session[LISTS[i]!].length - from;
  }
  return { profilIds, changed: added > 0, read: false };
}

/**
 * The new pieces of a session that gets nothing else.
 *
 * @returns undefined when it does, or gets none, or too many for one statement
 */
export function addedPieces(
  centreId: number,
  known: WrittenSession,
  ecrite: SessionAEcrire,
): AppendedPieces | undefined {
  const { session } = ecrite;
  const from = known.session.pieces.length;
  const few = session.pieces.length > from && session.pieces.length - from <= FEW;
  const others = LISTS.some(
    (name) => name !== 'pieces' && session[name].length !== known.session[name].length,
  );
  if (!few || others || !continuesKnown(known, ecrite)) return undefined;
  const rows = detailRows(centreId, known.id, ecrite, known.profilIds).get(PIECE_PRODUCTION)!;
  return { session: ecrite, id: known.id, jeton: known.jeton, rows, from };
}

function continuesKnown(known: WrittenSession, { session, versionIds }: SessionAEcrire): boolean {
  const versions = known.versionIds;
  return (
    versions.length <= versionIds.length &&
    versions.every((id, i) => id === versionIds[i]) &&
    continuesSession(known.session, session)
  );
}

/** In the order in which they are written: pieces refer to profiles; that of {@link LISTS}. */
const TABLES: readonly DetailTable[] = [JOB_PROFIL, PERIODE_ATTENTE, PERIODE_ARRET, PIECE_PRODUCTION];

function detailRows(
  centreId: number,
  sessionId: number,
  { session, versionIds }: { session: SessionCalculee; versionIds: readonly number[] },
  profilIds: readonly number[],
): Map<DetailTable, DetailRows> {
  const lineage = ({ version, ligne }: Provenance): [number, number] => [versionIds[version]!, ligne];
  const period = (p: PeriodeCalculee): Value[] => {
    const start = BigInt(p.debut) * 1_000_000n + BigInt(p.decalage);
    return [start, start + BigInt(p.duree), formatDecimalMicros(p.duree), ...lineage(p.provenance)];
  };
  const rows = <T>(items: readonly T[], values: (item: T) => Value[]): DetailRows => ({
    sessionId,
    centreId,
    length: items.length,
    values: (i) => values(items[i]!),
  });
  const profils = rows(session.profils, (p) => [
    p.reference,
    p.longueur,
    p.couleur,
    p.debut,
    ...lineage(p.provenance),
  ]);
  return new Map([
    [JOB_PROFIL, { ...profils, ids: profilIds }],
    [PERIODE_ATTENTE, rows(session.attentes, period)],
    [PERIODE_ARRET, rows(session.arrets, (p) => [...period(p), ...lineage(p.provenanceFin!)])],
    [
      PIECE_PRODUCTION,
      rows(session.pieces, (p) => [
        p.instant,
        p.details,
        p.profil < 0 ? null : profilIds[p.profil]!,
        versionIds[p.version]!,
        p.ligne,
      ]),
    ],
  ]);
}
