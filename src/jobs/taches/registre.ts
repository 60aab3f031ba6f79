import type { NomTache } from '../../base/config/planification.ts';
import type { Config } from '../../base/config.ts';
import { tacheIngest } from './ingest.ts';
import { tachePurge } from './purge.ts';
import { tacheSauvegarde } from './sauvegarde.ts';
import { tacheSync } from './sync.ts';
import type { Tache } from './tache.ts';

/** All tasks of the worker. */
export const TACHES: readonly Tache[] = [tacheIngest, tacheSync, tachePurge, tacheSauvegarde];

/** What keeps a task from running with these settings, in French; undefined: nothing. */
export function manqueA(nom: NomTache, config: Config): string | undefined {
  return TACHES.find((tache) => tache.nom === nom)?.manque?.(config);
}
