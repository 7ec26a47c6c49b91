/**
 * Runs jobs in the pool with the configuration in force, and tells how each ended.
 *
 * A scheduled run never fails the caller: what went wrong is in the history and in the log.
 */
import type { Config } from '../config/schema.js';
import { asRollcallError } from '../errors.js';
import type { RunRecord } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';
import type { Job } from './jobs.js';
import { logRun } from './run-log.js';
import type { WorkerPool } from './worker-pool.js';

export interface RunnerOptions {
  readonly jobs: WorkerPool;
  readonly config: () => Config;
  readonly log: Logger;
}

export interface Runner {
  /** Throws what the job throws. */
  run(job: Job): Promise<RunRecord>;
  /** A sync by the schedule; never rejects. */
  scheduled(source: string): Promise<void>;
  /** A sync as soon as a thread is free, and why; one that waits already is enough. */
  soon(source: string, why: string): void;
}

export function createRunner({ jobs, config, log }: RunnerOptions): Runner {
  const due = new Set<string>();

  async function run(job: Job): Promise<RunRecord> {
    const record = await jobs.run(config(), { kind: 'job', job });
    logRun(log, record);
    return record;
  }

  async function sync(source: string, actor: string): Promise<void> {
    try {
      await run({ kind: 'sync', source, dryRun: false, actor });
    } catch (error) {
      const { code, message, hint } = asRollcallError(error);
      const fields = { source, code, err: message, ...(hint !== '' && { hint }) };
      // another process runs this source, or we are stopping: nothing is wrong
      if (code === 'conflict') log.info(fields, 'run left out');
      else log.error(fields, 'run failed');
    }
  }

  return {
    run,
    scheduled: (source) => sync(source, 'schedule'),
    soon(source, why) {
      if (due.has(source)) return;
      due.add(source);
      log.info({ source, why }, 'syncing now');
      void sync(source, 'control').finally(() => due.delete(source));
    },
  };
}
