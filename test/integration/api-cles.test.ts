// API keys of programs: shown once, scoped, within the role of their account, ending, revocable (S4, S12, S13, S15, S32).

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESSOURCES } from '../../src/api/acces.ts';
import { clesValables, compterClesValables } from '../../src/postgres/comptes/cles.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { type ApiDEssai, type CompteDEssai, createApi } from '../harness/api.ts';
import { eventsAbout } from '../harness/api-audit.ts';
import { ask as askOf, type Method } from '../harness/api-requests.ts';

const FIELDS = [
  'id',
  'user_id',
  'nom',
  'portees',
  'date_fin',
  'revoquee',
  'derniere_utilisation',
  'date_creation',
];
const DAY = 86_400_000;
let api: ApiDEssai;
let admin: CompteDEssai;
let gestionnaire: CompteDEssai;
let lecteur: CompteDEssai;
let n = 0;

beforeAll(async () => {
  api = await createApi();
  ({ admin, gestionnaire, lecteur } = api.comptes);
});
afterAll(() => api?.close());

/** Asks as a person, or with a key. */
const ask = (method: Method, url: string, as: CompteDEssai | string | undefined, payload?: object) =>
  askOf(api, method, url, { as, payload });

interface Made {
  readonly id: string;
  readonly user_id: string;
  readonly cle: string;
  readonly date_fin: string;
  readonly portees: string[];
}

async function make(as: CompteDEssai, change: object = {}): Promise<Made> {
  const answer = await ask('POST', '/cles/', as, { nom: 'Essai', portees: ['*:lire'], ...change });
  if (answer.statusCode !== 201) throw new Error(`${answer.statusCode} ${answer.body}`);
  return answer.json<Made>();
}

const someone = (role: CompteDEssai['role'] = 'lecteur'): Promise<CompteDEssai> =>
  api.compte(`programme-${++n}`, role);
const status = async (url: string, cle: string): Promise<number> => (await ask('GET', url, cle)).statusCode;

const events = (cible: string) => eventsAbout(api, cible);

