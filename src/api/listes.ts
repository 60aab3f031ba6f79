import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { noter } from '../postgres/audit.ts';
import { lirePage, type Page } from '../postgres/lecture/page.ts';
import type { Tri } from '../postgres/lecture/table-lue.ts';
import { lire } from './acces.ts';
import { ligneAudit } from './auth/trace.ts';
import { ecrireCurseur, lireCurseur } from './curseurs.ts';
import type { ApiDeps } from './deps.ts';
import { envoyerJson } from './etag.ts';
import { exporter } from './exports.ts';
import { type Format, formatDemande, XLSX } from './formats.ts';
import { aQui } from './inclusions.ts';
import { prefereLeFrancais } from './langue.ts';
import { enLecture } from './lectures.ts';
import { lien } from './pages.ts';
import { Probleme } from './problemes.ts';
import { NATURES, type Ressource } from './ressource.ts';
import { erreurs } from './schemas/commun.ts';
import { LIMITE_DEFAUT, PAGE, SKIP_MAX, triDe } from './schemas/listes.ts';

interface Question {
  readonly skip: number;
  readonly limit?: number;
  readonly cursor?: string;
  readonly total?: 'exact';
  readonly format?: Format;
  readonly separateur?: 'virgule' | 'point-virgule';
  readonly tri?: readonly Tri[];
  readonly [filtre: string]: unknown;
}

/** A list under an address of its own, where a part of the path takes the place of a filter. */
export interface ListeParChemin {
  /** with the part as `:name` */
  readonly chemin: string;
  readonly operationId: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  /** part of the path → filter of the table; the list then takes no other */
  readonly filtres: Readonly<Record<string, string>>;
}

/** `GET /noun/`: filters, order, pages, totals, cursor; JSON, CSV or XLSX. */
export function routeDeListe(
  app: FastifyInstance,
  deps: ApiDeps,
  ressource: Ressource,
  parChemin?: ListeParChemin,
): void {
  const { nom, pluriel, table, lu, filtres } = ressource;
  // Or a key would read its rows in answers that include them, without its scope.
  if (aQui(lu) !== nom)
    throw new Error(`${nom}: its schema must say whose rows it describes (inclusions.ts)`);
  const optional = Object.fromEntries(
    Object.entries(parChemin ? {} : filtres).map(([key, schema]) => [key, schema.optional()]),
  );
  app.get(
    parChemin?.chemin ?? `/${nom}/`,
    {
      config: { acces: lire(nom) },
      schema: {
        tags: [nom],
        operationId: parChemin?.operationId ?? `lister_${table.nom}`,
        summary: parChemin?.summary ?? `Lister les ${pluriel}`,
        description:
          'La réponse est un tableau. `Link` donne les pages voisines, `X-Total-Count` le total (`X-Total-Count-Kind` dit s’il est exact ou estimé), `X-Next-Cursor` le curseur de la suite. `format=csv` ou `format=xlsx` (ou l’en-tête `Accept`) rend les mêmes lignes en fichier.' +
          ordreEnMots(ressource) +
          ` ${NATURES[ressource.nature]}`,
        ...(parChemin ? { params: parChemin.params } : {}),
        querystring: z.strictObject({ ...optional, tri: triDe(Object.keys(table.tri)).optional(), ...PAGE }),
        response: {
          200: {
            description: 'Les lignes',
            content: {
              'application/json': { schema: z.array(lu) },
              'text/csv': { schema: z.string() },
              [XLSX]: { schema: z.string().meta({ format: 'binary' }) },
            },
          },
          ...erreurs(304, 400, 401, 403, 406, 422, 503),
        },
      },
    },
    async (request, reply) => repondre(request, reply, deps, ressource, fixes(request, parChemin)),
  );
}

/** Filters that the path gives. */
function fixes(request: FastifyRequest, parChemin: ListeParChemin | undefined): Record<string, unknown> {
  const params = request.params as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(parChemin?.filtres ?? {}).map(([part, filtre]) => [filtre, params[part]]),
  );
}

