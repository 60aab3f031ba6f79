import { ouvrirArchives } from '../../archives/archive.ts';
import { pendingDays } from '../../postgres/journaux/jours.ts';
import type { Pool } from '../../postgres/pool.ts';
import { expectedArchives, findMiscounted, findOrphans } from '../../postgres/production/controle.ts';
import { misesDeCote } from '../../postgres/sauvegarde/mises-de-cote.ts';
import type { Cli } from '../cli.ts';
import { attention, bien, type Constat, mal } from './constat.ts';

/** Rows that hang together, days that wait, archives that are there. */
export async function donnees(cli: Cli, pool: Pool): Promise<Constat[]> {
  return [
    await checkOrphans(pool),
    ...(await checkSessions(pool)),
    ...(await checkDays(pool)),
    await checkArchives(cli, pool),
    ...(await checkAside(cli, pool)),
  ];
}

async function checkOrphans(pool: Pool): Promise<Constat> {
  const quoi = 'Lignes orphelines';
  const orphans = await findOrphans(pool);
  if (orphans.length === 0) return bien(quoi, 'aucune');
  return mal(
    quoi,
    orphans.map((o) => `${o.table}.${o.colonne} ${o.nombre}`).join(', '),
    'Signalez-le : le schéma l’interdit. Les archives permettent de tout recalculer.',
  );
}

async function checkSessions(pool: Pool): Promise<Constat[]> {
  const miscounted = await findMiscounted(pool);
  if (miscounted === 0) return [];
  return [
    mal(
      'Sessions',
      `${miscounted} dont le total n’est pas le nombre de leurs pièces`,
      'Signalez-le, avec le journal ftp_log_service.log.',
    ),
  ];
}

async function checkDays(pool: Pool): Promise<Constat[]> {
  const pending = (await pendingDays(pool)).reduce((sum, { jours }) => sum + jours.length, 0);
  if (pending === 0) return [];
  return [
    attention(
      'Journées',
      `${pending} à recalculer (import en cours, ou interrompu)`,
      'Le prochain `npx atelier ingest` les reprend.',
    ),
  ];
}

/** What `restore --forcer` put aside holds accounts and names that nobody erases in there. */
async function checkAside({ config }: Cli, pool: Pool): Promise<Constat[]> {
  return (await misesDeCote(pool)).map(({ schema, supprimable }) =>
    attention(
      'Mis de côté',
      `schéma ${schema}, d’une restauration : ni oubli ni purge n’y effacent de lignes`,
      supprimable
        ? `La purge le supprime après ${config.sauvegarde.conservation} jours (SAUVEGARDE_CONSERVATION) ; dès maintenant : DROP SCHEMA ${schema} CASCADE`
        : `La purge ne le peut pas (il appartient à un autre rôle) : avec ce rôle, DROP SCHEMA ${schema} CASCADE`,
    ),
  );
}

async function checkArchives(cli: Cli, pool: Pool): Promise<Constat> {
  const archive = ouvrirArchives(cli.config);
  let count = 0;
  const missing: string[] = [];
  for (const [centreId, shas] of await expectedArchives(pool)) {
    const present = new Set(await archive.list(centreId));
    count += shas.length;
    missing.push(...shas.filter((sha) => !present.has(sha)));
  }
  if (missing.length === 0) return bien('Archives', `${count} versions, toutes présentes`);
  return mal(
    'Archives',
    `${missing.length} sur ${count} manquent, par exemple ${missing[0]}`,
    'Restaurez ARCHIVES_DIR d’une sauvegarde : ces octets ne sont nulle part ailleurs si la machine a effacé ses fichiers.',
  );
}
