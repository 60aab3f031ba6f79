import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { lireFichierEnv } from '../../src/base/config/fichier-env.ts';
import { readEnvFile } from '../../src/base/config.ts';

const home = mkdtempSync(join(tmpdir(), 'atelier-env-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const lire = (text: string | Buffer) => lireFichierEnv(Buffer.from(text as string));

describe('.env : lu en entier, ou refusé par nom et ligne', () => {
  test.each([
    ['MYSQL_PASSWORD=p#ss', 'p#ss'],
    ['MYSQL_PASSWORD=p#ss#', 'p#ss#'],
    ['MYSQL_PASSWORD="p #ss"', 'p #ss'],
    ["MYSQL_PASSWORD='p #ss'", 'p #ss'],
    ['MYSQL_PASSWORD="#"', '#'],
    ['MYSQL_PASSWORD=p"s\'s', 'p"s\'s'],
    ['MYSQL_PASSWORD=a=b==', 'a=b=='],
    ['MYSQL_PASSWORD= mot de passe ', 'mot de passe'],
    ['MYSQL_PASSWORD=é😀', 'é😀'],
    ['MYSQL_PASSWORD=', ''],
    ['MYSQL_PASSWORD=""', ''],
    ['# un mot\n\n  # un autre\nMYSQL_PASSWORD=x\n', 'x'],
  ])('%j', (text, expected) => {
    expect(lire(text)).toEqual({ valeurs: { MYSQL_PASSWORD: expected }, problemes: [] });
  });

  test('une marque d’ordre des octets en tête : le premier réglage est lu', () => {
    expect(lire('\ufeffFUSEAU=Asia/Tokyo\n')).toEqual({ valeurs: { FUSEAU: 'Asia/Tokyo' }, problemes: [] });
  });

  test.each([
    ['A=1\nMYSQL_PASSWORD=p #ss', /^ligne 2, MYSQL_PASSWORD : un « # »/],
    ['MYSQL_PASSWORD=p\t#ss', /^ligne 1, MYSQL_PASSWORD : un « # »/],
    ['MYSQL_PASSWORD=#ss', /^ligne 1, MYSQL_PASSWORD : un « # »/],
    ['MYSQL_PASSWORD= # rien', /^ligne 1, MYSQL_PASSWORD : un « # »/],
    ['MYSQL_PASSWORD=p$s', /^ligne 1, MYSQL_PASSWORD : « \$ »/],
    ["MYSQL_PASSWORD='p$s'", /^ligne 1, MYSQL_PASSWORD : « \$ »/],
    ['MYSQL_PASSWORD=p\\s', /^ligne 1, MYSQL_PASSWORD : « \\ »/],
    ['MYSQL_PASSWORD="ps', /^ligne 1, MYSQL_PASSWORD : guillemets/],
    ['MYSQL_PASSWORD="p"s"', /^ligne 1, MYSQL_PASSWORD : guillemets/],
    ['MYSQL_PASSWORD="p" # mot', /^ligne 1, MYSQL_PASSWORD : guillemets/],
    ['MYSQL_PASSWORD=`ps`', /^ligne 1, MYSQL_PASSWORD : pas d’accent grave/],
    ['MYSQL_PASSWORD=" ps"', /^ligne 1, MYSQL_PASSWORD : un blanc au bord/],
    ['MYSQL_PASSWORD=a\nB=c\nMYSQL_PASSWORD=d', /^ligne 3, MYSQL_PASSWORD : déjà donné à la ligne 1/],
    ['export MYSQL_PASSWORD=a', /^ligne 1, MYSQL_PASSWORD : sans « export »/],
    ['MYSQL_PASSWORD =a', /^ligne 1, MYSQL_PASSWORD : pas de blanc/],
    [' MYSQL_PASSWORD=a', /^ligne 1, MYSQL_PASSWORD : pas de blanc/],
    ['MYSQL_PASSWORD: a', /^ligne 1 : attendu NOM=valeur/],
    ['MYSQL-PASSWORD=a', /^ligne 1 : attendu NOM=valeur/],
    ['A=1\r\nMYSQL_PASSWORD=a\r\n', /^ligne 1 : fin de ligne de Windows/],
    ['MYSQL_PASSWORD=a\u0000b', /^ligne 1, MYSQL_PASSWORD : caractère de contrôle/],
  ])('%j est refusé', (text, message) => {
    const { problemes } = lire(text);
    expect(problemes).toHaveLength(1);
    expect(problemes[0]).toMatch(message);
  });

  test('des octets qui ne sont pas de l’UTF-8 : refusés par nom et ligne, sauf dans un commentaire', () => {
    const latin1 = Buffer.from('# réglages\nA=1\nMYSQL_PASSWORD=clé\n', 'latin1');
    expect(lire(latin1).problemes).toEqual([
      'ligne 3, MYSQL_PASSWORD : pas de l’UTF-8 (enregistrez le fichier en UTF-8)',
    ]);
  });

  test('toutes les lignes en faute d’un coup, le fichier nommé, jamais une valeur', () => {
    const file = join(home, 'deux.env');
    writeFileSync(file, 'A=s3cret $x\nB=ok\nC="s3cret\n');
    expect(() => readEnvFile(file)).toThrow(/deux\.env :\n {2}- ligne 1, A : .*\n {2}- ligne 3, C : /);
    try {
      readEnvFile(file);
    } catch (error) {
      expect(String(error)).not.toContain('s3cret');
    }
  });

  test('l’exemple se lit', () => {
    const bytes = readFileSync(new URL('../../.env_exemple', import.meta.url));
    expect(lireFichierEnv(bytes)).toEqual({ valeurs: { ...parseEnv(bytes.toString()) }, problemes: [] });
  });
});

/** What docker-compose 1.29 (python-dotenv) makes of a file, or undefined when it is not on this machine. */
function avecCompose(file: string): Record<string, string> | undefined {
  const script =
    'import json,sys\nfrom compose.config.environment import env_vars_from_file as f\nprint(json.dumps(f(sys.argv[1])))';
  const run = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
  return run.status === 0 ? (JSON.parse(run.stdout) as Record<string, string>) : undefined;
}

describe('ce qui est lu est lu de même par docker-compose', () => {
  const morceau = fc.constantFrom(
    'a',
    'Z',
    '#',
    ' ',
    '"',
    "'",
    '$',
    '\\',
    '=',
    '\t',
    'é',
    '%',
    '{',
    '}',
    ';',
    '`',
    '😀',
  );
  const valeur = fc.array(morceau, { maxLength: 6 }).map((parts) => parts.join(''));

  test('valeurs tirées au sort', () => {
    const file = join(home, 'commun.env');
    const sample = fc.sample(valeur, 400).map((value, at) => [`N${at}`, value] as const);
    const accepted = sample.filter(([name, value]) => lire(`${name}=${value}\n`).problemes.length === 0);
    expect(accepted.length).toBeGreaterThan(50);
    writeFileSync(file, accepted.map(([name, value]) => `${name}=${value}\n`).join(''));
    const theirs = avecCompose(file);
    // docker-compose is there where `npm test` has prepared the machine.
    if (theirs) expect(theirs).toEqual(readEnvFile(file));
    const ours = readEnvFile(file);
    for (const [name, value] of accepted) {
      const quoted = /^(["']).*\1$/.test(value.trim());
      expect(ours[name]).toBe(quoted ? value.trim().slice(1, -1) : value.trim());
    }
  });
});