describe('POST /cles/', () => {
  it('shows the key once, and keeps but a hash of it', async () => {
    const answer = await ask('POST', '/cles', lecteur, { nom: 'Power BI', portees: ['sessions:lire'] });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    const made = answer.json();
    expect(Object.keys(made)).toEqual([...FIELDS, 'cle']);
    expect(made).toMatchObject({
      user_id: lecteur.id,
      nom: 'Power BI',
      portees: ['sessions:lire'],
      revoquee: null,
    });
    expect(made.cle).toMatch(/^atl_[0-9a-f]{32}_[\w-]{43}$/);
    expect(answer.headers['location']).toBe(`/cles/${made.id}`);

    const secret = made.cle.split('_').slice(2).join('_');
    const read = await ask('GET', `/cles/${made.id}`, lecteur);
    expect(Object.keys(read.json())).toEqual(FIELDS);
    const list = await ask('GET', '/cles/', lecteur);
    const { rows } = await api.pool.query('SELECT to_jsonb(c)::text AS text FROM cle_api c');
    const { rows: audit } = await api.pool.query('SELECT to_jsonb(j)::text AS text FROM journal_audit j');
    for (const text of [read.body, list.body, ...rows.map((r) => r.text), ...audit.map((r) => r.text)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
    }
    for (const text of [read.body, list.body]) expect(text).not.toContain('empreinte');
  });

  it('lasts ninety days unless said otherwise, a year at most', async () => {
    const now = api.deps.maintenant();
    const end = (made: Made): number => Math.round((Date.parse(made.date_fin) - now) / DAY);
    expect(end(await make(lecteur))).toBe(90);
    const at = (days: number): string => new Date(now + days * DAY).toISOString();
    expect(end(await make(lecteur, { date_fin: at(365) }))).toBe(365);
    for (const date_fin of [at(367), at(-1), at(0), 'demain', '2099-01-01', 0]) {
      const answer = await ask('POST', '/cles/', lecteur, { nom: 'x', portees: ['*:lire'], date_fin });
      expect(answer.statusCode, String(date_fin)).toBe(422);
      expect(answer.json().errors[0].pointer).toBe('/body/date_fin');
    }
  });

  const invalid: Readonly<Record<string, readonly [object, string]>> = {
    'no name': [{ nom: undefined }, '/body/nom'],
    'an empty name': [{ nom: ' ' }, '/body/nom'],
    'a name with a line break': [{ nom: 'a\nb' }, '/body/nom'],
    'a name with NUL': [{ nom: 'a\u0000' }, '/body/nom'],
    'no scopes': [{ portees: [] }, '/body/portees'],
    'a scope twice': [{ portees: ['*:lire', '*:lire'] }, '/body/portees'],
    'scopes that are a text': [{ portees: '*:lire' }, '/body/portees'],
    'an unknown resource': [{ portees: ['sessions:lire', 'factures:lire'] }, '/body/portees/1'],
    'accounts are no resource of keys': [{ portees: ['users:lire'] }, '/body/portees/0'],
    'nor are keys': [{ portees: ['cles:ecrire'] }, '/body/portees/0'],
    'an unknown action': [{ portees: ['sessions:effacer'] }, '/body/portees/0'],
    everything: [{ portees: ['*'] }, '/body/portees/0'],
    'S14 id': [{ id: randomUUID() }, '/body/id'],
    'S14 empreinte': [{ empreinte: 'x' }, '/body/empreinte'],
    'S14 cle': [{ cle: 'atl_x' }, '/body/cle'],
    'S14 revoquee': [{ revoquee: null }, '/body/revoquee'],
    'a lecteur that writes': [{ portees: ['sessions:lire', 'centres:ecrire'] }, '/body/portees/1'],
  };
  it.each(Object.keys(invalid))('422, by its name: %s', async (what) => {
    const [change, pointer] = invalid[what]!;
    const answer = await ask('POST', '/cles/', lecteur, { nom: 'x', portees: ['*:lire'], ...change });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().errors[0].pointer).toBe(pointer);
  });

  it('for oneself; for anyone by an admin, within the role of that account', async () => {
    const other = await someone();
    const answer = await ask('POST', '/cles/', lecteur, { nom: 'x', portees: ['*:lire'], user_id: other.id });
    expect(answer.statusCode).toBe(403);
    expect((await make(lecteur, { user_id: lecteur.id })).user_id).toBe(lecteur.id);
    expect((await make(admin, { user_id: other.id })).user_id).toBe(other.id);
    const beyond = { nom: 'x', portees: ['centres:ecrire'], user_id: other.id };
    expect((await ask('POST', '/cles/', admin, beyond)).statusCode).toBe(422);
    await ask('PUT', `/users/${other.id}`, admin, { actif: false });
    for (const user_id of [other.id, randomUUID()]) {
      const refused = await ask('POST', '/cles/', admin, { nom: 'x', portees: ['*:lire'], user_id });
      expect(refused.statusCode).toBe(422);
      expect(refused.json().errors[0].pointer).toBe('/body/user_id');
    }
  });

  it('fifty an account at most, also when asked for at once; revoked ones make room', async () => {
    const who = await someone();
    for (let i = 0; i < 47; i++) await make(who);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask('POST', '/cles/', who, { nom: 'x', portees: ['*:lire'] })),
    );
    const made = answers.filter(({ statusCode }) => statusCode === 201);
    expect(made).toHaveLength(3);
    expect(answers.filter(({ statusCode }) => statusCode === 409)).toHaveLength(5);
    await ask('DELETE', `/cles/${made[0]!.json().id}`, who);
    await make(who);
  });
});

