import { rm } from 'node:fs/promises';
import { lireEffacements } from '../../archives/effacements.ts';
import {
  type ClesSauvegardees,
  estAbime,
  FichierCles,
  nomFichierCles,
} from '../../archives/sauvegarde/cles-comptes.ts';
import { type Depot, instantDe, type Sauvegarde } from '../../archives/sauvegarde/depot.ts';
import { JOURNAUX, lireJournal } from '../../archives/sauvegarde/journaux.ts';
import type { BaseContext } from '../../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { clesEmballees, sousVerrouDesCles } from '../../postgres/comptes/cles-emballees.ts';
import { lirePorte } from '../../postgres/comptes/installation.ts';
import { type Pool, withClient } from '../../postgres/pool.ts';
import { clesDeSauvegarde } from './cles.ts';

type Context = Pick<BaseContext, 'config' | 'logger'> & { readonly pool: Pool };

const DAY = 24 * 3600 * 1000;

/**
 * Reads the file of account keys beside the backups, with all keys at hand. A file that is there and cannot be read may hold
 * keys that are nowhere else: nothing takes its place unless it is damaged.
 *
 * @returns `abime`: why it is damaged
 * @throws AtelierError ATL_B903 (its key is missing), ATL_B901 (the system does not give it)
 */
async function lireAncien(
  fichier: FichierCles,
): Promise<{ lu: Awaited<ReturnType<FichierCles['lire']>>; abime?: string }> {
  try {
    return { lu: await fichier.lire() };
  } catch (error) {
    if (estAbime(error)) return { lu: undefined, abime: messageOf(error) };
    const code = codeOf(error) === 'ATL_B903' ? 'ATL_B903' : 'ATL_B901';
    throw new AtelierError(
      code,
      `${messageOf(error)}. Ce fichier est le seul à tenir les clés des comptes des sauvegardes déjà faites : il n’est pas remplacé, et rien n’est sauvegardé avant qu’il se lise. Si sa clé est perdue pour de bon, donnez-lui un autre nom.`,
      { cause: error },
    );
  }
}

/**
 * Asks before anything is copied what {@link garderLesCles} asks at the end.
 *
 * @throws AtelierError ATL_B903, ATL_B901
 */
export async function exigerClesLisibles(ctx: Context, depot: Depot): Promise<void> {
  const { graine } = await withClient(ctx.pool, lirePorte);
  await lireAncien(new FichierCles(depot.root, nomFichierCles(graine), clesDeSauvegarde(ctx.config)));
}

/**
 * Writes the file of account keys beside the backups anew: all of this database; of what the file had, accounts that are
 * not here and were not erased (the database may have been restored to an older state), as long as there is a backup that
 * they may be in. Whoever was erased is not in it any more. A damaged one is put aside, as long as a backup may be kept.
 *
 * @param maintenant ms since 1970
 * @returns name of the file; where the damaged one is that was in its place
 * @throws AtelierError ATL_B903, ATL_B901; the file system's error when it cannot be written
 */
export async function garderLesCles(
  ctx: Context,
  depot: Depot,
  maintenant: number,
): Promise<{ nom: string; abimees?: string }> {
  return await sousVerrouDesCles(ctx.pool, async (client, graine) => {
    const { cle: current, conservation } = ctx.config.sauvegarde;
    // Read with all keys at hand, written with the current one or none.
    const nom = nomFichierCles(graine);
    const fichier = new FichierCles(depot.root, nom, clesDeSauvegarde(ctx.config));
    const { lu: before, abime } = await lireAncien(fichier);
    const abimees = abime === undefined ? undefined : await fichier.mettreDeCote(maintenant);
    if (abimees !== undefined)
      ctx.logger.error(
        { fichier: abimees, raison: abime },
        'clés des comptes : l’ancien fichier est abîmé ; il est mis de côté, les comptes d’ici sont tous dans le nouveau',
      );
    const here = await clesEmballees(client);
    const vu = new Date(maintenant).toISOString();
    const cles: ClesSauvegardees['cles'] = here.cles.map((cle) => ({ ...cle, vu }));
    const known = new Set(cles.map(({ compte, cle }) => `${compte} ${cle}`));
    const erased = await comptesEffaces(ctx.config.archivesDir);
    const oldest = Math.min(...(await depot.noms()).map(instantDe));
    for (const entry of before?.contenu.cles ?? []) {
      if (known.has(`${entry.compte} ${entry.cle}`) || erased.has(entry.compte)) continue;
      if (Date.parse(entry.vu) >= oldest) cles.push(entry);
    }
    const ids = new Set(here.temoins.map(({ id }) => id));
    // What a plain file says of master keys is not sealed by us: whoever can write there would have it believed later.
    const earlier = before && (before.scelle || !current) ? before.contenu.temoins : [];
    const temoins = [...earlier.filter(({ id }) => !ids.has(id)), ...here.temoins];
    await new FichierCles(depot.root, nom, current ? [current] : []).ecrire({ temoins, cles });
    for (const { path, depuis } of await fichier.misDeCote())
      if (maintenant - depuis > conservation * DAY) await rm(path, { recursive: true, force: true });
    return { nom, ...(abimees === undefined ? {} : { abimees }) };
  });
}

