// The model of a folder tree under the actions of programs.ts, and the same actions on a real disk.
// At each import it records every (path, bytes) visible at that moment as a version.

import { appendFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Action, LineEnding } from './programs.ts';
import type { SeenVersion } from './reference.ts';

/** The real imports, given by the caller; each resolves when no import runs any more. */
export type ModelImports = {
  run: () => Promise<void>;
  /** Two at once; both to the end. */
  twice: () => Promise<void>;
  /** Started and killed at a point (0 to 9) of the caller's choice. */
  kill: (point: number) => Promise<void>;
};

/** What one action does to the disk. */
type Change =
  | { op: 'append'; chemin: string; octets: Uint8Array }
  | { op: 'truncate'; chemin: string; taille: number }
  | { op: 'write'; chemin: string; octets: Uint8Array; surPlace: boolean }
  | { op: 'rename'; de: string; vers: string }
  | { op: 'delete'; chemin: string };

const EMPTY = new Uint8Array();

/** New text for a file: UTF-16 if its present bytes begin with such a BOM, else one byte a character. */
function encoded(text: string, present: Uint8Array): Uint8Array {
  if (present[0] === 0xff && present[1] === 0xfe) return Uint8Array.from(Buffer.from(text, 'utf16le'));
  if (present[0] === 0xfe && present[1] === 0xff)
    return Uint8Array.from(Buffer.from(text, 'utf16le').swap16());
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** The bytes of whole lines, for a file whose present bytes are given. */
function bytesOfLines(lignes: string[], fin: LineEnding, present: Uint8Array): Uint8Array {
  return encoded(lignes.map((ligne) => ligne + fin).join(''), present);
}

const BOM = { 'utf-8': [0xef, 0xbb, 0xbf], 'utf-16le': [0xff, 0xfe], 'utf-16be': [0xfe, 0xff] };

function reencoded(bytes: Uint8Array, en: 'utf-8' | 'utf-16le' | 'utf-16be', bom: boolean): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const head = bom ? BOM[en] : [];
  if (en === 'utf-8') return Uint8Array.from([...head, ...Buffer.from(text, 'utf8')]);
  return Uint8Array.from([...head, ...encoded(text, Uint8Array.from(BOM[en]))]);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function placeIn(bytes: Uint8Array, permille: number): number {
  return Math.floor((bytes.length * permille) / 1_000);
}

/** The last `count` lines, by their LF bytes. */
function tailOf(bytes: Uint8Array, count: number): Uint8Array {
  const starts = [0, ...[...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []))];
  const lines = starts.filter((start) => start < bytes.length);
  return bytes.subarray(lines.at(-count) ?? 0);
}

/** All but the first `count` lines, by their LF bytes. */
function withoutHead(bytes: Uint8Array, count: number): Uint8Array {
  const ends = [...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []));
  return bytes.subarray(ends[count - 1] ?? bytes.length);
}

/** `*.LOG` in any case, below the folder of a centre, nothing hidden. */
export function isVisible(chemin: string): boolean {
  const parts = chemin.split('/');
  return parts.length >= 2 && parts.every((part) => !part.startsWith('.')) && /\.log$/i.test(chemin);
}

function keyOf(version: SeenVersion): string {
  return JSON.stringify([version.chemin, Buffer.from(version.octets).toString('base64')]);
}

export class Model {
  readonly files = new Map<string, Uint8Array>();
  /** Every content that a path has had. */
  readonly history = new Map<string, Uint8Array[]>();
  /** The other halves of lines. */
  readonly pending = new Map<string, Uint8Array>();
  readonly #seen = new Map<string, SeenVersion>();
  readonly #uncertain = new Map<string, SeenVersion>();

  /** Versions that an import which ran to its end has seen. */
  get seen(): SeenVersion[] {
    return [...this.#seen.values()];
  }

  /**
   * Versions that only killed imports can have seen: whether they count is known from what the import recorded.
   * Exact equality: `[...seen, ...uncertain.filter(recorded)]`.
   */
  get uncertain(): SeenVersion[] {
    return [...this.#uncertain.values()].filter((version) => !this.#seen.has(keyOf(version)));
  }

  visible(): SeenVersion[] {
    return [...this.files]
      .filter(([chemin]) => isVisible(chemin))
      .map(([chemin, octets]) => ({ centre: chemin.split('/')[0] ?? '', chemin, octets }));
  }

  record(certain: boolean): void {
    const target = certain ? this.#seen : this.#uncertain;
    for (const version of this.visible()) target.set(keyOf(version), version);
  }

  #set(chemin: string, octets: Uint8Array): void {
    this.files.set(chemin, octets);
    this.history.set(chemin, [...(this.history.get(chemin) ?? []), octets]);
  }

  #append(chemin: string, octets: Uint8Array): Change[] {
    const added = concat(this.pending.get(chemin) ?? EMPTY, octets);
    this.pending.delete(chemin);
    this.#set(chemin, concat(this.files.get(chemin) ?? EMPTY, added));
    return [{ op: 'append', chemin, octets: added }];
  }

