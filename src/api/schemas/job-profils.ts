import { z } from 'zod';
import { id, instantLu, texte } from './commun.ts';
import { decimalSaisi, idSaisi, instantSaisi, modification, NOMBRE } from './saisie.ts';

export const jobProfil = z
  .object({
    id,
    session_id: id,
    reference: z.string().meta({ examples: ['215023'] }),
    longueur: z.number().meta({ description: 'Longueur en mm', examples: [3359] }),
    couleur: z
      .string()
      .nullable()
      .meta({ examples: ['7016 G ALU'] }),
    timestamp_debut: instantLu.meta({ description: 'Instant du chargement' }),
    date_creation: instantLu,
  })
  .meta({ id: 'JobProfil', description: 'Barre de profilé chargée' });

const profilEntier = z.strictObject({
  session_id: idSaisi.meta({ description: 'Une session saisie à la main' }),
  reference: texte(200).min(1, 'La référence ne peut pas être vide.'),
  longueur: decimalSaisi(
    z.number(NOMBRE).min(0.001, 'Une longueur est plus grande que 0.').max(1_000_000),
  ).meta({ description: 'Longueur en mm', examples: [3359] }),
  couleur: texte(200).nullable().optional(),
  timestamp_debut: instantSaisi,
});

export const jobProfilSaisi = profilEntier
  .extend({
    timestamp_debut: instantSaisi.nullable().optional().meta({
      description:
        'Instant du chargement. Sans lui : le début de la session (premier démarrage de la machine, à défaut première pièce, à défaut début de la journée)',
    }),
  })
  .meta({
    id: 'JobProfilSaisi',
    examples: [
      {
        session_id: 1,
        reference: '215023',
        longueur: 3359,
        couleur: '7016 G ALU',
        timestamp_debut: '2025-05-28T06:10:00+02:00',
      },
    ],
  });

export const jobProfilModifie = modification(
  profilEntier,
  'JobProfilModifie',
  { couleur: '9016' },
  jobProfil,
);
