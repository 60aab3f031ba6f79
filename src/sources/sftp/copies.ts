import { createHash } from 'node:crypto';
import type { Connexion } from './connexion.ts';
import type { Copie, Miroir, Notes } from './miroir.ts';
import type { SessionSftp } from './session.ts';

/** Bytes at the head and before the old end of a copy that are read again each time the remote file is looked at. */
export const FENETRE_TETE = 4 * 1024;
export const FENETRE_FIN = 16 * 1024;
/** SFTP tells times in whole seconds, some disks in every second one: for this long (ms) a change may not show. */
export const TIEDE = 3_000;
/** A file that kept size and time for this long (ms) is read once more, whole. */
export const REPOS = 60_000;
/** A file last changed this long ago (ms) is at rest whatever the server's clock and time zone are set to. */
const FROID = 24 * 3600 * 1000;

/** A remote file as the server tells of it. */
export interface Vu {
  readonly taille: number;
  /** seconds; NaN when the server does not tell */
  readonly mtime: number;
}

/** A remote file, what was seen of it, and what of its bytes is here. */
export interface Suivi {
  readonly chemin: Buffer;
  /** for people */
  readonly texte: string;
  vu: Vu & { readonly depuis: number };
  copie: Copie | undefined;
  /** undefined: nothing was read yet */
  lu: Notes | undefined;
  /** counts changes of the bytes here */
  version: number;
  /** the copy of an earlier run was taken up, or there is none */
  pret: Promise<void>;
  /** the end of the line of those who want to read the remote file: one at a time */
  tour: Promise<unknown>;
}

/**
 * Fetches remote files into copies, new bytes only where that is safe. A look at a file that has grown reads the head
 * and the end of what is known again; any difference, a file that shrank, or one that came to rest means all of it.
 */
export class Copies {
  readonly #connexion: Connexion;
  readonly #miroir: Miroir;
  readonly #origine: string;
  readonly #maintenant: () => number;
  readonly #suivis = new Map<string, Suivi>();

  /** @param origine account and server: a copy is of one file on one server */
  constructor(connexion: Connexion, miroir: Miroir, origine: string, maintenant: () => number) {
    this.#connexion = connexion;
    this.#miroir = miroir;
    this.#origine = origine;
    this.#maintenant = maintenant;
  }

  /** Notes what the server tells of a file, and takes up the copy of an earlier run. */
  async voir(chemin: Buffer, texte: string, { taille, mtime }: Vu): Promise<Suivi> {
    const now = this.#maintenant();
    const name = chemin.toString('latin1');
    let suivi = this.#suivis.get(name);
    if (!suivi) {
      suivi = {
        ...{ chemin, texte, copie: undefined, lu: undefined, version: 0 },
        ...{ pret: Promise.resolve(), tour: Promise.resolve() },
        vu: { taille, mtime, depuis: now },
      };
      this.#suivis.set(name, suivi);
      if (!this.estFroid(suivi)) suivi.pret = this.#reprendre(suivi);
    } else if (!same(suivi.vu, { taille, mtime })) {
      suivi.vu = { taille, mtime, depuis: now };
    }
    await suivi.pret;
    return suivi;
  }

  /** The file as it is known here; `vu` is of the time when it was listed. */
  async retrouver(chemin: Buffer, texte: string, vu: Vu): Promise<Suivi> {
    return this.#suivis.get(chemin.toString('latin1')) ?? (await this.voir(chemin, texte, vu));
  }

  /** Last changed long ago: at rest, whether or not it was watched until now. */
  estFroid({ vu }: Suivi): boolean {
    return this.#maintenant() - vu.mtime * 1000 > FROID;
  }

