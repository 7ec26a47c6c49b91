/**
 * Runs jobs in the pool, each with the configuration in force when it starts, and tells how each ended.
 *
 * Promises: a sync that control itself asks for (a slot, a start, a reload) is never turned away by a full queue, and at
 * most one of a source waits: it has read nothing yet, so it does for everybody who asks meanwhile. One that is asked for
 * while another is under way runs after it. Such a sync never fails the caller: what went wrong is in the history and in
 * the log.
 */
import type { Config } from '../config/schema.js';
import { asRollcallError, RollcallError } from '../errors.js';
import type { RunRecord } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';
import type { Job } from './jobs.js';
import { logRun } from './run-log.js';
import type { RunOptions, WorkerPool } from './worker-pool.js';

export interface RunnerOptions {
  readonly jobs: WorkerPool;
  readonly config: () => Config;
  readonly log: Logger;
  /** Until a sync that could not have its turn is tried again; default one minute. */
  readonly againMs?: number;
}

export interface Runner {
  /** Throws what the job throws. */
  run(job: Job): Promise<RunRecord>;
  /** A sync by the schedule; never rejects. */
  scheduled(source: string): Promise<void>;
  /** A sync as soon as a thread is free, and why; one that waits already is enough. */
  soon(source: string, why: string): void;
  /** Tries nothing again after this. */
  stop(): void;
}

export function createRunner({ jobs, config, log, againMs = 60_000 }: RunnerOptions): Runner {
  const waiting = new Map<string, Promise<void>>();
  const later = new Map<string, NodeJS.Timeout>();
  let stopping = false;

  async function run(job: Job, atStart: () => Config, options?: RunOptions): Promise<RunRecord> {
    const record = await jobs.run(atStart, { kind: 'job', job }, options);
    logRun(log, record);
    return record;
  }

  async function attempt(source: string, actor: string, onStart: () => void): Promise<void> {
    const atStart = (): Config => {
      onStart();
      return config();
    };
    try {
      await run({ kind: 'sync', source, dryRun: false, actor }, atStart, { admit: true });
    } catch (error) {
      const { code, message, hint } = asRollcallError(error);
      const fields = { source, code, err: message, ...(hint !== '' && { hint }) };
      if (code !== 'conflict') log.error(fields, 'run failed');
      else if (stopping) log.info(fields, 'run left out');
      else tryLater(source, actor, fields);
    }
  }

  /** Another process runs this source, perhaps with an older configuration: what we wanted to read is still to be read. */
  function tryLater(source: string, actor: string, fields: object): void {
    log.warn({ ...fields, againInMs: againMs }, 'run left out: trying again');
    clearTimeout(later.get(source));
    const timer = setTimeout(() => {
      later.delete(source);
      if (config().sources[source] !== undefined) void sync(source, actor);
    }, againMs);
    later.set(source, timer.unref());
  }

  function sync(source: string, actor: string): Promise<void> {
    const one = waiting.get(source);
    if (one !== undefined) return one;
    const turn = { came: false };
    const fresh = attempt(source, actor, () => {
      turn.came = true;
      waiting.delete(source);
    });
    // it starts at once when a thread is free
    if (turn.came) return fresh;
    waiting.set(source, fresh);
    // also when it never started: control is stopping
    return fresh.finally(() => {
      if (waiting.get(source) === fresh) waiting.delete(source);
    });
  }

  return {
    run(job) {
      const asked = config();
      return run(job, () => sameTenant(job, asked, config()));
    },
    scheduled: (source) => sync(source, 'schedule'),
    soon(source, why) {
      log.info({ source, why }, 'syncing as soon as a thread is free');
      void sync(source, 'control');
    },
    stop() {
      stopping = true;
      for (const timer of later.values()) clearTimeout(timer);
    },
  };
}

/** The configuration to run with. Throws `conflict` when the source has gone to another tenant since the job was allowed. */
function sameTenant(job: Job, asked: Config, now: Config): Config {
  const tenantIn = ({ sources }: Config): string | undefined =>
    'source' in job ? sources[job.source]?.tenant : undefined;
  const [before, after] = [tenantIn(asked), tenantIn(now)];
  if (before === after || before === undefined || after === undefined) return now;
  throw new RollcallError('conflict', 'the source belongs to another tenant now: nothing was done');
}
