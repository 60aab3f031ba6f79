import { type FactoryTime, parseDay } from '../../base/time.ts';
import { lireSessionComplete, PARTIES_DE_SESSION } from '../../postgres/lecture/session-complete.ts';
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
import { Probleme } from '../problemes.ts';
import { RESSOURCE_SESSIONS } from '../ressources/sessions.ts';
import { sessionProductionModifiee, sessionProductionSaisie } from '../schemas/sessions.ts';
import { chiffresDeSession, micros } from './chiffres-session.ts';

const DEDUITS =
  'Ce qui n’est pas envoyé et se déduit est calculé : `duree_production_totale` de la première à la dernière pièce (à défaut, la somme des trois temps), `temps_production_effectif` ce que l’attente et l’arrêt en laissent, les taux en pourcentage de cette durée.';

export const SAISIE_SESSIONS: Saisie = {
  ressource: RESSOURCE_SESSIONS,
  table: SESSIONS_SAISIES,
  saisie: sessionProductionSaisie,
  modification: sessionProductionModifiee,
  notes: {
    creer: `La session a \`origine\` = \`manuel\` : aucun import n’y touche, et elle vit à côté de celle que les journaux donnent peut-être pour la même journée. Une seule session saisie par centre et par jour (409). Ses heures sont de la journée de production \`date_production\`. ${DEDUITS}`,
    modifier: `Une session calculée des journaux ne se modifie pas (409). ${DEDUITS} Ce qui se déduit est recalculé dès qu’un champ dont il dépend est envoyé ; d’une ligne renvoyée entière, dès qu’il diffère.`,
    supprimer:
      'Ses pièces, profilés, attentes et arrêts s’en vont avec elle. Une session calculée des journaux ne se supprime pas (409).',
  },
  async creer(client, corps, { time }) {
    await exigerCentre(client, corps);
    const chiffres = chiffresDeSession(undefined, corps);
    exigerJournee(time, corps, corps);
    return await insererLigne(client, SESSIONS_SAISIES, { ...chiffres, origine: 'manuel' });
  },
  async modifier(client, { id, valeurs }, corps, { time }) {
    const { centre_usinage_id: centre, ...rest } = corps;
    if (centre !== undefined && centre !== valeurs['centre_usinage_id']) {
      throw champInvalide(
        'centre_usinage_id',
        'Une session ne change pas de centre : supprimez-la, et créez-en une pour l’autre centre.',
      );
    }
    const chiffres = chiffresDeSession(valeurs, rest);
    exigerJournee(time, { ...valeurs, ...rest }, rest);
    await changerLigne(client, SESSIONS_SAISIES, id, chiffres);
  },
  async lireEnPlus(client, id, champs) {
    const parties = PARTIES_DE_SESSION.filter((partie) => champs.includes(partie));
    return JSON.parse((await lireSessionComplete(client, id, parties)) ?? '{}') as Valeurs;
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

const HEURES = [
  'heure_premiere_piece',
  'heure_derniere_piece',
  'heure_premier_machine_start',
  'heure_dernier_machine_stop',
] as const;

/**
 * The hours of a session lie in its production day, as those of a computed one do.
 *
 * @param row the session as it would be
 * @param corps what of it was sent: hours that stood there before are left alone
 * @throws Probleme 422
 */
function exigerJournee(time: FactoryTime, row: Valeurs, corps: Valeurs): void {
  const date = row['date_production'] as string;
  const day = parseDay(date);
  const [start, end] = [time.startOf(day), time.startOf(day + 1)];
  const moved = corps['date_production'] !== undefined;
  const outside = HEURES.filter((nom) => {
    const value = row[nom];
    if (typeof value !== 'string' || (!moved && corps[nom] === undefined)) return false;
    const seconds = micros(value) / 1_000_000;
    return seconds < start || seconds >= end;
  });
  if (outside.length === 0) return;
  const bounds = `la journée du ${date} va du ${time.format(start)} au ${time.format(end)} exclu`;
  const errors = outside.map((nom) => ({
    pointer: `/body/${nom}`,
    detail: `${nom} : ${time.format(Math.floor(micros(row[nom] as string) / 1_000_000))} est d’une autre journée ; ${bounds}. Corrigez l’heure, ou date_production.`,
  }));
  const detail =
    errors.length === 1
      ? errors[0]!.detail
      : `${outside.join(', ')} sont d’une autre journée ; ${bounds}. Corrigez les heures, ou date_production.`;
  throw new Probleme(422, detail, { errors });
}

async function exigerCentre(client: Client, { centre_usinage_id: centre }: Valeurs): Promise<void> {
  if (await existeCentre(client, centre as number)) return;
  throw champInvalide('centre_usinage_id', 'Il n’y a pas de centre sous cet identifiant.');
}
