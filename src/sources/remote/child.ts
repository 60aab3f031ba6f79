// The process that touches a disk which may not answer. It may hang; nobody waits for it.

import type { Dirent } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { codeOf, messageOf } from '../../base/errors.ts';
import { type FileStats, OPEN_FLAGS } from '../disk.ts';
import { decodeName, isLog } from '../noms.ts';
import { type Answer, type Demand, type Failure, type ListedEntry, PIECE } from './messages.ts';

const handles = new Map<number, FileHandle>();
let next = 1;

function failureOf(error: unknown): Failure {
  return { message: messageOf(error), code: codeOf(error) };
}

function statsOf({ size, mtimeNs, ctimeNs, ino, dev }: FileStats): FileStats {
  return { size, mtimeNs, ctimeNs, ino, dev };
}

async function entryOf(folder: Buffer, entry: Dirent<Buffer>): Promise<ListedEntry> {
  const { name } = entry;
  if (entry.isDirectory()) return { name, kind: 'dossier' };
  if (entry.isSymbolicLink()) return { name, kind: 'lien' };
  if (!entry.isFile()) return { name, kind: 'autre' };
  if (!isLog(decodeName(name))) return { name, kind: 'fichier' };
  try {
    const stats = await lstat(Buffer.concat([folder, Buffer.from('/'), name]), { bigint: true });
    return { name, kind: 'fichier', stats: statsOf(stats) };
  } catch (error) {
    return { name, kind: 'fichier', failure: failureOf(error) };
  }
}

async function answer(demand: Demand): Promise<unknown> {
  switch (demand.op) {
    case 'entries': {
      const path = Buffer.from(demand.path);
      const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
      const found: ListedEntry[] = [];
      for (const entry of entries) found.push(await entryOf(path, entry));
      return found.sort((a, b) => Buffer.compare(a.name, b.name));
    }
    case 'look': {
      const stats = await lstat(Buffer.from(demand.path), { bigint: true });
      return stats.isFile() ? statsOf(stats) : undefined;
    }
    case 'open': {
      const file = await open(Buffer.from(demand.path), OPEN_FLAGS);
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) {
        await file.close();
        throw new Error('pas un fichier ordinaire');
      }
      handles.set(next, file);
      return { handle: next++, stats: statsOf(stats) };
    }
    case 'read': {
      const buffer = Buffer.allocUnsafe(Math.min(demand.length, PIECE));
      const { bytesRead } = await handles.get(demand.handle)!.read(buffer, 0, buffer.length, demand.position);
      return buffer.subarray(0, bytesRead);
    }
    case 'close': {
      const file = handles.get(demand.handle);
      handles.delete(demand.handle);
      await file?.close();
      return undefined;
    }
  }
}

async function serve({ id, demand }: { id: number; demand: Demand }): Promise<void> {
  const reply: Answer = await answer(demand).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, failure: failureOf(error) }),
  );
  // Whoever asked may be gone.
  if (process.connected) process.send?.(reply, undefined, undefined, () => undefined);
}

process.on('message', (message: { id: number; demand: Demand }) => void serve(message));
// Whoever started us says when to end; a terminal signals us too.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
// An ordinary end would wait for what hangs.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
