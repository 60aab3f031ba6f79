// The least that following can cost: file events, the new bytes of the file, one INSERT of the raw text a burst. It knows
// nothing of prefixes, rewrites, days or sessions, and loses what it misses.
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

const [dir, url] = process.argv.slice(2) as [string, string];
const pool = new pg.Pool({ connectionString: url, max: 4 });
await pool.query(
  'CREATE TABLE IF NOT EXISTS ligne_nue (chemin text NOT NULL, texte text NOT NULL, lignes int NOT NULL)',
);
/** bytes read so far, by path */
const positions = new Map<string, number>();
const busy = new Set<string>();
for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
  if (path.endsWith('.LOG')) positions.set(path, statSync(join(dir, path)).size);
}

watch(dir, { recursive: true }, (_event, path) => {
  if (path?.endsWith('.LOG')) void follow(path);
});
process.on('SIGTERM', () => process.exit(0));
console.log('prêt');

async function follow(path: string): Promise<void> {
  if (busy.has(path)) return;
  busy.add(path);
  try {
    for (let text = readNew(path); text !== ''; text = readNew(path)) {
      const lines = text.split('\n').length - 1;
      await pool.query('INSERT INTO ligne_nue VALUES ($1, $2, $3)', [path, text, lines]);
    }
  } finally {
    busy.delete(path);
  }
}

function readNew(path: string): string {
  const fd = openSync(join(dir, path), 'r');
  try {
    const from = positions.get(path) ?? 0;
    const buffer = Buffer.alloc(fstatSync(fd).size - from);
    const read = readSync(fd, buffer, 0, buffer.length, from);
    positions.set(path, from + read);
    return buffer.toString('latin1', 0, read);
  } finally {
    closeSync(fd);
  }
}
