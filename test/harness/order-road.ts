import type { ErpConfig } from '../../src/base/config/erp.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type Synchronisation, type SyncOptions, sync } from '../../src/jobs/sync.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import type { CommandeAttendue } from '../reference/commandes.ts';
import { migrateUrl } from './context.ts';
import type { ErpOrder } from './erp-generator.ts';
import { loadErp } from './erp-load.ts';
import { MariadbDeTest } from './mariadb.ts';
import { createDatabase, registerTemplate } from './postgres.ts';
import { makeSyncContext } from './sync-context.ts';

export interface StoredOrder extends CommandeAttendue {
  readonly id: number;
  readonly origine: 'erp' | 'manuel';
  /** text, to the microsecond */
  readonly date_creation: string;
}

export interface Run {
  readonly id: number;
  readonly etat: string;
  readonly compteurs: Record<string, unknown>;
  readonly erreur: string | null;
  readonly fini: boolean;
}

export interface HistoryLine {
  readonly commande_id: number;
  readonly numero_commande: string;
  readonly extension: string;
  readonly motif: string;
  readonly ancien_status: string | null;
  readonly nouveau_status: string | null;
}

/** The whole road of the orders under test: a private ERP (database `essai`), a migrated PostgreSQL. */
export class OrderRoad {
  readonly url: string;
  readonly maria: MariadbDeTest;
  /** reads and writes besides the synchronisation */
  readonly pool: Pool;
  readonly #drop: () => Promise<void>;

  private constructor(url: string, maria: MariadbDeTest, drop: () => Promise<void>) {
    this.url = url;
    this.maria = maria;
    this.pool = createPool(url, { logger: silentLogger(), max: 4 });
    this.#drop = drop;
  }

  static async open(): Promise<OrderRoad> {
    registerTemplate(migrateUrl);
    const [database, maria] = await Promise.all([createDatabase(), MariadbDeTest.demarrer()]);
    await maria.creerErp('essai');
    return new OrderRoad(database.url, maria, database.drop);
  }

  config(over: Partial<ErpConfig> = {}): ErpConfig {
    return this.maria.config({ database: 'essai', ...over });
  }

  /** Makes the ERP hold exactly these orders. */
  async load(orders: readonly ErpOrder[]): Promise<void> {
    await loadErp(this.maria.admin, () => orders);
  }

  /** One synchronisation, with connections of its own as a process would have. */
  async sync(options: SyncOptions = {}, over: Partial<ErpConfig> = {}): Promise<Synchronisation> {
    const ctx = makeSyncContext(this.url, this.config(over));
    try {
      return await sync(ctx, options);
    } finally {
      await ctx.pool.end();
    }
  }

  /** One that must do its work. */
  async done(options: SyncOptions = {}, over: Partial<ErpConfig> = {}) {
    const result = await this.sync(options, over);
    if (result.etat !== 'reussie') throw new Error(`synchronisation ${result.etat}`);
    return result;
  }

  async stored(): Promise<StoredOrder[]> {
    const { rows } = await this.pool.query<StoredOrder>(
      `SELECT id, origine, date_creation::text AS date_creation, numero_commande, extension, status,
              date_modification, coffre, coffres, gestion_en_stock
         FROM commandes_volets_roulants ORDER BY numero_commande COLLATE "C", extension COLLATE "C"`,
    );
    return rows;
  }

  /** What an order says, without what PostgreSQL and the merge add to it. */
  async contents(): Promise<CommandeAttendue[]> {
    return (await this.stored()).map(({ id: _i, origine: _o, date_creation: _d, ...content }) => content);
  }

  /** Every row of both tables with its place and the transaction that wrote it: equal means that nothing was written. */
  async physical(): Promise<string[]> {
    const { rows } = await this.pool.query<{ row: string }>(
      `SELECT concat_ws(' ', t.ctid, t.xmin, t.xmax, t) AS row FROM commandes_volets_roulants t
        UNION ALL SELECT concat_ws(' ', t.ctid, t.xmin, t.xmax, t) FROM commande_historique t ORDER BY 1`,
    );
    return rows.map(({ row }) => row);
  }

  /** The latest run of a synchronisation. */
  async lastRun(): Promise<Run> {
    const { rows } = await this.pool.query<Run>(
      `SELECT id, etat, compteurs, erreur, fin IS NOT NULL AS fini FROM execution WHERE tache = 'sync' ORDER BY id DESC LIMIT 1`,
    );
    return rows[0]!;
  }

  /** What a run changed, by number and extension. */
  async history(run: number): Promise<HistoryLine[]> {
    const { rows } = await this.pool.query<HistoryLine>(
      `SELECT commande_id, numero_commande, extension, motif, ancien_status, nouveau_status FROM commande_historique
        WHERE execution_id = $1 ORDER BY numero_commande COLLATE "C", extension COLLATE "C"`,
      [run],
    );
    return rows;
  }

  /** An order entered by hand, as the API does. */
  async enter(numero: string, extension = '', status = 'Saisie'): Promise<number> {
    const { rows } = await this.pool.query<{ id: number }>(
      `INSERT INTO commandes_volets_roulants (numero_commande, extension, status, date_modification, coffre, coffres)
       VALUES ($1, $2, $3, '2025-01-02', 'SOP 1', '{SOP 1}') RETURNING id`,
      [numero, extension, status],
    );
    return rows[0]!.id;
  }

  /** No order, no history, no run. */
  async empty(): Promise<void> {
    await this.pool.query(
      'DELETE FROM commande_historique; DELETE FROM commandes_volets_roulants; DELETE FROM execution',
    );
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.#drop();
    await this.maria.arreter();
  }
}

/** An order that is selected, with nothing odd about it. */
export function plainOrder(number: number, over: { status?: string; date?: string } = {}): ErpOrder {
  const ID = `K${number}`;
  return {
    kopf: {
      ID,
      AuftragsTyp: 1,
      AuNummer: number,
      AuAlpha: null,
      AufStatus: over.status ?? 'Planifiée',
    },
    logbuch: [{ ID_A_Kopf: ID, Datum: `${over.date ?? '2025-05-28'} 08:00:00`, Notiz: 'cde Planifiée' }],
    zubeh: [{ ID_A_Kopf: ID, ZCode: 'SOP 185' }],
    vorgang: [{ ID_A_Kopf: ID, Nummer: 'DEBIT' }],
    freie: 1,
    artikel: 1,
  };
}

/** `count` of them, numbered from `first`. */
export function plainOrders(count: number, first = 1000): ErpOrder[] {
  return Array.from({ length: count }, (_, at) => plainOrder(first + at));
}
