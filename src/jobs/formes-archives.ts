import type { Archive, ArchiveEnAttente } from '../archives/archive.ts';
import { oublierCleEnUsage } from '../archives/cle-en-usage.ts';
import { verifierArchive } from '../archives/sauvegarde/fichiers.ts';
import type { BaseContext } from '../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { noter } from '../postgres/audit.ts';
import { lockCentre } from '../postgres/journaux/fichiers.ts';
import { type Pool, transaction, withClient } from '../postgres/pool.ts';
import type { Avance } from './sauvegarde/avance.ts';

/** Archives by the form that they have. */
export interface FormesArchives {
  readonly enClair: number;
  /** by id of the key */
  readonly chiffrees: Readonly<Record<string, number>>;
}

/** What a change of form did. */
export interface BilanFormes {
  readonly etat: 'reussie' | 'partielle';
  /** that got the form */
  readonly reprises: number;
  /** that had it */
  readonly dejaFaites: number;
  /** that were left as they are: which, and why */
  readonly laissees: readonly { readonly archive: string; readonly raison: string }[];
  readonly dureeMs: number;
}

export type FormesContext = Pick<BaseContext, 'logger' | 'shutdown'> & {
  readonly pool: Pool;
  readonly archive: Archive;
};

export interface FormesOptions {
  readonly onProgress?: (avance: Avance) => void;
  /** steps at which tests kill it */
  readonly onEtape?: (etape: 'ecrite' | 'verifiee' | 'remplacee') => void;
}

/** One archive of those that lie there. */
interface Trouvee {
  readonly centreId: number;
  readonly sha256: string;
}

