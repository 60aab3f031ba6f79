import { ensureCentre, findCentre } from '../../postgres/centres.ts';
import { type FichierConnu, loadFichiers, loadShas } from '../../postgres/journaux/fichiers.ts';
import type { Client } from '../../postgres/pool.ts';
import { centreOfFolder } from '../../sources/centre.ts';
import { type IngestContext, reglesDe } from './context.ts';
import type { CentreAImporter } from './enregistrement.ts';
import type { Lecture } from './lecture.ts';
import type { Pannes } from './pannes.ts';
import type { Recalcul } from './recalcul.ts';
import { relireVersions } from './relecture.ts';

/** A centre under import, with what is known of its files. */
export interface Centre extends CentreAImporter {
  readonly type: string;
  /** by path */
  readonly connus: Map<string, FichierConnu>;
  /** SHA-256 of the bytes that were parsed and archived before */
  readonly shas: Set<string>;
}

/** Id of a centre that a dry run met for the first time: it has no row. */
const SANS_LIGNE = 0;

/** The centres of a source, each looked up once. */
export class Centres {
  readonly #ctx: IngestContext;
  readonly #only: string | undefined;
  readonly #aBlanc: boolean;
  readonly #pannes: Pannes;
  readonly #byFolder = new Map<string, Centre | undefined>();
  /** folders of which no centre can be made, or not now: put aside, with all that is in them */
  readonly #deCote = new Set<string>();

  /** @param only name of the one centre to import, or undefined: all */
  constructor(ctx: IngestContext, only: string | undefined, aBlanc: boolean, pannes: Pannes) {
    this.#ctx = ctx;
    this.#only = only;
    this.#aBlanc = aBlanc;
    this.#pannes = pannes;
  }

  /** A scan begins: what was put aside a while ago is tried again. */
  commencer(): void {
    for (const dossier of this.#deCote) if (!this.#pannes.attend(ouDe(dossier))) this.#deCote.delete(dossier);
  }

  /**
   * The centre of a folder; undefined when it is not to be imported. The first time, versions that were read with
   * other settings are read again.
   */
  async of(dossier: string, onRecalcul: (recalcul: Recalcul) => void): Promise<Centre | undefined> {
    if (this.#byFolder.has(dossier)) return this.#byFolder.get(dossier);
    if (this.#deCote.has(dossier)) return undefined;
    try {
      const centre = await this.#load(dossier, onRecalcul);
      this.#byFolder.set(dossier, centre);
      this.#pannes.lever(ouDe(dossier));
      return centre;
    } catch (error) {
      this.#pannes.noter(ouDe(dossier), error);
      this.#deCote.add(dossier);
      return undefined;
    }
  }

  /** Whether any folder is to be imported. */
  any(): boolean {
    return this.#deCote.size > 0 || this.#byFolder.values().some((centre) => centre !== undefined);
  }

  /** Names of the centres of all folders, also of those that are not to be imported. */
  names(): string[] {
    return [...this.#byFolder.keys()].map((dossier) => centreOfFolder(dossier, this.#ctx.config.centres).nom);
  }

  /** Those that have rows, by id. */
  byId(): Map<number, Centre> {
    const centres = [...this.#byFolder.values()].filter((centre) => centre !== undefined);
    return new Map(centres.filter(({ id }) => id !== SANS_LIGNE).map((centre) => [centre.id, centre]));
  }

  async #load(dossier: string, onRecalcul: (recalcul: Recalcul) => void): Promise<Centre | undefined> {
    const { pool, logger, config } = this.#ctx;
    const { nom, type, attente, connu, laisse } = centreOfFolder(dossier, config.centres);
    if (this.#only !== undefined && this.#only !== nom) return undefined;
    if (laisse !== undefined)
      logger.warn(
        { dossier, centre: nom, laisse },
        'parenthèse qui n’est pas un type : hors du nom du centre',
      );
    if (!connu) logger.warn({ dossier, centre: nom }, 'dossier inconnu de CENTRES : centre de type INCONNU');
    // A centre is a machine, not a folder: several may be of one.
    const same = this.#byFolder.values().find((centre) => centre?.nom === nom);
    if (same && (type === 'INCONNU' || type === same.type)) return same;
    if (same && same.type !== 'INCONNU') {
      const dit = { dossier, centre: nom, type, garde: same.type };
      logger.warn(dit, 'deux dossiers disent deux types d’un centre : le premier vaut');
      return same;
    }
    const row = this.#aBlanc ? await findCentre(pool, nom) : await ensureCentre(pool, nom, type);
    const id = row?.id ?? SANS_LIGNE;
    // The folder before it did not say the type.
    if (same) return same;
    const base = { id, nom, type, attente, regles: reglesDe(this.#ctx, attente) };
    if (!this.#aBlanc) onRecalcul(await relireVersions(this.#ctx, base, this.#pannes));
    const connus = await loadFichiers(pool, id);
    return {
      ...base,
      connus: new Map(connus.map((fichier) => [fichier.chemin, fichier])),
      shas: await loadShas(pool, id),
    };
  }
}

function ouDe(dossier: string): string {
  return `dossier ${dossier}`;
}

/** The centre with a row: a dry run makes one inside its transaction, which takes it away again. */
export async function withRow(client: Client, centre: Centre): Promise<Centre> {
  if (centre.id !== SANS_LIGNE) return centre;
  return { ...centre, id: (await ensureCentre(client, centre.nom, centre.type)).id };
}

/** Notes that a path could not be read: whatever its signature, it is looked at again. */
export function rememberErreur(centre: Centre, chemin: string): void {
  const before = centre.connus.get(chemin);
  const { id, tailles } = before ?? { id: 0, tailles: [] };
  centre.connus.set(chemin, { id, chemin, etat: 'erreur', signature: null, tailles });
}

/** Spares the next scan a question: the state of a path as this one left it. */
export function remember(centre: Centre, { fichier, taille, signature, sha256, etat }: Lecture): void {
  const { chemin } = fichier;
  const before = centre.connus.get(chemin);
  // The last sizes are enough to see a growing file grow; what is missing is asked of the archive.
  const tailles = [taille, ...(before?.tailles ?? []).filter((t) => t !== taille)].slice(0, 3);
  centre.connus.set(chemin, {
    id: before?.id ?? 0,
    chemin,
    etat: 'lu',
    signature: signature ?? null,
    tailles,
    lu: { sha256, etat },
  });
  // A file that grows while it is followed has other bytes at each look: nobody sends those of a moment ago again.
  if (before?.etat !== 'lu') centre.shas.add(sha256);
}
