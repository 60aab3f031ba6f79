// S12, API1, API5: every route × everyone who may call it or not; the table is autorisations/matrice.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentDe, enRoute, operationsLues, routesVivantes } from '../harness/openapi.ts';
import { MATRICE, QUI, type Qui, type Regle } from './autorisations/matrice.ts';
import { creerMonde, FORMULAIRE, type Monde, PORTEES } from './autorisations/monde.ts';
import { AVEC_MOT_DE_PASSE, LECTURE, SANS_MOT_DE_PASSE } from './autorisations/mot-de-passe.ts';

/** The document, the page that shows it, and what answers browsers that ask for permission. */
const SANS_LIGNE = /^(GET \/openapi\.json|GET \/docs.*|OPTIONS \*)$/;

let monde: Monde;
beforeAll(async () => {
  monde = await creerMonde();
});
afterAll(async () => monde?.close());

interface Reponse {
  readonly statusCode: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Whoever deletes himself must not be needed any more. */
async function appeler(route: string, url: string, qui: Qui, regle: Regle): Promise<Reponse> {
  const as = await monde.entetes(qui, regle, route === 'DELETE /users/me');
  return await envoyer(route, url, regle, as);
}

async function envoyer(
  route: string,
  url: string,
  regle: Regle,
  as: Readonly<Record<string, string>>,
): Promise<Reponse> {
  const [methode, chemin] = route.split(' ') as ['GET', string];
  const form = route === 'POST /token';
  const headers: Record<string, string> = {
    ...as,
    ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    ...(chemin.startsWith('/token/') ? { 'x-requested-with': 'atelier' } : {}),
  };
  const payload = form ? FORMULAIRE : regle.corps && monde.corps(regle.corps);
  const answer = await monde.api.app.inject({
    ...{ method: methode, url, headers, payloadAsStream: true as const },
    ...(payload === undefined ? {} : { payload }),
  });
  const { statusCode } = answer;
  if (String(answer.headers['content-type']).startsWith('text/event-stream')) {
    // It would never end.
    answer.stream().destroy();
    return { statusCode, body: '', headers: answer.headers };
  }
  let body = '';
  for await (const part of answer.stream()) body += part;
  return { statusCode, body, headers: answer.headers };
}

/** The address of a route for one request, about a row of its own. */
async function adresse(route: string, { cible }: Regle): Promise<string> {
  const chemin = route.split(' ')[1]!;
  return cible ? chemin.replace(/\{\w+\}/, await monde.cible(cible)) : chemin;
}

it('S12: a live route has a row, and a row has a live route', () => {
  const vivantes = routesVivantes(monde.api.app).filter((route) => !SANS_LIGNE.test(route));
  // A query makes a row of its own of a route that has one without.
  const lignes = Object.keys(MATRICE).map((route) => {
    const [methode, chemin = ''] = route.split('?')[0]!.split(' ');
    return `${methode} ${enRoute(chemin)}`;
  });
  expect([...new Set(lignes)].sort()).toEqual(vivantes);
});

it('S12: a row has a status for everybody', () => {
  for (const [route, { attendus }] of Object.entries(MATRICE))
    expect(attendus, route).toHaveLength(QUI.length);
});

/** Scopes that the document says a route asks of a key: always, and for parts of the answer. */
function porteesDites(): Map<string, { toujours: string[]; selon: Map<string, string> }> {
  return new Map(
    operationsLues(documentDe(monde.api.app)).map(({ nom, operation }) => {
      const [always = '', asked = ''] = (
        /clé d’API avec (.*)/.exec(operation.description ?? '')?.[1] ?? ''
      ).split('ce que inclure demande');
      const toujours = Array.from(always.matchAll(/`([\w*-]+:\w+)`/g), ([, portee]) => portee!);
      const parts = Array.from(
        asked.matchAll(/`([\w-]+:lire)` pour (\w+)/g),
        ([, portee, part]) => [part!, portee!] as const,
      );
      return [nom, { toujours, selon: new Map(parts) }];
    }),
  );
}

it('S12: the scopes that answers need, by what their schemas include, are those of the table', () => {
  const dites = porteesDites();
  const table: Record<string, readonly string[]> = {};
  const document: Record<string, readonly string[]> = {};
  for (const [route, { portee, inclus = [] }] of Object.entries(MATRICE)) {
    // Streams have no schema.
    if (portee === undefined || route.startsWith('GET /evenements')) continue;
    const [nom = '', query = ''] = route.split('?');
    const { toujours, selon } = dites.get(nom)!;
    const parts = new URLSearchParams(query).get('inclure')?.split(',') ?? [];
    table[route] = [portee, ...inclus].sort();
    document[route] = [...toujours, ...parts.map((part) => selon.get(part)!)].sort();
    // No part can be asked for that has no row of its own.
    for (const part of selon.keys()) expect(MATRICE).toHaveProperty([`${nom}?inclure=${part}`]);
  }
  expect(document).toEqual(table);
});

describe.each(Object.entries(MATRICE))('%s', (route, regle) => {
  it('S12: lets in exactly those who may', async () => {
    const statuts: Record<string, number> = {};
    let url = await adresse(route, regle);
    for (const [i, qui] of QUI.entries()) {
      // Rows are used up by those who may delete them.
      if (route.startsWith('DELETE') && regle.attendus[i] === 204) url = await adresse(route, regle);
      statuts[qui] = (await appeler(route, url, qui, regle)).statusCode;
    }
    expect(statuts).toEqual(Object.fromEntries(QUI.map((qui, i) => [qui, regle.attendus[i]])));
  });

  it('S20: a refusal is a problem that says what is missing, and changes nothing', async () => {
    const url = await adresse(route, regle);
    const lecture = /^(PUT|DELETE) .*\{id\}/.test(route);
    const lire = async (): Promise<string> =>
      (await monde.api.app.inject({ url, headers: monde.api.comptes.admin.entete })).body;
    const avant = lecture ? await lire() : '';
    for (const [i, qui] of QUI.entries()) {
      const attendu = regle.attendus[i]!;
      if (attendu < 400 || route.startsWith('POST /token')) continue;
      const answer = await appeler(route, url, qui, regle);
      expect([qui, answer.headers['content-type']]).toEqual([qui, 'application/problem+json; charset=utf-8']);
      const probleme = JSON.parse(answer.body) as Record<string, unknown>;
      expect(probleme, qui).toMatchObject({
        type: 'about:blank',
        status: attendu,
        instance: `urn:requete:${answer.headers['x-request-id']}`,
      });
      expect(answer.headers['cache-control'], qui).toBe('no-store');
      if (attendu === 401) expect(answer.headers['www-authenticate'], qui).toMatch(/^Bearer realm="atelier"/);
      if (attendu === 403)
        expect(answer.headers['www-authenticate'], qui).toMatch(/error="insufficient_scope"/);
    }
    if (lecture) expect(await lire()).toBe(avant);
  });
});

describe('S12: keys of an admin with one scope each', () => {
  // What needs no scope opens to every key, or to none: public, accounts.
  const lignes = Object.entries(MATRICE);
  const ouverte = ({ attendus, portee }: Regle): boolean => portee === undefined && attendus[0] !== 401;
  const donne = (portee: string, voulue: string): boolean =>
    portee === voulue || (portee.startsWith('*:') && voulue.endsWith(portee.slice(1)));

  it.each([...PORTEES, '*:lire', '*:ecrire'])('%s opens what it names, and nothing else', async (portee) => {
    const headers = await monde.cle([portee]);
    const attendus: Record<string, number> = {};
    const statuts: Record<string, number> = {};
    for (const [route, regle] of lignes) {
      if (ouverte(regle) || route.startsWith('POST /token')) continue;
      const voulues = regle.portee === undefined ? [] : [regle.portee, ...(regle.inclus ?? [])];
      const ok = voulues.length > 0 && voulues.every((voulue) => donne(portee, voulue));
      attendus[route] = ok ? regle.attendus[QUI.indexOf('admin')]! : 403;
      // Who is refused does not use up a row; that there is none does not matter to him.
      const url = ok ? await adresse(route, regle) : route.split(' ')[1]!.replace(/\{\w+\}/, '1');
      statuts[route] = (await envoyer(route, url, regle, headers)).statusCode;
    }
    expect(statuts).toEqual(attendus);
  });
});

describe('S4: what outlives or destroys a sign-in', () => {
  const nus = Object.entries(MATRICE).filter(([route]) => !route.includes('?'));

  it('every route has taken a side', () => {
    const sides = [...AVEC_MOT_DE_PASSE, ...Object.keys(SANS_MOT_DE_PASSE)];
    const routes = nus.map(([route]) => route).filter((route) => !LECTURE.test(route));
    expect(sides.sort()).toEqual(routes.sort());
  });

  it('asks for the password again, and nothing else does: with a token alone, and in the document', async () => {
    const asking: string[] = [];
    for (const [route, regle] of nus) {
      const headers = { ...(await monde.entetes('admin', regle, true)), 'x-password-actuel': '' };
      const answer = await envoyer(route, await adresse(route, regle), regle, headers);
      const named = /"pointer":"\/(body\/password_actuel|headers\/x-password-actuel)"/.test(answer.body);
      if (answer.statusCode === 422 && named) asking.push(route);
    }
    expect(asking.sort()).toEqual(AVEC_MOT_DE_PASSE.toSorted());
    const said = operationsLues(documentDe(monde.api.app))
      .filter(({ parametres }) => parametres.some(({ name }) => name === 'x-password-actuel'))
      .map(({ nom }) => nom);
    expect(said.sort()).toEqual(AVEC_MOT_DE_PASSE.toSorted());
  });
});

describe('S13: what is another’s does not exist', () => {
  it('a key of somebody else, a revoked one, and none at all', async () => {
    const { app, comptes } = monde.api;
    const cible = await monde.cible('cle');
    const detail = async (id: string): Promise<unknown> => {
      const answer = await app.inject({ url: `/cles/${id}`, headers: comptes.lecteur.entete });
      const { instance: _, ...rest } = answer.json<Record<string, unknown>>();
      const { 'x-request-id': _id, date: _date, ...headers } = answer.headers;
      return { rest, headers };
    };
    const foreign = await detail(cible);
    expect(await detail('018f2c1e-6f4b-4c1a-9a57-0d3e5b7a9c11')).toEqual(foreign);
    await app.inject({ method: 'DELETE', url: `/cles/${cible}`, headers: comptes.gestionnaire.entete });
    expect(await detail(cible)).toEqual(foreign);
  });

  it('S5: a token in the address opens nothing', async () => {
    const token = monde.api.comptes.admin.entete.authorization.replace('Bearer ', '');
    for (const name of ['access_token', 'token', 'authorization']) {
      const answer = await monde.api.app.inject(`/centres/?${name}=${token}`);
      expect([name, answer.statusCode]).toEqual([name, 401]);
    }
  });

  it('both spellings of a path, and HEAD, are guarded alike', async () => {
    for (const route of Object.keys(MATRICE)) {
      const [methode, chemin = ''] = route.split(' ');
      if (methode !== 'GET' || /^\/(health|metrics)/.test(chemin)) continue;
      const path = chemin.replace(/\{\w+\}/, '1').replace(/\?.*|\/$/, '');
      for (const url of [path, `${path}/`]) {
        const get = await monde.api.app.inject({ url });
        expect([url, get.statusCode]).toEqual([url, 401]);
        const head = await monde.api.app.inject({ method: 'HEAD', url });
        expect([url, head.statusCode, head.body]).toEqual([url, path === '/evenements' ? 405 : 401, '']);
      }
    }
  });
});
