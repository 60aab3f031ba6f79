import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { readMasques } from '../base/config/masques.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import type { Masques } from '../base/masques/masques.ts';
import { type Encoding, EncodingDetector, parseEncoding } from '../domain/journal/encoding.ts';
import { lineTexts } from '../domain/journal/line-texts.ts';
import { finsMasquees } from '../jobs/ingest/masquage.ts';
import { compterAMasquer, versionsRecentes } from '../postgres/journaux/textes.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { positive } from './table.ts';
import { nombre, printable } from './text.ts';

export const summary = 'règles de MASQUES : ce qu’elles cachent des noms dans les journaux';
export const usage = `Usage : npx atelier masques [--json]
       npx atelier masques essayer [--regles REGLES] [--fichier FICHIER | --centre NOM] [--limite N] [--json]

Sans mot : les règles de MASQUES, et ce qui est gardé sans qu’elles y soient passées.
essayer : ce que chaque règle cacherait dans les derniers fichiers archivés, avec des exemples. Ne change rien,
mais montre des noms : sur cet écran seulement.

  --regles REGLES    ces règles au lieu de MASQUES (nom=motif;… ou @/chemin)
  --fichier FICHIER  ce fichier au lieu des archives
  --centre NOM       ce centre seulement
  --limite N         au plus N fichiers archivés (20), les derniers reçus
  --json             en JSON`;

/** Examples of each rule. */
const EXEMPLES = 5;
/** Characters of a line on the screen. */
const LARGEUR = 160;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      regles: { type: 'string' },
      fichier: { type: 'string' },
      centre: { type: 'string' },
      limite: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const [mot, ...rest] = positionals;
  if (rest.length > 0 || (mot !== undefined && mot !== 'essayer'))
    throw new UsageError(`masques : attendu essayer, ou rien, reçu « ${positionals.join(' ')} »`);
  if (mot === undefined) {
    if (values.regles ?? values.fichier ?? values.centre ?? values.limite)
      throw new UsageError('masques : --regles, --fichier, --centre et --limite vont avec essayer');
    return await montrer(cli, values.json ?? false);
  }
  if (values.fichier !== undefined && (values.centre ?? values.limite) !== undefined)
    throw new UsageError('masques essayer : --fichier, ou --centre et --limite');
  const masques = values.regles === undefined ? cli.config.masques : lire(values.regles);
  if (!masques)
    throw new UsageError('masques essayer : MASQUES est vide ; donnez --regles (nom=motif;… ou @/chemin)');
  const sources =
    values.fichier === undefined
      ? archives(cli, values.centre, positive('limite', values.limite, 20))
      : fichier(values.fichier);
  const bilan = await essayer(masques, sources, cli);
  if (values.json) cli.out(JSON.stringify(bilan, null, 2));
  else for (const line of texte(bilan)) cli.out(line);
  return 0;
}

async function montrer(cli: Cli, json: boolean): Promise<number> {
  const { masques } = cli.config;
  const aReprendre = masques ? await compterAMasquer(await openPool(cli), finsMasquees(masques)) : 0;
  if (json) {
    cli.out(JSON.stringify({ regles: masques?.noms ?? [], versions_a_reprendre: aReprendre }));
    return 0;
  }
  if (!masques) {
    cli.out(
      'MASQUES est vide : le texte des lignes est gardé tel quel (npx atelier masques essayer --regles …).',
    );
    return 0;
  }
  cli.out(`Masques : ${masques.noms.join(', ')}`);
  cli.out(
    aReprendre === 0
      ? 'Tout ce qui est gardé est passé par ces règles.'
      : `${nombre(aReprendre)} versions de fichiers gardées ne sont pas passées par ces règles : npx atelier ingest les reprend.`,
  );
  return 0;
}

function lire(regles: string): Masques | undefined {
  const problems: string[] = [];
  const masques = readMasques(() => regles.trim(), problems);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return masques;
}

interface Source {
  readonly encodage: Encoding;
  readonly pieces: Iterable<Buffer> | AsyncIterable<Buffer>;
}

async function* fichier(chemin: string): AsyncGenerator<Source> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(chemin);
  } catch (cause) {
    throw new AtelierError('ATL_L203', `Lecture de ${chemin} : ${messageOf(cause)}`, { cause });
  }
  const detector = new EncodingDetector();
  detector.push(bytes);
  yield { encodage: detector.end(), pieces: [bytes] };
}

async function* archives(cli: Cli, centre: string | undefined, limite: number): AsyncGenerator<Source> {
  const archive = ouvrirArchives(cli.config);
  for (const version of await versionsRecentes(await openPool(cli), centre, limite)) {
    const { centreId, sha256, encodage } = version;
    yield { encodage: parseEncoding(encodage), pieces: archive.read(centreId, sha256) };
  }
}

interface Exemple {
  /** what would be hidden */
  readonly cache: readonly string[];
  /** the line as it would be kept */
  readonly ligne: string;
}
interface Bilan {
  fichiers: number;
  lignes: number;
  /** lines of which something is hidden */
  masquees: number;
  readonly regles: { readonly nom: string; lignes: number; entieres: number; readonly exemples: Exemple[] }[];
}

async function essayer(masques: Masques, sources: AsyncIterable<Source>, cli: Cli): Promise<Bilan> {
  const regles = masques.regles.map((nom) => ({ nom, lignes: 0, entieres: 0, exemples: [] as Exemple[] }));
  const bilan: Bilan = { fichiers: 0, lignes: 0, masquees: 0, regles };
  const seen = new Set<string>();
  for await (const { encodage, pieces } of sources) {
    bilan.fichiers++;
    for await (const ligne of lineTexts(pieces, encodage)) {
      cli.shutdown.signal.throwIfAborted();
      bilan.lignes++;
      const masquee = masques.poser(ligne);
      if (!masquee) continue;
      bilan.masquees++;
      for (const [rang, portees] of masques.parRegle(ligne).entries()) {
        const regle = regles[rang]!;
        if (portees?.length === 0) continue;
        regle.lignes++;
        if (!portees) regle.entieres++;
        const cache = portees?.map(([debut, fin]) => ligne.slice(debut, fin)) ?? [];
        const key = `${rang} ${cache.join('\n')}`;
        // Of what is the same one example says as much as five.
        if (regle.exemples.length >= EXEMPLES || seen.has(key)) continue;
        seen.add(key);
        regle.exemples.push({ cache, ligne: masquee.texte.slice(0, LARGEUR) });
      }
    }
  }
  return bilan;
}

function texte({ fichiers, lignes, masquees, regles }: Bilan): string[] {
  const lines = [
    `${nombre(fichiers)} fichiers, ${nombre(lignes)} lignes, dont ${nombre(masquees)} où quelque chose serait masqué.`,
  ];
  for (const { nom, lignes: own, entieres, exemples } of regles) {
    lines.push('', `[${nom}] ${own === 0 ? 'ne trouve rien' : `${nombre(own)} lignes`}`);
    if (entieres > 0)
      lines.push(
        `  ${nombre(entieres)} lignes seraient masquées en entier : le motif y cherche trop longtemps`,
      );
    for (const { cache, ligne } of exemples)
      lines.push(
        `  ${cache.map((part) => `« ${printable(part)} »`).join(', ') || '(toute la ligne)'}`,
        `    ${printable(ligne)}`,
      );
  }
  return lines;
}
