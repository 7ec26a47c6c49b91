/**
 * Runs tasks off the main thread: a few at a time, one at a time for each source, each in a worker thread of its own.
 *
 * Promises: every task settles, also when its thread dies or cannot be started (`internal`); the queue is bounded, and so
 * is one source's part of it (`conflict` past it); `close` waits, asks to stop, cuts, and at last leaves behind what does
 * not even end then, in bounded time. A run that a thread has left open is ended, and its source free, before the task
 * settles.
 */
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/schema.js';
import { asRollcallError, messageOf, RollcallError } from '../errors.js';
import type { Progress } from '../sync/request.js';
import {
  fromPlainError,
  type Task,
  type TaskResults,
  type WorkerOrder,
  type WorkerReply,
  type WorkerRequest,
} from './tasks.js';

export interface PoolOptions {
  /** Tasks at a time. */
  readonly size: number;
  /** Tasks that may wait; default 100. */
  readonly maxWaiting?: number;
  /** Tasks of one source, or decisions on runs of one tenant, that may wait; default 4. */
  readonly maxWaitingEach?: number;
  /** The worker's module; default: src/worker.ts as built. */
  readonly entry?: URL;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Waits however many others do: the caller sees to it that such tasks are few. */
  readonly admit?: boolean;
}

export interface WorkerPool {
  /** `config` is asked when the task starts, so that one that waited works by what is in force then. */
  run<T extends Task>(config: () => Config, task: T, options?: RunOptions): Promise<TaskResults[T['kind']]>;
  /** Tasks under way. */
  running(): number;
  /**
   * Refuses new tasks; those under way have `graceMs` to end, then are aborted, then cut. Resolves with how many threads
   * did not end even so: the process cannot exit by itself while there is one.
   */
  close(graceMs: number): Promise<number>;
}

interface Item {
  /** Tasks of one key never run side by side; undefined: with anything. */
  readonly key: string | undefined;
  /** Those who share this share a part of the queue. */
  readonly share: string | undefined;
  readonly config: () => Config;
  readonly task: Task;
  readonly options: RunOptions;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: Error };

/** A thread that has answered, was aborted or was cut is given this long to end. */
const lingerMs = 2000;

export function createWorkerPool(options: PoolOptions): WorkerPool {
  const { size, maxWaiting = 100, maxWaitingEach = 4, entry = workerEntry() } = options;
  const waiting: Item[] = [];
  const active = new Map<Item, Thread>();
  const keys = new Set<string>();
  let closed: Promise<number> | undefined;
  let emptied: (() => void) | undefined;

  function whyNot(share: string | undefined): string | undefined {
    if (waiting.length >= maxWaiting) return 'too many runs are waiting';
    const ofShare = waiting.filter((item) => share !== undefined && item.share === share).length;
    return ofShare >= maxWaitingEach ? `too many runs of ${share ?? ''} are waiting` : undefined;
  }

  function run<T extends Task>(config: () => Config, task: T, options: RunOptions = {}) {
    return new Promise<TaskResults[T['kind']]>((resolve, reject) => {
      const share = shareOf(task);
      const full = options.admit === true ? undefined : whyNot(share);
      const why = closed === undefined ? full : 'Rollcall is stopping';
      if (why !== undefined) {
        reject(new RollcallError('conflict', `${why}: nothing was done`, { hint: 'Try again later.' }));
        return;
      }
      const settle = (outcome: Outcome): void => {
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.result as TaskResults[T['kind']]);
      };
      waiting.push({ key: keyOf(task), share, config, task, options, settle });
      startNext();
    });
  }

  function startNext(): void {
    while (active.size < size) {
      const next = waiting.findIndex(({ key }) => key === undefined || !keys.has(key));
      const [item] = next < 0 ? [] : waiting.splice(next, 1);
      if (item === undefined) return;
      start(item);
    }
  }

  /** Never throws: a task that cannot be started ends with why, and the next one has its turn. */
  function start(item: Item): void {
    if (item.key !== undefined) keys.add(item.key);
    try {
      const order = { config: item.config(), task: item.task };
      const onEnd = (outcome: Outcome, left?: number): void => {
        if (left === undefined || !release(item, order, left, outcome)) goOn(item, outcome);
      };
      active.set(item, startThread(entry, order, item.options, onEnd));
    } catch (error) {
      end(item, { error: asRollcallError(error) });
    }
  }

  /** In the place of the thread that ended. False when there is nothing to release, or nobody to do it. */
  function release(item: Item, { config, task }: WorkerOrder, thread: number, outcome: Outcome): boolean {
    if (task.kind !== 'job' || closed !== undefined) return false;
    try {
      const order: WorkerOrder = { config, task: { kind: 'release', thread } };
      active.set(
        item,
        startThread(entry, order, {}, () => goOn(item, outcome)),
      );
      return true;
    } catch {
      return false;
    }
  }

  function goOn(item: Item, outcome: Outcome): void {
    end(item, outcome);
    startNext();
    if (active.size === 0) emptied?.();
  }

  function end(item: Item, outcome: Outcome): void {
    active.delete(item);
    if (item.key !== undefined) keys.delete(item.key);
    item.settle(outcome);
  }

  async function endAll(graceMs: number): Promise<number> {
    const stopped = new RollcallError('conflict', 'Rollcall is stopping: nothing was done');
    for (const item of waiting.splice(0)) item.settle({ error: stopped });
    if (active.size === 0) return 0;
    const threads = (): Thread[] => [...active.values()];
    const timers = [
      setTimeout(() => threads().forEach((thread) => thread.abort()), graceMs),
      setTimeout(() => threads().forEach((thread) => thread.terminate()), graceMs + lingerMs),
    ];
    await new Promise<void>((resolve) => {
      emptied = resolve;
      // a thread inside a system call that never returns does not hear that it is cut
      timers.push(setTimeout(resolve, graceMs + 2 * lingerMs));
    });
    timers.forEach(clearTimeout);
    const stuck = [...active];
    for (const [item, thread] of stuck) {
      thread.leave();
      end(item, { error: died(item.task, 'it did not end when it was cut') });
    }
    return stuck.length;
  }

  const close = (graceMs: number): Promise<number> => (closed ??= endAll(graceMs));

  return { run, running: () => active.size, close };
}

