import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { AtelierError } from '../base/errors.ts';
import { FactoryTime } from '../base/time.ts';
import { masquer } from '../domain/journal/masques.ts';
import { type FichierListe, findOctets, listFichiers } from '../postgres/listes.ts';
import type { Pool } from '../postgres/pool.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { FORMAT_OPTIONS, formatOf, positive, printRows, type TableColumn } from './table.ts';
import { bytes } from './text.ts';

export const summary = 'liste les fichiers *.LOG vus, ou rend les octets de l’un d’eux';
export const usage = `Usage : npx atelier fichiers [--centre NOM] [--fichier CHEMIN] [--limite N] [--json | --csv | --excel]
       npx atelier fichiers --octets SHA256 > FICHIER

États : lu ; préfixe (plus court qu’une version déjà lue, qui compte à sa place) ; remplacé (par ingest --replace) ;
écarté (journée démesurée) ; erreur (illisible au dernier passage).
--octets écrit sur la sortie les octets exacts de toute version jamais vue, tirés de l’archive.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      centre: { type: 'string' },
      fichier: { type: 'string' },
      limite: { type: 'string' },
      octets: { type: 'string' },
      ...FORMAT_OPTIONS,
    },
  });
  const format = formatOf(values);
  const limite = positive('limite', values.limite, format === 'table' ? 100 : 1_000_000);
  if (values.octets !== undefined && !/^[0-9a-f]{64}$/i.test(values.octets)) {
    throw new UsageError('--octets : attendu un SHA-256 de 64 chiffres hexadécimaux');
  }
  const pool = await openPool(cli);
  if (values.octets !== undefined) return await writeOctets(cli, pool, values.octets.toLowerCase());
  const rows = await listFichiers(pool, { centre: values.centre, chemin: values.fichier, limite });
  printRows(cli, format, columns(new FactoryTime(cli.config.fuseau)), rows);
  if (rows.length === limite && format === 'table')
    cli.err(`… ${limite} premières lignes (--limite N pour plus).`);
  return 0;
}

async function writeOctets(cli: Cli, pool: Pool, sha256: string): Promise<number> {
  const found = await findOctets(pool, sha256);
  if (!found)
    throw new AtelierError('ATL_L203', `Lecture de la version ${sha256} : elle n’a jamais été vue.`);
  if (found.purgeeLe) {
    const le = new FactoryTime(cli.config.fuseau).format(Math.floor(found.purgeeLe.getTime() / 1000));
    throw new AtelierError(
      'ATL_R603',
      `Lecture de la version ${sha256} : ses octets ont été effacés le ${le}.`,
    );
  }
  let left = found.taille;
  const archived = ouvrirArchives(cli.config).read(found.centreId, found.archive);
  for await (const piece of masquer(archived, found.trous)) {
    const part = piece.subarray(0, left);
    left -= part.length;
    if (part.length > 0 && !process.stdout.write(part)) await once(process.stdout, 'drain');
  }
  return 0;
}

function columns(time: FactoryTime): TableColumn<FichierListe>[] {
  return [
    { key: 'centre', title: 'Centre', value: (f) => f.centre },
    { key: 'chemin', title: 'Fichier', value: (f) => f.chemin },
    { key: 'etat', title: 'État', value: (f) => f.etat },
    { key: 'taille', title: 'Taille', align: 'right', value: (f) => f.taille, text: (f) => bytes(f.taille) },
    { key: 'lignes', title: 'Lignes', align: 'right', value: (f) => f.lignes },
    { key: 'evenements', title: 'Événements', align: 'right', value: (f) => f.evenements },
    { key: 'rejets', title: 'Rejets', align: 'right', value: (f) => f.rejets },
    { key: 'encodage', title: 'Encodage', value: (f) => f.encodage, wide: true },
    { key: 'versions', title: 'Versions', align: 'right', value: (f) => f.versions, wide: true },
    {
      key: 'derniere_lecture',
      title: 'Lu le',
      value: (f) => time.format(Math.floor(f.derniere_lecture)),
      wide: true,
    },
    { key: 'sha256', title: 'SHA-256', value: (f) => f.sha256, dataOnly: true },
    { key: 'erreur', title: 'Remarque', value: (f) => f.erreur },
  ];
}
