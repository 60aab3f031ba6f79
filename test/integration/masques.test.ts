// M7: names that stand in lines of logs are in no table and in no answer once MASQUES says what they look like; figures
// are the same with and without.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { type AtelierDEssai, createAtelier } from '../harness/api-workshop.ts';
import { archivedText, everything, purgeAt } from '../harness/purge.ts';

/** As machines of several makers write them, where the reader keeps text. */
const NOMS = ['Jansen', 'Müller', 'Élodie', 'Peeters', 'Zoë'];
const REGLES = [
  'operateur=(?i)bediener:? *([[:alpha:]]+ [[:alpha:]]+)',
  'operateur=StukUitgevoerd: [0-9]+ op ([[:alpha:]]+)',
  'operateur=C:[^ ]+ \\(([^)]+)\\)',
].join(';');
/** The same rules, and one that hides less. */
const AUTRES = `badge=op Zoë`;
const JOURNAL = [
  '20250528 06:00:00|@MachineStart',
  '20250528 06:00:01|@JobProfiel: R:215023 L:3359 C:7016 (Élodie)',
  '20250528 06:01:00|@StukUitgevoerd: 12 op Jansen',
  '20250528 06:01:00|@StukUitgevoerd: 12 op Peeters',
  '20250528 06:02:00|@Bediener Jan Jansen',
  '20250528 06:02:01|@Bediener Piet Peeters',
  '20250528 06:02:02|@Bediener: Piet Peeters',
  '20250528 06:03:00|@MachineWait: Bediener Heinz Müller, te lang',
  '20250528 06:04:00|@MachineWait: 12,5 sec',
  'Bediener: Zoë Peeters zonder lijn',
  '20250528 06:05:00|@StukUitgevoerd: 13 op Zoë',
  '20250528 06:06:00|@MachineStop: Bediener Piet Peeters',
  '20250528 06:16:00|@MachineStart: Bediener Piet Peeters',
  '20250528 06:20:00|@StukUitgevoerd: 14',
  '',
].join('\r\n');
const FICHIERS: Readonly<Record<string, Buffer>> = {
  'DEM12/utf8.LOG': Buffer.from(JOURNAL),
  'SU12/utf16.LOG': Buffer.from(`\ufeff${JOURNAL}`, 'utf16le'),
  'DEMALU/cp1252.LOG': Buffer.from(JOURNAL, 'latin1'),
};

let atelier: AtelierDEssai;
beforeAll(async () => {
  atelier = await createAtelier();
});
afterAll(() => atelier?.close());

