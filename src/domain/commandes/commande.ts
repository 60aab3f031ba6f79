import { isDate } from '../../base/time.ts';
import { comparerCommandes, parPointsDeCode } from './ordre.ts';
import { estCoffre, estEnStock, estNoteDePlanification, estStatutRetenu } from './selection.ts';
import { reparer, sansNul } from './texte.ts';

/** One roller-shutter order, as it is stored. */
export interface CommandeVoletRoulant {
  readonly numero_commande: string;
  readonly extension: string;
  readonly status: string;
  /** `YYYY-MM-DD` */
  readonly date_modification: string;
  /** the first of `coffres` */
  readonly coffre: string;
  /** distinct, in code-point order, never empty */
  readonly coffres: string[];
  readonly gestion_en_stock: 0 | 1;
}

/** An order that all three rules select but that cannot be stored. */
export interface CommandeRejetee {
  /** key of the header in the ERP */
  readonly id: string;
  readonly motif: 'numero_absent' | 'date_invalide' | 'valeur_trop_longue';
}

/** What was met on the way; every header read is in exactly one of the last five. */
export interface CompteursCommandes {
  /** headers, accessories, notes and operations that the source gave (it filters broadly) */
  entetes: number;
  accessoires: number;
  notes: number;
  operations: number;
  /** statuses that were stored twice-encoded */
  statuts_repares: number;
  /** child rows whose header is not there or was not kept */
  enfants_ignores: number;
  /** rule 2, 3, 1 said no */
  sans_statut: number;
  sans_coffre: number;
  sans_note: number;
  rejetees: number;
  /** headers that gave way to another with the same number and extension */
  doublons: number;
  commandes: number;
}

interface Entete {
  readonly id: string;
  /** empty when the ERP gives none */
  readonly numero: string;
  readonly extension: string;
  readonly status: string;
  readonly repare: boolean;
  coffres: string[];
  /** latest valid date of a matching note, empty: none so far */
  date: string;
  note: boolean;
  stock: 0 | 1;
}

/** Shared by the headers that have no box yet: most of them never get one. */
const AUCUN: string[] = [];

/** How many distinct texts a cache keeps: a status or a code is one of a few dozen, unless an ERP is odd. */
const CACHE_LIMIT = 5000;

/**
 * Collects what the source reads and applies the rules. Rows come in the order headers, accessories, notes,
 * operations: so each step only keeps what the ones before it let pass, and memory follows the number of
 * orders that qualify, not the size of the ERP.
 */
export class CollecteCommandes {
  readonly compteurs: CompteursCommandes = {
    entetes: 0,
    accessoires: 0,
    notes: 0,
    operations: 0,
    statuts_repares: 0,
    enfants_ignores: 0,
    sans_statut: 0,
    sans_coffre: 0,
    sans_note: 0,
    rejetees: 0,
    doublons: 0,
    commandes: 0,
  };
  /** orders that could not be stored, at most the first 100 */
  readonly rejets: CommandeRejetee[] = [];
  readonly #entetes = new Map<string, Entete>();
  #derniereCle: string | null | undefined;
  #dernier: Entete | undefined;
  readonly #statuts = new Map<string, { retenu: boolean; texte: string; repare: boolean }>();
  readonly #coffres = new Map<string, string | undefined>();

