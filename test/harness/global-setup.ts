import type { TestProject } from 'vitest/node';
import type { Binaries } from '../../src/embedded/postgres-binaries.ts';
import { launchPrivate, sweep } from './private-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** superuser's address of the PostgreSQL of this run */
    postgresAdminUrl: string;
    /** programs that further servers of this run may use */
    postgresBinaries: Binaries;
    /** number of the process that outlives every worker of this run */
    postgresRun: number;
  }
}

/** One PostgreSQL for the whole run; every test file makes its own database in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await sweep();
  const server = await launchPrivate();
  project.provide('postgresAdminUrl', server.url);
  project.provide('postgresBinaries', server.binaries);
  project.provide('postgresRun', process.pid);
  return async () => {
    await server.remove();
    await sweep();
  };
}
