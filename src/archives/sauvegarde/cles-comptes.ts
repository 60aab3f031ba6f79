import { createHash } from 'node:crypto';
import { link, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { dechiffrer, estFlux, FluxIllisible } from '../../base/chiffrement-flux.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { ecrire, SANS_LIEN, synchroniserDossier } from './fichiers.ts';

/** Bytes at most: some hundred thousand accounts. */
const PLUS_GRAND = 256 * 1024 * 1024;

/** Between the name of a damaged file that was put aside and its instant. */
const ABIME = '.abime-';

const base64 = z.base64();
const contenu = z.strictObject({
  format: z.literal(1),
  /** what the database knows of master keys, as `cle_chiffrement` has it */
  temoins: z.array(z.strictObject({ id: z.string(), temoin: base64, date_creation: z.iso.datetime() })),
  cles: z.array(
    z.strictObject({
      compte: z.uuid(),
      /** id of the key; one account may have had several, in databases that were restored */
      cle: z.string().regex(/^[0-9a-f]{16}$/),
      enveloppe: base64,
      /** when a backup last found it in the database */
      vu: z.iso.datetime(),
    }),
  ),
});

/** Keys of accounts, each wrapped with CLE_CHIFFREMENT, and the witnesses of that. */
export type ClesSauvegardees = z.infer<typeof contenu>;
export type CleSauvegardee = ClesSauvegardees['cles'][number];

/**
 * The keys of accounts beside the backups of a database: one file, `comptes-<database>.cles`, written anew as a whole
 * at each backup, and encrypted like it. Backups hold accounts without their keys; whoever is no longer in here cannot be
 * read in any of them.
 */
export class FichierCles {
  readonly nom: string;
  readonly path: string;
  readonly #root: string;
  readonly #cles: readonly Buffer[];

  /**
   * @param root folder of backups
   * @param nom its name, from {@link nomFichierCles} or a manifest
   * @param cles keys of backups at hand, the one that encrypts first
   */
  constructor(root: string, nom: string, cles: readonly Buffer[]) {
    this.#root = root;
    this.#cles = cles;
    this.nom = nom;
    this.path = join(root, nom);
  }

  /**
   * @returns undefined when there is no such file; `scelle`: it was encrypted with a key at hand
   * @throws AtelierError ATL_B902 (damaged, not a plain file), ATL_B903 (key)
   */
  async lire(): Promise<{ contenu: ClesSauvegardees; scelle: boolean } | undefined> {
    try {
      const bytes = await lireFichier(this.path);
      const scelle = estFlux(bytes);
      const clear = scelle ? await ouvrir(bytes, this.#cles, this.nom) : bytes;
      return { contenu: contenu.parse(JSON.parse(clear.toString('utf8'))), scelle };
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return undefined;
      const key = cause instanceof FluxIllisible && cause.cleManquante !== undefined;
      const why = cause instanceof z.ZodError ? 'ce ne sont pas des clés de comptes' : messageOf(cause);
      throw new AtelierError(key ? 'ATL_B903' : 'ATL_B902', `Lecture de ${this.path} : ${why}`, { cause });
    }
  }

  /**
   * Gives a damaged one a second name, beside which a new one may take the first: somebody may still read keys out of it.
   *
   * @param instant ms since 1970
   * @returns where it lies
   */
  async mettreDeCote(instant: number): Promise<string> {
    const stamp = new Date(instant).toISOString().replace(/\D/g, '').slice(0, 14);
    const aside = `${this.path}${ABIME}${stamp}`;
    // What is no plain file, and folders that know no links: the name goes over, and is missing until the new one is there.
    await link(this.path, aside).catch(() => rename(this.path, aside));
    await synchroniserDossier(this.#root);
    return aside;
  }

  /** Names of damaged ones that were put aside, and when (ms since 1970). @throws the file system's error */
  async misDeCote(): Promise<{ readonly path: string; readonly depuis: number }[]> {
    const prefix = `${this.nom}${ABIME}`;
    return (await readdir(this.#root))
      .filter((name) => name.startsWith(prefix) && /^\d{14}$/.test(name.slice(prefix.length)))
      .map((name) => ({
        path: join(this.#root, name),
        depuis: Date.parse(
          name.slice(prefix.length).replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z'),
        ),
      }));
  }

  /**
   * Takes the place of what was there, all at once; it is on the disk when this returns.
   *
   * @param sceller false: in clear, although a key is at hand
   */
  async ecrire(cles: Omit<ClesSauvegardees, 'format'>, sceller = true): Promise<void> {
    const draft = join(this.#root, `.en-cours~${hostname()}~${process.pid}~${this.nom}`);
    const text = Buffer.from(`${JSON.stringify({ format: 1, ...cles })}\n`);
    await rm(draft, { force: true });
    try {
      await ecrire(draft, one(text), {
        compresser: false,
        cle: sceller ? this.#cles[0] : undefined,
        nom: this.nom,
      });
      await rename(draft, this.path);
      await synchroniserDossier(this.#root);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  /**
   * Takes the keys of accounts away.
   *
   * @returns whether there were any; false as well when there is no such file
   * @throws AtelierError ATL_B902, ATL_B903; the file system's error when it cannot be written
   */
  async retirer(comptes: readonly string[]): Promise<boolean> {
    const found = await this.lire();
    if (!found) return false;
    const { temoins, cles } = found.contenu;
    const rest = cles.filter(({ compte }) => !comptes.includes(compte));
    if (rest.length === cles.length) return false;
    // Without the key it would be written in clear from here on.
    if (found.scelle && this.#cles.length === 0)
      throw new AtelierError('ATL_B903', `${this.path} est chiffré.`);
    // What nobody sealed is not vouched for by us either, only because somebody is erased.
    await this.ecrire({ temoins, cles: rest }, found.scelle);
    return true;
  }
}

/** Whether what {@link FichierCles.lire} threw says that the file is damaged: neither a key is missing, nor a right. */
export function estAbime(error: unknown): boolean {
  if (codeOf(error) !== 'ATL_B902') return false;
  return !/^E[A-Z0-9]+$/.test(codeOf((error as Error).cause) ?? '');
}

/** The file's name for a database. @param graine 16 random bytes that the database keeps, through restorations too */
export function nomFichierCles(graine: Buffer): string {
  const id = createHash('sha256').update('atelier clés des comptes').update(graine).digest('hex');
  return `comptes-${id.slice(0, 16)}.cles`;
}

async function lireFichier(path: string): Promise<Buffer> {
  const found = await lstat(path);
  if (!found.isFile() || found.size > PLUS_GRAND) throw new Error('ce n’est pas un fichier ordinaire');
  const file = await open(path, SANS_LIEN);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function ouvrir(bytes: Buffer, cles: readonly Buffer[], nom: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of dechiffrer(one(bytes), cles, nom)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
