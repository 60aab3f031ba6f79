import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { synchroniserDossier } from './sauvegarde/fichiers.ts';

/**
 * Adds lines to the end of a file, made when it is not there; they and its name are on the disk when this returns. An
 * empty line goes first: it ends what a crash or a full disk left half-written.
 *
 * @param lignes whole lines, each with its line feed
 * @throws the file system's error
 */
export async function ajouterLignes(dossier: string, nom: string, lignes: string): Promise<void> {
  await mkdir(dossier, { recursive: true, mode: 0o700 });
  const file = await open(join(dossier, nom), 'a', 0o600);
  try {
    await file.appendFile(`\n${lignes}`);
    await file.sync();
  } finally {
    await file.close();
  }
  await synchroniserDossier(dossier);
}
