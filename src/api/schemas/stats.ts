import { z } from 'zod';
import { date, id, texte } from './commun.ts';

const heures = z.number().meta({ description: 'Somme, en heures décimales' });

const sommes = {
  centre_usinage_id: id,
  nom: z.string().meta({ examples: ['DEM12'] }),
  type_cu: z.string().meta({ examples: ['PVC'] }),
  nombre_sessions: z.int().min(0),
  jours_avec_deux_origines: z.int().min(0).meta({
    description:
      'Jours qui ont une session calculée et une session saisie : les deux sont comptées. origine=log ou origine=manuel n’en compte qu’une',
  }),
  total_pieces: z.int().min(0),
  duree_production_totale: heures,
  temps_production_effectif: heures,
  temps_attente: heures,
  temps_arret_volontaire: heures,
  taux_occupation_moyen: z.number().nullable().meta({
    description: '100 × somme des temps effectifs ÷ somme des durées ; null quand la somme des durées est 0',
  }),
};

export const productionDeCentre = z
  .object(sommes)
  .meta({ id: 'ProductionDeCentre', description: 'Production d’un centre sur une période' });

export const productionParJour = z
  .object({
    ...sommes,
    par_jour: z.array(
      z.object({
        date_production: date,
        origine: z.enum(['log', 'manuel']),
        session_id: id,
        total_pieces: z.int().min(0),
        duree_production_totale: z.number(),
        temps_production_effectif: z.number(),
        temps_attente: z.number(),
        temps_arret_volontaire: z.number(),
        taux_occupation: z
          .number()
          .nullable()
          .meta({ description: 'Celui de la session ; null quand sa durée est 0' }),
      }),
    ),
  })
  .meta({ id: 'ProductionDeCentreParJour', description: 'Production d’un centre, et ses sessions par jour' });

/** Both ends of a range of days; the later one must not come first. */
const periode = {
  date_debut: date.optional().meta({ description: 'À partir de cette date, incluse' }),
  date_fin: date.optional().meta({ description: 'Jusqu’à cette date, incluse' }),
  origine: z.enum(['log', 'manuel']).optional().meta({
    description: 'Seulement les sessions calculées (log) ou saisies (manuel) ; sans lui, toutes',
  }),
};
const inOrder = ({
  date_debut,
  date_fin,
}: {
  date_debut?: string | undefined;
  date_fin?: string | undefined;
}) => date_debut === undefined || date_fin === undefined || date_debut <= date_fin;
const REFUS = { error: 'date_fin est avant date_debut.', path: ['date_fin'] };

export const questionParCentre = z.strictObject(periode).refine(inOrder, REFUS);
export const questionDeResume = z
  .strictObject({
    ...periode,
    type_cu: texte(100)
      .optional()
      .meta({ description: 'Seulement les centres de ce type', examples: ['PVC'] }),
  })
  .refine(inOrder, REFUS);
