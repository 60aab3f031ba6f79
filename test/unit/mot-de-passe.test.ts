import { argon2Sync, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  aRehacher,
  chargeDesHachages,
  hacher,
  verifier,
  verifierFactice,
} from '../../src/api/auth/mot-de-passe.ts';
import { bits, refusAdresse, refusMotDePasse, refusNom } from '../../src/api/auth/politique.ts';
import { MOTS_DE_PASSE_D_EXEMPLE } from '../../src/api/schemas/mots-de-passe-exemple.ts';
import { CleDeCompte } from '../../src/base/cle-de-compte.ts';
import { assertProperty } from '../harness/property.ts';

const argon2 = vi.hoisted(() => ({
  calls: [] as Record<string, unknown>[],
  running: 0,
  most: 0,
  broken: false,
}));
vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>();
  const counted: typeof real.argon2 = (algorithm, parameters, callback) => {
    argon2.calls.push({ algorithm, ...parameters });
    argon2.most = Math.max(argon2.most, ++argon2.running);
    real.argon2(algorithm, parameters, (error, derived) => {
      argon2.running--;
      callback(argon2.broken ? new Error('no memory') : error, derived);
    });
  };
  return { ...real, argon2: counted };
});

const WHO = { username: 'bob.martin', email: 'b.martin@volets-dupont.test' };
const ok = (mdp: string): boolean => refusMotDePasse(mdp, WHO).length === 0;

interface Made {
  readonly parallelism?: number;
  readonly salt?: number;
  readonly tag?: number;
}

