import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import paquet from '../../package.json' with { type: 'json' };
import { ouvrirArchives } from '../archives/archive.ts';
import { Depot, instantDe, LISTE_ARCHIVES } from '../archives/sauvegarde/depot.ts';
import { CHIFFRE, ecrire } from '../archives/sauvegarde/fichiers.ts';
import { JOURNAUX, lireJournal } from '../archives/sauvegarde/journaux.ts';
import {
  type Contenu,
  ecrireManifeste,
  FORMAT,
  MANIFESTE,
  type Manifeste,
} from '../archives/sauvegarde/manifeste.ts';
import { idDeCle } from '../base/chiffrement-flux.ts';
import type { BaseContext } from '../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { reglagesSansSecrets, secretsDonnes } from '../base/reglages.ts';
import { noter } from '../postgres/audit.ts';
import { teteAudit } from '../postgres/audit-chain.ts';
import { comptesAvecCle } from '../postgres/comptes/cles-emballees.ts';
import { migrationsAppliquees, requireSchema } from '../postgres/migrate.ts';
import { type Pool, withClient } from '../postgres/pool.ts';
import { expectedArchives } from '../postgres/production/controle.ts';
import {
  type EmpreinteDeTable,
  ecrireBase,
  type Instantane,
  nommerSchema,
  surInstantane,
} from '../postgres/sauvegarde/copie.ts';
import { horsSauvegarde } from '../postgres/sauvegarde/schema.ts';
import { pendantSauvegarde, type Verrou } from '../postgres/sauvegarde/verrous.ts';
import { type EtatExecution, endExecution, startExecution } from '../postgres/taches/executions.ts';
import { horlogeBase } from '../postgres/taches/planification.ts';
import { type ArchivesCopiees, copierArchives } from './sauvegarde/archives.ts';
import type { Avance } from './sauvegarde/avance.ts';
import { clesPourEcrire } from './sauvegarde/cles.ts';
import { exigerClesLisibles, garderLesCles } from './sauvegarde/cles-comptes.ts';
import { expirerSauvegardes } from './sauvegarde/expiration.ts';
import { reconcilierIndex } from './sauvegarde/index-archives.ts';

/** What a backup needs of its surroundings. */
export interface SauvegardeContext extends BaseContext {
  readonly pool: Pool;
  /** stops it between two steps; without one, the stop of the command does */
  readonly signal?: AbortSignal;
  /** the run that this is, when somebody else opened it and ends it; without one, a run is noted here */
  readonly execution?: number;
}

/** Steps at which tests kill it. */
export type EtapeSauvegarde =
  | 'debut'
  | 'dans_base'
  | 'apres_base'
  | 'dans_archives'
  | 'avant_nom'
  | 'apres_nom';

export interface SauvegardeOptions {
  /** folder of backups, SAUVEGARDE_DIR as a rule */
  readonly vers?: string | undefined;
  /** the database alone */
  readonly sansArchives?: boolean;
  /** fails when it could not be encrypted; with CLE_SAUVEGARDE it always is */
  readonly chiffrer?: boolean;
  /** clock for the expiry of older ones, ms since 1970 */
  readonly maintenant?: () => number;
  /** ms between two signs of life, instead of the usual */
  readonly battement?: number | undefined;
  readonly onProgress?: (avance: Avance) => void;
  readonly onEtape?: (etape: EtapeSauvegarde) => void;
}

/** What a backup did. */
export type BilanSauvegarde =
  | {
      readonly etat: 'reussie' | 'partielle';
      readonly nom: string;
      readonly dossier: string;
      readonly tables: number;
      readonly lignes: number;
      /** bytes of its own folder */
      readonly octets: number;
      readonly archives: number;
      readonly archivesCopiees: number;
      readonly octetsArchives: number;
      /** archives that the database names and that could not be had, by SHA-256 */
      readonly archivesManquantes: readonly string[];
      readonly nonSauvegardes: readonly string[];
      /** where the file of account keys lies that was damaged, if it was */
      readonly clesAbimees?: string;
      readonly chiffree: boolean;
      /** names of the older backups that had their time and are gone */
      readonly effacees: readonly string[];
      /** why such ones are still there, if they are */
      readonly effacement?: string;
      readonly aGarderAPart: readonly string[];
      readonly dureeMs: number;
    }
  /** another one is running */
  | { readonly etat: 'ignoree' };

