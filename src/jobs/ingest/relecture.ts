import { formatEncoding, parseEncoding } from '../../domain/journal/encoding.ts';
import { joursSansQuarantaine } from '../../postgres/conservation/jours-geles.ts';
import { lockCentre } from '../../postgres/journaux/fichiers.ts';
import { deleteAutresJours, insertJours, markVersionsDays } from '../../postgres/journaux/jours.ts';
import { copyRejets, deleteRejets } from '../../postgres/journaux/rejets.ts';
import {
  findOutdated,
  loadVersions,
  refreshTypesEvenement,
  updateVersion,
  type VersionRow,
} from '../../postgres/journaux/versions.ts';
import { transaction, withClient } from '../../postgres/pool.ts';
import { analyse, type ContenuLu, daterRejets, lireRejets, type RejetDate } from './analyse.ts';
import type { IngestContext } from './context.ts';
import type { CentreAImporter } from './enregistrement.ts';
import { masquerDetailsDe } from './masquage.ts';
import { joursDe, raisonEcart } from './nouvelles-versions.ts';
import type { Pannes } from './pannes.ts';
import { type Recalcul, recalculer } from './recalcul.ts';

const RIEN: Recalcul = { creees: 0, modifiees: 0, inchangees: 0, supprimees: 0, gelees: 0 };

/**
 * Reads again, from the archive, the versions that were read with other settings (time zone, start of the
 * day, stamp of waits, rules of masking, or an older parser), and recomputes their days. A version that cannot be read stays as it was read,
 * and days that cannot be computed stay marked.
 */
export async function relireVersions(
  ctx: IngestContext,
  centre: CentreAImporter,
  pannes: Pannes,
): Promise<Recalcul> {
  const outdated = await findOutdated(ctx.pool, centre.id, centre.regles);
  if (outdated.length === 0) return RIEN;
  ctx.logger.info(
    { centre: centre.nom, versions: outdated.length },
    'réglages changés : relecture des archives',
  );
  const jours = new Set<number>();
  for (const version of outdated) {
    ctx.shutdown.signal.throwIfAborted();
    try {
      for (const jour of await relire(ctx, centre, version)) jours.add(jour);
    } catch (error) {
      pannes.noter(`${centre.nom}, relecture de ${version.sha256.slice(0, 12)}`, error);
    }
  }
  try {
    return await withClient(ctx.pool, (client) =>
      transaction(client, () => recalculer(ctx, client, centre, [...jours])),
    );
  } catch (error) {
    // Which day it is comes out at the end of the scan, where they are tried one by one.
    ctx.logger.debug({ centre: centre.nom, erreur: pannes.raison(error) }, 'journées remises à plus tard');
    return RIEN;
  }
}

async function relire(ctx: IngestContext, centre: CentreAImporter, version: VersionRow): Promise<number[]> {
  const read = () => ctx.archive.read(centre.id, version.sha256);
  let nuls = false;
  async function* pieces(): AsyncGenerator<Buffer> {
    for await (const piece of read()) {
      nuls ||= piece.includes(0);
      yield piece;
    }
  }
  let contenu: ContenuLu;
  try {
    contenu = await analyse(pieces(), parseEncoding(version.encodage), ctx.time, ctx.config.masques);
  } catch (error) {
    const [now] = await loadVersions(ctx.pool, [version.id]);
    // Purged, or grown into a longer one, just now: nothing is left to be read again.
    if (!now || now.purgee || now.sha256 !== version.sha256) return [];
    throw error;
  }
  return await withClient(ctx.pool, (client) =>
    transaction(client, async () => {
      await lockCentre(client, centre.id);
      // It may have grown meanwhile: then whoever did that has read it with today's settings.
      const still = (await findOutdated(client, centre.id, centre.regles)).some(
        (row) => row.id === version.id && row.sha256 === version.sha256,
      );
      if (!still) return [];
      const before = await markVersionsDays(client, [version.id]);
      await deleteAutresJours(client, version.id, joursDe(contenu).keys());
      await deleteRejets(client, version.id, 0);
      await updateVersion(client, version.id, {
        sha256: version.sha256,
        taille: version.taille,
        nuls,
        encodage: formatEncoding(contenu.encodage),
        reading: contenu.reading,
        regles: centre.regles,
        ecartee: raisonEcart(contenu),
      });
      await insertJours(client, centre.id, [{ versionId: version.id, jours: joursDe(contenu) }]);
      const { masques } = ctx.config;
      if (masques) await masquerDetailsDe(client, { id: version.id, centreId: centre.id }, masques, true);
      async function* rejets(): AsyncGenerator<readonly [number, RejetDate]> {
        const all =
          daterRejets(contenu) ?? lireRejets(read(), contenu.encodage, ctx.time, ctx.config.masques);
        for await (const rejet of all) yield [version.id, rejet];
      }
      await copyRejets(client, centre.id, rejets(), await joursSansQuarantaine(client, centre.id));
      await refreshTypesEvenement(client, centre.id, [
        ...Object.keys(version.autres_evenements),
        ...contenu.reading.autres.keys(),
      ]);
      return [...before, ...(await markVersionsDays(client, [version.id]))];
    }),
  );
}
