// RGPD 3.1: names, addresses, passwords, keys and tokens are planted in everything that comes in, the whole program is used for
// a while, and then each of them is looked for in everything that it left: dump, data folder and WAL, archives, logs, metrics,
// traces, notices, temporary files, arguments of processes, and whatever was answered to others (M7, R2, R5, R22).

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pool } from '../../src/postgres/pool.ts';
import { ouvrirRecepteur, type Recepteur, SECRET } from '../harness/alertes.ts';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { colonnesComprimees, regarderProcessus, sansCompression, surUneBase } from '../harness/canaris.ts';
import type { Finished } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { Chercheur } from '../harness/decouvrir.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';
import { type Collecteur, collecter } from '../harness/otlp.ts';
import { launchPrivate, type PrivatePostgres } from '../harness/private-postgres.ts';
import { tousLesFichiers } from '../harness/sauvegarde.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const OPERATEURS = {
  operateur: 'Ludovic Canari-Peintre',
  'opérateur accentué': 'Zoé Canari-Ménétrier',
};
const PERSONNES = {
  admin: 'wilhelmine.canari',
  'adresse de l’admin': 'wilhelmine.canari@exemple.test',
  lecteur: 'ferdinand.canari',
  'adresse du lecteur': 'ferdinand.canari@exemple.test',
  'nom essayé': 'personne.canari',
};
const SECRETS: Record<string, string> = {
  'mot de passe': MOT_DE_PASSE,
  'mot de passe essayé': 'Serrure-canari-essayee-4411',
  CLE_ARCHIVES: randomBytes(32).toString('hex'),
  CLE_SAUVEGARDE: randomBytes(32).toString('hex'),
  METRICS_JETON: 'jeton-canari-de-prometheus-0123',
  webhook: SECRET,
};
const ERP = { 'note de l’ERP': 'Canari-Client-Brandenburger' };
/** Put into a table in clear, to see that it would be found there; none of the others is in it. */
const TEMOIN = 'Témoin-en-clair-Pélagie';
const MASQUES = 'operateur=(?i)bediener:? *([^ ]+ [^ ]+)';

let postgres: PrivatePostgres;
let place: Awaited<ReturnType<typeof installerApi>>;
let collecteur: Collecteur;
let recepteur: Recepteur;
let erp: MariadbDeTest | undefined;
let env: Record<string, string>;
/** what commands and servers said, by what they were */
const dits: [string, Finished][] = [];
/** answers that a reader got, by address */
const reponses: [string, Buffer][] = [];
/** arguments of processes, and environments of those that ours started */
const vus = new Set<string>();
let watching: NodeJS.Timeout;
let tmp: string;
let metriques = '';
let dump: Buffer;

beforeAll(async () => {
  [postgres, collecteur, recepteur] = await Promise.all([
    launchPrivate({ settings: { logging_collector: 'on', log_statement: 'ddl', log_directory: 'log' } }),
    collecter(),
    ouvrirRecepteur(),
  ]);
  await migrateUrl(postgres.url);
  await surBase(sansCompression);
  place = await installerApi({ url: postgres.url });
  SECRETS['CLE_CHIFFREMENT'] = place.apiEnv['CLE_CHIFFREMENT']!;
  SECRETS['SECRET_KEY'] = place.apiEnv['SECRET_KEY']!;
  tmp = join(place.home, 'tmp');
  await mkdir(tmp);
  erp = SANS_MARIADB === undefined ? await MariadbDeTest.demarrer() : undefined;
  env = {
    ...place.apiEnv,
    ...{ TMPDIR: tmp, MASQUES, NIVEAU_JOURNAL: 'debug', OTEL_EXPORTER_OTLP_ENDPOINT: collecteur.url },
    CLE_ARCHIVES: SECRETS['CLE_ARCHIVES']!,
    CLE_SAUVEGARDE: SECRETS['CLE_SAUVEGARDE']!,
    METRICS_JETON: SECRETS['METRICS_JETON']!,
    SAUVEGARDE_DIR: join(place.home, 'sauvegardes'),
    ...{ ALERTE_WEBHOOK_URL: recepteur.url, ALERTE_WEBHOOK_SECRET: SECRET, ALERTE_REJETS_MINIMUM: '1' },
    ALERTE_SILENCE: '1h',
  };
  watching = setInterval(() => void regarderProcessus(vus), 200);
  await vivre();
  clearInterval(watching);
}, 1_200_000);
afterAll(async () => {
  clearInterval(watching);
  await place?.close();
  await erp?.arreter();
  await Promise.all([collecteur?.close(), recepteur?.close()]);
  await postgres?.remove();
});

/** Does something with a connection of its own. */
const surBase = <T>(work: (pool: Pool) => Promise<T>): Promise<T> => surUneBase(postgres.url, work);

