import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEASURE = new URL('../children/measure.mjs', import.meta.url).href;
/** Last characters of a child's output that are shown when it fails. */
const TAIL = 4000;

export interface Run {
  readonly stdout: string;
  readonly wallMs: number;
}

export interface MeasuredRun extends Run {
  /** user and system time of the program, all its threads */
  readonly cpuMs: number;
  /** largest resident size of one of its processes */
  readonly peakBytes: number;
}

/** Runs a program to its end; anything but success is thrown, with the end of what it wrote. */
export async function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<Run> {
  const start = performance.now();
  const child = spawn(command, args, { env: options.env ?? process.env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  // Output is always read: a program that sees /dev/null may do less (grep stops at its first match).
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-TAIL)));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
  const wallMs = performance.now() - start;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${stdout.slice(-TAIL)}${stderr}`);
  return { stdout, wallMs };
}

/** Runs a Node program in a fresh process, as a user would, and says what it used. */
export async function runNode(args: readonly string[], env: NodeJS.ProcessEnv): Promise<MeasuredRun> {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-bench-measures-'));
  try {
    const done = await run(process.execPath, args, {
      env: { ...env, BENCH_MEASURES: folder, NODE_OPTIONS: `--import=${MEASURE}` },
    });
    let cpuMs = 0;
    let peakBytes = 0;
    for (const name of await readdir(folder)) {
      const measure = JSON.parse(await readFile(join(folder, name), 'utf8')) as MeasuredRun;
      cpuMs += measure.cpuMs;
      peakBytes = Math.max(peakBytes, measure.peakBytes);
    }
    if (peakBytes === 0) throw new Error(`${args.join(' ')} left no measure`);
    return { ...done, cpuMs, peakBytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
