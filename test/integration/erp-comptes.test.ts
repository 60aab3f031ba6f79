import { existsSync } from 'node:fs';
import type { Connection } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type Extraction, extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';

const log = silentLogger();

describe.skipIf(SANS_MARIADB)(
  'un compte ou un serveur qui refuse : dit ce que c’est et à qui de le réparer',
  () => {
    let maria: MariadbDeTest;
    const lire = (over: Partial<ErpConfig> = {}): Promise<Extraction> =>
      extraireCommandes(maria.config({ user: 'essai', password: 'x', ...over }), { log });
    const compte = async (comment: string): Promise<void> => {
      await maria.admin.query(
        `CREATE OR REPLACE USER 'essai'@'%' ${comment}; GRANT SELECT ON erp.* TO 'essai'@'%'`,
      );
    };
    const ouvrir = (): Promise<Connection> =>
      createConnection({ host: '127.0.0.1', port: maria.server.port, user: 'essai', password: 'x' });
    beforeAll(async () => {
      maria = await MariadbDeTest.demarrer();
      await compte("IDENTIFIED BY 'x'");
      await lire();
    });
    afterAll(() => maria?.arreter());

    test.each([
      [
        "IDENTIFIED BY 'x' ACCOUNT LOCK",
        'ATL_E413',
        /compte est verrouillé ; c’est à l’administrateur de l’ERP/,
      ],
      [
        "IDENTIFIED BY 'x' PASSWORD EXPIRE",
        'ATL_E413',
        /mot de passe du compte a expiré ; c’est à l’administrateur/,
      ],
      ["IDENTIFIED BY 'autre'", 'ATL_E402', /MYSQL_USER, MYSQL_PASSWORD/],
      ["IDENTIFIED BY 'x' REQUIRE SSL", 'ATL_E402', /exige TLS/],
      ['IDENTIFIED VIA unix_socket', 'ATL_E402', /unix_socket.*donner un compte à mot de passe/],
      ["IDENTIFIED BY 'x' WITH MAX_STATEMENT_TIME 0.000001", 'ATL_E405', /limite de temps.*SYNC_DELAI_MAX/],
    ])('%s', async (comment, code, message) => {
      await compte(comment);
      if (/STATEMENT_TIME/.test(comment)) {
        // What the account's limit does, the server's own does too; ours is what holds in a session of ours.
        await compte("IDENTIFIED BY 'x'");
        await maria.admin.query('SET GLOBAL max_statement_time = 0.000001');
        const admin = await ouvrir();
        const error = await admin
          .query('SELECT COUNT(*) FROM erp.A_Logbuch a, erp.A_Logbuch b, erp.A_Logbuch c')
          .catch((e: unknown) => e);
        admin.destroy();
        await maria.admin.query('SET GLOBAL max_statement_time = 0');
        const { erreurErp } = await import('../../src/sources/erp/erreurs.ts');
        expect(erreurErp(error, 'ERP', 'essai', 'mariadb')).toMatchObject({
          code,
          message: expect.stringMatching(message),
        });
        return;
      }
      await expect(lire()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    });

    test('mot de passe expiré, serveur qui n’ouvre pas', async () => {
      await compte("IDENTIFIED BY 'x' PASSWORD EXPIRE");
      await maria.admin.query('SET GLOBAL disconnect_on_expired_password = ON');
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E413',
        message: expect.stringMatching(/a expiré/),
      });
      await maria.admin.query('SET GLOBAL disconnect_on_expired_password = OFF');
    });

    test('un greffon que le pilote ne parle pas : nommé, et le processus vit', async () => {
      // The one such plugin that every MariaDB brings; ed25519 and PAM are asked for by the same packet.
      await maria.admin.query('SET GLOBAL secure_auth = OFF');
      await maria.admin.query(
        `CREATE OR REPLACE USER 'essai'@'%' IDENTIFIED VIA mysql_old_password USING '5d2e19393cc5ef67'; GRANT SELECT ON erp.* TO 'essai'@'%'`,
      );
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E413',
        message: expect.stringMatching(/n’est pas de celles qu’atelier connaît ; c’est à l’administrateur/),
      });
      await maria.admin.query('SET GLOBAL secure_auth = ON');
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E413',
        message: expect.stringMatching(/format périmé/),
      });
    });

    test.skipIf(!existsSync('/usr/lib/mysql/plugin/auth_ed25519.so'))(
      'ed25519 (greffon du paquet mariadb-server) : nommé',
      async () => {
        await maria.admin.query(
          `INSTALL SONAME 'auth_ed25519';
         CREATE OR REPLACE USER 'essai'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('x'); GRANT SELECT ON erp.* TO 'essai'@'%'`,
        );
        await expect(lire()).rejects.toMatchObject({
          code: 'ATL_E413',
          message: expect.stringMatching(/ed25519 \(greffon client_ed25519\).*c’est à l’administrateur/),
        });
      },
    );

    test('compte bloqué après trop de mots de passe faux', async () => {
      await compte("IDENTIFIED BY 'x'");
      await maria.admin.query('SET GLOBAL max_password_errors = 2');
      for (const _ of [1, 2, 3]) await lire({ password: 'faux' }).catch(() => undefined);
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E413',
        message: expect.stringMatching(/bloqué après trop/),
      });
      await maria.admin.query('SET GLOBAL max_password_errors = 4294967295; FLUSH PRIVILEGES');
      await lire();
    });

    test('trop de connexions : au compte, puis au serveur', async () => {
      await compte("IDENTIFIED BY 'x' WITH MAX_USER_CONNECTIONS 1");
      const one = await ouvrir();
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E414',
        message: expect.stringMatching(/le compte a atteint sa limite/),
      });
      await one.end();
      await compte("IDENTIFIED BY 'x'");
      await maria.admin.query('SET GLOBAL max_connections = 10');
      const many: Connection[] = [];
      for (;;) {
        const next = await ouvrir().catch(() => undefined);
        if (!next) break;
        many.push(next);
      }
      await expect(lire()).rejects.toMatchObject({
        code: 'ATL_E414',
        message: expect.stringMatching(/n’accepte plus de connexion/),
      });
      for (const connection of many) connection.destroy();
      await maria.admin.query('SET GLOBAL max_connections = 151');
    });

    test('base inconnue, base sans droit, machine sans droit', async () => {
      await compte("IDENTIFIED BY 'x'");
      await expect(lire({ database: 'mysql' })).rejects.toMatchObject({
        code: 'ATL_E402',
        message: expect.stringMatching(/aucun droit sur cette base.*MYSQL_DB/),
      });
      await maria.admin.query("GRANT SELECT ON *.* TO 'essai'@'%'");
      await expect(lire({ database: 'rien' })).rejects.toMatchObject({
        code: 'ATL_E402',
        message: expect.stringMatching(/cette base n’existe pas/),
      });
      await maria.admin.query("CREATE OR REPLACE USER 'ailleurs'@'10.9.9.9' IDENTIFIED BY 'x'");
      await expect(lire({ user: 'ailleurs' })).rejects.toMatchObject({ code: 'ATL_E402' });
    });

    test('TLS demandé à un serveur qui n’en offre pas : à l’administrateur de l’offrir', async () => {
      await compte("IDENTIFIED BY 'x'");
      await expect(lire({ tls: { mode: 'oui', ca: undefined } })).rejects.toMatchObject({
        code: 'ATL_E401',
        message: expect.stringMatching(/le serveur n’en offre pas ; c’est à l’administrateur/),
      });
    });

    test('init_connect en erreur : le serveur renvoie, et c’est dit', async () => {
      await maria.admin.query("SET GLOBAL init_connect = 'SELECT rien'");
      await expect(lire()).rejects.toMatchObject({ code: expect.stringMatching(/^ATL_E40[24]$/) });
      await maria.admin.query("SET GLOBAL init_connect = ''");
    });

    test('une table modifiée pendant la lecture : relancez', async () => {
      const { erreurErp } = await import('../../src/sources/erp/erreurs.ts');
      const one = await ouvrir();
      await one.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      await maria.admin.query('ALTER TABLE erp.A_Vorgang ADD neu int, ALGORITHM = COPY');
      const error = await one.query('SELECT COUNT(*) FROM erp.A_Vorgang').catch((e: unknown) => e);
      one.destroy();
      expect(erreurErp(error, 'ERP', 'essai', 'mariadb')).toMatchObject({
        code: 'ATL_E404',
        message: expect.stringMatching(/modifiée.*relancez/),
      });
    });
  },
);
