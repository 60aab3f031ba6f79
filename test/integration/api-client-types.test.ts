// The contract as a TypeScript client meets it: types of openapi-typescript, calls of openapi-fetch, compiled as their
// manual says and run against a server.
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openapiDocument } from '../../scripts/openapi.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';

const run = promisify(execFile);
const home = fileURLToPath(new URL('../client', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
/** its compiler is the one that the tool needs, not ours */
const compilers = [
  join(home, 'node_modules/typescript/bin/tsc'),
  join(root, 'node_modules/typescript/bin/tsc'),
];
const node = (...args: string[]): Promise<{ stdout: string }> =>
  run(process.execPath, args, { cwd: dossier });

let api: ApiDEssai;
let dossier: string;

beforeAll(async () => {
  api = await createApi();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  dossier = await mkdtemp(join(home, '.essai-'));
});
afterAll(async () => {
  await api?.close();
  if (dossier) await rm(dossier, { recursive: true, force: true });
});

// Two compilers on a busy machine.
it('is typed, compiled and run', { timeout: 600_000 }, async () => {
  await writeFile(join(dossier, 'openapi.json'), await openapiDocument());
  await node(join(home, 'node_modules/openapi-typescript/bin/cli.js'), 'openapi.json', '-o', 'atelier.d.ts');
  for (const file of ['client.ts', 'tsconfig.json']) await copyFile(join(home, file), join(dossier, file));
  for (const compiler of compilers) {
    const said = await node(compiler, '-p', '.').catch((error: { stdout: string }) => error);
    expect(said.stdout, compiler).toBe('');
  }
  const { port } = api.app.server.address() as AddressInfo;
  const token = api.comptes.gestionnaire.entete.authorization.replace('Bearer ', '');
  const { stdout } = await node('client.ts', `http://127.0.0.1:${port}`, token);
  expect(JSON.parse(stdout)).toEqual({
    ...{ nom: 'TYPÉ', rate: 75, begin: '2025-05-28T00:00:00+02:00', pieces: 3, rows: 1, total: '1' },
    ...{ refused: 404, gone: 204 },
  });
});
