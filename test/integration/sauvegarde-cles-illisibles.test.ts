// R17, O15: the one file of account keys beside the backups, when it cannot be read: nothing writes over it unseen.

import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FichierCles } from '../../src/archives/sauvegarde/cles-comptes.ts';
import { createApi } from '../harness/api.ts';
import { type Finished, type Installation, install, withoutPrivileges } from '../harness/cli.ts';

const SCEAU = randomBytes(32);
let place: Installation;
let depot: string;
let env: Record<string, string>;
/** the accounts, and the file of their keys after a first backup */
let comptes: string[];
let path: string;
let whole: Buffer;
beforeEach(async () => {
  place = await install();
  depot = await mkdtemp(join(tmpdir(), 'atelier-depot-'));
  env = {
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_SAUVEGARDE: SCEAU.toString('hex'),
    SAUVEGARDE_DIR: depot,
  };
  const api = await createApi({
    url: place.url,
    comptes: false,
    env: { ...env, ARCHIVES_DIR: place.archives },
  });
  try {
    comptes = [(await api.compte('chef', 'admin')).id, (await api.compte('bob', 'lecteur')).id].sort();
  } finally {
    await api.close();
  }
  expect(await run(['backup'])).toMatchObject({ code: 0 });
  path = join(depot, (await readdir(depot)).find((name) => name.endsWith('.cles'))!);
  whole = await readFile(path);
}, 60_000);
afterEach(async () => {
  await place.close();
  await rm(depot, { recursive: true, force: true });
});

const run = (
  args: readonly string[],
  own: Record<string, string> = {},
  before: readonly string[] = [],
): Promise<Finished> => place.run(args, { env: { ...env, ...own }, before });

/** Ids of the accounts whose keys lie in the file, sealed with a key. */
async function avecCle(sceau = SCEAU): Promise<string[]> {
  const found = (await new FichierCles(depot, basename(path), [sceau]).lire())!;
  expect(found.scelle).toBe(true);
  return found.contenu.cles.map(({ compte }) => compte).sort();
}

/** What backups put aside. */
const deCote = async (): Promise<string[]> =>
  (await readdir(depot)).filter((name) => name.includes('.cles.')).sort();

it('R17: without its key, or the right to read it, the backup stops and says which; the file is as it was', async () => {
  const before = (await readdir(depot)).sort();
  const refused = async ({ code, stderr }: Finished, said: RegExp): Promise<void> => {
    expect([code, stderr]).toEqual([1, expect.stringMatching(said)]);
    expect(stderr).toContain(path);
    expect(Buffer.compare(await readFile(path), whole)).toBe(0);
    // Neither a new backup, nor a draft of one or of the file.
    expect((await readdir(depot)).sort()).toEqual(before);
  };
  const other = randomBytes(32);
  const now = { CLE_SAUVEGARDE: other.toString('hex') };
  await refused(await run(['backup'], now), /ATL_B903.*CLE_SAUVEGARDE_PRECEDENTE/s);
  await refused(await run(['backup'], { CLE_SAUVEGARDE: '' }), /ATL_B903/);
  await chmod(path, 0);
  const unread = await run(['backup'], {}, withoutPrivileges());
  await chmod(path, 0o600);
  await refused(unread, /ATL_B901.*EACCES/s);
  // With both keys it goes on, and everybody is under the new one.
  const both = { ...now, CLE_SAUVEGARDE_PRECEDENTE: SCEAU.toString('hex') };
  expect(await run(['backup'], both)).toMatchObject({ code: 0 });
  expect([await avecCle(other), await deCote()]).toEqual([comptes, []]);
}, 240_000);

it('R17: a damaged one is kept beside the new one, as long as a backup, and each command says so', async () => {
  const damaged = [whole.with(whole.length - 3, whole.at(-3)! ^ 1), whole.subarray(0, 200), Buffer.from('{')];
  for (const [i, broken] of damaged.entries()) {
    await writeFile(path, broken);
    const done = await run(['backup', '--json']);
    expect([done.code, done.stderr]).toEqual([3, expect.stringMatching(/\.cles\.abime-\d{14}/)]);
    const { etat, nom, clesAbimees } = JSON.parse(done.stdout);
    expect([etat, Buffer.compare(await readFile(clesAbimees), broken)]).toEqual(['partielle', 0]);
    expect([await avecCle(), (await deCote()).length]).toEqual([comptes, i + 1]);
    expect(await run(['backup', 'verify', nom])).toMatchObject({ code: 0 });
  }
  // Whoever is forgotten may still be in there: that is for a person to decide.
  const forgotten = await run(['user', 'forget', 'bob', '--oui']);
  expect([forgotten.code, forgotten.stderr]).toEqual([0, expect.stringContaining((await deCote())[0]!)]);
  expect(await run(['backup'])).toMatchObject({ code: 0 });
  expect(await deCote()).toHaveLength(3);
  // Nobody erases anything in there, so it may stay as long as a backup, not longer.
  const [first, ...others] = (await deCote()) as [string, ...string[]];
  await rename(join(depot, first), join(depot, first.replace(/\d{14}$/, '20200101000000')));
  expect(await run(['backup'])).toMatchObject({ code: 0 });
  expect(await deCote()).toEqual(others);
}, 240_000);
