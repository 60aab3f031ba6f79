import { unite } from '../../domain/journal/union.ts';
import { computeSession } from '../../domain/session/session.ts';
import { type AppendRows, loadAppendable, writeAppend } from '../../postgres/journaux/append.ts';
import type { Client } from '../../postgres/pool.ts';
import { loadSessions } from '../../postgres/production/sessions.ts';
import { updateCatalogue } from './catalogue.ts';
import type { IngestContext } from './context.ts';
import { addedPieces, type SessionAEcrire, toValeurs, writeNewSessions, writeSession } from './ecriture.ts';
import type { CentreAImporter } from './enregistrement.ts';
import type { Lecture } from './lecture.ts';
import { raisonEcart, toVersion } from './nouvelles-versions.ts';
import type { Recalcul } from './recalcul.ts';
import type { WrittenRows } from './written-rows.ts';

/** A reading that goes on from the one before, and in which nothing is out of the ordinary. */
type Append = Lecture & Required<Pick<Lecture, 'suite' | 'contenu'>>;

/** Whether a reading may go the short way. */
export function isAppend(lecture: Lecture): lecture is Append {
  const { suite, contenu } = lecture;
  if (!suite || !contenu?.jours || !contenu.rejets || raisonEcart(contenu) !== undefined) return false;
  // A day that had events and has none any more.
  return [...suite.joursChanges].every((jour) => contenu.jours!.has(jour));
}

/** Production days that a reading changes, in order. */
export function daysOf({ suite }: Append): number[] {
  return [...suite!.joursChanges].sort((a, b) => a - b);
}

/**
 * The short way of a line that a machine added to its log: registers the longer bytes and recomputes the days that they
 * change, in one transaction and as few statements as can be. It does what `enregistrer` and `recalculer` do of a file
 * whose bytes nobody else holds, on days that no other version touches; everything else it leaves alone.
 *
 * To be called inside a transaction that was begun with `beginAppend`.
 *
 * @returns undefined when nothing was done: the long way is to be taken
 * @throws Error when nothing of it may be kept
 */
export async function append(
  ctx: IngestContext,
  client: Client,
  centre: CentreAImporter,
  lecture: Append,
  written: WrittenRows,
): Promise<Recalcul | undefined> {
  const { suite, sha256, fichier } = lecture;
  const contenu = lecture.contenu!;
  const days = daysOf(lecture);
  const before = await loadAppendable(client, centre.id, fichier.chemin, sha256, days);
  if (before?.sha256 !== suite!.sha256 || before.taille !== suite!.taille) return undefined;
  const nouvelle = { lectures: [lecture], contenu, grandie: undefined, suite: true };
  const version = toVersion(nouvelle, centre.regles);
  // All lines but the last two are the same in the longer bytes (see `grow`): so are their rejects.
  const kept = contenu.rejets!.filter(({ ligne }) => ligne < before.lignes - 1).length;
  const { lignesRejetees } = contenu.reading.compte;
  if (before.lignes_rejetees !== kept || lignesRejetees !== kept || before.encodage !== version.encodage)
    return undefined;
  await ctx.archive.place(centre.id, [{ sha256, waiting: await contenu.archive }]);
  const jours = new Map(days.map((jour) => [jour, contenu.jours!.get(jour)!.length]));
  const rows = { centreId: centre.id, before, version, signature: lecture.signature, jours };
  const compute = (jour: number): SessionAEcrire => {
    const evenements = contenu.jours!.get(jour)!;
    const session = computeSession(unite([{ sha256, evenements }]).jour, centre.attente);
    return { jour, session, valeurs: toValeurs(session, fichier.chemin), versionIds: [before.id] };
  };
  const result: Recalcul = { creees: 0, modifiees: 0, inchangees: 0, supprimees: 0, gelees: 0 };
  const sessions = days.map(compute);
  if (await appendPieces(client, rows, sessions, written)) result.modifiees++;
  else {
    await writeAppend(client, rows);
    await writeDays(client, centre.id, sessions, written, result);
  }
  await updateCatalogue(client, centre.id, {
    before: [before],
    written: new Map([[nouvelle, before.id]]),
    recompute: [],
  });
  ctx.onEtape?.('dans_enregistrement');
  ctx.onEtape?.('dans_recalcul');
  ctx.onEtape?.('avant_validation');
  return result;
}

/** What most lines are: one more piece of a session that is known. False when nothing was done. */
async function appendPieces(
  client: Client,
  rows: AppendRows,
  sessions: readonly SessionAEcrire[],
  written: WrittenRows,
): Promise<boolean> {
  const [ecrite] = sessions;
  if (sessions.length !== 1 || !ecrite) return false;
  const known = written.get(rows.centreId, ecrite.jour);
  const pieces = known && addedPieces(rows.centreId, known, ecrite);
  if (!pieces) return false;
  const jeton = await writeAppend(client, rows, pieces);
  if (jeton === undefined) {
    written.forget(rows.centreId, ecrite.jour);
    throw new Error('la session a changé entre-temps');
  }
  const { session, versionIds } = ecrite;
  const now = { ...known, jeton, session, versionIds };
  written.set(rows.centreId, ecrite.jour, now, { read: false });
  return true;
}

async function writeDays(
  client: Client,
  centreId: number,
  computed: readonly SessionAEcrire[],
  written: WrittenRows,
  result: Recalcul,
): Promise<void> {
  const jours = computed.map(({ jour }) => jour);
  const stored = await loadSessions(client, centreId, jours);
  for (const ecrite of computed) {
    const old = stored.find((one) => one.jour === ecrite.jour);
    if (!old) {
      await writeNewSessions(client, centreId, [ecrite]);
      result.creees++;
    } else if (await writeSession(client, centreId, old, ecrite, written)) result.modifiees++;
    else result.inchangees++;
  }
}
