// A bad morning at the ERP must not empty the workshop's list: F38, F39.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { OrderRoad, plainOrder, plainOrders } from '../harness/order-road.ts';

describe.skipIf(SANS_MARIADB)('gardes', () => {
  let road: OrderRoad;
  beforeAll(async () => {
    road = await OrderRoad.open();
  });
  afterAll(() => road?.close());
  beforeEach(() => road.empty());

  /** The orders stored are untouched, the run says why. */
  async function refused(message: RegExp, seuilBaisse: number): Promise<void> {
    const before = await road.physical();
    await expect(road.sync({}, { seuilBaisse })).rejects.toMatchObject({
      code: 'ATL_E410',
      message: expect.stringMatching(message),
    });
    expect(await road.physical()).toEqual(before);
    expect(await road.lastRun()).toMatchObject({ etat: 'echouee', fini: true });
    expect((await road.lastRun()).erreur).toMatch(message);
    await expect(road.sync({ aBlanc: true }, { seuilBaisse })).rejects.toMatchObject({ code: 'ATL_E410' });
  }

  test.each([
    // stored, threshold, fewest that pass
    [20, 0.5, 10],
    [21, 0.5, 11],
    [1, 0.5, 1],
    [20, 1, 20],
    // 0.55 × 100 and 0.07 × 100 are a little more than 55 and 7 in binary: they must pass all the same.
    [100, 0.55, 55],
    [100, 0.07, 7],
    [100, 0.57, 57],
    [30, 0.1, 3],
    [20, 0, 1],
  ])('F39 %i enregistrées, seuil %d : %i passent, une de moins est refusée', async (stored, seuil, least) => {
    await road.load(plainOrders(stored));
    await road.done();
    await road.load(plainOrders(least - 1));
    if (least > 1) {
      const message = new RegExp(`que ${least - 1} commandes, ${stored} sont enregistrées et le restent`);
      await refused(message, seuil);
    } else await refused(/l’ERP n’a aucune commande ; \d+ sont enregistrées et le restent/, seuil);
    await road.load(plainOrders(least));
    expect(await road.done({}, { seuilBaisse: seuil })).toMatchObject({ retirees: stored - least });
  });

  test('F38 ERP vide : refusé, --force passe, et cela se dit', async () => {
    await road.load(plainOrders(8));
    await road.done();
    await road.load([]);
    await refused(/l’ERP n’a aucune commande/, 0.5);
    expect(await road.done({ force: true, aBlanc: true })).toMatchObject({ retirees: 8 });
    expect(await road.stored()).toHaveLength(8);
    expect(await road.done({ force: true })).toMatchObject({ retirees: 8, inchangees: 0 });
    expect(await road.stored()).toEqual([]);
    expect(await road.history((await road.lastRun()).id)).toHaveLength(8);
  });

  test('F38 des commandes, mais aucune à retenir : refusé, le message le distingue', async () => {
    await road.load(plainOrders(8));
    await road.done();
    const { admin } = road.maria;
    await admin.query("UPDATE P_Zubeh SET ZCode = 'MOT-10'");
    await refused(/aucune des 8 commandes lues n’est retenue ; 8 sont enregistrées/, 0.5);
  });

  test('F38 premier jour d’un ERP vide : refusé aussi, comme le contrat le veut', async () => {
    await road.load([]);
    await refused(/l’ERP n’a aucune commande ; 0 sont enregistrées/, 0.5);
    expect(await road.done({ force: true })).toMatchObject({ ajoutees: 0, retirees: 0 });
  });

  test('les saisies à la main ne comptent pas dans ce qui est enregistré', async () => {
    for (let i = 0; i < 30; i++) await road.enter(`M${i}`);
    await road.load(plainOrders(2));
    expect(await road.done({}, { seuilBaisse: 1 })).toMatchObject({ ajoutees: 2 });
    await road.load([plainOrder(1000)]);
    await refused(/que 1 commandes, 2 sont enregistrées/, 1);
    expect(await road.stored()).toHaveLength(32);
  });
});