  /**
   * Signature of a file as it was just seen: when it is the one that is on record, the file need not be read.
   * `v`: all of it was read (or will be) after it came to rest; `p`: it grew, what was read again had not changed.
   */
  signature(suivi: Suivi): string | undefined {
    const { vu, lu } = suivi;
    if (lu && same(lu, vu)) {
      if (lu.verifie || this.#maintenant() - vu.depuis >= REPOS) return sign('v', vu);
      if (lu.compare - vu.depuis >= TIEDE) return sign('p', vu);
      return undefined;
    }
    return this.estFroid(suivi) ? sign('v', vu) : undefined;
  }

  /** Signature of the bytes that are here. */
  signatureLue({ vu, lu }: Suivi): string | undefined {
    if (!lu || !same(lu, vu)) return undefined;
    if (lu.verifie) return sign('v', lu);
    return lu.compare - vu.depuis >= TIEDE ? sign('p', lu) : undefined;
  }

  /** Whether the bytes here may be others than those of the server, as far as a watcher must care. */
  aRegarder({ vu, lu }: Suivi): boolean {
    if (!lu || !same(lu, vu)) return true;
    if (lu.verifie) return false;
    const still = this.#maintenant() - vu.depuis;
    return still >= REPOS || (lu.compare - vu.depuis < TIEDE && still >= TIEDE);
  }

  /**
   * Makes the bytes here those of the server.
   *
   * @throws RefusSftp, AtelierError as `Connexion.faire`; the file system's error when the copy cannot be written
   */
  async rafraichir(suivi: Suivi, options: { tenace: boolean }): Promise<void> {
    const turn = suivi.tour.then(() => this.#rafraichir(suivi, options));
    suivi.tour = turn.catch(() => undefined);
    await turn;
  }

  /** Forgets a file: it is gone from the server, or will not change any more. */
  async oublier(suivi: Suivi): Promise<void> {
    this.#suivis.delete(suivi.chemin.toString('latin1'));
    const { copie } = suivi;
    suivi.copie = undefined;
    suivi.lu = undefined;
    if (copie) await this.#miroir.jeter(copie);
  }

  /** Forgets what is not among these, and those at rest whose bytes have been looked at for good. */
  async garder(seen: ReadonlySet<Suivi>): Promise<void> {
    for (const suivi of [...this.#suivis.values()]) {
      const done = this.estFroid(suivi) && suivi.lu?.verifie === true && same(suivi.lu, suivi.vu);
      if (!seen.has(suivi) || done) await this.oublier(suivi);
    }
  }

  /** Gives the copies of files that may still grow to those that come later. */
  async rendre(): Promise<void> {
    for (const suivi of this.#suivis.values()) {
      await suivi.tour;
      const { copie, lu } = suivi;
      suivi.copie = undefined;
      if (!copie) continue;
      if (lu && copie.taille === lu.taille && !this.estFroid(suivi)) {
        const depuis = same(lu, suivi.vu) ? suivi.vu.depuis : lu.depuis;
        await this.#miroir.rendre(copie, { ...lu, depuis });
      } else await this.#miroir.jeter(copie);
    }
    this.#suivis.clear();
  }

  /** Takes up the copy that an earlier run left. */
  async #reprendre(suivi: Suivi): Promise<void> {
    const before = await this.#miroir.prendre(this.#cle(suivi));
    if (!before) return;
    suivi.copie = before.copie;
    suivi.lu = before.notes;
    if (!same(before.notes, suivi.vu)) return;
    // Our clock may have been set back since.
    suivi.vu = { ...suivi.vu, depuis: Math.min(suivi.vu.depuis, before.notes.depuis) };
  }

  /** One file on one server, whatever its name. */
  #cle({ chemin }: Suivi): string {
    return createHash('sha256').update(`${this.#origine}\n`).update(chemin).digest('hex');
  }

  async #rafraichir(suivi: Suivi, options: { tenace: boolean }): Promise<void> {
    const now = this.#maintenant();
    const still = now - suivi.vu.depuis >= REPOS;
    const grown = suivi.copie && suivi.lu && !still && !this.estFroid(suivi);
    if (grown && (await this.#suite(suivi, options))) return;
    await this.#entier(suivi, options);
  }

  /** Fetches what is new, unless something speaks for reading all. */
  async #suite(suivi: Suivi, options: { tenace: boolean }): Promise<boolean> {
    const copie = suivi.copie!;
    const before = copie.taille;
    const compare = this.#maintenant();
    const found = await this.#connexion.faire(
      (session, progres) =>
        this.#ouvert(session, suivi, async (handle, vu) => {
          const known = copie.taille;
          if (vu.taille < known) return undefined;
          const tail = Math.max(0, known - FENETRE_FIN);
          const head = Math.min(FENETRE_TETE, tail);
          if (!(await this.#pareil(session, handle, suivi, 0, head))) return undefined;
          if (!(await this.#pareil(session, handle, suivi, tail, known))) return undefined;
          for await (const piece of session.lire(handle, known, vu.taille, suivi.texte)) {
            await copie.ajouter(piece);
            progres();
          }
          return vu;
        }),
      options,
    );
    if (!found?.debut || copie.taille !== found.debut.taille) return false;
    if (copie.taille !== before) suivi.version++;
    this.#noter(suivi, found.debut, found.fin, compare, false);
    return true;
  }

  async #pareil(
    session: SessionSftp,
    handle: Buffer,
    { copie, texte }: Suivi,
    debut: number,
    fin: number,
  ): Promise<boolean> {
    const pieces: Buffer[] = [];
    for await (const piece of session.lire(handle, debut, fin, texte)) pieces.push(piece);
    return Buffer.concat(pieces).equals(await copie!.extrait(debut, fin));
  }

  /** Fetches all of it into another copy, which takes the place of the one before at the end. */
  async #entier(suivi: Suivi, options: { tenace: boolean }): Promise<void> {
    const copie = await this.#miroir.nouvelle(this.#cle(suivi));
    let from: Vu | undefined;
    let compare = this.#maintenant();
    try {
      const found = await this.#connexion.faire(
        (session, progres) =>
          this.#ouvert(session, suivi, async (handle, vu) => {
            // After a cut it goes on where it was, if the file is still the same.
            if (!from || !same(from, vu)) {
              compare = this.#maintenant();
              await copie.vider();
            }
            from = vu;
            for await (const piece of session.lire(handle, copie.taille, vu.taille, suivi.texte)) {
              await copie.ajouter(piece);
              progres();
            }
            return vu;
          }),
        options,
      );
      const { debut, fin } = found!;
      const before = suivi.copie;
      suivi.copie = copie;
      suivi.version++;
      this.#noter(suivi, { ...debut, taille: copie.taille }, fin, compare, true);
      if (before) await this.#miroir.jeter(before);
    } catch (error) {
      await this.#miroir.jeter(copie);
      throw error;
    }
  }

  /** Opens the file, and looks at it before and after. */
  async #ouvert(
    session: SessionSftp,
    { chemin, texte }: Suivi,
    work: (handle: Buffer, vu: Vu) => Promise<Vu | undefined>,
  ): Promise<{ debut: Vu; fin: Vu } | undefined> {
    // SFTP cannot open without following a link; to look first leaves a moment, which an attacker of his own folder gains
    // nothing by: the server shows him no more than that.
    const { genre } = await session.lstat(chemin, texte);
    if (genre !== 'fichier' && genre !== 'inconnu') throw new Error(`pas un fichier ordinaire, ${texte}`);
    const handle = await session.ouvrir(chemin, texte);
    try {
      const debut = await work(handle, vuDe(await session.fstat(handle, texte)));
      return debut && { debut, fin: vuDe(await session.fstat(handle, texte)) };
    } finally {
      if (!session.finie) await session.fermer(handle);
    }
  }

  #noter(suivi: Suivi, debut: Vu, fin: Vu, compare: number, entier: boolean): void {
    const now = this.#maintenant();
    // What the listing said may be older than what was opened.
    if (!same(suivi.vu, fin)) suivi.vu = { taille: fin.taille, mtime: fin.mtime, depuis: now };
    const { depuis } = suivi.vu;
    const settled = same(debut, fin) && (this.estFroid(suivi) || compare - depuis >= TIEDE);
    suivi.lu = { taille: debut.taille, mtime: debut.mtime, depuis, compare, verifie: entier && settled };
  }
}

function vuDe({ taille, mtime }: { taille: number | undefined; mtime: number | undefined }): Vu {
  if (taille === undefined) throw new Error('le serveur SFTP ne dit pas la taille du fichier');
  return { taille, mtime: mtime ?? Number.NaN };
}

function same(a: Vu, b: Vu): boolean {
  return a.taille === b.taille && a.mtime === b.mtime;
}

function sign(how: 'v' | 'p', { taille, mtime }: Vu): string {
  return `sftp:${how}:${taille}:${mtime}`;
}