/** A hash with other parameters, made without our code. */
function phc(mdp: string, memory: number, passes: number, made: Made = {}): string {
  const { parallelism = 1, salt: saltBytes = 16, tag = 32 } = made;
  const salt = randomBytes(saltBytes);
  const parameters = { message: mdp, nonce: salt, memory, passes, parallelism, tagLength: tag };
  const [s, t] = [salt, argon2Sync('argon2id', parameters)].map((b) =>
    b.toString('base64').replace(/=+$/, ''),
  );
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${s}$${t}`;
}

describe('S10 hashing', () => {
  test('a PHC string of argon2id with at least the parameters of OWASP, and a salt of its own', async () => {
    const [a, b] = await Promise.all([hacher('le même'), hacher('le même')]);
    const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$[\w+/]{22}\$[\w+/]{43}$/.exec(a)!;
    expect(Number(memory)).toBeGreaterThanOrEqual(19_456);
    expect(Number(passes)).toBeGreaterThanOrEqual(2);
    expect(a).not.toBe(b);
    expect(aRehacher(a)).toBe(false);
  });

  test('the right password and no other', async () => {
    const hash = await hacher('Été à Nîmes 🦊 7');
    expect(await verifier('Été à Nîmes 🦊 7', hash)).toBe(true);
    // The same typed on a keyboard that gives accents apart; but neither case nor blanks are passed over.
    expect(await verifier('Été à Nîmes 🦊 7'.normalize('NFD'), hash)).toBe(true);
    for (const wrong of ['été à Nîmes 🦊 7', 'Été à Nîmes 🦊 7 ', 'Été à Nîmes 🦊', ''])
      expect(await verifier(wrong, hash)).toBe(false);
  });

  test('nothing is cut off: the 200th character counts, and NUL ends nothing', async () => {
    const long = 'x'.repeat(199);
    const hash = await hacher(`${long}a`);
    expect([await verifier(`${long}a`, hash), await verifier(`${long}b`, hash)]).toEqual([true, false]);
    const nul = await hacher('a\0b');
    expect([await verifier('a\0c', nul), await verifier('a', nul)]).toEqual([false, false]);
  });

  test('a half character is not the sign that stands for it', async () => {
    expect(await verifier('\ud83e', await hacher('\ufffd'))).toBe(false);
  });

  test('the pepper is the account’s own: with another’s, or none, the right password is wrong', async () => {
    const [cle, other] = [CleDeCompte.tirer(), CleDeCompte.tirer()];
    const hash = await hacher('le bon', cle.poivre());
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=\d+,t=\d+,p=1,keyid=[0-9a-f]{16}\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(await verifier('le bon', hash, cle.poivre())).toBe(true);
    expect(await verifier('le mauvais', hash, cle.poivre())).toBe(false);
    expect(await verifier('le bon', hash, other.poivre())).toBe(false);
    expect(await verifier('le bon', hash)).toBe(false);
    // Neither renaming the pepper nor taking its name away helps, nor the key in another account.
    const renamed = hash.replace(cle.id, other.id);
    expect(await verifier('le bon', renamed, other.poivre())).toBe(false);
    expect(await verifier('le bon', hash.replace(/,keyid=\w+/, ''), cle.poivre())).toBe(false);
    const elsewhere = { ...cle.poivre(), donnees: other.poivre().donnees };
    expect(await verifier('le bon', hash, elsewhere)).toBe(false);
    expect([aRehacher(hash, cle.poivre()), aRehacher(hash), aRehacher(hash, other.poivre())]).toEqual([
      ...[false, true, true],
    ]);
    expect(aRehacher(await hacher('le bon'), cle.poivre())).toBe(true);
  });

  test('old parameters verify, and are to be hashed again', async () => {
    const old = phc('ancien', 8_192, 1);
    expect(await verifier('ancien', old)).toBe(true);
    expect(await verifier('autre', old)).toBe(false);
    expect(aRehacher(old)).toBe(true);
  });

  test.each<[string, string]>([
    ['memory', phc('un', 8_192, 2)],
    ['passes', phc('un', 19_456, 1)],
    ['lanes', phc('un', 19_456, 2, { parallelism: 2 })],
    ['salt', phc('un', 19_456, 2, { salt: 8 })],
    ['tag', phc('un', 19_456, 2, { tag: 16 })],
    ['the least that there is', phc('un', 8, 1)],
    ['as many lanes as memory is for', phc('un', 128, 1, { parallelism: 16 })],
    ['sixty-four passes', phc('un', 8, 64)],
  ])('one parameter that is not today’s is enough to be hashed again, and verifies: %s', async (_, hash) => {
    expect([await verifier('un', hash), await verifier('deux', hash)]).toEqual([true, false]);
    expect(aRehacher(hash)).toBe(true);
  });

  test('what stands around a hash makes it none, as do parameters that nobody computes', async () => {
    const hash = phc('un', 8, 1);
    const wrong = [
      ...[`x${hash}`, `${hash}$`, `${hash}\n`, hash.replace('v=19', 'v=16'), hash.replace('p=1', 'p=0')],
      ...[hash.replace('t=1', 't=65'), hash.replace('m=8', 'm=7'), hash.replace('m=8', 'm=1048577')],
      hash.replace('p=1', 'p=2'),
    ];
    for (const other of wrong) {
      argon2.calls.length = 0;
      expect([other, await verifier('un', other), aRehacher(other)]).toEqual([other, false, true]);
      // The work of nobody: what one costs.
      expect(argon2.calls.map(({ memory, passes }) => [memory, passes])).toEqual([[19_456, 2]]);
    }
  });

  test.each([
    '',
    'clair',
    '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    '$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=19456,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('what is no hash of ours takes one hash of work and is false: %s', async (hash) => {
    argon2.calls.length = 0;
    expect(await verifier('clair', hash)).toBe(false);
    expect(argon2.calls).toHaveLength(1);
    expect(aRehacher(hash)).toBe(true);
  });

  test('S7 nobody costs what somebody costs', async () => {
    const poivre = CleDeCompte.tirer().poivre();
    const hash = await hacher('quelqu’un', poivre);
    const foreign = await hacher('quelqu’un', CleDeCompte.tirer().poivre());
    argon2.calls.length = 0;
    expect(await verifier('faux', hash, poivre)).toBe(false);
    expect(await verifierFactice('faux')).toBe(false);
    // Of a damaged account, and of one whose row somebody put another's hash into.
    expect(await verifier('faux', undefined, poivre)).toBe(false);
    expect(await verifier('faux', foreign, poivre)).toBe(false);
    const work = argon2.calls.map((call) =>
      Object.fromEntries(
        Object.entries(call).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.length : value]),
      ),
    );
    expect(work).toHaveLength(4);
    expect(work[0]).toMatchObject({ secret: 32, associatedData: 16 });
    for (const other of work.slice(1)) expect(other).toEqual(work[0]);
  });

  test('S10 200 sign-ins at once run a few at a time, and all end', async () => {
    const hash = phc('juste', 64, 1);
    argon2.most = 0;
    const answers = Array.from({ length: 200 }, (_, i) => verifier(i % 2 ? 'juste' : 'faux', hash));
    const { enCours, enAttente, auPlus } = chargeDesHachages();
    expect([enCours, enAttente]).toEqual([auPlus, 200 - auPlus]);
    expect((await Promise.all(answers)).filter(Boolean)).toHaveLength(100);
    expect(argon2.most).toBe(auPlus);
    expect(auPlus).toBeLessThanOrEqual(2);
    expect(chargeDesHachages()).toEqual({ enCours: 0, enAttente: 0, auPlus });
  });

  test('S10 others are served meanwhile: the loop turns while passwords wait to be hashed', async () => {
    const answers = Array.from({ length: 100 }, () => verifierFactice('faux'));
    const waiting: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      waiting.push(chargeDesHachages().enAttente);
    }
    // Had one been hashed on the loop's own thread, all would be done by the first turn.
    expect(waiting[0]).toBeGreaterThan(0);
    await Promise.all(answers);
    const sources = await readdir(new URL('../../src/', import.meta.url), { recursive: true });
    for (const name of sources.filter((file) => file.endsWith('.ts'))) {
      const text = await readFile(new URL(`../../src/${name}`, import.meta.url), 'utf8');
      expect([name, /\b(argon2|scrypt|pbkdf2)Sync\b/.exec(text)?.[0]]).toEqual([name, undefined]);
    }
  });

  test('S10 beyond a thousand in the queue whoever comes is sent away, and the queue goes on', async () => {
    const hash = phc('juste', 64, 1);
    const answers = await Promise.allSettled(Array.from({ length: 1_100 }, () => verifier('juste', hash)));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused).toHaveLength(100 - chargeDesHachages().auPlus);
    expect(refused[0]!.reason).toMatchObject({ name: 'HachageSature', attendre: 5 });
    expect(await verifier('juste', hash)).toBe(true);
  });

  test('a hash that fails gives its place back', async () => {
    argon2.broken = true;
    const answers = await Promise.allSettled([hacher('un'), hacher('deux'), verifierFactice('trois')]);
    argon2.broken = false;
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(chargeDesHachages().enCours).toBe(0);
  });
});

/** Strings without pattern, one kind of characters after the other. */
const LOWER = 'qjwkvnxzphgtbmrlc';

describe('S9 policy', () => {
  test.each([
    ['12 signs of four kinds (79.55 bits, rounded)', '7b!Lq2#vRx9$', true],
    ['14 letters and digits (83.4)', 'q7JwK4vNx2ZpHg', true],
    ['13 letters and digits (77.4)', 'q7JwK4vNx2ZpH', false],
    ['17 lower-case letters (79.9)', LOWER, true],
    ['16 lower-case letters (75.2)', LOWER.slice(1), false],
    ['11 signs of four kinds', '7b!Lq2#vRx9', false],
    ['25 digits (83.0)', '8306174925016384927150738', true],
    ['a long phrase without capitals or digits', 'étang girafe ruban cosmos', true],
    ['128 characters', `${LOWER.repeat(8).slice(0, 119)}K7#wq!Zv9`, true],
    ['256 characters without pattern', randomBytes(128).toString('hex'), true],
    ['257 characters', `${randomBytes(128).toString('hex')}!`, false],
    ['other writings', 'δρόμοςψκφθζξβωλη', true],
    ['emoji', '🦊🐼🎈🧲🪁🛶🥁🧀🌵🪐🐙🎲🧵🔭🪶🦞', true],
    ['a space at the end counts', `${LOWER.slice(1)} `, true],
  ])('%s', (_, mdp, good) => {
    expect(ok(mdp)).toBe(good);
  });

  test.each([
    'motdepasse1234!',
    'Motdepasse2024!!',
    'P@ssw0rdP@ssw0rd',
    'M0td3p@ss3-2026',
    'drowssap-drowssaP1',
    'azertyuiopqsdfghjklm',
    '1qaz2wsx3edc4rfv!Q',
    'aaaaaaaaaaaaaaaaaaaa',
    'abcdefghijklmnopqrst',
    '9876543210987654321098765',
    'Xk9#Xk9#Xk9#Xk9#',
    'Atelier-Atelier-2026',
    'usine.production.2026',
    'bob.martin.bob.martin',
    'Dupont-Volets-2026!',
    'MartinMartin14/07/1989',
    'Soleil-Vacances-2025!',
    'iloveyou-princess-1',
  ])('what people really choose is refused: %s', (mdp) => {
    // By the list alone: length and kinds of characters would do.
    expect(bits(mdp)).toBeGreaterThanOrEqual(80);
    expect(refusMotDePasse(mdp, WHO)).toEqual([expect.stringContaining('surtout de mots courants')]);
  });

  test.each(MOTS_DE_PASSE_D_EXEMPLE)(
    'an example of the documents is refused, and what is made of it: %s',
    (mdp) => {
      for (const made of [
        mdp,
        mdp.toUpperCase(),
        mdp.replaceAll('-', ' '),
        mdp.replaceAll('-', ''),
        mdp.replaceAll('-', '_').replace('i', '1'),
        ...['!', '@', '$', '€', '+', ' ! ', '💥'].map((sign) => mdp.replaceAll('-', sign)),
        `V+${mdp.replace('t-', '+-')}`,
        [...mdp].reverse().join(''),
        `${mdp}!`,
        `A1${mdp}b`,
        mdp.replace(/\d+$/, '2026'),
      ])
        expect([made, refusMotDePasse(made, WHO)]).toEqual([
          made,
          [expect.stringContaining('documentation')],
        ]);
      expect(refusMotDePasse(`${mdp}-x9K!qv7Zp2Lm`, WHO)).toEqual([]);
    },
  );

  test('what is short is said to be short, with how much is missing', () => {
    for (const mdp of ['q7JwK4', 'q', ''])
      expect(refusMotDePasse(mdp, WHO)).toEqual([
        `Le mot de passe a ${mdp.length} caractères, il en faut au moins 12.`,
      ]);
  });

  test('a word of the list does no harm beside enough of something else', () => {
    expect(ok('Atelier-x9K!qv7Zp2')).toBe(true);
    expect(ok('motdepasse-motdepasse-7b!Lq2#vRx9$')).toBe(true);
  });

  test('the account’s own name is a word of the list for it only', () => {
    const mdp = 'zorglubzorglub-42!';
    expect(refusMotDePasse(mdp, { username: 'Zorglub', email: 'a@b.test' })).toHaveLength(1);
    expect(refusMotDePasse(mdp, { username: 'x', email: 'zorglub@b.test' })).toHaveLength(1);
    expect(refusMotDePasse('zorglub-q7JwK4vNx2Zp', { username: 'Zorglub', email: 'a@b.test' })).toEqual([]);
  });

  test.each(['tab\tulation7b!Lq2#', 'retour\nq7JwK4vNx2Zp', 'nul\0q7JwK4vNx2Zp#', 'demi\ud83e7b!Lq2#vR'])(
    'no keyboard gives it back: %j',
    (mdp) => {
      expect(refusMotDePasse(mdp, WHO)).toEqual([expect.stringContaining('contrôle')]);
    },
  );

  test('the same verdict however accents are written', async () => {
    await assertProperty(
      'S9 NFC',
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (mdp) => {
        expect(refusMotDePasse(mdp.normalize('NFD'), WHO)).toEqual(
          refusMotDePasse(mdp.normalize('NFC'), WHO),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('more characters never have fewer bits', async () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 60 });
    await assertProperty(
      'S9 monotone',
      fc.property(text, text, text, (before, mdp, after) => {
        expect(bits(before + mdp + after)).toBeGreaterThanOrEqual(bits(mdp));
      }),
      { numRuns: 1000 },
    );
  });

  test('drawn at random it is accepted from the length on that the formula says, and longer too', async () => {
    // Enough characters that chance makes no pattern of half of them; seen through the random bytes of the machine.
    for (const length of [14, 20, 40, 128]) {
      for (let i = 0; i < 20; i++) {
        const mdp = randomBytes(length).toString('base64').replace(/[+/=]/g, 'x').slice(0, length);
        if (/[a-z]/.test(mdp) && /[A-Z]/.test(mdp) && /[0-9]/.test(mdp))
          expect([mdp, ok(mdp)]).toEqual([mdp, true]);
      }
    }
  });

  test('reasons never repeat the password', () => {
    for (const mdp of ['motdepasse1234!', 'court', `${LOWER}\t`, 'y'.repeat(300)])
      expect(refusMotDePasse(mdp, WHO).join()).not.toContain(mdp);
  });
});

