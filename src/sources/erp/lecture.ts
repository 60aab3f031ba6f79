import type { ErpConfig } from '../../base/config/erp.ts';
import { AtelierError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { type Controle, controlerSource, exigerConforme } from './controle.ts';
import { type Requete, requetes } from './requetes.ts';
import { ErpSession, type SessionOptions, type Valeur } from './session.ts';

/** Who takes the rows, in this order: all headers, all accessories, all notes, all operations. */
export interface Recepteur {
  entete(id: string, auNummer: Valeur, auAlpha: Valeur, aufStatus: Valeur): void;
  accessoire(idKopf: string, zCode: Valeur): void;
  note(idKopf: string, datum: Valeur, notiz: Valeur): void;
  operation(idKopf: string, nummer: Valeur): void;
}

/** What the read was: for the log and for the guards. */
export interface Lecture {
  readonly controle: Controle;
  /** headers in the ERP, selected or not, counted in the same snapshot */
  readonly entetesErp: number;
  /** rows received, by read */
  readonly lignes: Readonly<Record<Requete['nom'], number>>;
  /** milliseconds that the transaction was open on the ERP */
  readonly transactionMs: number;
}

export interface LectureOptions extends SessionOptions {
  readonly log: Logger;
}

const LIBELLES: Readonly<Record<Requete['nom'], string>> = {
  entetes: 'lecture des commandes (A_Kopf)',
  accessoires: 'lecture des accessoires (P_Zubeh)',
  notes: 'lecture du journal de bord (A_Logbuch)',
  operations: 'lecture des opérations (A_Vorgang)',
};

/**
 * Reads the ERP once, in one read-only snapshot, after checking it. Rows go to `recepteur` as they arrive; when
 * this throws, what it received is incomplete and must be thrown away.
 *
 * @throws AtelierError ATL_E401 to ATL_E408
 */
export async function lireErp(
  config: ErpConfig,
  recepteur: Recepteur,
  options: LectureOptions,
): Promise<Lecture> {
  const session = await ErpSession.ouvrir(config, options);
  try {
    const controle = await controlerSource(session);
    for (const ligne of controle.avertissements) options.log.warn({ source: session.cible }, ligne);
    for (const sql of controle.indexManquants)
      options.log.warn({ source: session.cible }, `à créer : ${sql}`);
    exigerConforme(controle, session.cible);
    await reglerSession(session, config, controle.mariadb);
    const start = performance.now();
    await session.lire('début de transaction', 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    const total = await session.lire('comptage des commandes', 'SELECT COUNT(ID) FROM A_Kopf');
    const lignes = { entetes: 0, accessoires: 0, notes: 0, operations: 0 };
    for (const requete of requetes(controle.expressions)) {
      lignes[requete.nom] = await lireTable(session, requete, recepteur);
    }
    await session.lire('fin de transaction', 'COMMIT');
    const transactionMs = performance.now() - start;
    await session.fermer();
    return { controle, entetesErp: Number(total[0]?.[0] ?? 0), lignes, transactionMs };
  } finally {
    session.detruire();
  }
}

async function lireTable(session: ErpSession, requete: Requete, to: Recepteur): Promise<number> {
  const nom = LIBELLES[requete.nom];
  const received = await session.parcourir(nom, requete.sql, receveurDe(requete.nom, to));
  // The server's own count of what it sent, in the same session: a result cut short must never pass for whole.
  const announced = Number((await session.lire(nom, 'SELECT FOUND_ROWS()'))[0]?.[0]);
  if (received !== announced) {
    throw new AtelierError(
      'ATL_E406',
      `${session.cible}, ${nom} : ${received} lignes reçues, ${announced} annoncées par le serveur`,
    );
  }
  return received;
}

function receveurDe(nom: Requete['nom'], to: Recepteur): (row: Valeur[]) => void {
  switch (nom) {
    case 'entetes':
      return (row) => to.entete(row[0] ?? '', row[1] ?? null, row[2] ?? null, row[3] ?? null);
    case 'accessoires':
      return (row) => to.accessoire(row[0] ?? '', row[1] ?? null);
    case 'notes':
      return (row) => to.note(row[0] ?? '', row[1] ?? null, row[2] ?? null);
    case 'operations':
      return (row) => to.operation(row[0] ?? '', row[1] ?? null);
  }
}

/** Known settings, whatever the server's defaults; the server gives up by itself if we vanish. */
async function reglerSession(session: ErpSession, config: ErpConfig, mariadb: boolean): Promise<void> {
  const s = Math.ceil(config.delaiMax);
  const statement = mariadb ? `max_statement_time = ${s}` : `max_execution_time = ${s * 1000}`;
  await session.lire(
    'réglage de la session',
    `SET SESSION sql_mode = '', ${statement}, wait_timeout = ${s}, net_write_timeout = ${s}, lock_wait_timeout = ${Math.min(s, 10)}`,
  );
  const charsets = await session.lire(
    'contrôle du jeu de caractères',
    'SELECT @@character_set_client, @@character_set_connection, @@character_set_results',
  );
  // Options that a driver or a proxy silently ignores once stored wrong accents for years.
  if (charsets[0]?.some((name) => name !== 'utf8mb4')) {
    throw new AtelierError(
      'ATL_E408',
      `${session.cible} : connexion en ${charsets[0].join(', ')} au lieu de utf8mb4`,
    );
  }
}
