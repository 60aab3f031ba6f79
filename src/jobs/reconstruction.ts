import { createHash } from 'node:crypto';
import { IndexArchives } from '../archives/index-archives.ts';
import { type ArchiveTrouvee, inventorier } from '../archives/inventaire.ts';
import type { Config } from '../base/config.ts';
import type { BaseContext } from '../base/context.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import { ensureCentre } from '../postgres/centres.ts';
import { fermerPorte } from '../postgres/comptes/installation.ts';
import { lockCentre } from '../postgres/journaux/fichiers.ts';
import {
  type Adoption,
  adopterRemplacees,
  compterSessions,
  creerCentre,
} from '../postgres/journaux/index-archives.ts';
import { markVersionsDays } from '../postgres/journaux/jours.ts';
import { loadVersions, refreshTypesEvenement, settleVersions } from '../postgres/journaux/versions.ts';
import { migrate } from '../postgres/migrate.ts';
import { transaction, withClient } from '../postgres/pool.ts';
import { lireMarque, oterMarque, poserMarque } from '../postgres/sauvegarde/marque.ts';
import { occupation, verrouillerSchema } from '../postgres/sauvegarde/restauration.ts';
import { pendantSauvegarde } from '../postgres/sauvegarde/verrous.ts';
import { endExecution, startExecution } from '../postgres/taches/executions.ts';
import { centreOfFolder } from '../sources/centre.ts';
import type { IngestContext } from './ingest/context.ts';
import { Import } from './ingest/import.ts';
import { concerneTous } from './ingest/pannes.ts';
import { ArchiveEnPlace } from './reconstruction/archive-en-place.ts';
import { type ContenuDeChemin, type PlanDeCentre, planifier } from './reconstruction/plan.ts';
import { SourceArchives } from './reconstruction/source-archives.ts';
import { gelerJoursEffaces, rejouerEffacements } from './rejeu-effacements.ts';
import type { Avance } from './sauvegarde/avance.ts';

/** What a rebuild needs of its surroundings. */
export type ReconstructionContext = BaseContext & Pick<IngestContext, 'pool' | 'archive'>;

/** Steps at which tests kill it. */
export type EtapeReconstruction = 'apres_inventaire' | 'apres_passage' | 'apres_remplacees' | 'avant_fin';

export interface ReconstructionOptions {
  /** the database is not empty: adds what the archives know and it does not */
  readonly completer?: boolean;
  readonly onProgress?: (avance: Avance) => void;
  readonly onEtape?: (etape: EtapeReconstruction) => void;
}

/** What a rebuild did. */
export interface BilanReconstruction {
  readonly etat: 'reussie' | 'partielle';
  readonly centres: number;
  readonly archives: number;
  /** bytes of logs that were read again */
  readonly octets: number;
  /** archives that are damaged or say no origin */
  readonly illisibles: readonly string[];
  /** what was put aside so that the rest could go on: a centre, a file, a day; one sentence each */
  readonly misDeCote: readonly string[];
  /** contents that no longer count at their path */
  readonly remplacees: number;
  readonly sessions: number;
  readonly dureeMs: number;
}

/**
 * Makes the sessions again from the archives alone, as they were: the bytes go the same way as when they came. Until it
 * is done the database is marked, and no other command uses it (unless it completes one that is in use). Broken off, it
 * is called again.
 *
 * @throws AtelierError ATL_B904 (not empty), ATL_B907 (no archives)
 */
