/**
 * Lists as files: all rows of a filter in CSV or XLSX, in one consistent view, at constant memory. A file is complete
 * or it has no end that a client could take for one: a failure before the first byte is a problem, one after it
 * breaks the connection.
 */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { noter } from '../postgres/audit.ts';
import { type Lecture, lireEnEntier } from '../postgres/lecture/export.ts';
import type { Csv } from '../postgres/lecture/export-colonnes.ts';
import type { Tri } from '../postgres/lecture/table-lue.ts';
import type { Pool } from '../postgres/pool.ts';
import type { LectureSuivie } from '../postgres/replica.ts';
import { acteurDe } from './auth/authentifier.ts';
import { ligneAudit } from './auth/trace.ts';
import type { ApiDeps } from './deps.ts';
import { enPieceJointe } from './disposition.ts';
import { ExportPlaces, surveillerDebit } from './export-places.ts';
import { type Format, XLSX } from './formats.ts';
import { enLecture } from './lectures.ts';
import { Probleme } from './problemes.ts';
import type { Ressource } from './ressource.ts';
import { classeur } from './xlsx/classeur.ts';
import { feuille, LIGNES_MAX } from './xlsx/feuille.ts';

export interface DemandeDExport {
  readonly ressource: Ressource;
  readonly filtres: Readonly<Record<string, unknown>>;
  readonly tri: readonly Tri[];
  readonly skip: number;
  /** undefined: all rows */
  readonly limit: number | undefined;
  readonly format: Exclude<Format, 'json'>;
  /** CSV as a French spreadsheet reads it */
  readonly francais: boolean;
}

/** Exports at once at most, each of another account: each holds a connection for as long as its client takes. */
const SIMULTANES = 3;
/** Milliseconds for a whole export, however slowly its client reads. */
const DUREE_MAX = 30 * 60_000;

/**
 * CSV as Excel opens it by a double click: in French, `;`, a decimal comma, instants that it takes for dates, and a
 * byte order mark so that it does not take UTF-8 for Windows-1252; elsewhere commas, points and ISO 8601, which is what
 * programs expect. Lines end with LF in
 * both: everything reads that, Excel too.
 */
const FRANCAIS: Csv = { separateur: ';', decimale: ',', instants: 'fr' };
const AUTRE: Csv = { separateur: ',', decimale: '.', instants: 'iso' };
/** A date or an instant (ISO 8601). */
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ][\d:.]{4,18}(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const BOM = Buffer.from('\ufeff');

/**
 * The rows of a list as a file.
 *
 * @throws Probleme 422 more rows than a sheet has, 503 other exports are under way; whatever PostgreSQL throws before
 *   the first byte
 */
export async function exporter(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ApiDeps,
  demande: DemandeDExport,
): Promise<FastifyReply> {
  const fin = new AbortController();
  const parti = (): void => fin.abort(new Probleme(499, 'Le client est parti avant la fin de l’export.'));
  const tropLong = (): void => fin.abort(new Probleme(503, 'L’export a duré trop longtemps.'));
  const lent = (octets: number): void => fin.abort(new LecteurTropLent(octets));
  const minuterie = setTimeout(tropLong, DUREE_MAX).unref();
  reply.raw.once('close', parti);
  const { limites } = request.server;
  const compte = acteurDe(request).userId;
  let commence = false;
  let coupe: unknown;
  try {
    const lireTout = async (choisi: Pool, lecteur: LectureSuivie): Promise<void> => {
      const pool = choisi === deps.pool ? (deps.exportPool ?? choisi) : choisi;
      const signal = AbortSignal.any([fin.signal, lecteur.perdue]);
      const places = placesDe(pool);
      const rendre = await places.prendre(compte, limites.attenteExport, signal);
      const arreter = surveillerDebit(request.raw.socket, limites, () => places.attendent > 0, lent);
      try {
        await lireEnEntier(pool, demande.ressource.table, demande, signal, async (lecture) => {
          const corps = await preparer(request, reply, deps, demande, lecture);
          lecteur.garder();
          commence = true;
          await envoyer(reply, corps, fin.signal);
        });
      } catch (error) {
        // What was begun on one server cannot be gone on with on another.
        if (commence) coupe = error;
        else throw error;
      } finally {
        arreter();
        rendre();
      }
    };
    await enLecture(deps, request, lireTout);
    if (coupe !== undefined) throw coupe;
  } catch (cause) {
    // Why we gave up says more than the broken query that came of it.
    const error: unknown = fin.signal.aborted ? fin.signal.reason : cause;
    if (!commence) throw error;
    const line = { err: error, requete: request.id, ressource: demande.ressource.nom };
    if (error instanceof Probleme && error.status === 499) request.log.info(line, 'export abandonné');
    else if (error instanceof LecteurTropLent)
      request.log.warn(
        { requete: request.id, ressource: demande.ressource.nom, octets: error.octets, compte },
        'export coupé : son client lit trop lentement',
      );
    else request.log.error(line, 'export coupé avant sa fin');
    // What was sent must not look whole.
    reply.raw.destroy();
  } finally {
    clearTimeout(minuterie);
    reply.raw.off('close', parti);
  }
  return reply;
}

/** Sets the headers, notes the export, and reads its first rows: most failures come while they can still be told. */
async function preparer(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ApiDeps,
  { ressource, filtres, format, francais }: DemandeDExport,
  lecture: Lecture,
): Promise<Readable> {
  const { nombre } = lecture;
  if (format === 'xlsx' && nombre >= LIGNES_MAX) {
    throw new Probleme(
      422,
      `Une feuille a au plus ${LIGNES_MAX - 1} lignes, et il y en a ${nombre} ; restreignez, ou utilisez format=csv.`,
      { errors: [{ pointer: '/query/format', detail: 'Trop de lignes pour une feuille.' }] },
    );
  }
  const maintenant = new Date(deps.maintenant());
  const { nom } = ressource;
  let corps = Readable.from([]);
  if (request.method !== 'HEAD') {
    const fichier = format === 'csv' ? await csv(lecture, francais) : await xlsx(lecture, nom, maintenant);
    // Before the first byte: no export without a trace, not even one that is cut.
    const details = { format, lignes: nombre, filtres: sansTexte(filtres) };
    await noter(deps.pool, ligneAudit(request, 'export', { cible: nom, details }));
    corps = fichier();
  }
  const jour = maintenant.toTemporalInstant().toZonedDateTimeISO(deps.time.zone).toPlainDate();
  reply.type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : XLSX).headers({
    'content-disposition': enPieceJointe(`${nom}_${jour}.${format}`),
    'cache-control': 'private, no-store',
    'x-total-count': String(nombre),
    'x-total-count-kind': 'exact',
    vary: [reply.getHeader('vary'), 'Accept', 'Accept-Language'].filter(Boolean).join(', '),
  });
  return corps;
}

