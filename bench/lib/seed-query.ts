/** The query that the first version of the project ran: all five child tables joined, then grouped. */
export const SEED_QUERY = `
SELECT Cde.AuNummer AS numero_commande, Cde.AuAlpha AS extension, Cde.AufStatus AS status,
       DATE(Logb.Datum) AS date_modification, a.ZCode AS coffre,
       CASE WHEN Vorgang.Nummer LIKE '%VR%' THEN 1 ELSE 0 END AS gestion_en_stock
FROM A_Kopf AS Cde
LEFT JOIN A_Logbuch AS Logb ON Cde.ID = Logb.ID_A_Kopf
LEFT JOIN P_Zubeh AS a ON Cde.ID = a.ID_A_Kopf
LEFT JOIN A_Vorgang AS Vorgang ON Cde.ID = Vorgang.ID_A_Kopf
LEFT JOIN A_KopfFreie AS Freie ON Cde.ID = Freie.ID_A_Kopf
LEFT JOIN P_Artikel AS Artikel ON Cde.ID = Artikel.ID_A_Kopf
WHERE Logb.Notiz LIKE '%cde Planifiee%'
  AND (Cde.AufStatus LIKE '%Planifiee%' OR Cde.AufStatus LIKE '%lancer en prod%' OR Cde.AufStatus LIKE '%vitrage%')
  AND (a.ZCode LIKE 'SOP%' OR a.ZCode LIKE 'S P %' OR a.ZCode LIKE 'S D %' OR a.ZCode LIKE 'S Q %'
       OR a.ZCode LIKE 'S T %' OR a.ZCode LIKE 'S TAB %' OR a.ZCode LIKE 'S TN %')
GROUP BY Cde.AuNummer, Cde.AuAlpha, Cde.AufStatus, DATE(Logb.Datum), a.ZCode, gestion_en_stock`;

export interface SeedRow {
  readonly numero_commande: number;
  readonly extension: string | null;
  readonly status: string;
  readonly date_modification: string;
  readonly coffre: string;
  readonly gestion_en_stock: number;
}

/** Its rows brought to one an order, as the contract settles what the query leaves open; only for an ERP without traps. */
export function reduceSeedRows(rows: readonly SeedRow[]): string[] {
  const orders = new Map<string, { status: string; date: string; boxes: Set<string>; stock: number }>();
  for (const row of rows) {
    const key = JSON.stringify([String(row.numero_commande), row.extension ?? '']);
    const order = orders.get(key) ?? { status: row.status, date: '', boxes: new Set(), stock: 0 };
    if (row.date_modification > order.date) order.date = row.date_modification;
    order.boxes.add(row.coffre);
    order.stock = Math.max(order.stock, Number(row.gestion_en_stock));
    orders.set(key, order);
  }
  return [...orders]
    .map(([key, { status, date, boxes, stock }]) =>
      JSON.stringify([key, status, date, [...boxes].sort(), stock]),
    )
    .sort();
}
