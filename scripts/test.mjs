/**
 * `npm test [-- FILES…]`: installs what is missing (packages, build, real peers), then passes every test.
 *
 * The last line on stdout is always `N passed, N failed, N skipped`. The exit status is 0 only when tests ran and none
 * failed; with CI=true a real peer that is missing is a failure too, because its tests prove the main job. Skipped tests
 * are named.
 */

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installPeers, pathWithSbin } from './peers.mjs';
import { root, run, runScript, say, setUp } from './setup.mjs';

const resultsFile = join(root, `.cache/test-results-${process.pid}.json`);
const inCi = /^(1|true)$/i.test(process.env.CI ?? '');

function runVitest(args) {
  mkdirSync(dirname(resultsFile), { recursive: true });
  const env = { ...process.env, PATH: pathWithSbin, ROLLCALL_TEST_RESULTS: resultsFile };
  if (!process.stdout.isTTY) env.NO_COLOR = '1';
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  return run(process.execPath, [vitest, 'run', ...args], { env, stdio: ['ignore', 1, 2] });
}

/** What test/support/reporter.ts counted; a run that died before it could is one failure. */
function readResults() {
  const died = { passed: 0, failed: ['the test run did not finish'], skipped: [] };
  if (!existsSync(resultsFile)) return died;
  const results = JSON.parse(readFileSync(resultsFile, 'utf8'));
  rmSync(resultsFile);
  return results;
}

function loud(title, lines) {
  if (lines.length === 0) return;
  say(`\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

function test(args) {
  setUp();
  const peers = installPeers();
  const status = runVitest(args);
  const { passed, failed, skipped } = readResults();

  loud('FAILED:', failed);
  loud(`SKIPPED: ${skipped.length} tests`, skipped);
  const gone = peers.missing.map((name) => `SKIPPED: real ${name} not installed (${peers.reason})`);
  loud(`SKIPPED: what needs a missing server${inCi ? ', a failure because CI is set' : ''}`, gone);
  if (passed + failed.length === 0) say('\nNo test ran: a failure.');

  const bad = status !== 0 || failed.length > 0 || passed === 0 || (inCi && peers.missing.length > 0);
  return { passed, failed: failed.length, skipped: skipped.length, bad };
}

await runScript(() => {
  let counts = { passed: 0, failed: 1, skipped: 0, bad: true };
  try {
    counts = test(process.argv.slice(2));
  } finally {
    // Written at once, after everything else, and last of all.
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
  return counts.bad ? 1 : 0;
});
