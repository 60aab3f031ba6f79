import { ouvrirArchives } from '../archives/archive.ts';
import type { Depot, Sauvegarde } from '../archives/sauvegarde/depot.ts';
import type { Sceau } from '../archives/sauvegarde/manifeste.ts';
import type { BaseContext } from '../base/context.ts';
import { AtelierError } from '../base/errors.ts';
import { noter } from '../postgres/audit.ts';
import type { ClesEmballees } from '../postgres/comptes/cles-emballees.ts';
import { migrate, readMigrations } from '../postgres/migrate.ts';
import { type Client, createPool, type Pool, transaction, withClient } from '../postgres/pool.ts';
import { schemaCourant } from '../postgres/sauvegarde/copie.ts';
import { lireMarque, oterMarque, poserMarque } from '../postgres/sauvegarde/marque.ts';
import {
  finirRestauration,
  jouerBase,
  mettreDeCote,
  occupation,
  supprimerSchema,
  verrouillerSchema,
} from '../postgres/sauvegarde/restauration.ts';
import { endExecution, startExecution } from '../postgres/taches/executions.ts';
import { rejouerEffacements } from './rejeu-effacements.ts';
import { ramenerArchives } from './restauration/archives.ts';
import { rendreLesCles } from './restauration/cles-comptes.ts';
import { unirJournaux } from './restauration/journaux.ts';
import type { Avance } from './sauvegarde/avance.ts';
import { clesACote, clesDeLaSauvegarde } from './sauvegarde/cles-comptes.ts';
import { exigerCle, exigerSceau, verifierFichiers } from './sauvegarde/verification.ts';

/** Steps at which tests kill it. */
export type EtapeRestauration =
  | 'apres_archives'
  | 'dans_base'
  | 'avant_validation'
  | 'apres_base'
  | 'apres_migrations'
  | 'avant_fin';

export interface RestaurationOptions {
  /** address of the database to restore into */
  readonly url: string;
  /** keys at hand */
  readonly cles: readonly Buffer[];
  /** puts aside what is in the database, and does not mind who is connected */
  readonly forcer?: boolean;
  /** takes a backup that nothing vouches for */
  readonly sansSceau?: boolean;
  /** the database alone */
  readonly sansArchives?: boolean;
  /** goes on when the keys of accounts are lost: none of them comes back */
  readonly sansComptes?: boolean;
  readonly onProgress?: (avance: Avance) => void;
  readonly onEtape?: (etape: EtapeRestauration) => void;
}

/** What a restoration did. */
export interface BilanRestauration {
  readonly nom: string;
  /** instant that the database is back at */
  readonly instant: string;
  /** what vouched for it */
  readonly sceau: Sceau;
  /** a restoration that had been broken off was ended */
  readonly reprise: boolean;
  readonly tables: number;
  readonly lignes: number;
  readonly archives: number;
  readonly archivesCopiees: number;
  /** that can be had whole neither from the backup nor in ARCHIVES_DIR, by SHA-256 */
  readonly archivesManquantes: readonly string[];
  readonly migrations: readonly string[];
  /** accounts that did not come back: erased since, or their keys are lost */
  readonly comptesPerdus: number;
  /** schema where what was there lies now */
  readonly misDeCote: string | undefined;
  /** ms of each step, and of all */
  readonly durees: Readonly<Record<'verification' | 'archives' | 'base' | 'suite' | 'totale', number>>;
}

/**
 * Restores a backup: checks it, copies its archives, brings back all tables in one transaction (compared row for row with
 * what was saved), then migrates, and erases again what was erased since. Until all of that is done the database is
 * marked, and no other command uses it. Broken off, it leaves the database as it was, or goes on where it was.
 *
 * @throws AtelierError ATL_B902 to ATL_B911, ATL_D301
 */
export async function restaurer(
  ctx: BaseContext,
  depot: Depot,
  sauvegarde: Sauvegarde,
  options: RestaurationOptions,
): Promise<BilanRestauration> {
  const pool = createPool(options.url, { logger: ctx.logger });
  // Those that count who is connected must not count us.
  pool.options.application_name = 'atelier restore';
  try {
    return await new Restauration(ctx, pool, depot, sauvegarde, options).faire();
  } finally {
    await pool.end();
  }
}

class Restauration {
  readonly #ctx: BaseContext;
  readonly #pool: Pool;
  readonly #depot: Depot;
  readonly #sauvegarde: Sauvegarde;
  readonly #options: RestaurationOptions;

