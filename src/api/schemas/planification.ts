import { z } from 'zod';
import { NOMS_TACHES } from '../../base/config/planification.ts';
import { id, instantLu } from './commun.ts';
import { ETATS_EXECUTION } from './executions.ts';

export const tachePlanifiee = z
  .object({
    tache: z.enum(NOMS_TACHES),
    horaire: z
      .string()
      .nullable()
      .meta({
        description: 'HH:MM ou cinq champs cron ; null : sur demande seulement',
        examples: ['09:00,14:00'],
      }),
    fuseau: z
      .string()
      .nullable()
      .meta({ examples: ['Europe/Paris'] }),
    prochaine_echeance: instantLu.nullable(),
    derniere_echeance: instantLu
      .nullable()
      .meta({ description: 'Jusqu’où les échéances ont été mises en file, ou laissées selon RATTRAPAGE' }),
    echeances_manquees: z
      .int()
      .meta({ description: 'Échéances passées pendant que tout était arrêté et non rattrapées' }),
    en_attente: z.int().meta({ description: 'Travaux qui attendent dans la file' }),
    en_cours: z.int().meta({ description: 'Travaux qu’un worker exécute' }),
    dernier_passage: z
      .object({
        id,
        etat: z.enum(ETATS_EXECUTION),
        debut: instantLu,
        fin: instantLu.nullable(),
        erreur: z.string().nullable(),
      })
      .nullable(),
    derniere_reussite: instantLu.nullable(),
  })
  .meta({ id: 'TachePlanifiee', description: 'Où en est une tâche' });
