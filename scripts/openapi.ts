/** Makes the text of `openapi.json` from the routes themselves; nothing is listened to, no database is opened. */
import { createHash } from 'node:crypto';
import { buildApp } from '../src/api/app.ts';
import type { ApiDeps } from '../src/api/deps.ts';
import { Evenements } from '../src/api/evenements.ts';
import { ouvrirArchives } from '../src/archives/archive.ts';
import { Coffre } from '../src/base/chiffrement.ts';
import { exigerCles } from '../src/base/config/api.ts';
import { loadConfig } from '../src/base/config.ts';
import { silentLogger } from '../src/base/logger.ts';
import { FactoryTime } from '../src/base/time.ts';
import { Ecoute } from '../src/postgres/ecoute.ts';
import { createApiPool } from '../src/postgres/pool.ts';

/** Nobody answers there; nobody is asked either. */
const NOWHERE = 'postgresql://personne@127.0.0.1:1/nulle_part';

/** The document of the API as `/openapi.json` gives it: JSON, two spaces, an ending newline. */
export async function openapiDocument(): Promise<string> {
  // Keys that sign and encrypt nothing: any that are long enough do.
  const filler = Buffer.from(Array.from({ length: 48 }, (_, i) => i));
  const config = loadConfig({
    DATABASE_URL: NOWHERE,
    SECRET_KEY: filler.toString('base64url'),
    CLE_CHIFFREMENT: createHash('sha256').update(filler).digest('hex'),
  });
  const logger = silentLogger();
  const cles = exigerCles(config.api);
  const pool = createApiPool(NOWHERE, { logger, max: 1, fuseau: config.fuseau });
  const deps: ApiDeps = {
    ...{ config, cles, logger, pool, accesPool: pool, readPool: pool },
    coffre: new Coffre(cles.chiffrement),
    archive: ouvrirArchives(config),
    time: new FactoryTime(config.fuseau, config.journeeDebut),
    maintenant: () => 0,
    evenements: new Evenements({ ecoute: new Ecoute({ url: NOWHERE, logger }), logger, maintenant: () => 0 }),
  };
  const app = await buildApp(deps);
  try {
    return `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
  } finally {
    await app.close();
    await deps.evenements.fermer();
    await pool.end();
  }
}
