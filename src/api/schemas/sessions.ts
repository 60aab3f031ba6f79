import { z } from 'zod';
import { PARTIES_DE_SESSION, type Partie } from '../../postgres/lecture/session-complete.ts';
import { date, id, instantLu, texte } from './commun.ts';
import { jobProfil } from './job-profils.ts';
import { periodeArret, periodeAttente } from './periodes.ts';
import { pieceProduction } from './pieces.ts';
import { dateSaisie, decimalSaisi, idSaisi, instantSaisi, modification, NOMBRE } from './saisie.ts';

const heures = z.number().meta({ description: 'Heures décimales' });
const taux = z.number().min(0).max(100).meta({ description: 'Pourcentage de la durée totale' });

export const sessionProduction = z
  .object({
    id,
    centre_usinage_id: id,
    date_production: date,
    heure_premiere_piece: instantLu.nullable(),
    heure_derniere_piece: instantLu.nullable(),
    heure_premier_machine_start: instantLu.nullable(),
    heure_dernier_machine_stop: instantLu.nullable(),
    total_pieces: z.int().min(0),
    duree_production_totale: heures,
    temps_attente: heures,
    temps_arret_volontaire: heures,
    temps_production_effectif: heures,
    taux_occupation: taux,
    taux_attente: taux,
    taux_arret_volontaire: taux,
    fichier_log_source: z.string().nullable(),
    origine: z.enum(['log', 'manuel']),
    date_creation: instantLu,
  })
  .meta({ id: 'SessionProduction', description: 'Session : un centre, une journée de production' });

/** A session with the details that were asked for. */
export const sessionComplete = sessionProduction
  .extend({
    job_profils: z.array(jobProfil).optional(),
    periodes_attente: z.array(periodeAttente).optional(),
    periodes_arret: z.array(periodeArret).optional(),
    pieces_production: z.array(pieceProduction).optional(),
  } satisfies Record<Partie, z.ZodType>)
  .meta({
    id: 'SessionComplete',
    description: 'Session, avec les détails demandés par inclure dans l’ordre de leur numéro',
  });

const PARTIES = PARTIES_DE_SESSION.join(', ');
export const parametresSession = z.strictObject({
  inclure: z
    .string()
    .max(200)
    .transform((value, ctx) => {
      const parties = value.split(',');
      const known = parties.every((partie) => (PARTIES_DE_SESSION as readonly string[]).includes(partie));
      if (!known || new Set(parties).size !== parties.length) {
        ctx.addIssue({ code: 'custom', message: `On peut inclure ${PARTIES}, chacun une fois.` });
      }
      return parties as Partie[];
    })
    .optional()
    .meta({
      type: 'string',
      description: `Détails à joindre, séparés par des virgules : ${PARTIES}`,
      examples: [PARTIES_DE_SESSION.join(',')],
    }),
});

/** A production day has at most 25 hours: when clocks go back. */
export const HEURES_MAX = 25;
const heuresSaisies = decimalSaisi(
  z
    .number(NOMBRE)
    .min(0, 'Une durée n’est pas négative.')
    .max(HEURES_MAX, `Une journée de production a au plus ${HEURES_MAX} h.`),
).optional();
const tauxSaisi = decimalSaisi(
  z.number(NOMBRE).min(0, 'Un taux va de 0 à 100.').max(100, 'Un taux va de 0 à 100.'),
)
  .optional()
  .meta({ description: 'Pourcentage, arrondi à 2 décimales ; sans lui : calculé' });
const heure = instantSaisi.nullable().optional();

export const sessionProductionSaisie = z
  .strictObject({
    centre_usinage_id: idSaisi,
    date_production: dateSaisie,
    heure_premiere_piece: heure,
    heure_derniere_piece: heure.meta({ description: 'Au plus tôt heure_premiere_piece' }),
    heure_premier_machine_start: heure,
    heure_dernier_machine_stop: heure,
    total_pieces: z
      .int()
      .min(0, 'Un nombre de pièces n’est pas négatif.')
      .max(10_000_000)
      .optional()
      .meta({ description: '0 sans lui' }),
    duree_production_totale: heuresSaisies.meta({
      description:
        'Heures décimales, arrondies à 4 décimales ; sans elle : de la première à la dernière pièce, à défaut la somme des trois temps',
    }),
    temps_attente: heuresSaisies.meta({ description: 'Heures décimales ; 0 sans lui' }),
    temps_arret_volontaire: heuresSaisies.meta({ description: 'Heures décimales ; 0 sans lui' }),
    temps_production_effectif: heuresSaisies.meta({
      description:
        'Heures décimales ; sans lui : ce qu’attente et arrêt laissent de la durée. Les trois ensemble ne la dépassent pas',
    }),
    taux_occupation: tauxSaisi,
    taux_attente: tauxSaisi,
    taux_arret_volontaire: tauxSaisi,
    fichier_log_source: texte(1000)
      .nullable()
      .optional()
      .meta({ description: 'D’où vient la saisie : feuille, fichier…' }),
  })
  .meta({
    id: 'SessionProductionSaisie',
    examples: [
      {
        centre_usinage_id: 1,
        date_production: '2025-05-28',
        heure_premiere_piece: '2025-05-28T06:12:00+02:00',
        heure_derniere_piece: '2025-05-28T07:30:00+02:00',
        total_pieces: 2,
        temps_attente: 0.0667,
        temps_arret_volontaire: 0.2,
      },
    ],
  });

export const sessionProductionModifiee = modification(
  sessionProductionSaisie,
  'SessionProductionModifiee',
  { total_pieces: 3 },
  sessionComplete,
);
