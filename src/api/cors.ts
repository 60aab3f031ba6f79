/** What pages of other origins may read (CORS): listed origins everything that the contract declares, others nothing. */
import { ENTETES } from './openapi/entetes.ts';

/**
 * Headers that scripts may read, on every answer: those of the contract, and those that HTTP itself wants read
 * beside an error or a download.
 */
export const ENTETES_LISIBLES: readonly string[] = [...Object.keys(ENTETES), 'Allow', 'Accept-Ranges'];

/**
 * Headers of an answer that comes past the hook which usually sets them (an address that cannot be read, bytes that
 * never became a request); none for an origin that is not listed.
 */
export function entetesCors(
  origines: readonly string[],
  origin: string | undefined,
): Readonly<Record<string, string>> {
  if (origines.length === 0) return {};
  if (origin === undefined || !origines.includes(origin)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': ENTETES_LISIBLES.join(', '),
  };
}
