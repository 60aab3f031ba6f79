// M7: what names a person in a line of a log is neither kept nor shown.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { lireLignes } from '../../src/api/lignes-archivees.ts';
import { loadConfig } from '../../src/base/config.ts';
import { Masques } from '../../src/base/masques/masques.ts';
import { Moteur } from '../../src/base/masques/moteur.ts';
import { compiler } from '../../src/base/masques/motif.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { masquerComptes } from '../../src/domain/journal/masquage.ts';
import { LogParser } from '../../src/domain/journal/parser.ts';

const masques = (...regles: string[]): Masques =>
  new Masques(
    regles.map((regle) => {
      const [nom = '', motif = ''] = regle.split(/=(.*)/s);
      return { nom, motif };
    }),
  );

describe('M7: what a rule hides', () => {
  it.each([
    ['operateur=(?i)bediener:?\\s*(\\S+ \\S+)', 'Bediener: Jan Jansen start', 'Bediener: [operateur] start'],
    ['operateur=(?i)bediener:? *([^ ]+ [^ ]+)', 'BEDIENER Jan Jansen', 'BEDIENER [operateur]'],
    ['badge=badge \\d{4,6}', 'par badge 12345.', 'par [badge].'],
    // Words are those of all languages.
    ['operateur=op (\\w+)', 'op François;', 'op [operateur];'],
    ['operateur=\\bÉlodie\\b', 'par Élodie', 'par [operateur]'],
    ['operateur=op [[:alpha:]]+', 'op Zoë.', '[operateur].'],
    ['operateur=(?i)müller', 'MÜLLER', '[operateur]'],
    // A blank of a word processor is a blank.
    ['operateur=op:\\s*(\\S+)', 'op:\u00a0Jan', 'op:\u00a0[operateur]'],
    // All that a repeated group went over.
    [
      'operateur=op:(?: (\\p{Lu}\\p{Ll}+))+',
      'op: Jan Peter Jansen ok',
      'op: [operateur] [operateur] [operateur] ok',
    ],
    ['operateur=op (.+?),', 'op Jan, stuk 2, ok', 'op [operateur], stuk 2, ok'],
    ['operateur=a(b)|cd', 'cd ab', '[operateur] a[operateur]'],
    ['operateur=\\bJan\\b', 'Jan Janssen', '[operateur] Janssen'],
    ['operateur=op:(.*)', 'op:', 'op:'],
    ['operateur=𝒥\\w', 'x𝒥an', 'x[operateur]n'],
  ])('%s : %s', (regle, ligne, attendu) => {
    expect(masques(regle).masquer(ligne)).toBe(attendu);
  });

  it('lets a line alone of which nothing is to be hidden', () => {
    expect(masques('operateur=bediener (.*)').poser('20250528 08:00:00|@StukUitgevoerd: 12')).toBeUndefined();
  });

  it('unites what several rules find, under the name of the one that begins first', () => {
    const all = ['nom=Jan Jansen', 'prenom=Jan', 'suite=n Jansen is'];
    for (const regles of [all, all.toReversed()])
      expect(masques(...regles).masquer('Jan Jansen is ziek')).toBe('[nom] ziek');
  });

  it('gives a part of a line as it stands in the whole one', () => {
    const ligne = '20250528 08:00:00|@StukUitgevoerd: 12 op Jan Jansen';
    const found = masques('operateur=StukUitgevoerd: \\d+ op (.+)').poser(ligne)!;
    expect(found.morceau(ligne.indexOf('12'), ligne.length)).toBe('12 op [operateur]');
    expect(found.morceau(0, 5)).toBe('20250');
  });

  it('finds what lay behind what it hid', () => {
    expect(masques('x=X(\\w)Y|Y(\\w)Z').masquer('XaYbZ')).toBe('X[x]Y[x]Z');
  });
});

/** Patterns and what they mean to the engine of JavaScript, which is asked on short texts only. */
const atome = fc.oneof(
  fc.constantFrom('a', 'b', 'é', ' ', '.', '[ab]', '[^a]', '[a-z]', '𝒥').map((s) => [s, s] as const),
  fc.constantFrom(
    ['\\w', '[\\p{L}\\p{M}\\p{N}_]'] as const,
    ['\\d', '\\d'] as const,
    ['\\s', '\\s'] as const,
    ['\\S', '\\S'] as const,
    ['\\p{Lu}', '\\p{Lu}'] as const,
    ['[[:alpha:]]', '\\p{L}'] as const,
  ),
);
const motif = fc.letrec<{ motif: readonly [string, string] }>((tie) => ({
  motif: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atome,
    fc
      .tuple(atome, fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?', '+?', '??'))
      .map(([[a, b], q]) => [a + q, b + q] as const),
    fc.tuple(tie('motif'), tie('motif')).map(([[a, b], [c, d]]) => [a + c, b + d] as const),
    fc
      .tuple(tie('motif'), tie('motif'))
      .map(([[a, b], [c, d]]) => [`(?:${a}|${c})`, `(?:${b}|${d})`] as const),
    tie('motif').map(([a, b]) => [`(?:${a})+`, `(?:${b})+`] as const),
    tie('motif').map(
      ([a, b]) =>
        [
          `\\b${a}`,
          `(?:(?<![\\p{L}\\p{M}\\p{N}_])(?=[\\p{L}\\p{M}\\p{N}_])|(?<=[\\p{L}\\p{M}\\p{N}_])(?![\\p{L}\\p{M}\\p{N}_]))${b}`,
        ] as const,
    ),
    tie('motif').map(([a, b]) => [`^${a}`, `^${b}`] as const),
    tie('motif').map(([a, b]) => [`${a}$`, `${b}$`] as const),
  ),
})).motif;
const texte = fc.string({
  unit: fc.constantFrom('a', 'b', 'é', 'É', ' ', '7', '𝒥', '_', 'A'),
  maxLength: 14,
});

