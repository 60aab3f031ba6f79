/**
 * Random ERPs from a seed: the six tables, every trap of the orders' contract, invented texts only.
 * The same seed and options always give the same rows.
 */

export interface KopfRow {
  readonly ID: string;
  readonly AuftragsTyp: number;
  readonly AuNummer: number | null;
  readonly AuAlpha: string | null;
  readonly AufStatus: string | null;
}
export interface LogbuchRow {
  readonly ID_A_Kopf: string;
  /** `YYYY-MM-DD HH:MM:SS`, possibly `0000-00-00 00:00:00` */
  readonly Datum: string | null;
  readonly Notiz: string | null;
}
export interface ZubehRow {
  readonly ID_A_Kopf: string;
  readonly ZCode: string | null;
}
export interface VorgangRow {
  readonly ID_A_Kopf: string;
  readonly Nummer: string | null;
}

/** One header with its child rows; `freie` and `artikel` are only counted (nothing reads them). */
export interface ErpOrder {
  readonly kopf: KopfRow;
  readonly logbuch: readonly LogbuchRow[];
  readonly zubeh: readonly ZubehRow[];
  readonly vorgang: readonly VorgangRow[];
  readonly freie: number;
  readonly artikel: number;
}

export interface ErpOptions {
  /** number of headers */
  readonly orders: number;
  /** share of texts drawn from the traps, 0 to 1. @default 0.3 */
  readonly traps?: number;
  /** share of the statuses that qualify; 0.7 makes about a quarter of the orders pass all three rules. @default 0.6 */
  readonly statuses?: number;
}

/** mulberry32: small, fast, good enough to draw test data. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const CP1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** What a text becomes when its UTF-8 bytes are read as latin1 or cp1252 and stored as UTF-8 again. */
export function encodeTwice(text: string, as: 'latin1' | 'cp1252'): string {
  const latin1 = Buffer.from(text, 'utf8').toString('latin1');
  if (as === 'latin1') return latin1;
  return latin1.replaceAll(/[\u0080-\u009f]/g, (c) => CP1252[c.charCodeAt(0) - 0x80]!);
}

const STATUS_OK = ['Planifiée', 'Planifiée', 'A lancer en prod.', 'Attente vitrage', 'Vitrage reçu'];
const STATUS_NO = ['Devis', 'En attente client', 'Livrée', 'Facturée', 'Annulée', 'Soldée'];
const STATUS_TRAPS = [
  'PLANIFIEE',
  'Planifie\u0301e',
  encodeTwice('Planifiée', 'latin1'),
  encodeTwice('Planifiée – à lancer', 'cp1252'),
  encodeTwice('VITRAGÉ', 'latin1'),
  '  Planifiée  ',
  'Planifi\u0000ée',
  'Planifiée\u0000\u0000',
  'lancer  en prod',
  'Lancer en Prôd 🚀',
  'Plan if iée',
  `${encodeTwice('À lancer en prod', 'cp1252')} (reçu)`,
  'vìtrâgé à poser',
  'Planifié',
  '«\u00a0planifié\u00a0»',
  'Planifi\ufffde',
  '',
  null,
];
const NOTE_OK = ['cde Planifiée', 'CDE PLANIFIEE semaine 12', 'Accord client, cde planifiée atelier'];
const NOTE_NO = [
  'Appel du client : rappeler lundi matin avant dix heures',
  'Métré vérifié sur place, cotes reportées au dossier',
  'Accusé de réception envoyé au client par courriel',
  'Livraison prévue semaine 24, camion complet, accès difficile',
  'cde fournisseur passée, délai annoncé de trois semaines',
  'Vitrage commandé, réserve sur la teinte du joint',
];
const NOTE_TRAPS = [
  encodeTwice('cde Planifiée', 'latin1'),
  encodeTwice('« cde Planifiée » – urgent… œil', 'cp1252'),
  `Véranda : ${encodeTwice('cde Planifiée', 'cp1252')} à revoir`,
  encodeTwice(encodeTwice('cde Planifiée', 'latin1'), 'latin1'),
  encodeTwice('çdé plânifiéé', 'latin1'),
  'cde Planifie\u0301e',
  'çdè PLANÎFIÉE ⚙️',
  'cde  Planifiée',
  'cdePlanifiée',
  'cde Planifié',
  'cde\u00a0Planifiée',
  'cde Planifi\u0000ée',
  'cde Planifiée\u0000',
  'cde\nPlanifiée',
  'recde Planifiéeeee',
  'cde Planif%e',
  '',
  null,
];
const CODE_OK = ['SOP 185', 'S P 200', 'S D 165', 'S Q 18', 'S T 24', 'S TAB 30', 'S TN 12', 'SOP'];
const CODE_NO = ['MOT-10', 'LAM PVC', 'COUL 55', 'TELEC', 'SANGLE', 'S-P 200'];
const CODE_TRAPS = [
  'sop 12',
  'SÖP 3',
  'S P',
  'S P ',
  'S  P 2',
  'SP 200',
  ' SOP',
  'S TAB',
  'S TAB x',
  'S TABLIER',
  'S TN',
  'S TN\u0000 1',
  's t é😀',
  'S TNX',
  'ŠÔP',
  'S Q\u00a01',
  'SOP\u0000',
  'S',
  '',
  null,
];
const OPERATION_OK = ['VR', 'VR-STOCK', 'P12VR3'];
const OPERATION_NO = ['DEBIT', 'USINAGE', 'MONTAGE', 'QUINC', 'EXPED'];
const OPERATION_TRAPS = ['vr', 'V R', 'ṼŘ', 'V\u0000R', 'RV', 'xvRx', '', null];
const DATE_TRAPS = [
  '0000-00-00 00:00:00',
  '2025-02-00 00:00:00',
  '2025-12-31 23:59:59',
  '1000-01-01 00:00:00',
  null,
];
const ALPHAS = [null, '', 'A', 'a', 'B', 'Z9', 'é', 'A ', '\u0000A'];