/**
 * Makes a backup: all tables as they are at one moment, the archives that they name, the record of erasures. Imports and
 * the API go on meanwhile. A backup has its name only when all of it is on the disk.
 *
 * @throws AtelierError ATL_B901 (cannot be written), ATL_B903 (key), ATL_D301, ATL_D303
 */
export async function sauvegarder(
  ctx: SauvegardeContext,
  options: SauvegardeOptions = {},
): Promise<BilanSauvegarde> {
  const cles = clesPourEcrire(ctx.config, options.chiffrer ?? false);
  const depot = new Depot(
    options.vers ?? ctx.config.sauvegarde.dossier,
    cles,
    ouvrirArchives(ctx.config).cles,
  );
  await requireSchema(ctx.pool);
  const execution = ctx.execution === undefined ? await startExecution(ctx.pool, 'sauvegarde') : undefined;
  const note = async (etat: EtatExecution, compteurs: object, erreur?: string): Promise<void> => {
    if (execution !== undefined) await endExecution(ctx.pool, execution, etat, compteurs, erreur);
  };
  try {
    const bilan = await pendantSauvegarde(
      ctx.pool,
      (verrou) => new Passage(ctx, options, depot, cles[0], verrou).faire(),
      options.battement,
    );
    if (!bilan) {
      ctx.logger.info('sauvegarde ignorée : une autre est en cours');
      await note('ignoree', {});
      return { etat: 'ignoree' };
    }
    const { etat, ...compteurs } = bilan;
    await note(etat, compteurs, bilan.effacement);
    ctx.logger.info(compteurs, 'sauvegarde terminée');
    if (!bilan.chiffree)
      ctx.logger.warn(
        { dossier: bilan.dossier },
        'sauvegarde ni chiffrée ni scellée : CLE_SAUVEGARDE est vide',
      );
    return bilan;
  } catch (thrown) {
    const error = explain(thrown, depot.root);
    ctx.logger.error({ dossier: depot.root, erreur: messageOf(error) }, 'sauvegarde échouée');
    await note('echouee', {}, messageOf(error)).catch(() => undefined);
    throw error;
  }
}

class Passage {
  readonly #ctx: SauvegardeContext;
  readonly #options: SauvegardeOptions;
  readonly #depot: Depot;
  readonly #cle: Buffer | undefined;
  readonly #verrou: Verrou;
  readonly #fichiers: Manifeste['fichiers'] = [];
  #dossier = '';

  constructor(
    ctx: SauvegardeContext,
    options: SauvegardeOptions,
    depot: Depot,
    cle: Buffer | undefined,
    verrou: Verrou,
  ) {
    this.#ctx = ctx;
    this.#options = options;
    this.#depot = depot;
    this.#cle = cle;
    this.#verrou = verrou;
  }

