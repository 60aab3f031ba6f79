import { formatDecimal, formatDecimalMicros } from '../../domain/session/decimal.ts';
import type { PeriodeCalculee, Provenance, SessionCalculee } from '../../domain/session/session.ts';
import type { Value } from '../../postgres/copy-encoder.ts';
import type { Client } from '../../postgres/pool.ts';
import {
  copyDetails,
  type DetailRows,
  type DetailTable,
  JOB_PROFIL,
  loadDetails,
  mergeDetails,
  PERIODE_ARRET,
  PERIODE_ATTENTE,
  PIECE_PRODUCTION,
  reserveIds,
} from '../../postgres/production/details.ts';
import * as sessions from '../../postgres/production/sessions.ts';

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

/** Writes the difference between a stored session and the computed one; false when there is none. */
export async function writeSession(
  client: Client,
  centreId: number,
  stored: sessions.SessionStockee,
  ecrite: SessionAEcrire,
): Promise<boolean> {
  let changed = await sessions.updateSession(client, centreId, stored, ecrite);
  const oldProfils = await loadDetails(client, JOB_PROFIL, stored.id);
  const missing = Math.max(0, ecrite.session.profils.length - oldProfils.length);
  const profilIds = [
    ...oldProfils.slice(0, ecrite.session.profils.length).map((row) => row.id),
    ...(await reserveIds(client, JOB_PROFIL, missing)),
  ];
  const details = detailRows(centreId, stored.id, ecrite, profilIds);
  // Pieces go last when profiles are added, for they refer to them; rows that go are let go by the database.
  for (const table of TABLES) {
    const old = table === JOB_PROFIL ? oldProfils : await loadDetails(client, table, stored.id);
    const { ajoutees, modifiees, supprimees } = await mergeDetails(client, table, old, details.get(table)!);
    changed ||= ajoutees + modifiees + supprimees > 0;
  }
  return changed;
}

/** In the order in which they are written: pieces refer to profiles. */
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
