import type { TableLue } from './table-lue.ts';
import { egal, tri } from './tables.ts';

/** How the notices of an alert fared; why one failed stays inside. */
const AVIS = `(SELECT coalesce(json_agg(json_build_object('canal', e.canal, 'genre', e.genre, 'etat', e.etat,
      'tentatives', e.tentatives, 'envoye_le', e.envoye_le) ORDER BY e.id), '[]')
     FROM alerte_envoi e WHERE e.alerte_id = t.id)`;

export const ALERTES: TableLue = {
  nom: 'alerte',
  from: 'alerte t',
  colonnes: [
    ['id'],
    ['regle'],
    ['objet'],
    ['gravite'],
    ['etat'],
    ['message'],
    ['details'],
    ['debut'],
    ['ouverte_le'],
    ['derniere_vue'],
    ['fin'],
    ['acquittee_par'],
    ['acquittee_le'],
    ['avis', AVIS],
  ],
  filtres: {
    regle: egal('regle', 'text'),
    objet: egal('objet', 'text'),
    gravite: egal('gravite', 'text'),
    etat: egal('etat', 'text'),
    date_debut: { sql: 't.debut >= $::timestamptz' },
    date_fin: { sql: 't.debut <= $::timestamptz' },
    date_fin_exclue: { sql: 't.debut < $::timestamptz' },
  },
  tri: tri('id', 'debut', 'regle', 'objet', 'gravite', 'etat'),
};
