// Programs for the model-based tests: what can happen to a tree of log files, and when it is imported.
// The state after a program must be `reference` of every (path, bytes) that the imports have seen.

import fc from 'fast-check';
import { Model, type ModelImports } from './model.ts';

export { Model, type ModelImports, readTree } from './model.ts';

export type LineEnding = '\n' | '\r\n';

/** Paths are relative to LOGS_DIR. `permille` is a place in a file: 0 its start, 1000 its end. */
export type Action =
  | { type: 'append'; chemin: string; lignes: string[]; fin: LineEnding }
  /** The other half comes with the next append at that path. */
  | { type: 'appendHalf'; chemin: string; ligne: string; fin: LineEnding; permille: number }
  | { type: 'truncate'; chemin: string; permille: number }
  /** In place (same inode) or as a new file under the same name. */
  | { type: 'rewrite'; chemin: string; lignes: string[]; fin: LineEnding; surPlace: boolean }
  | { type: 'rename'; de: string; vers: string }
  | { type: 'copy'; de: string; vers: string }
  /** A new file: the last `derniers` lines of `de`, then new lines. */
  | { type: 'overlap'; de: string; vers: string; derniers: number; lignes: string[]; fin: LineEnding }
  /** The first `premiers` lines are dropped, new ones added. */
  | { type: 'roll'; chemin: string; premiers: number; lignes: string[]; fin: LineEnding; surPlace: boolean }
  | { type: 'delete'; chemin: string }
  /** Back to bytes that the path has held before. */
  | { type: 'reupload'; chemin: string; rang: number }
  | { type: 'insertBytes'; chemin: string; octets: number[]; permille: number }
  | { type: 'reencode'; chemin: string; en: 'utf-16le' | 'utf-16be' | 'utf-8'; bom: boolean }
  | { type: 'import' }
  | { type: 'importTwice' }
  /** `point`: 0 to 9, for the caller to choose where the import is killed. */
  | { type: 'killImport'; point: number };

export const CHEMINS = [
  'DEM12/20250528.LOG',
  'DEM12/20250529.LOG',
  'SU12/20250528.LOG',
  'DEM12/archives/20250528 (copie).log',
  'DEM12/20250530.LOG.filepart', // an upload under way: not visible
];

// ---------------------------------------------------------------------------------------------------------
// Vocabulary: small, so that equal lines and therefore unions are likely. Simplest first: that is where
// shrinking goes.

const STAMPS = {
  jour: [
    '20250528 06:00:00',
    '20250528 06:10:00',
    '20250528 06:10:30',
    '20250528 06:30:00',
    '20250528 07:00:00',
  ],
  minuit: ['20250528 23:59:59', '20250529 00:00:00', '20250529 04:59:59', '20250529 05:00:00'],
  printemps: ['20250330 01:59:59', '20250330 02:30:00', '20250330 03:00:00', '20250330 03:30:00'],
  automne: ['20251026 02:10:00', '20251026 02:50:00', '20251026 01:59:59', '20251026 03:00:00'],
};

const EVENTS = [
  'StukUitgevoerd: A',
  'StukUitgevoerd',
  'StukUitgevoerd: pi\u00e8ce n\u00b0 2',
  'MachineStop',
  'MachineStart',
  'MachineWait: 45 sec',
  'MachineWait: Wacht op bediener 12,5 sec',
  'MachineWait: 1800.0000005 sec',
  'JobProfiel: R:215023 L:3359.0 C:7016 G ALU',
  'JobProfiel: L:10,50 R:2',
];
const OTHERS = ['Zaagcyclus: 3', 'Klem', 'Zaagcyclus'];
const UNUSABLE = ['MachineWait: wacht', 'MachineWait: 0 sec', 'JobProfiel: R:215023', ''];
const ODD_LINES = [
  '',
  ' \t',
  'onzin',
  '20250528 06:00:00|StukUitgevoerd: A',
  '20250229 06:00:00|@StukUitgevoerd: A',
  '\u00e9 20250528 06:00:00 |@ StukUitgevoerd :  A ', // the same event line as the plain one
];

function stampArbitrary(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...STAMPS.jour) },
    { weight: 2, arbitrary: fc.constantFrom(...STAMPS.minuit) },
    { weight: 1, arbitrary: fc.constantFrom(...STAMPS.printemps) },
    { weight: 2, arbitrary: fc.constantFrom(...STAMPS.automne) },
  );
}

export function lineArbitrary(): fc.Arbitrary<string> {
  const event = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...EVENTS) },
    { weight: 1, arbitrary: fc.constantFrom(...OTHERS) },
    { weight: 1, arbitrary: fc.constantFrom(...UNUSABLE) },
  );
  return fc.oneof(
    { weight: 12, arbitrary: fc.tuple(stampArbitrary(), event).map(([stamp, text]) => `${stamp}|@${text}`) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_LINES) },
  );
}

// ---------------------------------------------------------------------------------------------------------
// Actions

const ending = fc.oneof(
  { weight: 3, arbitrary: fc.constant<LineEnding>('\n') },
  { weight: 1, arbitrary: fc.constant<LineEnding>('\r\n') },
);
const path = fc.oneof(
  { weight: 4, arbitrary: fc.constant(CHEMINS[0] ?? '') },
  { weight: 4, arbitrary: fc.constantFrom(...CHEMINS) },
);
const permille = fc.integer({ min: 0, max: 1_000 });
/** Up to `max` of a kind, usually most of them (arrays come out short); each one can be shrunk away alone. */
function upTo<T>(max: number, one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  const places = Array.from({ length: max }, () => fc.option(one, { nil: undefined, freq: 5 }));
  return fc.tuple(...places).map((list) => list.flatMap((item) => (item === undefined ? [] : [item])));
}