/**
 * Where a sticky expression matches, one match behind the other. A search without `y` would be shorter, but V8 begins it
 * too late when the expression ends with `$` and a character takes two units: /\p{L}{1,3}a$/u finds 'a𝒥a' in 'aa𝒥a'.
 */
function matches(sticky: RegExp, text: string): [number, number][] {
  const found: [number, number][] = [];
  let at = 0;
  while (at < text.length) {
    sticky.lastIndex = at;
    const length = sticky.exec(text)?.[0].length;
    if (length !== undefined) found.push([at, at + length]);
    at += length ?? String.fromCodePoint(text.codePointAt(at)!).length;
  }
  return found;
}

describe('M7: names of events', () => {
  it('are masked by what stands around them in their line, too, and counted together', () => {
    const regles = masques('op=Log[a-z]+ ([^:]+): ok', 'op=Logout (.+)$', 'op=Login (Élodie)');
    const sink = { evenement: () => undefined, rejet: () => undefined };
    const parser = new LogParser({ name: 'utf-8', bom: 0 }, new FactoryTime('Europe/Paris'), sink, regles);
    for (const line of [
      '@Login Jan Jansen: ok',
      '@Login Zoë Peeters : ok',
      ' @Login Jan Jansen: ok',
      '@Login Élodie',
      '@Logout Jan',
      '@Autre: ok',
    ])
      parser.push(Buffer.from(`20250527 06:00:00${line.replace('@', '|@')}\n`));
    const { autres } = parser.end();
    expect([...autres].map(([nom, { nombre }]) => [nom, nombre])).toEqual([
      ['Login [op]', 4],
      ['Logout [op]', 1],
      ['Autre', 1],
    ]);
  });

  it('keep their counts when their lines are gone, whatever they are called', () => {
    const comptes = JSON.parse(
      '{"constructor":[1,5,6],"__proto__":[2,5,6],"op Jan":[3,4,7],"op Piet":[4,5,9]}',
    ) as Record<string, [number, number, number]>;
    expect(JSON.stringify(masquerComptes(masques('op=op (\\w+)'), comptes))).toBe(
      '{"constructor":[1,5,6],"__proto__":[2,5,6],"op [op]":[7,4,9]}',
    );
  });
});

