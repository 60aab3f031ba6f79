// O14: half a year in a minute, with a purge every night: what has a period is bounded by it, what is kept for ever is
// small and known, dead rows can be cleared away. How memory behaves over a year: bench/endurance.ts.

import { appendFile, mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { creerCompte, ouvrirCoffre } from '../../src/postgres/comptes/users.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { HASH, KEY } from '../harness/accounts.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { setting } from '../harness/property.ts';
import { purgeAt } from '../harness/purge.ts';
import { Vieillisseur } from '../harness/vieillir.ts';

const JOURS = setting('ATELIER_ENDURANCE_JOURS', 200);
const CENTRES = ['DEM12', 'SU12'];
/** Long past: nothing that the program notes by today's clock lies in it. */
const DEPART = Temporal.PlainDate.from('2021-01-04');
const PIECES = 12;

/** The shortest periods that may be set. */
const PERIODES = {
  CONSERVATION_DETAILS: '1 mois',
  CONSERVATION_ARCHIVES: '1 mois',
  CONSERVATION_QUARANTAINE: '7 j',
  CONSERVATION_SESSIONS: '6 mois',
  CONSERVATION_EXECUTIONS: '30 j',
  CONSERVATION_COMMANDES: '30 j',
  CONSERVATION_AUDIT: '30 j',
  CONSERVATION_AUDIT_JUSTIFICATION: 'essai',
  CONSERVATION_ALERTES: '30 j',
  CONSERVATION_CONNEXIONS: '2 j',
  CONSERVATION_CLES: '30 j',
  CONSERVATION_DEPOT: '31 j',
};

/** Rows of a day, at least and at most, and days that they stay: a month has 28 to 31, and the day itself counts. */
const detail = (rows: number) => ({ parJour: [rows, rows], jours: [28, 33] }) as const;
const BORNEES: Readonly<
  Record<string, { parJour: readonly [number, number]; jours: readonly [number, number] }>
> = {
  piece_production: detail(2 * PIECES),
  job_profil: detail(2),
  periode_attente: detail(2),
  periode_arret: detail(2),
  ligne_rejetee: { parJour: [2, 2], jours: [7, 9] },
  session_production: { parJour: [2, 2], jours: [181, 186] },
  // Two imports and a purge.
  execution: { parJour: [3, 3], jours: [30, 32] },
  commande_historique: { parJour: [1, 1], jours: [30, 32] },
  journal_audit: { parJour: [1, 2], jours: [30, 32] },
  // A link for each line; one when it goes and an anchor, which go with the last line that was there then.
  audit_maillon: { parJour: [1, 5], jours: [30, 32] },
  alerte: { parJour: [1, 1], jours: [30, 32] },
  tentative_connexion: { parJour: [1, 1], jours: [2, 4] },
  jeton_rafraichissement: { parJour: [1, 1], jours: [2, 4] },
  cle_api: { parJour: [1, 1], jours: [30, 32] },
  // A file that is followed leaves one for each look: here at noon.
  fichier_log_prefixe: { parJour: [2, 2], jours: [28, 33] },
};

/** What stays for ever, so that what was purged does not come back and its end is proved: rows of a day at most. */
const SOUVENIRS: Readonly<Record<string, number>> = {
  fichier_log: 2,
  fichier_log_contenu: 2,
  fichier_log_version: 2,
  fichier_log_jour: 2,
  jour_gele: 2,
  purge: 14,
};

/** What does not grow with time, and how many rows are too many here. */
const FIXES: Readonly<Record<string, number>> = {
  alerte_attente: 0,
  alerte_envoi: 0,
  archive_perimee: 0,
  centre_usinage: 2,
  cle_chiffrement: 1,
  commandes_volets_roulants: 0,
  compte_cle: 1,
  installation: 1,
  jour_a_recalculer: 0,
  migration: 99,
  planification: 0,
  reseau_connu: 10,
  type_evenement: 2,
  user: 1,
};

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

const query = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await workshop.reader.query(sql, values)).rows;

const fichier = (centre: string, jour: Temporal.PlainDate): string =>
  `${centre}/${jour.toString().replaceAll('-', '')}.LOG`;

/** A day's log, in two parts: what is there at noon, and the rest. */
function journee(jour: Temporal.PlainDate): [string, string] {
  const day = jour.toString().replaceAll('-', '');
  const at = (minute: number, event: string): string =>
    `${day} ${String(6 + Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:00|${event}\r\n`;
  const pieces = Array.from({ length: PIECES }, (_, i) => at(i * 30 + 1, `@StukUitgevoerd: ${i}`));
  return [
    at(0, '@JobProfiel: R:215023 L:3359.0 C:7016') +
      pieces.slice(0, 6).join('') +
      at(190, '@MachineWait: 60 sec'),
    `rebut\r\n${at(195, '@MachineStop')}${at(205, '@MachineStart')}${at(206, '@Zaagcyclus: 3')}${pieces.slice(6).join('')}`,
  ];
}

async function ecrire(chemin: string, text: string, instant: Temporal.ZonedDateTime): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(join(path, '..'), { recursive: true });
  await appendFile(path, text);
  const seconds = instant.epochMilliseconds / 1000;
  await utimes(path, seconds, seconds);
}

