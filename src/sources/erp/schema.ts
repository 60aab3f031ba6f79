/** What atelier needs of the ERP, and nothing else: the least-privilege user of `demo/init.sql` may read just this. */

export type Nature = 'cle' | 'texte' | 'nombre' | 'date';

export interface TableErp {
  readonly table: string;
  readonly colonnes: Readonly<Record<string, Nature>>;
}

export const TABLES: readonly TableErp[] = [
  {
    table: 'A_Kopf',
    colonnes: { ID: 'cle', AuNummer: 'nombre', AuAlpha: 'texte', AufStatus: 'texte' },
  },
  { table: 'P_Zubeh', colonnes: { ID_A_Kopf: 'cle', ZCode: 'texte' } },
  { table: 'A_Logbuch', colonnes: { ID_A_Kopf: 'cle', Datum: 'date', Notiz: 'texte' } },
  { table: 'A_Vorgang', colonnes: { ID_A_Kopf: 'cle', Nummer: 'texte' } },
];

/** An index that a read wants: `premiere` first, `aussi` somewhere behind (the read then never opens the table). */
export interface IndexVoulu {
  readonly table: string;
  readonly premiere: string | undefined;
  readonly contient: readonly string[];
  /** name under which the administrator may make it; atelier never does */
  readonly nom: string;
}

export const INDEX_VOULUS: readonly IndexVoulu[] = [
  {
    table: 'P_Zubeh',
    premiere: 'ZCode',
    contient: ['ZCode', 'ID_A_Kopf'],
    nom: 'ix_zubeh_code',
  },
  {
    table: 'A_Vorgang',
    premiere: undefined,
    contient: ['ID_A_Kopf', 'Nummer'],
    nom: 'ix_vorgang_kopf',
  },
];
