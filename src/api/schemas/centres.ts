import { z } from 'zod';
import { id, instantLu, texte } from './commun.ts';
import { modification } from './saisie.ts';

export const centreUsinage = z
  .object({
    id,
    nom: z.string().meta({ examples: ['DEM12'] }),
    type_cu: z.string().meta({ examples: ['PVC'], description: 'PVC, ALU, HYBRIDE, ou INCONNU' }),
    description: z.string().nullable(),
    actif: z.boolean(),
    date_creation: instantLu,
  })
  .meta({ id: 'CentreUsinage', description: 'Centre d’usinage : une machine' });

export const centreUsinageSaisi = z
  .strictObject({
    nom: texte(200)
      .min(1, 'Le nom ne peut pas être vide.')
      .meta({ examples: ['DEM14'] }),
    type_cu: texte(100)
      .min(1, 'Le type ne peut pas être vide.')
      .optional()
      .meta({
        description: 'Dit ici, un import ne le change plus ; sans lui : INCONNU jusqu’au premier import',
        examples: ['PVC'],
      }),
    description: texte(2000).nullable().optional(),
    actif: z.boolean().optional().meta({ description: 'true sans lui' }),
  })
  .meta({ id: 'CentreUsinageSaisi', examples: [{ nom: 'DEM14', type_cu: 'PVC', description: 'Atelier 2' }] });

export const centreUsinageModifie = modification(
  centreUsinageSaisi,
  'CentreUsinageModifie',
  { actif: false },
  centreUsinage,
);
