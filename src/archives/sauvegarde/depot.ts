import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { idDeCle } from '../../base/chiffrement-flux.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { vit } from '../../base/espace.ts';
import { ClesArchives, FORME_BYTES, formeDe } from '../cles.ts';
import {
  CHIFFRE,
  cheminArchive,
  decompresser,
  ecrire,
  illisible,
  lire,
  lireTexte,
  SANS_LIEN,
  synchroniserDossier,
  verifierArchive,
} from './fichiers.ts';
import { lireManifeste, MANIFESTE, type Manifeste, type Sceau } from './manifeste.ts';

const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?$/;
const DRAFT = '.en-cours~';
const POOL = 'archives';
/** A draft as old as this (ms) belongs to a process that is gone, whatever host it was on. */
const ABANDONED = 3 * 24 * 3600 * 1000;
/** The list of archives that a backup needs; their names are hashes, so it is never encrypted. */
export const LISTE_ARCHIVES = 'archives.jsonl';

/** An archive that a backup needs, under its name. */
export interface ArchiveSauvegardee {
  readonly centre: number;
  readonly sha256: string;
  /** name in the pool, relative to it; undefined: its bytes were not to be had */
  readonly fichier?: string | undefined;
}

/** A backup that is whole. */
export interface Sauvegarde {
  readonly nom: string;
  readonly dossier: string;
  readonly manifeste: Manifeste;
  readonly sceau: Sceau;
}

/**
 * A folder of backups: one folder each, named by the instant (UTC), and beside them `archives/`, the pool of machine
 * logs that they share. An archive never changes once it has its name, so each is copied once, however many backups
 * need it. A backup under way has another name; it gets its own when all of it is on the disk.
 */
export class Depot {
  readonly root: string;
  readonly #cles: readonly Buffer[];
  readonly #archives: ClesArchives;

  /**
   * @param cles keys at hand, the one that encrypts first; none: backups are not encrypted
   * @param archives keys of ARCHIVES_DIR
   */
  constructor(root: string, cles: readonly Buffer[], archives = new ClesArchives()) {
    this.root = root;
    this.#cles = cles;
    this.#archives = archives;
  }

  /** Makes the folder of a new backup, under a temporary name. @returns its path */
  async commencer(): Promise<string> {
    try {
      await mkdir(join(this.root, POOL), { recursive: true, mode: 0o700 });
      const draft = join(this.root, `${DRAFT}${hostname()}~${process.pid}~${Date.now().toString(36)}`);
      await mkdir(draft, { mode: 0o700 });
      return draft;
    } catch (cause) {
      throw new AtelierError('ATL_B901', `Dossier ${this.root} : ${messageOf(cause)}`, { cause });
    }
  }

  /** Gives a backup that is whole its name. @returns the name */
  async achever(draft: string, instant: string): Promise<string> {
    await synchroniserDossier(draft);
    const debut = stem(instant);
    // After the last of its second, not in the place of one that is gone: names tell the order.
    const last = (await this.noms()).findLast((name) => name.startsWith(debut));
    const nom = last === undefined ? debut : `${debut}-${Number(last.slice(debut.length + 1) || 1) + 1}`;
    await rename(draft, join(this.root, nom));
    await synchroniserDossier(this.root);
    return nom;
  }

