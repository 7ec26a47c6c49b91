/**
 * The scheduler: runs each source at the times of its schedule.
 *
 * Promises: at most one run of a source at a time; a slot that comes while one is under way, or waits for its jitter, is left
 * out and logged. However late a slot is noticed (the process was busy, the machine slept), it runs, and slots that passed
 * together run once. A clock that is set forward or back is noticed within a minute, at the cost of one look.
 */
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { firstSlotAfter, type Schedule } from './schedule-slots.js';

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

/** Timers count by a clock that nobody sets, so the one on the wall is looked at as often as this. */
const lookEveryMs = 60_000;
/** From one 29th of February to the next, over a year like 2100. */
const horizonMs = 9 * 366 * 86_400_000;

export function startScheduler(options: SchedulerOptions): Scheduler {
  const stopping = new AbortController();
  const watches = options.sources.map((source) => watchSource(source, options, stopping.signal));
  return {
    next: () => (stopping.signal.aborted ? [] : watches.flatMap((next) => next())),
    stop: () => stopping.abort(),
  };
}

/** Returns what tells its next slot. */
function watchSource(
  source: ScheduledSource,
  options: SchedulerOptions,
  signal: AbortSignal,
): () => { source: string; at: number }[] {
  let lookedAt = Date.now();
  let next = slotAfter(lookedAt);
  let isRunning = false;
  let timer: NodeJS.Timeout | undefined;

  function slotAfter(now: number): number | undefined {
    return firstSlotAfter(source, now, now + horizonMs);
  }

  function look(): void {
    const now = Date.now();
    const isDue = next !== undefined && now >= next;
    if (isDue) onSlot();
    // where the clock was set back, the slot that was waited for may be years away
    if (isDue || now < lookedAt) next = slotAfter(now);
    lookedAt = now;
    arm();
  }

  function arm(): void {
    const wait = Math.min(lookEveryMs, Math.max(0, (next ?? Infinity) - Date.now()));
    timer = setTimeout(look, wait);
  }

  function onSlot(): void {
    if (isRunning) {
      options.log.warn(
        { source: source.name, slot: new Date(next ?? 0) },
        'scheduled run left out: the last one is still under way',
      );
      return;
    }
    isRunning = true;
    void runOnce(source, options, signal).finally(() => (isRunning = false));
  }

  arm();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  return () => (next === undefined ? [] : [{ source: source.name, at: next }]);
}

/** Never rejects. */
async function runOnce(
  source: ScheduledSource,
  { run, random = Math.random, log }: SchedulerOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!(await waited(Math.floor(random() * source.jitterMs), signal))) return;
  try {
    await run(source.name);
  } catch (error) {
    log.error({ source: source.name, err: messageOf(error) }, 'scheduled run failed');
  }
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