  async faire(): Promise<Exclude<BilanSauvegarde, { etat: 'ignoree' }>> {
    const started = performance.now();
    await exigerClesLisibles(this.#ctx, this.#depot);
    await this.#depot.balayer();
    this.#dossier = await this.#depot.commencer();
    // A copy of everything: no less than an export.
    await noter(this.#ctx.pool, {
      evenement: 'base_sauvegardee',
      details: { chiffree: this.#cle !== undefined },
    });
    try {
      const bilan = await this.#ecrire(started);
      const suite = await this.#expirer(bilan.nom);
      return { ...bilan, ...suite, dureeMs: Math.round(performance.now() - started) };
    } catch (error) {
      await this.#depot.abandonner(this.#dossier);
      throw error;
    }
  }

  /** This backup is whole, whatever becomes of the older ones: to make it again would help nobody. */
  async #expirer(
    garder: string,
  ): Promise<{ effacees: string[]; effacement?: string } | { etat: 'partielle'; effacement: string }> {
    const { logger, config, pool } = this.#ctx;
    try {
      const maintenant = this.#options.maintenant?.() ?? (await withClient(pool, horlogeBase));
      const options = { garder, maintenant, part: config.purge.seuilPart };
      const { effacees, retenues } = await expirerSauvegardes(this.#depot, config.sauvegarde, options);
      for (const nom of effacees) logger.info({ sauvegarde: nom }, 'sauvegarde échue effacée');
      if (retenues === 0) return { effacees };
      const effacement = `${retenues} autres sauvegardes échues restent jusqu’aux prochaines : une part de ${options.part} au plus s’efface à la fois (PURGE_SEUIL_PART). Si rien ne l’explique, vérifiez l’horloge de PostgreSQL.`;
      logger.warn({ retenues }, effacement);
      return { effacees, effacement };
    } catch (error) {
      const effacement = messageOf(error);
      logger.error({ erreur: effacement }, 'sauvegardes échues pas effacées');
      return { etat: 'partielle', effacement };
    }
  }

  /** R25: whoever swaps two backups is found out by their instants, as far as these are not of the same second. */
  async #attendreSaSeconde(): Promise<void> {
    const maintenant = await withClient(this.#ctx.pool, horlogeBase);
    const passe = maintenant % 1000;
    const names = await this.#depot.noms();
    if (names.some((nom) => instantDe(nom) === maintenant - passe)) await sleep(1010 - passe);
  }

  async #ecrire(started: number): Promise<Exclude<BilanSauvegarde, { etat: 'ignoree' }>> {
    const empreintes = new Map<string, EmpreinteDeTable>();
    this.#etape('debut');
    await reconcilierIndex(this.#ctx.pool, this.#ctx.config.archivesDir);
    await this.#attendreSaSeconde();
    const vue = await surInstantane(this.#ctx.pool, async (instantane) => {
      const ecartees = await this.#base(instantane, empreintes);
      const { client, schema, serveur, instant } = instantane;
      const nonSauvegardes = [...(await horsSauvegarde(client, schema)), ...ecartees];
      await nommerSchema(instantane);
      return {
        ...{ schema, serveur, instant, nonSauvegardes },
        migrations: await migrationsAppliquees(client),
        attendues: this.#options.sansArchives ? undefined : await expectedArchives(client),
        tete: await teteAudit(client),
        comptes: await comptesAvecCle(client),
      };
    });
    this.#etape('apres_base');
    const archives = vue.attendues && (await this.#archives(vue.attendues));
    for (const nom of JOURNAUX) {
      await this.#fichier(nom, one(await lireJournal(this.#ctx.config.archivesDir, nom)), false);
    }
    const reglages = JSON.stringify(reglagesSansSecrets(), null, 2);
    await this.#fichier('reglages.json', one(Buffer.from(`${reglages}\n`)), false);
    await this.#fichier('audit.json', one(Buffer.from(`${JSON.stringify(vue.tete ?? null)}\n`)), false);
    const cles = await garderLesCles(this.#ctx, this.#depot, Date.parse(vue.instant));
    const secrets = secretsDonnes();
    const manifeste: Contenu = {
      format: FORMAT,
      programme: paquet.version,
      instant: vue.instant,
      base: {
        ...{ serveur: vue.serveur, schema: vue.schema, migrations: vue.migrations },
        tables: Object.fromEntries(empreintes),
        nonSauvegardes: vue.nonSauvegardes,
      },
      archives: archives
        ? {
            nombre: archives.liste.length,
            octets: archives.octets,
            manquantes: archives.manquantes.size,
          }
        : null,
      comptes: { fichier: cles.nom, nombre: vue.comptes },
      chiffrement: this.#cle ? { cle: idDeCle(this.#cle) } : null,
      fichiers: this.#fichiers,
      aGarderAPart: secrets,
    };
    await writeFile(join(this.#dossier, MANIFESTE), ecrireManifeste(manifeste, this.#cle), {
      flush: true,
      mode: 0o600,
    });
    this.#etape('avant_nom');
    // Without it, another one may have erased what this one needs.
    await this.#verrou.exiger();
    const nom = await this.#depot.achever(this.#dossier, vue.instant);
    this.#etape('apres_nom');
    // Outside of the database: whoever replaces the whole audit log does not reach every log that was kept (M6).
    this.#ctx.logger.info({ ...vue.tete }, 'fin de la chaîne du journal d’audit');
    for (const [sha256, raison] of archives?.manquantes ?? [])
      this.#ctx.logger.error({ sha256, raison }, 'archive absente, abîmée ou sans sa clé : pas sauvegardée');
    const manquantes = [...(archives?.manquantes.keys() ?? [])];
    for (const objet of vue.nonSauvegardes) this.#ctx.logger.warn({ objet }, 'pas dans la sauvegarde');
    return {
      etat: manquantes.length > 0 || cles.abimees !== undefined ? 'partielle' : 'reussie',
      ...{ nom, dossier: join(this.#depot.root, nom) },
      tables: empreintes.size,
      lignes: [...empreintes.values()].reduce((sum, { lignes }) => sum + lignes, 0),
      octets: this.#fichiers.reduce((sum, { octets }) => sum + octets, 0),
      archives: manifeste.archives?.nombre ?? 0,
      archivesCopiees: archives?.copiees ?? 0,
      octetsArchives: manifeste.archives?.octets ?? 0,
      archivesManquantes: manquantes,
      nonSauvegardes: vue.nonSauvegardes,
      ...(cles.abimees === undefined ? {} : { clesAbimees: cles.abimees }),
      chiffree: this.#cle !== undefined,
      effacees: [],
      aGarderAPart: secrets,
      dureeMs: Math.round(performance.now() - started),
    };
  }

  /** @returns what of the schema is not in it */
  async #base(vue: Instantane, empreintes: Map<string, EmpreinteDeTable>): Promise<string[]> {
    const total = vue.tables.length;
    let fait = 0;
    const onTable = (nom: string): void => {
      this.#signal().throwIfAborted();
      fait++;
      this.#options.onProgress?.({ quoi: `table ${nom}`, fait, total });
      if (fait === Math.ceil(total / 2)) this.#etape('dans_base');
    };
    const ecartees: string[] = [];
    const source = ecrireBase(vue, empreintes, onTable, ecartees);
    await this.#fichier('base.sql.zst', source, true);
    return ecartees;
  }

  async #archives(attendues: ReadonlyMap<number, readonly string[]>): Promise<ArchivesCopiees> {
    const copiees = await copierArchives(
      this.#depot,
      this.#ctx.config.archivesDir,
      attendues,
      (fait, total) => {
        this.#signal().throwIfAborted();
        this.#options.onProgress?.({ quoi: 'archives', fait, total });
        if (fait === Math.ceil(total / 2)) this.#etape('dans_archives');
      },
    );
    const text = copiees.liste.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await this.#fichier(LISTE_ARCHIVES, one(Buffer.from(text)), false, false);
    return copiees;
  }

  /** Writes a file of the backup, and notes it. */
  async #fichier(
    nom: string,
    source: AsyncIterable<Buffer>,
    compresser: boolean,
    chiffrer = true,
  ): Promise<void> {
    const cle = chiffrer ? this.#cle : undefined;
    const written = cle ? nom + CHIFFRE : nom;
    const entry = await ecrire(join(this.#dossier, written), source, { compresser, cle, nom });
    this.#fichiers.push({ nom: written, ...entry });
  }

  #etape(etape: EtapeSauvegarde): void {
    this.#signal().throwIfAborted();
    this.#options.onEtape?.(etape);
  }

  #signal(): AbortSignal {
    return this.#ctx.signal ?? this.#ctx.shutdown.signal;
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function explain(error: unknown, dossier: string): unknown {
  if (error instanceof AtelierError) return error;
  if (/^(ENOSPC|EDQUOT|EFBIG|EIO|EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EEXIST|EMFILE)$/.test(codeOf(error) ?? ''))
    return new AtelierError('ATL_B901', `Sauvegarde dans ${dossier} : ${messageOf(error)}`, { cause: error });
  return error;
}