describe('names and addresses', () => {
  test.each([
    ...[
      'bob',
      'Élodie Le Goff',
      'o’brien',
      "o'brien",
      '王小明',
      'a'.repeat(100),
      'marie.dupont@usine_2',
      'Łukasz-Żak',
    ],
    ...[
      'Ελένη 2',
      'Анна Ёж',
      'علي ٢',
      'שרה',
      'Suzuki 鈴木 すずき スズキー',
      '김 Kim',
      'équipe n° 2 · nuit',
      '№ 7',
      '🦊 nuit',
    ],
  ])('name %j', (name) => {
    expect(refusNom(name)).toBeUndefined();
  });
  test.each(['', '   ', 'a\nb', 'a\u202eb', 'a\0', '\ud800', 'a'.repeat(101)])('S26 no name: %j', (name) => {
    expect(refusNom(name)).toEqual(expect.any(String));
  });
  test.each([
    ...[
      'mаrie',
      'Mαrie',
      'ραul',
      'Αdmin',
      'аdmin',
      'ad\u037fin',
      'Ꮇarie',
      'ᎪᎠᎷᎥΝ',
      'ⲁdmin',
      'Ali علي',
      'o٠o',
    ],
    ...[
      'bob\u115f',
      'bob\u3164',
      'bo\ufe0fb',
      'bo\u034fb',
      'bob\u2800',
      'bo\u180bb',
      'bob\u{e0041}',
      'bob\u0378',
    ],
  ])('S26 no name, as it could be taken for another: %j', (name) => {
    expect(refusNom(name)).toEqual(expect.any(String));
  });
  test.each(['a@b', 'prénom.nom+x@sous.domaine.test', 'a@localhost'])('address %j', (address) => {
    expect(refusAdresse(address)).toBeUndefined();
  });
  test.each([
    '',
    'a',
    '@b',
    'a@',
    'a@b..c',
    'a b@c',
    'a@b@c',
    'a\n@b',
    `${'a'.repeat(65)}@b`,
    `a@${'b'.repeat(254)}`,
  ])('no address: %j', (address) => {
    expect(refusAdresse(address)).toEqual(expect.any(String));
  });
});
