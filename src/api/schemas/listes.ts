/** Query parameters that every list understands (spec: REST API, « Lists »). */
import { z } from 'zod';
import { booleenTexte, date, entierTexte, idTexte, instant, texte } from './commun.ts';
import { DECLENCHEURS, ETATS_EXECUTION } from './executions.ts';

export const LIMITE_DEFAUT = 100;
const LIMITE_MAX = 1000;
/** Rows that may be left out: what is left out is read all the same. Deeper, a cursor costs nothing more. */
export const SKIP_MAX = 100_000;

const dateOuInstant = z.union(
  [date, instant],
  'Attendu une date (AAAA-MM-JJ) ou un instant (2025-05-28T06:12:00+02:00, où + s’écrit %2B dans une adresse ; sans décalage : à l’heure de l’atelier).',
);

/** Filters by name: each resource takes those of its columns. */
export const FILTRES = {
  centre_usinage_id: idTexte.meta({ description: 'Seulement ce centre d’usinage' }),
  type_cu: texte(100).meta({ description: 'Seulement les centres de ce type', examples: ['PVC'] }),
  session_id: idTexte.meta({ description: 'Seulement cette session' }),
  date_debut: date.meta({ description: 'À partir de cette date, incluse' }),
  date_fin: date.meta({ description: 'Jusqu’à cette date, incluse' }),
  instant_debut: dateOuInstant.meta({ description: 'À partir de cette date ou de cet instant, inclus' }),
  instant_fin: dateOuInstant.meta({
    description: 'Jusqu’à cette date (le jour entier) ou cet instant, inclus',
  }),
  reference: texte(200).meta({ description: 'Seulement cette référence de profilé', examples: ['215023'] }),
  couleur: texte(200).meta({ description: 'Seulement cette couleur', examples: ['7016'] }),
  status: texte(200).meta({ description: 'Seulement ce statut', examples: ['Planifiée'] }),
  numero_commande: texte(100).meta({ description: 'Seulement ce numéro de commande' }),
  extension: texte(100).meta({ description: 'Seulement cette extension' }),
  coffre: texte(100).meta({ description: 'Seulement les commandes qui ont ce code de coffre' }),
  gestion_en_stock: z
    .enum(['0', '1'], 'Attendu 0 ou 1.')
    .transform(Number)
    .meta({ description: '1 : gérées en stock' }),
  actif: booleenTexte.meta({ description: 'Seulement les centres actifs (true) ou inactifs (false)' }),
  origine: z.enum(['log', 'manuel']).meta({ description: 'log : calculées ; manuel : saisies à la main' }),
  origine_commande: z
    .enum(['erp', 'manuel'])
    .meta({ description: 'erp : copiées ; manuel : saisies à la main' }),
  tache: texte(50).meta({ description: 'Seulement cette tâche', examples: ['ingest'] }),
  declencheur: z.enum(DECLENCHEURS).meta({ description: 'Seulement les passages déclenchés ainsi' }),
  travail: z.uuid('Attendu un UUID.').meta({ description: 'Seulement les essais de ce travail' }),
  etat_execution: z.enum(ETATS_EXECUTION).meta({ description: 'Seulement les passages dans cet état' }),
} as const;

/** `-date_production,total_pieces`: allow-listed columns, each once. */
export function triDe(colonnes: readonly string[]): z.ZodType {
  const signed = colonnes.flatMap((nom) => [nom, `-${nom}`]);
  return z
    .string()
    .max(300)
    .transform((value, ctx) => {
      const seen = new Set<string>();
      return value.split(',').map((part) => {
        const colonne = part.replace(/^-/, '');
        if (!signed.includes(part) || seen.has(colonne)) {
          ctx.addIssue({
            code: 'custom',
            message: `Tri possible par ${colonnes.join(', ')}, chacun une fois, « - » devant pour l’ordre décroissant.`,
          });
        }
        seen.add(colonne);
        return { colonne, sens: part.startsWith('-') ? ('desc' as const) : ('asc' as const) };
      });
    })
    .meta({
      type: 'string',
      pattern: `^-?(${colonnes.join('|')})(,-?(${colonnes.join('|')}))*$`,
      description: `Ordre : ${colonnes.join(', ')} ; « - » devant pour décroissant ; id départage`,
      examples: [`-${colonnes.at(-1)}`],
    });
}

export const PAGE = {
  skip: entierTexte(0, SKIP_MAX, ' ; plus loin, lisez avec cursor (la valeur de X-Next-Cursor)')
    .default(0)
    .meta({
      description: `Lignes à passer (${SKIP_MAX} au plus ; plus loin, \`cursor\`)`,
      default: 0,
    }),
  limit: entierTexte(1, LIMITE_MAX)
    .optional()
    .meta({
      description: `Lignes au plus (défaut ${LIMITE_DEFAUT}, au plus ${LIMITE_MAX}) ; en CSV et XLSX, sans limit : toutes`,
    }),
  cursor: z
    .string()
    .max(2000)
    .regex(/^[A-Za-z0-9_-]+$/, 'Ce curseur n’est pas de ceux que l’API donne.')
    .optional()
    .meta({
      description: 'Suite d’une lecture : la valeur de X-Next-Cursor ; ne coûte pas plus cher loin du début',
    }),
  total: z
    .enum(['exact'])
    .optional()
    .meta({ description: 'exact : compter toutes les lignes, quoi qu’il en coûte' }),
  format: z
    .enum(['json', 'csv', 'xlsx'])
    .optional()
    .meta({ description: 'Forme de la réponse ; sinon l’en-tête Accept décide' }),
  separateur: z.enum(['virgule', 'point-virgule']).optional().meta({
    description:
      'CSV : point-virgule (comme Excel en français le lit : virgule décimale, BOM, dates) ou virgule (points, ISO 8601) ; sinon l’en-tête Accept-Language décide',
  }),
};
