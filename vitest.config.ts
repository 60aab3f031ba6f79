import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // One PostgreSQL for the whole run; every test file has databases of its own in it.
    globalSetup: ['test/harness/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Processes, not threads: tests measure memory, change the umask, and are killed.
    pool: 'forks',
    maxWorkers: 2,
  },
});
