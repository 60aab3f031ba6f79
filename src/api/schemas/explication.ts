import { z } from 'zod';
import { de } from '../inclusions.ts';
import { date, id, instantLu } from './commun.ts';

const secondes = z.number().min(0).meta({ description: 'Secondes, exactes à la microseconde' });

const intervalle = z
  .object({ debut: instantLu, fin: instantLu, duree_secondes: secondes })
  .meta({ id: 'Intervalle', description: 'Intervalle de temps, fin exclue' });

const periodeExpliquee = z
  .object({
    id: id.meta({ description: 'Identifiant dans /periodes-attente/ ou /periodes-arret/' }),
    timestamp_debut: instantLu,
    timestamp_fin: instantLu,
    duree_secondes: secondes.meta({ description: 'La période entière, non coupée' }),
    compte_secondes: secondes.meta({ description: 'Ce qui en compte ; leur somme fait le chiffre' }),
    hors_fenetre_secondes: secondes.meta({ description: 'Avant la première ou après la dernière pièce' }),
    dans_un_arret_secondes: secondes.meta({
      description: 'D’une attente, ce qu’un arrêt recouvre : c’est l’arrêt qui compte',
    }),
    deja_compte_secondes: secondes.meta({ description: 'Déjà compté par une période qui la recouvre' }),
    pourquoi: z
      .string()
      .nullable()
      .meta({ description: 'Pourquoi le reste ne compte pas ; null : tout compte' }),
  })
  .meta({
    id: 'PeriodeExpliquee',
    description: 'Période et ce qui en compte ; les quatre parts font la durée',
  });

/** Where lines of logs stand: what tells of them, and the lines themselves, are the files'. */
const lieu = {
  fichier_id: de('fichiers', id.nullable().meta({ description: 'Dans /fichiers/' })),
  chemin: z
    .string()
    .nullable()
    .meta({ description: 'Chemin sous LOGS_DIR', examples: ['DEM12/20250528.LOG'] }),
  chemins: z.array(z.string()).meta({ description: 'Tous les chemins qui portent ces octets' }),
  sha256: z.string().meta({ description: 'Empreinte de la version' }),
};

const CHIFFRES = [
  'total_pieces',
  'duree_production_totale',
  'temps_arret_volontaire',
  'temps_attente',
  'temps_production_effectif',
  'taux_occupation',
  'taux_attente',
  'taux_arret_volontaire',
] as const;

export const explicationDeSession = z
  .object({
    session_id: id,
    centre_usinage_id: id,
    date_production: date,
    origine: z.enum(['log', 'manuel']),
    note: z.string().nullable().meta({
      description:
        'D’une session saisie à la main, que rien n’est calculé ; d’une journée purgée, que ses détails sont effacés',
    }),
    conforme: z.boolean().nullable().meta({
      description:
        'Les chiffres recalculés ici sont ceux de la session ; null pour une saisie à la main ou une journée purgée',
    }),
    chiffres: z
      .object(
        Object.fromEntries(CHIFFRES.map((nom) => [nom, z.number()])) as Record<
          (typeof CHIFFRES)[number],
          z.ZodNumber
        >,
      )
      .meta({ description: 'Les chiffres de la session, comme /sessions/{id} les donne' }),
    fenetre: z
      .array(intervalle)
      .meta({ description: 'De la première à la dernière pièce ; vide sans durée' }),
    arrets: z.array(intervalle).meta({ description: 'Arrêts réunis, coupés à la fenêtre' }),
    attentes: z
      .array(intervalle)
      .meta({ description: 'Attentes réunies, hors arrêts, coupées à la fenêtre' }),
    effectif: z.array(intervalle).meta({ description: 'Ce qui reste de la fenêtre' }),
    totaux_secondes: z
      .object({ fenetre: secondes, arrets: secondes, attentes: secondes, effectif: secondes })
      .nullable()
      .meta({ description: 'fenetre = arrets + attentes + effectif' }),
    periodes_arret: de('periodes-arret', z.array(periodeExpliquee)),
    periodes_attente: de('periodes-attente', z.array(periodeExpliquee)),
    formules: z.array(
      z.object({
        chiffre: z.enum(CHIFFRES),
        formule: z.string().meta({ examples: ['3720 s ÷ 4680 s × 100 = 79,49 %'] }),
        valeur: z.number(),
      }),
    ),
    sources: z.array(
      z.object({
        ...lieu,
        lignes: z
          .int()
          .meta({ description: 'Lignes de cette version dont viennent les détails de la session' }),
      }),
    ),
  })
  .meta({ id: 'ExplicationDeSession', description: 'De quoi sont faits les chiffres d’une session' });

export const origineDeLigne = z
  .object({
    ressource: z.string().meta({ examples: ['pieces-production'] }),
    id,
    origine: z.enum(['log', 'manuel']),
    note: z.string().nullable().meta({ description: 'D’une saisie à la main : qu’il n’y a pas de ligne' }),
    lignes: z.array(
      z.object({
        role: z
          .enum(['ligne', 'debut', 'fin'])
          .meta({ description: 'Un arrêt vient de deux lignes : MachineStop (debut), MachineStart (fin)' }),
        ...lieu,
        ligne: z.int().min(1).meta({ description: 'Numéro de ligne dans la version, à partir de 1' }),
        octet: z.int().min(0).meta({ description: 'Position de son premier octet' }),
        longueur: z.int().min(1).meta({ description: 'Octets, fin de ligne comprise' }),
        texte: z.string().meta({
          description: 'La ligne même, sans NUL ni fin de ligne, au plus 2 000 caractères',
          examples: ['20250528 06:12:00|@StukUitgevoerd: A1'],
        }),
        coupe: z.boolean().meta({ description: 'La ligne est plus longue que ce texte' }),
        encodage: z.string().meta({ examples: ['windows-1252'] }),
      }),
    ),
  })
  .meta({ id: 'Origine', description: 'La ou les lignes de journal dont vient une ligne de la base' });
