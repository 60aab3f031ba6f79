import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf } from '../../base/errors.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** Node 26, whose features the program is written in (types, Temporal, import of JSON). */
const OLDEST_NODE = 26;

/** The program that runs this, the factory's zone, and who may read the settings. */
export const systeme: Controle = {
  quoi: 'Système',
  async faire({ config }) {
    return [checkNode(process.version), checkZone(config), ...(await checkEnv('.env'))];
  },
};

/** @param version as `process.version` has it */
export function checkNode(version: string): Constat {
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  return major >= OLDEST_NODE
    ? bien('Node', version)
    : mal(
        'Node',
        version,
        `Il faut Node ${OLDEST_NODE} ou plus récent : \`npm ci\` l’apporte, \`npx atelier\` l’emploie.`,
      );
}

function checkZone({ fuseau, journeeDebut }: { fuseau: string; journeeDebut: number }): Constat {
  const system = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const start = new Date(journeeDebut * 1000).toISOString().slice(11, 16);
  // Nothing depends on the system's zone; said because whoever reads its clock beside ours wonders.
  const other = system === fuseau ? '' : ` (celui du système, ${system}, ne compte pas)`;
  return bien('Fuseau', `${fuseau}, journée à partir de ${start}${other}`);
}

/** `.env` holds keys and passwords: nobody else may read it. */
async function checkEnv(file: string): Promise<Constat[]> {
  try {
    const { mode } = await stat(file);
    const rights = (mode & 0o777).toString(8);
    if ((mode & 0o077) === 0) return [bien('.env', `droits ${rights}`)];
    return [
      attention(
        '.env',
        `droits ${rights} : d’autres comptes de cette machine peuvent lire ses secrets`,
        `chmod 600 ${resolve(file)}`,
      ),
    ];
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
