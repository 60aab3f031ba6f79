// S14-S16, S18, S20: whatever is asked, by whomever, is answered as the document says, and never by a failure of ours.
import { crc32, gunzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openapiDocument } from '../../scripts/openapi.ts';
import type { Document } from '../../src/api/openapi/types.ts';
import type { Role } from '../../src/base/roles.ts';
import { type ApiAvecDonnees, createApiAvecDonnees } from '../harness/api-donnees.ts';
import { type OperationLue, operationsLues } from '../harness/openapi.ts';
import { SEED } from '../harness/property.ts';
import { type Demande, demande, nulle } from './arbitraires.ts';
import { Controle, type Reponse } from './controle.ts';

/** Requests to each operation, by role. */
const ESSAIS: readonly (readonly [Role, number])[] = [
  ['admin', 60],
  ['lecteur', 30],
];

const document = JSON.parse(await openapiDocument()) as Document;
const operations = operationsLues(document);
const controle = new Controle(document, operations);

let donnees: ApiAvecDonnees;
/** rows that there are, or were, by the first part of their path */
const rangs = new Map<string, string[]>();
const entetes = new Map<Role, Readonly<Record<string, string>>>();
let accounts = 0;
/** what hand-entered rows are entered into */
let reels: Record<string, readonly number[]> = {};

beforeAll(async () => {
  donnees = await createApiAvecDonnees();
  const { api, ids } = donnees;
  reels = { session_id: [Number(ids.session)], centre_usinage_id: [Number(ids.centre)] };
  for (const [role] of ESSAIS) entetes.set(role, api.comptes[role].entete);
  for (const { methode, chemin } of operations) {
    if (methode !== 'GET' || !chemin.endsWith('/')) continue;
    const answer = await api.app.inject({ url: chemin, headers: api.comptes.admin.entete });
    expect([chemin, answer.statusCode]).toEqual([chemin, 200]);
    rangs.set(
      racine(chemin),
      answer.json<{ id: number | string }[]>().map(({ id }) => String(id)),
    );
  }
});
afterAll(async () => donnees?.close());

function racine(chemin: string): string {
  return chemin.split('/')[1]!;
}

function adresse({ chemin }: OperationLue, { elements, barre, question }: Demande): string {
  let at = 0;
  const path = chemin.replaceAll(/\{\w+\}/g, () => {
    const element = elements[at++]!;
    if ('texte' in element) return element.texte;
    const known = rangs.get(racine(chemin)) ?? [];
    return known[element.rang % Math.max(1, known.length)] ?? '1';
  });
  const spelt = barre ? (path.endsWith('/') ? path.slice(0, -1) : `${path}/`) : path;
  return question === '' ? spelt : `${spelt}?${question}`;
}

async function envoyer(
  role: Role,
  url: string,
  { methode, entetes: headers, corps }: Demande,
): Promise<Reponse> {
  const answer = await donnees.api.app.inject({
    ...{ method: methode as 'GET', url, payloadAsStream: true as const },
    headers: { ...headers, ...entetes.get(role) },
    ...(corps === undefined ? {} : { payload: corps }),
  });
  const { statusCode } = answer;
  if (String(answer.headers['content-type']).startsWith('text/event-stream')) {
    // It would never end.
    answer.stream().destroy();
    return { statusCode, headers: answer.headers, body: Buffer.alloc(0) };
  }
  const parts: Buffer[] = [];
  for await (const part of answer.stream()) parts.push(part as Buffer);
  const sent = Buffer.concat(parts);
  const encoding = answer.headers['content-encoding'];
  const body = encoding === 'gzip' ? gunzipSync(sent) : encoding === 'deflate' ? inflateSync(sent) : sent;
  return { statusCode, headers: answer.headers, body };
}

/** New rows are called upon too; who deleted himself is somebody new from then on. */
async function suivre(role: Role, url: string, { statusCode, headers, body }: Reponse): Promise<void> {
  if (statusCode === 201) {
    const id = String(headers['location']).split('/').at(-1)!;
    const known = rangs.get(racine(url)) ?? [];
    if (known.length < 200) rangs.set(racine(url), [...known, id]);
  }
  if (statusCode !== 401 || body.includes('"error"')) return;
  const { api } = donnees;
  const still = await api.app.inject({ url: '/users/me', headers: entetes.get(role) ?? {} });
  if (still.statusCode === 200) return;
  // What was guessed against `/token` must not stand in his way.
  await api.pool.query('DELETE FROM tentative_connexion');
  entetes.set(role, (await api.compte(`suivant-${++accounts}`, role)).entete);
}

describe.each(operations)('$nom', (lue) => {
  it.each(ESSAIS)('en %s, %i demandes', async (role, numRuns) => {
    const property = fc.asyncProperty(demande(lue, { document, reels }), async (asked) => {
      const url = adresse(lue, asked);
      const answer = await envoyer(role, url, asked);
      expect(controle.fautes(asked.methode, url, answer)).toEqual([]);
      await suivre(role, url, answer);
    });
    // Another seed for each, or all would be asked the same.
    const seed = (SEED + crc32(`${lue.nom} ${role}`)) | 0;
    await fc.assert(property, { numRuns, seed }).catch((error: unknown) => {
      throw new Error(`ATELIER_GRAINE=${SEED} fait la même suite`, { cause: error });
    });
  });
});

it('S18: addresses and methods that are none of ours', async () => {
  const property = fc.asyncProperty(nulle(), async (asked) => {
    const answer = await envoyer('admin', asked.url, asked);
    expect(controle.fautes(asked.methode, asked.url, answer)).toEqual([]);
  });
  await fc.assert(property, { numRuns: 300, seed: SEED });
});

describe('the fuzzer', () => {
  it('reaches what it is about: successes, and each kind of refusal', () => {
    const reached = [...controle.statuts.keys()].sort((a, b) => a - b);
    expect(reached).toEqual(expect.arrayContaining([200, 201, 204, 304, 400, 403, 404, 405, 409, 415, 422]));
    const good = [200, 201, 204, 206, 304].reduce(
      (sum, status) => sum + (controle.statuts.get(status) ?? 0),
      0,
    );
    const all = [...controle.statuts.values()].reduce((sum, count) => sum + count, 0);
    expect(good / all).toBeGreaterThan(0.1);
  });

  it('left the database in order', async () => {
    const { rows } = await donnees.api.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM session_production s
        WHERE s.origine = 'log' AND NOT EXISTS (SELECT FROM piece_production p WHERE p.session_id = s.id)`,
    );
    expect(rows[0]!.n).toBe(0);
    const answer = await donnees.api.app.inject('/health');
    expect(answer.statusCode).toBe(200);
  });
});
