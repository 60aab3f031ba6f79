import { AtelierError, type Code, codeOf, messageOf } from '../../base/errors.ts';
import { type Famille, sensDuNumero } from './numeros.ts';

/** What fails on this side, before the server or instead of it: system and driver. Servers' errors go by number. */
const LOCAUX: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'ATL_E401',
  ENOTFOUND: 'ATL_E401',
  EAI_AGAIN: 'ATL_E401',
  EHOSTUNREACH: 'ATL_E401',
  ENETUNREACH: 'ATL_E401',
  EADDRNOTAVAIL: 'ATL_E401',
  ETIMEDOUT: 'ATL_E401',
  HANDSHAKE_NO_SSL_SUPPORT: 'ATL_E401',
  HANDSHAKE_SSL_ERROR: 'ATL_E401',
  AUTH_SWITCH_PLUGIN_ERROR: 'ATL_E413',
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED: 'ATL_E413',
};

/** What to do about some of them. */
const DITS: Readonly<Record<string, string>> = {
  HANDSHAKE_NO_SSL_SUPPORT:
    'vers une autre machine la connexion est chiffrée (MYSQL_TLS) et le serveur n’en offre pas ; c’est à l’administrateur de l’ERP de l’offrir ; si ce réseau est à vous seul, nommez-le dans RESEAUX_PRIVES',
  HANDSHAKE_SSL_ERROR:
    'la connexion chiffrée ne s’établit pas (certificat ou nom du serveur ?) ; vérifiez MYSQL_TLS_CA et le nom dans MYSQL_HOST',
  AUTH_SWITCH_PLUGIN_ERROR:
    'l’authentification de ce compte n’est pas de celles qu’atelier connaît ; c’est à l’administrateur de l’ERP de lui donner un mot de passe ordinaire',
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED:
    'ce compte veut recevoir son mot de passe en clair (PAM, LDAP), ce qu’atelier ne fait pas ; c’est à l’administrateur de l’ERP de lui donner un mot de passe ordinaire',
};

/**
 * The numbered error for what the driver threw. Names the server, the database, the account, what was asked, what the
 * error is and whose it is to mend. Errors of the server are classed by number and family: the driver's own names for
 * numbers are those of another version, or of the other family.
 *
 * @param cible server as a person knows it (never with its password)
 * @param action what was being done, French
 */
export function erreurErp(error: unknown, cible: string, action: string, famille?: Famille): AtelierError {
  if (error instanceof AtelierError) return error;
  const numero = numeroDe(error);
  if (numero !== undefined) {
    const { code, dit } = sensDuNumero(numero, famille, texteDe(error, 'sqlState'));
    const words = `erreur ${numero} : ${messageOf(error)}`;
    return new AtelierError(code, `${cible}, ${action} : ${dit ? `${dit} (${words})` : words}`, {
      cause: error,
    });
  }
  const name = codeOf(error) ?? '';
  const code = LOCAUX[name] ?? (isNetworkLoss(error) ? 'ATL_E404' : 'ATL_E407');
  const dit = DITS[name];
  // The driver points to a page that is not there.
  const words = messageOf(error).replace(/ See TODO.*$/s, '');
  return new AtelierError(code, `${cible}, ${action} : ${dit ? `${dit} (${words})` : words}`, {
    cause: error,
  });
}

/** Whether the server did not know a table or a column that was asked for. */
export function estInconnue(error: unknown): boolean {
  return [1054, 1146].includes(numeroDe(cause(error)) ?? 0);
}

/** Whether the server refused a table or a column that was asked for. */
export function estInterdite(error: unknown): boolean {
  return [1142, 1143].includes(numeroDe(cause(error)) ?? 0);
}

/** Plugins by which a server may want a password and that the driver does not speak. */
const GREFFONS: Readonly<Record<string, string>> = {
  client_ed25519: 'ed25519',
  parsec: 'parsec',
  dialog: 'PAM',
  mysql_old_password: 'mots de passe d’avant MySQL 4.1',
  auth_gssapi_client: 'GSSAPI/Kerberos',
  authentication_kerberos_client: 'Kerberos',
  authentication_ldap_sasl_client: 'LDAP',
  authentication_windows_client: 'Windows',
  authentication_fido_client: 'FIDO',
  authentication_webauthn_client: 'WebAuthn',
  authentication_oci_client: 'Oracle Cloud',
  authentication_openid_connect_client: 'OpenID Connect',
};

/** Answers of the driver to servers that ask for one of them: an error that says so. */
export function refusDesGreffons(cible: string): Record<string, () => never> {
  const refus = (name: string, words: string) => (): never => {
    throw new AtelierError(
      'ATL_E413',
      `${cible}, connexion : ce compte s’authentifie par ${words} (greffon ${name}), qu’atelier ne parle pas ; c’est à l’administrateur de l’ERP de lui donner un mot de passe ordinaire (mysql_native_password, ou caching_sha2_password de MySQL)`,
    );
  };
  return Object.fromEntries(Object.entries(GREFFONS).map(([name, words]) => [name, refus(name, words)]));
}

function cause(error: unknown): unknown {
  return error instanceof AtelierError ? error.cause : error;
}

/** The server's number; errors of the system have one too, negative. */
function numeroDe(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errno' in error) || !('sqlState' in error))
    return undefined;
  return typeof error.errno === 'number' && error.errno > 0 ? error.errno : undefined;
}

function texteDe(error: unknown, key: 'sqlState'): string {
  const value =
    typeof error === 'object' && error !== null && key in error ? (error as { sqlState?: unknown })[key] : '';
  return typeof value === 'string' ? value : '';
}

/** Errors that the driver marks fatal end the connection, whatever their code (TLS, broken packets). */
function isNetworkLoss(error: unknown): boolean {
  const lost = /^(ECONNRESET|EPIPE|PROTOCOL_)/.test(codeOf(error) ?? '');
  const fatal = typeof error === 'object' && error !== null && 'fatal' in error && error.fatal === true;
  return lost || fatal;
}
