import type { Queryable } from '../pool.ts';

export type GenreTentative = 'compte' | 'adresse';

/** How failures of one kind are answered. Times are seconds. */
export interface RegleFreinage {
  /** failures that cost nothing */
  readonly libres: number;
  /** delay after the first failure beyond those; each further one doubles it */
  readonly delai: number;
  readonly delaiMax: number;
  /** without a failure for so long, the count starts again */
  readonly oubli: number;
}

/** What {@link reserverTentative} found and left. */
export interface Reservation {
  /** ms since the epoch before which nothing is tried; undefined: this attempt may be */
  readonly bloqueeJusqua: number | undefined;
  /** the end of the delay that this attempt set in case it fails; hand it back to {@link rendreTentative} */
  readonly jeton: string;
}

/**
 * Counts an attempt as failed before anything is verified, in one statement under the lock of its row: of a hundred
 * attempts at the same instant each is counted, and those beyond the free ones find the delay that the first set.
 * Attempts during a delay are counted too, but lengthen neither it nor the next one, nor do they put off when all is
 * forgotten: who waits gets in. Free attempts set no delay, not
 * even one that ends now: the clock of another attempt may be a little behind.
 *
 * @param cle HMAC of the name tried or of the network address, 32 bytes
 * @param maintenant ms since the epoch
 */
export async function reserverTentative(
  db: Queryable,
  cle: Buffer,
  genre: GenreTentative,
  regle: RegleFreinage,
  maintenant: number,
): Promise<Reservation> {
  const { rows } = await db.query<{ bloquee: number; jeton: string; refusee: boolean }>({
    name: 'tentative-reserver',
    text: `INSERT INTO tentative_connexion AS t (cle, genre, echecs, refus, dernier_echec, bloquee_jusqua)
           VALUES ($1, $2, 1, 0, $3::timestamptz,
                   CASE WHEN $4::integer < 1 THEN $3::timestamptz + $5::float8 * interval '1 second'
                        ELSE '-infinity' END)
           ON CONFLICT (cle) DO UPDATE
              SET (echecs, refus, refus_total, dernier_echec, bloquee_jusqua) =
                  (SELECT n.echecs,
                          CASE WHEN n.refusee THEN least(t.refus + 1, 1000000) ELSE 0 END,
                          n.refus_total,
                          CASE WHEN n.refusee THEN t.dernier_echec ELSE $3::timestamptz END,
                          CASE WHEN n.refusee THEN t.bloquee_jusqua
                               WHEN n.echecs - n.refus_total <= $4::integer THEN '-infinity'
                               ELSE $3::timestamptz + interval '1 second'
                                    * least($6::float8, $5::float8 * 2.0::float8 ^ least(n.echecs - n.refus_total - $4::integer - 1, 60))
                          END
                     FROM (SELECT o.refusee,
                                  CASE WHEN o.oubli THEN 1 ELSE least(t.echecs + 1, 2000000000) END AS echecs,
                                  CASE WHEN o.oubli THEN 0 ELSE t.refus_total + o.refusee::integer END AS refus_total
                             FROM (SELECT t.bloquee_jusqua > $3::timestamptz AS refusee,
                                          t.bloquee_jusqua <= $3::timestamptz
                                            AND t.dernier_echec < $3::timestamptz - $7::float8 * interval '1 second' AS oubli) o) n)
           RETURNING extract(epoch FROM t.bloquee_jusqua)::float8 * 1000 AS bloquee,
                     t.bloquee_jusqua::text AS jeton, t.refus > 0 AS refusee`,
    values: [cle, genre, new Date(maintenant), regle.libres, regle.delai, regle.delaiMax, regle.oubli],
  });
  const { bloquee, jeton, refusee } = rows[0]!;
  return { bloqueeJusqua: refusee ? bloquee : undefined, jeton };
}

/**
 * Takes back an attempt that turned out right: one failure less, and the delay that it set is lifted (one that
 * another attempt set meanwhile stays).
 */
export async function rendreTentative(db: Queryable, cle: Buffer, jeton: string): Promise<void> {
  await db.query(
    `UPDATE tentative_connexion
        SET echecs = greatest(echecs - 1, 0),
            bloquee_jusqua = CASE WHEN bloquee_jusqua = $2::timestamptz THEN '-infinity' ELSE bloquee_jusqua END
      WHERE cle = $1`,
    [cle, jeton],
  );
}

/**
 * What was counted for one name counts for another from now on: an account that is renamed gets no new guesses, and
 * nothing is left under the name that it had.
 */
export async function deplacerTentatives(db: Queryable, de: Buffer, vers: Buffer): Promise<void> {
  if (de.equals(vers)) return;
  await db.query(
    `WITH anciennes AS (DELETE FROM tentative_connexion WHERE cle = $1 RETURNING *)
     INSERT INTO tentative_connexion AS t (cle, genre, echecs, refus, refus_total, dernier_echec, bloquee_jusqua)
     SELECT $2, genre, echecs, refus, refus_total, dernier_echec, bloquee_jusqua FROM anciennes
     ON CONFLICT (cle) DO UPDATE
        SET echecs = greatest(t.echecs, excluded.echecs), refus_total = least(t.refus_total, excluded.refus_total),
            dernier_echec = greatest(t.dernier_echec, excluded.dernier_echec),
            bloquee_jusqua = greatest(t.bloquee_jusqua, excluded.bloquee_jusqua)`,
    [de, vers],
  );
}

/** Forgets the failures of names or addresses. */
export async function oublierTentatives(db: Queryable, ...cles: readonly Buffer[]): Promise<void> {
  await db.query('DELETE FROM tentative_connexion WHERE cle = ANY ($1::bytea[])', [cles]);
}

/**
 * Deletes what no delay depends on any more.
 *
 * @param avant ms since the epoch: rows whose last failure is older go
 * @returns number of rows, at most 10,000 a call
 */
export async function balayerTentatives(db: Queryable, avant: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM tentative_connexion
      WHERE cle IN (SELECT cle FROM tentative_connexion WHERE dernier_echec < $1 ORDER BY dernier_echec LIMIT 10000)`,
    [new Date(avant)],
  );
  return rowCount ?? 0;
}