test('M7: a long line that masks make short is said to be cut', async () => {
  async function* pieces(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${'x'.repeat(60_000)}\n`);
  }
  const lues = await lireLignes(pieces(), { name: 'utf-8', bom: 0 }, new Set([1]), masques('x=x+'));
  expect(lues.get(1)).toMatchObject({ texte: '[x]', coupe: true });
});

describe('M7: the engine', () => {
  it('finds what the regular expressions of JavaScript find', () => {
    let seen = 0;
    fc.assert(
      fc.property(motif, texte, fc.boolean(), ([own, theirs], text, casse) => {
        let code: ReturnType<typeof compiler>;
        try {
          code = compiler(casse ? `(?i)${own}` : own);
        } catch {
          return;
        }
        seen++;
        const expected = matches(new RegExp(theirs, casse ? 'iuy' : 'uy'), text);
        expect(new Moteur(code).trouver(text)).toEqual(expected);
      }),
      { numRuns: 1_500 },
    );
    expect(seen).toBeGreaterThan(400);
  });

  it('S24: no pattern takes more steps than a few for each character and instruction', () => {
    const hostile = ['(a+)+b', '(a|a)+b', '(?:a*?a)+b', '(?:a{1,20}){1,10}b', '(?:.+.+)+b', '\\w+\\s+\\w+b'];
    for (const own of hostile) {
      const code = compiler(own);
      const moteur = new Moteur(code);
      moteur.trouver('a'.repeat(20_000));
      expect(moteur.pas, own).toBeLessThanOrEqual(moteur.pasPermis(20_000) + 2 * code.length);
    }
    // What cannot be looked through with so many is hidden whole.
    expect(masques('x=(?:a.*b)|a').masquer('a'.repeat(20_000))).toBe('[x]');
  });

  const regle = fc.constantFrom(
    'a=bediener:? *([^ ]+ [^ ]+)',
    'b=\\p{Lu}\\p{Ll}+',
    'c=(\\w+) is',
    'd=[ab]+',
    'e=\\d+',
    'a=Jan',
    'f=\\S+ \\S+$',
    'g=.+',
    'op=o',
    'h=^.',
  );
  const mots = fc
    .array(
      fc.constantFrom(
        'Jan',
        'Jansen',
        'bediener:',
        'is',
        'ab',
        '12',
        '[a]',
        '[x]',
        '[op]',
        'op',
        '[',
        'é𝒥',
        '',
      ),
    )
    .map((list) => list.join(' '));

  it('does the same whatever the order of the rules, and nothing more the second time', () => {
    fc.assert(
      fc.property(fc.uniqueArray(regle, { minLength: 1 }), mots, fc.nat(), (regles, ligne, rang) => {
        const shuffled = regles.toSorted(
          (a, b) => ((a.length * 31 + rang) % 7) - ((b.length * 31 + rang) % 7),
        );
        const once = masques(...regles).masquer(ligne);
        expect(masques(...shuffled.toReversed()).masquer(ligne)).toBe(once);
        expect(masques(...shuffled).empreinte).toBe(masques(...regles).empreinte);
        expect(masques(...regles).masquer(once)).toBe(once);
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives the parts of a line that make up the whole', () => {
    fc.assert(
      fc.property(fc.uniqueArray(regle, { minLength: 1 }), mots, fc.nat(40), (regles, ligne, cut) => {
        const found = masques(...regles).poser(ligne);
        if (!found) return;
        const at = Math.min(cut, ligne.length);
        const [first, second] = [found.morceau(0, at), found.morceau(at, ligne.length)];
        // A part that is hidden across the cut stands in both.
        expect([first + second, first.slice(0, first.lastIndexOf('[')) + second]).toContain(found.texte);
      }),
    );
  });
});

describe('M7: the setting MASQUES', () => {
  const lire = (MASQUES: string) => loadConfig({ MASQUES }).masques;

  it('is nothing when it is empty', () => {
    expect(lire('')).toBeUndefined();
    expect(lire('  ')).toBeUndefined();
  });

  it('takes rules on one line, or a file of them', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'masques-')), 'masques.txt');
    writeFileSync(
      file,
      '# qui conduit\r\n\noperateur = (?i)bediener:?\\s*(\\S+ \\S+)\nbadge=\\bB\\d{4}; *\n',
    );
    for (const value of ['operateur=(?i)bediener:? *([^ ]+ [^ ]+) ; badge=B[0-9]{4}', `@${file}`]) {
      expect(lire(value)?.noms).toEqual(['badge', 'operateur']);
      expect(lire(value)?.masquer('Bediener: Jan Jansen')).toBe('Bediener: [operateur]');
    }
  });

  it.each([
    ['operateur', 'règle 1 : attendu nom=motif'],
    ['Opérateur=x', 'règle 1 : attendu nom=motif'],
    ['a=x;b=(y', 'règle 2 (b) : au caractère 3 du motif : parenthèse ouvrante sans fermante'],
    ['a=x)', 'parenthèse fermante sans ouvrante'],
    ['a=(?=secret)', 'seuls (…), (?:…) et, au début, (?i) sont compris'],
    ['a=(x)\\1', '« \\1 » n’est pas compris'],
    ['a=x*', 'correspond aussi à un texte vide'],
    ['a=(?:x*)+y', 'ce qui est répété peut être vide'],
    ['a=x**', 'deux répétitions de suite'],
    ['a=+x', '« + » ne répète rien'],
    ['a=^*x', 'une borne'],
    ['a=x{0}', 'répétition hors de {1} à {200}'],
    ['a=x{201}', 'répétition hors de {1} à {200}'],
    ['a=x{3,2}', 'répétition hors'],
    ['a=x{a}', 'attendu {2}, {2,} ou {2,5}'],
    ['a=(?:x{200}){200}', 'motif trop grand'],
    ['a=[x', '« [ » sans « ] »'],
    ['a=[z-a]', 'intervalle à l’envers'],
    ['a=[[:lettre:]]', 'attendu [:alpha:]'],
    ['a=\\p{Grec}', 'attendu \\p{L}'],
    ['a=\\xZZ', 'attendu 2 chiffres'],
    ['a=\\', '« \\ » à la fin'],
    [`a=${'x'.repeat(501)}`, 'plus de 500 caractères'],
    [`a=${'('.repeat(21)}x${')'.repeat(21)}`, 'trop de parenthèses'],
    ['@/nulle/part', 'lecture de /nulle/part'],
    [' ; ', '0 règles'],
  ])('refuses %s, and says why', (value, why) => {
    let message = '';
    try {
      lire(value);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('MASQUES');
    expect(message).toContain(why);
    // Names may stand in a pattern.
    expect(message).not.toContain('secret');
  });

  test('another rule is another fingerprint', () => {
    const prints = ['a=x', 'b=x', 'a=y', 'a=x;b=y'].map((value) => lire(value)!.empreinte);
    expect(new Set(prints).size).toBe(4);
    expect(lire('b=y;a=x')!.empreinte).toBe(prints[3]);
  });
});