// As a machine writes them, in order, or not.
const lines = (max: number): fc.Arbitrary<string[]> => {
  const any = upTo(max, lineArbitrary());
  return fc.oneof(
    { weight: 1, arbitrary: any },
    { weight: 3, arbitrary: any.map((list) => list.toSorted()) },
  );
};
const literal = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);

function rewriteArbitrary(maxLines: number): fc.Arbitrary<Action> {
  return fc.record({
    type: literal('rewrite'),
    chemin: path,
    lignes: lines(maxLines),
    fin: ending,
    surPlace: fc.boolean(),
  });
}

const wrongBytes: fc.Arbitrary<number[]> = fc.oneof(
  fc.integer({ min: 1, max: 64 }).map((length) => new Array<number>(length).fill(0)), // a run of NULs
  fc.constantFrom<number[][]>([0xff], [0xc3], [0xe2, 0x82], [0xef, 0xbb, 0xbf], [0x0d], [0xa0]), // invalid UTF-8 and the like
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 8 }),
);

function rollArbitrary(chemin: fc.Arbitrary<string>): fc.Arbitrary<Action> {
  return fc.record({
    type: literal('roll'),
    chemin,
    premiers: fc.integer({ min: 1, max: 3 }),
    lignes: lines(3),
    fin: ending,
    surPlace: fc.boolean(),
  });
}

function fileActionArbitrary(): fc.Arbitrary<Action> {
  const append = fc.record({ type: literal('append'), chemin: path, lignes: lines(4), fin: ending });
  const appendHalf = fc.record({
    type: literal('appendHalf'),
    chemin: path,
    ligne: lineArbitrary(),
    fin: ending,
    permille,
  });
  const truncate = fc.record({ type: literal('truncate'), chemin: path, permille });
  const rename = fc.record({ type: literal('rename'), de: path, vers: path });
  const copy = fc.record({ type: literal('copy'), de: path, vers: path });
  const overlap = fc.record({
    type: literal('overlap'),
    de: path,
    vers: path,
    derniers: fc.integer({ min: 1, max: 4 }),
    lignes: lines(3),
    fin: ending,
  });
  const remove = fc.record({ type: literal('delete'), chemin: path });
  const reupload = fc.record({ type: literal('reupload'), chemin: path, rang: fc.nat(5) });
  const insertBytes = fc.record({ type: literal('insertBytes'), chemin: path, octets: wrongBytes, permille });
  const reencode = fc.record({
    type: literal('reencode'),
    chemin: path,
    en: fc.constantFrom('utf-8' as const, 'utf-16le' as const, 'utf-16be' as const),
    bom: fc.boolean(),
  });
  return fc.oneof<fc.WeightedArbitrary<Action>[]>(
    { weight: 6, arbitrary: append },
    { weight: 3, arbitrary: appendHalf },
    { weight: 2, arbitrary: truncate },
    { weight: 2, arbitrary: rewriteArbitrary(8) },
    { weight: 2, arbitrary: rename },
    { weight: 2, arbitrary: copy },
    { weight: 3, arbitrary: overlap },
    { weight: 3, arbitrary: rollArbitrary(path) },
    { weight: 1, arbitrary: remove },
    { weight: 2, arbitrary: reupload },
    { weight: 2, arbitrary: insertBytes },
    { weight: 1, arbitrary: reencode },
  );
}

function importArbitrary(): fc.Arbitrary<Action> {
  return fc.oneof<fc.WeightedArbitrary<Action>[]>(
    { weight: 4, arbitrary: fc.constant<Action>({ type: 'import' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ type: 'importTwice' }) },
    { weight: 2, arbitrary: fc.record({ type: literal('killImport'), point: fc.nat(9) }) },
  );
}

export function isImport(action: Action): boolean {
  return action.type === 'import' || action.type === 'importTwice' || action.type === 'killImport';
}

const MAX_IMPORTS = 4;

/**
 * At most 12 actions, of them at most 4 imports: one to three files of at most 12 lines, up to eight further
 * actions, and an import at the end that sees everything still there.
 */
export function programArbitrary(): fc.Arbitrary<Action[]> {
  const start = fc.array(rewriteArbitrary(12), { minLength: 1, maxLength: 3 });
  const rest = upTo(
    8,
    fc.oneof({ weight: 5, arbitrary: fileActionArbitrary() }, { weight: 3, arbitrary: importArbitrary() }),
  );
  return fc.tuple(start, rest).map(([first, then]) => {
    let imports = 0;
    const kept = then.filter((action) => {
      if (!isImport(action)) return true;
      imports += 1;
      return imports < MAX_IMPORTS;
    });
    return [...first, ...kept, { type: 'import' }];
  });
}

/** One file that drops its head as it grows, and is seen in up to 12 states, sometimes beside others. */
export function rollingProgramArbitrary(): fc.Arbitrary<Action[]> {
  const [chemin = ''] = CHEMINS;
  const start = rewriteArbitrary(12).map((action): Action => ({ ...action, chemin }) as Action);
  const step = fc.tuple(
    fc.oneof(
      { weight: 5, arbitrary: rollArbitrary(fc.constant(chemin)) },
      { weight: 3, arbitrary: fileActionArbitrary() },
    ),
    importArbitrary(),
  );
  return fc.tuple(start, fc.array(step, { minLength: 4, maxLength: 12 })).map(([first, steps]) => {
    return [first, { type: 'import' }, ...steps.flat(), { type: 'import' }];
  });
}

/** Runs a program in `dir` (empty, LOGS_DIR) with real imports, and gives the model of what they have seen. */
export async function runProgram(program: Action[], dir: string, imports: ModelImports): Promise<Model> {
  const model = new Model();
  for (const action of program) await model.applyToDisk(action, dir, imports);
  return model;
}
