import { z } from 'zod';
import { ROLES } from '../../base/roles.ts';
import { entierTexte, instantLu, texte } from './commun.ts';
import { LIMITE_DEFAUT, PAGE } from './listes.ts';
import { AUTRE_EXEMPLE_DE_MOT_DE_PASSE, EXEMPLE_DE_MOT_DE_PASSE } from './mots-de-passe-exemple.ts';
import { lectureSeule, RENDU } from './saisie.ts';

/** Neither line breaks nor characters that nobody sees. */
const VISIBLE = /^[^\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]*$/u;

/** A UUID of any version, in lower case. */
export const uuid = z
  .guid('Attendu un UUID.')
  .toLowerCase()
  .meta({ examples: ['018f2c1e-6f4b-4c1a-9a57-0d3e5b7a9c11'] });

export const parametresUuid = z.strictObject({ id: uuid });

const username = texte(64)
  .refine((value) => value.trim() !== '', 'Le nom ne peut pas être vide.')
  .refine((value) => VISIBLE.test(value), 'Le nom ne porte que des caractères visibles et des espaces.')
  .meta({
    description: 'Nom du compte, unique (majuscules ou non)',
    minLength: 1,
    examples: ['marie.dupont'],
  });

const email = z
  .email('Attendu une adresse électronique.')
  .max(254)
  .meta({ description: 'Adresse électronique, unique', examples: ['marie.dupont@exemple.test'] });

const password = texte(1000).meta({
  description:
    'Au moins 12 caractères et 80 bits (par exemple 14 lettres et chiffres, ou 17 lettres minuscules), sans le nom du compte ni suite connue',
  format: 'password',
  examples: [EXEMPLE_DE_MOT_DE_PASSE],
});

/** The password again of whoever asks. */
export const passwordActuel = texte(1000).meta({
  description:
    'Mot de passe actuel de qui demande (non du compte dont il s’agit) ; ou l’en-tête X-Password-Actuel',
  format: 'password',
});

const role = z.enum(ROLES, 'Attendu lecteur, gestionnaire ou admin.').meta({
  description: 'lecteur : lire ; gestionnaire : aussi écrire ; admin : aussi les comptes',
  examples: ['lecteur'],
});

const actif = z
  .boolean()
  .meta({ description: 'false : ne peut plus se connecter ; ses jetons et clés ne valent rien' });

export const compteLu = z
  .object({
    id: z.uuid(),
    username: z.string().meta({ examples: ['marie.dupont'] }),
    email: z.string().meta({ examples: ['marie.dupont@exemple.test'] }),
    role: z.enum(ROLES),
    actif: z.boolean(),
    date_creation: instantLu,
  })
  .meta({ id: 'Compte', description: 'Un compte' });

export const compteSaisi = z
  .strictObject({
    username,
    email,
    password,
    role: role.optional().meta({ description: 'lecteur par défaut ; le tout premier compte est admin' }),
    password_actuel: passwordActuel.optional(),
  })
  .meta({ id: 'CompteSaisi' });

/** What is told of a key beside its account. */
const cleDuCompte = {
  id: z.uuid(),
  nom: z.string(),
  portees: z.array(z.string()),
  date_fin: instantLu,
};

/** After a change. */
export const compteChange = compteLu
  .extend({
    cles: z
      .array(
        z.object({
          ...cleDuCompte,
          derniere_utilisation: instantLu.nullable(),
        }),
      )
      .optional()
      .meta({ description: 'Après un nouveau mot de passe : les clés d’API du compte qui valent encore' }),
  })
  .meta({ id: 'CompteChange', description: 'Le compte, tel qu’il est maintenant' });

const auMoinsUn = 'Donnez au moins un champ à changer.';
const change = (value: object): boolean =>
  Object.entries(value).some(([key, v]) => v !== undefined && key !== 'password_actuel');

const champsDeSoi = {
  username: username.optional(),
  email: email.optional(),
  password: password.optional(),
  password_actuel: passwordActuel.optional(),
  revoquer_cles: z
    .boolean()
    .optional()
    .meta({ description: 'Avec un nouveau mot de passe : révoque aussi toutes les clés d’API du compte' }),
};

/** What people change of their own account. */
export const compteModifieMoi = z
  .strictObject({ ...champsDeSoi, ...lectureSeule(compteLu, Object.keys(champsDeSoi)) })
  .refine(change, auMoinsUn)
  .meta({
    id: 'MonCompteModifie',
    description: `Les champs absents restent. ${RENDU}`,
    examples: [{ password: AUTRE_EXEMPLE_DE_MOT_DE_PASSE, password_actuel: EXEMPLE_DE_MOT_DE_PASSE }],
  });

/** What an admin changes of any account. */
export const compteModifie = z
  .strictObject({
    ...{ ...champsDeSoi, role: role.optional(), actif: actif.optional() },
    ...lectureSeule(compteLu, [...Object.keys(champsDeSoi), 'role', 'actif']),
  })
  .refine(change, auMoinsUn)
  .meta({
    id: 'CompteModifie',
    description: `Les champs absents restent. ${RENDU}`,
    examples: [{ role: 'gestionnaire' }],
  });

export const pageSimple = {
  skip: PAGE.skip,
  limit: entierTexte(1, 1000)
    .default(LIMITE_DEFAUT)
    .meta({ type: 'integer', description: `Lignes au plus (défaut ${LIMITE_DEFAUT}, au plus 1000)` }),
};

const geste = z.object({ instant: instantLu, objet: z.string().meta({ description: 'Tâche, ou alerte' }) });

export const exportLu = z
  .object({
    date_export: z.iso.datetime({ offset: true }),
    compte: compteLu.extend({
      version: z.int().meta({ description: 'Nombre de modifications, plus un' }),
      derniere_connexion: instantLu.nullable(),
      reactive_le: instantLu.nullable().meta({ description: 'Dernière réactivation par un admin' }),
    }),
    cles: z
      .array(
        z.object({
          ...cleDuCompte,
          revoquee: instantLu.nullable(),
          derniere_utilisation: instantLu.nullable(),
          date_creation: instantLu,
        }),
      )
      .meta({ description: 'Clés d’API, sans leur secret' }),
    connexions: z
      .array(z.object({ date_creation: instantLu, expire: instantLu, renouvellements: z.int() }))
      .meta({ description: 'Connexions ouvertes du tableau de bord' }),
    demandes: z.array(geste).meta({ description: 'Tâches demandées par l’API' }),
    acquittements: z.array(geste).meta({ description: 'Alertes acquittées' }),
    journal: z
      .array(
        z.object({
          instant: instantLu,
          evenement: z.string(),
          par: z.enum(['vous', 'un autre compte', 'le serveur']),
          cible: z.string().nullable(),
          adresse: z.string().nullable().meta({ description: 'Adresse réseau, tronquée' }),
          details: z.record(z.string(), z.unknown()),
        }),
      )
      .meta({ description: 'Journal d’audit : ce que vous avez fait, et ce qui a été fait à votre compte' }),
  })
  .meta({
    id: 'ExportCompte',
    description: 'Tout ce qui est conservé sur une personne (RGPD, articles 15 et 20)',
  });
