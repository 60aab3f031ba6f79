import { closeSync, openSync, read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { CentreSftp, SftpConfig } from '../../base/config/sftp.ts';
import type { Logger } from '../../base/logger.ts';
import { type DossierIgnore, isServiceFolder } from '../noms.ts';
import type { EntreeSource, FichierOuvert, FichierSource, SourceJournaux } from '../source.ts';
import { Connexion } from './connexion.ts';
import { Copies, type Suivi, type Vu } from './copies.ts';
import { ENTETE, Miroir } from './miroir.ts';
import { type Ecarte, ecarte, Parcours, raisonDe, type Trouve } from './parcours.ts';

const readFile = promisify(read);
/** However long a listing takes (ms), the next one comes this soon after. */
const ATTENTE_MAX = 10_000;

interface Reference {
  readonly chemin: Buffer;
  readonly vu: Vu;
}

export interface DossierSftpOptions {
  readonly centre: CentreSftp;
  readonly config: SftpConfig;
  /** folder of the copies of growing files */
  readonly miroirs: string;
  readonly logger: Logger;
  /** folders that are not looked into */
  readonly ignore?: DossierIgnore;
  /** ms since 1970; the system's clock when it is left out */
  readonly maintenant?: () => number;
}

/**
 * One centre's folder on an SFTP server, as exact as a local one. While it is followed a loop of its own lists the server
 * and fetches what is new: whoever asks gets the last known state at once, and a slow server keeps nobody waiting.
 */
export class DossierSftp implements SourceJournaux {
  readonly description: string;
  readonly #centre: CentreSftp;
  readonly #logger: Logger;
  readonly #intervalle: number;
  readonly #connexion: Connexion;
  readonly #copies: Copies;
  readonly #parcours: Parcours;
  readonly #fin = new AbortController();
  /** the following under way: what its loop found last */
  #suivi: { dernier: readonly Trouve[] } | undefined;
  #boucle: Promise<unknown> = Promise.resolve();

  constructor(options: DossierSftpOptions) {
    const { centre, config, miroirs, logger, ignore = isServiceFolder, maintenant = Date.now } = options;
    this.#centre = centre;
    this.#logger = logger;
    this.#intervalle = config.intervalle;
    this.#connexion = new Connexion(centre, config);
    const miroir = new Miroir(miroirs);
    const origine = `${centre.user}@${centre.host}:${centre.port}`;
    this.#copies = new Copies(this.#connexion, miroir, origine, maintenant);
    this.#parcours = new Parcours(centre, this.#connexion, this.#copies, miroir, this.#fin.signal, ignore);
    this.description = `sftp://${this.#connexion.adresse}/${centre.chemin.replace(/^\//, '')}`;
  }

  /** Name of the centre's folder. */
  get dossier(): string {
    return this.#centre.dossier;
  }

  /** Bytes of files that came over the line. */
  get octetsDistants(): number {
    return this.#connexion.octetsLus;
  }

  async *list(): AsyncGenerator<EntreeSource> {
    yield { kind: 'dossier', dossier: this.dossier };
    if (this.#suivi) {
      for (const trouve of this.#suivi.dernier) yield this.#entree(trouve);
      return;
    }
    for await (const trouve of this.#parcours.parcourir()) yield this.#entree(trouve);
  }

  async open(fichier: FichierSource): Promise<FichierOuvert> {
    const { chemin, vu } = fichier.reference as Reference;
    const following = this.#suivi !== undefined;
    const suivi = await this.#copies.retrouver(chemin, fichier.chemin, vu);
    // Somebody else may forget the copy in the moment between.
    for (let tries = 0; ; tries++) {
      const fetched = following && suivi.lu !== undefined && suivi.copie?.taille === suivi.lu.taille;
      if (!fetched || tries > 0 || this.#copies.estFroid(suivi)) {
        await this.#copies.rafraichir(suivi, { tenace: !following });
      }
      const ouvert = this.#servir(suivi);
      if (ouvert) return ouvert;
      if (tries >= 3) throw new Error('copie locale disparue pendant la lecture');
    }
  }

  async revoir(fichier: FichierSource): Promise<FichierSource | undefined> {
    const trouve = this.#suivi?.dernier.find((one) => one.chemin === fichier.chemin);
    const entree = trouve && this.#entree(trouve);
    return entree?.kind === 'fichier' ? entree.fichier : undefined;
  }

  watch(onHint: (chemin?: string) => void, signal: AbortSignal): void {
    const suivi = { dernier: [] };
    this.#suivi = suivi;
    const until = AbortSignal.any([signal, this.#fin.signal]);
    this.#boucle = Promise.all([this.#boucle, this.#suivre(suivi, onHint, until)]);
  }

  /**
   * Connects and lists the folder once.
   *
   * @throws AtelierError ATL_L210 to ATL_L216: why nothing would come from there
   */
  async verifier(): Promise<void> {
    await this.#parcours.verifier();
  }

  /** Ends the connection; what was fetched of growing files is kept for the next time. */
  async fermer(): Promise<void> {
    this.#fin.abort();
    this.#connexion.fermer();
    await this.#boucle;
    await this.#parcours.attendre();
    await this.#copies.rendre();
  }

  #entree(trouve: Trouve): EntreeSource {
    if (trouve.kind === 'ecarte') return trouve;
    const { suivi, chemin } = trouve;
    const reference: Reference = { chemin: suivi.chemin, vu: suivi.vu };
    return {
      kind: 'fichier',
      fichier: {
        ...{ dossier: this.dossier, chemin, reference },
        taille: suivi.vu.taille,
        signature: this.#copies.signature(suivi),
      },
    };
  }

  /** The bytes that are here, as they are now; undefined when the copy was forgotten meanwhile. */
  #servir(suivi: Suivi): FichierOuvert | undefined {
    const { copie } = suivi;
    if (!copie) return undefined;
    let fd: number;
    try {
      fd = openSync(copie.path, 'r');
    } catch {
      return undefined;
    }
    const { taille } = copie;
    return {
      taille,
      signature: this.#copies.signatureLue(suivi),
      async read(buffer, offset, length, position) {
        const left = Math.min(length, taille - position);
        if (left <= 0) return 0;
        return (await readFile(fd, buffer, offset, left, ENTETE + position)).bytesRead;
      },
      close: async () => {
        closeSync(fd);
        // History is read once: its copies would fill the disk.
        if (this.#copies.estFroid(suivi)) await this.#copies.oublier(suivi);
      },
    };
  }

  async #suivre(
    suivi: { dernier: readonly Trouve[] },
    onHint: (chemin?: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let told = new Map<string, string>();
    let away: string | undefined;
    while (!signal.aborted) {
      const started = performance.now();
      suivi.dernier = await this.#regarderTout();
      if (signal.aborted) break;
      const why = suivi.dernier.find(
        (one): one is Ecarte => one.kind === 'ecarte' && one.chemin === this.dossier,
      );
      if (why !== undefined && away === undefined) {
        this.#logger.warn({ centre: this.dossier, raison: why.raison }, 'dossier distant injoignable');
      } else if (why === undefined && away !== undefined) {
        this.#logger.info({ centre: this.dossier }, 'dossier distant de nouveau lu');
      }
      away = why?.raison;
      const now = new Map(suivi.dernier.map((one) => [one.chemin, this.#empreinte(one)]));
      for (const [chemin, print] of now) if (told.get(chemin) !== print) onHint(chemin);
      told = now;
      const rest = Math.min(ATTENTE_MAX, performance.now() - started);
      const wait = Math.max(this.#intervalle, rest, this.#connexion.repos);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
    if (this.#suivi === suivi) this.#suivi = undefined;
  }

  async #regarderTout(): Promise<Trouve[]> {
    const found: Trouve[] = [];
    try {
      for await (const trouve of this.#parcours.parcourir()) found.push(await this.#regarder(trouve));
    } catch (error) {
      // The disk of the copies: nothing of the server's.
      found.push(ecarte(this.dossier, raisonDe(error), true));
    }
    return found;
  }

  /** Fetches what is new of a file that may still grow; history waits until somebody asks for it. */
  async #regarder(trouve: Trouve): Promise<Trouve> {
    if (trouve.kind === 'ecarte') return trouve;
    const { suivi, chemin } = trouve;
    if (this.#copies.estFroid(suivi) || !this.#copies.aRegarder(suivi)) return trouve;
    try {
      await this.#copies.rafraichir(suivi, { tenace: true });
      return trouve;
    } catch (error) {
      return ecarte(chemin, raisonDe(error), true);
    }
  }

  /** Another one each time that there is something to read. */
  #empreinte(trouve: Trouve): string {
    if (trouve.kind === 'ecarte') return trouve.raison;
    const { suivi } = trouve;
    const state = this.#copies.estFroid(suivi) ? '' : String(suivi.version);
    return `${state} ${suivi.vu.taille} ${suivi.vu.mtime} ${this.#copies.signature(suivi)}`;
  }
}
