import { z } from 'zod';
import { id, instantLu } from './commun.ts';
import { decimalSaisi, idSaisi, instantSaisi, modification, NOMBRE } from './saisie.ts';

const lue = {
  id,
  session_id: id,
  timestamp_debut: instantLu,
  timestamp_fin: instantLu,
  duree_secondes: z
    .number()
    .min(0)
    .meta({ description: 'Durée en secondes', examples: [60] }),
  date_creation: instantLu,
};

export const periodeAttente = z
  .object(lue)
  .meta({ id: 'PeriodeAttente', description: 'La machine attend son opérateur : période entière' });

export const periodeArret = z
  .object(lue)
  .meta({ id: 'PeriodeArret', description: 'Arrêt volontaire : période entière' });

const saisie = {
  session_id: idSaisi.meta({ description: 'Une session saisie à la main' }),
  timestamp_debut: instantSaisi,
  timestamp_fin: instantSaisi.meta({ description: 'Au plus tôt timestamp_debut' }),
  duree_secondes: decimalSaisi(z.number(NOMBRE).min(0, 'Une durée n’est pas négative.').max(10_000_000_000))
    .optional()
    .meta({ description: 'Sans elle : fin moins début. Donnée, elle doit être cela, à la microseconde' }),
};
const exemple = {
  session_id: 1,
  timestamp_debut: '2025-05-28T06:20:00+02:00',
  timestamp_fin: '2025-05-28T06:21:00+02:00',
};
const changement = { timestamp_fin: '2025-05-28T06:22:00+02:00' };

export const periodeAttenteSaisie = z
  .strictObject(saisie)
  .meta({ id: 'PeriodeAttenteSaisie', examples: [exemple] });
export const periodeAttenteModifiee = modification(
  periodeAttenteSaisie,
  'PeriodeAttenteModifiee',
  changement,
  periodeAttente,
);

export const periodeArretSaisie = z
  .strictObject(saisie)
  .meta({ id: 'PeriodeArretSaisie', examples: [exemple] });
export const periodeArretModifiee = modification(
  periodeArretSaisie,
  'PeriodeArretModifiee',
  changement,
  periodeArret,
);
