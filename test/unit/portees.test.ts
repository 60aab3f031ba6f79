// S12: who may call what, and what an answer includes, by themselves; every route: integration/api-autorisations.test.ts.
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Acces,
  type Acteur,
  aLeRole,
  autorise,
  ecrire,
  lire,
  lireBrut,
  porteesManquantes,
} from '../../src/api/acces.ts';
import { aQui, de, inclusDe, inclusions, inclusionsDeRoute } from '../../src/api/inclusions.ts';
import { ROLES, type Role } from '../../src/base/roles.ts';

const personne = (role: Role): Acteur => ({ userId: 'u', role, cle: undefined, expire: 0 });
const cle = (role: Role, ...portees: string[]): Acteur => ({
  ...personne(role),
  cle: { id: 'c', portees },
});
type Donnees = Extract<Acces, { acces: 'donnees' }>;
const LIRE = lire('sessions') as Donnees;
const ECRIRE = ecrire('sessions') as Donnees;

describe('roles', () => {
  it('each is allowed what the ones before it are, and no more', () => {
    for (const [i, role] of ROLES.entries())
      for (const [j, wanted] of ROLES.entries()) {
        expect(aLeRole(role, wanted)).toBe(i >= j);
        expect(autorise(personne(role), { acces: 'compte', role: wanted })).toBe(i >= j);
        // A key has no access to accounts, whatever it may do.
        expect(autorise(cle(role, '*:lire', '*:ecrire'), { acces: 'compte', role: wanted })).toBe(false);
        expect(autorise(cle(role), { acces: 'public' })).toBe(true);
      }
  });

  it('readers read, managers write, admins read what is raw', () => {
    expect(LIRE).toEqual({ acces: 'donnees', role: 'lecteur', ressource: 'sessions', action: 'lire' });
    expect(ECRIRE).toEqual({
      acces: 'donnees',
      role: 'gestionnaire',
      ressource: 'sessions',
      action: 'ecrire',
    });
    expect(lireBrut('sessions')).toEqual({ ...LIRE, role: 'admin' });
    expect(autorise(personne('lecteur'), LIRE, ['fichiers'])).toBe(true);
    expect(autorise(personne('lecteur'), ECRIRE)).toBe(false);
    expect(autorise(personne('gestionnaire'), ECRIRE)).toBe(true);
  });
});

describe('scopes', () => {
  it.each<[string[], boolean, boolean]>([
    [[], false, false],
    [['sessions:lire'], true, false],
    [['sessions:ecrire'], false, true],
    [['*:lire'], true, false],
    [['*:ecrire'], false, true],
    [['centres:lire', 'centres:ecrire'], false, false],
    [['centres:lire', 'sessions:lire'], true, false],
    [['sessions:lire', 'sessions:ecrire'], true, true],
  ])('%j', (portees, reads, writes) => {
    const acteur = cle('gestionnaire', ...portees);
    expect(autorise(acteur, LIRE)).toBe(reads);
    expect(autorise(acteur, ECRIRE)).toBe(writes);
    expect(porteesManquantes(acteur, LIRE, [])).toEqual(reads ? [] : ['sessions:lire']);
    expect(porteesManquantes(acteur, ECRIRE, [])).toEqual(writes ? [] : ['sessions:ecrire']);
    // A scope gives nothing that its owner may not.
    expect(autorise(cle('lecteur', ...portees), ECRIRE)).toBe(false);
  });

  it('M5: what is included is only shown, and asks for reading it', () => {
    expect(porteesManquantes(cle('lecteur', 'sessions:lire'), LIRE, ['fichiers', 'rejets'])).toEqual([
      'fichiers:lire',
      'rejets:lire',
    ]);
    const some = cle('gestionnaire', 'sessions:ecrire', 'fichiers:lire', 'rejets:ecrire');
    expect(porteesManquantes(some, ECRIRE, ['fichiers', 'rejets'])).toEqual(['rejets:lire']);
    expect(autorise(some, ECRIRE, ['rejets'])).toBe(false);
    expect(autorise(some, ECRIRE, ['fichiers'])).toBe(true);
    expect(autorise(cle('lecteur', '*:lire'), LIRE, ['fichiers', 'rejets'])).toBe(true);
    expect(porteesManquantes(personne('lecteur'), LIRE, ['fichiers'])).toEqual([]);
  });
});

