/** Figures as people read them, French. */
import type { FactoryTime } from '../../base/time.ts';

/** `28/05/2025 à 11:42`, in the factory's zone. */
export function enInstant(time: FactoryTime, instant: number): string {
  const [, annee, mois, jour, heure] =
    /^(\d+)-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(time.format(Math.floor(instant))) ?? [];
  return `${jour}/${mois}/${annee} à ${heure}`;
}

/** `45 min`, `2 h 05`, `3 j 4 h`. */
export function enDuree(secondes: number): string {
  const minutes = Math.max(0, Math.floor(secondes / 60));
  if (minutes < 60) return `${minutes} min`;
  const heures = Math.floor(minutes / 60);
  if (heures < 48) return `${heures} h ${String(minutes % 60).padStart(2, '0')}`;
  return `${Math.floor(heures / 24)} j ${heures % 24} h`;
}

/** `1,5 %`; one decimal below ten. */
export function enPourcent(part: number): string {
  const pourcent = part * 100;
  return `${pourcent.toFixed(pourcent < 10 ? 1 : 0).replace('.', ',')} %`;
}

/** `4,2 Go`. */
export function enOctets(octets: number): string {
  const unites = ['ko', 'Mo', 'Go', 'To'];
  let valeur = octets / 1000;
  let rang = 0;
  while (valeur >= 999.5 && rang < unites.length - 1) {
    valeur /= 1000;
    rang++;
  }
  return `${valeur.toFixed(valeur < 10 ? 1 : 0).replace('.', ',')} ${unites[rang]}`;
}

/** On one line, not longer than a sentence, and in the order in which it is written, whatever names stand in it. */
export function enPhrase(texte: string, max = 300): string {
  const ligne = texte.replaceAll(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
  return ligne.length <= max ? ligne : `${ligne.slice(0, max - 1).toWellFormed()}…`;
}