  constructor(
    ctx: BaseContext,
    pool: Pool,
    depot: Depot,
    sauvegarde: Sauvegarde,
    options: RestaurationOptions,
  ) {
    this.#ctx = ctx;
    this.#pool = pool;
    this.#depot = depot;
    this.#sauvegarde = sauvegarde;
    this.#options = options;
  }

  async faire(): Promise<BilanRestauration> {
    const times = [performance.now()];
    const lap = (): void => void times.push(performance.now());
    const { nom, manifeste, sceau } = this.#sauvegarde;
    const { cles, sansSceau = false } = this.#options;
    exigerCle(this.#sauvegarde, cles);
    exigerSceau(this.#sauvegarde, cles, sansSceau);
    if (this.#sauvegarde.sceau !== 'cle')
      this.#ctx.logger.warn({ sauvegarde: nom, sceau }, 'restauration d’une sauvegarde que rien ne prouve');
    exigerProgramme(this.#sauvegarde);
    const reprise = await this.#exigerPlace();
    this.#dire('vérification', 0, 1);
    const defauts = await verifierFichiers(this.#depot, this.#sauvegarde);
    if (defauts.length > 0) {
      throw new AtelierError('ATL_B902', `${this.#sauvegarde.dossier} : ${defauts.join(' ; ')}.`);
    }
    const clesComptes = this.#options.sansComptes
      ? undefined
      : await clesDeLaSauvegarde(this.#depot, this.#sauvegarde, cles, sansSceau);
    lap();
    const archives = this.#options.sansArchives ? undefined : await this.#archives();
    this.#etape('apres_archives');
    lap();
    const misDeCote = reprise ? undefined : await this.#base();
    this.#etape('apres_base');
    lap();
    await unirJournaux(this.#ctx, this.#depot, this.#sauvegarde, (autre) =>
      exigerSceau(autre, cles, sansSceau || cles.length === 0),
    );
    const { migrations, comptesPerdus } = await this.#suite(clesComptes);
    lap();
    const span = (i: number): number => Math.round(times[i + 1]! - times[i]!);
    const durees = { verification: span(0), archives: span(1), base: span(2), suite: span(3) };
    const tables = Object.values(manifeste.base.tables);
    const bilan: BilanRestauration = {
      ...{ nom, instant: manifeste.instant, sceau, reprise, migrations, comptesPerdus, misDeCote },
      tables: tables.length,
      lignes: tables.reduce((sum, { lignes }) => sum + lignes, 0),
      archives: manifeste.archives?.nombre ?? 0,
      archivesCopiees: archives?.copiees ?? 0,
      archivesManquantes: archives?.manquantes ?? [],
      durees: { ...durees, totale: Math.round(times.at(-1)! - times[0]!) },
    };
    await this.#finir(bilan);
    return bilan;
  }

  /** @returns whether a restoration of this backup was broken off here */
  async #exigerPlace(): Promise<boolean> {
    return await withClient(this.#pool, async (client) => {
      const marque = await lireMarque(client);
      if (marque?.genre === 'restauration' && marque.sauvegarde === this.#sauvegarde.nom) return true;
      const { schema } = this.#sauvegarde.manifeste.base;
      const here = await schemaCourant(client);
      if (here !== schema) {
        throw new AtelierError(
          'ATL_B904',
          `La sauvegarde est celle du schéma ${schema}, cette connexion écrit dans ${here}.`,
        );
      }
      if (this.#options.forcer) return false;
      if (marque) {
        throw new AtelierError(
          'ATL_B904',
          `Cette base est au milieu d’une autre ${marque.genre} (${marque.sauvegarde || 'archives'}).`,
        );
      }
      refuserOccupee(await occupation(client));
      return false;
    });
  }

  async #archives(): Promise<{ copiees: number; manquantes: string[] }> {
    const all = await this.#depot.archives(this.#sauvegarde);
    const ctx = { ...this.#ctx, archive: ouvrirArchives(this.#ctx.config) };
    return await ramenerArchives(ctx, this.#depot, all, (fait) => this.#dire('archives', fait, all.length));
  }

  /** All tables, in one transaction. @returns where what was there lies now */
  async #base(): Promise<string | undefined> {
    const { nom, manifeste } = this.#sauvegarde;
    const { schema, tables } = manifeste.base;
    let fait = 0;
    const total = Object.keys(tables).length;
    return await this.#surConnexion(async (client) => {
      await verrouillerSchema(client);
      const before = await occupation(client);
      if (!this.#options.forcer) refuserOccupee(before);
      const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
      const aside = await mettreDeCote(client, schema, `avant_restauration_${stamp}`);
      const keep = before.remplies.length > 0;
      // Tables without rows are those of a fresh installation.
      if (aside !== undefined && !keep) await supprimerSchema(client, aside);
      const dump = this.#depot.lireFichier(this.#sauvegarde, 'base.sql.zst');
      await jouerBase(client, schema, dump, tables, (table) => {
        this.#ctx.shutdown.signal.throwIfAborted();
        this.#dire(`table ${table}`, ++fait, total);
        if (fait === Math.ceil(total / 2)) this.#etape('dans_base');
      });
      await poserMarque(client, { genre: 'restauration', sauvegarde: nom }, schema);
      this.#etape('avant_validation');
      return keep ? aside : undefined;
    });
  }

  /** Newer migrations, and what must not come back. */
  async #suite(cles: ClesEmballees | undefined): Promise<{ migrations: string[]; comptesPerdus: number }> {
    const { nom, manifeste } = this.#sauvegarde;
    const migrations = await withClient(this.#pool, (client) => migrate(client));
    this.#etape('apres_migrations');
    await withClient(this.#pool, (client) =>
      transaction(client, () => finirRestauration(client, nom, manifeste.instant)),
    );
    const archive = ouvrirArchives(this.#ctx.config);
    await rejouerEffacements({ ...this.#ctx, pool: this.#pool, archive });
    const { sansComptes = false, sansSceau = false, cles: dEcriture } = this.#options;
    const found =
      cles ?? (sansComptes ? undefined : await clesACote(this.#pool, this.#depot, dEcriture, sansSceau));
    const comptesPerdus = await rendreLesCles(this.#ctx, this.#pool, found);
    this.#etape('avant_fin');
    return { migrations, comptesPerdus };
  }

  /** From here on the database may be used. */
  async #finir(bilan: BilanRestauration): Promise<void> {
    await withClient(this.#pool, (client) =>
      transaction(client, async () => {
        const execution = await startExecution(client, 'restauration');
        await endExecution(
          client,
          execution,
          bilan.archivesManquantes.length > 0 ? 'partielle' : 'reussie',
          bilan,
        );
        const { nom, instant, sceau } = bilan;
        await noter(client, {
          evenement: 'base_restauree',
          cible: `sauvegardes/${nom}`,
          details: { instant, sceau },
        });
        await oterMarque(client);
      }),
    );
    this.#ctx.logger.info(bilan, 'restauration terminée');
  }

  /** A transaction on a connection that nobody uses after it: the dump changes its settings. */
  async #surConnexion<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const onError = (): void => undefined;
    client.on('error', onError);
    try {
      return await transaction(client, () => work(client));
    } finally {
      client.off('error', onError);
      client.release(true);
    }
  }

  #etape(etape: EtapeRestauration): void {
    this.#options.onEtape?.(etape);
  }

  #dire(quoi: string, fait: number, total: number): void {
    this.#options.onProgress?.({ quoi, fait, total });
  }
}

function refuserOccupee({ remplies, connexions }: Awaited<ReturnType<typeof occupation>>): void {
  if (remplies.length > 0) {
    const what = remplies.slice(0, 8).map(({ nom, lignes }) => `${nom} ${lignes}`);
    const more = remplies.length > what.length ? '…' : '';
    throw new AtelierError(
      'ATL_B904',
      `La base n’est pas vide : ${what.join(', ')}${more} (lignes). --vers-base en désigne une autre, --forcer met son contenu de côté.`,
    );
  }
  if (connexions > 0) {
    throw new AtelierError(
      'ATL_B904',
      `${connexions} connexion(s) d’atelier à cette base : arrêtez d’abord serve, worker et imports.`,
    );
  }
}

/** A program restores backups of older ones, not of newer ones. */
function exigerProgramme({ dossier, manifeste }: Sauvegarde): void {
  const known = new Set(readMigrations().map(({ nom }) => nom));
  const unknown = manifeste.base.migrations.find((nom) => !known.has(nom));
  if (unknown === undefined) return;
  throw new AtelierError(
    'ATL_B905',
    `${dossier} vient d’un atelier plus récent (${manifeste.programme}) : ce programme ne connaît pas la migration ${unknown}.`,
  );
}