async function comptesEffaces(archives: string): Promise<Set<string>> {
  const text = (await lireJournal(archives, JOURNAUX[0])).toString('utf8');
  return new Set(lireEffacements(text).flatMap((one) => (one.genre === 'compte' ? [one.id] : [])));
}

/**
 * The keys of the accounts of a backup; undefined when it needs none.
 *
 * @throws AtelierError ATL_B911 when they are not there, ATL_B902, ATL_B903, ATL_B909 when they cannot be believed
 */
export async function clesDeLaSauvegarde(
  depot: Depot,
  { dossier, manifeste }: Sauvegarde,
  cles: readonly Buffer[],
  sansSceau: boolean,
): Promise<ClesSauvegardees | undefined> {
  const needed = manifeste.comptes;
  if (!needed || needed.nombre === 0) return undefined;
  const fichier = new FichierCles(depot.root, needed.fichier, cles);
  const found = await fichier.lire();
  if (!found)
    throw new AtelierError(
      'ATL_B911',
      `${dossier} a ${needed.nombre} compte(s), et leurs clés ne sont pas là : ${fichier.path} manque.`,
    );
  // Copied before the backup was made: accounts that are newer than it would pass for erased.
  const seen = found.contenu.cles.map(({ vu }) => Date.parse(vu)).toSorted((a, b) => b - a)[0];
  if (seen !== undefined && seen < Date.parse(manifeste.instant))
    throw new AtelierError(
      'ATL_B911',
      `${fichier.path} est plus ancien que ${dossier} : des comptes y manquent, qui ne sont pas effacés.`,
    );
  if (!found.scelle && cles.length > 0 && !sansSceau)
    throw new AtelierError(
      'ATL_B909',
      `${fichier.path} n’est pas chiffré, alors qu’une CLE_SAUVEGARDE est donnée.`,
    );
  return found.contenu;
}

/**
 * The keys beside a backup that needs none: it is of before accounts had keys, which other backups may be encrypted with by
 * now. Those that cannot be had are drawn anew.
 *
 * @param pool the database that was restored
 */
export async function clesACote(
  pool: Pool,
  depot: Depot,
  cles: readonly Buffer[],
  sansSceau: boolean,
): Promise<ClesSauvegardees | undefined> {
  const { graine } = await withClient(pool, lirePorte);
  const found = await new FichierCles(depot.root, nomFichierCles(graine), cles).lire().catch(() => undefined);
  return found && (found.scelle || cles.length === 0 || sansSceau) ? found.contenu : undefined;
}

/**
 * Takes the keys of accounts that were just erased out of the file beside the backups, when it can be reached. Where it
 * cannot, the next backup does. Damaged ones that were put aside are for a person to take away.
 *
 * @returns what is left to do, in French sentences
 */
export async function oublierLesCles(ctx: Context, comptes: readonly string[]): Promise<string[]> {
  const { dossier } = ctx.config.sauvegarde;
  const cles = clesDeSauvegarde(ctx.config);
  const reste: string[] = [];
  let fichier: FichierCles | undefined;
  try {
    await sousVerrouDesCles(ctx.pool, async (_, graine) => {
      fichier = new FichierCles(dossier, nomFichierCles(graine), cles);
      await fichier.retirer(comptes);
    });
  } catch (error) {
    const raison = messageOf(error);
    ctx.logger.warn(
      { raison },
      'clés des comptes effacés : encore à côté des sauvegardes, la prochaine les en retire',
    );
    reste.push(
      `Sa clé est encore à côté des sauvegardes (${raison}) : \`npx atelier backup\` l’en retire, ou la prochaine sauvegarde.`,
    );
  }
  for (const { path } of (await fichier?.misDeCote().catch(() => [])) ?? []) {
    ctx.logger.warn(
      { fichier: path },
      'clés des comptes effacés : peut-être encore dans un fichier mis de côté',
    );
    reste.push(
      `Sa clé est peut-être encore dans ${path}, abîmé et mis de côté par une sauvegarde : effacez-le quand il ne sert plus (il part après SAUVEGARDE_CONSERVATION jours).`,
    );
  }
  return reste;
}
