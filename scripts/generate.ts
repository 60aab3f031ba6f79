/**
 * Makes the files that follow from others: `.env_exemple` from the settings, `docs/erreurs.md` from the error codes,
 * `docs/conformite.md` from what rules ask and the titles of tests, `openapi.json` from the routes, `schema.sql` from the migrations (on a private PostgreSQL). `--check` writes nothing
 * and fails when one is not current.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Setting } from '../src/base/config/setting.ts';
import { SECTIONS } from '../src/base/config/settings.ts';
import { CODES } from '../src/base/errors.ts';
import { silentLogger } from '../src/base/logger.ts';
import { ensureEmbedded, stopEmbedded } from '../src/embedded/postgres.ts';
import { migrate } from '../src/postgres/migrate.ts';
import { createPool, withClient } from '../src/postgres/pool.ts';
import { dumpSchema } from '../src/postgres/schema-dump.ts';
import { pageConformite } from './conformite.ts';
import { openapiDocument } from './openapi.ts';

const check = process.argv.includes('--check');

function envExample(): string {
  const block = ({ name, doc, default: value, secret, processes }: Setting): string => {
    const lines = doc.split('\n').map((line) => `# ${line}`);
    if (secret) lines.push(`# Reçu par : ${processes.join(', ')} ; par personne d’autre.`);
    return [...lines, `${value === '' || secret ? '# ' : ''}${name}=${value}`].join('\n');
  };
  const sections = SECTIONS.map(
    ({ titre, settings }) => `# ── ${titre} ──\n\n${settings.map(block).join('\n\n')}`,
  );
  return `# Réglages d’atelier : copiez ce fichier en .env (chmod 600 : il portera vos secrets) et adaptez-le. Chaque ligne a sa valeur par défaut.\n\n${sections.join('\n\n\n')}\n`;
}

function errorPage(): string {
  const rows = Object.entries(CODES).map(
    ([code, { titre, conseil }]) => `| \`${code}\` | ${titre} | ${conseil} |`,
  );
  return [
    '# Codes d’erreur',
    '',
    'Fait par `npm run generate` à partir de `src/base/errors.ts`.',
    'Familles : U usage, C configuration, L journaux et SFTP, D PostgreSQL, E ERP, S données, A API et comptes,',
    'R conservation, T tâches, N alertes, O observation, B sauvegarde, X défauts d’atelier.',
    '',
    '| code | ce qui s’est passé | que faire |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

async function schema(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atelier-schema-'));
  try {
    const { url } = await ensureEmbedded({ dataDir });
    const pool = createPool(url, { logger: silentLogger() });
    await withClient(pool, (client) => migrate(client));
    const text = await dumpSchema(pool);
    await pool.end();
    return `-- The schema after all migrations. Made by \`npm run generate\`; edit migrations/, not this file.\n\n${text}`;
  } finally {
    await stopEmbedded(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const files: [string, string][] = [
  ['.env_exemple', envExample()],
  ['docs/erreurs.md', errorPage()],
  ['docs/conformite.md', pageConformite('.')],
  ['openapi.json', await openapiDocument()],
  ['schema.sql', await schema()],
];
let stale = 0;
for (const [file, text] of files) {
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // Not made yet.
  }
  if (current === text) continue;
  stale++;
  if (check) console.error(`${file} n’est pas à jour : npm run generate`);
  else {
    writeFileSync(file, text);
    console.log(`${file} écrit`);
  }
}
process.exitCode = check && stale > 0 ? 1 : 0;