/** Runs a command to its end. */
async function run(args: readonly string[], codes: readonly (number | null)[] = [0]): Promise<Finished> {
  const done = await place.run(args, { env });
  dits.push([args.join(' '), done]);
  expect(codes, `${args.join(' ')} : ${done.stdout}${done.stderr}`).toContain(done.code);
  return done;
}

function jour(date: string, nom: string): string {
  return [
    `${date} 06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016 Bediener: ${nom}`,
    `${date} 06:00:10|@StukUitgevoerd: A Bediener: ${nom}`,
    `${date} 06:30:00|@MachineWait: 60 sec Bediener: ${nom}`,
    `${date} 07:00:00|@Aanmelding Bediener: ${nom}`,
    `${date} 07:30:00|@Bediener: ${nom}`,
    `${date} 08:00:10|@StukUitgevoerd: B`,
    `ligne cassée, Bediener: ${nom}`,
    `${date} 25:61:00|@StukUitgevoerd: Bediener: ${nom}`,
    `${date} 08:10:00|@MachineWait: Bediener: ${nom}`,
    '',
  ].join('\r\n');
}

/** Everything that the program does, once. */
async function vivre(): Promise<void> {
  const { operateur, 'opérateur accentué': accent } = OPERATEURS;
  await place.write('DEM12/20250528.LOG', jour('20250528', operateur));
  await place.write('DEM12/20250529.LOG', jour('20250529', accent));
  await place.write('SU12/20250528.LOG', Buffer.from(`\ufeff${jour('20250528', accent)}`, 'utf16le'));
  await place.write('DEMALU/20250528.LOG', Buffer.from(jour('20250528', accent), 'latin1'));
  await run(['ingest']);
  // Other settings: history is read again out of the archives.
  env['JOURNEE_DEBUT'] = '05:00';
  await run(['ingest']);
  if (erp) {
    await erp.admin.query(`UPDATE A_Logbuch SET Notiz = CONCAT(Notiz, ' ', ?)`, [ERP['note de l’ERP']]);
    const { host, port, user, password, database } = erp.config();
    Object.assign(env, {
      ...{
        MYSQL_HOST: host,
        MYSQL_PORT: String(port),
        MYSQL_DB: database,
        MYSQL_USER: user,
        MYSQL_PASSWORD: password,
      },
    });
    await run(['sync']);
    await run(['commandes']);
  }
  const server = await servir(place, env);
  await parler(server);
  const suivi = place.start(['worker'], { ...env, METRICS_PORT: '0' });
  await place.write('DEM12/20250530.LOG', jour('20250530', operateur));
  await vi.waitUntil(
    async () =>
      (await place.pool.query(`SELECT 1 FROM fichier_log WHERE chemin LIKE '%20250530%'`)).rowCount === 1,
    { timeout: 120_000, interval: 500 },
  );
  suivi.process.kill('SIGTERM');
  dits.push(['worker', await suivi.ended]);
  await run(['alertes', 'evaluer'], [0, 1, 3]);
  for (const words of [
    ['rejets'],
    ['show', 'DEM12/2025-05-28'],
    ['fichiers'],
    ['sessions', '--csv'],
    ['executions'],
    ['alertes'],
  ])
    await run(words, [0, 1]);
  await run(['doctor'], [0, 1]);
  await run(['user', 'list']);
  const saved = JSON.parse((await run(['backup', '--json'])).stdout) as { nom: string };
  await run(['backup', 'verify', saved.nom]);
  dump = (await place.run(['backup', 'sql', saved.nom], { env })).bytes;
  await run(['purge', '--force']);
  await run(['audit', 'verifier']);
  // What fails says why, and no more.
  await run(['ingest', '--dir', join(place.home, 'nulle-part')], [1, 2]);
  await run(['user', 'disable', PERSONNES['nom essayé']], [1, 2]);
  await run(['restore', saved.nom, '--oui'], [1]);
  dits.push(['serve', await server.arreter()]);
}