/** What people and the ERP bring: a row of each of the other kinds that have a period. */
async function autour(jour: string, compte: string): Promise<void> {
  const at = `${jour}T12:00:00Z`;
  await query(
    `INSERT INTO commande_historique (commande_id, numero_commande, extension, motif, date_changement)
     VALUES (1, '1', '', 'ajoutee', $1)`,
    [at],
  );
  await query("INSERT INTO journal_audit (evenement, instant) VALUES ('export', $1)", [at]);
  await query("INSERT INTO tentative_connexion VALUES ($1, 'compte', 1, 0, $2, $2)", [jour, at]);
  await query(
    `INSERT INTO alerte (regle, objet, gravite, etat, message, debut, ouverte_le, derniere_vue, fin, dernier_avis)
     VALUES ('r', $1, 'attention', 'resolue', 'm', $2, $2, $2, $2, $2)`,
    [jour, at],
  );
  await query(
    `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin)
     VALUES (gen_random_uuid(), $1, $2, sha256($2::text::bytea), '{centres:lire}', $3)`,
    [compte, jour, at],
  );
  await query(
    `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire)
     VALUES (gen_random_uuid(), $1, gen_random_uuid(), sha256($2::text::bytea), 1, $3)`,
    [compte, jour, at],
  );
}

async function compter(): Promise<Record<string, number>> {
  const tables = [...Object.keys(BORNEES), ...Object.keys(SOUVENIRS), ...Object.keys(FIXES)];
  const counts = tables.map((nom) => `(SELECT count(*)::int FROM "${nom}") AS "${nom}"`);
  return (await query<Record<string, number>>(`SELECT ${counts.join(', ')}`))[0]!;
}

/** Bytes of each table with its indexes, cleared of dead rows. */
async function tailles(): Promise<Record<string, number>> {
  await query('VACUUM');
  const rows = await query<{ nom: string; octets: number; mortes: number }>(
    `SELECT relname AS nom, pg_total_relation_size(relid)::float8 AS octets, n_dead_tup::float8 AS mortes
       FROM pg_stat_user_tables WHERE schemaname = 'public'`,
  );
  expect(rows.filter(({ mortes }) => mortes > 0)).toEqual([]);
  return Object.fromEntries(rows.map(({ nom, octets }) => [nom, octets]));
}

it('O14, R9: knows of every table whether time makes it grow', async () => {
  const known = [...Object.keys(BORNEES), ...Object.keys(SOUVENIRS), ...Object.keys(FIXES)];
  const rows = await query<{ nom: string }>(
    `SELECT relname AS nom FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  );
  expect(known.sort()).toEqual(rows.map(({ nom }) => nom).sort());
});

it('O14, R10, R11: months of work and purges leave tables, archives and drop as large as their periods say', async () => {
  const temps = await Vieillisseur.depuisMaintenant(workshop.reader);
  const coffre = await ouvrirCoffre(workshop.reader, { chiffrement: [KEY] });
  const { id } = await withClient(workshop.reader, (client) =>
    creerCompte(client, coffre, {
      username: 'endurance',
      email: 'endurance@exemple.test',
      role: 'lecteur',
      motDePasseHache: HASH,
    }),
  );
  let first: Record<string, number> = {};
  for (let d = 0; d < JOURS; d++) {
    const jour = DEPART.add({ days: d });
    const heure = (time: string): Temporal.ZonedDateTime =>
      jour.toZonedDateTime({ timeZone: 'Europe/Paris', plainTime: time });
    const parties = journee(jour);
    for (const [i, time] of ['12:00', '17:00'].entries()) {
      for (const centre of CENTRES) await ecrire(fichier(centre, jour), parties[i]!, heure(time));
      // Somebody sends a day again that is long past (R11).
      if (i === 1 && d % 10 === 9 && d > 60) {
        const ancien = jour.subtract({ days: 50 });
        await ecrire(fichier(CENTRES[d % 2]!, ancien), journee(ancien).join(''), heure(time));
      }
      await workshop.import();
    }
    await autour(jour.toString(), id);
    const nuit = heure('23:30');
    const bilan = await purgeAt(workshop, nuit.toInstant().toString(), PERIODES);
    expect(bilan.etat).toBe('reussie');
    await temps.noterA(new Date(nuit.epochMilliseconds));
    if (d % 7 === 6) await query('VACUUM');
    if (d === Math.floor(JOURS / 2)) first = await tailles();

    if (d % 20 !== 19 && d !== JOURS - 1) continue;
    const counts = await compter();
    const jours = d + 1;
    const faux = Object.entries(counts).filter(([nom, n]) => {
      const bornee = BORNEES[nom];
      if (!bornee) return n > (FIXES[nom] ?? SOUVENIRS[nom]! * jours);
      const { parJour, jours: keep } = bornee;
      return n > parJour[1] * Math.min(jours, keep[1]) || n < parJour[0] * Math.min(jours, keep[0]);
    });
    expect(faux, `jour ${jours}`).toEqual([]);
  }
  await workshop.checkInvariants();
  const files = async (dir: string): Promise<number> =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
  // A day that was sent again counts from then.
  expect(await files(workshop.logs)).toBeLessThanOrEqual(2 * 33 + 4);
  expect(
    (await query('SELECT FROM fichier_log_version WHERE archive_purgee_le IS NULL')).length,
  ).toBeLessThanOrEqual(2 * 33);
  const last = await tailles();
  // Places of rows that went are used again; half as much more is what pages and indexes may play.
  const grown = Object.keys(BORNEES).filter(
    (nom) => last[nom]! > first[nom]! * 1.5 && nom !== 'session_production',
  );
  expect(grown.map((nom) => [nom, first[nom], last[nom]])).toEqual([]);
  expect(
    await query(
      "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    ),
  ).toEqual([]);
}, 600_000);
