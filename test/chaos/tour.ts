import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Archive } from '../../src/archives/archive.ts';
import type { Installation } from '../harness/cli.ts';
import { checkInvariants } from '../harness/invariants.ts';
import { dumpState } from '../harness/state.ts';
import { randomFrom, referenceOf, seenIn } from '../harness/tree.ts';
import type { SeenVersion } from '../reference/reference.ts';
import type { Atelier } from './atelier.ts';
import { Machines } from './machines.ts';
import { PANNES } from './pannes.ts';

export interface OptionsTour {
  readonly graine: number;
  readonly workers: number;
  /** faults, one after the other */
  readonly pannes: number;
  /** milliseconds between two, at most */
  readonly repos: number;
}

/** What a worker may say aloud: a log file that has no room, a server that is not there yet. */
const ATTENDU = /^$|^atelier : journal .*(EFBIG|ENOSPC)|^atelier worker : .*il attend/;

/** One round: machines write, things break, everything heals; then the tables are those of the reference. */
export async function tour(atelier: Atelier, options: OptionsTour): Promise<string[]> {
  const random = randomFrom(options.graine);
  const machines = new Machines(atelier.place.logs, randomFrom(options.graine + 1));
  const stop = new AbortController();
  for (let n = 0; n < options.workers; n++) await atelier.embaucher(n);
  const writing = machines.work(stop.signal);
  writing.catch(() => undefined);
  const done: string[] = [];
  try {
    await atelier.prets();
    for (let i = 0; i < options.pannes; i++) {
      await sleep(random() * options.repos);
      const possible = PANNES.filter((panne) => panne.possible?.(atelier) ?? true);
      const panne = possible[Math.floor(random() * possible.length)]!;
      done.push(panne.nom);
      await panne.faire(atelier, random);
    }
  } finally {
    stop.abort();
    await writing;
  }
  await verifier(atelier, machines);
  return done;
}

/** Waits until the workers are done, stops them, and compares. */
async function verifier(atelier: Atelier, machines: Machines): Promise<void> {
  const { place } = atelier;
  await attendreEgalite(place, machines);
  for (const { code, stderr } of await atelier.congedier()) {
    expect([code, stderr.split('\n').filter((line) => !ATTENDU.test(line))]).toEqual([0, []]);
  }
  await unParEcheance(place);
  await rienNeTraine(place);
  for (const { stdout: log } of atelier.finis) unJsonParLigne(log);
}

/** Waits until every byte that was written is in the tables; then these are what the reference makes of the bytes. */
export async function attendreEgalite(place: Installation, machines: Machines): Promise<void> {
  const archive = new Archive(place.archives);
  const final = await seenIn(place.logs);
  await expect.poll(() => retard(place, final), { timeout: 120_000, interval: 200 }).toEqual([]);
  const registered = await enregistrees(place, archive);
  for (const { chemin, octets } of registered) {
    expect(machines.wrote(chemin, Buffer.from(octets)), `octets que ${chemin} n’a jamais eus`).toBe(true);
  }
  expect(await dumpState(place.pool)).toEqual(referenceOf([...final, ...registered]));
}

/** Once all workers have stopped: what the dead left behind, the next import takes away; it finds nothing else to do. */
export async function rienNeTraine(place: Installation): Promise<void> {
  const { code, stdout, stderr } = await place.run(['ingest', '--json']);
  const { sessionsCreees, sessionsModifiees, sessionsSupprimees } = JSON.parse(stdout);
  expect([code, sessionsCreees, sessionsModifiees, sessionsSupprimees], stderr).toEqual([0, 0, 0, 0]);
  await checkInvariants(place.pool, new Archive(place.archives));
  expect(await readdir(join(place.archives, 'en-attente')).catch(() => [])).toEqual([]);
  // Each line of the file is a JSON object.
  await place.log();
}

/** Paths whose last bytes are not in the tables yet, and what is left to compute. */
async function retard(place: Installation, final: readonly SeenVersion[]): Promise<unknown[]> {
  const { rows } = await place.pool.query<{ chemin: string; taille: number }>(
    'SELECT chemin, taille FROM fichier_log',
  );
  const known = new Map(rows.map(({ chemin, taille }) => [chemin, taille]));
  const late = final
    .filter(({ chemin, octets }) => known.get(chemin) !== octets.length)
    .map(({ chemin }) => chemin);
  const marks = await place.pool.query('SELECT centre_usinage_id, jour FROM jour_a_recalculer');
  const stale = await place.pool.query('SELECT * FROM archive_perimee');
  return [...late, ...marks.rows, ...stale.rows];
}

/** Every content that was registered at a path, with its bytes from the archive. */
async function enregistrees(place: Installation, archive: Archive): Promise<SeenVersion[]> {
  const { rows } = await place.pool.query<{
    chemin: string;
    centre: number;
    nom: string;
    sha: string;
  }>(
    `SELECT f.chemin, c.id AS centre, c.nom, encode(v.sha256, 'hex') AS sha FROM fichier_log_contenu l
       JOIN fichier_log f ON f.id = l.fichier_log_id JOIN fichier_log_version v ON v.id = l.version_id
       JOIN centre_usinage c ON c.id = f.centre_usinage_id`,
  );
  return await Promise.all(
    rows.map(async ({ chemin, centre, nom, sha }) => {
      const pieces: Buffer[] = [];
      for await (const piece of archive.read(centre, sha)) pieces.push(Buffer.from(piece));
      return { centre: nom, chemin, octets: Uint8Array.from(Buffer.concat(pieces)) };
    }),
  );
}

/** O6: whoever died, each tick had one successful run, and none is left open. */
async function unParEcheance(place: Installation): Promise<void> {
  const { rows } = await place.pool.query(
    `SELECT tache, echeance, count(*) FILTER (WHERE etat IN ('reussie', 'partielle')) AS faites
       FROM execution WHERE echeance IS NOT NULL GROUP BY 1, 2
     HAVING count(*) FILTER (WHERE etat IN ('reussie', 'partielle')) <> 1
        AND echeance < (SELECT max(echeance) FROM execution)`,
  );
  expect(rows).toEqual([]);
}

/** O17: whatever happened to a process, what it said is one JSON object a line, with its time in UTC, level and text. */
export function unJsonParLigne(text: string): void {
  const lines = text.split('\n');
  // A process that was killed may leave a line without its end.
  if (lines.at(-1) !== '') lines.pop();
  for (const line of lines) {
    if (line === '') continue;
    expect(() => JSON.parse(line), line).not.toThrow();
    expect(JSON.parse(line), line).toMatchObject({
      level: expect.stringMatching(/^(debug|info|warn|error)$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      pid: expect.any(Number),
      msg: expect.stringMatching(/\S/),
    });
  }
}
