import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pourShell } from '../text.ts';
import { attention, bien, type Constat, type Controle } from './constat.ts';

/** Others may read it, or look into it. */
const OUVERT = 0o007;
/** Entries of a folder that are looked at: those of one kind were made alike. */
const ECHANTILLON = 50;

/** Archives and backups hold what machines and people wrote: for the account of atelier alone, and encrypted elsewhere. */
export const confidentiel: Controle = {
  quoi: 'Confidentialité',
  async faire({ config }) {
    const { archivesDir, sauvegarde } = config;
    return [
      ...(await checkRights('ARCHIVES_DIR', archivesDir)),
      ...(await checkRights('SAUVEGARDE_DIR', sauvegarde.dossier)),
      ...(await checkKey(
        sauvegarde.dossier,
        sauvegarde.cle !== undefined,
        config.planification.horaires.sauvegarde !== undefined,
      )),
    ];
  },
};

/** A folder that others cannot enter hides whatever rights the files in it have. */
async function checkRights(quoi: string, dir: string): Promise<Constat[]> {
  const mode = await rights(dir);
  if (mode === undefined || process.platform === 'win32' || (mode & OUVERT) === 0) return [];
  const wide: string[] = [];
  for (const entry of (await readdir(dir).catch(() => [])).slice(0, ECHANTILLON)) {
    const path = join(dir, entry);
    const own = await rights(path);
    if (own === undefined || (own & OUVERT) === 0) continue;
    const inside = (await readdir(path).catch(() => [])).slice(0, ECHANTILLON);
    const modes = await Promise.all(inside.map((name) => rights(join(path, name))));
    if (modes.length === 0 || modes.some((found) => found !== undefined && (found & OUVERT) !== 0))
      wide.push(entry);
  }
  if (wide.length === 0) return [];
  return [
    attention(
      quoi,
      `${dir} : d’autres comptes de cette machine peuvent lire ce qui y est (${wide.slice(0, 3).join(', ')}${wide.length > 3 ? '…' : ''})`,
      `chmod -R go-rwx ${pourShell(dir)} (ou o-rwx, si un groupe doit lire : recopie des sauvegardes)`,
    ),
  ];
}

async function rights(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ mode }) => mode,
    () => undefined,
  );
}

async function checkKey(dossier: string, cle: boolean, planifiee: boolean): Promise<Constat[]> {
  const there = (await readdir(dossier).catch(() => [])).some((name) => /^\d{4}-\d\d-\d\dT/.test(name));
  if (!there && !planifiee) return [];
  const quoi = 'CLE_SAUVEGARDE';
  if (cle) return [bien(quoi, 'sauvegardes chiffrées et scellées')];
  return [
    attention(
      quoi,
      `vide : les sauvegardes de ${dossier} ne sont ni chiffrées ni scellées ; qui lit ce dossier lit tout, qui y écrit peut les changer`,
      'Donnez CLE_SAUVEGARDE (`node -p "crypto.randomBytes(32).toString(\'hex\')"`), et gardez-la hors de cette machine.',
    ),
  ];
}
