import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { formatDay } from '../../src/base/time.ts';
import { run } from '../../src/cli/simulate.ts';
import { DEFAULT_END } from '../../src/embedded/simulator/tree.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atelier-simulate-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('atelier simulate', () => {
  const call = async (...args: string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const config = loadConfig({ LOGS_DIR: dir });
    const code = await run(args, {
      config,
      shutdown: new Shutdown(),
      isTerminal: false,
      columns: 80,
      out: (line) => out.push(line),
      err: (line) => err.push(line),
    });
    return { code, out: out.join('\n'), err: err.join('\n') };
  };

  it('writes where and when it is told', async () => {
    const { code, out } = await call(
      '--days',
      '2',
      '--centres',
      '4',
      '--noise',
      '0',
      '--jusqu-au',
      '2025-05-28',
      '--json',
    );
    expect(code).toBe(0);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({
      dossier: dir,
      du: '2025-05-27',
      au: '2025-05-28',
      fichiers: 8,
      ecrits: 8,
    });
    expect(answer.centres).toEqual(['DEM12', 'DEMALU', 'SU12', 'DEM14']);
    expect(await readdir(join(dir, 'DEM14 (PVC)'))).toEqual(['20250527.LOG', '20250528.LOG']);
    expect((await call('--help')).out).toContain(formatDay(DEFAULT_END));
  });

  it.each([
    ['--days', 'x'],
    ['--noise', '1.5'],
    ['--jusqu-au', '2025-02-30'],
    ['--centres', 'A,A'],
    ['--centres', '../X'],
    ['--vitesse', '0'],
    ['--seed', '-1'],
    ['--inconnue', ''],
    ['reste', ''],
  ])('refuses %s %s by name', async (option, value) => {
    const { code, err } = await call(...[option, value].filter((word) => word !== ''));
    expect(code).toBe(2);
    expect(err).toContain(option);
  });
});
