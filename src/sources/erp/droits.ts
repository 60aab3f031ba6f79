import type { ErpSession } from './session.ts';

/** Rights that only read, or that let one in and do nothing. */
const HARMLESS = /^(SELECT|USAGE|SHOW VIEW|SHOW DATABASES|REFERENCES)$/;

/**
 * Rights of the account beyond reading, as the server writes them (`INSERT ON erp.*`); empty is as it should be.
 *
 * @throws AtelierError ATL_E404 to ATL_E407 when they cannot be read
 */
export async function droitsDEcriture(session: ErpSession): Promise<string[]> {
  const rows = await session.lire('lecture des droits', 'SHOW GRANTS');
  return rows.flatMap(([grant]) => excess(grant ?? ''));
}

/** Rights of one line of `SHOW GRANTS` that are too much; a role that is granted is taken as too much to judge. */
export function excess(grant: string): string[] {
  const [, list, on] = /^GRANT (.+) ON (?:TABLE |FUNCTION |PROCEDURE )?(\S+) TO /i.exec(grant) ?? [];
  if (list === undefined) return [];
  return list
    .replaceAll(/\([^)]*\)/g, '')
    .split(',')
    .map((right) => right.trim().toUpperCase())
    .filter((right) => right !== '' && !HARMLESS.test(right))
    .map((right) => `${right} ON ${on!.replaceAll('`', '')}`);
}
