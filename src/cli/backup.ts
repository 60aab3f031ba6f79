import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { Depot, situer } from '../archives/sauvegarde/depot.ts';
import { AtelierError } from '../base/errors.ts';
import { createLogger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { clesDeSauvegarde } from '../jobs/sauvegarde/cles.ts';
import { clesDeLaSauvegarde } from '../jobs/sauvegarde/cles-comptes.ts';
import {
  exigerCle,
  exigerSceau,
  verifierFichiers,
  verifierSauvegarde,
} from '../jobs/sauvegarde/verification.ts';
import { type BilanSauvegarde, sauvegarder } from '../jobs/sauvegarde.ts';
import { sqlDesCles } from '../postgres/comptes/cles-emballees.ts';
import { quoted } from '../postgres/sauvegarde/copie.ts';
import { LecteurDeBase } from '../postgres/sauvegarde/lecture.ts';
import { type Cli, UsageError } from './cli.ts';
import { Etapes } from './etapes.ts';
import { openPool } from './open.ts';
import { bytes, printable, secondes } from './text.ts';

export const summary = 'sauvegarde la base et les archives ; list, verify, sql';
export const usage = `Usage : npx atelier backup [--vers DOSSIER] [--sans-archives] [--chiffrer] [--json]
       npx atelier backup list [--vers DOSSIER] [--json]
       npx atelier backup verify SAUVEGARDE [--sans-sceau] [--json]
       npx atelier backup sql SAUVEGARDE [--sans-sceau]

Sauvegarde toutes les tables telles qu’elles sont à un instant, les archives des journaux et le registre des
effacements, dans un nouveau sous-dossier de SAUVEGARDE_DIR. Imports et API continuent pendant ce temps. Les archives
sont communes à toutes les sauvegardes : seules les nouvelles sont copiées. Les sauvegardes échues
(SAUVEGARDE_CONSERVATION, SAUVEGARDES_GARDEES) sont effacées ensuite.

  --vers DOSSIER    un autre dossier que SAUVEGARDE_DIR
  --sans-archives   la base seule
  --chiffrer        échoue s’il n’y a pas de CLE_SAUVEGARDE (avec elle, une sauvegarde est toujours chiffrée)
  --sans-sceau      verify, sql : accepte une sauvegarde que CLE_SAUVEGARDE ne scelle pas, si vous savez d’où elle vient
  --json            le bilan en JSON sur la sortie

list      les sauvegardes, la plus récente en dernier
verify    relit tout : empreintes, déchiffrement, chaque archive. SAUVEGARDE : un nom de la liste, ou un dossier
sql       écrit la base sur la sortie, en texte pour psql :
          npx atelier backup sql NOM | psql -1 -v ON_ERROR_STOP=1 NOUVELLE_BASE

CLE_CHIFFREMENT, SECRET_KEY et CLE_SAUVEGARDE ne sont dans aucune sauvegarde : gardez-les ailleurs. \`npx atelier
restore\` restaure.

Codes de sortie : 0 fait, 1 échec ou sauvegarde abîmée, 2 mauvais usage, 3 fait, mais des archives manquent.`;

/** Said of a backup that no key vouches for. */
const SANS_PREUVE =
  'aucune clé ne la scelle : ses empreintes montrent un disque abîmé, pas quelqu’un qui l’aurait changée';

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      vers: { type: 'string' },
      'sans-archives': { type: 'boolean' },
      chiffrer: { type: 'boolean' },
      'sans-sceau': { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const [action = 'make', nom, ...rest] = positionals;
  if (values.vers === '') throw new UsageError('--vers : attendu un dossier');
  const dossier = values.vers ?? cli.config.sauvegarde.dossier;
  const json = values.json ?? false;
  if (action !== 'make' && (values['sans-archives'] || values.chiffrer))
    throw new UsageError(`${action} : --sans-archives et --chiffrer n’y ont pas de sens`);
  if ((action === 'make' || action === 'list') && values['sans-sceau'])
    throw new UsageError('--sans-sceau n’a de sens que pour verify et sql');
  if (action === 'make' || action === 'list') {
    if (nom !== undefined) throw new UsageError('un argument de trop');
    if (action === 'list') return await list(cli, dossier, json);
    const options = { sansArchives: values['sans-archives'] ?? false, chiffrer: values.chiffrer ?? false };
    return await make(cli, dossier, options, json);
  }
  if (action !== 'verify' && action !== 'sql')
    throw new UsageError(`action inconnue « ${printable(action)} », attendu list, verify ou sql`);
  if (nom === undefined) throw new UsageError(`${action} : il manque SAUVEGARDE`);
  if (rest.length > 0) throw new UsageError(`${action} : un argument de trop`);
  const sansSceau = values['sans-sceau'] ?? false;
  return action === 'verify'
    ? await verify(cli, nom, dossier, sansSceau, json)
    : await sql(cli, nom, dossier, sansSceau);
}

async function make(
  cli: Cli,
  vers: string,
  options: { sansArchives: boolean; chiffrer: boolean },
  json: boolean,
): Promise<number> {
  const { config, shutdown } = cli;
  const etapes = new Etapes(cli, json);
  const logger = createLogger({
    console: json || !cli.isTerminal ? 'stderr' : () => undefined,
    level: config.logLevel,
    fuseau: config.fuseau,
  });
  const pool = await openPool(cli, logger);
  const ctx = { config, shutdown, logger, pool, time: new FactoryTime(config.fuseau, config.journeeDebut) };
  const bilan = await sauvegarder(ctx, { vers, ...options, onProgress: etapes.dire });
  etapes.effacer();
  if (json) cli.out(JSON.stringify(bilan));
  else for (const line of report(bilan)) cli.out(line);
  return bilan.etat === 'partielle' ? 3 : 0;
}

function report(bilan: BilanSauvegarde): string[] {
  if (bilan.etat === 'ignoree') return ['Ignorée : une autre sauvegarde est en cours.'];
  const secrets = bilan.aGarderAPart.join(', ');
  return [
    `Sauvegarde ${bilan.nom} terminée en ${secondes(bilan.dureeMs)}.`,
    `  dossier   ${bilan.dossier}${bilan.chiffree ? ' (chiffré)' : ''}`,
    `  base      ${bilan.tables} tables, ${bilan.lignes} lignes, ${bytes(bilan.octets)}`,
    `  archives  ${bilan.archives} (${bytes(bilan.octetsArchives)}), dont ${bilan.archivesCopiees} nouvelles`,
    ...(bilan.effacees.length > 0 ? [`  échues    ${bilan.effacees.join(', ')} : effacées`] : []),
    ...(bilan.effacement === undefined
      ? []
      : [`  ✖ des sauvegardes échues sont encore là : ${printable(bilan.effacement)}`]),
    ...(bilan.chiffree
      ? []
      : [
          '  ⚠ ni chiffrée ni scellée : qui lit ce dossier lit tout, qui y écrit peut la changer (CLE_SAUVEGARDE)',
        ]),
    ...(secrets ? [`  À garder ailleurs : ${secrets} (aucune sauvegarde ne les contient).`] : []),
    ...bilan.nonSauvegardes.map((objet) => `  ⚠ pas dans la sauvegarde : ${printable(objet)}`),
    ...(bilan.clesAbimees === undefined
      ? []
      : [
          `  ✖ le fichier des clés des comptes était abîmé ; il est gardé : ${printable(bilan.clesAbimees)} (les comptes de cette base sont tous dans le nouveau)`,
        ]),
    ...(bilan.archivesManquantes.length > 0
      ? [
          `  ✖ ${bilan.archivesManquantes.length} archives absentes ou abîmées, par exemple ${bilan.archivesManquantes[0]} (\`npx atelier doctor\`)`,
        ]
      : []),
  ];
}

async function list(cli: Cli, dossier: string, json: boolean): Promise<number> {
  const depot = new Depot(dossier, clesDeSauvegarde(cli.config), ouvrirArchives(cli.config).cles);
  const rows: object[] = [];
  let bad = 0;
  for (const nom of await depot.noms()) {
    try {
      const { manifeste, sceau } = await depot.ouvrir(nom);
      const { base, archives, chiffrement, fichiers, programme } = manifeste;
      const lignes = Object.values(base.tables).reduce((sum, table) => sum + table.lignes, 0);
      const octets = fichiers.reduce((sum, fichier) => sum + fichier.octets, 0);
      rows.push({
        nom,
        programme,
        lignes,
        octets,
        archives: archives?.nombre ?? null,
        cle: chiffrement?.cle ?? null,
        sceau,
      });
      if (!json) {
        const what = archives ? `${archives.nombre} archives` : 'sans archives';
        const key = chiffrement ? `  chiffrée (clé ${chiffrement.cle})` : '  ni chiffrée ni scellée';
        cli.out(`${nom}  ${String(lignes).padStart(10)} lignes  ${bytes(octets).padStart(8)}  ${what}${key}`);
      }
    } catch (error) {
      bad++;
      rows.push({ nom, erreur: String((error as Error).message) });
      if (!json) cli.out(`${nom}  ✖ ${printable((error as Error).message)}`);
    }
  }
  if (json) cli.out(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) cli.out(`Aucune sauvegarde dans ${dossier}.`);
  return bad > 0 ? 1 : 0;
}

async function verify(
  cli: Cli,
  sauvegarde: string,
  dossier: string,
  sansSceau: boolean,
  json: boolean,
): Promise<number> {
  const cles = clesDeSauvegarde(cli.config);
  const { root, nom } = situer(sauvegarde, dossier);
  const depot = new Depot(root, cles, ouvrirArchives(cli.config).cles);
  const etapes = new Etapes(cli, json);
  const opened = await depot.ouvrir(nom);
  const found = await verifierSauvegarde(depot, opened, cles, etapes.dire, sansSceau);
  etapes.effacer();
  if (json) cli.out(JSON.stringify(found));
  else {
    for (const defaut of found.defauts) cli.out(`✖ ${printable(defaut)}`);
    if (found.manquantes > 0)
      cli.out(`⚠ ${found.manquantes} archives manquaient déjà quand elle a été faite`);
    if (found.defauts.length === 0)
      cli.out(`Sauvegarde ${nom} entière : ${found.fichiers} fichiers, ${found.archives} archives relus.`);
    if (opened.sceau !== 'cle') cli.out(`⚠ ${SANS_PREUVE}`);
  }
  return found.defauts.length > 0 ? 1 : found.manquantes > 0 ? 3 : 0;
}

async function sql(cli: Cli, sauvegarde: string, dossier: string, sansSceau: boolean): Promise<number> {
  const cles = clesDeSauvegarde(cli.config);
  const { root, nom } = situer(sauvegarde, dossier);
  const depot = new Depot(root, cles, ouvrirArchives(cli.config).cles);
  const opened = await depot.ouvrir(nom);
  exigerCle(opened, cles);
  exigerSceau(opened, cles, sansSceau);
  // psql obeys whatever it is sent, and keeps what came before a damage: all is read before the first byte goes out.
  const defauts = await verifierFichiers(depot, opened);
  if (defauts.length > 0) throw new AtelierError('ATL_B902', `${opened.dossier} : ${defauts.join(' ; ')}.`);
  const comptes = await clesDeLaSauvegarde(depot, opened, cles, sansSceau);
  const { schema } = opened.manifeste.base;
  const out = async (piece: string | Buffer): Promise<void> => {
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  };
  const lecteur = new LecteurDeBase(schema);
  for await (const piece of lecteur.texte(depot.lireFichier(opened, 'base.sql.zst'))) await out(piece);
  // No backup holds the keys of its accounts.
  for (const statement of comptes ? sqlDesCles(comptes, quoted(schema)) : []) await out(`${statement};\n`);
  return 0;
}
