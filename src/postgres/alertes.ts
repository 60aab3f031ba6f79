/** Alerts as they are kept. Instants are seconds since the epoch. */
import type { Attente, Nouvelle, Ouverte, Suites } from '../domain/alertes/rapprocher.ts';
import type { Gravite } from '../domain/alertes/regles.ts';
import type { Client, Queryable } from './pool.ts';

/** An alert as one reads of it on a terminal and in notices. */
export interface AlerteRow {
  readonly id: number;
  readonly regle: string;
  readonly objet: string;
  readonly gravite: Gravite;
  readonly etat: 'ouverte' | 'resolue';
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly debut: number;
  readonly fin: number | null;
  readonly acquitteeLe: number | null;
  /** notices that nobody accepted in a day */
  readonly avisAbandonnes: number;
}

const secondes = (colonne: string): string => `extract(epoch FROM ${colonne})::float8`;
const COLONNES = `a.id, a.regle, a.objet, a.gravite, a.etat, a.message, a.details, ${secondes('a.debut')} AS debut,
  ${secondes('a.fin')} AS fin, ${secondes('a.acquittee_le')} AS "acquitteeLe",
  (SELECT count(*) FROM alerte_envoi e WHERE e.alerte_id = a.id AND e.etat = 'abandonne') AS "avisAbandonnes"`;

/**
 * One look at a time, in the transaction of the caller. Who stops half way (a suspended machine) is put out by the
 * server: the others go on.
 *
 * @throws 55P03 when another look lasts for too long
 */
export async function verrouillerAlertes(client: Client): Promise<void> {
  await client.query("SET LOCAL lock_timeout = '10s'");
  await client.query("SET LOCAL statement_timeout = '30s'");
  await client.query("SET LOCAL idle_in_transaction_session_timeout = '10s'");
  // Compiling a look would cost more than the look.
  await client.query('SET LOCAL jit = off');
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('atelier:alertes', 0))");
}

export async function lireOuvertes(db: Queryable): Promise<Ouverte[]> {
  const { rows } = await db.query<Ouverte>(
    `SELECT id, regle, objet, ${secondes('derniere_vue')} AS "derniereVue", ${secondes('dernier_avis')} AS "dernierAvis",
            acquittee_le IS NOT NULL AS acquittee
       FROM alerte WHERE etat = 'ouverte' ORDER BY id`,
  );
  return rows;
}

export async function lireAttentes(db: Queryable): Promise<Attente[]> {
  const { rows } = await db.query<Attente>(
    `SELECT regle, objet, ${secondes('premiere_vue')} AS "premiereVue" FROM alerte_attente`,
  );
  return rows;
}

/** What a look changed: rows of which somebody is to be told. */
export interface Changements {
  readonly ouvertes: readonly AlerteRow[];
  readonly rappelees: readonly (AlerteRow & { readonly rappels: number })[];
  readonly resolues: readonly AlerteRow[];
}

