import type { ErpConfig } from '../base/config/erp.ts';
import type { Config } from '../base/config.ts';
import type { BaseContext } from '../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { synchronisationsRefusees } from '../base/metrics.ts';
import { raisonDe, suivreTache } from '../base/tache-suivie.ts';
import { tracer } from '../base/traces.ts';
import * as commandes from '../postgres/commandes.ts';
import { type Client, isServerAway, type Pool, transaction, withClient } from '../postgres/pool.ts';
import { endExecution, startExecution, tenirExecution } from '../postgres/taches/executions.ts';
import { type Extraction, extraireCommandes } from './extraction-commandes.ts';

export interface SyncContext extends BaseContext {
  readonly pool: Pool;
}

export interface SyncOptions {
  /** replace the stored orders even if the ERP answers with few or none */
  readonly force?: boolean;
  /** say what would change, change nothing */
  readonly aBlanc?: boolean;
}

/** What a synchronisation did. */
export type Synchronisation =
  | ({ readonly etat: 'reussie'; readonly lues: Extraction['compteurs'] } & commandes.BilanCommandes)
  /** another one is running */
  | { readonly etat: 'ignoree' };

/** Changes that are printed one by one. */
const EXAMPLES = 20;
/** How often a writer of the table may make us wait in vain. */
const ATTEMPTS = 3;
const LOCK_NOT_AVAILABLE = '55P03';

/** The settings of the ERP. @throws AtelierError ATL_E411 when there are none */
export function exigerErp(config: Config): ErpConfig {
  if (config.erp) return config.erp;
  throw new AtelierError('ATL_E411', 'Synchronisation : aucun ERP n’est réglé.');
}

/**
 * Orders from the ERP into PostgreSQL: reads the ERP whole, then replaces the stored set in one short transaction.
 * Whatever fails before its commit leaves the stored orders as they were.
 *
 * @throws AtelierError ATL_E401 to ATL_E411, ATL_D301, ATL_D304
 */
export async function sync(ctx: SyncContext, options: SyncOptions = {}): Promise<Synchronisation> {
  if (options.aBlanc) return await synchroniser(ctx, options);
  const task = { job: 'sync', execution: ctx.execution };
  return await suivreTache(
    task,
    () => synchroniser(ctx, options),
    ({ etat }) => etat,
  ).catch((error: unknown) => {
    synchronisationsRefusees.inc({ reason: raisonDe(error) });
    throw error;
  });
}

async function synchroniser(ctx: SyncContext, options: SyncOptions): Promise<Synchronisation> {
  const erp = exigerErp(ctx.config);
  return await withClient(ctx.pool, async (client) => {
    let execution: number | undefined;
    let locked = false;
    try {
      if (!options.aBlanc) {
        execution = ctx.execution ?? (await startExecution(client, 'sync'));
        if (!(await tenirExecution(client, execution))) throw reprise();
      }
      locked = await commandes.lockSync(client);
      if (!locked) {
        ctx.logger.info('synchronisation ignorée : une autre est en cours');
        if (execution !== undefined) await endExecution(client, execution, 'ignoree', {});
        return { etat: 'ignoree' };
      }
      const extraction = await tracer('lecture de l’ERP', { 'server.address': erp.host }, () =>
        extraireCommandes(erp, { log: ctx.logger, signal: ctx.shutdown.signal }),
      );
      const { exemples, ...compteurs } = await tracer('remplacement', {}, () =>
        replace(ctx, client, extraction, execution, options),
      );
      const lues = extraction.compteurs;
      ctx.logger.info(
        { erp: erp.host, aBlanc: options.aBlanc ?? false, ...compteurs, lues },
        'synchronisation terminée',
      );
      for (const changement of exemples) ctx.logger.debug(changement, 'commande changée');
      return { etat: 'reussie', lues, ...compteurs, exemples };
    } catch (thrown) {
      const error = explain(thrown);
      const erreur = messageOf(error);
      ctx.logger.error({ erp: erp.host, erreur }, 'synchronisation échouée, commandes intactes');
      // PostgreSQL may be what failed: then the run stays `en_cours`.
      if (execution !== undefined) {
        await endExecution(ctx.pool, execution, 'echouee', {}, erreur).catch(() => undefined);
      }
      throw error;
    } finally {
      if (locked) await commandes.unlockSync(client).catch(() => undefined);
    }
  });
}

/** One short transaction: stage, guard, merge. Tried again when a writer holds the table for too long. */
async function replace(
  ctx: SyncContext,
  client: Client,
  extraction: Extraction,
  execution: number | undefined,
  options: SyncOptions,
): Promise<commandes.BilanCommandes> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(
        client,
        async () => {
          await commandes.stageCommandes(client, extraction.commandes);
          if (!options.force) await guard(ctx, client, extraction);
          const bilan = await commandes.mergeCommandes(client, {
            executionId: execution,
            examples: EXAMPLES,
            apply: !options.aBlanc,
          });
          if (execution !== undefined) {
            const { exemples: _, ...compteurs } = bilan;
            // In the same transaction: a run is noted as done exactly when its orders are there.
            const counts = { ...compteurs, lues: extraction.compteurs };
            if (!(await endExecution(client, execution, 'reussie', counts))) throw reprise();
          }
          return bilan;
        },
        { keep: !options.aBlanc },
      );
    } catch (error) {
      if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
      if (attempt === ATTEMPTS) {
        throw new AtelierError(
          'ATL_D304',
          `Synchronisation : un autre programme écrit dans commandes_volets_roulants et la tient depuis ${ATTEMPTS} essais ; les commandes restent telles qu’elles étaient.`,
          { cause: error },
        );
      }
      ctx.logger.warn({ essai: attempt }, 'la table des commandes est tenue par un autre, nouvel essai');
    }
  }
}

/** A bad morning of the ERP must not empty the workshop's list (F38, F39). */
async function guard(ctx: SyncContext, client: Client, extraction: Extraction): Promise<void> {
  const found = extraction.commandes.length;
  const stored = await commandes.countCommandesErp(client);
  const { seuilBaisse } = exigerErp(ctx.config);
  if (found === 0) {
    const { entetes } = extraction.compteurs;
    const why =
      entetes === 0 ? 'l’ERP n’a aucune commande' : `aucune des ${entetes} commandes lues n’est retenue`;
    throw new AtelierError(
      'ATL_E410',
      `Synchronisation : ${why} ; ${stored} sont enregistrées et le restent.`,
    );
  }
  // Divided, not multiplied: 55 of 100 must pass at 0.55, and 0.55 * 100 is a little more than 55.
  if (found / stored < seuilBaisse) {
    throw new AtelierError(
      'ATL_E410',
      `Synchronisation : l’ERP ne rend que ${found} commandes, ${stored} sont enregistrées et le restent (SYNC_SEUIL_BAISSE ${seuilBaisse}).`,
    );
  }
}

/** Another worker has taken this run over while we were silent: nothing of ours is kept. */
function reprise(): AtelierError {
  return new AtelierError(
    'ATL_T703',
    'Synchronisation : un autre worker a repris ce passage, celui-ci n’écrit rien.',
  );
}

/** What PostgreSQL or its driver threw, as an error that a person can act upon. */
function explain(error: unknown): unknown {
  if (error instanceof AtelierError) return error;
  const message = `Synchronisation, écriture dans PostgreSQL : ${messageOf(error)}`;
  if (isServerAway(error)) return new AtelierError('ATL_D301', message, { cause: error });
  const refused = /^[0-9A-Z]{5}$/.test(codeOf(error) ?? '');
  return refused ? new AtelierError('ATL_D304', message, { cause: error }) : error;
}
