import { Readable } from 'node:stream';
import { messageSansValeurs } from '../base/log-redaction.ts';
import type { Logger } from '../base/logger.ts';
import type { Annonce, Ecoute } from '../postgres/ecoute.ts';
import type { Ressource } from './acces.ts';
import { Probleme } from './problemes.ts';

/** What can be followed; also the names of the events. */
export const SUJETS = [
  'sessions',
  'fichiers',
  'commandes-volets',
  'executions',
  'centres',
  'alertes',
] as const satisfies readonly Ressource[];
export type Sujet = (typeof SUJETS)[number];

const SUJET_DE: Readonly<Record<string, Sujet>> = {
  session_production: 'sessions',
  fichier_log: 'fichiers',
  commandes_volets_roulants: 'commandes-volets',
  execution: 'executions',
  centre_usinage: 'centres',
  alerte: 'alertes',
};
/** Tables whose changes clients are not told of: they decide who may listen. */
const ACCES = ['user', 'cle_api'];

/** Bounds of live streams. */
const LIMITES_FLUX = {
  /** streams of a process, of an account */
  flux: 200,
  parCompte: 10,
  /** bytes that wait for a client who does not read, beyond what the system keeps for him; then he is cut off */
  tampon: 65_536,
  /** milliseconds between two signs of life, at each of which rights are looked at again */
  battement: 15_000,
  /** milliseconds in which changes of a kind are gathered into one event */
  regroupement: 100,
  /** ids that an event carries at most */
  ids: 200,
} as const;
export type LimitesFlux = { readonly [K in keyof typeof LIMITES_FLUX]: number };

/** Why a stream ends. */
export type RaisonFin = 'jeton' | 'acces' | 'arret';

/** Somebody who wants to be told. */
export interface Abonnement {
  readonly compte: string;
  /** the API key used, if it was one */
  readonly cle: string | undefined;
  readonly sujets: ReadonlySet<Sujet>;
  /** when the token or key ends, ms since the epoch */
  readonly expire: number;
  /** whether he still may; throws when that cannot be known now */
  readonly verifier: () => Promise<boolean>;
}

interface Abonne extends Abonnement {
  readonly flux: Readable;
  echeance: NodeJS.Timeout | undefined;
}

interface Groupe {
  readonly sujet: Sujet;
  readonly action: Annonce['action'];
  ids: Set<number | string> | undefined;
  nombre: number;
}

/**
 * Passes on what changes in the database to everyone who has a stream open. Nobody can make it keep more than
 * `tampon` bytes for him: who does not read is cut off, and comes back to an event that tells him to load again.
 */
export class Evenements {
  readonly #ecoute: Ecoute;
  readonly #logger: Logger;
  readonly #maintenant: () => number;
  readonly #limites: LimitesFlux;
  readonly #visible: (() => Promise<void>) | undefined;
  readonly #abonnes = new Set<Abonne>();
  readonly #groupes = new Map<string, Groupe>();
  #numero = 0;
  #regroupement: NodeJS.Timeout | undefined;
  #battement: NodeJS.Timeout | undefined;
  #verification: Promise<void> | undefined;
  readonly #aRevoir = new Set<Abonne>();
  #revue: Promise<void> | undefined;
  #arrete = false;
  /** what was held back until everybody can read it, in its order */
  #retenus: Promise<void> = Promise.resolve();

  /**
   * @param options `maintenant`: ms since the epoch; `visible`: resolved once what is committed now can be read
   *   wherever clients read (a replica may be behind); without it, that is at once
   */
  constructor(options: {
    ecoute: Ecoute;
    logger: Logger;
    maintenant: () => number;
    limites?: Partial<LimitesFlux>;
    visible?: (() => Promise<void>) | undefined;
  }) {
    this.#visible = options.visible;
    this.#ecoute = options.ecoute;
    this.#logger = options.logger;
    this.#maintenant = options.maintenant;
    this.#limites = { ...LIMITES_FLUX, ...options.limites };
    this.#ecoute.on('annonce', (annonce) => this.#annoncer(annonce));
    this.#ecoute.on('connecte', () => void this.#resynchroniser());
  }

