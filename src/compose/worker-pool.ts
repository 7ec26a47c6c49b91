/**
 * Runs tasks off the main thread: a few at a time, one at a time for each source, each in a worker thread of its own.
 *
 * Promises: every task settles, also when its thread dies (`internal`); the queue is bounded (`conflict` past it); `close`
 * waits, asks to stop, and cuts, in bounded time. A thread that died may have left a run open: its lease
 * runs out and the next run of the source marks it.
 */
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/schema.js';
import { messageOf, RollcallError } from '../errors.js';
import type { Progress } from '../sync/run.js';
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
  /** The worker's module; default: src/worker.ts as built. */
  readonly entry?: URL;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

export interface WorkerPool {
  run<T extends Task>(config: Config, task: T, options?: RunOptions): Promise<TaskResults[T['kind']]>;
  /** Tasks under way. */
  running(): number;
  /** Refuses new tasks; those under way have `graceMs` to end, then are aborted, then cut. */
  close(graceMs: number): Promise<void>;
}

interface Item {
  /** Tasks of one key never run side by side; undefined: with anything. */
  readonly key: string | undefined;
  readonly order: WorkerOrder;
  readonly options: RunOptions;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: Error };

/** A thread that has answered is given this long to end by itself. */
const lingerMs = 2000;

export function createWorkerPool({ size, maxWaiting = 100, entry = workerEntry() }: PoolOptions): WorkerPool {
  const waiting: Item[] = [];
  const active = new Map<Item, Thread>();
  const keys = new Set<string>();
  let closing = false;
  let emptied: (() => void) | undefined;

  function run<T extends Task>(config: Config, task: T, options: RunOptions = {}) {
    return new Promise<TaskResults[T['kind']]>((resolve, reject) => {
      if (closing || waiting.length >= maxWaiting) {
        const why = closing ? 'Rollcall is stopping' : 'too many runs are waiting';
        reject(new RollcallError('conflict', `${why}: nothing was done`, { hint: 'Try again later.' }));
        return;
      }
      const settle = (outcome: Outcome): void => {
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.result as TaskResults[T['kind']]);
      };
      waiting.push({ key: keyOf(task), order: { config, task }, options, settle });
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

  function start(item: Item): void {
    if (item.key !== undefined) keys.add(item.key);
    const thread = startThread(entry, item, (outcome) => {
      active.delete(item);
      if (item.key !== undefined) keys.delete(item.key);
      item.settle(outcome);
      startNext();
      if (active.size === 0) emptied?.();
    });
    active.set(item, thread);
  }

  async function close(graceMs: number): Promise<void> {
    closing = true;
    const stopped = new RollcallError('conflict', 'Rollcall is stopping: nothing was done');
    for (const item of waiting.splice(0)) item.settle({ error: stopped });
    if (active.size === 0) return;
    const all = new Promise<void>((resolve) => (emptied = resolve));
    const each = (act: (thread: Thread) => void) => () => [...active.values()].forEach(act);
    const aborting = setTimeout(
      each((thread) => thread.abort()),
      graceMs,
    );
    const cutting = setTimeout(
      each((thread) => thread.terminate()),
      graceMs + lingerMs,
    );
    await all;
    clearTimeout(aborting);
    clearTimeout(cutting);
  }

  return { run, running: () => active.size, close };
}

function keyOf(task: Task): string | undefined {
  if (task.kind !== 'job') return task.kind;
  return 'source' in task.job ? `source ${task.job.source}` : undefined;
}

interface Thread {
  abort(): void;
  terminate(): void;
}

function startThread(entry: URL, { order, options }: Item, onEnd: (outcome: Outcome) => void): Thread {
  let outcome: Outcome | undefined;
  let linger: NodeJS.Timeout | undefined;
  const worker = new Worker(entry, { workerData: order, name: order.task.kind });
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
    linger = setTimeout(terminate, lingerMs);
  });
  worker.on('error', (error) => (outcome ??= { error: died(order, messageOf(error)) }));
  worker.on('exit', (status) => {
    clearTimeout(linger);
    options.signal?.removeEventListener('abort', abort);
    onEnd(outcome ?? { error: died(order, `it ended with status ${status}`) });
  });
  return { abort, terminate };
}

function died({ task }: WorkerOrder, how: string): RollcallError {
  return new RollcallError('internal', `the thread of this ${task.kind} died: ${how}`, {
    hint: 'Nothing was half applied. If memory ran out, give the process more.',
  });
}

/** Threads run JavaScript only: from the TypeScript sources (tests) the built file is taken. */
function workerEntry(): URL {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/worker.js' : '../worker.js';
  return new URL(built, import.meta.url);
}
