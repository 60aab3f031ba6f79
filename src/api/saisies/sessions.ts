import type { Client } from '../../postgres/pool.ts';
import {
  changerLigne,
  existeCentre,
  insererLigne,
  SESSIONS_SAISIES,
  trouverLigne,
  type Valeurs,
} from '../../postgres/production/saisie.ts';
import { champInvalide, type Saisie } from '../ecritures.ts';
import { RESSOURCE_SESSIONS } from '../ressources/sessions.ts';
import { sessionProductionModifiee, sessionProductionSaisie } from '../schemas/sessions.ts';
import { chiffresDeSession } from './chiffres-session.ts';

const DEDUITS =
  'Ce qui n’est pas envoyé et se déduit est calculé : `duree_production_totale` de la première à la dernière pièce (à défaut, la somme des trois temps), `temps_production_effectif` ce que l’attente et l’arrêt en laissent, les taux en pourcentage de cette durée.';

export const SAISIE_SESSIONS: Saisie = {
  ressource: RESSOURCE_SESSIONS,
  table: SESSIONS_SAISIES,
  saisie: sessionProductionSaisie,
  modification: sessionProductionModifiee,
  notes: {
    creer: `La session a \`origine\` = \`manuel\` : aucun import n’y touche, et elle vit à côté de celle que les journaux donnent peut-être pour la même journée. Une seule session saisie par centre et par jour (409). ${DEDUITS}`,
    modifier: `Une session calculée des journaux ne se modifie pas (409). ${DEDUITS} Ce qui se déduit est recalculé dès qu’un champ dont il dépend est envoyé.`,
    supprimer:
      'Ses pièces, profilés, attentes et arrêts s’en vont avec elle. Une session calculée des journaux ne se supprime pas (409).',
  },
  async creer(client, corps) {
    await exigerCentre(client, corps);
    return await insererLigne(client, SESSIONS_SAISIES, {
      ...chiffresDeSession(undefined, corps),
      origine: 'manuel',
    });
  },
  async modifier(client, { id, valeurs }, corps) {
    const { centre_usinage_id: centre, ...rest } = corps;
    if (centre !== undefined && centre !== valeurs['centre_usinage_id']) {
      throw champInvalide(
        'centre_usinage_id',
        'Une session ne change pas de centre : supprimez-la, et créez-en une pour l’autre centre.',
      );
    }
    await changerLigne(client, SESSIONS_SAISIES, id, chiffresDeSession(valeurs, rest));
  },
  async derivee(_client, { origine }) {
    return origine === 'log'
      ? 'Cette session est calculée des fichiers LOG et ne se change pas à la main. Si le journal est faux, déposez le fichier corrigé : elle suivra. Pour d’autres chiffres à côté, créez une session saisie (POST /sessions/).'
      : undefined;
  },
  async doublon(db, { centre_usinage_id, date_production }) {
    const id = await trouverLigne(db, SESSIONS_SAISIES, {
      ...{ centre_usinage_id, date_production },
      origine: 'manuel',
    });
    const where = id === undefined ? '' : ` : /sessions/${id} ; modifiez-la (PUT)`;
    return `Ce centre a déjà une session saisie le ${date_production}${where}.`;
  },
};

async function exigerCentre(client: Client, { centre_usinage_id: centre }: Valeurs): Promise<void> {
  if (await existeCentre(client, centre as number)) return;
  throw champInvalide('centre_usinage_id', 'Il n’y a pas de centre sous cet identifiant.');
}
