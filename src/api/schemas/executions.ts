import { z } from 'zod';
import { id, instantLu } from './commun.ts';

export const ETATS_EXECUTION = ['en_cours', 'reussie', 'partielle', 'echouee', 'ignoree'] as const;

export const executionLue = z
  .object({
    id,
    tache: z.string().meta({ examples: ['ingest'] }),
    etat: z.enum(ETATS_EXECUTION).meta({
      description:
        'partielle : un fichier n’a pas pu être lu ; en_cours sans fin depuis longtemps : le passage a été tué',
    }),
    debut: instantLu,
    fin: instantLu.nullable().meta({ description: 'null tant que le passage court' }),
    duree_secondes: z.number().nullable(),
    compteurs: z.record(z.string(), z.unknown()).meta({
      description: 'Ce qui a été lu, écrit, rejeté',
      examples: [{ fichiersLus: 3, sessionsCreees: 2 }],
    }),
    erreur: z.string().nullable().meta({ description: 'Pourquoi le passage a échoué' }),
  })
  .meta({ id: 'Execution', description: 'Passage d’une tâche' });
