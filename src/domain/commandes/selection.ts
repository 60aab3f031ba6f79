/** Which orders are roller-shutter orders: the three rules of the contract, and the stock mark. */
import { plier, reparerPourChercher } from './texte.ts';

const NOTE = 'cde planifiee';
const STATUTS = ['planifiee', 'lancer en prod', 'vitrage'] as const;
/** The blanks count: `S P ` is a family, `SP` and a lone `S P` are not. */
const COFFRES = ['sop', 's p ', 's d ', 's q ', 's t ', 's tab ', 's tn '] as const;

/** Spares the general way for what nearly all notes look like (a note is met 100,000 times in a big ERP). */
const PLAIN_NOTE = /cde planifi[ée]e/i;

/** Rule 1: whether a log-book note says that the order is planned (accents, case and twice-encoding ignored). */
export function estNoteDePlanification(notiz: string): boolean {
  return PLAIN_NOTE.test(notiz) || contientUn(notiz, [NOTE]);
}

/** Rule 2: whether a status, as the ERP stores it, lets the order pass. */
export function estStatutRetenu(aufStatus: string): boolean {
  return contientUn(aufStatus, STATUTS);
}

/** Rule 3: whether an accessory code is a shutter box. */
export function estCoffre(zCode: string): boolean {
  const folded = plier(zCode);
  return COFFRES.some((prefix) => folded.startsWith(prefix));
}

/** Whether an operation number says that the order is managed in stock. */
export function estEnStock(nummer: string): boolean {
  return plier(nummer).includes('vr');
}

function contientUn(text: string, needles: readonly string[]): boolean {
  const folded = plier(text);
  if (needles.some((needle) => folded.includes(needle))) return true;
  const repaired = reparerPourChercher(text);
  if (repaired === text) return false;
  const foldedRepaired = plier(repaired);
  return needles.some((needle) => foldedRepaired.includes(needle));
}
