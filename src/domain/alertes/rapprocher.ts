/** What is wrong now, beside what was noted: which alerts begin, last, end. Instants are seconds since the epoch. */
import { type Constat, cleDe, definitionDe, type Gravite, REGLES, type Regle } from './regles.ts';

/** An alert that is open. */
export interface Ouverte {
  readonly id: number;
  readonly regle: string;
  readonly objet: string;
  readonly derniereVue: number;
  readonly dernierAvis: number;
  readonly acquittee: boolean;
}

/** Something that is wrong, but not for long enough to be an alert. */
export interface Attente {
  readonly regle: string;
  readonly objet: string;
  readonly premiereVue: number;
}

/** An alert that begins. */
export interface Nouvelle {
  readonly constat: Constat;
  readonly gravite: Gravite;
  readonly debut: number;
}

export interface Suites {
  readonly ouvrir: readonly Nouvelle[];
  readonly revoir: readonly { readonly id: number; readonly constat: Constat }[];
  readonly rappeler: readonly number[];
  readonly resoudre: readonly number[];
  /** to be noted as seen for the first time, and to be forgotten */
  readonly attendre: readonly Constat[];
  readonly oublier: readonly Attente[];
}

/** An alert of a machine that has not looked at itself for this long ends: nobody can say any more that it lasts. */
const DISPARUE = 86_400;

/**
 * @param etat `rappel`: seconds after which an alert that nobody took on is told again, undefined: never; `vu`: whether this
 * look would have seen what an alert is about (disks are seen from their own machine alone)
 */
export function rapprocher(
  constats: readonly Constat[],
  etat: {
    readonly ouvertes: readonly Ouverte[];
    readonly attentes: readonly Attente[];
    readonly maintenant: number;
    readonly rappel: number | undefined;
    readonly vu: (regle: Regle, objet: string) => boolean;
  },
): Suites {
  const { maintenant, rappel } = etat;
  const ouvertes = new Map(etat.ouvertes.map((alerte) => [cleDe(alerte), alerte]));
  const attentes = new Map(etat.attentes.map((attente) => [cleDe(attente), attente]));
  const faux = new Set(constats.map(cleDe));
  const suites = { ouvrir: [], revoir: [], rappeler: [], resoudre: [], attendre: [] } as {
    ouvrir: Nouvelle[];
    revoir: { id: number; constat: Constat }[];
    rappeler: number[];
    resoudre: number[];
    attendre: Constat[];
  };
  for (const constat of constats) {
    const ouverte = ouvertes.get(cleDe(constat));
    const attente = attentes.get(cleDe(constat));
    if (ouverte) {
      suites.revoir.push({ id: ouverte.id, constat });
      const due = rappel !== undefined && maintenant - ouverte.dernierAvis >= rappel;
      if (due && !ouverte.acquittee) suites.rappeler.push(ouverte.id);
      continue;
    }
    const debut = Math.min(constat.depuis ?? attente?.premiereVue ?? maintenant, maintenant);
    const { apres, gravite } = definitionDe(constat.regle);
    if (constat.definitif || maintenant - debut >= apres) suites.ouvrir.push({ constat, gravite, debut });
    else if (!attente) suites.attendre.push(constat);
  }
  for (const alerte of etat.ouvertes) {
    const { regle, objet, derniereVue } = alerte;
    // A newer version of the program may know rules that this one does not.
    if (faux.has(cleDe(alerte)) || !estRegle(regle)) continue;
    const absente = maintenant - derniereVue;
    if (etat.vu(regle, objet) ? absente >= definitionDe(regle).calme : absente >= DISPARUE) {
      suites.resoudre.push(alerte.id);
    }
  }
  const ouvrir = new Set(suites.ouvrir.map(({ constat }) => cleDe(constat)));
  const oublier = etat.attentes.filter((attente) => {
    const { regle, objet, premiereVue } = attente;
    if (ouvrir.has(cleDe(attente))) return true;
    if (faux.has(cleDe(attente)) || !estRegle(regle)) return false;
    return etat.vu(regle, objet) || maintenant - premiereVue >= DISPARUE;
  });
  return { ...suites, oublier };
}

function estRegle(nom: string): nom is Regle {
  return Object.hasOwn(REGLES, nom);
}
