import { parseArgs } from 'node:util';
import { AtelierError } from '../base/errors.ts';
import { createLogger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { definitionDe, REGLES, type Regle } from '../domain/alertes/regles.ts';
import { enInstant } from '../domain/alertes/textes.ts';
import { canauxDe, essayerCanaux } from '../jobs/alertes/envoyer.ts';
import { passer } from '../jobs/alertes.ts';
import { type AlerteRow, acquitter, listerAlertes } from '../postgres/alertes.ts';
import { noter } from '../postgres/audit.ts';
import { transaction, withClient } from '../postgres/pool.ts';
import { type Cli, UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { FORMAT_OPTIONS, formatOf, positive, printRows, type TableColumn } from './table.ts';

export const summary = 'montre ce qui ne va pas ; essaie les envois ; acquitte';
export const usage = `Usage : npx atelier alertes [--toutes] [--limite N] [--json | --csv | --excel]
       npx atelier alertes evaluer [--json]
       npx atelier alertes tester
       npx atelier alertes acquitter NUMÉRO

Sans rien : les alertes ouvertes. docs/alertes.md dit ce que chacune veut dire, et que faire.

  --toutes     celles qui sont finies aussi
  evaluer      contrôle tout une fois, maintenant, et envoie ce qui doit l’être (le worker le fait toutes les 30 secondes)
  tester       envoie un essai par chaque canal réglé (webhook, courriel) et dit ce qu’il en est advenu
  acquitter    dit que quelqu’un s’occupe d’une alerte : elle n’est plus rappelée

Code de sortie : 0 bien (pour « evaluer » : rien d’ouvert), 1 échec (« evaluer » : des alertes sont ouvertes), 2 mauvais usage.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { toutes: { type: 'boolean' }, limite: { type: 'string' }, ...FORMAT_OPTIONS },
  });
  const [action, ...rest] = positionals;
  if (rest.length > (action === 'acquitter' ? 1 : 0))
    throw new UsageError(`argument de trop : ${rest.at(-1)}`);
  if (action === undefined) return await lister(cli, values);
  const own: readonly string[] = action === 'evaluer' ? ['json'] : [];
  const strange = Object.keys(values).find((name) => !own.includes(name));
  if (strange) throw new UsageError(`--${strange} ne va pas avec « ${action} »`);
  if (action === 'evaluer') return await controler(cli, values.json ?? false);
  if (action === 'tester') return await tester(cli);
  if (action === 'acquitter') return await prendre(cli, rest[0]);
  throw new UsageError(`« ${action} » : attendu evaluer, tester ou acquitter`);
}

async function lister(
  cli: Cli,
  values: { toutes?: boolean; limite?: string; json?: boolean; csv?: boolean; excel?: boolean },
): Promise<number> {
  const format = formatOf(values);
  const limite = positive('limite', values.limite, format === 'table' ? 50 : 1_000_000);
  const time = new FactoryTime(cli.config.fuseau);
  const pool = await openPool(cli);
  const rows = await listerAlertes(pool, { toutes: values.toutes ?? false, limite });
  if (rows.length === 0 && format === 'table') {
    cli.out(values.toutes ? 'Aucune alerte, jamais.' : 'Aucune alerte ouverte.');
    return 0;
  }
  printRows(cli, format, colonnes(time), rows);
  if (format !== 'table') return 0;
  for (const regle of new Set(rows.filter((row) => row.etat === 'ouverte').map((row) => row.regle))) {
    if (Object.hasOwn(REGLES, regle)) {
      const { titre, conseil } = definitionDe(regle as Regle);
      cli.out(`→ ${titre} : ${conseil}`);
    }
  }
  const lost = rows.reduce((sum, row) => sum + row.avisAbandonnes, 0);
  if (lost > 0)
    cli.err(`${lost} avis abandonné(s) : personne ne les a reçus. Essayez « npx atelier alertes tester ».`);
  if (rows.length === limite) cli.err(`… ${limite} premières lignes (--limite N pour plus).`);
  return 0;
}

function colonnes(time: FactoryTime): TableColumn<AlerteRow>[] {
  const iso = (instant: number | null): string | null =>
    instant === null ? null : time.format(Math.floor(instant));
  const lu = (instant: number | null): string => (instant === null ? '' : enInstant(time, instant));
  return [
    { key: 'id', title: 'N°', align: 'right', value: (a) => a.id },
    { key: 'regle', title: 'Règle', value: (a) => a.regle },
    { key: 'objet', title: 'Sur', value: (a) => a.objet, dataOnly: true },
    { key: 'gravite', title: 'Gravité', value: (a) => a.gravite },
    {
      key: 'etat',
      title: 'État',
      value: (a) => a.etat,
      text: (a) => (a.etat === 'ouverte' && a.acquitteeLe !== null ? 'acquittée' : a.etat),
    },
    { key: 'debut', title: 'Depuis', value: (a) => iso(a.debut), text: (a) => lu(a.debut) },
    { key: 'fin', title: 'Fin', value: (a) => iso(a.fin), text: (a) => lu(a.fin), wide: true },
    { key: 'acquittee_le', title: 'Acquittée', value: (a) => iso(a.acquitteeLe), dataOnly: true },
    { key: 'message', title: 'Message', value: (a) => a.message },
    { key: 'avis_abandonnes', title: 'Avis perdus', value: (a) => a.avisAbandonnes, dataOnly: true },
  ];
}

async function controler(cli: Cli, json: boolean): Promise<number> {
  const logger = createLogger({ console: 'stderr', level: cli.config.logLevel, fuseau: cli.config.fuseau });
  const pool = await openPool(cli, logger);
  const bilan = await passer({ config: cli.config, logger, pool, maintenant: Date.now });
  const { length: restent } = await listerAlertes(pool, { toutes: false, limite: 1_000_000 });
  if (json) cli.out(JSON.stringify({ ...bilan, restent }));
  else {
    cli.out(
      `Alertes : ${bilan.ouvertes} nouvelle(s), ${bilan.resolues} résolue(s), ${bilan.rappelees} rappelée(s) ; ${restent} ouverte(s).`,
    );
    cli.out(
      `Avis : ${bilan.envoyes} envoyé(s), ${bilan.echoues} en échec, ${bilan.abandonnes} abandonné(s).`,
    );
    if (canauxDe(cli.config.alertes).length === 0) {
      cli.err('Aucun canal réglé : personne n’est prévenu (ALERTE_WEBHOOK_URL, ALERTE_MAIL_A).');
    }
  }
  return restent > 0 ? 1 : 0;
}

async function tester(cli: Cli): Promise<number> {
  const { config } = cli;
  if (canauxDe(config.alertes).length === 0) {
    throw new AtelierError('ATL_N801', 'Essai des alertes : ni webhook ni courriel ne sont réglés.');
  }
  const time = new FactoryTime(config.fuseau);
  const results = await essayerCanaux({ config, time, maintenant: Date.now });
  for (const { canal, erreur } of results) {
    const nom = canal === 'mail' ? 'courriel' : canal;
    cli.out(erreur === undefined ? `✔ ${nom} : accepté` : `✖ ${nom} : ${erreur}`);
  }
  return results.some(({ erreur }) => erreur !== undefined) ? 1 : 0;
}

async function prendre(cli: Cli, text: string | undefined): Promise<number> {
  if (text === undefined) throw new UsageError('acquitter : donnez le numéro de l’alerte');
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new UsageError(`acquitter : attendu le numéro d’une alerte, reçu « ${text} »`);
  }
  const id = Number(text);
  const pool = await openPool(cli);
  const fait = await withClient(pool, (client) =>
    transaction(client, async () => {
      const done = await acquitter(client, id, { par: undefined, maintenant: Date.now() / 1000 });
      if (done === 'acquittee')
        await noter(client, { evenement: 'alerte_acquittee', cible: `alertes/${id}` });
      return done;
    }),
  );
  if (fait === undefined || fait === 'resolue') {
    const why = fait === undefined ? 'n’existe pas' : 'est déjà résolue';
    throw new AtelierError('ATL_N802', `Acquittement : l’alerte ${id} ${why}.`);
  }
  cli.out(
    fait === 'deja' ? `L’alerte ${id} l’était déjà.` : `Alerte ${id} acquittée : elle ne sera plus rappelée.`,
  );
  return 0;
}
