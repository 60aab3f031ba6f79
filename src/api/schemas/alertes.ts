import { z } from 'zod';
import { GENRES_AVIS } from '../../domain/alertes/avis.ts';
import { GRAVITES, NOMS_REGLES } from '../../domain/alertes/regles.ts';
import { id, instantLu, texte } from './commun.ts';

const ETATS_ALERTE = ['ouverte', 'resolue'] as const;

const regle = z.enum(NOMS_REGLES);
const gravite = z.enum(GRAVITES);
const etat = z.enum(ETATS_ALERTE);

const avisLu = z
  .object({
    canal: z.enum(['webhook', 'mail']),
    genre: z.enum(GENRES_AVIS),
    etat: z
      .enum(['a_envoyer', 'envoye', 'abandonne'])
      .meta({ description: 'abandonne : un jour d’essais en vain' }),
    tentatives: z.int().min(0),
    envoye_le: instantLu.nullable(),
  })
  .meta({ id: 'AvisDAlerte', description: 'Ce qui a été envoyé, ou doit l’être' });

export const alerteLue = z
  .object({
    id,
    regle: regle.meta({ description: 'Ce qui ne va pas ; docs/alertes.md dit que faire de chacune' }),
    objet: z.string().meta({
      description: 'Sur quoi : nom du centre, de la tâche, hôte et dossier',
      examples: ['DEM12'],
    }),
    gravite,
    etat,
    message: z.string().meta({
      description: 'Une phrase',
      examples: [
        'DEM12 ne donne plus signe depuis le 28/05/2025 à 11:42 : plus de 2 h 00 de ses heures de travail.',
      ],
    }),
    details: z.record(z.string(), z.unknown()).meta({
      description: 'Chiffres et limites qui ont fait l’alerte',
      examples: [{ limite_secondes: 7200 }],
    }),
    debut: instantLu.meta({ description: 'Depuis quand cela ne va pas' }),
    ouverte_le: instantLu,
    derniere_vue: instantLu.meta({ description: 'Dernier contrôle qui l’a constaté' }),
    fin: instantLu.nullable().meta({ description: 'null tant qu’elle est ouverte' }),
    acquittee_par: z
      .uuid()
      .nullable()
      .meta({ description: 'Compte qui l’a acquittée ; null aussi si c’est une commande sur le serveur' }),
    acquittee_le: instantLu.nullable().meta({ description: 'Quelqu’un s’en occupe : plus de rappel' }),
    avis: z.array(avisLu),
  })
  .meta({ id: 'Alerte', description: 'Ce qui ne va pas, ou n’allait pas' });

export const FILTRES_ALERTES = {
  regle: regle.meta({ description: 'Seulement cette règle' }),
  objet: texte(300).meta({ description: 'Seulement sur cet objet', examples: ['DEM12'] }),
  gravite: gravite.meta({ description: 'Seulement de cette gravité' }),
  etat: etat.meta({ description: 'ouverte : celles qui durent ; resolue : celles qui sont finies' }),
} as const;
