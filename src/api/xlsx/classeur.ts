import { PassThrough, Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { CHEMIN_DE_LA_FEUILLE, parties } from './parties.ts';

/** Deflate: each step beyond costs twice the time for some hundredths of the size. */
const COMPRESSION = 3;

/**
 * A workbook of one sheet, zipped while its rows come.
 *
 * @param titre name of the sheet
 * @param date what its parts are dated
 * @param xml the sheet (see `feuille`); when it fails, so does the workbook, which then has no end
 */
export function classeur(titre: string, date: Date, xml: AsyncGenerator<string>): Readable {
  const zip = new ZipFile();
  const options = { mtime: date, compressionLevel: COMPRESSION };
  for (const [chemin, texte] of parties(titre)) zip.addBuffer(Buffer.from(texte), chemin, options);
  const feuille = Readable.from(octets(xml), { objectMode: false });
  zip.addReadStream(feuille, CHEMIN_DE_LA_FEUILLE, options);
  zip.end();

  // The zip does not look after failures on either side.
  const sortie = new PassThrough();
  const echouer = (error: Error): void => {
    sortie.destroy(error);
  };
  feuille.on('error', echouer);
  zip.on('error', echouer);
  sortie.on('close', () => feuille.destroy());
  zip.outputStream.pipe(sortie);
  return sortie;
}

async function* octets(xml: AsyncGenerator<string>): AsyncGenerator<Buffer> {
  for await (const texte of xml) yield Buffer.from(texte);
}