/**
 * Filters for the audit log: by which, with numbers, states and dates as they were asked for. Texts are left out: what
 * people paste into a search is not ours to keep.
 */
function sansTexte(filtres: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const harmless = (value: unknown): boolean =>
    typeof value === 'number' || typeof value === 'boolean' || DATE.test(String(value));
  const pairs = Object.entries(filtres).filter(([, value]) => value !== undefined);
  return Object.fromEntries(pairs.map(([name, value]) => [name, harmless(value) ? value : '…']));
}

/** Sends the rows; done when the last one is on its way. HEAD has none, and is done by the framework. */
async function envoyer(reply: FastifyReply, corps: Readable, signal: AbortSignal): Promise<void> {
  try {
    signal.throwIfAborted();
    reply.send(corps);
    await finished(corps, { writable: false, signal });
  } finally {
    corps.destroy();
  }
}

/** Reads the first rows; what it returns makes the file of them and of the rest. */
async function csv(lecture: Lecture, francais: boolean): Promise<() => Readable> {
  const pieces = await amorcer(lecture.csv(francais ? FRANCAIS : AUTRE));
  const tout = async function* (): AsyncGenerator<Buffer> {
    if (francais) yield BOM;
    yield* pieces;
  };
  return () => Readable.from(tout(), { objectMode: false });
}

async function xlsx(lecture: Lecture, titre: string, date: Date): Promise<() => Readable> {
  const lots = await amorcer(lecture.lots());
  return () => classeur(titre, date, feuille(lecture.colonnes, lecture.nombre, lots));
}

/** The same values, of which the first is there already. */
async function amorcer<T>(source: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await source.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* source;
  })();
}

const placesPar = new WeakMap<Pool, ExportPlaces>();

/** The places of a server; half of the connections stay for others. */
function placesDe(pool: Pool): ExportPlaces {
  let places = placesPar.get(pool);
  if (!places) {
    places = new ExportPlaces(Math.max(1, Math.min(SIMULTANES, Math.floor(pool.options.max / 2))));
    placesPar.set(pool, places);
  }
  return places;
}

/** So few bytes went to the client in a whole window, though more were there. */
class LecteurTropLent extends Probleme {
  readonly octets: number;

  constructor(octets: number) {
    super(408, 'L’export a été coupé : il était lu trop lentement.');
    this.octets = octets;
  }
}
