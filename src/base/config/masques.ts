import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../errors.ts';
import { Masques, type RegleDeMasque } from '../masques/masques.ts';
import { compiler, ErreurMotif } from '../masques/motif.ts';
import type { Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

export const MASQUES_SETTINGS: readonly Setting[] = [
  {
    name: 'MASQUES',
    doc: 'Ce qui, dans une ligne de journal, désigne une personne, et ne doit être ni gardé dans la base ni montré :\nnom=motif, séparés par des points-virgules (operateur=(?i)bediener:? *([^ ]+ [^ ]+)), ou @/chemin : un fichier d’une règle\npar ligne. `npx atelier masques essayer` montre ce qui serait masqué (docs/masques.md). Les archives gardent les octets.',
    default: '',
  },
];

const NOM = /^[a-z][a-z0-9_-]{0,31}$/;
const MAX_REGLES = 200;
const MAX_FICHIER = 256 * 1024;

/**
 * Reads the rules of masking; undefined: none are set. What is wrong is said by the number and name of a rule, never by its
 * pattern, in which names may stand.
 *
 * @param text the trimmed value of a setting, or its default
 */
export function readMasques(text: Texte, problems: string[]): Masques | undefined {
  const value = text('MASQUES');
  if (value === '') return undefined;
  const before = problems.length;
  const regles = value.startsWith('@')
    ? reglesDuFichier(resolve(value.slice(1).trim()), problems)
    : lireRegles(value.split(';'), 'MASQUES, règle', problems);
  if (problems.length > before) return undefined;
  if (regles.length === 0 || regles.length > MAX_REGLES) {
    problems.push(`MASQUES : ${regles.length} règles ; attendu 1 à ${MAX_REGLES} (vide : aucun masque)`);
    return undefined;
  }
  return new Masques(regles);
}

function reglesDuFichier(chemin: string, problems: string[]): RegleDeMasque[] {
  let lines: string;
  try {
    const bytes = readFileSync(chemin);
    if (bytes.length > MAX_FICHIER) throw new Error(`plus de ${MAX_FICHIER} octets`);
    lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const why = error instanceof TypeError ? 'pas de l’UTF-8' : messageOf(error);
    problems.push(`MASQUES : lecture de ${chemin} : ${why} (un fichier d’une règle nom=motif par ligne)`);
    return [];
  }
  const comment = (line: string): string => (line.trimStart().startsWith('#') ? '' : line);
  return lireRegles(lines.split(/\r?\n/).map(comment), `MASQUES, ${chemin}, ligne`, problems);
}

/** Empty entries are passed over; the others are numbered with them. */
function lireRegles(entrees: readonly string[], ou: string, problems: string[]): RegleDeMasque[] {
  const regles: RegleDeMasque[] = [];
  for (const [index, entree] of entrees.entries()) {
    const texte = entree.trim();
    if (texte === '') continue;
    const egal = texte.indexOf('=');
    const nom = texte.slice(0, Math.max(egal, 0)).trim();
    const motif = texte.slice(egal + 1).trim();
    if (!NOM.test(nom) || motif === '') {
      problems.push(
        `${ou} ${index + 1} : attendu nom=motif (nom : a-z, 0-9, _ et -, 32 au plus, une lettre d’abord)`,
      );
      continue;
    }
    try {
      compiler(motif);
      regles.push({ nom, motif });
    } catch (error) {
      if (!(error instanceof ErreurMotif)) throw error;
      problems.push(`${ou} ${index + 1} (${nom}) : ${error.message}`);
    }
  }
  return regles;
}
