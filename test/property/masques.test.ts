// M7: whatever rules of masking hide, and whatever stands in the lines, what is counted and measured stays the same.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Masques } from '../../src/base/masques/masques.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { unite } from '../../src/domain/journal/union.ts';
import { computeSession } from '../../src/domain/session/session.ts';
import { analyse, type ContenuLu, daterRejets } from '../../src/jobs/ingest/analyse.ts';
import { Suite } from '../../src/jobs/ingest/suites.ts';

const time = new FactoryTime('Europe/Paris');
/** Rules that hide all that a reader of lines needs, and some that a person would write. */
const REGLES = [
  '.+',
  '\\d+',
  '[[:alpha:]]+',
  ':.*',
  '(?i)bediener:? *(\\S+ \\S+)',
  'R:(\\S+)',
  'sec',
  '^\\d{8}',
  '\\|@',
  'op (.+)$',
];
const mot = fc.constantFrom(
  'Jan',
  'Jansen',
  'Zoë',
  'Bediener:',
  'bediener',
  'op',
  '12',
  '12,5 sec',
  'R:215023',
  'L:3359',
  'C:7016',
  '[x]',
  '',
);
const ligne = fc
  .record({
    seconde: fc.nat(3_599),
    evenement: fc.constantFrom(
      ...[
        'StukUitgevoerd',
        'MachineWait',
        'MachineStop',
        'MachineStart',
        'JobProfiel',
        'Bediener Jan Jansen',
        'Login',
        'Op Zoë',
      ],
    ),
    mots: fc.array(mot, { maxLength: 5 }),
    forme: fc.constantFrom('usual', 'usual', 'usual', 'torn', 'odd'),
  })
  .map(({ seconde, evenement, mots, forme }) => {
    const clock = `06:${String(Math.floor(seconde / 60)).padStart(2, '0')}:${String(seconde % 60).padStart(2, '0')}`;
    if (forme === 'torn') return `${evenement} ${mots.join(' ')}`;
    return `20250528 ${clock}|@${forme === 'odd' ? ' ' : ''}${evenement}: ${mots.join(' ')}`;
  });
const journal = fc.array(ligne, { minLength: 1, maxLength: 25 }).map((lines) => `${lines.join('\r\n')}\r\n`);
const encodage = fc.constantFrom('utf-8', 'utf-16le', 'windows-1252' as const);

function bytesOf(text: string, name: string): Buffer {
  return name === 'utf-16le'
    ? Buffer.from(text, 'utf16le')
    : Buffer.from(text, name === 'utf-8' ? 'utf8' : 'latin1');
}

/** All that is counted and measured; texts apart. */
function chiffres(contenu: ContenuLu): { nombres: unknown; textes: string[] } {
  const textes: string[] = [];
  const sessions = [...contenu.jours!].map(([jour, evenements]) => {
    const session = computeSession(unite([{ sha256: 'a', evenements }]).jour, 'debut');
    textes.push(...session.pieces.map(({ details }) => details ?? ''));
    textes.push(...session.profils.flatMap(({ reference, couleur }) => [reference, couleur ?? '']));
    return {
      jour,
      ...session,
      pieces: session.pieces.map(({ details: _, ...rest }) => rest),
      profils: session.profils.map(({ reference: _, couleur: __, ...rest }) => rest),
    };
  });
  textes.push(...contenu.rejets!.map(({ texte }) => texte), ...contenu.reading.autres.keys());
  return {
    nombres: {
      sessions,
      rejets: daterRejets(contenu)!.map(({ texte: _, ...rest }) => rest),
      compte: contenu.reading.compte,
      premier: contenu.reading.premier,
      dernier: contenu.reading.dernier,
      autres: [...contenu.reading.autres.values()].reduce((sum, { nombre }) => sum + nombre, 0),
    },
    textes,
  };
}

test('M7: figures, periods, rejects and counts are the same with and without rules; no text has what they hide', async () => {
  await fc.assert(
    fc.asyncProperty(journal, encodage, fc.subarray(REGLES, { minLength: 1 }), async (text, name, motifs) => {
      const bytes = bytesOf(text, name);
      const encoding = { name, bom: 0 } as const;
      const masques = new Masques(motifs.map((motif, i) => ({ nom: `x${i}`, motif })));
      const plain = chiffres(await analyse([bytes], encoding, time, undefined));
      const masked = chiffres(await analyse([bytes], encoding, time, masques));
      expect(masked.nombres).toEqual(plain.nombres);
      if (motifs.includes('.+')) expect(masked.textes.join('').replace(/\[x\d\]/g, '')).toBe('');
      if (motifs.includes('[[:alpha:]]+'))
        expect(masked.textes.join(' ').replace(/\[x\d\]/g, '')).not.toMatch(/Jan|Zo|Bediener/);
    }),
    { numRuns: 400 },
  );
});

test('M7: a file that grows line by line keeps what one that is read at once does', () => {
  return fc.assert(
    fc.asyncProperty(
      journal,
      fc.nat(100),
      fc.subarray(REGLES, { minLength: 1 }),
      async (text, part, motifs) => {
        const bytes = Buffer.from(text);
        const encoding = { name: 'utf-8', bom: 0 } as const;
        const masques = new Masques(motifs.map((motif, i) => ({ nom: `x${i}`, motif })));
        const cut = text.slice(0, Math.floor((text.length * part) / 100)).lastIndexOf('\n') + 1;
        const first = Buffer.from(text.slice(0, cut));
        const suite = Suite.of(first, 'a', encoding, time, masques);
        // Bytes of ASCII alone may be another encoding than the whole: then it is read at once.
        if (!suite?.grow(bytes, 'b')) return;
        const once = await analyse([bytes], encoding, time, masques);
        expect(chiffres(suite.contenu(bytes))).toEqual(chiffres(once));
      },
    ),
    { numRuns: 200 },
  );
});
