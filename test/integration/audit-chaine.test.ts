// The audit log as a chain (M6, R21): what was changed behind atelier's back is seen; purging and forgetting keep it whole.

import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noter } from '../../src/postgres/audit.ts';
import { teteAudit, type VerificationAudit, verifierAudit } from '../../src/postgres/audit-chain.ts';
import { oublierCompte } from '../../src/postgres/comptes/oubli.ts';
import { supprimerAnciens } from '../../src/postgres/conservation/tables.ts';
import { transaction, withClient } from '../../src/postgres/pool.ts';
import { type Installation, install } from '../harness/cli.ts';

let place: Installation;
beforeAll(async () => {
  place = await install();
});
afterAll(() => place?.close());

/** Whatever the owner of the database, or who took his rights, may do: no trigger stands in his way. */
async function behind(...statements: string[]): Promise<void> {
  await withClient(place.pool, (client) =>
    transaction(client, async () => {
      await client.query("SET LOCAL session_replication_role = 'replica'");
      for (const sql of statements) await client.query(sql);
    }),
  );
}

const verify = (tete?: { rang: number; empreinte: string }): Promise<VerificationAudit> =>
  withClient(place.pool, (client) => verifierAudit(client, tete));
const kinds = (found: VerificationAudit): string[] => [...new Set(found.ecarts.map(({ genre }) => genre))];
const note = (evenement: string, cible?: string): Promise<void> => noter(place.pool, { evenement, cible });

/** Ten lines, nothing else. */
beforeEach(async () => {
  await behind('DELETE FROM journal_audit', 'DELETE FROM audit_maillon');
  for (let i = 0; i < 10; i++) await note('essai', `sessions/${i}`);
});

const NTH = (n: number): string => `(SELECT id FROM journal_audit ORDER BY id OFFSET ${n} LIMIT 1)`;