async function repondre(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ApiDeps,
  ressource: Ressource,
  parChemin: Readonly<Record<string, unknown>>,
): Promise<FastifyReply> {
  const { skip, limit, cursor, total, format, separateur, tri: asked, ...rest } = request.query as Question;
  const tri = asked ?? triHabituel(ressource, rest);
  const filtres = { ...filtresDe(rest, ressource, deps), ...parChemin };
  const forme = formatDemande(request, format);
  if (forme !== 'json') {
    if (cursor !== undefined)
      refuserCurseur('Un curseur se lit en JSON ; en CSV ou XLSX, sans limit, toutes les lignes viennent.');
    const francais =
      separateur === undefined
        ? prefereLeFrancais(request.headers['accept-language'])
        : separateur === 'point-virgule';
    const demande = { ressource, filtres, tri, skip, limit, format: forme, francais };
    return await exporter(request, reply, deps, demande);
  }
  if (cursor !== undefined && skip > 0) refuserCurseur('Donnez cursor ou skip, pas les deux.');
  const apres = cursor === undefined ? undefined : lireCurseur(cursor, tri);
  const size = limit ?? LIMITE_DEFAUT;
  const page = await enLecture(deps, request, (pool) =>
    lirePage(pool, ressource.table, {
      ...{ filtres, tri, skip, limit: size, apres },
      total: total ?? (apres ? 'non' : 'auto'),
    }),
  );
  if (ressource.texteDeJournal && page.nombre > 0) {
    const cible = ressource.nom;
    await noter(deps.pool, ligneAudit(request, 'lignes_lues', { cible, details: { skip, limit: size } }));
  }
  reply.headers(entetes(request.url, page, { skip, limit: size, tri, cursor }));
  return envoyerJson(request, reply, page.json);
}

function ordreEnMots({ triRestreint }: Ressource): string {
  if (!triRestreint) return '';
  const { par, tri } = triRestreint;
  return ` Sans \`tri\` : par id ; restreinte par ${par.join(', ')} : par ${tri.map(({ colonne }) => colonne).join(', ')}, puis id.`;
}

/** The order of a list that nobody asked an order for. */
function triHabituel(
  { triDefaut, triRestreint }: Ressource,
  asked: Readonly<Record<string, unknown>>,
): readonly Tri[] {
  return triRestreint?.par.some((nom) => asked[nom] !== undefined) ? triRestreint.tri : triDefaut;
}

function refuserCurseur(detail: string): never {
  throw new Probleme(422, detail, { errors: [{ pointer: '/query/cursor', detail }] });
}

/** Query parameters to filters. Where rows have instants, a date means the start of its day in the factory's zone, and as the end the whole day. */
function filtresDe(
  asked: Readonly<Record<string, unknown>>,
  { table }: Ressource,
  deps: ApiDeps,
): Record<string, unknown> {
  const { date_debut: debut, date_fin: fin, ...others } = asked;
  const filtres: Record<string, unknown> = { ...others };
  const instants = Object.hasOwn(table.filtres, 'date_fin_exclue');
  if (typeof debut === 'string') {
    filtres['date_debut'] = instants
      ? DATE.test(debut)
        ? debutDuJour(debut, deps, 0)
        : deps.time.situer(debut)
      : debut;
  }
  if (typeof fin === 'string') {
    if (instants && DATE.test(fin)) filtres['date_fin_exclue'] = debutDuJour(fin, deps, 1);
    else filtres['date_fin'] = instants ? deps.time.situer(fin) : fin;
  }
  return filtres;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function debutDuJour(date: string, deps: ApiDeps, plus: number): string {
  return Temporal.PlainDate.from(date)
    .add({ days: plus })
    .toZonedDateTime(deps.time.zone)
    .toString({ timeZoneName: 'never' });
}

/** Totals and the neighbouring pages (RFC 8288). */
function entetes(
  url: string,
  page: Page,
  {
    skip,
    limit,
    tri,
    cursor,
  }: { skip: number; limit: number; tri: readonly Tri[]; cursor: string | undefined },
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (page.total) {
    headers['x-total-count'] = String(page.total.nombre);
    headers['x-total-count-kind'] = page.total.exact ? 'exact' : 'estimate';
  }
  const links: string[] = [];
  if (page.suite) {
    const next = ecrireCurseur(tri, page.suite);
    headers['x-next-cursor'] = next;
    links.push(
      cursor === undefined && skip + limit <= SKIP_MAX
        ? lien(url, 'next', { skip: skip + limit, limit })
        : lien(url, 'next', { skip: undefined, cursor: next, limit }),
    );
  }
  if (cursor === undefined && skip > 0)
    links.push(lien(url, 'prev', { skip: Math.max(0, skip - limit), limit }));
  if (links.length > 0) headers['link'] = links.join(', ');
  return headers;
}
