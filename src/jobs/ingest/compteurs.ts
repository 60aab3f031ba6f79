import type { Raison } from '../../domain/journal/events.ts';
import type { ContenuLu } from './analyse.ts';
import type { Recalcul } from './recalcul.ts';

/** What an import did; kept with its run, printed at its end. */
export interface Compteurs {
  fichiersVus: number;
  fichiersInchanges: number;
  fichiersLus: number;
  /** read, and their bytes were known */
  fichiersDejaConnus: number;
  fichiersIllisibles: number;
  /** archived, but put aside: too many events for one day */
  fichiersEcartes: number;
  octetsLus: number;
  lignesLues: number;
  lignesRejetees: number;
  lignesIgnorees: number;
  rejetsParRaison: Partial<Record<Raison, number>>;
  sessionsCreees: number;
  sessionsModifiees: number;
  sessionsInchangees: number;
  sessionsSupprimees: number;
  /** concerned by what was read, but purged in part: left as they are */
  journeesGelees: number;
  /** what was passed over on purpose (a link, a file outside of a centre's folder): path and reason */
  nonLus: readonly string[];
  /** what was put aside besides files (a centre, a day), so that the rest could go on: one sentence each */
  misDeCote: readonly string[];
}

/** Whether something is left to be done that the next import tries again. */
export function estPartiel({ fichiersIllisibles, misDeCote }: Compteurs): boolean {
  return fichiersIllisibles > 0 || misDeCote.length > 0;
}

export function nouveauxCompteurs(): Compteurs {
  return {
    fichiersVus: 0,
    fichiersInchanges: 0,
    fichiersLus: 0,
    fichiersDejaConnus: 0,
    fichiersIllisibles: 0,
    fichiersEcartes: 0,
    octetsLus: 0,
    lignesLues: 0,
    lignesRejetees: 0,
    lignesIgnorees: 0,
    rejetsParRaison: {},
    sessionsCreees: 0,
    sessionsModifiees: 0,
    sessionsInchangees: 0,
    sessionsSupprimees: 0,
    journeesGelees: 0,
    nonLus: [],
    misDeCote: [],
  };
}

/** Counts a file that was read; without a content its bytes were known. */
export function compterLecture(compteurs: Compteurs, contenu: ContenuLu | undefined): void {
  compteurs.fichiersLus++;
  if (!contenu) {
    compteurs.fichiersDejaConnus++;
    return;
  }
  const { lignes, lignesRejetees, lignesIgnorees } = contenu.reading.compte;
  compteurs.lignesLues += lignes;
  compteurs.lignesRejetees += lignesRejetees;
  compteurs.lignesIgnorees += lignesIgnorees;
  for (const [raison, nombre] of contenu.rejetsParRaison) {
    compteurs.rejetsParRaison[raison] = (compteurs.rejetsParRaison[raison] ?? 0) + nombre;
  }
}

/** Counts days that were recomputed. */
export function compterRecalcul(compteurs: Compteurs, recalcul: Recalcul): void {
  compteurs.sessionsCreees += recalcul.creees;
  compteurs.sessionsModifiees += recalcul.modifiees;
  compteurs.sessionsInchangees += recalcul.inchangees;
  compteurs.sessionsSupprimees += recalcul.supprimees;
  compteurs.journeesGelees += recalcul.gelees;
}
