import { z } from 'zod';
import { texte } from './commun.ts';

const ignored = texte(1000).optional().meta({ description: 'Accepté et ignoré : il n’y a qu’un client' });

/** The form of `POST /token` (RFC 6749, 4.3.2). */
export const formulaireToken = z
  .strictObject({
    grant_type: z
      .literal('password')
      .optional()
      .meta({ description: 'password (ou rien)', examples: ['password'] }),
    username: texte(1000).meta({ description: 'Nom du compte', examples: ['demo'] }),
    password: texte(4000).meta({ description: 'Mot de passe', format: 'password', examples: ['demo'] }),
    scope: ignored,
    client_id: ignored,
    client_secret: ignored,
  })
  .meta({
    id: 'FormulaireToken',
    examples: [{ grant_type: 'password', username: 'demo', password: 'demo' }],
  });

export const jetonLu = z
  .object({
    access_token: z.string().meta({ description: 'À envoyer en Authorization: Bearer …' }),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'Durée de vie, en secondes', examples: [900] }),
  })
  .meta({ id: 'Jeton' });

export const ERREURS_OAUTH = [
  'invalid_request',
  'invalid_grant',
  'unsupported_grant_type',
  'temporarily_unavailable',
] as const;

/** Errors of `/token` have the form that OAuth clients know (RFC 6749, 5.2), not the one of the rest of the API. */
export const erreurOAuth = z
  .object({
    error: z.enum(ERREURS_OAUTH),
    error_description: z.string().meta({ description: 'Ce qui ne va pas (sans accents : RFC 6749)' }),
  })
  .meta({ id: 'ErreurOAuth', description: 'Erreur (RFC 6749, 5.2)' });
