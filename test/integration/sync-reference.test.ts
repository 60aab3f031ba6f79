// The table after a chain of random ERPs, against the independent reference and a merge written to be obvious.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ErpOrder, generateErp, random } from '../harness/erp-generator.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { type HistoryLine, OrderRoad, type StoredOrder } from '../harness/order-road.ts';
import { setting } from '../harness/property.ts';
import { type CommandeAttendue, commandesAttendues } from '../reference/commandes.ts';

const SEEDS = setting('ATELIER_ERPS', 60);
const ORDERS = 90;

/** The ERP some days later: orders gone, orders new, statuses, dates and boxes changed. */
function later(orders: readonly ErpOrder[], seed: number): ErpOrder[] {
  const draw = random(seed + 77_000);
  const result: ErpOrder[] = [];
  for (const [at, order] of orders.entries()) {
    if (at < 15) continue;
    const what = draw();
    const other = orders[Math.floor(draw() * orders.length)]!;
    const own = { ID_A_Kopf: order.kopf.ID };
    if (what < 0.6) result.push(order);
    else if (what < 0.75) result.push({ ...order, kopf: { ...order.kopf, AufStatus: other.kopf.AufStatus } });
    else if (what < 0.85) {
      const note = { ...own, Datum: '2026-01-15 10:00:00', Notiz: 'cde Planifiée' };
      result.push({ ...order, logbuch: [...order.logbuch, note] });
    } else if (what < 0.95)
      result.push({ ...order, zubeh: other.zubeh.map((row) => ({ ...own, ZCode: row.ZCode })) });
    else result.push({ ...order, vorgang: [...order.vorgang, { ...own, Nummer: 'VR' }] });
  }
  return result;
}

const keyOf = (row: { numero_commande: string; extension: string }): string =>
  JSON.stringify([row.numero_commande, row.extension]);

function contentOf(row: CommandeAttendue): string {
  return JSON.stringify([
    row.status,
    row.date_modification,
    row.coffre,
    row.coffres,
    Number(row.gestion_en_stock),
  ]);
}

/** What a merge must say it did. */
function compare(before: readonly StoredOrder[], wanted: readonly CommandeAttendue[]) {
  const counts = { ajoutees: 0, modifiees: 0, retirees: 0, inchangees: 0, remplacees: 0 };
  const lines: Omit<HistoryLine, 'commande_id'>[] = [];
  const say = (motif: string, row: CommandeAttendue, old: string | null, now: string | null): void => {
    const { numero_commande, extension } = row;
    lines.push({ numero_commande, extension, motif, ancien_status: old, nouveau_status: now });
  };
  const stored = new Map(before.map((row) => [keyOf(row), row]));
  for (const row of wanted) {
    const old = stored.get(keyOf(row));
    stored.delete(keyOf(row));
    if (!old) {
      counts.ajoutees++;
      say('ajoutee', row, null, row.status);
    } else if (old.origine === 'manuel') {
      counts.modifiees++;
      counts.remplacees++;
      say('remplace_manuel', row, old.status, row.status);
    } else if (contentOf(old) !== contentOf(row)) {
      counts.modifiees++;
      say('modifiee', row, old.status, row.status);
    } else counts.inchangees++;
  }
  const kept = [...stored.values()].filter((row) => row.origine === 'manuel');
  for (const row of [...stored.values()].filter((left) => left.origine === 'erp')) {
    counts.retirees++;
    say('retiree', row, row.status, null);
  }
  return { counts, lines, kept };
}

describe.skipIf(SANS_MARIADB)('synchronisation et référence', () => {
  let road: OrderRoad;
  beforeAll(async () => {
    road = await OrderRoad.open();
  });
  afterAll(() => road?.close());

  async function step(label: string, orders: readonly ErpOrder[]) {
    await road.load(orders);
    const before = await road.stored();
    const wanted = commandesAttendues(orders);
    const { counts, lines, kept } = compare(before, wanted);
    const { etat, lues, exemples, ...counted } = await road.done({ force: true });
    const after = await road.stored();
    const run = await road.lastRun();
    const history = await road.history(run.id);

    expect(counted, label).toEqual(counts);
    expect(lues.commandes, label).toBe(wanted.length);
    expect(run, label).toMatchObject({ etat, fini: true, erreur: null, compteurs: { ...counts, lues } });
    // Without the rows entered by hand that the ERP does not know, the table is what the reference says.
    const manual = new Set(kept.map(keyOf));
    const fromErp = after.filter((row) => !manual.has(keyOf(row)));
    expect(
      fromErp.map(({ id: _i, origine: _o, date_creation: _d, ...content }) => content),
      label,
    ).toEqual(wanted);
    expect(fromErp.every((row) => row.origine === 'erp')).toBe(true);
    expect(after.filter((row) => manual.has(keyOf(row))).map(keyOf)).toEqual(kept.map(keyOf));
    // Whoever was there stays itself.
    const old = new Map(before.map((row) => [keyOf(row), row]));
    for (const row of after) {
      const same = old.get(keyOf(row));
      if (same) expect([row.id, row.date_creation], label).toEqual([same.id, same.date_creation]);
    }
    const ids = new Map([...before, ...after].map((row) => [keyOf(row), row.id]));
    const byKey = (a: { numero_commande: string; extension: string }, b: typeof a): number =>
      Buffer.compare(Buffer.from(a.numero_commande), Buffer.from(b.numero_commande)) ||
      Buffer.compare(Buffer.from(a.extension), Buffer.from(b.extension));
    expect(history, label).toEqual(
      lines.sort(byKey).map((line) => ({ ...line, commande_id: ids.get(keyOf(line)) })),
    );
    expect(exemples).toHaveLength(Math.min(20, history.length));
    return counts;
  }

  test(`${SEEDS} ERP tirés au sort, puis changés : contenu, comptes, historique, identifiants`, async () => {
    const sum = { ajoutees: 0, modifiees: 0, retirees: 0, inchangees: 0, remplacees: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const all = [...generateErp(seed, { orders: ORDERS, traps: 0.05 + (seed % 5) * 0.15 })];
      const first = all.slice(0, 70);
      const second = later(all, seed);
      const coming = commandesAttendues(second).filter((row) => keyOf(row).length % 3 === 0);
      const counts = [await step(`graine ${seed}, d’abord`, first)];
      const known = new Set((await road.stored()).map(keyOf));
      await road.enter(`M-${seed}`, 'é', 'Saisie « à la main » 🙂');
      for (const row of coming.filter((one) => !known.has(keyOf(one))).slice(0, 3)) {
        await road.enter(row.numero_commande, row.extension);
      }
      counts.push(await step(`graine ${seed}, ensuite`, second));
      for (const one of counts)
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += one[name];

      const still = await road.physical();
      const again = await road.done();
      expect(again).toMatchObject({ ajoutees: 0, modifiees: 0, retirees: 0, exemples: [] });
      expect(await road.physical(), `graine ${seed} : rien de changé, rien d’écrit`).toEqual(still);
      await road.pool.query("DELETE FROM commandes_volets_roulants WHERE origine = 'manuel' AND id % 2 = 0");
    }
    // A chain in which nothing happens would prove nothing.
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(SEEDS / 4);
  }, 300_000);
});