/** Counts archives by form; reads a few bytes of each. */
export async function compterFormes(archive: Archive): Promise<FormesArchives> {
  let enClair = 0;
  const chiffrees: Record<string, number> = {};
  for (const { centreId, sha256 } of await toutes(archive)) {
    try {
      const forme = await archive.forme(centreId, sha256);
      if (forme === undefined) enClair++;
      else chiffrees[forme] = (chiffrees[forme] ?? 0) + 1;
    } catch (error) {
      // An import that goes on takes some away.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return { enClair, chiffrees };
}

/**
 * Gives all archives the form that the settings say: encrypted with CLE_ARCHIVES, or plain without it. One by one, while
 * imports and the API go on: the new file is written beside, read back whole and compared with its name before it takes
 * the old one's place. What dies in between leaves the old one; called again it goes on. One that cannot be read stays as
 * it is, and keeps no other.
 *
 * @throws AtelierError ATL_L203, ATL_D301; ATL_L209 when a key in use is not at hand: then nothing was touched
 */
export async function accorderFormes(ctx: FormesContext, options: FormesOptions = {}): Promise<BilanFormes> {
  const started = performance.now();
  const { archive, logger } = ctx;
  const { courante } = archive.cles;
  const { chiffrees } = await compterFormes(archive);
  for (const [id, nombre] of Object.entries(chiffrees)) archive.cles.exiger(id, `${nombre} archive(s)`);
  const laissees = new Map<string, string>();
  let [reprises, dejaFaites] = [0, 0];
  await archive.sweep();
  const passer = async (all: readonly Trouvee[]): Promise<void> => {
    for (const [i, one] of all.entries()) {
      ctx.shutdown.signal.throwIfAborted();
      options.onProgress?.({ quoi: 'archives', fait: i + 1, total: all.length });
      const nom = nomDe(one);
      try {
        if ((await archive.forme(one.centreId, one.sha256)) === courante) dejaFaites++;
        else if (await reprendre(ctx, one, options)) reprises++;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') continue;
        if (!(error instanceof Illisible)) throw error;
        laissees.set(nom, error.message);
        logger.error({ archive: nom, raison: error.message }, 'archive illisible, laissée comme elle est');
      }
    }
  };
  const all = await toutes(archive);
  // From here on programs that still have yesterday's key write nothing any more.
  if (courante !== undefined && all.length > 0) await archive.annoncerCle();
  await passer(all);
  if (courante === undefined && (await autres(archive)).length === 0) await oublierCleEnUsage(archive.root);
  // What one of them wrote in between.
  await passer((await autres(archive)).filter((one) => !laissees.has(nomDe(one))));
  for (const one of await autres(archive))
    if (!laissees.has(nomDe(one)))
      laissees.set(
        nomDe(one),
        'écrite à l’instant par un programme qui a encore les réglages d’hier : relancez worker, puis cette commande',
      );
  const etat = laissees.size > 0 ? 'partielle' : 'reussie';
  if (reprises > 0)
    await noter(ctx.pool, {
      evenement: courante === undefined ? 'archives_dechiffrees' : 'archives_chiffrees',
      details: { nombre: reprises, cle: courante ?? null, origine: 'commande' },
    });
  return {
    ...{ etat, reprises, dejaFaites },
    laissees: [...laissees].map(([archive, raison]) => ({ archive, raison })),
    dureeMs: Math.round(performance.now() - started),
  };
}

/**
 * Reads every archive to its end and compares it with its name.
 *
 * @returns how many, and what is wrong with which; nothing is changed
 */
export async function verifierArchives(
  { archive, shutdown }: Pick<FormesContext, 'archive' | 'shutdown'>,
  onProgress: (avance: Avance) => void = () => undefined,
): Promise<{ nombre: number; defauts: { archive: string; raison: string }[] }> {
  const all = await toutes(archive);
  const defauts: { archive: string; raison: string }[] = [];
  for (const [i, { centreId, sha256 }] of all.entries()) {
    shutdown.signal.throwIfAborted();
    onProgress({ quoi: 'archives', fait: i + 1, total: all.length });
    try {
      await verifierArchive(archive.read(centreId, sha256), sha256);
    } catch (error) {
      if (codeOf((error as Error).cause) === 'ENOENT') continue;
      defauts.push({ archive: `${centreId}/${sha256}`, raison: messageOf(error) });
    }
  }
  return { nombre: all.length, defauts };
}

/** An archive that cannot be read: nothing is wrong with the others. */
class Illisible extends Error {}

/** @returns false when it went meanwhile */
async function reprendre(
  { archive, pool }: FormesContext,
  { centreId, sha256 }: Trouvee,
  { onEtape }: FormesOptions,
): Promise<boolean> {
  // Read to its end first: what is wrong later is a matter of writing.
  await verifierArchive(archive.read(centreId, sha256), sha256).catch((error: unknown) => {
    if (codeOf((error as Error).cause) === 'ENOENT') throw (error as Error).cause;
    throw new Illisible(messageOf(error), { cause: error });
  });
  const waiting = await archive.writeCompressed(sha256, archive.readCompressed(centreId, sha256), sha256);
  try {
    onEtape?.('ecrite');
    await verifierArchive(archive.readWaiting(waiting), sha256);
    onEtape?.('verifiee');
    const there = await placer(pool, archive, { centreId, sha256, waiting });
    onEtape?.('remplacee');
    return there;
  } finally {
    await archive.discard(waiting);
  }
}

/** Under the lock of the centre, so that bytes which are erased in this moment do not come back. */
async function placer(
  pool: Pool,
  archive: Archive,
  { centreId, sha256, waiting }: Trouvee & { readonly waiting: ArchiveEnAttente },
): Promise<boolean> {
  return await withClient(pool, (client) =>
    transaction(client, async () => {
      await lockCentre(client, centreId);
      if (!(await archive.has(centreId, sha256))) return false;
      await archive.place(centreId, [{ sha256, waiting }]);
      return true;
    }),
  );
}

async function toutes(archive: Archive): Promise<Trouvee[]> {
  const all: Trouvee[] = [];
  for (const centreId of await archive.centres())
    for (const sha256 of (await archive.list(centreId)).sort()) all.push({ centreId, sha256 });
  return all;
}

/** Those that have not the form that the settings say. */
async function autres(archive: Archive): Promise<Trouvee[]> {
  const found: Trouvee[] = [];
  for (const one of await toutes(archive)) {
    try {
      if ((await archive.forme(one.centreId, one.sha256)) !== archive.cles.courante) found.push(one);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return found;
}

const nomDe = ({ centreId, sha256 }: Trouvee): string => `${centreId}/${sha256}`;

/** @throws AtelierError ATL_L209 when the settings do not say what the command is called */
export function exigerSens(archive: Archive, chiffrer: boolean): void {
  const { courante } = archive.cles;
  if (chiffrer && courante === undefined)
    throw new AtelierError('ATL_L209', 'Chiffrement des archives : CLE_ARCHIVES est vide.');
  if (!chiffrer && courante !== undefined)
    throw new AtelierError(
      'ATL_L209',
      'Déchiffrement des archives : CLE_ARCHIVES chiffrerait aussitôt les suivantes. Mettez sa valeur dans CLE_ARCHIVES_PRECEDENTE, videz-la, relancez serve et worker.',
    );
}
