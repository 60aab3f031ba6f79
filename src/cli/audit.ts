import { parseArgs } from 'node:util';
import {
  type EcartAudit,
  type TeteAudit,
  type VerificationAudit,
  verifierAudit,
} from '../postgres/audit-chain.ts';
import { withClient } from '../postgres/pool.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { nombre } from './text.ts';

export const summary = 'vérifie que le journal d’audit n’a pas été retouché';
export const usage = `Usage : npx atelier audit verifier [--tete RANG:EMPREINTE] [--json]

Recalcule la chaîne d’empreintes du journal d’audit : une ligne changée, retirée, ajoutée ou déplacée sans passer par
atelier se voit, comme un maillon de la chaîne elle-même. Les effacements à leur terme et les oublis en font partie.
  --tete RANG:EMPREINTE   une fin de chaîne notée plus tôt (celle qu’affiche cette commande, que journalise chaque
                          sauvegarde) : elle doit y être encore. Gardez-en une hors de cette machine : qui possède la
                          base pourrait remplacer toute la chaîne, et rien d’autre ne le montrerait.
Code de retour : 0 rien à redire, 1 un écart.`;

const ECARTS: Readonly<Record<EcartAudit['genre'], string>> = {
  debut_absent: 'les premiers maillons manquent, et aucune ancre ne le dit',
  maillon_absent: 'il manque des maillons avant celui-ci',
  maillon_change: 'maillon changé, ajouté ou déplacé',
  ligne_changee: 'ligne changée depuis qu’elle a été écrite',
  ligne_absente: 'ligne retirée sans purge',
  ligne_etrangere: 'ligne que la chaîne ne connaît pas',
  purge_precoce: 'ligne purgée moins d’un mois après avoir été écrite',
  tete_absente:
    'la fin de chaîne donnée par --tete n’y est pas : la chaîne a été remplacée ou raccourcie (ou la base restaurée d’une sauvegarde plus ancienne)',
};
/** Findings that are shown on a terminal. */
const SHOWN = 20;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { tete: { type: 'string' }, json: { type: 'boolean' } },
  });
  if (positionals.length !== 1 || positionals[0] !== 'verifier') {
    throw new UsageError('attendu : audit verifier');
  }
  const tete = readTete(values.tete);
  const pool = await openPool(cli);
  const found = await withClient(pool, (client) => verifierAudit(client, tete));
  if (values.json) cli.out(JSON.stringify(found));
  else tell(cli, found);
  return found.nombreEcarts === 0 ? 0 : 1;
}

function tell(cli: Cli, found: VerificationAudit): void {
  for (const { genre, rang, ligne } of found.ecarts.slice(0, SHOWN)) {
    const where = [rang === undefined ? '' : `maillon ${rang}`, ligne === undefined ? '' : `ligne ${ligne}`];
    cli.err(`✖ ${where.filter((part) => part !== '').join(', ')} : ${ECARTS[genre]}.`);
  }
  if (found.nombreEcarts > SHOWN) cli.err(`… et ${nombre(found.nombreEcarts - SHOWN)} autres écarts.`);
  const kept = `${nombre(found.lignes)} lignes, ${nombre(found.maillons)} maillons (${nombre(found.purges)} purges, ${nombre(found.oublis)} oublis)`;
  if (found.nombreEcarts > 0) {
    cli.err(
      `Journal d’audit : ${nombre(found.nombreEcarts)} écart(s) ; ${kept}. Quelqu’un a changé la base sans passer par atelier : gardez-la telle quelle, et comparez-la à une sauvegarde.`,
    );
  } else cli.out(`Journal d’audit intact : ${kept}.`);
  if (found.tete) cli.out(`Fin de la chaîne : ${found.tete.rang}:${found.tete.empreinte}`);
}

function readTete(text: string | undefined): TeteAudit | undefined {
  if (text === undefined) return undefined;
  const [, rang, empreinte] = /^(\d{1,15}):([\da-f]{64})$/i.exec(text) ?? [];
  if (rang === undefined || empreinte === undefined) {
    throw new UsageError('--tete : attendu RANG:EMPREINTE, comme l’affiche audit verifier');
  }
  return { rang: Number(rang), empreinte: empreinte.toLowerCase() };
}
