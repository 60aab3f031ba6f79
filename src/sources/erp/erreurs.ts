import { AtelierError, type Code, codeOf, messageOf } from '../../base/errors.ts';

/** Which number a driver's or server's error code has; what is not here was refused by the server: ATL_E407. */
const CODES_ERP: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'ATL_E401',
  ENOTFOUND: 'ATL_E401',
  EAI_AGAIN: 'ATL_E401',
  EHOSTUNREACH: 'ATL_E401',
  ENETUNREACH: 'ATL_E401',
  EADDRNOTAVAIL: 'ATL_E401',
  ETIMEDOUT: 'ATL_E401',
  HANDSHAKE_NO_SSL_SUPPORT: 'ATL_E401',
  HANDSHAKE_SSL_ERROR: 'ATL_E401',
  ER_CON_COUNT_ERROR: 'ATL_E401',
  ER_HOST_IS_BLOCKED: 'ATL_E401',
  ER_ACCESS_DENIED_ERROR: 'ATL_E402',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'ATL_E402',
  ER_DBACCESS_DENIED_ERROR: 'ATL_E402',
  ER_BAD_DB_ERROR: 'ATL_E402',
  ER_HOST_NOT_PRIVILEGED: 'ATL_E402',
  ER_TABLEACCESS_DENIED_ERROR: 'ATL_E403',
  ER_COLUMNACCESS_DENIED_ERROR: 'ATL_E403',
  ER_NO_SUCH_TABLE: 'ATL_E403',
  ER_BAD_FIELD_ERROR: 'ATL_E403',
  ECONNRESET: 'ATL_E404',
  EPIPE: 'ATL_E404',
  PROTOCOL_CONNECTION_LOST: 'ATL_E404',
  PROTOCOL_UNEXPECTED_PACKET: 'ATL_E404',
  PROTOCOL_PACKETS_OUT_OF_ORDER: 'ATL_E404',
  ER_SERVER_SHUTDOWN: 'ATL_E404',
  ER_CONNECTION_KILLED: 'ATL_E404',
  ER_QUERY_INTERRUPTED: 'ATL_E404',
  ER_STATEMENT_TIMEOUT: 'ATL_E405',
  ER_QUERY_TIMEOUT: 'ATL_E405',
  ER_LOCK_WAIT_TIMEOUT: 'ATL_E405',
};

/**
 * The numbered error for what the driver threw. Names the server, the database, the account and what was asked.
 *
 * @param cible server as a person knows it (never with its password)
 * @param action what was being done, French
 */
export function erreurErp(error: unknown, cible: string, action: string): AtelierError {
  if (error instanceof AtelierError) return error;
  const code = CODES_ERP[codeOf(error) ?? ''] ?? (isNetworkLoss(error) ? 'ATL_E404' : 'ATL_E407');
  return new AtelierError(code, `${cible}, ${action} : ${messageOf(error)}`, { cause: error });
}

/** Errors that the driver marks fatal end the connection, whatever their code (TLS, broken packets). */
function isNetworkLoss(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'fatal' in error &&
    error.fatal === true &&
    !('sqlState' in error && typeof error.sqlState === 'string')
  );
}
