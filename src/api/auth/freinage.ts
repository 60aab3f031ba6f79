import { messageSansValeurs } from '../../base/log-redaction.ts';
import { balayerRafraichissements } from '../../postgres/comptes/rafraichissements.ts';
import {
  cleDeNom,
  cleDeNomConnu,
  clesDuCompte,
  estReseauConnu,
  retenirReseau,
} from '../../postgres/comptes/reseaux-connus.ts';
import {
  balayerTentatives,
  deplacerTentatives,
  oublierTentatives,
  type RegleFreinage,
  rendreTentative,
  reserverTentative,
} from '../../postgres/comptes/tentatives.ts';
import type { Queryable } from '../../postgres/pool.ts';
import type { ApiDeps } from '../deps.ts';
import { reseauDe, reseauLargeDe } from './adresse.ts';

/**
 * How guessing is slowed. Counts are kept in PostgreSQL, so that they do not multiply by the number of servers.
 * Nobody is ever locked out: a delay ends after at most a quarter of an hour, whatever is tried meanwhile. And where a
 * person has signed in before, only what fails there counts: whoever keeps failing elsewhere does not shut that door.
 */
const REGLES = {
  /** per name tried, whether there is such an account or not: 5 failures free, then 1 s, 2 s, 4 s… up to 15 min */
  compte: { libres: 5, delai: 1, delaiMax: 900, oubli: 86_400 },
  /** per network (one IPv4 address, one IPv6 /64), whatever the names: 20 free, as whole offices share an address */
  adresse: { libres: 20, delai: 1, delaiMax: 900, oubli: 3_600 },
} as const satisfies Record<string, RegleFreinage>;

/** How often a server deletes counts and refresh tokens that have become meaningless (ms). */
const BALAYAGE = 600_000;

/** An attempt that may go on; counted as a failure until {@link Essai.reussi} is called. */
export interface Essai {
  readonly permis: true;
  /** the password was right: forgets the failures of the name, takes back this one of the address */
  reussi(): Promise<void>;
  /** the password could not be looked at: takes the attempt back */
  annuler(): Promise<void>;
}

/** An attempt that nobody looks at, right or wrong. */
export interface EssaiRefuse {
  readonly permis: false;
  /** seconds to wait, at least 1 */
  readonly attendre: number;
}

/** Slows down who guesses passwords, per name and per address. */
export class Freinage {
  readonly #deps: Pick<ApiDeps, 'accesPool' | 'coffre' | 'maintenant' | 'logger'>;
  #balaye: number;

  constructor(deps: Pick<ApiDeps, 'accesPool' | 'coffre' | 'maintenant' | 'logger'>) {
    this.#deps = deps;
    this.#balaye = deps.maintenant();
  }

  /**
   * Counts an attempt, before the password is looked at.
   *
   * @param nom the name as it was typed; any spelling of it counts together
   * @param ip address of the client
   */
  async essayer(nom: string, ip: string): Promise<Essai | EssaiRefuse> {
    const { accesPool: pool, coffre, maintenant } = this.#deps;
    const now = maintenant();
    await this.#balayer(now);
    // Before anything is counted: what cannot be looked up must not be held against anybody.
    const known = await estReseauConnu(pool, coffre, nom, this.#reseau(ip));
    const name = known ? cleDeNomConnu(coffre, nom, this.#reseau(ip)) : cleDeNom(coffre, nom);
    // The address first: one that is slowed must not slow the accounts that it hammers.
    const place = coffre.empreinte('adresse', reseauDe(ip));
    const byPlace = await reserverTentative(pool, place, 'adresse', REGLES.adresse, now);
    if (byPlace.bloqueeJusqua !== undefined) return refuse(byPlace.bloqueeJusqua, now);
    const byName = await reserverTentative(pool, name, 'compte', REGLES.compte, now);
    if (byName.bloqueeJusqua !== undefined) return refuse(byName.bloqueeJusqua, now);
    return {
      permis: true,
      reussi: async () => {
        await oublierTentatives(pool, name);
        await rendreTentative(pool, place, byPlace.jeton);
      },
      annuler: async () => {
        await rendreTentative(pool, name, byName.jeton);
        await rendreTentative(pool, place, byPlace.jeton);
      },
    };
  }

  /** Somebody signed in: from here on, failures elsewhere do not keep her out of this network. */
  async retenir(db: Queryable, userId: string, ip: string): Promise<void> {
    await retenirReseau(db, userId, this.#reseau(ip), this.#deps.maintenant());
  }

  /** An account has another name now: what was counted goes with it. */
  async renommer(id: string, ancien: string, nouveau: string): Promise<void> {
    const { accesPool: pool, coffre } = this.#deps;
    const before = await clesDuCompte(pool, coffre, { id, username: ancien });
    const after = await clesDuCompte(pool, coffre, { id, username: nouveau });
    for (const [i, key] of after.entries()) await deplacerTentatives(pool, before[i] ?? key, key);
  }

  /** Everything that is counted for an account; to be asked for while it is there. */
  async cles(compte: { readonly id: string; readonly username: string }): Promise<Buffer[]> {
    return await clesDuCompte(this.#deps.accesPool, this.#deps.coffre, compte);
  }

  /** Forgets what was counted: the account is gone, or has another password. */
  async oublier(cles: readonly Buffer[]): Promise<void> {
    await oublierTentatives(this.#deps.accesPool, ...cles);
  }

  #reseau(ip: string): Buffer {
    return this.#deps.coffre.empreinte('réseau connu', reseauLargeDe(ip));
  }

  async #balayer(now: number): Promise<void> {
    if (now - this.#balaye < BALAYAGE) return;
    this.#balaye = now;
    try {
      const oldest = now - Math.max(REGLES.compte.oubli, REGLES.adresse.oubli) * 1000;
      await balayerTentatives(this.#deps.accesPool, oldest);
      await balayerRafraichissements(this.#deps.accesPool, now);
    } catch (error) {
      // Signing in does not depend on tidying up; the next one tries again.
      this.#deps.logger.warn(
        { erreur: messageSansValeurs(error) },
        'balayage des tentatives et des connexions finies',
      );
    }
  }
}

function refuse(until: number, now: number): EssaiRefuse {
  return { permis: false, attendre: Math.max(1, Math.ceil((until - now) / 1000)) };
}
