/**
 * The two ways to the database: in this thread (tests, tools), or in a worker thread, so that a slow disk never delays an
 * answer. The worker is started at the first batch, and again at the next one if it has died; a batch it did not
 * acknowledge counts as not written.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { RollcallError } from '../errors.js';
import { openTrafficDatabase, type TrafficDatabase, type TrafficDatabaseOptions } from './database.js';
import type { TrafficBatch } from './event.js';
import type { TrafficSink } from './traffic.js';

/** What crosses to the worker's side: no functions. */
export type ThreadSinkOptions = Omit<TrafficDatabaseOptions, 'now'>;

export type WorkerRequest = { readonly batch: TrafficBatch } | 'close';
export interface WorkerReply {
  readonly error?: string;
}

/** Writes in the calling thread. Opens the file at the first batch. */
export function directSink(options: TrafficDatabaseOptions): TrafficSink {
  let database: TrafficDatabase | undefined;
  return {
    async write(batch) {
      await Promise.resolve();
      database ??= openTrafficDatabase(options);
      database.write(batch);
    },
    async close() {
      await Promise.resolve();
      database?.close();
    },
  };
}

/** Writes in a worker thread of its own. */
export function threadSink(options: ThreadSinkOptions): TrafficSink {
  let worker: Worker | undefined;

  function start(): Worker {
    const started = new Worker(workerEntry(), { workerData: options, name: 'traffic' });
    started.unref();
    const gone = (): void => {
      if (worker === started) worker = undefined;
    };
    started.on('error', gone);
    started.on('exit', gone);
    return started;
  }

  async function write(batch: TrafficBatch): Promise<void> {
    worker ??= start();
    const reply = await exchange(worker, { batch });
    if (reply.error !== undefined) throw new RollcallError('store', reply.error);
  }

  async function close(): Promise<void> {
    if (worker === undefined) return;
    const closing = worker;
    const exited = once(closing, 'exit');
    closing.postMessage('close' satisfies WorkerRequest);
    await exited;
  }

  return { write, close };
}

function exchange(worker: Worker, request: WorkerRequest): Promise<WorkerReply> {
  const { promise, resolve, reject } = deferred<WorkerReply>();
  const onExit = (): void => reject(new RollcallError('store', 'the traffic thread has ended'));
  worker.on('message', resolve).on('error', reject).on('exit', onExit);
  // While a batch is under way the process stays.
  worker.ref();
  worker.postMessage(request);
  return promise.finally(() => {
    worker.off('message', resolve).off('error', reject).off('exit', onExit);
    worker.unref();
  });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function deferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  // The executor of a promise runs at once.
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}

/** Threads run JavaScript only: from the TypeScript sources (tests) the built file is taken. */
function workerEntry(): URL {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/traffic/worker.js' : './worker.js';
  return new URL(built, import.meta.url);
}