describe('a key that is used', () => {
  it('opens what its scope names, for reading or writing, and nothing else', async () => {
    const one = await make(lecteur, { portees: ['sessions:lire'] });
    expect(await status('/sessions/', one.cle)).toBe(200);
    expect(await status('/centres/', one.cle)).toBe(403);
    const all = await make(gestionnaire, { portees: ['*:lire'] });
    expect(await status('/sessions/', all.cle)).toBe(200);
    expect(await status('/centres/', all.cle)).toBe(200);
    const writing = await make(gestionnaire, { portees: ['*:ecrire'] });
    expect(await status('/centres/', writing.cle)).toBe(403);
    const refused = await ask('GET', '/centres/', one.cle);
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="atelier", error="insufficient_scope"');
    expect(refused.json().detail).toContain('centres:lire');
  });

  it('never opens accounts or keys, whatever the role of its account', async () => {
    const portees = RESSOURCES.flatMap((r) => [`${r}:lire`, `${r}:ecrire`]).concat('*:lire', '*:ecrire');
    const { cle, id } = await make(admin, { portees });
    const tries: [Method, string, object?][] = [
      ['GET', '/users/'],
      ['POST', '/users/', { username: 'x', email: 'x@exemple.test', password: 'x', role: 'admin' }],
      ['GET', '/users/me'],
      ['PUT', '/users/me', { username: 'x' }],
      ['DELETE', '/users/me'],
      ['GET', '/users/me/export'],
      ['GET', `/users/${admin.id}`],
      ['PUT', `/users/${lecteur.id}`, { role: 'admin' }],
      ['DELETE', `/users/${lecteur.id}`],
      ['GET', '/cles/'],
      ['POST', '/cles/', { nom: 'x', portees: ['*:lire'] }],
      ['GET', `/cles/${id}`],
      ['DELETE', `/cles/${id}`],
    ];
    for (const [method, url, payload] of tries) {
      expect((await ask(method, url, cle, payload)).statusCode, `${method} ${url}`).toBe(403);
    }
  });

  it('S4: dies at once when revoked, when its account is disabled or deleted; comes back with the account', async () => {
    const who = await someone();
    const revoked = await make(who);
    const kept = await make(who);
    expect(await status('/centres/', revoked.cle)).toBe(200);
    expect((await ask('DELETE', `/cles/${revoked.id}`, who)).statusCode).toBe(204);
    expect(await status('/centres/', revoked.cle)).toBe(401);
    expect(await status('/centres/', kept.cle)).toBe(200);
    await ask('PUT', `/users/${who.id}`, admin, { actif: false });
    expect(await status('/centres/', kept.cle)).toBe(401);
    await ask('PUT', `/users/${who.id}`, admin, { actif: true });
    expect(await status('/centres/', kept.cle)).toBe(200);
    await ask('DELETE', `/users/${who.id}`, admin);
    expect(await status('/centres/', kept.cle)).toBe(401);
  });

  it('ends on its day', async () => {
    const own = await createApi();
    try {
      const ends = new Date(own.deps.maintenant() + 3_600_000).toISOString();
      const answer = await own.app.inject({
        ...{ method: 'POST', url: '/cles/', headers: own.comptes.lecteur.entete },
        payload: { nom: 'x', portees: ['*:lire'], date_fin: ends },
      });
      const headers = { authorization: `Bearer ${answer.json().cle}` };
      const now = async (): Promise<number> =>
        (await own.app.inject({ url: '/centres/', headers })).statusCode;
      own.avancer(3_500_000);
      expect(await now()).toBe(200);
      own.avancer(110_000);
      expect(await now()).toBe(401);
    } finally {
      await own.close();
    }
  });

  it('has the rights of its account today, not those of when it was made', async () => {
    const who = await someone('gestionnaire');
    const { cle } = await make(who, { portees: ['centres:ecrire', 'centres:lire'] });
    const write = async (): Promise<number> =>
      (await ask('POST', '/centres/', cle, { inconnu: true })).statusCode;
    // An invalid body: who may write is told so (422), who may not is refused before it is looked at.
    const before = await write();
    await ask('PUT', `/users/${who.id}`, admin, { role: 'lecteur' });
    const after = await write();
    expect([before, after]).toEqual([422, 403]);
    expect(await status('/centres/', cle)).toBe(200);
  });

  it('S2: a secret of another key, changed, cut, or of nobody: 401, all the same', async () => {
    const [one, two] = [await make(lecteur), await make(lecteur)];
    const [, id = '', ...rest] = one.cle.split('_');
    const secret = rest.join('_');
    const other = two.cle.split('_').slice(2).join('_');
    const flipped = `${secret[0] === 'A' ? 'B' : 'A'}${secret.slice(1)}`;
    const answers = new Set<string>();
    for (const cle of [
      `atl_${id}_${other}`,
      `atl_${id}_${flipped}`,
      `atl_${id}_${secret.slice(0, -1)}`,
      `atl_${id}_${secret}A`,
      `atl_${id}_`,
      `atl_${id}`,
      'atl_',
      `atl_${id.toUpperCase()}_${secret}`,
      `ATL_${id}_${secret}`,
      `atl_${randomUUID().replaceAll('-', '')}_${secret}`,
      `atl_${randomUUID().replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`,
      `atl_${"'; DROP TABLE cle_api; --"}_${secret}`.replaceAll(' ', ''),
    ]) {
      const answer = await ask('GET', '/centres/', cle);
      expect(answer.statusCode).toBe(401);
      const { instance: _, ...problem } = answer.json();
      answers.add(JSON.stringify([problem, answer.headers['www-authenticate']]));
    }
    expect(answers.size).toBe(1);
    expect(await status('/centres/', one.cle)).toBe(200);
  });

  it('is asked for the scope of what it wants included, too, before anything is looked for', async () => {
    const { cle } = await make(await someone(), { portees: ['sessions:lire'] });
    expect(await status('/sessions/999999', cle)).toBe(404);
    expect(await status('/sessions/999999?inclure=pieces_production', cle)).toBe(403);
  });

  it('counts until the instant of its end, and not at it', async () => {
    const who = await someone();
    const { id, date_fin } = await make(who);
    const end = Date.parse(date_fin);
    const valid = async (at: number): Promise<string[]> =>
      (await clesValables(api.pool, who.id, at)).map((one) => one.id);
    expect(await valid(end - 1)).toEqual([id]);
    expect(await valid(end)).toEqual([]);
    // Of nobody, there are none.
    const count = await withClient(api.pool, (client) => compterClesValables(client, randomUUID(), end));
    expect(count).toBeUndefined();
  });

  it('notes its use, to the minute', async () => {
    const own = await createApi();
    try {
      const { entete } = own.comptes.lecteur;
      const answer = await own.app.inject({
        ...{ method: 'POST', url: '/cles/', headers: entete, payload: { nom: 'x', portees: ['*:lire'] } },
      });
      const { id, cle, derniere_utilisation } = answer.json();
      expect(derniere_utilisation).toBeNull();
      const use = (): Promise<unknown> =>
        own.app.inject({ url: '/centres/', headers: { authorization: `Bearer ${cle}` } });
      const last = async (): Promise<number> =>
        Date.parse(
          (await own.app.inject({ url: `/cles/${id}`, headers: entete })).json().derniere_utilisation,
        );
      const written = async (): Promise<string> =>
        (await own.pool.query('SELECT xmin::text FROM cle_api')).rows[0].xmin;
      await use();
      const first = await last();
      const row = await written();
      await Promise.all([use(), use(), use()]);
      expect([await last(), await written()]).toEqual([first, row]);
      own.avancer(61_000);
      await use();
      expect((await last()) - first).toBeGreaterThanOrEqual(60_000);
    } finally {
      await own.close();
    }
  });
});

