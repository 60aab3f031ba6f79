/** What is wrong, from what is known: no clock, no database. Instants are seconds since the epoch. */
import type { FactoryTime } from '../../base/time.ts';
import type { Feries } from './feries.ts';
import { type Plage, tempsDeTravail } from './horaires.ts';
import { type Constat, cleDe } from './regles.ts';
import { enDuree, enInstant, enOctets, enPhrase, enPourcent } from './textes.ts';

/** Thresholds; `undefined` switches a rule off. */
export interface Reglages {
  readonly silence: {
    readonly defaut: number | undefined;
    readonly parCentre: ReadonlyMap<string, number | undefined>;
  };
  readonly horaires: {
    readonly defaut: readonly Plage[];
    readonly parCentre: ReadonlyMap<string, readonly Plage[]>;
  };
  readonly feries: Feries;
  readonly rejets: { readonly taux: number; readonly minimum: number } | undefined;
  readonly commandesAge: number | undefined;
  /** seconds that the last event of a file may lie after its reception */
  readonly horloge: number | undefined;
  readonly retard: number | undefined;
  readonly disque: { readonly part: number | undefined; readonly octets: number | undefined } | undefined;
}

/** A centre that is in use. */
export interface FaitsCentre {
  readonly nom: string;
  /** latest time stamp in its logs; null: it never wrote */
  readonly derniereLigne: number | null;
  /** when bytes of it were last read; null: never */
  readonly derniereReception: number | null;
  /** latest time stamp in the file that came last, at `derniereReception`; null: it has none */
  readonly dernierRecu: number | null;
  /** lines, and those in quarantine, of the files that came last */
  readonly lignes: number;
  readonly rejetees: number;
}

/** A task that ran, or is planned. */
export interface FaitsTache {
  readonly tache: string;
  /** how the last run that came to an end ended; null: none has */
  readonly etat: string | null;
  readonly erreur: string | null;
  /** that run was the last attempt of its job */
  readonly abandonnee: boolean;
  /** end of the first run since which none of that kind went otherwise; null also while they succeed */
  readonly depuis: number | null;
  readonly dernierSucces: number | null;
  readonly premierPassage: number | null;
  /** the oldest instant at which it should have run and did not; null: none */
  readonly attendue: number | null;
}

/** A disk as its machine sees it. */
export interface FaitsDisque {
  readonly hote: string;
  /** settings of the folders on it, for example `ARCHIVES_DIR` */
  readonly dossiers: readonly string[];
  readonly libre: number;
  readonly total: number;
}

export interface Faits {
  readonly centres: readonly FaitsCentre[];
  readonly taches: readonly FaitsTache[];
  readonly disques: readonly FaitsDisque[];
}

interface Contexte {
  readonly reglages: Reglages;
  readonly time: FactoryTime;
  readonly maintenant: number;
  /** keys of the alerts that are open: they end a little beyond where they began */
  readonly ouvertes: ReadonlySet<string>;
}

/** An open alert on quarantine ends below this share of the limit, one on a disk above that multiple of it. */
const RETOUR_REJETS = 0.8;
const RETOUR_DISQUE = 1.1;
/** What a machine sends is seconds old, or some days when it was not connected: a month (seconds) is a clock that was reset. */
const RETARD_HORLOGE = 30 * 86_400;
/** Files of the past that somebody brings are no news after this long (seconds). */
const RECENT = 2 * 86_400;

/** Everything that is wrong. */
export function evaluer(faits: Faits, ctx: Contexte): Constat[] {
  return [
    ...faits.centres.flatMap((centre) => [silence(centre, ctx), rejets(centre, ctx), horloge(centre, ctx)]),
    ...faits.taches.flatMap((tache) => [echec(tache), anciennes(tache, ctx), manquee(tache, ctx)]),
    ...faits.disques.map((disque) => court(disque, ctx)),
  ].filter((constat) => constat !== undefined);
}

/** F34: nothing new for longer than set, of the hours in which somebody works. */
function silence(centre: FaitsCentre, { reglages, time, maintenant }: Contexte): Constat | undefined {
  const { nom, derniereLigne, derniereReception } = centre;
  const { parCentre, defaut } = reglages.silence;
  const limite = parCentre.has(nom) ? parCentre.get(nom) : defaut;
  if (limite === undefined || derniereLigne === null || derniereReception === null) return undefined;
  // A machine whose clock is years ahead, or behind, is heard by what arrives of it.
  const signe = Math.max(
    derniereLigne > maintenant ? 0 : derniereLigne,
    Math.min(derniereReception, maintenant),
  );
  const plages = reglages.horaires.parCentre.get(nom) ?? reglages.horaires.defaut;
  const travail = { de: signe, a: maintenant };
  if (tempsDeTravail(plages, reglages.feries, time, { ...travail, assez: limite }) < limite) return undefined;
  return {
    regle: 'machine_silencieuse',
    objet: nom,
    message: `${nom} ne donne plus signe depuis le ${enInstant(time, signe)} : plus de ${enDuree(limite)} de ses heures de travail.`,
    details: {
      derniere_ligne: time.format(Math.floor(derniereLigne)),
      derniere_reception: time.format(Math.floor(derniereReception)),
      limite_secondes: limite,
    },
    depuis: signe,
  };
}

