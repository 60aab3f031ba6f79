import { COMMANDES } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { commandeVolet } from '../schemas/commandes.ts';
import { FILTRES } from '../schemas/listes.ts';

export const RESSOURCE_COMMANDES: Ressource = {
  nom: 'commandes-volets',
  libelle: 'Une commande de volets roulants',
  pluriel: 'commandes de volets roulants',
  nature: 'sans_personne',
  table: COMMANDES,
  lu: de('commandes-volets', commandeVolet),
  filtres: {
    numero_commande: FILTRES.numero_commande,
    extension: FILTRES.extension,
    status: FILTRES.status,
    coffre: FILTRES.coffre,
    gestion_en_stock: FILTRES.gestion_en_stock,
    origine: FILTRES.origine_commande,
    date_debut: FILTRES.date_debut,
    date_fin: FILTRES.date_fin,
  },
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
};
