import { statSync } from 'node:fs';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { type Mount, readMounts, remoteMounts } from '../base/mounts.ts';
import { type Disk, type DiskEntry, LOCAL_DISK } from './disk.ts';
import { type DossierIgnore, decodeName, isLog, isPassedOver, isServiceFolder } from './noms.ts';
import { FollowedFolder } from './remote/followed-folder.ts';
import { DiskAway, RemoteDisk } from './remote/remote-disk.ts';
import { sign, stateOf } from './signature.ts';
import {
  type EntreeSource,
  type FichierOuvert,
  type FichierSource,
  MAX_PATH,
  type SourceJournaux,
} from './source.ts';
import { FolderWatchers } from './watchers.ts';

const SLASH = Buffer.from('/');
/** What no event tells is looked at this often (ms): the root made anew, something mounted or taken away. */
const LOOK_EVERY = 1_000;
/** A share that is silent for this long (ms) does not answer: while others wait for it, and when it is all there is to do. */
const PATIENCE = 5_000;
const PATIENCE_ALONE = 20_000;

interface Reference {
  readonly disk: Disk;
  readonly path: Buffer;
}

/** The following under way. */
interface Following {
  readonly watchers: FolderWatchers;
  readonly onHint: (chemin?: string) => void;
  readonly signal: AbortSignal;
  /** folders of centres on disks that may not answer, by name */
  readonly folders: Map<string, { readonly disk: Disk; readonly folder: FollowedFolder; stop(): void }>;
}

/** A tree of LOG files on the local file system. Links are never followed, names are bytes and never trusted. */
export class DossierLocal implements SourceJournaux {
  readonly description: string;
  readonly #root: Buffer;
  readonly #logger: Logger | undefined;
  readonly #ignore: DossierIgnore;
  readonly #patience: number;
  /** disks that may not answer, by the number of their mount */
  readonly #remotes = new Map<string, RemoteDisk>();
  #following: Following | undefined;

  /** @param options `alone`: nobody waits for the other centres while one does not answer; `ignore`: folders not looked into */
  constructor(root: string, logger?: Logger, options: { alone?: boolean; ignore?: DossierIgnore } = {}) {
    this.description = root;
    this.#root = Buffer.from(root);
    this.#logger = logger;
    this.#ignore = options.ignore ?? isServiceFolder;
    this.#patience = options.alone ? PATIENCE_ALONE : PATIENCE;
  }

  async *list(): AsyncGenerator<EntreeSource> {
    const seen = new Set<string>();
    const remote = remoteMounts(this.description);
    this.#forget(remote);
    const rootDisk = remote.above ? this.#remote(remote.above) : LOCAL_DISK;
    let centres: DiskEntry[];
    try {
      centres = await this.#entries(rootDisk, this.#root, '', seen);
    } catch (cause) {
      throw new AtelierError('ATL_L201', `Lecture du dossier ${this.description} : ${messageOf(cause)}`, {
        cause,
      });
    }
    for (const entry of centres) {
      const name = decodeName(entry.name);
      if (name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        if (this.#ignore(name, true)) continue;
        yield { kind: 'dossier', dossier: name };
        const real = `${remote.real === '/' ? '' : remote.real}/${name}`;
        const inside = remote.below.find(({ point }) => `${point}/`.startsWith(`${real}/`));
        const disk = inside ? this.#remote(inside) : rootDisk;
        yield* this.#centre(disk, join(this.#root, entry.name), name, seen);
      } else if (entry.isSymbolicLink()) {
        yield { kind: 'ecarte', chemin: name, raison: 'lien symbolique, jamais suivi', erreur: false };
      } else if (isLog(name)) {
        yield { kind: 'ecarte', chemin: name, raison: 'fichier hors du dossier d’un centre', erreur: false };
      }
    }
    this.#following?.watchers.keep(seen);
  }

  /** What a centre's folder holds. One whose disk does not answer is an entry, and keeps nobody waiting for long. */
  async *#centre(disk: Disk, path: Buffer, name: string, seen: Set<string>): AsyncGenerator<EntreeSource> {
    if (disk === LOCAL_DISK) {
      this.#following?.folders.get(name)?.stop();
      yield* this.#walk(disk, path, name, name, seen);
      return;
    }
    const following = this.#following;
    if (following) {
      yield* this.#followed(following, disk, path, name).list();
      return;
    }
    try {
      yield* this.#walk(disk, path, name, name, seen);
    } catch (error) {
      if (!(error instanceof DiskAway)) throw error;
      yield { kind: 'ecarte', chemin: name, raison: error.message, erreur: true };
    }
  }

