import { existsSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  comparer as comparerRatios,
  disparus,
  type Ratio,
  readReference,
  SEUIL,
  saveReference,
} from './reference.ts';

const RESULTS = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
const HEADER = `# Results

Kept by \`--save\`; newest last. Only figures of one section may be compared with each other (README.md says why).
`;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `1.23 (1.10-1.40)`: median and range. */
export function spread(values: readonly number[], digits: number): string {
  const show = (value: number): string => value.toFixed(digits);
  if (values.length === 1) return show(values[0]!);
  return `${show(median(values))} (${show(Math.min(...values))}-${show(Math.max(...values))})`;
}

/** A Markdown table; columns are padded, so that it reads well on a terminal too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** What the figures depend on, in one paragraph. */
export function machineFacts(facts: { postgres: string; repeats: number; load: string }): string {
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  return [
    `${availableParallelism()} cores ${cpus()[0]?.model.trim() ?? 'of unknown kind'}, ${memory} GiB,`,
    `${process.platform} ${process.arch}, Node ${process.versions.node},`,
    `PostgreSQL ${facts.postgres} (its own defaults, fsync on, loopback TCP);`,
    `${facts.repeats} repeats; load average before the run ${facts.load}.`,
    'MB = 10^6 bytes; figures are medians (range).',
  ].join(' ');
}

export function currentLoad(): string {
  return loadavg()[0]!.toFixed(2);
}

/** What a run does with its figures besides showing them. */
export interface Suite {
  /** keep them: RESULTS.md, reference.json */
  readonly save?: boolean;
  /** compare the ratios with those kept, and end with 1 when one is worse */
  readonly comparer?: boolean;
}

/**
 * Prints a section; keeps it, or compares its ratios with those of the last that was kept under the same title.
 *
 * @param title what was measured, sizes included
 */
export async function publish(
  title: string,
  body: string,
  { save = false, comparer = false }: Suite,
  ratios: readonly Ratio[],
): Promise<void> {
  const section = `\n## ${title}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC\n\n${body}\n`;
  console.log(section);
  if (comparer) showComparison(title, ratios);
  if (!save) return;
  if (!existsSync(RESULTS)) await writeFile(RESULTS, HEADER);
  await appendFile(RESULTS, section);
  saveReference(title, ratios);
}

function showComparison(title: string, ratios: readonly Ratio[]): void {
  const kept = readReference()[title];
  if (!kept) {
    console.log(`Nothing was kept under “${title}”: --save keeps this run.`);
    process.exitCode = 1;
    return;
  }
  const rows = comparerRatios(ratios, kept.ratios);
  const gone = disparus(ratios, kept.ratios);
  const show = (value: number | undefined): string => value?.toPrecision(3) ?? '';
  console.log(`Compared with ${kept.le.replace('T', ' ')} UTC; ${SEUIL} times as bad is worse.\n`);
  console.log(
    table(
      ['ratio', 'kept', 'now', 'times as bad', 'worse'],
      [
        ...rows.map((row) => [
          row.nom,
          show(row.avant),
          show(row.maintenant),
          show(row.facteur),
          row.pire ? '**yes**' : 'no',
        ]),
        ...gone.map((nom) => [
          nom,
          show(kept.ratios.find((one) => one.nom === nom)?.valeur),
          '',
          '',
          '**gone**',
        ]),
      ],
    ),
  );
  if (gone.length > 0 || rows.some(({ pire }) => pire)) process.exitCode = 1;
}
