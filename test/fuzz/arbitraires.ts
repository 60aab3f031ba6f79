/** Requests from the document: valid ones, and ones that are broken in one place or in many. */
import fc from 'fast-check';
import type { OperationLue } from '../harness/openapi.ts';
import {
  ACCEPTS,
  BOUTS_D_ADRESSE,
  CORPS,
  DATES,
  ENTETES,
  NOMBRES,
  TEXTES,
  TYPES,
  VALEURS,
} from './hostiles.ts';
import { type Lieu, rarely, valide } from './valeurs.ts';

/** A part of a path: the place of a row that there is (modulo their number), or a text as it stands in the address. */
export type Element = { readonly rang: number } | { readonly texte: string };

export interface Demande {
  readonly methode: string;
  /** for each `{name}` of the path */
  readonly elements: readonly Element[];
  /** `/` once more at the end, or one less */
  readonly barre: boolean;
  /** as it stands behind the `?` */
  readonly question: string;
  readonly entetes: Readonly<Record<string, string>>;
  readonly corps: string | undefined;
}

/** Requests to an operation. */
export function demande(lue: OperationLue, lieu: Lieu): fc.Arbitrary<Demande> {
  const names = [...lue.chemin.matchAll(/\{\w+\}/g)];
  const all = fc.record({
    methode: rarely(
      fc.constant(lue.methode),
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'),
      15,
    ),
    elements: fc.tuple(...names.map(() => element())),
    barre: rarely(fc.constant(false), fc.constant(true)),
    question: question(lue, lieu),
    entetes: entetes(lue),
    corps: corps(lue, lieu),
    nu: rarely(fc.constant(true), fc.constant(false), 20),
  });
  // Without a body its type is mostly not said either.
  return all.map(({ nu, ...request }) => {
    const { 'content-type': type, ...others } = request.entetes;
    return request.corps === undefined && nu && type !== undefined
      ? { ...request, entetes: others }
      : request;
  });
}

/** Requests to anywhere. */
export function nulle(): fc.Arbitrary<Demande & { readonly url: string }> {
  const part = fc.oneof(
    fc.constantFrom(
      'centres',
      'sessions',
      'users',
      'me',
      'docs',
      'static',
      'token',
      '..',
      '.',
      '',
      'openapi.json',
    ),
    fc.constantFrom(...TEXTES).map(coder),
    fc.constantFrom(...BOUTS_D_ADRESSE),
  );
  return fc.record({
    methode: fc.constantFrom(
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'QUERY',
      'PROPFIND',
    ),
    // With two slashes at its start it would be the name of another server.
    url: fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => `/${parts.join('/').replace(/^\/+/, '')}`),
    elements: fc.constant([]),
    barre: fc.constant(false),
    question: fc.constant(''),
    entetes: rarely(
      fc.constant({}),
      fc.constantFrom(...TYPES).map((type) => ({ 'content-type': type })),
    ),
    corps: rarely<string | undefined>(fc.constant(undefined), fc.constantFrom(...CORPS)),
  });
}

function element(): fc.Arbitrary<Element> {
  const raw = fc
    .oneof(fc.constantFrom(...TEXTES).map(coder), fc.constantFrom(...BOUTS_D_ADRESSE), fc.nat(60).map(String))
    .map((text) => ({ texte: text }));
  return rarely<Element>(
    fc.nat(1000).map((rang) => ({ rang })),
    raw,
    2,
  );
}

function question({ parametres }: OperationLue, lieu: Lieu): fc.Arbitrary<string> {
  const known = parametres.filter(({ in: place }) => place === 'query');
  const hostile = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...TEXTES).map(coder) },
    { weight: 1, arbitrary: fc.constantFrom(...BOUTS_D_ADRESSE) },
  );
  const pair = ({ name, schema = {} }: (typeof known)[number]): fc.Arbitrary<string> => {
    const near = schema.type === 'integer' ? NOMBRES : JSON.stringify(schema).includes('"date') ? DATES : [];
    const odd =
      near.length === 0
        ? hostile
        : fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...near).map(coder) }, hostile);
    return rarely(
      valide(schema, lieu, name).map((value) => coder(String(value))),
      odd,
      2,
    ).map((value) => `${name}=${value}`);
  };
  const stranger = fc.oneof(
    fc.tuple(fc.constantFrom('__proto__', 'toString', 'Limit', 'a[]', 'id', '', 'limit[gt]'), hostile),
    fc.tuple(fc.constantFrom(...TEXTES).map(coder), hostile),
  );
  const extra = rarely(
    fc.constant<string[]>([]),
    stranger.map(([name, value]) => [`${name}=${value}`]),
    6,
  );
  if (known.length === 0) return extra.map((list) => list.join('&'));
  const order = known.find(({ name }) => name === 'tri')?.schema?.pattern;
  const ordered = known.some(({ name }) => name === 'cursor') && order !== undefined;
  const some = fc
    .subarray(known, { maxLength: Math.min(known.length, 4) })
    .chain((chosen) => fc.tuple(...chosen.map(pair)));
  // The same once more: given twice.
  const twice = rarely(fc.constant(false), fc.constant(true), 12);
  const usual = fc
    .tuple(some, extra, twice)
    .map(([pairs, more, again]) => [...pairs, ...(again ? pairs.slice(0, 1) : []), ...more].join('&'));
  return ordered ? rarely(usual, curseur(order), 5) : usual;
}

