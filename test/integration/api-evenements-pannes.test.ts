// Live events when something gives way: too many clients, one who does not read, a database that goes away.

import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createApi } from '../harness/api.ts';
import { migrateUrl } from '../harness/context.ts';
import { ecouterApp, suivre } from '../harness/flux.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';

describe('bounds', () => {
  it('so many streams for an account (429), so many in all (503), and a place is free again when one goes', async () => {
    const small = await createApi({ limitesFlux: { flux: 3, parCompte: 2 } });
    const at = await ecouterApp(small.app);
    try {
      const { lecteur, admin } = small.comptes;
      const streams = [await suivre(at, lecteur.entete), await suivre(at, lecteur.entete)];
      const refused = await small.app.inject({ url: '/evenements', headers: lecteur.entete });
      expect(refused.statusCode).toBe(429);
      expect(refused.headers['retry-after']).toBeDefined();
      streams.push(await suivre(at, admin.entete));
      const full = await small.app.inject({ url: '/evenements', headers: admin.entete });
      expect(full.statusCode).toBe(503);
      expect(full.headers['retry-after']).toBeDefined();
      streams[0]!.fermer();
      await expect.poll(() => small.deps.evenements.nombre).toBe(2);
      streams.push(await suivre(at, admin.entete));
      // Stopping ends them all, says so, and opens no more.
      small.deps.evenements.arreter();
      expect(await streams[2]!.jusqua(({ event }) => event === 'fin')).toMatchObject({
        data: { raison: 'arret' },
      });
      expect(await streams[2]!.suivant()).toBeUndefined();
      expect((await small.app.inject({ url: '/evenements', headers: admin.entete })).statusCode).toBe(503);
    } finally {
      await small.close();
    }
  });

  it('a client who does not read is cut off, and others hear everything', async () => {
    const fast = await createApi({ limitesFlux: { regroupement: 0 } });
    const at = await ecouterApp(fast.app);
    try {
      const reader = await suivre(at, fast.comptes.admin.entete);
      await reader.suivant();
      const socket = connect(Number(new URL(at).port), '127.0.0.1');
      const { authorization } = fast.comptes.lecteur.entete;
      socket.write(`GET /evenements HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
      socket.pause();
      socket.on('error', () => undefined);
      await expect.poll(() => fast.deps.evenements.nombre).toBe(2);
      let rounds = 0;
      // The system keeps some megabytes for a socket; what comes beyond them is for us to bound.
      while (fast.deps.evenements.nombre === 2 && rounds < 20_000) {
        rounds++;
        await fast.pool.query(
          `SELECT pg_notify('atelier', json_build_object('table', t, 'action', a, 'nombre', 200, 'ids',
                    (SELECT json_agg(9007199254000000 + $1 * 200 + i) FROM generate_series(1, 200) i))::text)
             FROM unnest(ARRAY['execution', 'fichier_log', 'session_production', 'centre_usinage']) t,
                  unnest(ARRAY['insert', 'update', 'delete']) a`,
          [rounds],
        );
      }
      expect(fast.deps.evenements.nombre).toBe(1);
      // All rows are different ones: whatever was gathered into one event, their numbers add up.
      for (let heard = 0; heard < rounds * 200; ) {
        const { data } = await reader.jusqua((e) => e.event === 'centres' && e.data['action'] === 'delete');
        heard += data['nombre'] as number;
        expect(heard).toBeLessThanOrEqual(rounds * 200);
      }
      socket.destroy();
    } finally {
      await fast.close();
    }
  });
});

describe('a database that goes away', () => {
  it.each(['fast', 'immediate'] as const)(
    'streams outlive a %s restart, tell clients to load again, and go on',
    async (mode) => {
      const server = await startPrivatePostgres();
      try {
        await migrateUrl(server.url);
        const own = await createApi({ url: server.url, limitesFlux: { battement: 50 } });
        try {
          const flux = await suivre(await ecouterApp(own.app), own.comptes.lecteur.entete);
          expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
          await server.stop(mode);
          const away = await own.app.inject({ url: '/health' });
          expect(away.statusCode).toBe(503);
          expect(away.headers['retry-after']).toBe('5');
          // Beats go on meanwhile, and rights that cannot be looked at end nothing.
          const beats = flux.commentaires();
          await expect.poll(flux.commentaires).toBeGreaterThan(beats + 3);
          await server.start();
          expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
          expect((await own.app.inject({ url: '/health' })).statusCode).toBe(200);
          await own.pool.query(`INSERT INTO centre_usinage (nom) VALUES ('revenu')`);
          expect(await flux.suivant()).toMatchObject({ event: 'centres', data: { action: 'insert' } });
          flux.fermer();
        } finally {
          await own.close();
        }
      } finally {
        await server.remove();
      }
    },
  );

  it('rights that were lost while nobody could look end the stream when the database is back', async () => {
    const server = await startPrivatePostgres();
    try {
      await migrateUrl(server.url);
      // No beat comes in this test: what ends the stream is the return of the database.
      const own = await createApi({ url: server.url });
      try {
        const { id, entete } = own.comptes.lecteur;
        const flux = await suivre(await ecouterApp(own.app), entete);
        expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
        await own.pool.query('ALTER TABLE "user" DISABLE TRIGGER USER');
        await own.pool.query('UPDATE "user" SET version_jetons = version_jetons + 1 WHERE id = $1', [id]);
        await server.stop('fast');
        await server.start();
        expect(await flux.suivant()).toMatchObject({ event: 'fin', data: { raison: 'acces' } });
      } finally {
        await own.close();
      }
    } finally {
      await server.remove();
    }
  });
});
