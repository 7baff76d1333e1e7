import type { Reporter, TestModule } from 'vitest/node';

/**
 * Prints why suites were skipped, and `N passed, N failed, N skipped` as the last line of a run; a file that cannot be loaded
 * and a set-up that fails are failures.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const reasons = new Set<string>();
    for (const module of modules) {
      for (const part of [module, ...module.children.allSuites()]) {
        if (part.errors().length > 0) counts.failed += 1;
      }
      for (const test of module.children.allTests()) {
        const state = test.result().state === 'pending' ? 'skipped' : test.result().state;
        counts[state as keyof typeof counts] += 1;
        const reason = state === 'skipped' ? /\(skipped: (.*)\)/.exec(test.fullName)?.[1] : undefined;
        if (reason !== undefined) reasons.add(reason);
      }
    }
    const skipped = Array.from(reasons, (reason) => `\nsome tests were skipped: ${reason}`);
    process.stdout.write(
      `${skipped.join('')}\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
    );
  }
}
