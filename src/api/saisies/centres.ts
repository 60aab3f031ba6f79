import type { Client } from '../../postgres/pool.ts';
import {
  CENTRES_SAISIS,
  changerLigne,
  type Dependances,
  dependancesDeCentre,
  insererLigne,
  trouverLigne,
  type Valeurs,
} from '../../postgres/production/saisie.ts';
import type { Ligne, Saisie } from '../ecritures.ts';
import { Probleme } from '../problemes.ts';
import { RESSOURCE_CENTRES } from '../ressources/centres.ts';
import { centreUsinageModifie, centreUsinageSaisi } from '../schemas/centres.ts';

export const SAISIE_CENTRES: Saisie = {
  ressource: RESSOURCE_CENTRES,
  table: CENTRES_SAISIS,
  saisie: centreUsinageSaisi,
  modification: centreUsinageModifie,
  notes: {
    creer: 'Le nom est celui du dossier de la machine ; il est unique (409).',
    modifier:
      'Un type dit ici n’est plus changé par les imports. Le nom d’un centre qui a des fichiers LOG est celui de leur dossier et ne change pas (409).',
    supprimer:
      'Seulement un centre dont rien ne dépend ; un centre qui a des sessions ou des fichiers se désactive (`actif` = false).',
  },
  creer: (client, corps) => insererLigne(client, CENTRES_SAISIS, avecOrigineDuType(corps)),
  async modifier(client, ligne, corps) {
    if (corps['nom'] !== undefined && corps['nom'] !== ligne.valeurs['nom']) {
      await refuserNouveauNom(client, ligne);
    }
    await changerLigne(client, CENTRES_SAISIS, ligne.id, avecOrigineDuType(corps));
  },
  async avantSuppression(client, { id, valeurs }) {
    const parts = partsDe(await dependancesDeCentre(client, id));
    if (parts.length === 0) return;
    throw new Probleme(
      409,
      `${valeurs['nom']} ne peut pas être supprimé : ${parts.join(', ')} en dépendent. S’il ne produit plus, mettez actif à false (PUT).`,
    );
  },
  async doublon(db, { nom }) {
    const id = await trouverLigne(db, CENTRES_SAISIS, { nom });
    return `Un centre s’appelle déjà ${nom}${id === undefined ? '' : ` (/centres/${id})`}.`;
  },
};

/** A type that somebody says is kept from then on, even where it is the one that the folder says. */
function avecOrigineDuType(corps: Valeurs): Valeurs {
  return corps['type_cu'] === undefined ? corps : { ...corps, type_origine: 'manuel' };
}

/** The next import would make a second centre of the folder's name and count all its files again. */
async function refuserNouveauNom(client: Client, { id, valeurs }: Ligne): Promise<void> {
  const { fichiers } = await dependancesDeCentre(client, id);
  if (fichiers === 0) return;
  throw new Probleme(
    409,
    `${valeurs['nom']} est le nom du dossier d’où viennent ses ${fichiers} fichiers LOG : le prochain import recréerait un centre sous ce nom. Gardez-le, et dites le reste dans description.`,
  );
}

function partsDe({ sessions, fichiers, evenements }: Dependances): string[] {
  const counts: readonly (readonly [number, string])[] = [
    [sessions, 'session(s)'],
    [fichiers, 'fichier(s) LOG'],
    [evenements, 'type(s) d’événement'],
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}
