const STAMP = /\d{8} \d\d:\d\d:\d\d\|@/g;

/**
 * The lines of a log as docs/regles-journaux.md counts them, good enough for the simulator's: without NULs, and an event
 * behind the rest of another line is a line of its own.
 */
export function linesOf(log: string): string[] {
  return log
    .replaceAll('\0', '')
    .split(/\r\n|\n|\r/)
    .flatMap(unglue);
}

function unglue(line: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const { index } of line.matchAll(STAMP)) {
    if (!/[^\s\x80-\xff]/.test(line.slice(from, index))) continue;
    parts.push(line.slice(from, index));
    from = index;
  }
  return [...parts, line.slice(from)];
}
