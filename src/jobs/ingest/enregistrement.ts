import { createHash } from 'node:crypto';
import { type Trous, trousDans } from '../../domain/journal/masques.ts';
import { type ContenuConnu, decide } from '../../domain/journal/versions.ts';
import { suivreVersion } from '../../postgres/conservation/jours-geles.ts';
import * as fichiers from '../../postgres/journaux/fichiers.ts';
import { markVersionsDays } from '../../postgres/journaux/jours.ts';
import {
  findVersions,
  loadVersions,
  settleVersions,
  type VersionRow,
} from '../../postgres/journaux/versions.ts';
import type { Client } from '../../postgres/pool.ts';
import { updateCatalogue } from './catalogue.ts';
import type { IngestContext } from './context.ts';
import { noterIndex } from './index-archives.ts';
import type { Lecture } from './lecture.ts';
import { estEnPlace, type Nouvelle, writeVersions } from './nouvelles-versions.ts';
import type { Tetes } from './tetes.ts';

export interface CentreAImporter {
  readonly id: number;
  readonly nom: string;
  readonly attente: 'debut' | 'fin';
  /** settings that rows depend on */
  readonly regles: string;
}

export interface Enregistrement {
  /** production days to recompute */
  readonly jours: ReadonlySet<number>;
  /** readings whose bytes were said to be known but are not: to be read again in full */
  readonly aRelire: readonly Lecture[];
}

export interface EnregistrementOptions {
  /** paths whose older contents no longer count (`--replace`) */
  readonly remplacer: ReadonlySet<string>;
  /** nothing is kept in the end: archives do not get their names either */
  readonly aBlanc: boolean;
  /** how the versions begin that were met before */
  readonly tetes: Tetes;
}

/** A content that says nothing any more beside the one that its path has now. */
interface Absorption {
  readonly fichierId: number;
  readonly contenu: ContenuConnu;
  readonly trous: Trous;
}

/**
 * Registers what was read of one centre: paths, versions, prefixes, quarantine, and the production days that
 * must be recomputed. To be called inside a transaction; the centre is locked until its end, which must come soon.
 */
