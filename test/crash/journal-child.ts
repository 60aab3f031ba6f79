// A process that writes numbered lines to a log file: node journal-child.ts DIR SIZE FILES WHO COUNT

import { createLogger } from '../../src/base/logger.ts';

const [dir, taille, fichiers, qui, nombre] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const file = {
  dir,
  name: 'ftp_log_service.log' as const,
  taille: Number(taille),
  fichiers: Number(fichiers),
};
const logger = createLogger({ console: 'stdout', file, level: 'info' });
for (let n = 0; n < Number(nombre); n++) {
  logger.info({ qui, n, texte: 'é'.repeat(n % 40) }, 'ligne');
  // Others get their turn, as between the lines of a program.
  if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
