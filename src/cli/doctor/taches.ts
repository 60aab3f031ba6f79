import type { Pool } from '../../postgres/pool.ts';
import { type EtatWorkers, etatWorkers } from '../../postgres/taches/controle-taches.ts';
import type { Cli } from '../cli.ts';
import { attention, bien, type Constat } from './constat.ts';

/** Whether somebody does what is due, and how it went the last time. */
export async function taches(_cli: Cli, pool: Pool): Promise<Constat[]> {
  return checkWorkers(await etatWorkers(pool));
}

export function checkWorkers({ presents, planifie, enRetard, echouees, abandons }: EtatWorkers): Constat[] {
  const constats: Constat[] = [];
  if (presents > 0) constats.push(bien('Worker', 'en marche'));
  else if (!planifie)
    constats.push(bien('Worker', 'jamais lancé ici : rien ne se fait seul (`npx atelier worker`)'));
  else {
    constats.push(
      attention(
        'Worker',
        `arrêté${enRetard.length > 0 ? `, en retard : ${enRetard.join(', ')}` : ''}`,
        'Lancez-le : systemctl start atelier-worker, docker compose up -d worker, ou `npx atelier worker`.',
      ),
    );
  }
  if (presents > 0 && enRetard.length > 0) {
    constats.push(
      attention(
        'Échéances',
        `en retard : ${enRetard.join(', ')}`,
        'Le worker tourne mais ne planifie pas : voyez son journal, et --sans-planification.',
      ),
    );
  }
  if (echouees.length > 0) {
    const each = echouees.map(({ tache, erreur }) => `${tache} (${erreur ?? 'sans message'})`);
    constats.push(
      attention(
        'Tâches',
        `dernier passage échoué : ${each.join(' ; ')}`,
        '`npx atelier executions` et docs/erreurs.md.',
      ),
    );
  }
  if (abandons > 0) {
    constats.push(
      attention(
        'File',
        `${abandons} travail(s) abandonné(s) non signalé(s)`,
        'Lancez un worker : il les ferme et les signale.',
      ),
    );
  }
  return constats;
}