function rejets(centre: FaitsCentre, { reglages, ouvertes }: Contexte): Constat | undefined {
  const { nom, lignes, rejetees } = centre;
  if (!reglages.rejets || lignes === 0) return undefined;
  const { taux, minimum } = reglages.rejets;
  const regle = 'lignes_rejetees';
  const limite = ouvertes.has(cleDe({ regle, objet: nom })) ? taux * RETOUR_REJETS : taux;
  if (rejetees < minimum || rejetees / lignes < limite) return undefined;
  const part = enPourcent(rejetees / lignes);
  return {
    regle,
    objet: nom,
    message: `${nom} : ${rejetees} lignes sur ${lignes} des derniers fichiers reçus sont en quarantaine (${part}).`,
    details: { lignes, rejetees, taux_limite: taux },
    depuis: undefined,
  };
}

/** F25: what has just come is dated later than now, or of long ago. */
function horloge(centre: FaitsCentre, { reglages, time, maintenant }: Contexte): Constat | undefined {
  const { nom, dernierRecu, derniereReception } = centre;
  if (reglages.horloge === undefined || dernierRecu === null || derniereReception === null) return undefined;
  const avance = dernierRecu - derniereReception;
  const recent = Math.abs(maintenant - derniereReception) < RECENT;
  if (avance <= reglages.horloge && !(recent && -avance > RETARD_HORLOGE)) return undefined;
  const sens = avance > 0 ? 'en avance' : 'en retard';
  return {
    regle: 'horloge_machine',
    objet: nom,
    message: `L’horloge de ${nom} est ${sens} de ${enDuree(Math.abs(Math.round(avance)))} : ce qui est arrivé le ${enInstant(time, derniereReception)} est daté du ${enInstant(time, dernierRecu)}.`,
    details: {
      dernier_evenement: time.format(Math.floor(dernierRecu)),
      derniere_reception: time.format(Math.floor(derniereReception)),
      limite_secondes: reglages.horloge,
    },
    depuis: undefined,
  };
}

/** The last run failed, and so did those before it since `depuis`. */
function echec({ tache, etat, erreur, abandonnee, depuis, dernierSucces }: FaitsTache): Constat | undefined {
  const regle = regleDEchec(tache, etat);
  if (!regle) return undefined;
  const quoi = {
    import_echoue: 'L’import des journaux a échoué',
    import_partiel: 'L’import n’a pas pu tout prendre',
    synchronisation_echouee: 'La synchronisation des commandes a échoué ; la liste reste celle d’avant',
    tache_echouee: `La tâche ${tache} a échoué`,
  }[regle];
  return {
    regle,
    objet: tache,
    message: erreur ? `${quoi} : ${enPhrase(erreur)}` : `${quoi}.`,
    details: {
      abandonnee,
      dernier_succes: dernierSucces === null ? null : new Date(dernierSucces * 1000).toISOString(),
    },
    depuis: depuis ?? undefined,
    definitif: abandonnee,
  };
}

function regleDEchec(tache: string, etat: string | null) {
  if (etat === 'partielle' && tache === 'ingest') return 'import_partiel';
  if (etat !== 'echouee') return undefined;
  if (tache === 'ingest') return 'import_echoue';
  return tache === 'sync' ? 'synchronisation_echouee' : 'tache_echouee';
}

/** F52: old orders are served, and said to be old. */
function anciennes(faits: FaitsTache, { reglages, time, maintenant }: Contexte): Constat | undefined {
  const { tache, dernierSucces, premierPassage } = faits;
  const depuis = dernierSucces ?? premierPassage;
  if (tache !== 'sync' || reglages.commandesAge === undefined || depuis === null) return undefined;
  if (maintenant - depuis < reglages.commandesAge) return undefined;
  const quand = enInstant(time, depuis);
  return {
    regle: 'commandes_anciennes',
    objet: tache,
    message:
      dernierSucces === null
        ? `Les commandes n’ont jamais été synchronisées ; premier essai le ${quand}.`
        : `Les commandes datent du ${quand} : aucune synchronisation n’a réussi depuis.`,
    details: { limite_secondes: reglages.commandesAge },
    depuis,
  };
}

function manquee(
  { tache, attendue }: FaitsTache,
  { reglages, time, maintenant }: Contexte,
): Constat | undefined {
  if (reglages.retard === undefined || attendue === null) return undefined;
  if (maintenant - attendue < reglages.retard) return undefined;
  return {
    regle: 'tache_manquee',
    objet: tache,
    message: `La tâche ${tache}, prévue le ${enInstant(time, attendue)}, n’est pas passée.`,
    details: { echeance: time.format(Math.floor(attendue)), limite_secondes: reglages.retard },
    depuis: attendue,
  };
}

function court(disque: FaitsDisque, { reglages, ouvertes }: Contexte): Constat | undefined {
  const { hote, dossiers, libre, total } = disque;
  if (!reglages.disque || total === 0) return undefined;
  const { part = 1, octets = Number.POSITIVE_INFINITY } = reglages.disque;
  const seuil = Math.min(part * total, octets);
  const regle = 'disque_court';
  const objet = `${hote} ${dossiers[0]}`;
  if (libre >= (ouvertes.has(cleDe({ regle, objet })) ? seuil * RETOUR_DISQUE : seuil)) return undefined;
  return {
    regle,
    objet,
    message: `Sur ${hote}, le disque de ${dossiers.join(', ')} n’a plus que ${enOctets(libre)} libres (${enPourcent(libre / total)}).`,
    details: { hote, dossiers, octets_libres: libre, octets_total: total, octets_limite: Math.round(seuil) },
    depuis: undefined,
  };
}
