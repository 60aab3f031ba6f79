import type { CentreSftp } from '../../base/config/sftp.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { type DossierIgnore, decodeName, isLog, isPassedOver } from '../noms.ts';
import { type EntreeSource, MAX_PATH } from '../source.ts';
import type { Connexion } from './connexion.ts';
import type { Copies, Suivi } from './copies.ts';
import type { Miroir } from './miroir.ts';
import type { Attributs } from './protocole.ts';
import { RefusSftp } from './session.ts';

const SLASH = Buffer.from('/');
/** No folder lies this deep (characters): the server shows one inside itself, without end. */
const SANS_FOND = 4_096;

export type Ecarte = Extract<EntreeSource, { kind: 'ecarte' }>;
/** What a listing finds: a file with what is known of it here, or an entry that is none. */
export type Trouve = Ecarte | { readonly kind: 'fichier'; readonly suivi: Suivi; readonly chemin: string };

/** Lists a centre's folder on its server. */
export class Parcours {
  readonly #centre: CentreSftp;
  readonly #connexion: Connexion;
  readonly #copies: Copies;
  readonly #miroir: Miroir;
  readonly #fin: AbortSignal;
  readonly #ignore: DossierIgnore;
  #balaye: Promise<void> | undefined;

  /** @param fin aborted: a listing under way is given up */
  constructor(
    centre: CentreSftp,
    connexion: Connexion,
    copies: Copies,
    miroir: Miroir,
    fin: AbortSignal,
    ignore: DossierIgnore,
  ) {
    this.#centre = centre;
    this.#connexion = connexion;
    this.#copies = copies;
    this.#miroir = miroir;
    this.#fin = fin;
    this.#ignore = ignore;
  }

  /**
   * Connects and lists the folder once.
   *
   * @throws AtelierError ATL_L210 to ATL_L216: why nothing would come from there
   */
  async verifier(): Promise<void> {
    try {
      await this.#connexion.faire((session) => session.lister(this.#racine(), this.#centre.dossier), {
        tenace: true,
      });
    } catch (error) {
      if (error instanceof RefusSftp) throw this.#refus(error);
      throw error;
    }
  }

  /** Goes through the server's folder once. What goes wrong on the way is an entry. */
  async *parcourir(): AsyncGenerator<Trouve> {
    this.#balaye ??= this.#miroir.balayer();
    await this.#balaye;
    const seen = new Set<Suivi>();
    const state = { complet: true };
    try {
      yield* this.#liste(this.#racine(), this.#centre.dossier, seen, state);
    } catch (error) {
      state.complet = false;
      // A listing that was stopped is not one that ended.
      if (this.#fin.aborted) throw error;
      yield ecarte(this.#centre.dossier, raisonDe(error), true);
    }
    if (state.complet) await this.#copies.garder(seen);
  }

  /** Returns when nothing is under way on the disk any more. */
  async attendre(): Promise<void> {
    await this.#balaye;
  }

  async *#liste(
    path: Buffer,
    chemin: string,
    seen: Set<Suivi>,
    state: { complet: boolean },
  ): AsyncGenerator<Trouve> {
    let entries: { nom: Buffer; attributs: Attributs }[];
    try {
      entries = await this.#connexion.faire((session) => session.lister(path, chemin));
    } catch (error) {
      if (!(error instanceof RefusSftp)) throw error;
      if (chemin === this.#centre.dossier) throw this.#refus(error);
      state.complet = false;
      yield ecarte(chemin, error.message, true);
      return;
    }
    for (const { nom, attributs } of entries) {
      const name = decodeName(nom);
      const below = `${chemin}/${name}`;
      if (isPassedOver(name)) continue;
      // Before anybody looks into it: it may be closed to us.
      const ignored = this.#ignore(name, false);
      if (ignored && (attributs.genre === 'dossier' || !isLog(name))) continue;
      const full = path.equals(SLASH) ? Buffer.concat([path, nom]) : Buffer.concat([path, SLASH, nom]);
      let known = attributs;
      try {
        known = await this.#complet(attributs, full, below);
      } catch (error) {
        if (!(error instanceof RefusSftp)) throw error;
        state.complet = false;
        if (error.code !== 'ENOENT' && isLog(name)) yield ecarte(below, error.message, true);
        continue;
      }
      if (known.genre === 'dossier') {
        if (below.length > SANS_FOND) yield ecarte(below, 'dossier qui se contient lui-même', true);
        else yield* this.#liste(full, below, seen, state);
      } else if (isLog(name)) yield await this.#fichier(known, full, below, seen);
      else if (known.genre === 'inconnu') yield* this.#essayer(full, below, seen, state);
    }
  }

  /** Of a server that never says what is a folder: whether it is one shows when it is listed. */
  async *#essayer(
    path: Buffer,
    chemin: string,
    seen: Set<Suivi>,
    state: { complet: boolean },
  ): AsyncGenerator<Trouve> {
    const inside = { complet: true };
    for await (const trouve of this.#liste(path, chemin, seen, inside)) {
      const refused = trouve.kind === 'ecarte' && trouve.chemin === chemin;
      if (refused && !trouve.raison.startsWith('EACCES')) return;
      yield trouve;
    }
    state.complet &&= inside.complet;
  }

  /** Of a server that does not tell all in its listings. */
  async #complet(attributs: Attributs, path: Buffer, chemin: string): Promise<Attributs> {
    const enough = attributs.genre !== 'inconnu' && attributs.taille !== undefined;
    if (enough && (attributs.genre !== 'fichier' || attributs.mtime !== undefined)) return attributs;
    return await this.#connexion.faire((session) => session.lstat(path, chemin));
  }

  async #fichier(
    { genre, taille, mtime }: Attributs,
    path: Buffer,
    chemin: string,
    seen: Set<Suivi>,
  ): Promise<Trouve> {
    if (chemin.length > MAX_PATH) return ecarte(chemin, `chemin de plus de ${MAX_PATH} caractères`, true);
    if (genre !== 'fichier' && genre !== 'inconnu') {
      return ecarte(
        chemin,
        genre === 'lien' ? 'lien symbolique, jamais suivi' : 'pas un fichier ordinaire',
        false,
      );
    }
    if (taille === undefined) return ecarte(chemin, 'le serveur ne dit pas la taille du fichier', true);
    const suivi = await this.#copies.voir(path, chemin, { taille, mtime: mtime ?? Number.NaN });
    seen.add(suivi);
    return { kind: 'fichier', suivi, chemin };
  }

  #racine(): Buffer {
    return Buffer.from(this.#centre.chemin);
  }

  #refus(error: RefusSftp): AtelierError {
    const { adresse } = this.#connexion;
    return new AtelierError('ATL_L216', `SFTP ${adresse}, dossier ${this.#centre.chemin} : ${error.message}`);
  }
}

export function ecarte(chemin: string, raison: string, erreur: boolean): Ecarte {
  return { kind: 'ecarte', chemin, raison, erreur };
}

/** With its number: docs/erreurs.md says what to do about it. */
export function raisonDe(error: unknown): string {
  return error instanceof AtelierError ? `${error.message} (${error.code})` : messageOf(error);
}
