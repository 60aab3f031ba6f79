import type pg from 'pg';
import { messageOf } from '../../base/errors.ts';
import { silentLogger } from '../../base/logger.ts';
import { estPartagee } from '../../postgres/partage.ts';
import { createPool, describeUrl, type Pool, withClient } from '../../postgres/pool.ts';
import { lirePosition, objection, type Position } from '../../postgres/replica.ts';
import type { Cli } from '../cli.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** Bytes that a replica may have left to replay while all is well: two segments of the log. */
const RESTE = 33_554_432;

/** The two further addresses of the API: a replica to read from, a pooler to go through. */
export const lectures: Controle = {
  quoi: 'Réplica et pooler',
  async faire(cli) {
    const { databaseReadUrl, databaseApiUrl } = cli.config.api;
    return [
      ...(databaseReadUrl === undefined ? [] : [await replica(cli, databaseReadUrl)]),
      ...(databaseApiUrl === undefined ? [] : [await pooler(cli, databaseApiUrl)]),
    ];
  },
};

async function replica(cli: Cli, url: string): Promise<Constat> {
  const quoi = 'Réplica';
  const where = describeUrl(url);
  const there = await voir(url, lirePosition).catch((error: unknown) => error as Error);
  if (there instanceof Error) {
    return attention(
      quoi,
      `${where} : ${messageOf(there)}`,
      'Relancez le réplica, ou corrigez DATABASE_READ_URL ; en attendant, l’API lit tout sur la base principale.',
    );
  }
  const here = await principale(cli);
  if (!here) return attention(quoi, `${where} : la base principale ne répond pas`, SANS_PRINCIPALE);
  switch (objection(here, there)) {
    case 'autre_base':
      return mal(
        quoi,
        `${where} n’est pas un réplica de la base principale (base ${there.base}, autre serveur d’origine)`,
        'Corrigez DATABASE_READ_URL : il y faut un réplica en flux de ce serveur (pg_basebackup), et la même base. L’API ne le lit pas.',
      );
    case 'promu':
      return mal(
        quoi,
        `${where} a été promu : il ne suit plus la base principale`,
        'Mettez-le dans DATABASE_URL si c’est lui qui doit servir, sinon refaites-en un réplica (pg_basebackup). L’API ne le lit pas.',
      );
    default: {
      const rest = here.position - there.position;
      if (rest > RESTE)
        return attention(
          quoi,
          `${where} : ${Math.round(rest / 1_048_576)} Mio de retard`,
          'Regardez pg_stat_replication sur la base principale, et le journal du réplica.',
        );
      return bien(quoi, there.suit ? `${where}, à jour` : `${where}, la base principale elle-même`);
    }
  }
}

async function pooler(cli: Cli, url: string): Promise<Constat> {
  const quoi = 'Pooler';
  const where = describeUrl(url);
  try {
    const [there, shared] = await voir(url, async (client) => [
      await lirePosition(client),
      await estPartagee(client),
    ]);
    const here = await principale(cli);
    if (!here) return attention(quoi, `${where} : la base principale ne répond pas`, SANS_PRINCIPALE);
    if (here.serveur !== there.serveur || here.base !== there.base || there.suit)
      return mal(
        quoi,
        `${where} mène à une autre base que DATABASE_URL, ou à un réplica`,
        'Corrigez DATABASE_API_URL, ou la section [databases] de PgBouncer.',
      );
    if (!shared)
      return attention(
        quoi,
        `${where} est un serveur PostgreSQL, pas un pooler`,
        'Videz DATABASE_API_URL : DATABASE_URL suffit.',
      );
    return bien(quoi, where);
  } catch (error) {
    return mal(
      quoi,
      `${where} : ${messageOf(error)}`,
      'Vérifiez que PgBouncer tourne et connaît cette base et ce compte (auth_file), ou videz DATABASE_API_URL.',
    );
  }
}

const SANS_PRINCIPALE = 'Réparez d’abord PostgreSQL (ci-dessus).';

async function principale({ config }: Cli): Promise<Position | undefined> {
  if (config.databaseUrl === undefined) return undefined;
  return await voir(config.databaseUrl, lirePosition).catch(() => undefined);
}

async function voir<T>(url: string, look: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const pool: Pool = createPool(url, {
    logger: silentLogger(),
    max: 1,
    preparer: async () => undefined,
  });
  try {
    return await withClient(pool, look);
  } finally {
    await pool.end();
  }
}
