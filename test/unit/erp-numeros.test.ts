import { describe, expect, test } from 'vitest';
import { erreurErp, refusDesGreffons } from '../../src/sources/erp/erreurs.ts';
import { familleDe } from '../../src/sources/erp/numeros.ts';

/** An error packet as the driver hands it on; `code` is the driver's word, which must not count. */
const paquet = (errno: number, sqlState = 'HY000'): Error =>
  Object.assign(new Error('mots du serveur'), { errno, sqlState, code: 'ER_MOT_DU_PILOTE' });

describe('erreurs de l’ERP, par numéro et famille', () => {
  test.each([
    ['5.5.5-10.11.19-MariaDB-0+deb12u1', 'mariadb'],
    ['11.4.2-MariaDB', 'mariadb'],
    ['8.0.36', 'mysql'],
    ['8.4.3-commercial', 'mysql'],
  ])('%s est %s', (version, famille) => expect(familleDe(version)).toBe(famille));

  // After MySQL's manual: not proved against a MySQL server, there is none for this Debian.
  test.each([
    [3118, 'ATL_E413', /verrouillé/],
    [3955, 'ATL_E413', /bloqué/],
    [1862, 'ATL_E413', /expiré/],
    [3159, 'ATL_E402', /MYSQL_TLS=oui/],
    [3024, 'ATL_E405', /limite de temps/],
    [3169, 'ATL_E404', /KILL/],
    [3032, 'ATL_E404', /s’arrête/],
    [4031, 'ATL_E404', /trop longtemps/],
    [1040, 'ATL_E414', /n’accepte plus/],
    [1524, 'ATL_E413', /greffon/],
  ])('MySQL %i (sans preuve sur un vrai serveur) : %s', (numero, code, message) => {
    expect(erreurErp(paquet(numero), 'ERP', 'essai', 'mysql')).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each([1969, 4150, 4151, 1927])('le numéro %i de MariaDB ne dit rien chez MySQL', (numero) => {
    expect(erreurErp(paquet(numero), 'ERP', 'essai', 'mariadb').code).not.toBe('ATL_E407');
    expect(erreurErp(paquet(numero), 'ERP', 'essai', 'mysql').code).toBe('ATL_E407');
  });

  test('un numéro inconnu : la classe de SQLSTATE, sinon les mots du serveur', () => {
    expect(erreurErp(paquet(9999, '08S01'), 'ERP', 'essai', 'mysql').code).toBe('ATL_E404');
    expect(erreurErp(paquet(9999, '28000'), 'ERP', 'essai', 'mysql').code).toBe('ATL_E402');
    expect(erreurErp(paquet(9999), 'ERP', 'essai', 'mysql')).toMatchObject({
      code: 'ATL_E407',
      message: 'ERP, essai : erreur 9999 : mots du serveur',
    });
  });

  test.each(['client_ed25519', 'dialog', 'parsec', 'authentication_ldap_sasl_client'])(
    'le greffon %s est nommé, et à qui de changer le compte',
    (name) => {
      expect(() => refusDesGreffons('ERP')[name]!()).toThrow(
        new RegExp(`${name}.*c’est à l’administrateur de l’ERP`),
      );
    },
  );
});
