/** Notices: written in the transaction of their alert, sent by whoever takes them first. Instants are seconds. */
import type { Avis, GenreAvis } from '../../domain/alertes/avis.ts';
import type { Queryable } from '../pool.ts';

export const CANAUX = ['webhook', 'mail'] as const;
export type Canal = (typeof CANAUX)[number];

/** A notice that one process has taken to send. */
export interface Envoi {
  readonly id: number;
  readonly alerteId: number;
  readonly canal: Canal;
  readonly genre: GenreAvis;
  /** identity for whoever receives it: the same at each attempt */
  readonly messageId: string;
  /** identity of this attempt: it alone notes how it ended */
  readonly reservation: string;
  readonly contenu: Avis;
  /** attempts, this one included */
  readonly tentatives: number;
  readonly creation: number;
}

/** Puts a notice into the queue of each channel; what is there already stays as it is. */
export async function mettreEnFile(
  db: Queryable,
  avis: Avis,
  options: { readonly canaux: readonly Canal[]; readonly numero: number; readonly maintenant: number },
): Promise<void> {
  await db.query(
    `INSERT INTO alerte_envoi (alerte_id, canal, genre, numero, contenu, prochain_essai, date_creation)
     SELECT $1::bigint, c, $3::text, $4::integer, $5::jsonb, i, i FROM unnest($2::text[]) c, to_timestamp($6) i
     ON CONFLICT (alerte_id, canal, genre, numero) DO NOTHING`,
    [avis.alerte.id, options.canaux, avis.genre, options.numero, JSON.stringify(avis), options.maintenant],
  );
}

/**
 * Takes the next notice of a channel that is due; undefined when none is. Others leave it alone for `bail` seconds: whoever
 * dies with it in hand, or is suspended, delays it by that. An alert's notices go in their order.
 */
export async function prendreEnvoi(
  db: Queryable,
  canal: Canal,
  options: { readonly maintenant: number; readonly bail: number },
): Promise<Envoi | undefined> {
  const { rows } = await db.query<Envoi>(
    `UPDATE alerte_envoi e
        SET tentatives = tentatives + 1, reservation = gen_random_uuid(), prochain_essai = to_timestamp($2 + $3::float8)
      WHERE e.id = (
        SELECT d.id FROM alerte_envoi d
         WHERE d.canal = $1 AND d.etat = 'a_envoyer' AND d.prochain_essai <= to_timestamp($2)
           AND NOT EXISTS (SELECT FROM alerte_envoi p WHERE p.alerte_id = d.alerte_id AND p.canal = d.canal
                              AND p.etat = 'a_envoyer' AND p.id < d.id)
         ORDER BY d.prochain_essai, d.id LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING e.id, e.alerte_id AS "alerteId", e.canal, e.genre, e.message_id AS "messageId", e.reservation, e.contenu,
                e.tentatives, extract(epoch FROM e.date_creation)::float8 AS creation`,
    [canal, options.maintenant, options.bail],
  );
  return rows[0];
}

/** How an attempt ended. */
export type Issue =
  | { readonly etat: 'envoye'; readonly maintenant: number }
  | { readonly etat: 'a_envoyer'; readonly prochainEssai: number; readonly erreur: string }
  | { readonly etat: 'abandonne'; readonly erreur: string };

/** Notes how an attempt ended; nothing when another one has begun since. */
export async function noterEnvoi(
  db: Queryable,
  { id, reservation }: Pick<Envoi, 'id' | 'reservation'>,
  issue: Issue,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE alerte_envoi
        SET etat = $3, reservation = NULL, erreur = $4, envoye_le = to_timestamp($5::float8),
            prochain_essai = coalesce(to_timestamp($6::float8), prochain_essai)
      WHERE id = $1 AND reservation = $2 AND etat = 'a_envoyer'`,
    [
      id,
      reservation,
      issue.etat,
      issue.etat === 'envoye' ? null : issue.erreur,
      issue.etat === 'envoye' ? issue.maintenant : null,
      issue.etat === 'a_envoyer' ? issue.prochainEssai : null,
    ],
  );
  return rowCount === 1;
}

/** Gives up what waits for a channel that is not set any more, and was written before an instant; returns how many. */
export async function abandonnerSansCanal(
  db: Queryable,
  canaux: readonly Canal[],
  avant: number,
): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE alerte_envoi SET etat = 'abandonne', erreur = 'canal plus réglé'
      WHERE etat = 'a_envoyer' AND canal <> ALL ($1) AND date_creation < to_timestamp($2)`,
    [canaux, avant],
  );
  return rowCount ?? 0;
}
