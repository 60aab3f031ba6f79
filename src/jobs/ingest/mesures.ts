import { lignesImportees, retardImport } from '../../base/metrics.ts';
import type { Centre } from './centres.ts';
import type { Lecture } from './lecture.ts';

const ISSUES = [
  ['evenement', 'lignesEvenements'],
  ['autre', 'lignesAutres'],
  ['rejetee', 'lignesRejetees'],
  ['ignoree', 'lignesIgnorees'],
] as const;
type Compte = { readonly [K in (typeof ISSUES)[number][1]]: number };

/** Counts of files that grow, by centre and path: of a longer version only what is new is counted. */
const counted = new Map<string, Compte>();
/** Files remembered; more than grow at once anywhere. */
const REMEMBERED = 5_000;

/** Counts the lines of a file that was registered, less those counted before when it only grew. */
export function mesurerLecture(centre: Centre, { fichier, contenu }: Lecture): void {
  if (!contenu) return;
  const { compte } = contenu.reading;
  const key = `${centre.nom}/${fichier.chemin}`;
  const before = counted.get(key);
  const grown = before !== undefined && ISSUES.every(([, field]) => compte[field] >= before[field]);
  for (const [outcome, field] of ISSUES) {
    lignesImportees.inc({ centre: centre.nom, outcome }, compte[field] - (grown ? before[field] : 0));
  }
  counted.delete(key);
  counted.set(key, { ...compte });
  if (counted.size > REMEMBERED) counted.delete(counted.keys().next().value!);
}

/** Notes how long the files of a batch waited for their figures (`debut`: ms of the monotonic clock). */
export function mesurerRetard(centre: Centre, debut: number): void {
  retardImport.set({ centre: centre.nom }, (performance.now() - debut) / 1000);
}
