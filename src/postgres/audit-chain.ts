import { createHash } from 'node:crypto';
import { type Client, type Queryable, transaction } from './pool.ts';

/** The end of the chain of the audit log: whoever notes it elsewhere sees later that what is before it is still there. */
export interface TeteAudit {
  readonly rang: number;
  /** SHA-256, hex */
  readonly empreinte: string;
}

/** What does not fit. */
export interface EcartAudit {
  readonly genre:
    | 'debut_absent'
    | 'maillon_absent'
    | 'maillon_change'
    | 'ligne_changee'
    | 'ligne_absente'
    | 'ligne_etrangere'
    | 'purge_precoce'
    | 'tete_absente';
  /** place in the chain */
  readonly rang?: number;
  /** id of the line of `journal_audit` */
  readonly ligne?: number;
}

export interface VerificationAudit {
  readonly maillons: number;
  readonly lignes: number;
  /** lines cut from their account, lines purged, among the links that are kept */
  readonly oublis: number;
  readonly purges: number;
  readonly tete: TeteAudit | undefined;
  /** the first {@link ECARTS_MAX} */
  readonly ecarts: readonly EcartAudit[];
  readonly nombreEcarts: number;
}

export const ECARTS_MAX = 100;
const LOT = 5_000;
/** Retention is of a month at least: what goes before that was not purged by it (µs). */
const PLUS_TOT = 27n * 86_400_000_000n;

/** A line and its salt as its link has them; the same as in migration 0011, from built-in functions alone. */
const ENGAGEMENT = `sha256(j.sel || convert_to(jsonb_build_array(j.id, extract(epoch FROM j.instant), j.evenement,
  j.user_id, j.cle_id, j.cible, j.adresse, j.requete, j.details)::text, 'UTF8'))`;

interface Maillon {
  readonly rang: number;
  readonly genre: 'ligne' | 'oubli' | 'purge' | 'ancre';
  readonly ligne: number;
  /** µs since the epoch, as text: beyond what a number holds exactly */
  readonly quand: string;
  readonly engagement: Buffer | null;
  readonly empreinte: Buffer;
}

/** The end of the chain; undefined when nothing was ever noted. */
export async function teteAudit(db: Queryable): Promise<TeteAudit | undefined> {
  const { rows } = await db.query<TeteAudit>(
    `SELECT rang, encode(empreinte, 'hex') AS empreinte FROM audit_maillon ORDER BY rang DESC LIMIT 1`,
  );
  return rows[0];
}

/**
 * Recomputes the whole chain here, not in the database, which may have been changed: every link from the one before,
 * every line from its link.
 *
 * @param tete an end of the chain that was noted earlier, which must still be in it
 */
export async function verifierAudit(client: Client, tete?: TeteAudit): Promise<VerificationAudit> {
  return await transaction(client, async () => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const walk = new Parcours(tete);
    walk.avant = await debut(client);
    for (let after = -1; ; ) {
      const { rows } = await client.query<Maillon>(
        `SELECT rang, genre, audit_id AS ligne, (extract(epoch FROM instant) * 1000000)::bigint::text AS quand,
                  engagement, empreinte
             FROM audit_maillon WHERE rang > $1 ORDER BY rang LIMIT $2`,
        [after, LOT],
      );
      for (const maillon of rows) walk.maillon(maillon);
      if (rows.length < LOT) break;
      after = rows.at(-1)!.rang;
    }
    let lignes = 0;
    for (let after = '-9223372036854775808'; ; ) {
      const { rows } = await client.query<{ id: number; engagement: Buffer }>(
        `SELECT j.id, ${ENGAGEMENT} AS engagement FROM journal_audit j WHERE j.id > $1 ORDER BY j.id LIMIT $2`,
        [after, LOT],
      );
      for (const { id, engagement } of rows) walk.ligne(id, engagement);
      lignes += rows.length;
      if (rows.length < LOT) break;
      after = String(rows.at(-1)!.id);
    }
    return walk.finir(lignes);
  });
}

