import type { Lien } from '../../base/config/liens.ts';
import { attention, bien, type Controle } from './constat.ts';

/** Who else could read or change what goes to another machine, because the settings say so. */
export const liens: Controle = {
  quoi: 'Liens',
  async faire({ config }) {
    const ouverts = config.liens.filter(
      ({ lieu, protection }) => lieu === 'ailleurs' && protection !== 'verifie',
    );
    if (ouverts.length > 0)
      return ouverts.map((lien) =>
        attention(
          'Liens',
          `${lien.reglage} : ${lien.protection === 'clair' ? 'en clair' : 'chiffré, mais sans vérifier le serveur,'} vers ${lien.hote} : ${
            lien.protection === 'clair'
              ? 'qui est sur le chemin lit tout, mot de passe compris'
              : 'qui est sur le chemin peut se faire passer pour lui'
          }`,
          `${remede(lien)}, ou nommez ce réseau dans RESEAUX_PRIVES s’il est à vous.`,
        ),
      );
    const prives = config.liens.filter(
      ({ lieu, protection }) => lieu === 'prive' && protection !== 'verifie',
    );
    return [
      bien(
        'Liens',
        prives.length === 0
          ? 'chiffrés et vérifiés, ou dans cette machine'
          : `en clair dans RESEAUX_PRIVES : ${prives.map(({ reglage, hote }) => `${reglage} (${hote})`).join(', ')}`,
      ),
    ];
  },
};

function remede({ reglage }: Lien): string {
  if (reglage.startsWith('MYSQL')) return 'Mettez MYSQL_TLS=auto (et MYSQL_TLS_CA pour une autorité à vous)';
  if (reglage.startsWith('SMTP')) return 'Mettez SMTP_TLS=oui';
  return 'Mettez POSTGRES_TLS=auto (et POSTGRES_TLS_CA pour une autorité à vous), sans sslmode dans l’adresse';
}