  /** Streams that are open. */
  get nombre(): number {
    return this.#abonnes.size;
  }

  /**
   * Opens a stream. Its first event is `resynchroniser`: from there on no change is missed.
   *
   * @throws Probleme 429 (the account has its share), 503 (the process has, or is stopping)
   */
  ouvrir(abonnement: Abonnement): Readable {
    this.#refuser(abonnement.compte);
    // What happened before is no news to whoever comes now.
    this.#vider();
    const flux = new Readable({ read() {}, highWaterMark: this.#limites.tampon });
    const abonne: Abonne = { ...abonnement, flux, echeance: undefined };
    this.#abonnes.add(abonne);
    flux.once('close', () => this.#retirer(abonne));
    this.#envoyer(abonne, 'retry: 3000\n\n');
    if (this.#ecoute.connectee) this.#quandVisible(() => this.#envoyer(abonne, this.#texteResynchroniser()));
    else this.#ecoute.demarrer();
    this.#armer(abonne);
    this.#battement ??= setInterval(() => void this.#battre(), this.#limites.battement).unref();
    return flux;
  }

  /** Ends every stream and opens no more. */
  arreter(): void {
    if (this.#arrete) return;
    this.#vider();
    this.#arrete = true;
    clearInterval(this.#battement);
    for (const abonne of this.#abonnes) this.#finir(abonne, 'arret');
  }

  /** The same, and stops listening to the database. */
  async fermer(): Promise<void> {
    this.arreter();
    await this.#ecoute.fermer();
  }

  #refuser(compte: string): void {
    if (this.#arrete) throw new Probleme(503, 'Le serveur s’arrête ; revenez dans quelques secondes.', RETRY);
    if (this.#abonnes.size >= this.#limites.flux) {
      throw new Probleme(503, 'Trop de clients suivent déjà les événements sur ce serveur.', RETRY);
    }
    let own = 0;
    for (const abonne of this.#abonnes) if (abonne.compte === compte) own++;
    if (own >= this.#limites.parCompte) {
      throw new Probleme(
        429,
        `Ce compte suit déjà les événements ${own} fois : fermez un flux avant d’en ouvrir un autre.`,
        RETRY,
      );
    }
  }

  #annoncer(annonce: Annonce): void {
    const { table, action, ids, nombre } = annonce;
    if (ACCES.includes(table)) {
      this.#revoir(({ compte, cle }) => !ids || ids.some((id) => id === compte || id === cle));
      return;
    }
    const sujet = Object.hasOwn(SUJET_DE, table) ? SUJET_DE[table] : undefined;
    if (sujet === undefined || this.#abonnes.size === 0) return;
    const key = `${sujet} ${action}`;
    const groupe = this.#groupes.get(key);
    if (groupe === undefined) {
      this.#groupes.set(key, { sujet, action, ids: ids ? new Set(ids) : undefined, nombre });
    } else {
      groupe.ids = groupe.ids && ids ? groupe.ids.union(new Set(ids)) : undefined;
      if (groupe.ids && groupe.ids.size > this.#limites.ids) groupe.ids = undefined;
      // A row that changed twice counts once, as long as the rows are known.
      groupe.nombre = groupe.ids ? groupe.ids.size : groupe.nombre + nombre;
    }
    this.#regroupement ??= setTimeout(() => this.#vider(), this.#limites.regroupement);
  }

  /**
   * Looks again at the rights of those whom an announcement concerns, one round at a time: whoever announces a thousand
   * times, for which no right is needed, has them looked at twice.
   */
  #revoir(concerne: (abonne: Abonne) => boolean): void {
    for (const abonne of this.#abonnes) if (concerne(abonne)) this.#aRevoir.add(abonne);
    this.#revue ??= (async () => {
      while (this.#aRevoir.size > 0) {
        const round = [...this.#aRevoir];
        this.#aRevoir.clear();
        await this.#verifier(round);
      }
    })().finally(() => {
      this.#revue = undefined;
    });
  }

  /** Sends what was gathered. */
  #vider(): void {
    clearTimeout(this.#regroupement);
    this.#regroupement = undefined;
    if (this.#groupes.size === 0) return;
    const groupes = [...this.#groupes.values()];
    const abonnes = [...this.#abonnes];
    this.#groupes.clear();
    this.#quandVisible(() => {
      for (const { sujet, action, ids, nombre } of groupes) {
        const data = { action, ids: ids ? [...ids] : null, nombre };
        const text = this.#texte(sujet, data);
        for (const abonne of abonnes) if (abonne.sujets.has(sujet)) this.#envoyer(abonne, text);
      }
    });
  }

  /** Runs what tells of changes once they can be read, after everything that was held back before it. */
  #quandVisible(annoncer: () => void): void {
    if (!this.#visible) {
      annoncer();
      return;
    }
    const visible = this.#visible();
    this.#retenus = this.#retenus.then(() => visible).then(annoncer);
  }

  /** The database is listened to again: what changed in between is unknown, and rights may have, too. */
  async #resynchroniser(): Promise<void> {
    await this.#verifier([...this.#abonnes]);
    this.#quandVisible(() => {
      const text = this.#texteResynchroniser();
      for (const abonne of this.#abonnes) this.#envoyer(abonne, text);
    });
  }

  async #battre(): Promise<void> {
    for (const abonne of this.#abonnes) {
      this.#envoyer(abonne, ': \n\n');
      this.#armer(abonne);
    }
    // A round that takes longer than a beat is not overtaken by the next.
    this.#verification ??= this.#verifier([...this.#abonnes]).finally(() => {
      this.#verification = undefined;
    });
    await this.#verification;
  }

  /** Ends the streams of those who no longer may; one after the other, so that requests find connections free. */
  async #verifier(abonnes: readonly Abonne[]): Promise<void> {
    for (const abonne of abonnes) {
      if (!this.#abonnes.has(abonne)) continue;
      if (this.#maintenant() >= abonne.expire) {
        this.#finir(abonne, 'jeton');
        continue;
      }
      try {
        if (!(await abonne.verifier())) this.#finir(abonne, 'acces');
      } catch (error) {
        // The database is away: its return is a reason to look again.
        this.#logger.debug({ erreur: messageSansValeurs(error) }, 'droits d’un flux non vérifiés');
      }
    }
  }

  /** A token that ends before the next beat ends its stream in time. */
  #armer(abonne: Abonne): void {
    const rest = abonne.expire - this.#maintenant();
    if (rest > this.#limites.battement || !this.#abonnes.has(abonne)) return;
    clearTimeout(abonne.echeance);
    abonne.echeance = setTimeout(() => this.#finir(abonne, 'jeton'), Math.max(0, rest)).unref();
  }

  #finir(abonne: Abonne, raison: RaisonFin): void {
    if (!this.#abonnes.has(abonne)) return;
    this.#envoyer(abonne, this.#texte('fin', { raison }));
    this.#retirer(abonne);
    abonne.flux.push(null);
  }

  #retirer(abonne: Abonne): void {
    clearTimeout(abonne.echeance);
    this.#abonnes.delete(abonne);
    if (this.#abonnes.size > 0) return;
    clearInterval(this.#battement);
    this.#battement = undefined;
  }

  #envoyer(abonne: Abonne, text: string): void {
    if (abonne.flux.destroyed || !this.#abonnes.has(abonne)) return;
    abonne.flux.push(text);
    if (abonne.flux.readableLength <= this.#limites.tampon) return;
    this.#logger.info({ compte: abonne.compte }, 'flux coupé : le client ne lit pas');
    this.#retirer(abonne);
    abonne.flux.destroy();
  }

  #texteResynchroniser(): string {
    return this.#texte('resynchroniser', {});
  }

  #texte(event: string, data: object): string {
    this.#numero++;
    return `id: ${this.#numero}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

const RETRY = { headers: { 'retry-after': '15' } };
