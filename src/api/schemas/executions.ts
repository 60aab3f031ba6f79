import { z } from 'zod';
import { NOMS_TACHES, type NomTache } from '../../base/config/planification.ts';
import { id, instantLu, texte } from './commun.ts';

export const ETATS_EXECUTION = [
  'en_attente',
  'en_cours',
  'reussie',
  'partielle',
  'echouee',
  'ignoree',
] as const;
export const DECLENCHEURS = ['cli', 'planifie', 'demande', 'suivi'] as const;

export const executionLue = z
  .object({
    id,
    tache: z.string().meta({ examples: ['ingest'] }),
    etat: z.enum(ETATS_EXECUTION).meta({
      description:
        'en_attente : dans la file ; partielle : un fichier n’a pas pu être lu ; ignoree : une autre était en cours',
    }),
    debut: instantLu.meta({ description: 'Début ; celui de la demande tant que le passage attend' }),
    fin: instantLu.nullable().meta({ description: 'null tant que le passage court' }),
    duree_secondes: z.number().nullable(),
    compteurs: z.record(z.string(), z.unknown()).meta({
      description: 'Ce qui a été lu, écrit, rejeté',
      examples: [{ fichiersLus: 3, sessionsCreees: 2 }],
    }),
    erreur: z.string().nullable().meta({ description: 'Pourquoi le passage a échoué' }),
    declencheur: z.enum(DECLENCHEURS).meta({
      description: 'cli : une commande ; planifie : une échéance ; demande : l’API ou `atelier lancer`',
    }),
    echeance: instantLu.nullable().meta({ description: 'L’échéance dont c’est le passage' }),
    travail: z
      .uuid()
      .nullable()
      .meta({ description: 'Travail de la file ; les essais d’un même travail le partagent' }),
    tentative: z.int().meta({ description: 'Numéro de l’essai, à partir de 1' }),
    tentatives_max: z
      .int()
      .nullable()
      .meta({ description: 'Nombre d’essais avant abandon ; null hors de la file' }),
  })
  .meta({ id: 'Execution', description: 'Passage d’une tâche' });

/** What may be asked for with each task. */
export const OPTIONS_PAR_TACHE = {
  ingest: ['centre'],
  sync: ['force'],
  purge: ['force'],
  sauvegarde: [],
} as const satisfies Record<NomTache, readonly string[]>;

export const executionDemandee = z
  .strictObject({
    tache: z.enum(NOMS_TACHES),
    options: z
      .strictObject({
        centre: texte(100)
          .optional()
          .meta({ description: 'ingest : ce centre seulement', examples: ['DEM12'] }),
        force: z.boolean().optional().meta({
          description:
            'sync : remplacer la liste même si l’ERP ne rend rien ou presque ; purge : même au-delà de PURGE_SEUIL_PART',
        }),
      })
      .optional(),
  })
  .meta({ id: 'ExecutionDemandee', description: 'Ce que l’on demande', examples: [{ tache: 'sync' }] });
