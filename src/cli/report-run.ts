/** The end of every command that makes a run: prints its record, what to do next, and gives its exit status. */
import type { Config } from '../config/schema.js';
import type { RunRecord } from '../store/store.js';
import { summariseRun } from '../store/summary.js';
import type { Context } from './context.js';
import { withDirectory, withTraffic } from './directory.js';
import { nextStep, removalSample, runHeading } from './run-text.js';
import { statusOfRun } from './status.js';

const sampleRows = 200;

export async function reportRun(context: Context, config: Config, record: RunRecord): Promise<number> {
  const sample = context.json ? [] : await sampleOf(context, config, record);
  context.answer(summariseRun(record), () => [
    ...runHeading(record),
    ...sample.map((line) => `  ${line}`),
    ...nextStep(record).map((line) => `  ${line}`),
  ]);
  return statusOfRun(record.state);
}

async function sampleOf(context: Context, config: Config, record: RunRecord): Promise<string[]> {
  const { heldOf } = await import('../store/sqlite/claims.js');
  const held = await withDirectory(config, (db) => heldOf(db, record.run, sampleRows));
  return await withTraffic(config, (traffic) =>
    removalSample(held, record, (key) => traffic.lastAccepted(record.tenant, key), context.now()),
  );
}
