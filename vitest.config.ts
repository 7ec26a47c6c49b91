import { defineConfig } from 'vitest/config';
import { RollcallReporter } from './test/support/reporter.js';
import { ServersFirst } from './test/support/sequencer.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: tests send signals, and better-sqlite3 is native.
    pool: 'forks',
    // Most tests wait for a server of their own; three at a time keep two cores busy without starving a deadline.
    maxWorkers: 3,
    sequence: { sequencer: ServersFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // The reporter lists the slowest at the end.
    slowTestThreshold: 5_000,
    reporters: [new RollcallReporter()],
  },
});