describe('M6: what is done behind its back is seen', () => {
  it('nothing is wrong with what it wrote itself', async () => {
    const found = await verify();
    expect(found).toMatchObject({ lignes: 10, maillons: 10, nombreEcarts: 0 });
    expect(found.tete).toEqual(await teteAudit(place.pool));
  });

  it.each<[string, string[], string]>([
    [
      'a line says another event',
      [`UPDATE journal_audit SET evenement = 'autre' WHERE id = ${NTH(4)}`],
      'ligne_changee',
    ],
    [
      'a line names another account',
      [`UPDATE journal_audit SET user_id = gen_random_uuid() WHERE id = ${NTH(4)}`],
      'ligne_changee',
    ],
    [
      'a line was written at another time',
      [
        `UPDATE journal_audit SET instant = instant - interval '1 µs' WHERE id = ${NTH(4)}`.replace(
          'µs',
          'microsecond',
        ),
      ],
      'ligne_changee',
    ],
    [
      'a line has other details',
      [`UPDATE journal_audit SET details = '{"a":1}' WHERE id = ${NTH(4)}`],
      'ligne_changee',
    ],
    ['a line is gone', [`DELETE FROM journal_audit WHERE id = ${NTH(4)}`], 'ligne_absente'],
    [
      'a line and its link are gone',
      [
        `DELETE FROM audit_maillon WHERE audit_id = ${NTH(4)}`,
        `DELETE FROM journal_audit WHERE id = ${NTH(4)}`,
      ],
      'maillon_absent',
    ],
    [
      'the first lines and links are gone',
      ['DELETE FROM audit_maillon WHERE rang <= 3', `DELETE FROM journal_audit WHERE id < ${NTH(3)}`],
      'debut_absent',
    ],
    ['a line was put in', ["INSERT INTO journal_audit (evenement) VALUES ('faux')"], 'ligne_etrangere'],
    [
      'a line and a link were put in',
      [
        "INSERT INTO journal_audit (evenement) VALUES ('faux')",
        "INSERT INTO audit_maillon SELECT 11, 'ligne', max(id), now(), sha256('x'), sha256('y') FROM journal_audit",
      ],
      'maillon_change',
    ],
    [
      'two links changed places',
      [
        'UPDATE audit_maillon SET rang = -1 WHERE rang = 4',
        'UPDATE audit_maillon SET rang = 4 WHERE rang = 5',
        'UPDATE audit_maillon SET rang = 5 WHERE rang = -1',
      ],
      'maillon_change',
    ],
    [
      'two lines changed places',
      [
        `UPDATE journal_audit a SET cible = b.cible, instant = b.instant, sel = b.sel FROM journal_audit b WHERE a.cible = 'sessions/3' AND b.cible = 'sessions/4'`,
      ],
      'ligne_changee',
    ],
    [
      'a link says that a line was purged',
      [
        `UPDATE audit_maillon SET genre = 'purge', engagement = NULL WHERE rang = 5`,
        `DELETE FROM journal_audit WHERE id = ${NTH(4)}`,
      ],
      'maillon_change',
    ],
    [
      'a link has another instant',
      ["UPDATE audit_maillon SET instant = instant - interval '1 year' WHERE rang = 5"],
      'maillon_change',
    ],
  ])('%s', async (_, statements, expected) => {
    await behind(...statements);
    const found = await verify();
    expect(kinds(found)).toContain(expected);
    expect(found.nombreEcarts).toBeGreaterThan(0);
  });

  it('any change of any column of any line is seen, any of a link too', async () => {
    const columns = [
      'journal_audit.cible',
      'journal_audit.requete',
      'journal_audit.adresse',
      'journal_audit.evenement',
      'journal_audit.sel',
      'audit_maillon.engagement',
      'audit_maillon.empreinte',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...columns), fc.integer({ min: 0, max: 9 }), async (column, row) => {
        const [table, name] = column.split('.') as [string, string];
        const key = table === 'audit_maillon' ? 'rang' : 'id';
        const value = /^(sel|engagement|empreinte)$/.test(name) ? `sha256('${row}')` : "'autre'";
        const where = `(SELECT ${key} FROM ${table} ORDER BY ${key} OFFSET ${row} LIMIT 1)`;
        await behind(
          `CREATE TABLE IF NOT EXISTS copie AS TABLE ${table}`,
          `UPDATE ${table} SET ${name} = ${value} WHERE ${key} = ${where}`,
        );
        const found = await verify();
        await behind(
          `UPDATE ${table} t SET ${name} = c.${name} FROM copie c WHERE c.${key} = t.${key}`,
          'DROP TABLE copie',
        );
        expect(found.nombreEcarts).toBeGreaterThan(0);
        expect((await verify()).nombreEcarts).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('the whole of it replaced, or its end cut off: whoever noted an earlier end sees it', async () => {
    const tete = (await teteAudit(place.pool))!;
    await note('essai');
    expect((await verify(tete)).nombreEcarts).toBe(0);
    await behind('DELETE FROM journal_audit', 'DELETE FROM audit_maillon');
    for (let i = 0; i < 12; i++) await note('essai', 'réécrit');
    expect((await verify()).nombreEcarts).toBe(0);
    expect(kinds(await verify(tete))).toEqual(['tete_absente']);
    await behind(
      'DELETE FROM audit_maillon WHERE rang > 5',
      `DELETE FROM journal_audit WHERE id >= ${NTH(5)}`,
    );
    expect(kinds(await verify(tete))).toEqual(['tete_absente']);
  });
});

describe('M6: what is right keeps it whole', () => {
  it('purging: the links of purged lines give way to an anchor', async () => {
    // Six lines of two months ago.
    await behind('DELETE FROM journal_audit', 'DELETE FROM audit_maillon');
    await withClient(place.pool, (client) =>
      client.query(
        "INSERT INTO journal_audit (evenement, instant) SELECT 'vieux', now() - interval '60 days' FROM generate_series(1, 6)",
      ),
    );
    await note('neuf');
    await place.pool.query(
      "INSERT INTO journal_audit (evenement, instant) VALUES ('vieux', now() - interval '50 days')",
    );
    await note('neuf');
    const gone = await withClient(place.pool, (client) =>
      supprimerAnciens(client, 'audit', Date.now() - 40 * 86_400_000, 4, async () => undefined),
    );
    expect(gone).toBe(7);
    const { rows } = await place.pool.query(
      'SELECT min(rang)::int AS premier, count(*) FILTER (WHERE genre = $1)::int AS ancres FROM audit_maillon',
      ['ancre'],
    );
    expect(rows[0].premier).toBe(7);
    expect(rows[0].ancres).toBeGreaterThan(0);
    const found = await verify();
    // Here they were written just now, whatever they say of themselves.
    expect(found.ecarts.filter(({ genre }) => genre !== 'purge_precoce')).toEqual([]);
    expect(found.lignes).toBe(2);
    // The anchor does not excuse what went otherwise.
    await behind('DELETE FROM audit_maillon WHERE rang = 7');
    expect(kinds(await verify())).toContain('debut_absent');
  });

  it('purging everything, then going on', async () => {
    await withClient(place.pool, (client) =>
      supprimerAnciens(client, 'audit', Date.now() + 60_000, 100, async () => undefined),
    );
    expect(await verify()).toMatchObject({ lignes: 0, maillons: 1, nombreEcarts: 0 });
    await note('suite');
    expect(await verify()).toMatchObject({ lignes: 1, nombreEcarts: 0 });
  });

  it('purging what was just written shows, be it by the right door', async () => {
    await note('garde');
    await place.pool.query(
      "SELECT purger_audit((SELECT max(instant) FROM journal_audit WHERE evenement = 'essai'), 100)",
    );
    await behind('UPDATE audit_maillon SET rang = rang WHERE false');
    await place.pool.query(
      "INSERT INTO journal_audit (evenement, instant) VALUES ('tôt', now() - interval '1 year')",
    );
    await place.pool.query("SELECT purger_audit(now() - interval '6 months', 100)");
    expect(kinds(await verify())).toEqual(['purge_precoce']);
  });

  it('forgetting: the value and its salt are gone, the chain holds', async () => {
    const id = '01890000-0000-7000-8000-000000000001';
    await noter(place.pool, {
      evenement: 'connexion_reussie',
      userId: id,
      adresse: '192.0.2.7',
      requete: 'r1',
    });
    await noter(place.pool, { evenement: 'role_change', cible: `users/${id}`, details: { de: id } });
    const before = await place.pool.query(
      'SELECT encode(sel, $1) AS sel FROM journal_audit WHERE user_id = $2',
      ['hex', id],
    );
    await withClient(place.pool, (client) =>
      transaction(client, () =>
        oublierCompte(client, id, { motif: 'demande', avant: async () => undefined }),
      ),
    );
    const { rows } = await place.pool.query(
      'SELECT to_jsonb(j)::text AS text FROM journal_audit j UNION ALL SELECT to_jsonb(m)::text FROM audit_maillon m',
    );
    const all = rows.map(({ text }) => text).join('\n');
    expect(all).not.toContain(id);
    expect(all).not.toContain(before.rows[0].sel);
    expect(await verify()).toMatchObject({ nombreEcarts: 0, oublis: 2, lignes: 13 });
  });

  it('many writers at once: one chain without a gap, in the order of instants', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        withClient(place.pool, (client) =>
          transaction(
            client,
            async () => {
              await noter(client, { evenement: 'essai', cible: `foule/${i}` });
            },
            { keep: i % 4 !== 0 },
          ),
        ),
      ),
    );
    expect(await verify()).toMatchObject({ lignes: 40, maillons: 40, nombreEcarts: 0 });
    const { rows } = await place.pool.query(
      'SELECT count(*)::int AS n FROM (SELECT instant < lag(instant) OVER (ORDER BY rang) AS avant FROM audit_maillon JOIN journal_audit USING (audit_id)) t WHERE avant'
        .replace('journal_audit USING (audit_id)', 'journal_audit j ON j.id = audit_id')
        .replace('instant < lag(instant)', 'j.instant < lag(j.instant)'),
    );
    expect(rows[0].n).toBe(0);
  });

  it('the command says so: 0 and the end of the chain, 1 and where', async () => {
    const fine = await place.run(['audit', 'verifier']);
    expect(fine).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Journal d’audit intact : 10 lignes'),
    });
    const [, tete] = /Fin de la chaîne : (\d+:[\da-f]{64})/.exec(fine.stdout)!;
    await behind(`UPDATE journal_audit SET evenement = 'autre' WHERE id = ${NTH(4)}`);
    const told = await place.run(['audit', 'verifier', '--tete', tete!]);
    expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining('ligne changée depuis') });
    expect((await place.run(['audit', 'verifier', '--tete', 'x'])).code).toBe(2);
  }, 180_000);
});
