import { parseArgs } from 'node:util';
import { silentLogger } from '../base/logger.ts';
import { migrate as applyMigrations, readMigrations } from '../postgres/migrate.ts';
import { createPool, withClient } from '../postgres/pool.ts';
import type { Cli } from './cli.ts';
import { databaseUrl } from './open.ts';

export const summary = 'met le schéma de la base à jour';
export const usage = `Usage : npx atelier migrate [--dry-run]

Applique les migrations qui manquent à la base (DATABASE_URL, POSTGRES_*, ou le serveur embarqué).
Plusieurs lancements à la fois ne se gênent pas.

  --dry-run   écrit le SQL des migrations au lieu de les appliquer`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({ args, options: { 'dry-run': { type: 'boolean' } } });
  if (values['dry-run']) {
    for (const migration of readMigrations()) cli.out(`-- ${migration.nom}\n${migration.sql}`);
    return 0;
  }
  const pool = createPool(await databaseUrl(cli), { logger: silentLogger() });
  cli.shutdown.add(() => pool.end());
  const applied = await withClient(pool, (client) => applyMigrations(client));
  for (const name of applied) cli.out(`Migration appliquée : ${name}`);
  if (applied.length === 0) cli.out('Le schéma est à jour.');
  return 0;
}