/** What came before the first link that is kept: nothing, or what the anchor that stands for it says. */
async function debut(client: Client): Promise<{ rang: number; empreinte: Buffer }> {
  const { rows } = await client.query<{ rang: number; empreinte: Buffer }>(
    `SELECT audit_id AS rang, engagement AS empreinte FROM audit_maillon
      WHERE genre = 'ancre' AND engagement IS NOT NULL ORDER BY rang DESC LIMIT 1`,
  );
  return rows[0] ?? { rang: 0, empreinte: Buffer.alloc(0) };
}

class Parcours {
  avant: { rang: number; empreinte: Buffer } = { rang: 0, empreinte: Buffer.alloc(0) };
  readonly #tete: TeteAudit | undefined;
  #teteVue: boolean;
  /** what each line must be by now, and since when it is; null: purged */
  readonly #lignes = new Map<number, { engagement: Buffer | null; quand: bigint }>();
  readonly #ecarts: EcartAudit[] = [];
  #nombreEcarts = 0;
  #maillons = 0;
  #oublis = 0;
  #purges = 0;
  #premier = true;

  constructor(tete: TeteAudit | undefined) {
    this.#tete = tete;
    this.#teteVue = tete === undefined;
  }

  maillon(maillon: Maillon): void {
    const { rang, genre, ligne, engagement, empreinte } = maillon;
    const quand = BigInt(maillon.quand);
    if (rang !== this.avant.rang + 1) {
      this.#ecart(this.#premier ? { genre: 'debut_absent', rang } : { genre: 'maillon_absent', rang });
    } else if (!empreinteDe(this.avant.empreinte, maillon).equals(empreinte)) {
      this.#ecart({ genre: 'maillon_change', rang, ligne });
    }
    if (this.#tete?.rang === rang) this.#teteVue = this.#tete.empreinte === empreinte.toString('hex');
    this.avant = { rang, empreinte };
    this.#premier = false;
    this.#maillons++;
    if (genre === 'oubli') this.#oublis++;
    if (genre === 'purge') {
      this.#purges++;
      const written = this.#lignes.get(ligne);
      if (written && quand - written.quand < PLUS_TOT) this.#ecart({ genre: 'purge_precoce', rang, ligne });
    }
    if (genre === 'ancre') return;
    const since = genre === 'oubli' ? (this.#lignes.get(ligne)?.quand ?? quand) : quand;
    this.#lignes.set(ligne, { engagement, quand: since });
  }

  ligne(id: number, engagement: Buffer): void {
    const known = this.#lignes.get(id);
    if (!known?.engagement) this.#ecart({ genre: 'ligne_etrangere', ligne: id });
    else if (!known.engagement.equals(engagement)) this.#ecart({ genre: 'ligne_changee', ligne: id });
    this.#lignes.delete(id);
  }

  finir(lignes: number): VerificationAudit {
    for (const [id, { engagement }] of this.#lignes)
      if (engagement) this.#ecart({ genre: 'ligne_absente', ligne: id });
    if (!this.#teteVue && this.#tete) this.#ecart({ genre: 'tete_absente', rang: this.#tete.rang });
    const { rang, empreinte } = this.avant;
    return {
      ...{ maillons: this.#maillons, lignes, oublis: this.#oublis, purges: this.#purges },
      tete: this.#premier ? undefined : { rang, empreinte: empreinte.toString('hex') },
      ecarts: this.#ecarts,
      nombreEcarts: this.#nombreEcarts,
    };
  }

  #ecart(ecart: EcartAudit): void {
    this.#nombreEcarts++;
    if (this.#ecarts.length < ECARTS_MAX) this.#ecarts.push(ecart);
  }
}

function empreinteDe(before: Buffer, { rang, genre, ligne, quand, engagement }: Maillon): Buffer {
  const int8 = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  };
  const hash = createHash('sha256')
    .update(before)
    .update(int8(BigInt(rang)))
    .update(genre);
  hash.update(int8(BigInt(ligne))).update(int8(BigInt(quand)));
  return hash.update(engagement ?? Buffer.alloc(0)).digest();
}
