// The laws of reliability.md by name, on the pure functions, thousands of runs each; the same laws hold through files
// and tables in ingest-programs.test.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FactoryTime, formatDay } from '../../src/base/time.ts';
import { EncodingDetector, formatEncoding } from '../../src/domain/journal/encoding.ts';
import type { Evenement, Rejet } from '../../src/domain/journal/events.ts';
import { masquer, trousDans } from '../../src/domain/journal/masques.ts';
import { LogParser, type Reading } from '../../src/domain/journal/parser.ts';
import { Reunion, unite } from '../../src/domain/journal/union.ts';
import { type ContenuConnu, decide } from '../../src/domain/journal/versions.ts';
import { soupArbitrary } from '../harness/byte-soup.ts';
import { assertProperty, setting } from '../harness/property.ts';
import { encodingOf } from '../reference/decode.ts';
import { type ReferenceState, reference, sha256Of } from '../reference/reference.ts';
import { isoOf } from '../reference/time.ts';

const RUNS = setting('ATELIER_LOIS', 3_000);
const ZONE = 'Europe/Paris';

interface Parsed {
  readonly encodage: string;
  readonly evenements: Evenement[];
  readonly rejets: Rejet[];
  readonly reading: Reading;
}

/** Both passes over bytes in pieces; each piece is overwritten afterwards, as a reused buffer is. */
function parse(pieces: readonly Uint8Array[], journeeDebut = 0): Parsed {
  const detector = new EncodingDetector();
  const feed = (push: (piece: Buffer) => void): void => {
    for (const piece of pieces) {
      const buffer = Buffer.from(piece);
      push(buffer);
      buffer.fill(0x41);
    }
  };
  feed((piece) => detector.push(piece));
  const encoding = detector.end();
  const evenements: Evenement[] = [];
  const rejets: Rejet[] = [];
  const parser = new LogParser(encoding, new FactoryTime(ZONE, journeeDebut), {
    evenement: (evenement) => void evenements.push(evenement),
    rejet: (rejet) => void rejets.push(rejet),
  });
  feed((piece) => parser.push(piece));
  return { encodage: formatEncoding(encoding), evenements, rejets, reading: parser.end() };
}

/** `bytes` cut at the given places (any numbers, taken modulo the length). */
function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i]!, end));
}

const one = (octets: Uint8Array, journeeDebut = '00:00'): ReferenceState =>
  reference({ versions: [{ centre: 'C', chemin: 'C/20250528.LOG', octets }], fuseau: ZONE, journeeDebut });

const iso = (seconds: number): string => isoOf(BigInt(seconds) * 1_000_000n);

describe('parser against the reference, on byte soup in every encoding', () => {
  it('F4, F5, F8-F10, F25: encoding, counts, rejects, other events and sessions are the reference’s', async () => {
    await assertProperty(
      'analyse = référence',
      fc.property(soupArbitrary(), fc.constantFrom(0, 5 * 3600), (bytes, dayStart) => {
        const state = one(bytes, dayStart === 0 ? '00:00' : '05:00');
        const { encodage, evenements, rejets, reading } = parse([bytes], dayStart);
        const { compte } = reading;
        const { encoding, bom } = encodingOf(bytes);
        expect(encodage).toBe(bom > 0 ? `${encoding}+bom` : encoding);
        expect([compte.lignes, compte.lignesEvenements, compte.lignesAutres, compte.lignesRejetees]).toEqual(
          state.versions.flatMap((v) => [v.lignes, v.evenements, v.autres, v.rejets]),
        );
        expect(rejets.map(({ ligne, raison, texte }) => ({ ligne, raison, texte }))).toEqual(
          state.rejets.map(({ ligne, raison, texte }) => ({ ligne, raison, texte })),
        );
        const autres = [...reading.autres].map(([nom, e]) => [nom, e.nombre, iso(e.premier), iso(e.dernier)]);
        expect(new Set(autres.map((entry) => JSON.stringify(entry)))).toEqual(
          new Set(state.autres.map((a) => JSON.stringify([a.nom, a.nombre, a.premier, a.dernier]))),
        );
        // Every row of a session, found again by its line.
        const byLine = new Map(evenements.map((e) => [e.ligne, e]));
        for (const session of state.sessions) {
          for (const piece of session.pieces) {
            const e = byLine.get(piece.source.ligne)!;
            expect([e.genre, iso(e.instant), e.details || null, formatDay(e.jour)]).toEqual([
              'StukUitgevoerd',
              piece.timestamp_production,
              piece.details,
              session.date_production,
            ]);
          }
          for (const { source, reference: r, longueur, couleur } of session.job_profils) {
            expect(byLine.get(source.ligne)!.profil).toEqual({ reference: r, longueur, couleur });
          }
          for (const { source, duree_secondes } of session.periodes_attente) {
            expect(byLine.get(source.ligne)!.attente / 1e6).toBeCloseTo(Number(duree_secondes), 6);
          }
        }
      }),
      { numRuns: RUNS },
    );
  }, 300_000);
});

