import { cut } from '../../domain/journal/line-grammar.ts';
import {
  type Masquage,
  masquerComptes,
  masquerDetails,
  masquerProfil,
} from '../../domain/journal/masquage.ts';
import { lockCentre } from '../../postgres/journaux/fichiers.ts';
import {
  noterVersion,
  prendreVersion,
  reecrireDetails,
  reecrireRejets,
  type VersionAMasquer,
  versionsAMasquer,
} from '../../postgres/journaux/textes.ts';
import { refreshTypesEvenement } from '../../postgres/journaux/versions.ts';
import { type Client, transaction, withClient } from '../../postgres/pool.ts';
import { type IngestContext, MASQUES } from './context.ts';
import type { Pannes } from './pannes.ts';

/** Longest text of a rejected line, in characters, as the parser cuts it. */
const MAX_TEXTE = 2_000;
/** Stands before the rules where stored texts were rewritten by them, without their lines having been read again. */
const SANS_RELIRE = '~';

/** How the settings of a version end whose stored texts these rules have masked: by reading it, or without. */
export function finsMasquees({ empreinte }: { readonly empreinte: string }): readonly [string, string] {
  return [`${MASQUES}${empreinte}`, `${MASQUES}${SANS_RELIRE}${empreinte}`];
}

/**
 * Rewrites what is stored of versions that were not read again since the rules of masking changed: their bytes left the
 * archive or cannot be read, or their centre has no folder any more. Of their lines only what was kept is there.
 */
export async function masquerGardes(ctx: IngestContext, pannes: Pannes): Promise<void> {
  const { masques } = ctx.config;
  if (!masques) return;
  const fins = finsMasquees(masques);
  const versions = await versionsAMasquer(ctx.pool, fins);
  if (versions.length === 0) return;
  ctx.logger.info({ versions: versions.length }, 'masques changés : textes gardés réécrits');
  for (const version of versions) {
    ctx.shutdown.signal.throwIfAborted();
    try {
      await withClient(ctx.pool, (client) =>
        transaction(client, () => masquerVersion(client, version, masques, fins)),
      );
    } catch (error) {
      pannes.noter(`version ${version.id}, textes à masquer`, error);
    }
  }
}

async function masquerVersion(
  client: Client,
  version: VersionAMasquer,
  masques: Masquage,
  fins: readonly [string, string],
): Promise<void> {
  await lockCentre(client, version.centreId);
  const known = await prendreVersion(client, version.id, fins);
  if (!known) return;
  await reecrireRejets(client, version.id, (texte) => cut(masques.poser(texte)?.texte ?? texte, MAX_TEXTE));
  await masquerDetailsDe(client, version, masques, false);
  const autres = masquerComptes(masques, known.autres);
  const base = known.regles.split(MASQUES)[0]!;
  await noterVersion(client, version.id, `${base}${fins[1]}`, autres);
  await refreshTypesEvenement(client, version.centreId, [
    ...new Set([...Object.keys(known.autres), ...Object.keys(autres)]),
  ]);
}

/**
 * Rewrites the stored texts of pieces and profiles of a version.
 *
 * @param geles only those of frozen days: the others are computed again
 */
export async function masquerDetailsDe(
  client: Client,
  version: VersionAMasquer,
  masques: Masquage,
  geles: boolean,
): Promise<void> {
  await reecrireDetails(client, version, geles, {
    details: (details) => masquerDetails(masques, 'StukUitgevoerd', details),
    profil: (profil) => masquerProfil(masques, profil),
  });
}
