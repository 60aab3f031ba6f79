import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ouvrirArchives } from '../../archives/archive.ts';
import type { Config } from '../../base/config.ts';
import { compterFormes } from '../../jobs/formes-archives.ts';
import { pourShell } from '../text.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

const MAKE_KEY = `node -p "crypto.randomBytes(32).toString('hex')"`;
/** Others may read it, or look into it. */
const OUVERT = 0o007;
/** Entries of a folder that are looked at: those of one kind were made alike. */
const ECHANTILLON = 50;

/** Archives and backups hold what machines and people wrote: for the account of atelier alone, and encrypted elsewhere. */
export const confidentiel: Controle = {
  quoi: 'Confidentialité',
  async faire({ config }) {
    const { archivesDir, sauvegarde, masques } = config;
    return [
      checkMasques(masques),
      ...(await checkRights('ARCHIVES_DIR', archivesDir)),
      ...(await checkRights('SAUVEGARDE_DIR', sauvegarde.dossier)),
      ...(await checkForms(config)),
      ...(await checkKey(
        sauvegarde.dossier,
        sauvegarde.cle !== undefined,
        config.planification.horaires.sauvegarde !== undefined,
      )),
    ];
  },
};

/** Names in lines of logs: what is stored of them is shown to every reader. */
function checkMasques(masques: Config['masques']): Constat {
  const quoi = 'MASQUES';
  if (masques) return bien(quoi, `${masques.noms.join(', ')} : masqués avant d’être gardés ou montrés`);
  return bien(
    quoi,
    'vide : si des noms d’opérateurs sont écrits dans les journaux, ils sont gardés et montrés (npx atelier masques essayer)',
  );
}

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

/** Archives lie in the form that the settings say, and their keys are at hand. */
async function checkForms(config: Config): Promise<Constat[]> {
  const quoi = 'CLE_ARCHIVES';
  const archive = ouvrirArchives(config);
  const { courante, ids } = archive.cles;
  const { enClair, chiffrees } = await compterFormes(archive);
  const entries = Object.entries(chiffrees);
  const lost = entries.filter(([id]) => !ids.includes(id));
  if (lost.length > 0) {
    const which = lost.map(([id, nombre]) => `${nombre} avec la clé ${id}`).join(', ');
    return [
      mal(
        quoi,
        `archives dont la clé n’est pas donnée : ${which}`,
        'Donnez-la dans CLE_ARCHIVES ou CLE_ARCHIVES_PRECEDENTE : sans elle ces journaux ne se relisent plus.',
      ),
    ];
  }
  const others = enClair + entries.reduce((sum, [id, nombre]) => sum + (id === courante ? 0 : nombre), 0);
  if (courante !== undefined) {
    if (others === 0) return [bien(quoi, 'archives chiffrées')];
    const plain = `${enClair} archives en clair, ${others - enClair} sous une ancienne clé`;
    return [attention(quoi, plain, '`npx atelier archives chiffrer` les chiffre avec CLE_ARCHIVES.')];
  }
  if (entries.length === 0 && (config.masques === undefined || enClair === 0)) return [];
  if (entries.length === 0) {
    const what = `vide : ${enClair} archives en clair gardent les noms que MASQUES cache ailleurs`;
    const remede = `Chiffrez le disque, ou donnez CLE_ARCHIVES (${MAKE_KEY}) puis \`npx atelier archives chiffrer\`.`;
    return [attention(quoi, what, remede)];
  }
  return [
    attention(
      quoi,
      `vide, et ${others - enClair} archives sont chiffrées : les nouvelles sont en clair`,
      'Remettez la clé dans CLE_ARCHIVES, ou mettez tout en clair : `npx atelier archives dechiffrer`.',
    ),
  ];
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
