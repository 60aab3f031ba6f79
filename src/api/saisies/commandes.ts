import type { Valeurs } from '../../postgres/production/saisie.ts';
import {
  COMMANDES_SAISIES,
  changerLigne,
  insererLigne,
  trouverLigne,
  verrouillerTable,
} from '../../postgres/production/saisie.ts';
import { champInvalide, type Saisie } from '../ecritures.ts';
import { RESSOURCE_COMMANDES } from '../ressources/commandes.ts';
import { commandeVoletModifiee, commandeVoletSaisie } from '../schemas/commandes.ts';

const COFFRES =
  '`coffre` est le premier de `coffres` : donnez l’un, l’autre, ou les deux s’ils vont ensemble.';

export const SAISIE_COMMANDES: Saisie = {
  ressource: RESSOURCE_COMMANDES,
  table: COMMANDES_SAISIES,
  saisie: commandeVoletSaisie,
  modification: commandeVoletModifiee,
  notes: {
    creer: `La commande a \`origine\` = \`manuel\` ; si l’ERP en a une de même numéro et de même extension un jour, la sienne prend sa place. Numéro et extension sont uniques ensemble (409). ${COFFRES}`,
    modifier: `Une commande venue de l’ERP ne se modifie que là (409). ${COFFRES} Un autre \`coffre\` seul prend la place de tous.`,
    supprimer: 'Une commande venue de l’ERP ne se supprime que là (409).',
  },
  async creer(client, corps, { time, maintenant }) {
    return await insererLigne(client, COMMANDES_SAISIES, {
      ...corps,
      date_modification: corps['date_modification'] ?? time.formatDate(Math.floor(maintenant() / 1000)),
      ...coffresDe(undefined, corps),
      origine: 'manuel',
    });
  },
  async modifier(client, { id, valeurs }, corps) {
    await changerLigne(client, COMMANDES_SAISIES, id, { ...corps, ...coffresDe(valeurs, corps) });
  },
  async derivee(_client, { origine }) {
    return origine === 'erp'
      ? 'Cette commande vient de l’ERP et ne se change que là : la prochaine synchronisation (atelier sync) reprendra ce que l’ERP en dit.'
      : undefined;
  },
  verrouiller: (client) => verrouillerTable(client, COMMANDES_SAISIES),
  async doublon(db, { numero_commande, extension = '' }) {
    const id = await trouverLigne(db, COMMANDES_SAISIES, { numero_commande, extension });
    const which = id === undefined ? '' : ` (/commandes-volets/${id})`;
    const name = extension === '' ? `${numero_commande} sans extension` : `${numero_commande} ${extension}`;
    return `La commande ${name} existe déjà${which}.`;
  },
};

/** Both columns, when one of them is sent. @throws Probleme 422 */
function coffresDe(avant: Valeurs | undefined, corps: Valeurs): Valeurs {
  const coffre = corps['coffre'] as string | undefined;
  const coffres = corps['coffres'] as readonly string[] | undefined;
  if (coffres !== undefined) {
    if (coffre !== undefined && coffre !== coffres[0]) {
      throw champInvalide('coffre', `coffre est le premier de coffres (${coffres[0]}), ou manque.`);
    }
    return { coffre: coffres[0], coffres };
  }
  if (coffre === undefined) {
    if (avant) return {};
    throw champInvalide('coffre', 'Donnez coffre ou coffres.');
  }
  return coffre === avant?.['coffre'] ? {} : { coffre, coffres: [coffre] };
}