describe('M5: what an answer includes', () => {
  const piece = () => de('pieces-production', z.object({ code: z.string() }));
  const fichier = () => de('fichiers', z.object({ chemin: z.string() }));

  it('a schema is of one resource', () => {
    const schema = piece();
    expect(aQui(schema)).toBe('pieces-production');
    expect(aQui(z.object({}))).toBeUndefined();
    expect(de('pieces-production', schema)).toBe(schema);
    expect(() => de('fichiers', schema)).toThrow('fichiers: this schema is that of pieces-production');
  });

  it.each<[string, () => z.ZodType]>([
    ['as it is', piece],
    ['in an object', () => z.object({ a: piece() })],
    ['in a list', () => z.array(piece())],
    ['perhaps null', () => z.object({ a: piece().nullable() })],
    ['with a default', () => z.object({ a: piece().default({ code: '' }) })],
    ['by name', () => z.record(z.string(), piece())],
    ['as one of several', () => z.union([z.string(), piece()])],
    [
      'made of something',
      () =>
        z
          .string()
          .transform(() => ({ code: '' }))
          .pipe(piece()),
    ],
    ['made into something', () => piece().transform(() => '')],
    ['deep', () => z.object({ a: z.array(z.object({ b: z.array(piece()).nullable() })) })],
  ])('found %s', (_where, schema) => {
    const found = { toujours: ['pieces-production'], selon: {} };
    expect(inclusions(schema(), 'sessions', false)).toEqual(found);
    expect(inclusions(schema(), 'sessions', true)).toEqual(found);
    expect(inclusions(schema(), 'pieces-production', true)).toEqual({ toujours: [], selon: {} });
  });

  it('below rows of somebody: both are asked', () => {
    const schema = de('sessions', z.object({ a: piece() }));
    expect(inclusions(schema, 'sessions', false).toujours).toEqual(['pieces-production']);
    expect(inclusions(schema, 'pieces-production', false).toujours).toEqual(['sessions']);
    expect(inclusions(schema, 'stats', false).toujours).toEqual(['pieces-production', 'sessions']);
  });

  it('what may be absent comes on demand, under the name of the outermost part', () => {
    const schema = z.object({
      pieces: z.array(z.object({ origine: fichier().optional(), piece: piece() })).optional(),
      autre: piece(),
    });
    expect(inclusions(schema, 'sessions', false)).toEqual({
      toujours: ['fichiers', 'pieces-production'],
      selon: {},
    });
    const { toujours, selon } = inclusions(schema, 'sessions', true);
    expect(toujours).toEqual(['pieces-production']);
    expect(Object.keys(selon)).toEqual(['pieces']);
    const sure = z.object({ pieces: z.array(piece()).optional(), fichier: fichier() });
    expect(inclusions(sure, 'sessions', true)).toEqual({
      toujours: ['fichiers'],
      selon: { pieces: 'pieces-production' },
    });
  });

  it('of a route: every answer that is none of an error, every media type; on demand where ?inclure= is', () => {
    const json = z.object({ pieces: piece().optional() });
    const querystring = z.object({ inclure: z.string().optional() });
    const nothing = { toujours: [], selon: {} };
    expect(inclusionsDeRoute(undefined, 'sessions')).toEqual(nothing);
    expect(inclusionsDeRoute({}, 'sessions')).toEqual(nothing);
    expect(
      inclusionsDeRoute({ response: { 404: piece(), 422: piece(), 500: fichier() } }, 'sessions'),
    ).toEqual(nothing);
    expect(inclusionsDeRoute({ response: { 200: { description: 'rien' } } }, 'sessions')).toEqual(nothing);
    expect(inclusionsDeRoute({ response: { 200: json } }, 'sessions')).toEqual({
      toujours: ['pieces-production'],
      selon: {},
    });
    expect(
      inclusionsDeRoute(
        { response: { 200: json }, querystring: z.object({ limit: z.string() }) },
        'sessions',
      ),
    ).toEqual({ toujours: ['pieces-production'], selon: {} });
    expect(inclusionsDeRoute({ response: { 200: json, 404: fichier() }, querystring }, 'sessions')).toEqual({
      toujours: [],
      selon: { pieces: 'pieces-production' },
    });
    const content = { 'application/json': { schema: fichier() }, 'text/csv': { schema: 'texte' } };
    expect(
      inclusionsDeRoute({ response: { 206: { content }, 200: piece(), 201: piece() } }, 'sessions'),
    ).toEqual({ toujours: ['fichiers', 'pieces-production'], selon: {} });
  });

  it('of a request: what always comes, and what it asks for by names that there are', () => {
    const inclus = { toujours: ['fichiers'], selon: { pieces: 'pieces-production', rejets: 'rejets' } };
    const of = (query: unknown, config: unknown = { inclus }): string[] =>
      inclusDe({ routeOptions: { config }, query } as unknown as FastifyRequest);
    expect(of({})).toEqual(['fichiers']);
    expect(of(undefined)).toEqual(['fichiers']);
    expect(of({ inclure: ['pieces', 'autre', 'pieces'] })).toEqual(['fichiers', 'pieces-production']);
    expect(of({ inclure: ['rejets', 'pieces'] })).toEqual(['fichiers', 'rejets', 'pieces-production']);
    expect(of({ inclure: 'pieces' })).toEqual(['fichiers']);
    expect(of({ inclure: ['pieces'] }, {})).toEqual([]);
  });
});