export async function enregistrer(
  ctx: IngestContext,
  client: Client,
  centre: CentreAImporter,
  lectures: readonly Lecture[],
  options: EnregistrementOptions,
): Promise<Enregistrement> {
  await fichiers.lockCentre(client, centre.id);
  const ids = await fichiers.ensureFichiers(
    client,
    centre.id,
    lectures.map((l) => l.fichier.chemin),
  );
  const fichierId = (lecture: Lecture): number => ids.get(lecture.fichier.chemin)!;
  const plan = await decideAll(ctx, client, centre.id, lectures, fichierId, options);

  // Links to known versions come first: a version that another path holds since must not be taken over.
  await fichiers.addContenus(client, plan.liens);
  const jours = new Set<number>();
  const mark = async (versionIds: readonly number[]): Promise<void> => {
    for (const jour of await markVersionsDays(client, versionIds)) jours.add(jour);
  };
  const absorbed = plan.absorptions.map(({ contenu }) => contenu.versionId);
  await mark(absorbed);
  const before = await loadVersions(client, absorbed);
  const written = await writeVersions(ctx, client, centre, plan.nouvelles, before, options.aBlanc);

  const versionOf = new Map(plan.connues);
  for (const [nouvelle, versionId] of written) {
    for (const lecture of nouvelle.lectures) versionOf.set(lecture, versionId);
  }
  await fichiers.addContenus(
    client,
    [...written].flatMap(([nouvelle, versionId]) =>
      // The path of the first one holds the version that grew.
      nouvelle.lectures
        .slice(estEnPlace(nouvelle, versionId) ? 1 : 0)
        .map((l) => ({ fichierId: fichierId(l), versionId })),
    ),
  );
  const inPlace = ({ lecture, contenu }: Plan['absorptions'][number]): boolean =>
    versionOf.get(lecture) === contenu.versionId;
  for (const absorption of plan.absorptions.toSorted((a, b) => Number(inPlace(b)) - Number(inPlace(a)))) {
    const { lecture, fichierId: id, contenu, trous } = absorption;
    await fichiers.absorbContenu(client, id, contenu, versionOf.get(lecture)!, trous);
  }
  await fichiers.saveLectures(
    client,
    [...versionOf].map(([lecture, versionId]) => ({
      fichierId: fichierId(lecture),
      versionId,
      taille: lecture.taille,
      signature: lecture.signature,
    })),
  );
  const replaced = await replaceAll(client, versionOf, fichierId, options.remplacer);
  ctx.onEtape?.('dans_enregistrement');

  const changed = [
    ...new Set([...written.values(), ...plan.liens.map((lien) => lien.versionId), ...replaced]),
  ];
  await mark(changed);
  // Those that grew where they were count as before, for their path holds them as before.
  const grown = new Set([...written].flatMap(([nouvelle, id]) => (estEnPlace(nouvelle, id) ? [id] : [])));
  const left = [...new Set([...changed, ...absorbed])].filter(
    (id) => !grown.has(id) || replaced.includes(id),
  );
  const { flipped, deleted } = await settleVersions(client, centre.id, left);
  for (const { lecture, contenu } of plan.absorptions) {
    if (!deleted.includes(contenu.versionId)) continue;
    await suivreVersion(client, centre.id, contenu.versionId, versionOf.get(lecture)!);
  }
  const ended = new Set([...deleted, ...written.values()]);
  await updateCatalogue(client, centre.id, {
    before: before.filter((version) => ended.has(version.id)),
    written: written.keys(),
    recompute: [...replaced, ...flipped],
  });
  if (!options.aBlanc && !ctx.relecture) {
    const liees = [...plan.liees, ...[...written.keys()].flatMap(({ lectures: own }) => own.slice(1))];
    await noterIndex(ctx, client, centre, { liees, remplacer: options.remplacer });
  }
  return { jours, aRelire: plan.aRelire };
}

interface Plan {
  /** readings whose bytes are a known version, or the beginning of one */
  readonly connues: Map<Lecture, number>;
  readonly nouvelles: Nouvelle[];
  /** known versions that a path holds from now on */
  readonly liens: fichiers.Lien[];
  /** the readings of those */
  readonly liees: Lecture[];
  readonly absorptions: (Absorption & { readonly lecture: Lecture })[];
  readonly aRelire: Lecture[];
}

