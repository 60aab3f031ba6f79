import type { ErpConfig } from '../base/config/erp.ts';
import { AtelierError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import {
  CollecteCommandes,
  type CommandeRejetee,
  type CommandeVoletRoulant,
  type CompteursCommandes,
} from '../domain/commandes/commande.ts';
import { type Lecture, lireErp } from '../sources/erp/lecture.ts';

/** Everything that one reading of the ERP gave. */
export interface Extraction {
  /** in code-point order of (numero_commande, extension); that pair is unique */
  readonly commandes: readonly CommandeVoletRoulant[];
  readonly compteurs: Readonly<CompteursCommandes>;
  /** selected orders that cannot be stored, at most 100 */
  readonly rejets: readonly CommandeRejetee[];
  readonly lecture: Lecture;
}

/**
 * Reads the ERP and applies the rules: all orders or an error, never a part. The connection is closed before
 * this returns, so nothing that comes after can keep the ERP's transaction open.
 *
 * @throws AtelierError ATL_E401 to ATL_E408, ATL_E412 to ATL_E414; the signal's reason when it was aborted
 */
export async function extraireCommandes(
  config: ErpConfig,
  options: { readonly log: Logger; readonly signal?: AbortSignal; readonly silenceMax?: number },
): Promise<Extraction> {
  const collecte = new CollecteCommandes();
  const lecture = await lireErp(config, collecte, options);
  const commandes = assembler(collecte);
  for (const { id, motif } of collecte.rejets) {
    options.log.warn({ id, motif }, 'commande retenue mais non enregistrable');
  }
  if (lecture.lignes.entetes !== collecte.compteurs.entetes) {
    throw new AtelierError('ATL_E406', 'ERP : des lignes reçues n’ont pas été traitées');
  }
  return { commandes, compteurs: collecte.compteurs, rejets: collecte.rejets, lecture };
}

function assembler(collecte: CollecteCommandes): CommandeVoletRoulant[] {
  try {
    return collecte.resultat();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new AtelierError('ATL_E412', `ERP, assemblage des commandes : ${cause.message}`, { cause });
  }
}
