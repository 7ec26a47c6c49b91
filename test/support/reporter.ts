/**
 * Our test reporter: one line per file, every failure with its diff, the slowest tests, and the counts as JSON.
 *
 * The JSON goes to the file named by ROLLCALL_TEST_RESULTS, for scripts/test.mjs, which prints the last line. A file that
 * cannot be loaded, a hook that fails and an error outside every test count as failures of their own.
 */

import { writeFileSync } from 'node:fs';
import { DefaultReporter, type TestCase, type TestModule } from 'vitest/node';

const slowestShown = 10;

/** What scripts/test.mjs reads. */
export interface TestResults {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

export class RollcallReporter extends DefaultReporter {
  constructor() {
    super({ summary: false });
  }

  override onTestRunEnd(...[modules, errors, reason]: Parameters<DefaultReporter['onTestRunEnd']>): void {
    super.onTestRunEnd(modules, errors, reason);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    this.printSlowest(tests);
    writeResults({
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed: [
        ...tests.filter((test) => test.result().state === 'failed').map(nameOf),
        ...modules.flatMap(brokenOutsideTests),
        ...errors.map((error) => `error outside every test: ${error.message}`),
        ...(reason === 'interrupted' ? ['the run was interrupted'] : []),
      ],
      skipped: tests.filter((test) => ['skipped', 'pending'].includes(test.result().state)).map(nameOf),
    });
  }

  private printSlowest(tests: readonly TestCase[]): void {
    const slowest = tests
      .map((test) => ({ test, duration: test.diagnostic()?.duration ?? 0 }))
      .filter(({ duration }) => duration >= 300)
      .sort((a, b) => b.duration - a.duration)
      .slice(0, slowestShown);
    if (slowest.length === 0) return;
    this.log('Slowest tests');
    for (const { test, duration } of slowest) {
      this.log(`${(duration / 1000).toFixed(1).padStart(8)} s  ${nameOf(test)}`);
    }
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

/** A file that does not load and a suite whose hook fails: their tests never ran, so they count here. */
function brokenOutsideTests(module: TestModule): string[] {
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
  return [
    ...module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`),
    ...suites.map(
      (suite) => `${module.relativeModuleId} > ${suite.fullName}: ${suite.errors()[0]?.message ?? ''}`,
    ),
  ];
}

function writeResults(results: TestResults): void {
  const file = process.env['ROLLCALL_TEST_RESULTS'];
  if (file !== undefined) writeFileSync(file, JSON.stringify(results));
}
