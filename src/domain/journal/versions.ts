import type { Trous } from './masques.ts';

/** A content that a path holds, or held before it was replaced. */
export interface ContenuConnu {
  readonly versionId: number;
  readonly sha256: string;
  /** bytes */
  readonly taille: number;
  readonly etat: 'active' | 'remplacee';
  /** whether it holds NULs; null: nobody looked */
  readonly nuls?: boolean | null;
  /** its bytes left the archive (retention): whether other bytes are its beginning cannot be said any more */
  readonly purgee?: boolean;
}

/** What new bytes at a path are, beside those seen there before. */
export type Decision =
  /** the same bytes, seen before: nothing changes */
  | { readonly kind: 'connu'; readonly versionId: number }
  /** they say nothing beside fuller bytes seen before, but for NULs in `trous` their beginning: nothing changes */
  | { readonly kind: 'prefixe'; readonly versionId: number; readonly trous: Trous }
  /** they count from now on; those that say nothing beside them no longer do */
  | { readonly kind: 'nouveau'; readonly absorbes: readonly Absorbe[] };

/** A known content that is the beginning of new bytes, but for the NULs that it has in `trous`. */
export interface Absorbe {
  readonly contenu: ContenuConnu;
  readonly trous: Trous;
}

/**
 * The rule of what counts for nothing (docs/regles-journaux.md, rule 15) for one path, whatever the order in which bytes
 * come. Only bytes with NULs are compared one by one; of others the hash of a beginning says it.
 */
export async function decide(
  octets: { readonly sha256: string; readonly taille: number; readonly nuls: boolean },
  contenus: readonly ContenuConnu[],
  prefixesConnus: ReadonlyMap<string, number>,
  ask: {
    /** SHA-256 of the first `taille` bytes of the new ones */
    debut(taille: number): Promise<string>;
    /** SHA-256 of the first `taille` bytes of a known content */
    debutDe(contenu: ContenuConnu, taille: number): Promise<string>;
    /** Where the new bytes have NULs instead of those of a known content; undefined when they say something else. */
    trousDans(contenu: ContenuConnu): Promise<Trous | undefined>;
    /** The same of a known content in the new bytes. */
    trousDe(contenu: ContenuConnu): Promise<Trous | undefined>;
  },
): Promise<Decision> {
  const same = contenus.find((contenu) => contenu.sha256 === octets.sha256);
  if (same) return { kind: 'connu', versionId: same.versionId };
  const known = prefixesConnus.get(octets.sha256);
  // Where its NULs were is noted already.
  if (known !== undefined) return { kind: 'prefixe', versionId: known, trous: [] };
  const absorbes: Absorbe[] = [];
  for (const contenu of contenus) {
    const { versionId, taille, purgee } = contenu;
    if (taille >= octets.taille && !purgee) {
      const trous = octets.nuls
        ? await ask.trousDans(contenu)
        : taille > octets.taille && (await ask.debutDe(contenu, octets.taille)) === octets.sha256
          ? []
          : undefined;
      if (trous) return { kind: 'prefixe', versionId, trous };
    }
    if (taille > octets.taille) continue;
    if (taille < octets.taille && (await ask.debut(taille)) === contenu.sha256) {
      absorbes.push({ contenu, trous: [] });
    } else if (contenu.nuls !== false && !purgee) {
      const trous = await ask.trousDe(contenu);
      if (trous) absorbes.push({ contenu, trous });
    }
  }
  return { kind: 'nouveau', absorbes };
}

const STANDARD_NAME = /(^|\/)\d{8}\.log$/i;

/** Of several paths that hold the same bytes, the one to show (rule 17). */
export function preferredPath(chemins: readonly string[]): string | undefined {
  return [...chemins].sort(
    (a, b) =>
      Number(STANDARD_NAME.test(b)) - Number(STANDARD_NAME.test(a)) ||
      a.length - b.length ||
      compareCodePoints(a, b),
  )[0];
}

function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