/** Draws the orders of an ERP one after the other (constant memory). */
export function* generateErp(seed: number, options: ErpOptions): Generator<ErpOrder> {
  const draw = random(seed);
  const traps = options.traps ?? 0.3;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)]!;
  const mixed = <T>(ok: readonly T[], no: readonly T[], bad: readonly T[], share: number): T =>
    draw() < traps ? pick(bad) : pick(draw() < share ? ok : no);
  const count = (): number => 1 + Math.floor(draw() * 6);
  const date = (): string | null => (draw() < traps / 3 ? pick(DATE_TRAPS) : randomDate(draw));
  const list = <T>(make: () => T): T[] =>
    Array.from({ length: traps > 0 && draw() < traps / 4 ? 0 : count() }, make);
  const used = new Set<string>();
  for (let index = 0; index < options.orders; index++) {
    const ID = `${(index * 7919 + 13).toString(36)}-${Math.floor(draw() * 1e9).toString(36)}`.toUpperCase();
    const key = drawKey(draw, pick, index, traps);
    // The unique key ignores case, accents and trailing blanks, and lets several NULL pass.
    const folded = `${key.AuftragsTyp}|${key.AuNummer}|${key.AuAlpha?.normalize('NFD')
      .replaceAll(/[\u0300-\u036f]/g, '')
      .toUpperCase()
      .trimEnd()}`;
    const free = key.AuAlpha === null || key.AuNummer === null || !used.has(folded);
    used.add(folded);
    const kopf = {
      ID,
      ...(free ? key : { ...key, AuNummer: 10_000_000 + index }),
      AufStatus: mixed<string | null>(STATUS_OK, STATUS_NO, STATUS_TRAPS, options.statuses ?? 0.6),
    };
    // One draw an order decides whether a child may qualify, so that the share of each rule does not grow with its rows.
    const planned = draw() < 0.74 ? 0.35 : 0;
    const boxed = draw() < 0.84 ? 0.45 : 0;
    const stock = draw() < 0.35 ? 0.4 : 0;
    // Another spelling that the collation of the tables (no case, blanks at the end left out) takes for the same key.
    const refer = (): string =>
      traps > 0 && draw() < traps / 3 ? pick([ID.toLowerCase(), `${ID} `, `${ID.toLowerCase()}  `]) : ID;
    yield {
      kopf,
      logbuch: list(() => ({
        ID_A_Kopf: refer(),
        Datum: date(),
        Notiz: mixed<string | null>(NOTE_OK, NOTE_NO, NOTE_TRAPS, planned),
      })),
      zubeh: list(() => ({
        ID_A_Kopf: refer(),
        ZCode: mixed<string | null>(CODE_OK, CODE_NO, CODE_TRAPS, boxed),
      })),
      vorgang: list(() => ({
        ID_A_Kopf: refer(),
        Nummer: mixed<string | null>(OPERATION_OK, OPERATION_NO, OPERATION_TRAPS, stock),
      })),
      freie: count(),
      artikel: count(),
    };
  }
}

function drawKey(
  draw: () => number,
  pick: <T>(list: readonly T[]) => T,
  index: number,
  traps: number,
): Pick<KopfRow, 'AuftragsTyp' | 'AuNummer' | 'AuAlpha'> {
  const repeat = draw() < traps;
  return {
    AuftragsTyp: repeat ? Math.floor(draw() * 4) : 1,
    AuNummer:
      traps > 0 && draw() < traps / 20 ? null : repeat ? 1000 + Math.floor(draw() * 12) : 20_000 + index,
    AuAlpha: draw() < traps ? pick(ALPHAS) : pick([null, 'A', 'B', '']),
  };
}

function randomDate(draw: () => number): string {
  const day = new Date(Date.UTC(2025, 0, 1) + Math.floor(draw() * 300) * 86_400_000)
    .toISOString()
    .slice(0, 10);
  const two = (limit: number): string => String(Math.floor(draw() * limit)).padStart(2, '0');
  return `${day} ${two(24)}:${two(60)}:${two(60)}`;
}