async function deposer(): Promise<void> {
  for (const [chemin, bytes] of Object.entries(FICHIERS)) {
    const path = join(atelier.workshop.logs, chemin);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}
/** The same workshop with other rules, as after a restart. */
async function importer(MASQUES: string): Promise<void> {
  const { workshop } = atelier;
  const { masques } = loadConfig({ MASQUES });
  Object.assign(workshop.context.config, { masques });
  Object.assign(atelier.api.deps.config, { masques });
  await workshop.import();
}
const trouves = (text: string): string[] => NOMS.filter((nom) => text.includes(nom));

/** All that is counted or measured: every column but those that hold text of lines. */
async function chiffres(): Promise<unknown> {
  const of = async (sql: string): Promise<unknown> => (await atelier.workshop.reader.query(sql)).rows;
  return {
    sessions: await of(
      `SELECT to_jsonb(s) - ARRAY['id', 'date_creation'] AS r FROM session_production s ORDER BY centre_usinage_id, date_production`,
    ),
    attentes: await of(
      'SELECT centre_usinage_id, numero, timestamp_debut, duree_secondes, ligne FROM periode_attente ORDER BY 1, 2',
    ),
    arrets: await of(
      'SELECT centre_usinage_id, numero, timestamp_debut, duree_secondes, ligne, ligne_fin FROM periode_arret ORDER BY 1, 2',
    ),
    pieces: await of(
      'SELECT centre_usinage_id, ligne, timestamp_production FROM piece_production ORDER BY 1, 2',
    ),
    profils: await of('SELECT centre_usinage_id, numero, longueur, ligne FROM job_profil ORDER BY 1, 2'),
    rejets: await of('SELECT version_id, ligne, octet, longueur, raison FROM ligne_rejetee ORDER BY 1, 2'),
    autres: await of(
      'SELECT centre_usinage_id, sum(nombre) AS nombre FROM type_evenement GROUP BY 1 ORDER BY 1',
    ),
    versions: await of(
      'SELECT id, lignes, lignes_evenements, lignes_autres, lignes_rejetees, octets_rejetes FROM fichier_log_version ORDER BY id',
    ),
  };
}

beforeEach(async () => {
  await atelier.workshop.reset();
  await deposer();
});

describe('M7, R2: what is stored', () => {
  it('no name in any table, whatever the encoding; the archive keeps the bytes; figures are the same', async () => {
    await importer('');
    // What this test looks for is there to be found.
    expect(trouves(await everything(atelier.workshop))).toEqual(NOMS);
    const before = await chiffres();

    await importer(REGLES);
    expect(trouves(await everything(atelier.workshop))).toEqual([]);
    expect(await chiffres()).toEqual(before);
    expect(await archivedText(atelier.workshop)).toContain('Jansen');
    await atelier.workshop.checkInvariants();

    const { rows } = await atelier.workshop.reader.query(
      `SELECT array_agg(DISTINCT texte) AS textes, (SELECT array_agg(DISTINCT details) FROM piece_production) AS details,
              (SELECT array_agg(DISTINCT couleur) FROM job_profil) AS couleurs,
              (SELECT json_object_agg(nom, nombre) FROM type_evenement WHERE centre_usinage_id = (SELECT min(id) FROM centre_usinage)) AS autres
         FROM ligne_rejetee`,
    );
    expect(rows[0].textes.sort()).toEqual([
      '20250528 06:03:00|@MachineWait: Bediener [operateur], te lang',
      'Bediener: [operateur] zonder lijn',
    ]);
    expect(rows[0].details.sort()).toEqual(['12 op [operateur]', '13 op [operateur]', '14']);
    expect(rows[0].couleurs).toEqual(['7016 ([operateur])']);
    expect(rows[0].autres).toEqual({ Bediener: 1, 'Bediener [operateur]': 2 });
  });

  it('a fresh import stores the same as one whose rules came later; rules that go give the text back', async () => {
    await importer(REGLES);
    const fresh = await everything(atelier.workshop);
    await atelier.workshop.reset();
    await deposer();
    await importer('');
    const plain = (await textes()).join('\n');
    await importer(AUTRES);
    expect(trouves(await everything(atelier.workshop))).toContain('Jansen');
    await importer(REGLES);
    const sorted = (text: string): string[] =>
      (text.match(/"(?:texte|details|couleur|nom)": "[^"]*"/g) ?? []).sort();
    expect(sorted(await everything(atelier.workshop))).toEqual(sorted(fresh));
    await importer('');
    expect((await textes()).join('\n')).toBe(plain);
  });

  async function textes(): Promise<string[]> {
    return (await everything(atelier.workshop))
      .split('\n')
      .flatMap((line) => line.match(/"(?:texte|details|couleur|reference)": "[^"]*"/g) ?? [])
      .sort();
  }

  it('a second import with the same rules changes nothing', async () => {
    await importer(REGLES);
    const before = await everything(atelier.workshop);
    const compteurs = await atelier.workshop.import();
    expect(compteurs.sessionsModifiees).toBe(0);
    const without = (text: string): string => text.replaceAll(/^(?:execution|fichier_log) .*\n/gm, '');
    expect(without(await everything(atelier.workshop))).toBe(without(before));
  });

  it('rules that come once the bytes are purged, and days frozen: stored text is rewritten all the same', async () => {
    await importer('');
    const before = await chiffres();
    await purgeAt(atelier.workshop, '2026-07-15T12:00:00+02:00', {
      CONSERVATION_ARCHIVES: '1 mois',
      CONSERVATION_QUARANTAINE: '60 mois',
      CONSERVATION_DETAILS: '60 mois',
    });
    expect(await archivedText(atelier.workshop)).toBe('');
    expect(trouves(await everything(atelier.workshop))).toEqual(NOMS);
    await importer(REGLES);
    expect(trouves(await everything(atelier.workshop))).toEqual([]);
    expect(await chiffres()).toEqual(before);
    const same = await everything(atelier.workshop);
    await importer(REGLES);
    expect(trouves(await everything(atelier.workshop))).toEqual([]);
    expect((await everything(atelier.workshop)).length).toBeGreaterThanOrEqual(same.length);
  });

  it('a centre whose folder is gone is masked, too', async () => {
    await importer('');
    await rm(join(atelier.workshop.logs, 'SU12'), { recursive: true });
    await importer(REGLES);
    expect(trouves(await everything(atelier.workshop))).toEqual([]);
  });

  it('what a person entered by hand stays as it was entered', async () => {
    await importer('');
    await atelier.workshop.reader.query(
      `INSERT INTO session_production (centre_usinage_id, date_production, origine) SELECT min(id), '2025-06-01', 'manuel' FROM centre_usinage`,
    );
    await atelier.workshop.reader.query(
      `INSERT INTO job_profil (centre_usinage_id, session_id, numero, reference, longueur, couleur, timestamp_debut)
       SELECT centre_usinage_id, id, 1, 'R', 1, 'C:7016 (Saisie)', '2025-06-01' FROM session_production WHERE origine = 'manuel'`,
    );
    await importer(REGLES);
    expect(await everything(atelier.workshop)).toContain('C:7016 (Saisie)');
  });
});

describe('M7: what is shown', () => {
  it('no name in any answer; the bytes are for an admin alone', async () => {
    await importer(REGLES);
    const lists = [
      'rejets',
      'pieces-production',
      'job-profils',
      'periodes-attente',
      'periodes-arret',
      'fichiers',
    ];
    let all = '';
    for (const nom of lists) {
      for (const suffix of ['', '?format=csv']) all += (await atelier.get(`/${nom}/${suffix}`)).body;
      const rows = (await atelier.get(`/${nom}/`)).json<{ id: number }[]>();
      if (!['rejets', 'fichiers'].includes(nom))
        for (const { id } of rows) all += (await atelier.get(`/${nom}/${id}/origine`)).body;
    }
    const [{ id }] = (await atelier.get('/sessions/')).json();
    for (const url of [
      `/sessions/${id}/explication`,
      `/sessions/${id}?inclure=job_profils,periodes_attente,periodes_arret,pieces_production`,
      '/rejets/par-raison',
    ])
      all += (await atelier.get(url)).body;
    expect(all).toContain('12 op [operateur]');
    expect(all).toContain('20250528 06:06:00|@MachineStop: Bediener [operateur]');
    expect(trouves(all)).toEqual([]);

    const [fichier] = (await atelier.get('/fichiers/')).json<{ id: number }[]>();
    const url = `/fichiers/${fichier!.id}/octets`;
    expect((await atelier.get(url)).statusCode).toBe(200);
    for (const role of ['lecteur', 'gestionnaire'] as const) {
      const answer = await atelier.api.app.inject({ url, headers: atelier.api.comptes[role].entete });
      expect(answer.statusCode).toBe(403);
      expect(trouves(answer.body)).toEqual([]);
    }
  });

  it('an answer is masked from the moment the rules are there, before anything was read again', async () => {
    await importer('');
    Object.assign(atelier.api.deps.config, {
      masques: loadConfig({ MASQUES: REGLES }).masques,
    });
    const [piece] = (await atelier.get('/pieces-production/')).json<{ id: number }[]>();
    const answer = await atelier.get(`/pieces-production/${piece!.id}/origine`);
    expect(trouves(answer.body)).toEqual([]);
    expect(answer.json().lignes[0].texte).toMatch(/ op \[operateur\]$|: 14$/);
  });
});