/** Sign-ins, good and bad; what a reader reads, in every form; what is wrong. */
async function parler(server: Serveur): Promise<void> {
  expect((await creerCompteHttp(server.url, PERSONNES.admin)).status).toBe(201);
  const admin = await server.entete(PERSONNES.admin);
  expect((await creerCompteHttp(server.url, PERSONNES.lecteur, admin)).status).toBe(201);
  const token = async (username: string, password: string): Promise<void> => {
    const body = new URLSearchParams({ username, password });
    const answer = await fetch(`${server.url}/token`, { method: 'POST', body });
    reponses.push([`POST /token ${username}`, Buffer.from(await answer.arrayBuffer())]);
    expect(answer.status).toBe(401);
  };
  await token(PERSONNES['nom essayé'], SECRETS['mot de passe essayé']!);
  await token(PERSONNES.admin, SECRETS['mot de passe essayé']!);
  const lecteur = await server.entete(PERSONNES.lecteur);
  SECRETS['jeton de l’admin'] = admin.authorization.slice('Bearer '.length);
  SECRETS['jeton du lecteur'] = lecteur.authorization.slice('Bearer '.length);
  const lu = async (
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ) => {
    const { headers, ...rest } = init;
    const answer = await fetch(`${server.url}${url}`, { ...rest, headers: { ...lecteur, ...headers } });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const sent = JSON.stringify([...answer.headers]);
    reponses.push([`${init.method ?? 'GET'} ${url}`, bytes], [`entêtes de ${url}`, Buffer.from(sent)]);
    return { statut: answer.status, bytes };
  };
  const lists = [
    'centres',
    'sessions',
    'job-profils',
    'pieces-production',
    'periodes-attente',
    'periodes-arret',
  ];
  for (const list of [...lists, 'rejets', 'fichiers', 'commandes-volets', 'executions', 'alertes']) {
    const { statut, bytes } = await lu(`/${list}/?limit=100`);
    expect([list, statut]).toEqual([list, 200]);
    for (const format of ['csv', 'xlsx']) await lu(`/${list}/?format=${format}`);
    const [first] = JSON.parse(bytes.toString()) as { id?: number }[];
    if (first?.id === undefined) continue;
    for (const more of ['', '/origine', '/explication', '/versions']) await lu(`/${list}/${first.id}${more}`);
    if (list === 'fichiers') expect((await lu(`/fichiers/${first.id}/octets`)).statut).toBe(403);
  }
  for (const { id } of JSON.parse((await lu('/sessions/?limit=100')).bytes.toString()) as { id: number }[])
    await lu(`/sessions/${id}/explication`);
  for (const url of [
    '/stats/',
    '/users/',
    '/cles/',
    '/openapi.json',
    '/docs',
    '/health/ready',
    '/metrics',
    '/nulle-part',
  ])
    await lu(url);
  await lu('/centres/999999');
  await lu(`/centres/?nom=${encodeURIComponent(OPERATEURS.operateur)}`);
  reponses.pop();
  reponses.pop();
  const json = { 'content-type': 'application/json' };
  await lu('/centres/', { method: 'POST', headers: json, body: '{"nom":' });
  await lu('/executions/', { method: 'POST', headers: json, body: '{"tache":"ingest"}' });
  const metrics = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${SECRETS['METRICS_JETON']}` },
  });
  metriques = await metrics.text();
  expect(metriques).toContain('http_server_request_duration_seconds');
  // The person's own: for nobody else.
  const own = await fetch(`${server.url}/users/me/export`, { headers: lecteur });
  expect(await own.text()).toContain(PERSONNES['adresse du lecteur']);
}

const TOUT = new Chercheur({ ...OPERATEURS, ...PERSONNES, ...SECRETS, ...ERP });
/** Secrets and people, whatever happens; what machines wrote is archived, so it is looked for apart. */
const cherche = (files: ReadonlyMap<string, Buffer>, chercheur: Chercheur): string[] =>
  [...files].flatMap(([path, bytes]) => chercheur.dans(bytes, path));
const tout = (): Chercheur => new Chercheur({ ...OPERATEURS, ...PERSONNES, ...SECRETS, ...ERP });

describe('3.1: canaries of a whole run', () => {
  it('the search finds what was planted where it is: in logs of machines, in a table, in what is packed', async () => {
    const logs = cherche(await tousLesFichiers(place.logs), TOUT);
    expect(logs.join('\n')).toContain('operateur (utf-8) dans DEM12/20250528.LOG');
    expect(logs.join('\n')).toContain('opérateur accentué (utf-16le) dans SU12/20250528.LOG');
    expect(logs.join('\n')).toContain('opérateur accentué (latin1) dans DEMALU/20250528.LOG');
    const there = new Chercheur({ temoin: TEMOIN });
    await surBase(async (pool) => {
      await pool.query('CREATE TABLE temoin (texte text)');
      await pool.query('INSERT INTO temoin VALUES ($1)', [TEMOIN]);
      await pool.query('CHECKPOINT');
    });
    const found = cherche(await tousLesFichiers(postgres.dataDir), there).join('\n');
    expect(found).toMatch(/dans base\//);
    expect(found).toMatch(/dans pg_wal\//);
    await surBase((pool) => pool.query('DROP TABLE temoin'));
  }, 400_000);

  it('R22: nowhere in what commands and servers said, in their files of logs, traces, metrics and notices', async () => {
    /** Whom a person at the terminal asked for, or asked about, she is told. */
    const asked = (what: string): boolean => /^user /.test(what);
    const said = dits.flatMap(([what, { stdout, stderr }]) =>
      (asked(what) ? new Chercheur({ ...OPERATEURS, ...SECRETS, ...ERP }) : tout()).dans(
        Buffer.from(`${stdout}\n${stderr}`),
        what,
      ),
    );
    expect(said).toEqual([]);
    expect(dits.map(([, { stdout }]) => stdout).join('').length).toBeGreaterThan(10_000);
    expect(cherche(await tousLesFichiers(place.syncLogs), tout())).toEqual([]);
    expect(collecteur.spans.length).toBeGreaterThan(20);
    expect(tout().dans(Buffer.from(collecteur.texte()), 'traces')).toEqual([]);
    expect(tout().dans(Buffer.from(metriques), 'mesures')).toEqual([]);
    expect(recepteur.recus.length + recepteur.faux.length).toBeGreaterThan(0);
    expect(tout().dans(Buffer.from(JSON.stringify(recepteur.recus)), 'avis')).toEqual([]);
  }, 300_000);

  it('M7, R5: nowhere in the archives, in the backup, in the dump, in temporary files', async () => {
    expect((await tousLesFichiers(place.archives)).size).toBeGreaterThan(4);
    expect(cherche(await tousLesFichiers(place.archives), tout())).toEqual([]);
    expect(cherche(await tousLesFichiers(env['SAUVEGARDE_DIR']!), tout())).toEqual([]);
    expect(dump.includes('COPY "public"."piece_production"')).toBe(true);
    expect(tout().dans(dump, 'dump')).toEqual([]);
    expect(cherche(await tousLesFichiers(tmp), tout())).toEqual([]);
  }, 300_000);

  it('R2, R5: nowhere in the data folder of PostgreSQL, its WAL and its log, at any time', async () => {
    // What is squeezed is not found by whoever looks for it.
    expect(await surBase(colonnesComprimees)).toEqual([]);
    await surBase((pool) => pool.query('CHECKPOINT'));
    const files = await tousLesFichiers(postgres.dataDir);
    expect([...files.keys()].some((path) => path.startsWith('pg_wal/'))).toBe(true);
    expect(cherche(files, tout())).toEqual([]);
  }, 400_000);

  it('R22: no secret in arguments of any process, nor in the environment of what ours start', () => {
    expect([...vus].some((words) => words.includes('bin/atelier.mjs serve'))).toBe(true);
    const secrets = new Chercheur({ ...SECRETS, ...PERSONNES });
    // Names that an admin types are seen by whoever sees processes: `user disable NOM` is how it is done.
    const typed = (words: string): boolean => words.includes('user disable') || words.includes('user forget');
    expect(
      [...vus].filter((words) => !typed(words)).flatMap((words) => secrets.dans(Buffer.from(words), words)),
    ).toEqual([]);
  });

  it('M7: a reader is given nobody else’s name, no secret, and nothing of what masks hide', () => {
    const others = new Chercheur({
      ...OPERATEURS,
      ...SECRETS,
      ...ERP,
      admin: PERSONNES.admin,
      'adresse de l’admin': PERSONNES['adresse de l’admin'],
    });
    expect(reponses.length).toBeGreaterThan(80);
    expect(
      reponses.some(([url, bytes]) => url.startsWith('GET /rejets/') && bytes.includes('Bediener')),
    ).toBe(true);
    // The documentation shows an example of a password, which the tests use.
    const said = reponses.map(([url, bytes]): [string, Buffer] => [
      url,
      url === 'GET /openapi.json' ? Buffer.from(bytes.toString().replaceAll(MOT_DE_PASSE, '')) : bytes,
    ]);
    expect(said.flatMap(([url, bytes]) => others.dans(bytes, url))).toEqual([]);
  }, 300_000);

  it('R17: forgotten, purged and vacuumed: not even the account’s id is in a page; nothing in clear in the WAL', async () => {
    const { rows } = await place.pool.query<{ id: string }>(
      `SELECT id::text FROM "user" WHERE role <> 'admin' LIMIT 1`,
    );
    const id = rows[0]!.id;
    await run(['user', 'forget', PERSONNES.lecteur, '--oui']);
    await run(['purge', '--force']);
    await surBase((pool) => pool.query('VACUUM FULL'));
    await surBase((pool) => pool.query('CHECKPOINT'));
    const files = await tousLesFichiers(postgres.dataDir);
    const forms = [Buffer.from(id.replaceAll('-', ''), 'hex'), Buffer.from(id)];
    // The WAL keeps the id, which leads nowhere any more, and what was encrypted, until it is written over.
    const pages = [...files].filter(([path]) => path.startsWith('base/'));
    expect(
      pages.filter(([, page]) => forms.some((form) => page.includes(form))).map(([path]) => path),
    ).toEqual([]);
    expect(cherche(files, tout())).toEqual([]);
  }, 400_000);
});
