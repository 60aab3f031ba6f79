import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiDEssai, createApi } from './api.ts';
import { type Json, requestsOf } from './api-requests.ts';
import { createWorkshop } from './ingest.ts';
import { writeTree } from './tree.ts';

/** An API on a database with something of everything: a real import with quarantine, orders, and rows of each kind entered by hand. */
export interface ApiAvecDonnees {
  readonly api: ApiDEssai;
  /** ids of rows that the import made, and of the hand-entered session (with its centre) that has one detail of each kind */
  readonly ids: {
    readonly fichier: string;
    readonly rejet: string;
    readonly execution: string;
    /** an open one */
    readonly alerte: string;
    /** computed from logs */
    readonly sessionLog: string;
    readonly centre: string;
    readonly session: string;
  };
  close(): Promise<void>;
}

export async function createApiAvecDonnees(): Promise<ApiAvecDonnees> {
  const workshop = await createWorkshop();
  await writeTree(workshop.logs, 3, 120);
  await appendFile(
    join(workshop.logs, 'DEM12', '20250501.LOG'),
    '20250501 25:61:00|@StukUitgevoerd: A\r\nn’importe quoi\r\n',
  );
  await workshop.import();
  const api = await createApi({ url: workshop.url, env: { ARCHIVES_DIR: workshop.archives } });
  const { get, post } = requestsOf(api);
  const send = async (path: string, body: Json): Promise<number> => (await post(path, body)).id;
  const centre = await send('/centres/', { nom: '=MAIN "é\'; --', type_cu: 'PVC' });
  const session = await send('/sessions/', { centre_usinage_id: centre, date_production: '2030-05-28' });
  const [debut, fin] = ['2030-05-28T06:12:00+02:00', '2030-05-28T06:14:27+02:00'];
  const profil = await send('/job-profils/', {
    session_id: session,
    reference: '=1+1',
    longueur: 3359.5,
    timestamp_debut: debut,
  });
  await send('/periodes-attente/', { session_id: session, timestamp_debut: debut, timestamp_fin: fin });
  await send('/periodes-arret/', { session_id: session, timestamp_debut: debut, timestamp_fin: fin });
  await send('/pieces-production/', {
    session_id: session,
    timestamp_production: fin,
    job_profil_id: profil,
    details: 'Ž 🪟 <b>',
  });
  for (const [i, status] of ['Planifiée', 'Fabriquée', 'A % _ \' "'].entries()) {
    await send('/commandes-volets/', {
      numero_commande: `2500${i}`,
      extension: i === 0 ? '' : 'A',
      status,
      date_modification: '2025-05-28',
      coffres: ['CF180', `CF${i}`],
    });
  }
  await api.pool.query(
    `INSERT INTO alerte (regle, objet, gravite, message, debut, ouverte_le, derniere_vue, dernier_avis)
     SELECT 'machine_silencieuse', 'DEM12', 'attention', 'DEM12 ne donne plus signe.', now(), now(), now(), now()`,
  );
  const one = async (path: string): Promise<string> => {
    const [row] = await get<{ id: string | number }[]>(path);
    if (!row) throw new Error(`${path}: no row`);
    return String(row.id);
  };
  return {
    api,
    ids: {
      fichier: await one('/fichiers/'),
      rejet: await one('/rejets/'),
      execution: await one('/executions/'),
      alerte: await one('/alertes/'),
      sessionLog: await one('/sessions/?origine=log'),
      centre: String(centre),
      session: String(session),
    },
    async close() {
      await api.close();
      await workshop.close();
    },
  };
}
