import { randomBytes } from 'node:crypto';
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
    change: (id, changes, version) =>
      withClient(pool, (client) => modifierCompte(client, coffre, id, changes, { version })),
    dump: () => dump(pool),
    async close() {
      await pool.end();
      await database.drop();
    },
  };
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
