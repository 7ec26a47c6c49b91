/**
 * Runs sources at their scheduled times, with node-cron.
 *
 * Promises: a run of a source never overlaps the last one; a slot that comes while one is under way is left out; slots
 * missed while the process was blocked or the machine slept are made good by one run; a random delay (jitter) before each.
 * Slots missed while the process was down are the caller's to find (schedule-slots.ts). Where clocks change, a slot in the
 * skipped hour does not run that day, and one in the doubled hour runs once; a schedule in UTC runs every time.
 */
import { schedule as startTask, type ScheduledTask } from 'node-cron';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import type { Schedule } from './schedule-slots.js';

export interface ScheduledSource extends Schedule {
  readonly name: string;
  /** A scheduled run waits a random time below this. Milliseconds. */
  readonly jitterMs: number;
}

export interface SchedulerOptions {
  readonly sources: readonly ScheduledSource[];
  /** One run of a source; settled when the run has ended. */
  readonly run: (source: string) => Promise<void>;
  /** From 0 to 1, for the jitter. */
  readonly random?: () => number;
  readonly log: Logger;
}

export interface Scheduler {
  /** When each source runs next, jitter not counted. Milliseconds since the epoch. */
  next(): readonly { readonly source: string; readonly at: number }[];
  /** No run begins after this; one under way goes on. */
  stop(): void;
}

export function startScheduler(options: SchedulerOptions): Scheduler {
  const stopping = new AbortController();
  const tasks = options.sources.map((source) => ({
    source: source.name,
    task: startSource(source, options, stopping.signal),
  }));
  return {
    next: () =>
      tasks.flatMap(({ source, task }) => {
        const at = stopping.signal.aborted ? undefined : task.getNextRun()?.getTime();
        return at === undefined ? [] : [{ source, at }];
      }),
    stop() {
      stopping.abort();
      for (const { task } of tasks) void task.destroy();
    },
  };
}

function startSource(source: ScheduledSource, options: SchedulerOptions, signal: AbortSignal): ScheduledTask {
  const { log, random = Math.random } = options;
  const onSlot = async (): Promise<void> => {
    if (!(await waited(Math.floor(random() * source.jitterMs), signal))) return;
    try {
      await options.run(source.name);
    } catch (error) {
      log.error({ source: source.name, err: messageOf(error) }, 'scheduled run failed');
    }
  };
  const task = startTask(source.expression, onSlot, {
    name: source.name,
    timezone: source.timezone,
    noOverlap: true,
    // node-cron's default drops a run that starts more than a second late: one busy moment would cost a nightly sync
    missedExecutionTolerance: Number.MAX_SAFE_INTEGER,
    logger: quietLogger(log),
  });
  task.on('execution:overlap', ({ date }) =>
    log.warn({ source: source.name, slot: date }, 'scheduled run left out: the last one is still under way'),
  );
  task.on('execution:missed', ({ date }) => log.debug({ source: source.name, slot: date }, 'slot missed'));
  return task;
}

/** False when it was stopped before the time was over. */
function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  if (ms <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** node-cron tells in words what its events tell us in fields. */
function quietLogger(
  log: Logger,
): Record<'info' | 'warn' | 'error' | 'debug', (what: string | Error) => void> {
  const debug = (what: string | Error): void => log.debug({ nodeCron: messageOf(what) }, 'node-cron');
  const error = (what: string | Error): void => log.error({ err: messageOf(what) }, 'node-cron');
  return { info: debug, warn: debug, debug, error };
}