/** Decides for each reading what its bytes are beside those seen at its path. */
async function decideAll(
  ctx: IngestContext,
  client: Client,
  centreId: number,
  lectures: readonly Lecture[],
  fichierId: (lecture: Lecture) => number,
  { remplacer, tetes }: EnregistrementOptions,
): Promise<Plan> {
  const plan: Plan = {
    connues: new Map(),
    nouvelles: [],
    liens: [],
    liees: [],
    absorptions: [],
    aRelire: [],
  };
  const shas = lectures.map((lecture) => lecture.sha256);
  const contenus = await fichiers.loadContenus(client, lectures.map(fichierId));
  const prefixes = await fichiers.loadPrefixes(client, lectures.map(fichierId), shas);
  const versions = await findVersions(client, centreId, shas);
  const known = new Map(versions.map((v) => [v.sha256, v.id]));
  const nouvelles = new Map<string, Nouvelle>();
  for (const lecture of lectures) {
    const id = fichierId(lecture);
    const parents = await tetes.parents(lecture, contenus.get(id) ?? [], (sha256) =>
      ctx.archive.read(centreId, sha256),
    );
    const decision = await decide(lecture, parents, prefixes.get(id) ?? new Map(), {
      debut: (taille) => beginning(ctx, centreId, lecture, taille, versions),
      debutDe: (contenu, taille) => hashBeginning(ctx.archive.read(centreId, contenu.sha256), taille),
      trousDans: async (contenu) =>
        await trousDans(
          await octetsDe(ctx, centreId, lecture, versions),
          ctx.archive.read(centreId, contenu.sha256),
        ),
      trousDe: async (contenu) =>
        await trousDans(
          ctx.archive.read(centreId, contenu.sha256),
          await octetsDe(ctx, centreId, lecture, versions),
        ),
    }).catch((error: unknown) => {
      if (error instanceof OctetsPartis) return undefined;
      throw error;
    });
    if (decision === undefined) {
      plan.aRelire.push(lecture);
      continue;
    }
    if (decision.kind === 'connu') {
      plan.connues.set(lecture, decision.versionId);
      continue;
    }
    // With --replace even the beginning of older bytes is what the path holds from now on.
    if (decision.kind === 'prefixe' && !remplacer.has(lecture.fichier.chemin)) {
      await fichiers.addPrefixe(client, id, lecture, decision.versionId, decision.trous);
      plan.connues.set(lecture, decision.versionId);
      continue;
    }
    const absorbes = decision.kind === 'nouveau' ? decision.absorbes : [];
    const versionId = known.get(lecture.sha256);
    const twin = nouvelles.get(lecture.sha256);
    if (versionId !== undefined) {
      plan.liens.push({ fichierId: id, versionId });
      plan.liees.push(lecture);
      plan.connues.set(lecture, versionId);
    } else if (twin) {
      twin.lectures.push(lecture);
    } else if (lecture.contenu) {
      const active = absorbes.find(({ contenu }) => contenu.etat === 'active');
      const suite = active?.trous.length === 0;
      nouvelles.set(lecture.sha256, {
        lectures: [lecture],
        contenu: lecture.contenu,
        grandie: active?.contenu,
        suite,
      });
    } else {
      plan.aRelire.push(lecture);
      continue;
    }
    plan.absorptions.push(...absorbes.map((absorbe) => ({ lecture, fichierId: id, ...absorbe })));
  }
  plan.nouvelles.push(...nouvelles.values());
  return plan;
}

/** Lets only the bytes that they have now count for the given paths; returns the versions concerned. */
async function replaceAll(
  client: Client,
  versionOf: ReadonlyMap<Lecture, number>,
  fichierId: (lecture: Lecture) => number,
  remplacer: ReadonlySet<string>,
): Promise<number[]> {
  const versions: number[] = [];
  for (const [lecture, versionId] of versionOf) {
    if (!remplacer.has(lecture.fichier.chemin)) continue;
    versions.push(versionId, ...(await fichiers.replaceContenus(client, fichierId(lecture), versionId)));
  }
  return versions;
}

/** Known bytes are needed again, and left the archive (retention): only their file still has them. */
class OctetsPartis extends Error {}

/** @throws OctetsPartis */
async function beginning(
  ctx: IngestContext,
  centreId: number,
  lecture: Lecture,
  taille: number,
  versions: readonly VersionRow[],
): Promise<string> {
  const known = lecture.debuts.get(taille);
  if (known !== undefined) return known;
  // Somebody else registered a content of this path since it was listed.
  return await hashBeginning(await octetsDe(ctx, centreId, lecture, versions), taille);
}

/**
 * The bytes of a reading, out of the archive.
 *
 * @param versions known versions, by their hash perhaps that one
 * @throws OctetsPartis
 */
async function octetsDe(
  ctx: IngestContext,
  centreId: number,
  lecture: Lecture,
  versions: readonly VersionRow[],
): Promise<AsyncGenerator<Buffer>> {
  const waiting = await lecture.contenu?.archive;
  if (waiting) return ctx.archive.readWaiting(waiting);
  const version = versions.find(({ sha256 }) => sha256 === lecture.sha256);
  if (!version || version.purgee) throw new OctetsPartis();
  return ctx.archive.read(centreId, lecture.sha256);
}

async function hashBeginning(pieces: AsyncIterable<Buffer>, taille: number): Promise<string> {
  const hash = createHash('sha256');
  let left = taille;
  if (left === 0) return hash.digest('hex');
  for await (const piece of pieces) {
    hash.update(piece.subarray(0, left));
    left -= Math.min(left, piece.length);
    if (left === 0) break;
  }
  return hash.digest('hex');
}
