/** A content that a path holds, or held before it was replaced. */
export interface ContenuConnu {
  readonly versionId: number;
  readonly sha256: string;
  /** bytes */
  readonly taille: number;
  readonly etat: 'active' | 'remplacee';
  /** its bytes left the archive (retention): whether other bytes are its beginning cannot be said any more */
  readonly purgee?: boolean;
}

/** What new bytes at a path are, beside those seen there before. */
export type Decision =
  /** the same bytes, seen before: nothing changes */
  | { readonly kind: 'connu'; readonly versionId: number }
  /** the beginning of longer bytes seen before: they count for nothing, nothing changes */
  | { readonly kind: 'prefixe'; readonly versionId: number }
  /** they count from now on; those whose continuation they are no longer do */
  | { readonly kind: 'nouveau'; readonly absorbes: readonly ContenuConnu[] };

/** The prefix rule (docs/regles-journaux.md, rule 15) for one path, whatever the order in which bytes come. */
export async function decide(
  octets: { readonly sha256: string; readonly taille: number },
  contenus: readonly ContenuConnu[],
  prefixesConnus: ReadonlyMap<string, number>,
  ask: {
    /** SHA-256 of the first `taille` bytes of the new ones */
    debut(taille: number): Promise<string>;
    /** SHA-256 of the first `taille` bytes of a known content */
    debutDe(contenu: ContenuConnu, taille: number): Promise<string>;
  },
): Promise<Decision> {
  const same = contenus.find((contenu) => contenu.sha256 === octets.sha256);
  if (same) return { kind: 'connu', versionId: same.versionId };
  const known = prefixesConnus.get(octets.sha256);
  if (known !== undefined) return { kind: 'prefixe', versionId: known };
  const absorbes: ContenuConnu[] = [];
  for (const contenu of contenus) {
    if (contenu.taille > octets.taille) {
      if (!contenu.purgee && (await ask.debutDe(contenu, octets.taille)) === octets.sha256) {
        return { kind: 'prefixe', versionId: contenu.versionId };
      }
    } else if (contenu.taille < octets.taille && (await ask.debut(contenu.taille)) === contenu.sha256) {
      absorbes.push(contenu);
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
