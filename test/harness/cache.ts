import { fileURLToPath } from 'node:url';

/**
 * Where processes that tests start keep their stripped types, one for all (`NODE_COMPILE_CACHE`): each has a home of its own,
 * whose cache would be cold. In the project, where nobody else writes.
 */
export const CACHE_COMPILATION = fileURLToPath(
  new URL('../../node_modules/.cache/atelier-essai', import.meta.url),
);