export async function reconstruire(
  ctx: ReconstructionContext,
  options: ReconstructionOptions,
): Promise<BilanReconstruction> {
  const started = performance.now();
  const illisibles: string[] = [];
  const archives: ArchiveTrouvee[] = [];
  const found = inventorier(ctx.archive, (path, raison) => {
    illisibles.push(path);
    ctx.logger.error({ archive: path, raison }, 'archive illisible');
  });
  for await (const archive of found) {
    ctx.shutdown.signal.throwIfAborted();
    archives.push(archive);
    options.onProgress?.({ quoi: 'inventaire', fait: archives.length, total: archives.length });
  }
  if (archives.length === 0)
    throw new AtelierError('ATL_B907', `Pas d’archive lisible dans ${ctx.archive.root}.`);
  const plans = planifier(archives, await new IndexArchives(ctx.archive.root).lire());
  options.onEtape?.('apres_inventaire');
  if (!options.completer) await commencer(ctx);
  const execution = await startExecution(ctx.pool, 'reconstruction');
  const misDeCote: string[] = [];
  /** Does something for one centre; what it chokes on keeps no other from being made again. */
  const chacun = async <T>(plan: PlanDeCentre, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      ctx.shutdown.signal.throwIfAborted();
      if (concerneTous(error)) throw error;
      misDeCote.push(`${plan.nom} : ${messageOf(error)}`);
      ctx.logger.error(
        { code: 'ATL_L207', centre: plan.nom, erreur: messageOf(error) },
        'centre mis de côté, le reste continue',
      );
      return undefined;
    }
  };
  try {
    // Bytes that became the beginning of others at one path may still be waited for at another.
    const done = await pendantSauvegarde(ctx.pool, async (verrou) => {
      const centres: (number | undefined)[] = [];
      for (const plan of plans) centres.push(await chacun(plan, () => creer(ctx, plan)));
      // What is left of bytes that were purged gives other figures than the day had: none at all, then.
      await gelerJoursEffaces(ctx);
      for (const [i, plan] of plans.entries()) {
        const centre = centres[i];
        if (centre === undefined) continue;
        await chacun(plan, () => refaire(ctx, plan, centre, { ...options, misDeCote }));
        await verrou.exiger();
      }
      return true;
    });
    if (!done) throw new AtelierError('ATL_B904', 'Une sauvegarde ou une autre reconstruction est en cours.');
    // Now that nothing is held back: days left over, archives that longer ones contain.
    for (const plan of plans) {
      const done = await chacun(plan, () => new Import(contexteDe(ctx, plan, []), {}).scan());
      misDeCote.push(...(done?.misDeCote ?? []));
    }
    await rejouerEffacements(ctx);
    options.onEtape?.('avant_fin');
    const bilan: BilanReconstruction = {
      etat: illisibles.length + misDeCote.length > 0 ? 'partielle' : 'reussie',
      centres: plans.length,
      archives: archives.length,
      octets: archives.reduce((sum, { taille }) => sum + taille, 0),
      illisibles,
      misDeCote: [...new Set(misDeCote)],
      remplacees: plans.reduce((sum, { remplacees }) => sum + remplacees.length, 0),
      sessions: await compterSessions(ctx.pool),
      dureeMs: Math.round(performance.now() - started),
    };
    await withClient(ctx.pool, (client) =>
      transaction(client, async () => {
        await endExecution(client, execution, bilan.etat, bilan);
        if (!options.completer) await oterMarque(client);
      }),
    );
    ctx.logger.info(bilan, 'reconstruction terminée');
    return bilan;
  } catch (error) {
    await endExecution(ctx.pool, execution, 'echouee', {}, String((error as Error).message)).catch(
      () => undefined,
    );
    throw error;
  }
}

/** Brings the schema up to date, sees that nothing is in the way, and marks the database. */
async function commencer(ctx: ReconstructionContext): Promise<void> {
  await withClient(ctx.pool, async (client) => {
    await migrate(client);
    await transaction(client, async () => {
      await verrouillerSchema(client);
      const marque = await lireMarque(client);
      if (marque?.genre === 'reconstruction') return;
      if (marque)
        throw new AtelierError(
          'ATL_B904',
          `Cette base est au milieu d’une restauration de ${marque.sauvegarde}.`,
        );
      const { remplies } = await occupation(client);
      if (remplies.length > 0) {
        const what = remplies.slice(0, 8).map(({ nom, lignes }) => `${nom} ${lignes}`);
        throw new AtelierError(
          'ATL_B904',
          `La base n’est pas vide : ${what.join(', ')} (lignes). Pour y ajouter ce que les archives savent de plus : --completer.`,
        );
      }
      // Archives there are, so this is no new installation, though no account is left.
      await fermerPorte(client);
      await poserMarque(client, { genre: 'reconstruction', sauvegarde: '' });
    });
  });
}

