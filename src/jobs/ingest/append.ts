import { unite } from '../../domain/journal/union.ts';
import { computeSession } from '../../domain/session/session.ts';
import {
  type Appendable,
  type AppendRows,
  beginAppend,
  loadAppendable,
  lockAppend,
  writeAppend,
} from '../../postgres/journaux/append.ts';
import { type Client, ensemble } from '../../postgres/pool.ts';
import { loadSessions } from '../../postgres/production/sessions.ts';
import { growCatalogue } from './catalogue.ts';
import type { IngestContext } from './context.ts';
import { addedPieces, type SessionAEcrire, toValeurs, writeNewSessions, writeSession } from './ecriture.ts';
import type { CentreAImporter } from './enregistrement.ts';
import type { Lecture } from './lecture.ts';
import { raisonEcart, toVersion } from './nouvelles-versions.ts';
import type { Recalcul } from './recalcul.ts';
import type { WrittenRows } from './written-rows.ts';

/** A reading that goes on from the one before, and in which nothing is out of the ordinary. */
type Append = Lecture & { [K in 'suite' | 'contenu']: NonNullable<Lecture[K]> };

/** Whether a reading may go the short way. */
export function isAppend(lecture: Lecture): lecture is Append {
  const { suite, contenu } = lecture;
  if (!suite || !contenu?.jours || !contenu.rejets || raisonEcart(contenu) !== undefined) return false;
  // A day that had events and has none any more.
  return [...suite.joursChanges].every((jour) => contenu.jours!.has(jour));
}

/**
 * The short way of a line that a machine added to its log: registers the longer bytes and recomputes the days that they
 * change, in one transaction and as few statements as can be. It does what `enregistrer` and `recalculer` do of a file
 * whose bytes nobody else holds, on days that no other version touches; everything else it leaves alone.
 *
 * @param client a connection that is in no transaction
 * @returns undefined when nothing was done: the long way is to be taken
 * @throws Error when nothing of it was kept
 */
export async function append(
  ctx: IngestContext,
  client: Client,
  centre: CentreAImporter,
  lecture: Append,
  written: WrittenRows,
): Promise<Recalcul | undefined> {
  const days = [...lecture.suite.joursChanges].sort((a, b) => a - b);
  const { chemin } = lecture.fichier;
  try {
    const [, , before] = await ensemble(client, () => [
      beginAppend(client),
      lockAppend(client, centre.id, days),
      loadAppendable(client, centre.id, chemin, lecture.sha256, days),
    ]);
    const result = before && (await write(ctx, client, centre, lecture, days, before, written));
    if (!result) await client.query('ROLLBACK');
    return result;
  } catch (error) {
    // The first error is the one to tell; on a broken connection the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Writes all of it and ends the transaction. */
async function write(
  ctx: IngestContext,
  client: Client,
  centre: CentreAImporter,
  lecture: Append,
  days: readonly number[],
  before: Appendable,
  written: WrittenRows,
): Promise<Recalcul | undefined> {
  const { suite, sha256, fichier, contenu } = lecture;
  if (before.sha256 !== suite.sha256 || before.taille !== suite.taille) return undefined;
  const nouvelle = { lectures: [lecture], contenu, grandie: undefined, suite: true };
  const version = toVersion(nouvelle, centre.regles);
  // All lines but the last two are the same in the longer bytes (see `grow`): so are their rejects.
  const kept = contenu.rejets!.filter(({ ligne }) => ligne < before.lignes - 1).length;
  const { lignesRejetees } = contenu.reading.compte;
  if (before.lignes_rejetees !== kept || lignesRejetees !== kept || before.encodage !== version.encodage)
    return undefined;
  // A last line that turned out to be another event takes its old name from the catalogue: that is counted again.
  if (!(await growCatalogue(client, centre.id, { before: [before], written: [nouvelle] }))) return undefined;
  await ctx.archive.place(centre.id, [{ sha256, waiting: await contenu.archive }]);
  const jours = new Map(days.map((jour) => [jour, contenu.jours!.get(jour)!.length]));
  const rows = { centreId: centre.id, before, version, signature: lecture.signature, jours };
  const sessions = days.map((jour): SessionAEcrire => {
    const evenements = contenu.jours!.get(jour)!;
    const session = computeSession(unite([{ sha256, evenements }]).jour, centre.attente);
    return { jour, session, valeurs: toValeurs(session, fichier.chemin), versionIds: [before.id] };
  });
  const result: Recalcul = { creees: 0, modifiees: 0, inchangees: 0, supprimees: 0, gelees: 0 };
  ctx.onEtape?.('dans_enregistrement');
  ctx.onEtape?.('dans_recalcul');
  if (await appendPieces(ctx, client, rows, sessions, written)) result.modifiees++;
  else {
    await writeAppend(client, rows);
    await writeDays(client, centre.id, sessions, written, result);
    ctx.onEtape?.('avant_validation');
    await client.query('COMMIT');
  }
  return result;
}

/** What most lines are: one more piece of a session that is known; written, and kept. False when nothing was done. */
async function appendPieces(
  ctx: IngestContext,
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
  ctx.onEtape?.('avant_validation');
  try {
    const [jeton] = await ensemble(client, () => [writeAppend(client, rows, pieces), client.query('COMMIT')]);
    const { session, versionIds } = ecrite;
    written.set(
      rows.centreId,
      ecrite.jour,
      { ...known, jeton: jeton!, session, versionIds },
      { read: false },
    );
    return true;
  } catch (error) {
    // Perhaps the row is another one than believed.
    written.forget(rows.centreId, ecrite.jour);
    throw error;
  }
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
