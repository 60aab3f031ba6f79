import { type FactoryTime, parseDay } from '../../base/time.ts';
import { formatDecimalMicros } from '../../domain/session/decimal.ts';
import type { Client } from '../../postgres/pool.ts';
import {
  changerLigne,
  existeProfil,
  insererLigne,
  JOB_PROFILS_SAISIS,
  numeroSuivant,
  PERIODES_ARRET_SAISIES,
  PERIODES_ATTENTE_SAISIES,
  PIECES_SAISIES,
  type SessionDeDetails,
  sessionDeDetails,
  type TableDeDetails,
  trouverLigne,
  type Valeurs,
} from '../../postgres/production/saisie.ts';
import { champInvalide, type Saisie } from '../ecritures.ts';
import { introuvable, Probleme } from '../problemes.ts';
import type { Ressource } from '../ressource.ts';
import { RESSOURCE_JOB_PROFILS } from '../ressources/job-profils.ts';
import { RESSOURCE_PERIODES_ARRET, RESSOURCE_PERIODES_ATTENTE } from '../ressources/periodes.ts';
import { RESSOURCE_PIECES } from '../ressources/pieces.ts';
import { jobProfilModifie, jobProfilSaisi } from '../schemas/job-profils.ts';
import {
  periodeArretModifiee,
  periodeArretSaisie,
  periodeAttenteModifiee,
  periodeAttenteSaisie,
} from '../schemas/periodes.ts';
import { pieceProductionModifiee, pieceProductionSaisie } from '../schemas/pieces.ts';
import { micros } from './chiffres-session.ts';

interface Detail {
  readonly ressource: Ressource;
  readonly table: TableDeDetails;
  readonly saisie: Saisie['saisie'];
  readonly modification: Saisie['modification'];
  /** said of creations and changes */
  readonly note: string;
  /** said of deletions */
  readonly suppression: string;
  /** Values that are not sent, of a new row. */
  completer?(session: SessionDeDetails, corps: Valeurs, time: FactoryTime): Valeurs;
  /**
   * Checks a row and says what of it to write.
   *
   * @param row the whole row as it would be
   * @throws Probleme 422
   */
  preparer?(client: Client, row: Valeurs, corps: Valeurs): Promise<Valeurs>;
}

/** Rows that hang on a session: written one after the other under its lock, and only where it was entered by hand. */
function saisieDeDetail(detail: Detail): Saisie {
  const { ressource, table } = detail;
  const preparer = detail.preparer ?? (async (_client: Client, _row: Valeurs, corps: Valeurs) => corps);
  return {
    ...{ ressource, table, saisie: detail.saisie, modification: detail.modification },
    notes: {
      creer: `Seulement dans une session saisie à la main (409 sinon) ; les chiffres de la session restent ceux qui ont été saisis. ${detail.note}`,
      modifier: `Une ligne d’une session calculée des journaux ne se modifie pas (409), et une ligne ne change pas de session. ${detail.note}`,
      supprimer: `Une ligne d’une session calculée des journaux ne se supprime pas (409). ${detail.suppression}`,
    },
    async creer(client, sent, { time }) {
      const session = await sessionOuverte(client, sent['session_id'] as number);
      const corps = { ...sent, ...detail.completer?.(session, sent, time) };
      const numero = corps[table.numero] ?? (await numeroSuivant(client, table, session.id));
      return await insererLigne(client, table, {
        ...(await preparer(client, corps, corps)),
        [table.numero]: numero,
        centre_usinage_id: session.centre_usinage_id,
      });
    },
    async modifier(client, { id, valeurs }, corps) {
      const { session_id: session, ...rest } = corps;
      if (session !== undefined && session !== valeurs['session_id']) {
        throw champInvalide(
          'session_id',
          'Une ligne ne change pas de session : supprimez-la, et créez-la dans l’autre.',
        );
      }
      await changerLigne(client, table, id, await preparer(client, { ...valeurs, ...rest }, rest));
    },
    async derivee(client, valeurs) {
      const session = await sessionDeDetails(client, valeurs['session_id'] as number, { verrou: false });
      return session?.origine === 'log' ? calculee(session) : undefined;
    },
    async verrouiller(client, valeurs) {
      const session = await sessionDeDetails(client, valeurs['session_id'] as number, { verrou: true });
      // It went while we waited for it, and this row with it.
      if (!session) throw introuvable(ressource.libelle);
    },
    async doublon(db, { session_id, ...valeurs }) {
      const numero = valeurs[table.numero];
      const id =
        numero === undefined
          ? undefined
          : await trouverLigne(db, table, { session_id, [table.numero]: numero });
      const which = id === undefined ? '' : ` (/${ressource.nom}/${id})`;
      return `La session ${session_id} a déjà une ligne sous ce numéro${which}.`;
    },
  };
}

