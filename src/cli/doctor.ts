import { parseArgs } from 'node:util';
import { messageOf } from '../base/errors.ts';
import type { Cli } from './cli.ts';
import { base } from './doctor/base.ts';
import { canaux } from './doctor/canaux.ts';
import { cles } from './doctor/cles.ts';
import { confidentiel } from './doctor/confidentiel.ts';
import { type Constat, type Controle, mal } from './doctor/constat.ts';
import { dossiers } from './doctor/dossiers.ts';
import { erp } from './doctor/erp.ts';
import { lectures } from './doctor/lectures.ts';
import { liens } from './doctor/liens.ts';
import { ports } from './doctor/ports.ts';
import { sftp } from './doctor/sftp.ts';
import { systeme } from './doctor/systeme.ts';
import { printable } from './text.ts';

export const summary = 'contrôle l’installation et les données, et dit comment réparer';
export const usage = `Usage : npx atelier doctor [--json]

Contrôle Node, le fuseau, les droits de .env, les dossiers et leur place, qui peut lire archives et
sauvegardes, les clés, les ports, PostgreSQL (version,
horloge, schéma, file de tâches), le réplica et le pooler de l’API, le worker et ses derniers passages, les données et leurs archives, l’ERP et les droits
de son compte, les serveurs SFTP et leurs clés, les canaux d’alerte. Ne change rien, n’envoie rien.

Chaque ligne : ✔ bien, ⚠ à regarder, ✖ à réparer ; une flèche dit comment.

  --json   les mêmes constats, en JSON

Code de sortie : 1 si quelque chose est à réparer, 0 sinon.`;

/** In the order in which an installer would look. */
const CONTROLES: readonly Controle[] = [
  systeme,
  dossiers,
  confidentiel,
  cles,
  ports,
  base,
  lectures,
  erp,
  sftp,
  canaux,
  liens,
];

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } });
  const constats: Constat[] = [];
  for (const controle of CONTROLES) {
    cli.shutdown.signal.throwIfAborted();
    const found = await look(controle, cli);
    constats.push(...found);
    // Servers that do not answer take their time: what is known is shown meanwhile.
    if (!values.json) for (const line of found.flatMap(lines)) cli.out(line);
  }
  if (values.json) cli.out(JSON.stringify(constats, null, 2));
  return constats.some(({ etat }) => etat === 'mal') ? 1 : 0;
}

/** A look that fails is a finding like another: the others are still made. */
async function look({ quoi, faire }: Controle, cli: Cli): Promise<readonly Constat[]> {
  try {
    return await faire(cli);
  } catch (error) {
    return [
      mal(quoi, `contrôle impossible : ${messageOf(error)}`, 'Corrigez cette erreur, puis relancez doctor.'),
    ];
  }
}

function lines({ quoi, etat, detail, remede }: Constat): string[] {
  const mark = { bien: '✔', attention: '⚠', mal: '✖' }[etat];
  return [`${mark} ${quoi} : ${printable(detail)}`, ...(remede ? [`    → ${remede}`] : [])];
}