/** Writes what a look found, under the lock. */
export async function appliquer(client: Client, suites: Suites, maintenant: number): Promise<Changements> {
  const { oublier, attendre, revoir } = suites;
  await client.query(
    'DELETE FROM alerte_attente WHERE (regle, objet) IN (SELECT * FROM unnest($1::text[], $2::text[]))',
    [oublier.map(({ regle }) => regle), oublier.map(({ objet }) => objet)],
  );
  await client.query(
    `INSERT INTO alerte_attente (regle, objet, premiere_vue)
     SELECT regle, objet, to_timestamp($3) FROM unnest($1::text[], $2::text[]) u (regle, objet)
     ON CONFLICT DO NOTHING`,
    [attendre.map(({ regle }) => regle), attendre.map(({ objet }) => objet), maintenant],
  );
  await client.query(
    `UPDATE alerte a
        SET derniere_vue = greatest(a.derniere_vue, to_timestamp($2)), message = u.message, details = u.details
       FROM unnest($1::bigint[], $3::text[], $4::jsonb[]) u (id, message, details) WHERE a.id = u.id`,
    [
      revoir.map(({ id }) => id),
      maintenant,
      revoir.map(({ constat }) => constat.message),
      revoir.map(({ constat }) => JSON.stringify(constat.details)),
    ],
  );
  const ouvertes: AlerteRow[] = [];
  for (const nouvelle of suites.ouvrir) ouvertes.push(await ouvrir(client, nouvelle, maintenant));
  const rappelees = await client.query<AlerteRow & { rappels: number }>(
    // Reminders do not pile up behind a receiver that is away.
    `UPDATE alerte a SET rappels = rappels + 1, dernier_avis = to_timestamp($2)
      WHERE a.id = ANY ($1) AND a.etat = 'ouverte'
        AND NOT EXISTS (SELECT FROM alerte_envoi e WHERE e.alerte_id = a.id AND e.etat = 'a_envoyer')
      RETURNING ${COLONNES}, a.rappels`,
    [suites.rappeler, maintenant],
  );
  const resolues = await client.query<AlerteRow>(
    `UPDATE alerte a SET etat = 'resolue', fin = to_timestamp($2) WHERE a.id = ANY ($1) AND a.etat = 'ouverte'
     RETURNING ${COLONNES}`,
    [suites.resoudre, maintenant],
  );
  return { ouvertes, rappelees: rappelees.rows, resolues: resolues.rows };
}

async function ouvrir(
  client: Client,
  { constat, gravite, debut }: Nouvelle,
  maintenant: number,
): Promise<AlerteRow> {
  const { regle, objet, message, details } = constat;
  const { rows } = await client.query<AlerteRow>(
    `INSERT INTO alerte AS a (regle, objet, gravite, message, details, debut, ouverte_le, derniere_vue, dernier_avis)
     SELECT $1::text, $2::text, $3::text, $4::text, $5::jsonb, to_timestamp($6), i, i, i FROM to_timestamp($7) i
     RETURNING ${COLONNES}`,
    [regle, objet, gravite, message, JSON.stringify(details), debut, maintenant],
  );
  return rows[0]!;
}

/** Alerts, the open ones first, the latest first of each. */
export async function listerAlertes(
  db: Queryable,
  options: { readonly toutes: boolean; readonly limite: number },
): Promise<AlerteRow[]> {
  const { rows } = await db.query<AlerteRow>(
    // Each half in the order of its index: there may be a million that ended.
    `SELECT ${COLONNES} FROM (
       (SELECT * FROM alerte o WHERE o.etat = 'ouverte' ORDER BY o.debut DESC, o.id DESC LIMIT $2)
       UNION ALL
       (SELECT * FROM alerte o WHERE $1 AND o.etat = 'resolue' ORDER BY o.debut DESC, o.id DESC LIMIT $2)) a
      ORDER BY a.etat, a.debut DESC, a.id DESC LIMIT $2`,
    [options.toutes, options.limite],
  );
  return rows;
}

/**
 * Notes that somebody takes care of an open alert: nobody is reminded of it any more. Who was first stays.
 *
 * @param par account, undefined for a command on the server
 * @returns what it was before: undefined when there is no such alert
 */
export async function acquitter(
  client: Client,
  id: number,
  options: { readonly par: string | undefined; readonly maintenant: number },
): Promise<'acquittee' | 'deja' | 'resolue' | undefined> {
  const { rows } = await client.query<{ etat: string; deja: boolean }>(
    'SELECT etat, acquittee_le IS NOT NULL AS deja FROM alerte WHERE id = $1::bigint FOR UPDATE',
    [id],
  );
  const [alerte] = rows;
  if (!alerte) return undefined;
  if (alerte.deja) return 'deja';
  if (alerte.etat === 'resolue') return 'resolue';
  await client.query(
    'UPDATE alerte SET acquittee_le = to_timestamp($2), acquittee_par = $3 WHERE id = $1::bigint',
    [id, options.maintenant, options.par ?? null],
  );
  return 'acquittee';
}
