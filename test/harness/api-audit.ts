import type { ApiDEssai } from './api.ts';

type Row = Record<string, unknown>;

/** What the audit log says of a target (`users/…`, `cles/…`), oldest first. */
export async function eventsAbout({ pool }: ApiDEssai, cible: string): Promise<Row[]> {
  const { rows } = await pool.query(
    'SELECT evenement, user_id, details FROM journal_audit WHERE cible = $1 ORDER BY id',
    [cible],
  );
  return rows;
}

/** Whole lines of the audit log after one, oldest first. */
export async function auditSince({ pool }: ApiDEssai, id: number): Promise<Row[]> {
  const { rows } = await pool.query('SELECT * FROM journal_audit WHERE id > $1 ORDER BY id', [id]);
  return rows;
}

/** The id of the last line of the audit log; 0 when it is empty. */
export async function lastAuditLine({ pool }: ApiDEssai): Promise<number> {
  const { rows } = await pool.query('SELECT coalesce(max(id), 0)::integer AS id FROM journal_audit');
  return rows[0].id;
}
