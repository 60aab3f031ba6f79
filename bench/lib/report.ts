import { existsSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

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

/** Prints a section; keeps it in RESULTS.md when asked to. */
export async function publish(title: string, body: string, save: boolean): Promise<void> {
  const section = `\n## ${title}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC\n\n${body}\n`;
  console.log(section);
  if (!save) return;
  if (!existsSync(RESULTS)) await writeFile(RESULTS, HEADER);
  await appendFile(RESULTS, section);
}