  /** Forgets a backup that failed. */
  async abandonner(draft: string): Promise<void> {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Names of the backups, oldest first. */
  async noms(): Promise<string[]> {
    const names = await readdir(this.root).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw new AtelierError('ATL_B905', `Dossier ${this.root} : ${messageOf(error)}`, { cause: error });
    });
    return names.filter((name) => NAME.test(name)).sort(byAge);
  }

  /** A backup by its name. @throws AtelierError ATL_B905 (no such), ATL_B902, ATL_B903 */
  async ouvrir(nom: string): Promise<Sauvegarde> {
    const dossier = join(this.root, nom);
    const text = await lireTexte(join(dossier, MANIFESTE)).catch((cause: unknown) => {
      const why = codeOf(cause) === 'ENOENT' ? `pas de ${MANIFESTE}` : messageOf(cause);
      throw new AtelierError('ATL_B905', `${dossier} n’est pas une sauvegarde : ${why}.`, { cause });
    });
    const { manifeste, sceau } = lireManifeste(text, this.#cles, dossier);
    // An older one under the name of a newer one would bring back what was taken away since.
    if (NAME.test(nom) && !nom.startsWith(stem(manifeste.instant)))
      throw new AtelierError(
        'ATL_B902',
        `${dossier} porte le nom d’une autre : elle est du ${manifeste.instant}.`,
      );
    return { nom, dossier, manifeste, sceau };
  }

  /** All archives that a backup needs. */
  async archives({ dossier, manifeste }: Sauvegarde): Promise<ArchiveSauvegardee[]> {
    if (!manifeste.archives) return [];
    const text = await lireTexte(join(dossier, LISTE_ARCHIVES)).catch((cause: unknown) => {
      throw new AtelierError('ATL_B902', `${join(dossier, LISTE_ARCHIVES)} : ${messageOf(cause)}`, { cause });
    });
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      // Names become paths: they must be ours.
      const entry = lireArchive(line);
      if (entry) return entry;
      throw new AtelierError('ATL_B902', `${dossier} : ligne impossible dans ${LISTE_ARCHIVES}.`);
    });
  }

  /**
   * Copies an archive into the pool, unless it is there: checked against its name. With a key of backups it is encrypted
   * with that one alone, whatever it was encrypted with, so that keys of archives may change and be lost without it; else
   * it stays as it lies.
   *
   * @returns its name in the pool, and bytes that were written there
   * @throws AtelierError ATL_B902 when it is damaged, ATL_L209 when its key is not at hand; the file system's error when
   *   it is missing
   */
  async deposer(archives: string, { centre, sha256 }: ArchiveSauvegardee): Promise<Deposee> {
    const [cle] = this.#cles;
    const plain = `${centre}/${sha256}.zst`;
    const named = (ending: string): Promise<Deposee | undefined> => this.#there(`${plain}${ending}`);
    const known = cle ? await named(`.${idDeCle(cle)}${CHIFFRE}`) : undefined;
    if (known) return known;
    // One look at the file: meanwhile it may get its other form, under the same name.
    const path = cheminArchive(archives, centre, sha256);
    const source = await open(path, SANS_LIEN).catch(async (error: unknown) => {
      const kept = cle ? undefined : ((await named('')) ?? (await this.#scellee(plain)));
      if (kept) return kept;
      throw codeOf(error) === 'ENOENT' ? error : illisible(path, error);
    });
    if ('fichier' in source) return source;
    try {
      const forme = await lireForme(source);
      const fichier = `${plain}${cle ? `.${idDeCle(cle)}${CHIFFRE}` : forme ? `.${forme}${SCELLEE}` : ''}`;
      return (await this.#there(fichier)) ?? (await this.#copier(source, fichier, { centre, sha256 }));
    } finally {
      await source.close();
    }
  }

  /** An archive of the pool that lies there already. */
  async #there(fichier: string): Promise<Deposee | undefined> {
    const there = await lstat(join(this.root, POOL, fichier)).catch(() => undefined);
    return there?.isFile() ? { fichier, octets: there.size, copies: 0 } : undefined;
  }

  /** The same, encrypted with a key of archives that is at hand. */
  async #scellee(plain: string): Promise<Deposee | undefined> {
    for (const id of this.#archives.ids) {
      const found = await this.#there(`${plain}.${id}${SCELLEE}`);
      if (found) return found;
    }
    return undefined;
  }

  async #copier(
    source: FileHandle,
    fichier: string,
    { centre, sha256 }: ArchiveSauvegardee,
  ): Promise<Deposee> {
    const [cle] = this.#cles;
    const pieces = (): AsyncIterable<Buffer> => source.createReadStream({ start: 0, autoClose: false });
    try {
      await verifierArchive(decompresser(this.#archives.enClair(pieces(), sha256)), sha256);
    } catch (error) {
      throw illisible(cheminArchive('', centre, sha256), error);
    }
    const target = join(this.root, POOL, fichier);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const draft = join(this.root, POOL, `${DRAFT}${hostname()}~${process.pid}~${sha256}`);
    await rm(draft, { force: true });
    const bytes = cle ? this.#archives.enClair(pieces(), sha256) : pieces();
    try {
      const { octets } = await ecrire(draft, bytes, { compresser: false, cle, nom: `${centre}/${sha256}` });
      await rename(draft, target);
      return { fichier, octets, copies: octets };
    } catch (error) {
      // On a full disk it would keep the room that is missing.
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** Waits until the names in the pool's folders of the given centres are on the disk. */
  async synchroniserReserve(centres: Iterable<number>): Promise<void> {
    for (const centre of centres) await synchroniserDossier(join(this.root, POOL, String(centre)));
    await synchroniserDossier(join(this.root, POOL));
  }

  /**
   * The bytes of an archive of the pool: plain zstd, or decompressed.
   *
   * @throws AtelierError ATL_B902 (damaged), ATL_B903 (key of backups), ATL_L209 (key of archives)
   */
  async *lireArchive(archive: ArchiveSauvegardee, compresse: boolean): AsyncGenerator<Buffer> {
    const { centre, sha256, fichier = '' } = archive;
    const path = join(this.root, POOL, fichier);
    const pieces = lire(path, {
      compresse: false,
      chiffre: fichier.endsWith(CHIFFRE),
      cles: this.#cles,
      nom: `${centre}/${sha256}`,
    });
    const plain = fichier.endsWith(SCELLEE) ? this.#archives.enClair(pieces, sha256) : pieces;
    try {
      yield* compresse ? decompresser(plain) : plain;
    } catch (error) {
      throw illisible(path, error);
    }
  }

  /** @throws AtelierError ATL_L209 when one of these archives is encrypted with a key of archives that is not at hand */
  exigerClesArchives(archives: readonly ArchiveSauvegardee[]): void {
    for (const { sha256, fichier } of archives) {
      if (fichier?.endsWith(SCELLEE))
        this.#archives.exiger(fichier.split('.').at(-2)!, `Archive ${sha256} de la sauvegarde`);
    }
  }

  /** Bytes of a file of a backup, as they were before they were written. */
  lireFichier({ dossier, manifeste }: Sauvegarde, nom: string): AsyncGenerator<Buffer> {
    const written = manifeste.fichiers.find((f) => f.nom === nom || f.nom === nom + CHIFFRE);
    if (!written) throw new AtelierError('ATL_B902', `${dossier} : il manque ${nom}.`);
    const chiffre = written.nom.endsWith(CHIFFRE);
    return lire(join(dossier, written.nom), {
      compresse: nom.endsWith('.zst'),
      chiffre,
      cles: this.#cles,
      nom,
    });
  }

  /** Removes a backup; what of it is in the pool stays until {@link degager}. */
  async effacer(nom: string): Promise<void> {
    // Under a draft's name it is no backup any more, even if the process dies in the middle.
    const draft = join(this.root, `${DRAFT}${hostname()}~${process.pid}~${nom}`);
    await rename(join(this.root, nom), draft);
    await rm(draft, { recursive: true, force: true });
  }

  /**
   * Removes what no backup needs: archives of the pool, drafts of dead processes. Nothing is removed from the pool while
   * any backup cannot be read, or one is being made (of another database, into the same folder).
   */
  async degager(now = Date.now()): Promise<{ archives: number }> {
    await this.balayer(now);
    const names = await readdir(this.root).catch(() => []);
    if (names.some((name) => name.startsWith(DRAFT))) return { archives: 0 };
    const needed = new Set<string>();
    for (const nom of await this.noms()) {
      const archives = await this.ouvrir(nom)
        .then((sauvegarde) => this.archives(sauvegarde))
        .catch(() => undefined);
      if (!archives) return { archives: 0 };
      for (const { fichier } of archives) if (fichier !== undefined) needed.add(fichier);
    }
    let count = 0;
    const pool = join(this.root, POOL);
    for (const name of await readdir(pool, { recursive: true }).catch(() => [])) {
      const fichier = name.replaceAll('\\', '/');
      if (!POOL_NAME.test(fichier) || needed.has(fichier)) continue;
      await rm(join(pool, fichier), { force: true });
      count++;
    }
    return { archives: count };
  }

  /** Removes what killed processes left under temporary names. */
  async balayer(now = Date.now()): Promise<void> {
    for (const folder of [this.root, join(this.root, POOL)]) {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!name.startsWith(DRAFT)) continue;
        const path = join(folder, name);
        const [, host, pid] = name.split('~');
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
        const dead = host === hostname() && !vit(Number(pid));
        if (dead || now - mtimeMs > ABANDONED) await rm(path, { recursive: true, force: true });
      }
    }
  }
}

/** An archive in the pool. */
interface Deposee {
  readonly fichier: string;
  /** as it lies there */
  readonly octets: number;
  /** bytes that were written just now */
  readonly copies: number;
}

/** End of the name of an archive that lies in the pool as it was encrypted in ARCHIVES_DIR. */
const SCELLEE = '.archive';
const POOL_NAME = /^\d+\/[0-9a-f]{64}\.zst(\.[0-9a-f]{16}\.(chiffre|archive))?$/;

async function lireForme(file: FileHandle): Promise<string | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(FORME_BYTES), 0, FORME_BYTES, 0);
  return formeDe(buffer.subarray(0, bytesRead));
}

const archiveSauvegardee = z.strictObject({
  centre: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  fichier: z.string().regex(POOL_NAME).optional(),
});

function lireArchive(line: string): ArchiveSauvegardee | undefined {
  try {
    return archiveSauvegardee.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Beginning of the name of a backup of an instant. */
function stem(instant: string): string {
  return instant.replace(/(\.\d+)?Z$/, 'Z').replaceAll(':', '-');
}

/** The folder of backups that a path or name means, and the name of the backup in it. */
export function situer(sauvegarde: string, depot: string): { root: string; nom: string } {
  const path = NAME.test(sauvegarde) ? join(depot, sauvegarde) : resolve(sauvegarde);
  return { root: dirname(path), nom: basename(path) };
}

/** Instant of a backup by its name, ms since 1970. */
export function instantDe(nom: string): number {
  return Date.parse(`${nom.slice(0, 10)}T${nom.slice(11, 19).replaceAll('-', ':')}Z`);
}

function byAge(a: string, b: string): number {
  return instantDe(a) - instantDe(b) || a.length - b.length || (a < b ? -1 : 1);
}
