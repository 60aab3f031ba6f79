import { preferredPath } from '../domain/journal/versions.ts';
import type { CheminDeVersion } from '../postgres/lecture/fichiers.ts';
import { Probleme } from './problemes.ts';

/** The paths that hold a version, and of these the one to name (docs/regles-journaux.md, rule 17). */
export function lieuDe(fichiers: readonly CheminDeVersion[]): {
  fichier_id: number | null;
  chemin: string | null;
  chemins: string[];
} {
  const chemins = fichiers.map((fichier) => fichier.chemin);
  const chemin = preferredPath(chemins) ?? null;
  return {
    fichier_id: fichiers.find((fichier) => fichier.chemin === chemin)?.id ?? null,
    chemin,
    chemins,
  };
}

/** The archive does not give the bytes of a version: the client learns which, the server's log why. */
export function archiveMuette(sha256: string, chemin: string | null, cause: unknown): Probleme {
  const nom = chemin === null ? '' : ` (${chemin})`;
  return new Probleme(
    503,
    `L’archive ne rend pas les octets de la version ${sha256}${nom} : elle manque, est illisible ou abîmée. Prévenez l’administrateur (npx atelier doctor) ou réessayez plus tard.`,
    { headers: { 'retry-after': '60' }, cause },
  );
}

/** The bytes of a version were erased when their retention period was over: that is as it should be. */
export function archivePurgee(sha256: string, chemin: string | null, le: string, ligne?: number): Probleme {
  const ou = [chemin, ligne === undefined ? null : `ligne ${ligne}`]
    .filter((part) => part !== null)
    .join(', ');
  return new Probleme(
    410,
    `Les octets de la version ${sha256}${ou === '' ? '' : ` (${ou})`} ont été effacés le ${le} : leur durée de conservation est passée. Les chiffres restent.`,
  );
}