describe('GET and DELETE /cles/', () => {
  it('S13: everyone has his own; a foreign and an unknown id are the same 404; admins have all', async () => {
    const other = await someone();
    const theirs = await make(other);
    const mine = await make(lecteur);
    for (const method of ['GET', 'DELETE'] as const) {
      const seen = new Set<string>();
      for (const id of [theirs.id, randomUUID()]) {
        const answer = await ask(method, `/cles/${id}`, lecteur);
        const { instance: _, ...problem } = answer.json();
        seen.add(JSON.stringify(problem));
        expect(answer.statusCode).toBe(404);
      }
      expect(seen.size).toBe(1);
      expect((await ask(method, "/cles/x'--", lecteur)).statusCode).toBe(422);
    }
    expect(await status('/centres/', theirs.cle)).toBe(200);
    const own = (await ask('GET', '/cles/?limit=1000', lecteur)).json<Made[]>();
    expect(new Set(own.map(({ user_id }) => user_id))).toEqual(new Set([lecteur.id]));
    expect((await ask('GET', `/cles/?user_id=${other.id}`, lecteur)).statusCode).toBe(403);
    const all = (await ask('GET', '/cles/?limit=1000', admin)).json<Made[]>();
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining([theirs.id, mine.id]));
    const filtered = await ask('GET', `/cles/?user_id=${other.id}`, admin);
    expect(filtered.json<Made[]>().map(({ id }) => id)).toEqual([theirs.id]);
    expect(filtered.headers['x-total-count']).toBe('1');
    expect((await ask('DELETE', `/cles/${theirs.id}`, admin)).statusCode).toBe(204);
    expect(await status('/centres/', theirs.cle)).toBe(401);
  });

  it('pages, latest first; a revoked key stays in the list with its date', async () => {
    const who = await someone();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await make(who)).id);
    const page = await ask('GET', '/cles/?skip=1&limit=2', who);
    expect(page.json<Made[]>().map(({ id }) => id)).toEqual(made.slice(1, 3));
    expect(page.headers['x-total-count']).toBe('5');
    expect(page.headers['link']).toBe(
      '</cles/?skip=3&limit=2>; rel="next", </cles/?skip=0&limit=2>; rel="prev"',
    );
    await ask('DELETE', `/cles/${made[0]}`, who);
    const again = await ask('GET', `/cles/${made[0]}`, who);
    expect(again.json().revoquee).toMatch(/^\d{4}-\d\d-\d\dT.*[+-]\d\d:\d\d$/);
    expect((await ask('DELETE', `/cles/${made[0]}`, who)).statusCode).toBe(204);
  });

  it('S32: made and revoked, once each, by whom and for whom', async () => {
    const who = await someone();
    const { id, portees, date_fin } = await make(admin, { user_id: who.id });
    await ask('DELETE', `/cles/${id}`, who);
    await ask('DELETE', `/cles/${id}`, who);
    expect(await events(`cles/${id}`)).toEqual([
      { evenement: 'cle_creee', user_id: admin.id, details: { portees, date_fin, pour: who.id } },
      { evenement: 'cle_revoquee', user_id: who.id, details: { de: who.id } },
    ]);
  });
});