/** A cursor that has the form of ours, for an order that there is, at a position that may be nowhere. */
function curseur(order: string): fc.Arbitrary<string> {
  const columns = /\(([^)]*)\)/.exec(order)?.[1]?.split('|') ?? ['id'];
  const value = fc.oneof(
    fc.constantFrom<unknown>(...TEXTES, ...DATES, null),
    fc.constantFrom<unknown>('1', 'true', '2025-05-28', '2025-05-28T06:12:00+02:00', 1, [], {}),
  );
  return fc
    .tuple(fc.constantFrom(...columns), fc.constantFrom('', '-'), value, value)
    .map(([column, sign, one, two]) => {
      const full = column === 'id' ? `${sign}id` : `${sign}${column},${sign}id`;
      const position = column === 'id' ? [one] : [one, two];
      const cursor = Buffer.from(JSON.stringify([full, position])).toString('base64url');
      return `tri=${sign}${column}&cursor=${cursor}`;
    });
}

function entetes({ operation, chemin, parametres }: OperationLue): fc.Arbitrary<Record<string, string>> {
  const type = Object.keys(operation.requestBody?.content ?? {})[0] ?? 'application/json';
  // Those that the operation looks at come often, and with values that mean something.
  const looked = Object.fromEntries(
    parametres
      .filter(({ in: place }) => place === 'header')
      .map(({ name }) => [
        name.toLowerCase(),
        rarely(fc.constantFrom('*', 'bytes=0-9', 'fr'), fc.constantFrom(...ENTETES), 1),
      ]),
  );
  const optional = {
    accept: fc.constantFrom(...ACCEPTS),
    'if-match': fc.constantFrom(...ENTETES),
    'if-none-match': fc.constantFrom(...ENTETES),
    range: fc.constantFrom(...ENTETES),
    'accept-language': fc.constantFrom(...ENTETES),
    'accept-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'identity;q=0', '*;q=0', 'x'),
    'x-forwarded-for': fc.constantFrom(...ENTETES),
    cookie: fc.constantFrom(
      'atelier_rafraichir=x',
      'a',
      '=',
      `atelier_rafraichir=${'A'.repeat(43)}`,
      '__proto__=1',
    ),
    origin: fc.constantFrom('null', 'http://exemple.test', '*'),
    expect: fc.constant('x'),
  };
  const some = (from: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<Record<string, string>> =>
    fc
      .subarray(Object.entries(from), { maxLength: Math.min(2, Object.keys(from).length) })
      .chain((chosen) => fc.record(Object.fromEntries(chosen)));
  const few = fc.oneof(some(optional), some(looked));
  return fc
    .tuple(rarely(fc.constant(type), fc.constantFrom(...TYPES), 12), rarely(fc.constant({}), few, 1))
    .map(
      ([contentType, others]): Record<string, string> => ({
        'content-type': contentType,
        ...(chemin.startsWith('/token/') ? { 'x-requested-with': 'atelier' } : {}),
        ...others,
      }),
    );
}

function corps({ operation, methode }: OperationLue, lieu: Lieu): fc.Arbitrary<string | undefined> {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const raw = fc.constantFrom(...CORPS);
  // A body where none is wanted.
  if (!media?.schema)
    return rarely<string | undefined>(fc.constant(undefined), raw, methode === 'GET' ? 12 : 4);
  const value = valide(media.schema, lieu) as fc.Arbitrary<Record<string, unknown>>;
  const fields = Object.keys(
    lieu.document.components.schemas?.[media.schema.$ref?.replace('#/components/schemas/', '') ?? '']
      ?.properties ?? {},
  );
  const broken = fc.oneof(
    value.chain((object) => abimer(object, fields)),
    value.chain(avecChampDeTrop),
  );
  const written = rarely(value, broken, 2).map((object) =>
    type === 'application/json' ? JSON.stringify(object) : formulaire(object),
  );
  return rarely<string | undefined>(written, fc.oneof(raw, written.map(poison), fc.constant(undefined)), 6);
}

function formulaire(object: Record<string, unknown>): string {
  const pairs = Object.entries(object).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  return new URLSearchParams(pairs).toString();
}

/** One field that is there, or might be, gets a value that is none of its own. */
function abimer(
  object: Record<string, unknown>,
  fields: readonly string[],
): fc.Arbitrary<Record<string, unknown>> {
  const names = fields.length > 0 ? fields : ['a'];
  return fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...VALEURS))
    .map(([name, value]) => ({ ...object, [name]: value }));
}

/** S14: fields that nobody may set. */
function avecChampDeTrop(object: Record<string, unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .constantFrom(
      'id',
      'role',
      'actif',
      'origine',
      'mot_de_passe',
      'password_hash',
      'date_creation',
      'version',
      '',
    )
    .map((name) => ({ ...object, [name]: name === 'role' ? 'admin' : 1 }));
}

/** The same text with what `JSON.stringify` would not write. */
function poison(json: string): string {
  return json.startsWith('{')
    ? `{"__proto__":{"role":"admin"},"constructor":{"prototype":1},${json.slice(1)}`
    : json;
}

function coder(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
