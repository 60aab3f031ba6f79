import { messageOf } from '../../base/errors.ts';
import { formatDay } from '../../base/time.ts';
import type { CentrePurge } from '../../postgres/conservation/jours.ts';
import * as jours from '../../postgres/conservation/jours.ts';
import { geler } from '../../postgres/conservation/jours-geles.ts';
import { rejetsEchus, supprimerRejetsEchus } from '../../postgres/conservation/rejets.ts';
import { lockCentre } from '../../postgres/journaux/fichiers.ts';
import { claimDays } from '../../postgres/journaux/jours.ts';
import { markArchivesStale } from '../../postgres/journaux/versions.ts';
import { type Client, transaction } from '../../postgres/pool.ts';
import { eraseArchives } from '../ingest/archives-perimees.ts';
import { concerneTous } from '../ingest/pannes.ts';
import { type RecalculContext, recalculer } from '../ingest/recalcul.ts';
import type { PurgeContext } from './contexte.ts';
import { lots, type Passage } from './contexte.ts';

/**
 * Takes days for this transaction, and computes first what an import left to be computed: a day is frozen as its bytes
 * say, not as somebody who was interrupted left it.
 */
export async function prendreJours(
  ctx: Pick<PurgeContext, 'archive' | 'config' | 'logger' | 'time'>,
  client: Client,
  centre: CentrePurge,
  wanted: readonly number[],
): Promise<void> {
  const { jours: pending } = await claimDays(client, centre.id, wanted);
  if (pending.length === 0) return;
  const attente = ctx.config.centres.find(({ nom }) => nom === centre.nom)?.attente ?? 'debut';
  const { archive, config, time, logger } = ctx;
  const context: RecalculContext = { archive, config, time, logger };
  await client.query('SAVEPOINT calcul');
  try {
    await recalculer(context, client, { id: centre.id, attente }, pending);
  } catch (error) {
    // What cannot be read or computed must not keep others from their end: the day is frozen as it is.
    if (concerneTous(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT calcul');
    ctx.logger.warn(
      { centre: centre.nom, erreur: messageOf(error) },
      'journée gelée sans son dernier calcul',
    );
  }
}

/** Pieces, profiles, waits and stops of past days; the figures of the days stay, frozen. */
export async function purgerDetails(passage: Passage): Promise<void> {
  const { ctx, client, aBlanc } = passage;
  await passage.chacun(await jours.listerCentres(client), async (centre) => {
    const past = await jours.joursAvecDetails(client, passage.echeance(centre));
    for (const lot of lots(past, passage.lots.jours)) {
      passage.continuer();
      if (aBlanc) await passage.compter(await jours.compterDetails(client, centre.id, lot));
      else {
        await transaction(client, async () => {
          await prendreJours(ctx, client, centre, lot);
          await passage.effacements.ajouter(entree('details', centre, lot), passage.maintenant);
          passage.etape('apres_journal');
          await geler(client, centre.id, lot, 'details', passage.maintenant);
          await passage.compter(await jours.supprimerDetails(client, centre.id, lot));
          passage.etape('avant_validation');
        });
        passage.etape('apres_lot');
      }
    }
  });
}

/** Daily figures of past days, with what is left below them. */
export async function purgerSessions(passage: Passage): Promise<void> {
  const { ctx, client, aBlanc } = passage;
  await passage.chacun(await jours.listerCentres(client), async (centre) => {
    const past = await jours.joursAvecSession(client, passage.echeance(centre));
    for (const lot of lots(past, passage.lots.jours)) {
      passage.continuer();
      if (aBlanc) await passage.compter(await jours.compterSessions(client, centre.id, lot));
      else {
        await transaction(client, async () => {
          await prendreJours(ctx, client, centre, lot);
          await passage.effacements.ajouter(entree('session', centre, lot), passage.maintenant);
          passage.etape('apres_journal');
          await geler(client, centre.id, lot, 'session', passage.maintenant);
          await passage.compter(await jours.supprimerSessions(client, centre.id, lot));
          passage.etape('avant_validation');
        });
        passage.etape('apres_lot');
      }
    }
  });
}

/** Raw bytes none of which is of a day to be kept. First the database forgets them, then they go from the disk. */
export async function purgerArchives(passage: Passage): Promise<void> {
  const { client, aBlanc } = passage;
  await passage.chacun(await jours.listerCentres(client), async (centre) => {
    const echeance = passage.echeance(centre);
    const all = await jours.versionsEchues(client, echeance, passage.maintenant);
    if (aBlanc) {
      await passage.compter(all.length);
      return;
    }
    // At least once: a purge that was killed may have left some on the disk.
    for (const lot of all.length > 0 ? lots(all, passage.lots.versions) : [[]]) {
      passage.continuer();
      await transaction(client, async () => {
        await lockCentre(client, centre.id);
        // What was read again since, or grew, may stay.
        const ids = lot.map(({ id }) => id);
        const past = await jours.versionsEchues(client, echeance, passage.maintenant, ids);
        await retirerVersions(passage.ctx, client, centre, past, passage.maintenant, async () => {
          await passage.effacements.ajouter(
            { genre: 'archives', centre, sha256: past.map(({ sha256 }) => sha256) },
            passage.maintenant,
          );
          const days = [...new Set(past.flatMap((version) => version.jours))];
          if (days.length > 0)
            await passage.effacements.ajouter(entree('archives', centre, days), passage.maintenant);
          passage.etape('apres_journal');
        });
        await passage.compter(past.length);
        passage.etape('avant_validation');
      });
      passage.etape('avant_effacement');
      await eraseArchives(passage.ctx, client, centre.id);
      passage.etape('apres_lot');
    }
    await oublierEtats(passage, centre);
  });
}

/** How long the shorter states of a growing file are listed (ms). They hold nothing that its version does not. */
const ETATS_GARDES = 31 * 86_400_000;

async function oublierEtats(passage: Passage, centre: CentrePurge): Promise<void> {
  const { client, maintenant } = passage;
  const lot = passage.lots.lignes;
  for (let last = lot; last === lot; ) {
    passage.continuer();
    last = await transaction(client, async () => {
      await lockCentre(client, centre.id);
      return await jours.oublierPrefixes(client, centre.id, maintenant - ETATS_GARDES, lot);
    });
  }
}

/** Lets versions go from the archive, with the centre locked: their days are frozen, their rows stay. */
export async function retirerVersions(
  ctx: Pick<PurgeContext, 'archive' | 'config' | 'logger' | 'time'>,
  client: Client,
  centre: CentrePurge,
  versions: readonly jours.VersionEchue[],
  le: number,
  journal: () => Promise<void>,
): Promise<void> {
  if (versions.length === 0) return;
  const days = [...new Set(versions.flatMap((version) => version.jours))].sort((a, b) => a - b);
  await prendreJours(ctx, client, centre, days);
  await journal();
  await geler(client, centre.id, days, 'archives', le);
  await jours.noterArchivesPurgees(
    client,
    versions.map(({ id }) => id),
    le,
  );
  await markArchivesStale(
    client,
    centre.id,
    versions.map(({ sha256 }) => sha256),
  );
}

/** Rejected lines of past days. */
export async function purgerQuarantaine(passage: Passage): Promise<void> {
  const { client, aBlanc, maintenant } = passage;
  await passage.chacun(await jours.listerCentres(client), async (centre) => {
    const echeance = passage.echeance(centre);
    const { jours: past, versions } = await rejetsEchus(client, echeance, maintenant);
    const nombre = [...versions.values()].reduce((sum, n) => sum + n, 0);
    if (aBlanc) {
      await passage.compter(nombre);
      return;
    }
    if (past.length > 0) {
      await transaction(client, async () => {
        // An import that is registering rejects of these days ends before, or sees that they are gone.
        await lockCentre(client, centre.id);
        await passage.effacements.ajouter(entree('quarantaine', centre, past), maintenant);
        passage.etape('apres_journal');
        await geler(client, centre.id, past, 'quarantaine', maintenant);
        passage.etape('avant_validation');
      });
    }
    const most = passage.lots.lignes;
    for (const lot of parPoids(versions, most)) {
      for (let last = most; last === most; ) {
        passage.continuer();
        last = await transaction(client, async () => {
          await lockCentre(client, centre.id);
          const gone = await supprimerRejetsEchus(client, echeance, maintenant, lot, most);
          await passage.compter(gone);
          return gone;
        });
        passage.etape('apres_lot');
      }
    }
  });
}

/** Keys in pieces whose values add up to less than `most`; one that has more comes alone. */
function* parPoids(poids: ReadonlyMap<number, number>, most: number): Generator<readonly number[]> {
  let lot: number[] = [];
  let sum = 0;
  for (const [cle, n] of poids) {
    if (lot.length > 0 && sum + n >= most) {
      yield lot;
      [lot, sum] = [[], 0];
    }
    lot.push(cle);
    sum += n;
  }
  if (lot.length > 0) yield lot;
}

function entree(
  part: 'details' | 'session' | 'archives' | 'quarantaine',
  { id, nom, cree }: CentrePurge,
  lot: readonly number[],
): Parameters<Passage['effacements']['ajouter']>[0] {
  return { genre: 'jours', part, centre: { id, nom, cree }, jours: lot.map(formatDay) };
}
