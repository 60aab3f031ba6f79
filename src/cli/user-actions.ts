import { hacher } from '../api/auth/mot-de-passe.ts';
import { refusAdresse, refusMotDePasse, refusNom } from '../api/auth/politique.ts';
import { Amorcage } from '../archives/amorcage.ts';
import { Effacements } from '../archives/effacements.ts';
import type { Coffre } from '../base/chiffrement.ts';
import { CleDeCompte } from '../base/cle-de-compte.ts';
import { exigerCles } from '../base/config/api.ts';
import { isGiven } from '../base/config/secrets.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { ROLES, type Role } from '../base/roles.ts';
import { FactoryTime } from '../base/time.ts';
import { oublierLesCles } from '../jobs/sauvegarde/cles-comptes.ts';
import { noter } from '../postgres/audit.ts';
import { verrouillerComptes } from '../postgres/comptes/coffre.ts';
import { oublierCompte } from '../postgres/comptes/oubli.ts';
import { clesDuCompte } from '../postgres/comptes/reseaux-connus.ts';
import { oublierTentatives } from '../postgres/comptes/tentatives.ts';
import {
  type ChangementsCompte,
  type Compte,
  creerCompte,
  existeUnCompte,
  lireCompte,
  listerComptes,
  modifierCompte,
  ouvrirCoffre,
  poivreDe,
  rechiffrer,
  trouverParNom,
} from '../postgres/comptes/users.ts';
import { type Pool, transaction, withClient } from '../postgres/pool.ts';
import { type Cli, UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { formatOf, printRows, type TableColumn } from './table.ts';
import { printable } from './text.ts';
import { confirmer, lireMotDePasse } from './user-saisie.ts';

/** What was asked for, read from the arguments. */
export interface Demande {
  readonly nom: string;
  readonly role: string | undefined;
  readonly email: string | undefined;
  /** whether the password comes on standard input */
  readonly stdin: boolean;
  readonly json: boolean | undefined;
  readonly csv: boolean | undefined;
  /** whether nothing is to be asked before something that cannot be undone */
  readonly oui?: boolean | undefined;
}

type Action = (cli: Cli, demande: Demande) => Promise<number>;

/** Every action of `atelier user`; each leaves a line in the audit log. */
export const ACTIONS = {
  add,
  list,
  disable: (cli, demande) => change(cli, demande, { actif: false }, 'compte_desactive', 'désactivé'),
  enable: (cli, demande) => change(cli, demande, { actif: true }, 'compte_reactive', 'réactivé'),
  role: (cli, demande) => changeRole(cli, demande),
  password,
  forget,
  rotation,
} as const satisfies Record<string, Action>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** No account acts: it is whoever may run commands on the server. */
const BY_COMMAND = { origine: 'commande' } as const;

async function open(cli: Cli): Promise<{ pool: Pool; coffre: Coffre }> {
  const { api, processus } = cli.config;
  if (!isGiven('SECRET_KEY', processus)) {
    throw new UsageError(
      `les clés des comptes ne sont pas données à ce processus (${processus}), exprès ; lancez la commande là où l’API tourne : docker compose exec api atelier user …`,
    );
  }
  // First: without keys there is no need to reach the database.
  const cles = exigerCles(api);
  const pool = await openPool(cli);
  return { pool, coffre: await ouvrirCoffre(pool, cles) };
}

async function add(cli: Cli, { nom, email, role, stdin }: Demande): Promise<number> {
  if (email === undefined) throw new UsageError('add : il manque --email');
  const wanted = role === undefined ? undefined : readRole(role);
  const refused = refusNom(nom) ?? refusAdresse(email);
  if (refused) throw new AtelierError('ATL_A502', refused);
  const { pool, coffre } = await open(cli);
  // Before somebody types a password twice for nothing; the real check is made on writing.
  if (await trouverParNom(pool, coffre, nom))
    throw new AtelierError('ATL_A502', 'Ce nom est déjà celui d’un compte.');
  const given = wanted ?? ((await existeUnCompte(pool)) ? 'lecteur' : 'admin');
  const refus = (mdp: string): string[] => refusMotDePasse(mdp, { username: nom, email });
  const cle = CleDeCompte.tirer();
  const motDePasseHache = await hacher(await lireMotDePasse(cli, { stdin, refus }), cle.poivre());
  const compte = await withClient(pool, (client) =>
    transaction(client, async () => {
      const asked = { username: nom, email, motDePasseHache, role: given, cle };
      const made = await creerCompte(client, coffre, asked);
      const details = { role: given, ...BY_COMMAND };
      await noter(client, { evenement: 'compte_cree', cible: `users/${made.id}`, details });
      return made;
    }),
  );
  cli.out(`Compte « ${printable(compte.username)} » créé, rôle ${compte.role}.`);
  const marque = new Amorcage(cli.config.archivesDir);
  await marque.noter().catch((error: unknown) => {
    cli.err(`Pas noté dans ${marque.path} qu’il y a un compte : ${messageOf(error)}`);
  });
  return 0;
}

async function list(cli: Cli, demande: Demande): Promise<number> {
  const format = formatOf(demande);
  const { pool, coffre } = await open(cli);
  const { comptes } = await listerComptes(pool, coffre, { skip: 0, limit: 1_000_000 });
  await noter(pool, { evenement: 'comptes_listes', details: { nombre: comptes.length, ...BY_COMMAND } });
  printRows(cli, format, columns(new FactoryTime(cli.config.fuseau)), comptes);
  for (const { id } of comptes.filter((compte) => compte.abime)) cli.err(abime(id));
  if (comptes.length === 0) cli.err('Aucun compte : `npx atelier user add NOM --email ADRESSE`.');
  return 0;
}

async function change(
  cli: Cli,
  { nom }: Demande,
  changes: ChangementsCompte,
  evenement: string,
  done: string,
): Promise<number> {
  const { pool, coffre } = await open(cli);
  const { before, after } = await apply(pool, coffre, nom, changes, (b, a) =>
    b.version === a.version ? undefined : { evenement },
  );
  const name = printable(after.username);
  cli.out(
    before.version === after.version
      ? `Compte « ${name} » : c’était déjà le cas.`
      : `Compte « ${name} » ${done}.`,
  );
  return 0;
}

async function changeRole(cli: Cli, { nom, role = '' }: Demande): Promise<number> {
  const wanted = readRole(role);
  const { pool, coffre } = await open(cli);
  const { before, after } = await apply(pool, coffre, nom, { role: wanted }, (b, a) =>
    b.role === a.role ? undefined : { evenement: 'role_change', details: { avant: b.role, apres: a.role } },
  );
  const name = printable(after.username);
  cli.out(
    before.role === after.role
      ? `Compte « ${name} » : il a déjà le rôle ${after.role}.`
      : `Compte « ${name} » : rôle ${after.role} (avant : ${before.role}).`,
  );
  return 0;
}

async function password(cli: Cli, { nom, stdin }: Demande): Promise<number> {
  const { pool, coffre } = await open(cli);
  const compte = (await trouverParNom(pool, coffre, nom)) ?? unknown(nom);
  const refus = (mdp: string): string[] => refusMotDePasse(mdp, compte);
  const poivre = (await poivreDe(pool, coffre, compte.id)) ?? unknown(nom);
  const motDePasseHache = await hacher(await lireMotDePasse(cli, { stdin, refus }), poivre);
  await apply(pool, coffre, nom, { motDePasseHache }, () => ({ evenement: 'mot_de_passe_change' }));
  await oublierTentatives(pool, ...(await clesDuCompte(pool, coffre, compte)));
  cli.out(
    `Compte « ${printable(compte.username)} » : mot de passe changé, ses sessions sont fermées, plus aucun délai ne le retient.`,
  );
  return 0;
}

async function forget(cli: Cli, { nom, oui }: Demande): Promise<number> {
  const { pool, coffre } = await open(cli);
  const compte = UUID.test(nom)
    ? await lireCompte(pool, coffre, nom.toLowerCase())
    : ((await trouverParNom(pool, coffre, nom)) ?? unknown(nom));
  // Of an account that was deleted the id may still stand in the audit log.
  const id = compte?.id ?? nom.toLowerCase();
  const name = printable(compte && !compte.abime ? compte.username : id);
  if (!oui) await confirmer(`Oublier « ${name} » pour toujours ? Tapez ${name} : `, name);
  const counted = compte ? await clesDuCompte(pool, coffre, compte) : [];
  const effacements = new Effacements(cli.config.archivesDir);
  const tombe = await withClient(pool, (client) =>
    transaction(client, () =>
      oublierCompte(client, id, {
        motif: 'demande',
        avant: () => effacements.ajouter({ genre: 'compte', id }),
      }),
    ),
  );
  if (tombe === undefined) return unknown(nom);
  await oublierTentatives(pool, ...counted);
  cli.out(`« ${name} » est oublié : compte, clés et connexions supprimés, journal d’audit détaché de lui.`);
  const reste = await oublierLesCles({ config: cli.config, logger: silentLogger(), pool }, [id]);
  for (const phrase of reste) cli.err(printable(phrase));
  return 0;
}

async function rotation(cli: Cli): Promise<number> {
  const { pool, coffre } = await open(cli);
  const cle = coffre.cleId;
  await noter(pool, { evenement: 'rotation_commencee', details: { cle, ...BY_COMMAND } });
  const { nombre, abimes } = await rechiffrer(pool, coffre, { signal: cli.shutdown.signal });
  const details = { cle, nombre, ...(abimes.length > 0 ? { abimes: abimes.length } : {}), ...BY_COMMAND };
  await noter(pool, { evenement: 'rotation_finie', details });
  cli.out(
    nombre === 0
      ? `Tous les comptes sont déjà chiffrés avec la clé ${cle}.`
      : `${nombre} compte(s) rechiffré(s) avec la clé ${cle}.`,
  );
  for (const id of abimes) cli.err(abime(id));
  if (abimes.length > 0) return 1;
  if (coffre.cleIds.length > 1) cli.out('CLE_CHIFFREMENT_PRECEDENTE peut être retirée de la configuration.');
  return 0;
}

/** What to do about an account whose row is damaged. */
function abime(id: string): string {
  return `✖ compte ${id} : sa ligne est abîmée dans la base. Supprimez-le (\`npx atelier user forget ${id}\`), puis refaites-le ; les autres n’en souffrent pas.`;
}

/** What an audit line says beyond the account. */
interface Trace {
  readonly evenement: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Changes the account of that name, and notes it in the same transaction. */
async function apply(
  pool: Pool,
  coffre: Coffre,
  nom: string,
  changes: ChangementsCompte,
  trace: (before: Compte, after: Compte) => Trace | undefined,
): Promise<{ before: Compte; after: Compte }> {
  return await withClient(pool, (client) =>
    transaction(client, async () => {
      await verrouillerComptes(client);
      const before = (await trouverParNom(client, coffre, nom)) ?? unknown(nom);
      const after = await modifierCompte(client, coffre, before.id, changes);
      // Without a version asked for, the only other answer is that somebody deleted it just now.
      if (after === undefined || after === 'version') return unknown(nom);
      const line = trace(before, after);
      const details = { ...line?.details, ...BY_COMMAND };
      if (line) await noter(client, { evenement: line.evenement, cible: `users/${after.id}`, details });
      return { before, after };
    }),
  );
}

function unknown(nom: string): never {
  throw new AtelierError('ATL_A501', `Aucun compte ne s’appelle « ${printable(nom)} ».`);
}

function readRole(text: string): Role {
  const role = ROLES.find((name) => name === text);
  if (role) return role;
  throw new UsageError(`rôle inconnu « ${printable(text)} », attendu l’un de ${ROLES.join(', ')}`);
}

function columns(time: FactoryTime): TableColumn<Compte>[] {
  const local = (instant: string): string => time.format(Math.floor(Date.parse(instant) / 1000));
  return [
    { key: 'id', title: 'Id', value: (c) => c.id, dataOnly: true },
    { key: 'username', title: 'Nom', value: (c) => c.username },
    { key: 'email', title: 'Adresse', value: (c) => c.email },
    { key: 'role', title: 'Rôle', value: (c) => c.role },
    { key: 'actif', title: 'Actif', value: (c) => c.actif, text: (c) => (c.actif ? 'oui' : 'non') },
    { key: 'date_creation', title: 'Créé le', value: (c) => local(c.date_creation), wide: true },
    {
      key: 'derniere_connexion',
      title: 'Dernière connexion',
      value: (c) => (c.derniere_connexion === null ? null : local(c.derniere_connexion)),
      text: (c) => (c.derniere_connexion === null ? 'jamais' : local(c.derniere_connexion)),
    },
  ];
}
