import type { Command } from './cli.ts';

/** Every command by name; each is loaded only when it is used, so that a short one starts fast. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: () => import('./demo.ts'),
  ingest: () => import('./ingest.ts'),
  sessions: () => import('./sessions.ts'),
  show: () => import('./show.ts'),
  fichiers: () => import('./fichiers.ts'),
  rejets: () => import('./rejets.ts'),
  sync: () => import('./sync.ts'),
  commandes: () => import('./commandes.ts'),
  simulate: () => import('./simulate.ts'),
  migrate: () => import('./migrate.ts'),
  alertes: () => import('./alertes.ts'),
  backup: () => import('./backup.ts'),
  restore: () => import('./restore.ts'),
  rebuild: () => import('./rebuild.ts'),
  doctor: () => import('./doctor.ts'),
  sante: () => import('./sante.ts'),
  serve: () => import('./serve.ts'),
  worker: () => import('./worker.ts'),
  taches: () => import('./taches.ts'),
  executions: () => import('./executions.ts'),
  lancer: () => import('./lancer.ts'),
  purge: () => import('./purge.ts'),
  user: () => import('./user.ts'),
  db: () => import('./db.ts'),
};
