import type { ErpConfig } from '../../base/config/erp.ts';
import { AtelierError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { type Controle, controlerSource, exigerConforme } from './controle.ts';
import { ouvrirInstantane } from './reglages.ts';
import { type Requete, requetes } from './requetes.ts';
import { ErpSession, type SessionOptions, type Valeur } from './session.ts';

/** Who takes the rows, in this order: all headers, all accessories, all notes, all operations. */
export interface Recepteur {
  /** `cle` is the same text exactly for keys that the ERP takes for equal; `id` only names the order */
  entete(cle: string, id: string, auNummer: Valeur, auAlpha: Valeur, aufStatus: Valeur): void;
  /** `cleKopf` is null when it refers to nothing */
  accessoire(cleKopf: Valeur, zCode: Valeur): void;
  /** `datum` is the factory's wall clock */
  note(cleKopf: Valeur, datum: Valeur, notiz: Valeur): void;
  operation(cleKopf: Valeur, nummer: Valeur): void;
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
    const { source } = controle;
    const start = performance.now();
    await ouvrirInstantane(session);
    const total = await session.lire(
      'comptage des commandes',
      `SELECT COUNT(${source.colonnes.get('A_Kopf.ID')}) FROM ${source.tables.get('A_Kopf')}`,
    );
    const dater = controle.datesInstants ? dateur(config.fuseau) : undefined;
    const lignes = { entetes: 0, accessoires: 0, notes: 0, operations: 0 };
    for (const requete of requetes(source)) {
      lignes[requete.nom] = await lireTable(session, requete, recepteur, dater);
    }
    await session.lire('fin de transaction', 'COMMIT');
    const transactionMs = performance.now() - start;
    await session.fermer();
    return { controle, entetesErp: Number(total[0]?.[0] ?? 0), lignes, transactionMs };
  } finally {
    session.detruire();
  }
}

async function lireTable(
  session: ErpSession,
  requete: Requete,
  to: Recepteur,
  dater: Dateur | undefined,
): Promise<number> {
  const nom = LIBELLES[requete.nom];
  const received = await session.parcourir(nom, requete.sql, receveurDe(requete.nom, to, dater));
  for (const [, number, message] of await session.lire(nom, 'SHOW WARNINGS')) {
    // A text that the server could not convert or judge came changed, or not at all.
    if (SANS_SUITE.has(number ?? '')) continue;
    throw new AtelierError('ATL_E406', `${session.cible}, ${nom} : avertissement ${number} : ${message}`);
  }
  // Counted apart, in the same snapshot: a result cut short, by whatever limit, must never pass for whole.
  const expected = Number((await session.lire(`${nom}, comptage`, requete.compte))[0]?.[0]);
  if (received !== expected) {
    throw new AtelierError(
      'ATL_E406',
      `${session.cible}, ${nom} : ${received} lignes reçues, ${expected} comptées par le serveur`,
    );
  }
  return received;
}

/** Warnings that change no row: words that will go one day, and numbers compared with texts that are none. */
const SANS_SUITE = new Set(['1287', '1292', '1681', '3719', '3778']);

type Dateur = (datum: Valeur) => Valeur;

/** From an instant (`YYYY-MM-DD HH:MM:SS`, UTC) to the date in the factory's zone. */
function dateur(fuseau: string): Dateur {
  const known = new Map<string, string>();
  return (datum) => {
    // Midnight of a zone is at a whole minute of UTC.
    const minute = datum?.slice(0, 16) ?? '';
    if (datum === null || !/^[1-9]/.test(minute)) return datum;
    let day = known.get(minute);
    if (day === undefined) {
      if (known.size >= 10_000) known.clear();
      const instant = Temporal.Instant.from(`${minute.replace(' ', 'T')}Z`);
      day = instant.toZonedDateTimeISO(fuseau).toPlainDate().toString();
      known.set(minute, day);
    }
    return day;
  };
}

function receveurDe(nom: Requete['nom'], to: Recepteur, dater: Dateur | undefined): (row: Valeur[]) => void {
  switch (nom) {
    case 'entetes':
      return (row) => to.entete(row[0] ?? '', row[1] ?? '', row[2] ?? null, row[3] ?? null, row[4] ?? null);
    case 'accessoires':
      return (row) => to.accessoire(row[0] ?? null, row[1] ?? null);
    case 'notes':
      return dater
        ? (row) => to.note(row[0] ?? null, dater(row[1] ?? null), row[2] ?? null)
        : (row) => to.note(row[0] ?? null, row[1] ?? null, row[2] ?? null);
    case 'operations':
      return (row) => to.operation(row[0] ?? null, row[1] ?? null);
  }
}