  #followed({ folders, onHint, signal }: Following, disk: Disk, path: Buffer, name: string): FollowedFolder {
    const before = folders.get(name);
    if (before?.disk === disk) return before.folder;
    before?.stop();
    const end = new AbortController();
    const stop = (): void => {
      end.abort();
      folders.delete(name);
    };
    const list = (): AsyncGenerator<EntreeSource> => this.#walk(disk, path, name, name, new Set());
    const folder = new FollowedFolder(name, list, onHint, AbortSignal.any([signal, end.signal]));
    folders.set(name, { disk, folder, stop });
    return folder;
  }

  async *#walk(
    disk: Disk,
    path: Buffer,
    chemin: string,
    dossier: string,
    seen: Set<string>,
  ): AsyncGenerator<EntreeSource> {
    let entries: DiskEntry[];
    try {
      entries = await this.#entries(disk, path, chemin, seen);
    } catch (error) {
      if (error instanceof DiskAway) throw error;
      if (isGone(error)) return;
      yield { kind: 'ecarte', chemin, raison: messageOf(error), erreur: true };
      return;
    }
    for (const entry of entries) {
      const name = decodeName(entry.name);
      const below = `${chemin}/${name}`;
      if (isPassedOver(name)) continue;
      if (entry.isDirectory()) {
        if (this.#ignore(name, false)) continue;
        yield* this.#walk(disk, join(path, entry.name), below, dossier, seen);
      } else if (isLog(name)) {
        const found = this.#file(disk, join(path, entry.name), entry, below, dossier);
        if (found) yield found;
      }
    }
  }

  /** @returns undefined when the file went away in the moment since it was listed */
  #file(
    disk: Disk,
    path: Buffer,
    entry: DiskEntry,
    chemin: string,
    dossier: string,
  ): EntreeSource | undefined {
    if (chemin.length > MAX_PATH) {
      return { kind: 'ecarte', chemin, raison: `chemin de plus de ${MAX_PATH} caractères`, erreur: true };
    }
    if (!entry.isFile()) {
      const raison = entry.isSymbolicLink() ? 'lien symbolique, jamais suivi' : 'pas un fichier ordinaire';
      return { kind: 'ecarte', chemin, raison, erreur: false };
    }
    try {
      const stats = disk.stats(path, entry);
      const reference: Reference = { disk, path };
      const fichier = {
        ...{ dossier, chemin, reference },
        ...{ taille: Number(stats.size), signature: sign(stats), etat: stateOf(stats) },
      };
      return { kind: 'fichier', fichier };
    } catch (error) {
      if (isGone(error)) return undefined;
      return { kind: 'ecarte', chemin, raison: messageOf(error), erreur: true };
    }
  }

  async open(fichier: FichierSource): Promise<FichierOuvert> {
    const { disk, path } = fichier.reference as Reference;
    const { stats, read, close } = await disk.open(path);
    return { taille: Number(stats.size), signature: sign(stats), etat: stateOf(stats), read, close };
  }

  async revoir(fichier: FichierSource): Promise<FichierSource | undefined> {
    const { disk, path } = fichier.reference as Reference;
    try {
      const stats = await disk.look(path);
      return (
        stats && { ...fichier, taille: Number(stats.size), signature: sign(stats), etat: stateOf(stats) }
      );
    } catch {
      return undefined;
    }
  }

  watch(onHint: (chemin?: string) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    const watchers = new FolderWatchers(onHint, this.#logger);
    const following: Following = { watchers, onHint, signal, folders: new Map() };
    this.#following = following;
    let before = this.#state();
    const timer = setInterval(() => {
      const now = this.#state();
      if (now !== before) onHint();
      before = now;
    }, LOOK_EVERY).unref();
    const stop = (): void => {
      clearInterval(timer);
      watchers.close();
      if (this.#following === following) this.#following = undefined;
      this.#forget({ above: undefined, below: [] });
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  /** Waits no longer for disks that do not answer. */
  async fermer(): Promise<void> {
    this.#forget({ above: undefined, below: [] });
  }

  #remote(mount: Mount): RemoteDisk {
    let disk = this.#remotes.get(mount.id);
    if (!disk) {
      disk = new RemoteDisk(mount, () => (this.#following ? PATIENCE : this.#patience));
      this.#remotes.set(mount.id, disk);
    }
    return disk;
  }

  /** Lets go of all disks but those that are mounted now. */
  #forget({ above, below }: { above: Mount | undefined; below: readonly Mount[] }): void {
    const now = new Set([above, ...below].map((mount) => mount?.id));
    for (const [id, disk] of this.#remotes) {
      if (now.has(id)) continue;
      disk.close();
      this.#remotes.delete(id);
    }
  }

  /** Another text each time that the tree may have become another one without an event. */
  #state(): string {
    const mounts = readMounts();
    const lines = mounts.map(({ id, point }) => `${id} ${point}`);
    try {
      if (!remoteMounts(this.description, mounts).above) {
        const { dev, ino } = statSync(this.#root, { bigint: true });
        lines.push(`${dev}:${ino}`);
      }
    } catch {
      // It is away: the listing says so.
    }
    return lines.join('\n');
  }

  async #entries(disk: Disk, path: Buffer, chemin: string, seen: Set<string>): Promise<DiskEntry[]> {
    if (disk === LOCAL_DISK) {
      seen.add(path.toString('latin1'));
      this.#following?.watchers.arm(path, chemin);
    }
    return await disk.entries(path);
  }
}

/** Whether a name that was listed a moment ago is nothing any more: that is no error, only late. */
function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}
