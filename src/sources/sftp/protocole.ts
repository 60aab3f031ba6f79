// SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02), the part that a reader needs. Names are bytes here: a library
// that takes them for UTF-8 could not open what a controller wrote in another encoding.

/** Requests. */
export const DEMANDE = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  lstat: 7,
  fstat: 8,
  opendir: 11,
  readdir: 12,
} as const;

/** Answers. */
export const REPONSE = { version: 2, status: 101, handle: 102, data: 103, name: 104, attrs: 105 } as const;

/** Status codes that mean something to a reader. */
export const STATUT = { ok: 0, fin: 1, absent: 2, refuse: 3 } as const;

/** Longest packet that is accepted, bytes: far beyond what a request here asks for. */
export const MAX_PAQUET = 1024 * 1024;

export type GenreFichier = 'fichier' | 'dossier' | 'lien' | 'autre' | 'inconnu';

/** What the server says of a file; times have a resolution of one second. */
export interface Attributs {
  readonly genre: GenreFichier;
  /** bytes */
  readonly taille: number | undefined;
  /** seconds since 1970, by the server's clock */
  readonly mtime: number | undefined;
}

export interface EntreeDistante {
  readonly nom: Buffer;
  readonly attributs: Attributs;
}

/** A packet without its length: type, request id, then strings and numbers. */
export function paquet(type: number, id: number, ...parts: (Buffer | number | bigint)[]): Buffer {
  const pieces: Buffer[] = [];
  for (const part of parts) {
    if (Buffer.isBuffer(part)) pieces.push(uint32(part.length), part);
    else if (typeof part === 'bigint') pieces.push(uint64(part));
    else pieces.push(uint32(part));
  }
  const body = Buffer.concat([Buffer.from([type]), uint32(id), ...pieces]);
  return Buffer.concat([uint32(body.length), body]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function uint64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(value);
  return buffer;
}

/** Reads an answer from its start; a packet that is too short for what it announces is refused. */
export class Lecteur {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  uint8(): number {
    return this.#take(1).readUInt8();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  uint64(): number {
    return Number(this.#take(8).readBigUInt64BE());
  }

  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  attributs(longname?: Buffer): Attributs {
    const flags = this.uint32();
    const taille = flags & 0x1 ? this.uint64() : undefined;
    if (flags & 0x2) this.#take(8);
    const mode = flags & 0x4 ? this.uint32() : undefined;
    let mtime: number | undefined;
    if (flags & 0x8) {
      this.uint32();
      mtime = this.uint32();
    }
    if (flags & 0x80000000) {
      for (let count = this.uint32(); count > 0; count--) {
        this.bytes();
        this.bytes();
      }
    }
    return { genre: genreOf(mode, longname), taille, mtime };
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#buffer.length) throw new Error('réponse SFTP tronquée');
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
}

/** A line as `ls -l` writes it: kind and rights, then a blank. */
const LS_LINE = /^([-dlbcps])[-rwxsStT]{9}[.+@]?\s/;

/**
 * By the mode. Long names are free text, often just the name: one that is written as `ls -l` does is a reason to look again
 * when it speaks of a link (some servers follow links in a listing), and never the answer.
 */
function genreOf(mode: number | undefined, longname: Buffer | undefined): GenreFichier {
  const letter = LS_LINE.exec(longname?.toString('latin1') ?? '')?.[1];
  const genre = genreOfMode(mode);
  return letter === 'l' && genre !== 'lien' ? 'inconnu' : genre;
}

function genreOfMode(mode: number | undefined): GenreFichier {
  switch (mode === undefined ? -1 : mode & 0o170000) {
    case 0o100000:
      return 'fichier';
    case 0o040000:
      return 'dossier';
    case 0o120000:
      return 'lien';
    // Some servers give the rights without the kind.
    case 0:
    case -1:
      return 'inconnu';
    default:
      return 'autre';
  }
}
