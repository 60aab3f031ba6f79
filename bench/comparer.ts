// Every measurement with its defaults, compared with what was kept (O22): ends with 1 when a ratio became worse.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BANCS = ['ingest', 'sync', 'api', 'suivi', 'endurance', 'voisinage'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BANCS.includes(name));
if (unknown.length > 0) throw new Error(`usage: bench/comparer.ts [${BANCS.join('] [')}]`);
const bad: string[] = [];
for (const name of wanted.length > 0 ? wanted : BANCS) {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, '--comparer'], { stdio: 'inherit' });
  if (status !== 0) bad.push(name);
}
console.log(bad.length === 0 ? 'Nothing became worse.' : `Worse, or failed: ${bad.join(', ')}.`);
process.exitCode = bad.length === 0 ? 0 : 1;
