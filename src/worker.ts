/**
 * The worker thread of control: does one task, answers, ends. A thread of its own for every task, so that a big list's
 * memory goes back when it is done and nothing of one run can leak into the next.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { performTask, toPlainError, type WorkerOrder, type WorkerReply } from './compose/tasks.js';
import { RollcallError } from './errors.js';
import type { Progress } from './sync/request.js';

const progressEveryMs = 200;

const stopping = new AbortController();
parentPort?.on('message', () => {
  stopping.abort(new RollcallError('source', 'the run was stopped because the process is going down'));
});

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message);
}

function throttled(): Progress {
  let told = '';
  let toldAt = 0;
  return (phase, done, total) => {
    const now = Date.now();
    if (phase === told && now - toldAt < progressEveryMs) return;
    told = phase;
    toldAt = now;
    reply({ kind: 'progress', phase, done, ...(total !== undefined && { total }) });
  };
}

try {
  const result = await performTask(workerData as WorkerOrder, {
    signal: stopping.signal,
    progress: throttled(),
  });
  reply({ kind: 'done', result });
} catch (error) {
  reply({ kind: 'failed', error: toPlainError(error) });
} finally {
  parentPort?.close();
}
