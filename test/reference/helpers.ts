// What the tests of the reference have in common: short ways to write logs and to ask for the state.

import { type ReferenceInput, type ReferenceState, reference } from './reference.ts';
import type { Session } from './session.ts';

export type Bytes = string | Uint8Array;
type Options = Partial<ReferenceInput>;

/** Text as Windows-1252 bytes as far as it is latin-1 (what the machines write). */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function utf16(text: string, order: 'le' | 'be'): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'utf16le'));
  if (order === 'le') return bytes;
  return bytes.map((_, at) => bytes[at % 2 === 0 ? at + 1 : at - 1] ?? 0);
}

export function joined(...parts: (Uint8Array | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Lines of 2025-05-28: `log('06:00:00|@MachineStart')`; a stamp with a date is left as it is. */
export function log(...lines: string[]): string {
  return lines.map((line) => `${/^[0-9]{2}:/.test(line) ? '20250528 ' : ''}${line}\n`).join('');
}

/** The state of one centre DEM12 in Europe/Paris; each pair is a path below DEM12 and the bytes seen there. */
export function stateOf(seen: [string, Bytes][], options: Options = {}): ReferenceState {
  return reference({
    versions: seen.map(([name, bytes]) => ({
      centre: 'DEM12',
      chemin: `DEM12/${name}`,
      octets: typeof bytes === 'string' ? latin1(bytes) : bytes,
    })),
    fuseau: 'Europe/Paris',
    journeeDebut: '00:00',
    ...options,
  });
}

/** The state of one file. */
export function one(bytes: Bytes, options: Options = {}): ReferenceState {
  return stateOf([['20250528.LOG', bytes]], options);
}

/** The only session of a state. */
export function only(state: ReferenceState): Session {
  const [session, ...others] = state.sessions;
  if (session === undefined || others.length > 0) throw new Error(`${state.sessions.length} sessions`);
  return session;
}

export function details(state: ReferenceState): (string | null)[] {
  return state.sessions.flatMap(({ pieces }) => pieces.map((piece) => piece.details));
}

export function reasons(state: ReferenceState): string[] {
  return state.rejets.map(({ raison }) => raison);
}