/** Locks the session that a row is to be added to. @throws Probleme 422 (none), 409 (computed from logs) */
async function sessionOuverte(client: Client, id: number): Promise<SessionDeDetails> {
  // Looked at first: whoever imports a log holds the lock of its session for as long as that takes.
  const seen = await sessionDeDetails(client, id, { verrou: false });
  if (seen?.origine === 'log') throw new Probleme(409, calculee(seen));
  const session = seen && (await sessionDeDetails(client, id, { verrou: true }));
  if (session) return session;
  throw champInvalide('session_id', 'Il n’y a pas de session sous cet identifiant.');
}

function calculee({ id }: SessionDeDetails): string {
  return `La session ${id} est calculée des fichiers LOG : ses lignes ne se changent pas à la main. Si le journal est faux, déposez le fichier corrigé : elles suivront. Pour d’autres lignes, créez une session saisie (POST /sessions/).`;
}

/** A period ends after it starts; its duration is what lies between. */
async function preparerPeriode(_client: Client, row: Valeurs, corps: Valeurs): Promise<Valeurs> {
  const duree = micros(row['timestamp_fin'] as string) - micros(row['timestamp_debut'] as string);
  if (duree < 0) throw champInvalide('timestamp_fin', 'Une période ne finit pas avant de commencer.');
  const said = corps['duree_secondes'];
  if (said !== undefined && Math.round(Number(said) * 1_000_000) !== duree) {
    throw champInvalide(
      'duree_secondes',
      `Du début à la fin il y a ${duree / 1_000_000} s ; laissez duree_secondes de côté, elle se calcule.`,
    );
  }
  return { ...corps, duree_secondes: formatDecimalMicros(duree) };
}

async function preparerPiece(client: Client, row: Valeurs, corps: Valeurs): Promise<Valeurs> {
  const profil = corps['job_profil_id'];
  if (typeof profil === 'number') {
    if (!(await existeProfil(client, profil, row['session_id'] as number))) {
      throw champInvalide('job_profil_id', 'Il n’y a pas de profilé sous cet identifiant dans la session.');
    }
  }
  return corps;
}

export const SAISIE_JOB_PROFILS = saisieDeDetail({
  ressource: RESSOURCE_JOB_PROFILS,
  table: JOB_PROFILS_SAISIS,
  saisie: jobProfilSaisi,
  modification: jobProfilModifie,
  note: 'Sans `timestamp_debut`, la barre est chargée au début de la session.',
  completer: (session, corps, time) => ({
    timestamp_debut:
      corps['timestamp_debut'] ??
      session.debut ??
      time.format(time.startOf(parseDay(session.date_production))),
  }),
  suppression: 'Ses pièces restent, sans profilé.',
});

const DUREE = '`duree_secondes` se calcule ; donnée, elle doit être la fin moins le début.';
export const SAISIE_PERIODES_ATTENTE = saisieDeDetail({
  ressource: RESSOURCE_PERIODES_ATTENTE,
  table: PERIODES_ATTENTE_SAISIES,
  saisie: periodeAttenteSaisie,
  modification: periodeAttenteModifiee,
  note: DUREE,
  suppression: '',
  preparer: preparerPeriode,
});
export const SAISIE_PERIODES_ARRET = saisieDeDetail({
  ressource: RESSOURCE_PERIODES_ARRET,
  table: PERIODES_ARRET_SAISIES,
  saisie: periodeArretSaisie,
  modification: periodeArretModifiee,
  note: DUREE,
  suppression: '',
  preparer: preparerPeriode,
});

export const SAISIE_PIECES = saisieDeDetail({
  ressource: RESSOURCE_PIECES,
  table: PIECES_SAISIES,
  saisie: pieceProductionSaisie,
  modification: pieceProductionModifiee,
  note: '`numero_piece` est unique dans la session (409) ; sans lui, la pièce prend le suivant. `job_profil_id` est un profilé de la même session.',
  suppression: 'Les autres gardent leur numéro.',
  preparer: preparerPiece,
});