describe('L3 chunking', () => {
  it('F1, F4: any split of the bytes, also inside a character, a CRLF or a BOM, reads the same', async () => {
    await assertProperty(
      'L3',
      fc.property(soupArbitrary(), fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
        expect(parse(cutAt(bytes, cuts))).toEqual(parse([bytes]));
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  it('F4: one byte at a time', async () => {
    await assertProperty(
      'L3, octet par octet',
      fc.property(soupArbitrary(), (soup) => {
        const bytes = soup.subarray(0, 1_500);
        expect(parse([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(parse([bytes]));
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  }, 300_000);
});

describe('L7 conservation', () => {
  it('F10: every byte belongs to one line, each line is of one kind, rejects know their place', async () => {
    await assertProperty(
      'L7',
      fc.property(soupArbitrary(), fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
        const { rejets, evenements, reading } = parse(cutAt(bytes, cuts));
        const c = reading.compte;
        expect(c.octetsEvenements + c.octetsAutres + c.octetsRejetes + c.octetsIgnores).toBe(bytes.length);
        expect(c.lignesEvenements + c.lignesAutres + c.lignesRejetees + c.lignesIgnorees).toBe(c.lignes);
        expect([evenements.length, rejets.length]).toEqual([c.lignesEvenements, c.lignesRejetees]);
        expect(rejets.reduce((sum, rejet) => sum + rejet.longueur, 0)).toBe(c.octetsRejetes);
        for (const { octet, longueur } of rejets) {
          expect(octet >= 0 && longueur > 0 && octet + longueur <= bytes.length).toBe(true);
          // It begins where a line begins: at the start, behind a BOM, behind an LF or a CR, or with a stamp.
          if (octet > encodingOf(bytes).bom) {
            const before = [...bytes.subarray(Math.max(0, octet - 2), octet)];
            const text = bytes.subarray(octet).toString('latin1').replaceAll('\0', '');
            expect(before.includes(0x0a) || before.includes(0x0d) || /^\d{8} [\d:]{8}\|@/.test(text)).toBe(
              true,
            );
          }
        }
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  it('F10: bad lines between good ones change no session', async () => {
    const bad = fc.constantFrom(
      'onzin',
      '20250528 06:00:00',
      '2025|@StukUitgevoerd',
      '20250528 06:00:01|@',
      ' ',
    );
    const good = fc
      .integer({ min: 0, max: 59 })
      .map((s) => `20250528 06:00:${String(s).padStart(2, '0')}|@StukUitgevoerd: x`);
    await assertProperty(
      'F10',
      fc.property(
        fc.array(good, { maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(), bad), { maxLength: 6 }),
        (lines, noise) => {
          const dirty = [...lines];
          for (const [at, text] of noise) dirty.splice(at % (dirty.length + 1), 0, text);
          const events = (text: string[]): unknown[] =>
            parse([Buffer.from(text.join('\n'))]).evenements.map(({ ligne: _, ...event }) => event);
          expect(events(dirty)).toEqual(events(lines));
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** A version of a small day: few instants and texts, so that lines meet. */
const versionArbitrary = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('A', 'B')), { maxLength: 8 })
  .map((lines) => lines.map(([s, text]) => `20250528 06:00:0${s}|@StukUitgevoerd: ${text}\n`).join(''));

function versionsOf(texts: readonly string[]): { sha256: string; evenements: Evenement[] }[] {
  return texts.map((text) => {
    const bytes = Buffer.from(text);
    return { sha256: sha256Of(bytes), evenements: parse([bytes]).evenements };
  });
}

/** The united day as a multiset: line → how often. */
function united(texts: readonly string[]): Map<string, number> {
  const versions = versionsOf(texts);
  const counts = new Map<string, number>();
  for (const evenement of unite(versions).jour.evenements) {
    const key = `${evenement.instant} ${evenement.details}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return new Map([...counts].sort());
}

describe('L1, L2, L6 union of versions', () => {
  const several = fc.array(versionArbitrary, { minLength: 1, maxLength: 4 });

  it('L6 overlap (F20): the multiplicity of a line is the maximum over the versions', async () => {
    await assertProperty(
      'L6',
      fc.property(several, (texts) => {
        const expected = new Map<string, number>();
        for (const text of texts) {
          for (const [key, count] of united([text]))
            expected.set(key, Math.max(count, expected.get(key) ?? 0));
        }
        expect(united(texts)).toEqual(new Map([...expected].sort()));
      }),
      { numRuns: RUNS },
    );
  });

  it('L1 idempotence, L2 commutativity, and associativity of the union', async () => {
    await assertProperty(
      'L1 L2',
      fc.property(several, several, (a, b) => {
        expect(united([...a, ...a])).toEqual(united(a));
        expect(united([...a, ...b])).toEqual(united([...b.toReversed(), ...a]));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('union of a day, version by version', () => {
  it('L1, L2, L6: whatever was added before, in whatever order, events and places are those of rule 16', async () => {
    const several = fc.array(versionArbitrary, { minLength: 1, maxLength: 6 });
    await assertProperty(
      'réunion pas à pas',
      fc.property(several, fc.nat(6), fc.boolean(), (texts, cut, turned) => {
        const versions = versionsOf([...new Set(texts)]);
        const day = new Reunion();
        const order = turned ? versions.toReversed() : versions;
        for (const version of order.slice(0, cut)) day.add(version);
        const { jour, versions: shas } = day.with(order.slice(cut));
        const places = jour.evenements.map((e, i) => [shas[jour.versions?.[i] ?? 0], e.ligne]);
        // As the rule says it, slowly.
        const ranked = versions
          .filter(({ evenements }) => evenements.length > 0)
          .map((v) => ({ ...v, first: Math.min(...v.evenements.map((e) => e.instant)) }))
          .sort(
            (a, b) =>
              a.first - b.first ||
              b.evenements.length - a.evenements.length ||
              (a.sha256 < b.sha256 ? -1 : 1),
          );
        const taken = new Map<string, number>();
        const expected = ranked.flatMap(({ sha256, evenements }, rank) => {
          const here = new Map<string, number>();
          return evenements.flatMap((e) => {
            const key = `${e.instant} ${e.details}`;
            const n = (here.get(key) ?? 0) + 1;
            here.set(key, n);
            if (n <= (taken.get(key) ?? 0)) return [];
            taken.set(key, n);
            return [{ instant: e.instant, rank, sha256, ligne: e.ligne }];
          });
        });
        expected.sort((a, b) => a.instant - b.instant || a.rank - b.rank || a.ligne - b.ligne);
        expect(places).toEqual(expected.map(({ sha256, ligne }) => [sha256, ligne]));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('L4 what says nothing', () => {
  /** Whether `v` is the beginning of `w` but for NULs, and other bytes. */
  const within = (v: Buffer, w: Buffer): boolean =>
    v.length <= w.length && !v.equals(w) && v.every((byte, at) => byte === 0 || byte === w[at]);
  async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  it('F1, F14: whatever the order of states of a file, only those beside which nothing fuller is seen count', async () => {
    const bytes = fc
      .array(fc.constantFrom(0x61, 0x62, 0, 0), { maxLength: 6 })
      .map((list) => Buffer.from(list));
    await assertProperty(
      'L4',
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 7 }), async (states) => {
        let contenus: (ContenuConnu & { octets: Buffer })[] = [];
        const prefixes = new Map<string, number>();
        const octetsDe = (contenu: ContenuConnu): Buffer => contenus.find((c) => c === contenu)!.octets;
        for (const [versionId, octets] of states.entries()) {
          const sha256 = sha256Of(octets);
          const nuls = octets.includes(0);
          const decision = await decide({ sha256, taille: octets.length, nuls }, contenus, prefixes, {
            debut: async (taille) => sha256Of(octets.subarray(0, taille)),
            debutDe: async (contenu, taille) => sha256Of(octetsDe(contenu).subarray(0, taille)),
            trousDans: (contenu) => trousDans(inPieces(octets, 2), inPieces(octetsDe(contenu), 3)),
            trousDe: (contenu) => trousDans(inPieces(octetsDe(contenu), 3), inPieces(octets, 2)),
          });
          if (decision.kind === 'prefixe') prefixes.set(sha256, decision.versionId);
          if (decision.kind !== 'nouveau') continue;
          for (const { contenu, trous } of decision.absorbes) {
            // What is known of its NULs gives it back.
            const pieces: Buffer[] = [];
            for await (const piece of masquer(inPieces(octets, 2), trous)) pieces.push(Buffer.from(piece));
            expect(Buffer.concat(pieces).subarray(0, contenu.taille)).toEqual(octetsDe(contenu));
          }
          const absorbed = decision.absorbes.map(({ contenu }) => contenu);
          contenus = contenus.filter((contenu) => !absorbed.includes(contenu));
          const etat = 'active' as const;
          contenus.push({ versionId, sha256, taille: octets.length, etat, octets, nuls: nuls || null });
        }
        const fullest = states.filter((state) => !states.some((s) => within(state, s)));
        expect(new Set(contenus.map(({ sha256 }) => sha256))).toEqual(new Set(fullest.map(sha256Of)));
        expect(contenus.length).toBe(new Set(fullest.map(sha256Of)).size);
      }),
      { numRuns: RUNS },
    );
  });
});
