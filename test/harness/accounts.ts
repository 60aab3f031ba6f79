import { createCipheriv, createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import type { Coffre } from '../../src/base/chiffrement.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Role } from '../../src/base/roles.ts';
import { type Compte, creerCompte, modifierCompte, ouvrirCoffre } from '../../src/postgres/comptes/users.ts';
import { createPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { migrateUrl } from './context.ts';
import { createDatabase, registerTemplate } from './postgres.ts';

/** The key of accounts, the one that a rotation brings, and both as the settings have them then. */
export const KEY = randomBytes(32);
export const NEXT = randomBytes(32);
export const BOTH = { chiffrement: [NEXT, KEY] };
/** What a hash looks like matters to nobody here. */
export const HASH = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA';
export const NOBODY = '00000000-0000-4000-8000-000000000000';

/** The accounts of a database of their own, below the API. */
export interface Accounts {
  readonly pool: Pool;
  readonly coffre: Coffre;
  add(username: string, options?: { role?: Role; email?: string; coffre?: Coffre }): Promise<Compte>;
  /** a row as it was before accounts had keys. @returns its id */
  addOld(username: string, options?: { hash?: string; cle?: Buffer }): Promise<string>;
  change(
    id: string,
    changes: Parameters<typeof modifierCompte>[3],
    version?: number,
  ): ReturnType<typeof modifierCompte>;
  /** everything in every table as a dump would have it */
  dump(): Promise<string>;
  close(): Promise<void>;
}

export async function createAccounts(): Promise<Accounts> {
  registerTemplate(migrateUrl);
  const database = await createDatabase();
  const pool = createPool(database.url, { logger: silentLogger(), max: 8 });
  const coffre = await ouvrirCoffre(pool, { chiffrement: [KEY] });
  return {
    ...{ pool, coffre },
    add(username, options = {}) {
      const { role = 'lecteur', email = `${username}@exemple.test` } = options;
      return withClient(pool, (client) =>
        creerCompte(client, options.coffre ?? coffre, { username, email, role, motDePasseHache: HASH }),
      );
    },
    addOld: (username, options) => ajouterAncien(pool, username, options),
    change: (id, changes, version) =>
      withClient(pool, (client) => modifierCompte(client, coffre, id, changes, { version })),
    dump: () => dump(pool),
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

/** Names and addresses as they were encrypted before accounts had keys, written without our code. */
function ancienneLigne(
  cle: Buffer,
  colonne: 'username' | 'email',
  id: string,
  texte: string,
): [Buffer, Buffer] {
  const derive = (use: string, length = 32): Buffer =>
    Buffer.from(hkdfSync('sha256', cle, 'atelier', use, length));
  const header = Buffer.concat([Buffer.of(1), derive('identifiant', 8)]);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive(`chiffrement user.${colonne}`), nonce);
  cipher.setAAD(Buffer.concat([header, Buffer.from(`user|${colonne}|${id}`)]));
  const sealed = Buffer.concat([cipher.update(texte, 'utf8'), cipher.final()]);
  const index = createHmac('sha256', derive(`index user.${colonne}`))
    .update(texte.toLowerCase())
    .digest();
  return [Buffer.concat([header, nonce, sealed, cipher.getAuthTag()]), index];
}

/** A row as it was before accounts had keys. @returns its id */
export async function ajouterAncien(
  db: Pick<Pool, 'query'>,
  username: string,
  options: { hash?: string; cle?: Buffer; email?: string; role?: Role } = {},
): Promise<string> {
  const { hash = HASH, cle = KEY, email = `${username}@exemple.test`, role = 'lecteur' } = options;
  const id = randomUUID();
  const cleId = Buffer.from(hkdfSync('sha256', cle, 'atelier', 'identifiant', 8)).toString('hex');
  await db.query(
    `INSERT INTO "user" (id, username_chiffre, username_index, email_chiffre, email_index, cle_id, mot_de_passe, role)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[id, ...ancienneLigne(cle, 'username', id, username), ...ancienneLigne(cle, 'email', id, email)],
      ...[cleId, hash, role],
    ],
  );
  return id;
}

async function dump(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ nom: string }>(
    `SELECT relname AS nom FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  );
  const all: string[] = [];
  for (const { nom } of rows) {
    const table = await pool.query<{ r: string }>(`SELECT to_jsonb(t)::text AS r FROM "${nom}" t`);
    all.push(...table.rows.map(({ r }) => `${nom} ${r}`));
  }
  return all.join('\n');
}

/** Runs all at once, and gives what they answered or the code (and field) they threw. */
export async function together(...work: (() => Promise<unknown>)[]): Promise<unknown[]> {
  const answers = await Promise.allSettled(work.map((each) => each()));
  return answers.map((answer) => {
    if (answer.status === 'fulfilled') return answer.value;
    const { code, champ, raison } = answer.reason;
    return { code, champ, raison };
  });
}
