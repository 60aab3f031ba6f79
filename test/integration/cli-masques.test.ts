// `atelier masques` as the person meets it who writes the rules (M7).
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, install } from '../harness/cli.ts';

const LOG = [
  '20250528 06:00:00|@MachineStart',
  '20250528 06:01:00|@StukUitgevoerd: 12 op Jansen',
  '20250528 06:02:00|@StukUitgevoerd: 13',
  'Bediener: Jan Jansen',
  '',
].join('\r\n');
const REGLES =
  'operateur=(?i)bediener:? *([[:alpha:]]+ [[:alpha:]]+);operateur=op ([[:alpha:]]+);badge=badge [0-9]+';

let place: Installation;
beforeAll(async () => {
  place = await install();
  await place.write('DEM12/20250528.LOG', LOG);
  expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
});
afterAll(() => place?.close());

test('M7: essayer tells what each rule would hide, with examples, and changes nothing', async () => {
  const before = await place.everything();
  const done = await place.run(['masques', 'essayer', '--regles', REGLES]);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toContain('1 fichiers, 4 lignes, dont 2 où quelque chose serait masqué.');
  expect(done.stdout).toMatch(/\[operateur\] 1 lignes\n {2}« Jan Jansen »\n {4}Bediener: \[operateur\]\n/);
  expect(done.stdout).toContain('20250528 06:01:00|@StukUitgevoerd: 12 op [operateur]');
  expect(done.stdout).toContain('[badge] ne trouve rien');
  expect(await place.everything()).toBe(before);
});

test('M7: a file of rules on a file of lines; what is wrong with a rule is said by its place', async () => {
  const regles = join(place.home, 'regles.txt');
  const fichier = join(place.home, 'essai.log');
  await writeFile(regles, '# essai\nbadge=badge (\\d+)\n');
  await writeFile(fichier, 'badge 1234\n');
  const done = await place.run([
    'masques',
    'essayer',
    '--regles',
    `@${regles}`,
    '--fichier',
    fichier,
    '--json',
  ]);
  expect(JSON.parse(done.stdout)).toMatchObject({
    lignes: 1,
    masquees: 1,
    regles: [{ nom: 'badge', lignes: 1, exemples: [{ cache: ['1234'], ligne: 'badge [badge]' }] }],
  });
  const bad = await place.run(['masques', 'essayer', '--regles', 'a=(x']);
  expect(bad).toMatchObject({ code: 2, stdout: '' });
  expect(bad.stderr).toContain('MASQUES, règle 1 (a)');
  // The same in the setting: nothing starts.
  const refused = await place.run(['ingest'], { env: { MASQUES: 'operateur=(x' } });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/ATL_C101.*MASQUES, règle 1 \(operateur\)/s);
});

test('M7: masques tells what is stored under other rules; an import takes it up, and nobody reads the name any more', async () => {
  const env = { MASQUES: REGLES };
  expect((await place.run(['masques'])).stdout).toContain('MASQUES est vide');
  expect((await place.run(['masques'], { env })).stdout).toContain('1 versions de fichiers gardées');
  expect((await place.run(['rejets', '--json'], { env })).stdout).toContain('Jansen');
  expect(await place.run(['ingest'], { env })).toMatchObject({ code: 0 });
  expect((await place.run(['masques'], { env })).stdout).toContain('Tout ce qui est gardé est passé');
  for (const args of [
    ['rejets', '--json'],
    ['rejets', '--csv'],
    ['show', 'DEM12/2025-05-28', '--tout', '--json'],
  ]) {
    const { stdout, code } = await place.run(args, { env });
    expect(code).toBe(0);
    expect(stdout).not.toContain('Jansen');
  }
  const doctor = await place.run(['doctor'], { env });
  expect(doctor.stdout).toContain('✔ MASQUES : badge, operateur');
});