  #write(chemin: string, octets: Uint8Array, surPlace = true): Change[] {
    this.#set(chemin, octets);
    return [{ op: 'write', chemin, octets, surPlace }];
  }

  /** The action in memory; what is to be done on the disk. An action on a file that is not there does nothing. */
  step(action: Action): Change[] {
    const present = (chemin: string): Uint8Array => this.files.get(chemin) ?? EMPTY;
    switch (action.type) {
      case 'append':
        return this.#append(action.chemin, bytesOfLines(action.lignes, action.fin, present(action.chemin)));
      case 'appendHalf': {
        const { chemin, ligne, fin, permille } = action;
        const whole = bytesOfLines([ligne], fin, present(chemin));
        const at = placeIn(whole, permille);
        const changes = this.#append(chemin, whole.subarray(0, at));
        this.pending.set(chemin, whole.subarray(at));
        return changes;
      }
      case 'rewrite':
        this.pending.delete(action.chemin);
        return this.#write(action.chemin, bytesOfLines(action.lignes, action.fin, EMPTY), action.surPlace);
      case 'overlap': {
        const { de, vers, derniers, lignes, fin } = action;
        const added = bytesOfLines(lignes, fin, EMPTY);
        return this.#write(vers, concat(tailOf(present(de), derniers), added));
      }
      case 'roll': {
        const { chemin, premiers, lignes, fin, surPlace } = action;
        const before = present(chemin);
        this.pending.delete(chemin);
        return this.#write(
          chemin,
          concat(withoutHead(before, premiers), bytesOfLines(lignes, fin, EMPTY)),
          surPlace,
        );
      }
      case 'reupload': {
        const contents = this.history.get(action.chemin) ?? [];
        const octets = contents[action.rang % Math.max(1, contents.length)];
        return octets === undefined ? [] : this.#write(action.chemin, octets, false);
      }
      case 'rename':
      case 'copy': {
        const { type, de, vers } = action;
        if (!this.files.has(de) || de === vers) return [];
        if (type === 'copy') return this.#write(vers, present(de));
        this.#set(vers, present(de));
        this.files.delete(de);
        return [{ op: 'rename', de, vers }];
      }
      case 'truncate':
      case 'delete':
      case 'insertBytes':
      case 'reencode':
        return this.files.has(action.chemin) ? this.#damage(action, present(action.chemin)) : [];
      default:
        return [];
    }
  }

  #damage(
    action: Extract<Action, { type: 'truncate' | 'delete' | 'insertBytes' | 'reencode' }>,
    octets: Uint8Array,
  ): Change[] {
    const { chemin } = action;
    switch (action.type) {
      case 'truncate': {
        const taille = placeIn(octets, action.permille);
        this.#set(chemin, octets.slice(0, taille));
        return [{ op: 'truncate', chemin, taille }];
      }
      case 'delete':
        this.files.delete(chemin);
        return [{ op: 'delete', chemin }];
      case 'insertBytes': {
        const at = placeIn(octets, action.permille);
        const wrong = Uint8Array.from(action.octets);
        return this.#write(chemin, concat(octets.subarray(0, at), wrong, octets.subarray(at)));
      }
      case 'reencode':
        return this.#write(chemin, reencoded(octets, action.en, action.bom));
    }
  }

  /** The action in memory, on the disk below `dir`, and as an import. */
  async applyToDisk(action: Action, dir: string, imports: ModelImports): Promise<void> {
    for (const change of this.step(action)) await applyChange(change, dir);
    if (action.type === 'import' || action.type === 'importTwice') {
      this.record(true);
      await (action.type === 'import' ? imports.run() : imports.twice());
    }
    if (action.type === 'killImport') {
      this.record(false);
      await imports.kill(action.point);
    }
  }
}

async function applyChange(change: Change, dir: string): Promise<void> {
  const target = join(dir, change.op === 'rename' ? change.vers : change.chemin);
  await mkdir(dirname(target), { recursive: true });
  switch (change.op) {
    case 'append':
      return appendFile(target, change.octets);
    case 'truncate':
      return truncate(target, change.taille);
    case 'rename':
      return rename(join(dir, change.de), target);
    case 'delete':
      return rm(target);
    case 'write': {
      if (change.surPlace) return writeFile(target, change.octets);
      await writeFile(`${target}.tmp`, change.octets);
      return rename(`${target}.tmp`, target);
    }
  }
}

/** Every file below `dir`, by its path with slashes. */
export async function readTree(dir: string): Promise<Map<string, Uint8Array>> {
  const tree = new Map<string, Uint8Array>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const full = join(entry.parentPath, entry.name);
    tree.set(relative(dir, full).split(sep).join('/'), Uint8Array.from(await readFile(full)));
  }
  return tree;
}
