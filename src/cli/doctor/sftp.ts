import { stat } from 'node:fs/promises';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { silentLogger } from '../../base/logger.ts';
import { ouvrirDistants } from '../../sources/ouvrir.ts';
import { pourShell } from '../text.ts';
import { ouvertAuxAutres } from './acces.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** Private keys are ours alone, servers are known and let us in. */
export const sftp: Controle = {
  quoi: 'SFTP',
  async faire({ config }) {
    const { centres } = config.sftp;
    if (centres.length === 0) return [];
    const files = new Set(centres.flatMap(({ cle }) => cle ?? []));
    const keys = await Promise.all([...files].map(checkKey));
    const distants = await ouvrirDistants(config, silentLogger());
    const servers = await Promise.all(
      distants.map(async (source): Promise<Constat> => {
        const quoi = `SFTP ${source.dossier}`;
        try {
          await source.verifier();
          return bien(quoi, source.description);
        } catch (error) {
          return mal(
            quoi,
            messageOf(error),
            error instanceof AtelierError ? error.conseil : 'Vérifiez SFTP_CENTRES.',
          );
        } finally {
          await source.fermer();
        }
      }),
    );
    return [...keys.flat(), ...servers];
  },
};

/** Rights of a key file; whether it is a key at all, entering the server tells. */
export async function checkKey(file: string): Promise<Constat[]> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !ouvertAuxAutres(found)) return [];
  const mode = found.mode & 0o777;
  return [
    attention(
      'SFTP_CLE',
      `${file} : droits ${mode.toString(8)}, d’autres comptes de cette machine peuvent la lire`,
      `chmod 600 ${pourShell(file)}`,
    ),
  ];
}
