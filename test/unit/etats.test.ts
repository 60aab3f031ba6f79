import { expect, test } from 'vitest';
import { EtatsDesComptes } from '../../src/api/auth/etats.ts';
import type { EtatCompte } from '../../src/postgres/comptes/users.ts';

type Answer = ReadonlyMap<string, EtatCompte>;
const etat = (version_jetons: number): EtatCompte => ({ role: 'lecteur', actif: true, version_jetons });

/** A database whose statements end when the test says so; each sees what is stored when it starts. */
function database() {
  const stored = new Map<string, EtatCompte>();
  const calls: { readonly ids: readonly string[]; end(error?: Error): void }[] = [];
  const etats = new EtatsDesComptes((ids) => {
    const seen = new Map(stored);
    return new Promise<Answer>((resolve, reject) => {
      calls.push({ ids, end: (error) => (error ? reject(error) : resolve(seen)) });
    });
  });
  return { stored, calls, etats };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('whoever comes while a statement runs waits for the next one, which is sent once for all', async () => {
  const { stored, calls, etats } = database();
  stored.set('a', etat(1)).set('b', etat(7));
  const first = etats.demander('a');
  const later = [etats.demander('a'), etats.demander('b'), etats.demander('a'), etats.demander('nobody')];
  expect(calls.map(({ ids }) => ids)).toEqual([['a']]);
  calls[0]!.end();
  expect(await first).toEqual(etat(1));
  await settled();
  expect(calls.map(({ ids }) => ids)).toEqual([['a'], ['a', 'b', 'nobody']]);
  calls[1]!.end();
  expect(await Promise.all(later)).toEqual([etat(1), etat(7), etat(1), undefined]);
});

test('S4: a state that changed before the request came is always seen, though a statement was running', async () => {
  const { stored, calls, etats } = database();
  stored.set('a', etat(1));
  const before = etats.demander('a');
  stored.set('a', etat(2));
  const after = etats.demander('a');
  calls[0]!.end();
  expect(await before).toEqual(etat(1));
  await settled();
  calls[1]!.end();
  expect(await after).toEqual(etat(2));
});

test('nothing is remembered: each request that comes alone asks again', async () => {
  const { stored, calls, etats } = database();
  for (const version of [1, 2, 3]) {
    stored.set('a', etat(version));
    const answer = etats.demander('a');
    calls.at(-1)!.end();
    expect(await answer).toEqual(etat(version));
    await settled();
  }
  expect(calls).toHaveLength(3);
});

test('a statement that fails refuses those who waited for it, and nobody else', async () => {
  const { stored, calls, etats } = database();
  stored.set('a', etat(1));
  const first = etats.demander('a');
  const second = etats.demander('a');
  calls[0]!.end(new Error('server away'));
  await expect(first).rejects.toThrow('server away');
  await settled();
  calls[1]!.end();
  expect(await second).toEqual(etat(1));
});
