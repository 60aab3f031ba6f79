// What a synchronisation writes, keeps and says, order by order.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { OrderRoad, plainOrder, plainOrders } from '../harness/order-road.ts';

describe.skipIf(SANS_MARIADB)('fusion', () => {
  let road: OrderRoad;
  beforeAll(async () => {
    road = await OrderRoad.open();
  });
  afterAll(() => road?.close());
  beforeEach(() => road.empty());

  test('F35 ajout, changement, retrait : identifiants et dates de création restent, l’historique dit chacun', async () => {
    await road.load(plainOrders(6));
    expect(await road.done()).toMatchObject({ ajoutees: 6, modifiees: 0, retirees: 0, inchangees: 0 });
    const before = await road.stored();
    const added = await road.history((await road.lastRun()).id);
    expect(added.map((line) => [line.motif, line.ancien_status, line.nouveau_status])).toEqual(
      Array(6).fill(['ajoutee', null, 'Planifiée']),
    );

    // 1000 goes, 1001 has another status, 1002 another date, 1006 comes; 1003 to 1005 stay.
    await road.load([
      plainOrder(1001, { status: 'Vitrage reçu' }),
      plainOrder(1002, { date: '2025-06-02' }),
      ...plainOrders(4, 1003),
    ]);
    const result = await road.done();
    expect(result).toMatchObject({ ajoutees: 1, modifiees: 2, retirees: 1, inchangees: 3, remplacees: 0 });
    const after = await road.stored();
    for (const row of after.slice(0, 5)) {
      const old = before.find((one) => one.numero_commande === row.numero_commande);
      expect([row.id, row.date_creation]).toEqual([old?.id, old?.date_creation]);
    }
    expect(after.at(-1)).toMatchObject({ numero_commande: '1006', origine: 'erp' });
    const history = await road.history((await road.lastRun()).id);
    expect(
      history.map((h) => [h.numero_commande, h.motif, h.ancien_status, h.nouveau_status, h.commande_id]),
    ).toEqual([
      ['1000', 'retiree', 'Planifiée', null, before[0]?.id],
      ['1001', 'modifiee', 'Planifiée', 'Vitrage reçu', before[1]?.id],
      ['1002', 'modifiee', 'Planifiée', 'Planifiée', before[2]?.id],
      ['1006', 'ajoutee', null, 'Planifiée', after.at(-1)?.id],
    ]);
    expect(result.exemples.map((change) => change.numero_commande).sort()).toEqual([
      '1000',
      '1001',
      '1002',
      '1006',
    ]);
  });

  test('rien n’a changé : aucune ligne écrite, ni place ni transaction', async () => {
    await road.load(plainOrders(50));
    await road.done();
    const before = await road.physical();
    for (let i = 0; i < 3; i++) {
      expect(await road.done()).toMatchObject({ ajoutees: 0, modifiees: 0, retirees: 0, inchangees: 50 });
      expect(await road.physical()).toEqual(before);
    }
  });

  test('un changement n’écrit que sa ligne', async () => {
    await road.load(plainOrders(50));
    await road.done();
    const before = new Set(await road.physical());
    await road.load([...plainOrders(49), plainOrder(1049, { status: 'Attente vitrage' })]);
    await road.done();
    // The row itself and its line of history.
    expect((await road.physical()).filter((row) => !before.has(row))).toHaveLength(2);
  });

  test('saisie à la main : jamais retirée, remplacée quand l’ERP apporte la même, l’historique le dit', async () => {
    const own = await road.enter('9001', 'A', 'Saisie');
    const taken = await road.enter('1002', '', 'Saisie');
    const [created] = (await road.stored()).filter((row) => row.id === taken);
    await road.load(plainOrders(5));
    expect(await road.done()).toMatchObject({ ajoutees: 4, modifiees: 1, retirees: 0, remplacees: 1 });
    const row = (await road.stored()).find((one) => one.numero_commande === '1002');
    expect(row).toMatchObject({ id: taken, origine: 'erp', status: 'Planifiée', coffre: 'SOP 185' });
    expect(row?.date_creation).toBe(created?.date_creation);
    const history = await road.history((await road.lastRun()).id);
    expect(history.filter((line) => line.motif !== 'ajoutee')).toEqual([
      {
        commande_id: taken,
        numero_commande: '1002',
        extension: '',
        motif: 'remplace_manuel',
        ancien_status: 'Saisie',
        nouveau_status: 'Planifiée',
      },
    ]);
    // Now it is one of the ERP's: it goes with it. The other one stays, even when the ERP has nothing at all.
    await road.load([]);
    expect(await road.done({ force: true })).toMatchObject({ retirees: 5 });
    expect(await road.stored()).toMatchObject([{ id: own, origine: 'manuel', status: 'Saisie' }]);
  });

  test('même contenu qu’une saisie : elle devient tout de même celle de l’ERP', async () => {
    await road.load([plainOrder(1000)]);
    await road.done();
    await road.pool.query("UPDATE commandes_volets_roulants SET origine = 'manuel'");
    expect(await road.done()).toMatchObject({ modifiees: 1, remplacees: 1, inchangees: 0 });
    expect((await road.stored())[0]?.origine).toBe('erp');
  });

  test('à blanc : dit ce qui changerait, ne change rien, pas même un compteur', async () => {
    await road.load(plainOrders(10));
    await road.done();
    await road.load([plainOrder(1000, { status: 'Vitrage' }), ...plainOrders(12, 1003)]);
    const everything = async (): Promise<unknown> => [
      await road.physical(),
      await road.lastRun(),
      (await road.pool.query('SELECT sequencename, last_value FROM pg_sequences ORDER BY 1')).rows,
    ];
    const before = await everything();
    const dry = await road.done({ aBlanc: true });
    expect(await everything()).toEqual(before);
    const { etat, exemples, ...counts } = await road.done();
    expect(dry).toEqual({ etat, exemples, ...counts });
    expect(counts).toMatchObject({ ajoutees: 5, modifiees: 1, retirees: 2, inchangees: 7 });
  });

  test('plus de changements que d’exemples : les comptes disent tout', async () => {
    await road.load(plainOrders(120));
    const { ajoutees, exemples } = await road.done();
    expect(ajoutees).toBe(120);
    expect(exemples).toHaveLength(20);
    expect(await road.history((await road.lastRun()).id)).toHaveLength(120);
  });

  test('numéro en texte, vide ou avec NUL (colonne retypée) : écarté ou nettoyé, rien ne s’arrête (F41, F44)', async () => {
    await road.load(plainOrders(4));
    const { admin } = road.maria;
    await admin.query(
      `ALTER TABLE A_Kopf MODIFY AuNummer varchar(20); UPDATE A_Kopf SET AuNummer = '' WHERE ID = 'K1000';
       UPDATE A_Kopf SET AuNummer = CONCAT('10', CHAR(0), '01') WHERE ID = 'K1001'`,
    );
    try {
      expect(await road.done()).toMatchObject({ ajoutees: 3, lues: { rejetees: 1 } });
      expect((await road.stored()).map((row) => row.numero_commande)).toEqual(['1001', '1002', '1003']);
    } finally {
      await road.maria.creerErp('essai');
    }
  });
});
