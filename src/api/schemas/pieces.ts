import { z } from 'zod';
import { id, instantLu, texte } from './commun.ts';
import { idSaisi, instantSaisi, modification } from './saisie.ts';

export const pieceProduction = z
  .object({
    id,
    session_id: id,
    numero_piece: z.int().meta({ description: 'Rang dans la session : 1, 2…', examples: [1] }),
    timestamp_production: instantLu.meta({ description: 'Instant de fin de la pièce' }),
    details: z.string().nullable().meta({ description: 'Texte libre de la machine' }),
    job_profil_id: id
      .nullable()
      .meta({ description: 'Profilé en place à cet instant, null s’il n’y en a pas' }),
    date_creation: instantLu,
  })
  .meta({ id: 'PieceProduction', description: 'Pièce finie' });

export const pieceProductionSaisie = z
  .strictObject({
    session_id: idSaisi.meta({ description: 'Une session saisie à la main' }),
    numero_piece: z
      .int()
      .min(1, 'Les pièces se comptent à partir de 1.')
      .max(1_000_000_000)
      .optional()
      .meta({ description: 'Rang dans la session, unique ; sans lui : le suivant' }),
    timestamp_production: instantSaisi,
    details: texte(2000).nullable().optional(),
    job_profil_id: idSaisi.nullable().optional().meta({ description: 'Un profilé de la même session' }),
  })
  .meta({
    id: 'PieceProductionSaisie',
    examples: [{ session_id: 1, timestamp_production: '2025-05-28T06:12:00+02:00', details: 'A1' }],
  });

export const pieceProductionModifiee = modification(
  pieceProductionSaisie,
  'PieceProductionModifiee',
  { details: 'A1, reprise' },
  pieceProduction,
);
