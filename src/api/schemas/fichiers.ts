import { z } from 'zod';
import { RAISONS } from '../../domain/journal/events.ts';
import { id, instantLu, texte } from './commun.ts';

const ETATS_FICHIER = ['lu', 'erreur', 'ecarte', 'prefixe', 'remplace'] as const;
const ETATS =
  'lu ; erreur (illisible au dernier passage) ; ecarte (journée démesurée) ; prefixe (plus court qu’une version déjà lue, qui compte à sa place) ; remplace (par ingest --replace)';
/** 64 hexadecimal digits, any case. */
export const sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'Un SHA-256 a 64 chiffres hexadécimaux.')
  .transform((value) => value.toLowerCase())
  .meta({ type: 'string', description: 'Empreinte SHA-256, en hexadécimal' });
const sha256Lu = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'Empreinte SHA-256, en hexadécimal' });
const compte = z.int().min(0).nullable();

export const fichierLog = z
  .object({
    id,
    centre_usinage_id: id,
    chemin: z.string().meta({ description: 'Chemin sous LOGS_DIR', examples: ['DEM12/20250528.LOG'] }),
    etat: z.enum(ETATS_FICHIER).meta({ description: ETATS }),
    taille: z.int().min(0).meta({ description: 'Octets au dernier passage' }),
    encodage: z
      .string()
      .nullable()
      .meta({ description: 'Avec +bom quand le fichier en a une', examples: ['windows-1252'] }),
    lignes: compte.meta({ description: 'Lignes de la version qui contient ces octets ; null : jamais lu' }),
    lignes_evenements: compte,
    lignes_autres: compte,
    lignes_rejetees: compte,
    lignes_ignorees: compte,
    premier_instant: instantLu.nullable(),
    dernier_instant: instantLu.nullable(),
    versions: z
      .int()
      .min(0)
      .meta({ description: 'Contenus distincts que ce chemin a portés, sans les préfixes' }),
    sha256: sha256Lu.nullable().meta({ description: 'Empreinte des octets au dernier passage' }),
    premiere_vue: instantLu,
    derniere_lecture: instantLu,
    erreur: z.string().nullable().meta({ description: 'Pourquoi il est en erreur ou écarté' }),
  })
  .meta({ id: 'FichierLog', description: 'Fichier *.LOG vu sous LOGS_DIR' });

export const versionDeFichier = z
  .object({
    sha256: sha256Lu,
    taille: z.int().min(0).meta({ description: 'Octets' }),
    etat: z.enum(['active', 'remplacee', 'prefixe']).meta({
      description:
        'active : compte ; remplacee : écartée par ingest --replace ; prefixe : début d’une version plus longue',
    }),
    courante: z.boolean().meta({ description: 'Ce que le chemin portait au dernier passage' }),
    contenue_dans: sha256Lu.nullable().meta({ description: 'D’un préfixe, la version qui commence ainsi' }),
    premiere_vue: instantLu.meta({
      description:
        'Quand la version a été vue pour la première fois ; d’un préfixe, quand il a été reconnu comme tel',
    }),
  })
  .meta({ id: 'VersionDeFichier', description: 'Contenu qu’un chemin a porté' });

export const ligneRejetee = z
  .object({
    id: z.string().meta({ description: 'Version et ligne', examples: ['12-345'] }),
    centre_usinage_id: id,
    fichier_id: id,
    fichier: z.string().meta({ description: 'Chemin sous LOGS_DIR', examples: ['DEM12/20250528.LOG'] }),
    sha256: sha256Lu,
    ligne: z.int().min(1).meta({ description: 'Numéro de ligne dans la version' }),
    octet: z.int().min(0).meta({ description: 'Position de son premier octet' }),
    raison: z.enum(RAISONS).meta({ description: 'Pourquoi on n’a pas pu s’en servir' }),
    texte: z.string().meta({ description: 'Le texte, sans NUL, coupé à 2 000 caractères' }),
    longueur: z.int().min(1).meta({ description: 'Octets, fin de ligne comprise' }),
  })
  .meta({ id: 'LigneRejetee', description: 'Ligne en quarantaine : gardée, jamais perdue' });

export const rejetsParRaison = z
  .object({ centre_usinage_id: id, raison: z.enum(RAISONS), nombre: z.int().min(1) })
  .meta({ id: 'RejetsParRaison', description: 'Lignes en quarantaine d’un centre pour une raison' });

export const FILTRES_FICHIERS = {
  etat: z.enum(ETATS_FICHIER).meta({ description: `Seulement dans cet état : ${ETATS}` }),
  chemin: texte(4000).meta({ description: 'Seulement ce chemin', examples: ['DEM12/20250528.LOG'] }),
  raison: z.enum(RAISONS).meta({ description: 'Seulement rejetées pour cette raison' }),
} as const;
