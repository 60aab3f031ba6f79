import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { deriver, idDeCle } from '../../base/chiffrement-flux.ts';
import { AtelierError } from '../../base/errors.ts';

/** Format of backups that this program writes; it reads this one and older ones. */
export const FORMAT = 2;
export const MANIFESTE = 'manifest.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const manifeste = z.strictObject({
  /** 1: of before the seal that every backup has */
  format: z.union([z.literal(1), z.literal(FORMAT)]),
  programme: z.string(),
  /** instant of the snapshot, ISO 8601, UTC */
  instant: z.iso.datetime(),
  base: z.strictObject({
    /** for example 180004 */
    serveur: count,
    schema: z.string(),
    /** names of the migrations that were applied */
    migrations: z.array(z.string()),
    /** rows of each table, and SHA-256 of its COPY text */
    tables: z.record(z.string(), z.strictObject({ lignes: count, sha256 })),
    /** what the database holds beside, and the backup does not */
    nonSauvegardes: z.array(z.string()),
  }),
  /** archives that belong to it, in the pool beside; null: left out on purpose */
  archives: z.nullable(z.strictObject({ nombre: count, octets: count, manquantes: count })),
  /** accounts whose keys lie beside all backups, in one file that each backup writes anew; absent: it is older than that */
  comptes: z
    .strictObject({ fichier: z.string().regex(/^comptes-[0-9a-f]{16}\.cles$/), nombre: count })
    .optional(),
  /** null: not encrypted */
  chiffrement: z.nullable(z.strictObject({ cle: z.string() })),
  /** files of its folder, without this one */
  fichiers: z.array(z.strictObject({ nom: z.string().regex(/^[a-z]+(\.[a-z]+)+$/), octets: count, sha256 })),
  /** names of settings that are secret: they are not in the backup and must be kept apart */
  aGarderAPart: z.array(z.string()),
  /** HMAC-SHA-256 of all the rest, of an encrypted backup */
  sceau: z.string().optional(),
  /** SHA-256 of all the rest, of one that is not: it shows damage, and proves nothing against whoever can write here */
  empreinte: z.string().optional(),
});

/** What a backup holds: written last, read first. */
export type Manifeste = z.infer<typeof manifeste>;
export type FichierDeSauvegarde = Manifeste['fichiers'][number];

/** What a manifest says; what it is sealed with comes on top. */
export type Contenu = Omit<Manifeste, 'sceau' | 'empreinte'>;

/**
 * What vouches for a manifest, and through the checksums in it for all files and archives: a key, a mere checksum, or
 * nothing (of an older program, or altered so that it looks like that).
 */
export type Sceau = 'cle' | 'empreinte' | 'aucun';

/** The text of a manifest, sealed: with a key when there is one, else with a checksum. */
export function ecrireManifeste(contenu: Contenu, cle: Buffer | undefined): string {
  const all = cle ? { ...contenu, sceau: seal(contenu, cle) } : { ...contenu, empreinte: checksum(contenu) };
  return `${JSON.stringify(all, null, 2)}\n`;
}

/**
 * Reads and checks a manifest. Whether what vouches for it is enough is for the caller to say.
 *
 * @param cles keys at hand; without that of an encrypted backup its seal is not checked
 * @throws AtelierError ATL_B902 (not a manifest, altered), ATL_B905 (of a newer program)
 */
export function lireManifeste(
  text: string,
  cles: readonly Buffer[],
  ou: string,
): { manifeste: Manifeste; sceau: Sceau } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AtelierError('ATL_B902', `${ou} : ${MANIFESTE} n’est pas lisible.`, { cause });
  }
  const format = (json as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > FORMAT) {
    throw new AtelierError(
      'ATL_B905',
      `${ou} : format ${format}, ce programme lit jusqu’au ${FORMAT} ; prenez un atelier plus récent.`,
    );
  }
  const parsed = manifeste.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AtelierError(
      'ATL_B902',
      `${ou} : ${MANIFESTE} n’est pas celui d’une sauvegarde (${issue?.path.join('.')}).`,
    );
  }
  const { sceau, empreinte, ...contenu } = parsed.data;
  const cle = cles.find((key) => idDeCle(key) === contenu.chiffrement?.cle);
  if (cle && !(sceau !== undefined && equal(sceau, seal(contenu, cle)))) {
    throw new AtelierError('ATL_B902', `${ou} : ${MANIFESTE} a été modifié (son sceau ne va pas).`);
  }
  if (cle) return { manifeste: parsed.data, sceau: 'cle' };
  if (contenu.format === 1 || contenu.chiffrement) return { manifeste: parsed.data, sceau: 'aucun' };
  if (empreinte === undefined || !equal(empreinte, checksum(contenu)))
    throw new AtelierError('ATL_B902', `${ou} : ${MANIFESTE} a été modifié (son empreinte ne va pas).`);
  return { manifeste: parsed.data, sceau: 'empreinte' };
}

function checksum(contenu: Contenu): string {
  return createHash('sha256').update(canonical(contenu)).digest('hex');
}

function seal(contenu: Contenu, cle: Buffer): string {
  return createHmac('sha256', deriver(cle, 'sceau')).update(canonical(contenu)).digest('hex');
}

/** The same text whatever the order in which keys were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
