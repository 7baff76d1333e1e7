import { defineConfig } from 'vitest/config';

const minuteMs = 60_000;

export default defineConfig({
  test: {
    reporters: ['default', './test/faults/table-reporter.ts', './test/support/summary-reporter.ts'],
    projects: [
      // Properties are tried on hundreds of values: much work for a machine that has other work too.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: minuteMs / 2 } },
      {
        test: {
          name: 'pipeline',
          include: ['test/pipeline/**/*.test.ts', 'test/guide/**/*.test.ts'],
          globalSetup: ['test/support/temporary-folder-setup.ts', 'test/support/broker-setup.ts'],
          testTimeout: minuteMs,
          hookTimeout: minuteMs,
        },
      },
      {
        // Each of these runs Java processes or containers of its own, so one file at a time.
        test: {
          name: 'machine',
          include: ['test/embedded/**/*.test.ts', 'test/containers/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 4 * minuteMs,
          hookTimeout: 10 * minuteMs,
        },
      },
      {
        // They hold answers against 2 s, so after everything else and by themselves; `npm run test:faults` is their long form.
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 4 * minuteMs,
          hookTimeout: 4 * minuteMs,
        },
      },
    ],
  },
});
