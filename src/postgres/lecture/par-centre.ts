/** Pages of the large tables, whose index has the centre before the instant. */
import {
  conditionsSql,
  donne,
  ordreComplet,
  ordreSql,
  type Parametres,
  type TableLue,
  type Tri,
  whereSql,
} from './table-lue.ts';

/**
 * What a page is read from when it is in the order of time, or of the centres of a type: of each centre as many rows as
 * the page can need, in the order of the list. The caller sorts those of all centres and cuts them. So a centre that is
 * rare costs no more than one that is not, and no row of another is looked at.
 *
 * @param apres condition of a cursor, if there is one
 * @param lignes SQL: how many rows the page can need
 * @returns undefined where the table itself is as good: rows of one centre or one session, or in another order
 */
export function parCentreSql(
  table: TableLue,
  { filtres, tri }: { readonly filtres: Readonly<Record<string, unknown>>; readonly tri: readonly Tri[] },
  apres: string | undefined,
  lignes: string,
  parametres: Parametres,
): string | undefined {
  if (table.instantParCentre === undefined || donne(filtres, ['centre_usinage_id', 'session_id']))
    return undefined;
  const given = Object.entries(filtres).filter(([, valeur]) => valeur !== undefined);
  const surCentre = (nom: string): string | undefined => table.filtres[nom]?.surCentre;
  const ofCentres = given.filter(([nom]) => surCentre(nom) !== undefined);
  if (ofCentres.length === 0 && tri[0]?.colonne !== table.instantParCentre) return undefined;
  const centres = ofCentres.map(([nom, valeur]) => {
    const place = parametres.add(valeur);
    return surCentre(nom)!.replaceAll('$', () => place);
  });
  const others = Object.fromEntries(given.filter(([nom]) => surCentre(nom) === undefined));
  const conditions = [
    't.centre_usinage_id = c.id',
    ...conditionsSql(table, others, parametres, { unCentre: true }),
    ...(apres === undefined ? [] : [apres]),
  ];
  return `centre_usinage c CROSS JOIN LATERAL (
              SELECT t.* FROM ${table.from}${whereSql(conditions)}
               ORDER BY ${ordreSql(table, ordreComplet(tri))} LIMIT ${lignes}) t${whereSql(centres)}`;
}