/** @returns id of the centre: the one that it had, when that is free */
async function creer(ctx: ReconstructionContext, plan: PlanDeCentre): Promise<number> {
  return await withClient(ctx.pool, (client) =>
    transaction(client, async () => {
      await creerCentre(client, plan.id, plan.nom);
      return (await ensureCentre(client, plan.nom, 'INCONNU')).id;
    }),
  );
}

async function refaire(
  ctx: ReconstructionContext,
  plan: PlanDeCentre,
  centreId: number,
  options: ReconstructionOptions & { readonly misDeCote: string[] },
): Promise<void> {
  const archive = new ArchiveEnPlace(ctx.archive, centreId);
  await archive.rassembler([...plan.passages.flat(), ...plan.remplacees].map((contenu) => contenu.archive));
  const total = plan.passages.reduce((sum, contents) => sum + contents.length, 0) + plan.remplacees.length;
  let fait = 0;
  const lire = async (contents: readonly ContenuDeChemin[]): Promise<void> => {
    const { fichiersIllisibles, misDeCote } = await new Import(
      contexteDe({ ...ctx, archive }, plan, contents),
      {
        onProgress: ({ fichiersVus }) =>
          options.onProgress?.({ quoi: `relecture ${plan.nom}`, fait: fait + fichiersVus, total }),
      },
    ).scan();
    options.misDeCote.push(...misDeCote);
    if (fichiersIllisibles > 0)
      options.misDeCote.push(`${plan.nom} : ${fichiersIllisibles} fichiers illisibles`);
    fait += contents.length;
    ctx.shutdown.signal.throwIfAborted();
  };
  for (const contents of plan.passages) {
    await lire(contents);
    options.onEtape?.('apres_passage');
  }
  await ecarter(ctx, plan, centreId, lire);
  options.onEtape?.('apres_remplacees');
}

/** Reads what was put aside under paths of its own, where it is nobody's beginning, then lets it lie at its path. */
async function ecarter(
  ctx: ReconstructionContext,
  plan: PlanDeCentre,
  centreId: number,
  lire: (contents: readonly ContenuDeChemin[]) => Promise<void>,
): Promise<void> {
  if (plan.remplacees.length === 0) return;
  const contents: ContenuDeChemin[] = [];
  const adoptions: Adoption[] = [];
  for (const { chemin, archive } of plan.remplacees) {
    const provisoire = `${chemin.split('/')[0]}/.ecarte/${createHash('sha256').update(chemin).digest('hex')}-${archive.sha256}.log`;
    contents.push({ chemin: provisoire, archive });
    adoptions.push({ chemin, provisoire, sha256: archive.sha256 });
  }
  await lire(contents);
  await withClient(ctx.pool, (client) =>
    transaction(client, async () => {
      await lockCentre(client, centreId);
      const versions = await adopterRemplacees(client, centreId, adoptions);
      await markVersionsDays(client, versions);
      const { flipped } = await settleVersions(client, centreId, versions);
      const rows = await loadVersions(client, flipped);
      const noms = new Set(rows.flatMap((row) => Object.keys(row.autres_evenements)));
      await refreshTypesEvenement(client, centreId, [...noms]);
    }),
  );
}

/** As if the archives of a centre were its folders; whatever CENTRES says today, they are of the centre that they name. */
function contexteDe(
  ctx: ReconstructionContext,
  plan: PlanDeCentre,
  contents: readonly ContenuDeChemin[],
): IngestContext {
  const all = [...plan.passages.flat(), ...plan.remplacees];
  const dossiers = [...new Set(all.map(({ chemin }) => chemin.split('/')[0]!))].sort();
  const centres: Config['centres'] = dossiers.map((dossier) => {
    const { type, attente } = centreOfFolder(dossier, ctx.config.centres);
    return { dossier, nom: plan.nom, type, attente };
  });
  const source = new SourceArchives(ctx.archive, dossiers, contents);
  return { ...ctx, config: { ...ctx.config, centres }, source, relecture: true };
}
