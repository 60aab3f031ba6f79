import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SETTINGS } from '../../base/config/settings.ts';
import { readEnvFile } from '../../base/config.ts';
import { codeOf } from '../../base/errors.ts';
import { pourShell } from '../text.ts';
import { ouvertAuxAutres } from './acces.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** Node 26, whose features the program is written in (types, Temporal, import of JSON). */
const OLDEST_NODE = 26;

/** The program that runs this, the factory's zone, and who may read the settings. */
export const systeme: Controle = {
  quoi: 'Système',
  async faire({ config }) {
    return [
      checkNode(process.version),
      checkZone(config),
      ...checkTypes(config.centres),
      ...(await checkEnv('.env')),
      ...checkNames(readEnvFile('.env')),
    ];
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
    const found = await stat(file);
    const rights = (found.mode & 0o777).toString(8);
    if (!ouvertAuxAutres(found)) return [bien('.env', `droits ${rights}`)];
    return [
      attention(
        '.env',
        `droits ${rights} : d’autres comptes de cette machine peuvent lire ses secrets`,
        `chmod 600 ${pourShell(resolve(file))}`,
      ),
    ];
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Types that figures are asked for by; others are free to be, unless they look like one of these misspelt. */
const TYPES = ['PVC', 'ALU', 'HYBRIDE'];

/** @param centres as CENTRES gives them */
export function checkTypes(centres: readonly { readonly nom: string; readonly type: string }[]): Constat[] {
  const strange = centres.flatMap(({ nom, type }) => {
    const meant = TYPES.find((one) => one !== type && steps(type.toUpperCase(), one) <= 2);
    return meant === undefined || TYPES.includes(type)
      ? []
      : [`${nom} est « ${type} » (serait-ce ${meant} ?)`];
  });
  if (strange.length === 0) return [];
  return [
    attention(
      'CENTRES',
      strange.join(', '),
      `Les types d’usage sont ${TYPES.join(', ')} ; corrigez CENTRES.`,
    ),
  ];
}

/** Settings of others that are rightly in the same file: compose, its tools, the runtime, libpq. */
const OTHERS =
  /^(COMPOSE_|DOCKER_|BUILDKIT_|NODE_|NPM_|PG[A-Z]|LC_|(TZ|LANG|LANGUAGE|PATH|HOME|MALLOC_ARENA_MAX|NO_COLOR)$|(HTTPS?|NO)_PROXY$)/i;

/**
 * Names in `.env` that no setting has: a misspelt one is passed over in silence, and its default counts.
 *
 * @param env what the file says
 */
export function checkNames(env: Readonly<Record<string, unknown>>): Constat[] {
  const known = SETTINGS.map(({ name }) => name);
  const strange = Object.keys(env).filter((name) => !known.includes(name) && !OTHERS.test(name));
  if (strange.length === 0) return [];
  const said = strange.map((name) => {
    const meant = known
      .map((one) => ({ one, steps: steps(name.toUpperCase(), one) }))
      .sort((a, b) => a.steps - b.steps)[0]!;
    return meant.steps <= 3 ? `${name} (serait-ce ${meant.one} ?)` : name;
  });
  return [
    attention(
      'Réglages',
      `.env donne ce qu’atelier ne connaît pas, et ne lit donc pas : ${said.join(', ')}`,
      'Corrigez le nom, ou ôtez la ligne ; .env_exemple les a tous.',
    ),
  ];
}

/** How many letters must be changed, added or taken away to make `b` of `a`. */
function steps(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
