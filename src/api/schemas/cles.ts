import { z } from 'zod';
import { RESSOURCES } from '../acces.ts';
import { instant, instantLu, texte } from './commun.ts';
import { pageSimple, passwordActuel, uuid } from './users.ts';

/** Days that a key lasts when nothing is said, and at most. */
export const JOURS_DEFAUT = 90;
export const JOURS_MAX = 366;

const PORTEES = [...RESSOURCES, '*'].flatMap((ressource) => [`${ressource}:lire`, `${ressource}:ecrire`]);
const portee = z
  .enum(PORTEES, 'Attendu ressource:lire ou ressource:ecrire (sessions:lire…), ou *:lire pour tout lire.')
  .meta({ examples: ['sessions:lire'] });

const nom = texte(100)
  .refine((value) => value.trim() !== '', 'Le nom ne peut pas être vide.')
  .refine((value) => /^\P{Cc}*$/u.test(value), 'Le nom ne porte pas de caractère de contrôle.')
  .meta({ description: 'À quoi elle sert', minLength: 1, examples: ['Power BI'] });

export const cleSaisie = z
  .strictObject({
    nom,
    portees: z
      .array(portee)
      .min(1, 'Donnez au moins une portée.')
      .max(PORTEES.length)
      .refine((list) => new Set(list).size === list.length, 'Une portée est donnée deux fois.')
      .meta({ description: 'Ce que la clé permet, dans les limites du rôle du compte' }),
    date_fin: instant
      .optional()
      .meta({ description: `Fin de validité (défaut : dans ${JOURS_DEFAUT} jours ; au plus un an)` }),
    user_id: uuid
      .optional()
      .meta({ description: 'Compte au nom duquel elle agit : le sien, sauf pour un admin' }),
    password_actuel: passwordActuel.optional(),
  })
  .meta({ id: 'CleSaisie', examples: [{ nom: 'Power BI', portees: ['sessions:lire', 'stats:lire'] }] });

export const cleLue = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    nom: z.string().meta({ examples: ['Power BI'] }),
    portees: z.array(z.string()),
    date_fin: instantLu,
    revoquee: instantLu.nullable().meta({ description: 'Instant de révocation, null tant qu’elle vaut' }),
    derniere_utilisation: instantLu.nullable().meta({ description: 'À la minute près' }),
    date_creation: instantLu,
  })
  .meta({ id: 'Cle', description: 'Clé d’API, sans son secret' });

export const cleCreee = cleLue
  .extend({
    cle: z.string().meta({
      description: 'La clé entière, montrée cette seule fois : à envoyer en Authorization: Bearer',
      examples: ['atl_018f2c1e6f4b4c1a9a570d3e5b7a9c11_…'],
    }),
  })
  .meta({ id: 'CleCreee', description: 'Clé d’API avec son secret, une seule fois' });

export const pageDeCles = z.strictObject({
  ...pageSimple,
  user_id: uuid.optional().meta({ description: 'Seulement les clés de ce compte' }),
});