function keyOf(task: Task): string | undefined {
  if (task.kind !== 'job') return task.kind;
  return 'source' in task.job ? `source ${task.job.source}` : undefined;
}

/** Decisions on runs may run side by side, but one tenant's must not fill the queue. */
function shareOf(task: Task): string | undefined {
  const key = keyOf(task);
  if (key !== undefined || task.kind !== 'job' || 'source' in task.job) return key;
  return task.job.tenant === undefined ? undefined : `tenant ${task.job.tenant}`;
}

interface Thread {
  abort(): void;
  terminate(): void;
  /** Keeps nothing waiting any more. */
  leave(): void;
}

/** Throws when no thread can be made. `left`: the thread's number, when it may have left a run open. */
function startThread(
  entry: URL,
  order: WorkerOrder,
  options: RunOptions,
  onEnd: (outcome: Outcome, left?: number) => void,
): Thread {
  const { task } = order;
  let outcome: Outcome | undefined;
  let fault: string | undefined;
  let isOpen = false;
  let linger: NodeJS.Timeout | undefined;
  const worker = new Worker(entry, { workerData: order, name: task.kind });
  const { threadId } = worker;
  const terminate = (): void => void worker.terminate();
  const abort = (): void => worker.postMessage('abort' satisfies WorkerRequest);
  options.signal?.addEventListener('abort', abort, { once: true });
  if (options.signal?.aborted === true) abort();

  worker.on('message', (reply: WorkerReply) => {
    if (reply.kind === 'progress') {
      options.progress?.(reply.phase, reply.done, reply.total);
      return;
    }
    outcome = reply.kind === 'done' ? { result: reply.result } : { error: fromPlainError(reply.error) };
    // how the run ended may be what could not be written
    isOpen = reply.kind === 'failed' && reply.error.code === 'store';
    linger = setTimeout(terminate, lingerMs);
  });
  worker.on('error', (error) => (fault = messageOf(error)));
  worker.on('exit', (status) => {
    clearTimeout(linger);
    options.signal?.removeEventListener('abort', abort);
    if (outcome !== undefined) onEnd(outcome, isOpen ? threadId : undefined);
    else onEnd({ error: died(task, fault ?? `it ended with status ${status}`) }, threadId);
  });
  return { abort, terminate, leave: () => worker.unref() };
}

function died({ kind }: Task, how: string): RollcallError {
  return new RollcallError('internal', `the thread of this ${kind} died: ${how}`, {
    hint: 'Nothing was half applied. If memory ran out, give the process more.',
  });
}

/** Threads run JavaScript only: from the TypeScript sources (tests) the built file is taken. */
function workerEntry(): URL {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/worker.js' : '../worker.js';
  return new URL(built, import.meta.url);
}
