import { z } from 'zod';
import { date, id, instantLu, texte } from './commun.ts';
import { dateSaisie, modification } from './saisie.ts';

export const commandeVolet = z
  .object({
    id,
    numero_commande: z.string().meta({ examples: ['25001234'] }),
    extension: z.string().meta({ description: 'Vide s’il n’y en a pas', examples: ['A'] }),
    status: z.string().meta({ examples: ['Planifiée'] }),
    date_modification: date,
    coffre: z.string().meta({ description: 'Code de coffre : le premier de coffres', examples: ['CF180'] }),
    coffres: z.array(z.string()).meta({ examples: [['CF180', 'CF205']] }),
    gestion_en_stock: z.int().min(0).max(1).meta({ description: '1 : gérée en stock' }),
    origine: z.enum(['erp', 'manuel']),
    date_creation: instantLu,
    date_synchronisation: instantLu.nullable().meta({
      description: 'Instant de la synchronisation qui a écrit la ligne, null pour une saisie',
    }),
  })
  .meta({ id: 'CommandeVolet', description: 'Commande de volets roulants' });

const code = texte(100).min(1, 'Un code de coffre ne peut pas être vide.');

const commandeEntiere = z.strictObject({
  numero_commande: texte(100).min(1, 'Le numéro ne peut pas être vide.'),
  extension: texte(100)
    .nullable()
    .transform((value) => value ?? '')
    .optional()
    .meta({ description: 'Vide sans elle, ou null' }),
  status: texte(200).min(1, 'Le statut ne peut pas être vide.'),
  date_modification: dateSaisie,
  coffre: code.optional().meta({ description: 'Nécessaire sans coffres ; avec eux, le premier' }),
  coffres: z
    .array(code)
    .min(1, 'Donnez au moins un coffre.')
    .max(100)
    .refine((codes) => new Set(codes).size === codes.length, 'Un coffre est donné deux fois.')
    .optional()
    .meta({ description: 'Sans eux : coffre seul' }),
  gestion_en_stock: z.literal([0, 1], 'Attendu 0 ou 1.').optional().meta({ description: '0 sans elle' }),
});

export const commandeVoletSaisie = commandeEntiere
  .extend({
    date_modification: dateSaisie
      .nullable()
      .optional()
      .meta({ description: 'Sans elle : aujourd’hui, à l’heure de l’atelier' }),
  })
  .meta({
    id: 'CommandeVoletSaisie',
    examples: [
      {
        numero_commande: '25001234',
        extension: 'A',
        status: 'Planifiée',
        date_modification: '2025-05-28',
        coffre: 'CF180',
        gestion_en_stock: 0,
      },
    ],
  });

export const commandeVoletModifiee = modification(
  commandeEntiere,
  'CommandeVoletModifiee',
  { status: 'Fabriquée' },
  commandeVolet,
);

export const parametresNumero = z.strictObject({
  numero: texte(100)
    .min(1)
    .meta({ description: 'Numéro de commande, sans son extension', examples: ['25001234'] }),
});
export const parametresStatus = z.strictObject({
  status: texte(200)
    .min(1)
    .meta({ description: 'Statut, en entier', examples: ['Planifiée'] }),
});