  /**
   * One row of A_Kopf.
   *
   * @param cle the same text exactly for keys that the ERP takes for equal; it is the ERP that compares
   * @param id the key as a person knows it
   * @throws RangeError when the key was given before: a source without a unique key cannot be trusted
   */
  entete(
    cle: string,
    id: string,
    auNummer: string | null,
    auAlpha: string | null,
    aufStatus: string | null,
  ): void {
    this.compteurs.entetes++;
    const statut = this.#statut(aufStatus ?? '');
    if (!statut.retenu) {
      this.compteurs.sans_statut++;
      return;
    }
    if (this.#entetes.has(cle)) throw new RangeError(`A_Kopf.ID « ${id} » apparaît deux fois`);
    this.#entetes.set(cle, {
      id,
      numero: numeroDe(sansNul(auNummer ?? '')),
      extension: sansNul(auAlpha ?? ''),
      status: statut.texte,
      repare: statut.repare,
      coffres: AUCUN,
      date: '',
      note: false,
      stock: 0,
    });
  }

  /** One row of P_Zubeh. */
  accessoire(cleKopf: string | null, zCode: string | null): void {
    this.compteurs.accessoires++;
    const code = zCode === null ? undefined : this.#coffre(zCode);
    if (code === undefined) return;
    const entete = this.#trouver(cleKopf);
    if (entete?.coffres === AUCUN) entete.coffres = [code];
    else if (entete && !entete.coffres.includes(code)) entete.coffres.push(code);
  }

  /** One row of A_Logbuch; `datum` is `YYYY-MM-DD…` or what the ERP has instead of a date. */
  note(cleKopf: string | null, datum: string | null, notiz: string | null): void {
    this.compteurs.notes++;
    const entete = this.#trouver(cleKopf);
    if (!entete || entete.coffres.length === 0) return;
    // A note that cannot change anything is not worth the reading of its date and text.
    if (entete.note && (datum === null || datum.slice(0, 10) <= entete.date)) return;
    const jour = jourDe(datum);
    if (notiz === null || !estNoteDePlanification(notiz)) return;
    entete.note = true;
    if (jour > entete.date) entete.date = jour;
  }

  /** One row of A_Vorgang. */
  operation(cleKopf: string | null, nummer: string | null): void {
    this.compteurs.operations++;
    const entete = this.#trouver(cleKopf);
    if (entete && entete.stock === 0 && nummer !== null && estEnStock(nummer)) entete.stock = 1;
  }

  /**
   * The orders, in code-point order of (number, extension), once all rows were given.
   *
   * @throws RangeError naming the order, when a selected one has a number that is not whole
   */
  resultat(): CommandeVoletRoulant[] {
    const { compteurs } = this;
    const best = new Map<string, Entete>();
    for (const entete of this.#entetes.values()) {
      if (entete.coffres.length === 0) compteurs.sans_coffre++;
      else if (!entete.note) compteurs.sans_note++;
      else if (entete.numero === '') this.#rejeter(entete.id, 'numero_absent');
      else if (FRACTION.test(entete.numero)) {
        throw new RangeError(
          `A_Kopf.AuNummer « ${entete.numero} » de la commande d’ID « ${entete.id} » n’est pas un nombre entier`,
        );
      } else if (entete.date === '') this.#rejeter(entete.id, 'date_invalide');
      else if (tropLong(entete)) this.#rejeter(entete.id, 'valeur_trop_longue');
      else {
        const key = `${entete.numero}\0${entete.extension}`;
        const other = best.get(key);
        if (other) compteurs.doublons++;
        if (!other || prime(entete, other)) best.set(key, entete);
      }
    }
    const rows = [...best.values()].map(enCommande).sort(comparerCommandes);
    compteurs.statuts_repares = [...best.values()].filter((entete) => entete.repare).length;
    compteurs.commandes = rows.length;
    return rows;
  }

  #trouver(cleKopf: string | null): Entete | undefined {
    // Rows of one order often follow each other, and looking a key up is the dearest step of a big read.
    if (cleKopf !== this.#derniereCle) {
      this.#derniereCle = cleKopf;
      this.#dernier = cleKopf === null ? undefined : this.#entetes.get(cleKopf);
    }
    if (!this.#dernier) this.compteurs.enfants_ignores++;
    return this.#dernier;
  }

  #rejeter(id: string, motif: CommandeRejetee['motif']): void {
    this.compteurs.rejetees++;
    if (this.rejets.length < 100) this.rejets.push({ id, motif });
  }

  #statut(aufStatus: string): { retenu: boolean; texte: string; repare: boolean } {
    const known = this.#statuts.get(aufStatus);
    if (known) return known;
    if (this.#statuts.size >= CACHE_LIMIT) this.#statuts.clear();
    const repaired = reparer(aufStatus);
    const statut = {
      retenu: estStatutRetenu(aufStatus),
      texte: sansNul(repaired).trim(),
      repare: repaired !== aufStatus,
    };
    this.#statuts.set(aufStatus, statut);
    return statut;
  }

  #coffre(zCode: string): string | undefined {
    if (this.#coffres.has(zCode)) return this.#coffres.get(zCode);
    if (this.#coffres.size >= CACHE_LIMIT) this.#coffres.clear();
    const code = estCoffre(zCode) ? sansNul(zCode) : undefined;
    this.#coffres.set(zCode, code);
    return code;
  }
}

/**
 * The number as its value, whatever the type of its column shows beside it (`0000005001`, `5001.00`): `5001`. What is
 * no number (`A-12`, in a text column) stays as it is, and so does a fraction that is not zero, which `resultat` refuses.
 */
function numeroDe(auNummer: string): string {
  const text = auNummer.trim();
  const match = /^([+-]?)0*(\d+?)(?:\.0*)?$/.exec(text);
  if (!match) return text;
  return match[1] === '-' && match[2] !== '0' ? `-${match[2]}` : match[2]!;
}

/** A number that is not whole. */
const FRACTION = /^[+-]?\d*\.\d+$/;

/** The day of a date-time, or empty text when it is no date (`0000-00-00`, `2025-02-30`, NULL). */
function jourDe(datum: string | null): string {
  const match = datum === null ? null : /^(\d{4})-(\d\d)-(\d\d)/.exec(datum);
  return match && isDate(Number(match[1]), Number(match[2]), Number(match[3])) ? match[0] : '';
}

/** Longest number, extension and status that are stored, in UTF-16 units: what the indexes hold, many times what the ERP has. */
const LONGUEURS = { numero: 200, extension: 200, status: 500 } as const;

/** One order that the database would refuse must not keep all others from being stored. */
function tropLong({ numero, extension, status }: Entete): boolean {
  return (
    numero.length > LONGUEURS.numero ||
    extension.length > LONGUEURS.extension ||
    status.length > LONGUEURS.status
  );
}

/** Which header wins a number and extension: in stock, then the later date, then the smaller key. */
function prime(a: Entete, b: Entete): boolean {
  if (a.stock !== b.stock) return a.stock > b.stock;
  if (a.date !== b.date) return a.date > b.date;
  return parPointsDeCode(a.id, b.id) < 0;
}

function enCommande(entete: Entete): CommandeVoletRoulant {
  const coffres = entete.coffres.sort(parPointsDeCode);
  return {
    numero_commande: entete.numero,
    extension: entete.extension,
    status: entete.status,
    date_modification: entete.date,
    coffre: coffres[0]!,
    coffres,
    gestion_en_stock: entete.stock,
  };
}
