import { isUtf8 } from 'node:buffer';

const LOG = /\.log$/i;
const LEFTOVER = /\.(filepart|part|tmp|swp)$/i;
const BACKSLASH = 0x5c;

/** Folders that disks and file servers make for themselves, in lower case; hidden ones are passed over anyway. */
const SERVICE_FOLDERS = new Set([
  'lost+found',
  ...['#recycle', '#snapshot', '@eadir', '@tmp', '@sharebin'],
  ...['@recycle', '@recently-snapshot', '@__thumb'],
  ...['$recycle.bin', 'recycler', 'recycled', 'system volume information', 'found.000'],
  ...['~snapshot', 'network trash folder', 'temporary items', 'thevolumesettingsfolder'],
]);

/**
 * A name for people and tables; the bytes stay what the file is opened by. Bytes that are no UTF-8 are written `\xE9`,
 * and so is a backslash where it would look like one of those (`\x5C`): two names never become one.
 */
export function decodeName(name: Buffer): string {
  if (isUtf8(name) && !name.includes(BACKSLASH)) return name.toString('utf8');
  let text = '';
  for (let at = 0; at < name.length; ) {
    const length = characterAt(name, at);
    const looksEscaped =
      name[at] === BACKSLASH && /^\\x[0-9A-F]{2}/.test(name.toString('latin1', at, at + 4));
    if (length === 0 || looksEscaped) {
      text += `\\x${name[at]!.toString(16).toUpperCase().padStart(2, '0')}`;
      at++;
    } else {
      text += name.toString('utf8', at, at + length);
      at += length;
    }
  }
  return text;
}

/** The bytes of a name that `decodeName` wrote. */
export function encodeName(text: string): Buffer {
  const parts = text.split(/\\x([0-9A-F]{2})/);
  return Buffer.concat(parts.map((part, i) => Buffer.from(part, i % 2 === 1 ? 'hex' : 'utf8')));
}

/** Bytes of the UTF-8 character that begins there, 0 when none does. */
function characterAt(name: Buffer, at: number): number {
  const byte = name[at]!;
  const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
  return at + length <= name.length && isUtf8(name.subarray(at, at + length)) ? length : 0;
}

/** Whether a name is one of a log file. */
export function isLog(name: string): boolean {
  return LOG.test(name);
}

/** Hidden names, and what an upload under way or an editor leaves: not looked at, not even entered. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || LEFTOVER.test(name);
}

/** Whether a folder is none of a machine: not a centre, not looked into. `racine`: it lies directly in LOGS_DIR. */
export type DossierIgnore = (name: string, racine: boolean) => boolean;

/** Folders to be ignored, whatever the case of their names; what CENTRES names is a centre all the same. */
export function dossiersIgnores(config: {
  readonly dossiersIgnores: readonly string[];
  readonly centres: readonly { readonly dossier: string }[];
}): DossierIgnore {
  const own = new Set(config.dossiersIgnores.map((name) => name.toLowerCase()));
  const centres = new Set(config.centres.map(({ dossier }) => dossier));
  return (name, racine) => {
    if (racine && centres.has(name)) return false;
    return isServiceFolder(name) || own.has(name.toLowerCase());
  };
}

/** Whether a folder is one that a disk or a file server made for itself. */
export function isServiceFolder(name: string): boolean {
  return SERVICE_FOLDERS.has(name.toLowerCase());
}
