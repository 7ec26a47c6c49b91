/**
 * The thread that owns `traffic.db`. Answers each batch with `{}` or `{ error }`; ends on `close`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { openTrafficDatabase, type TrafficDatabase } from './database.js';
import type { ThreadSinkOptions, WorkerReply, WorkerRequest } from './sink.js';

const options = workerData as ThreadSinkOptions;
let database: TrafficDatabase | undefined;

parentPort?.on('message', (request: WorkerRequest) => {
  if (request === 'close') {
    database?.close();
    parentPort?.close();
  } else parentPort?.postMessage(write(request));
});

function write(request: { readonly batch: Parameters<TrafficDatabase['write']>[0] }): WorkerReply {
  try {
    database ??= openTrafficDatabase(options);
    database.write(request.batch);
    return {};
  } catch (error) {
    return { error: `${options.path}: ${messageOf(error)}` };
  }
}
