/**
 * Tasks: what a worker thread is asked to do, how it answers, and how the answer crosses between threads.
 *
 * Only plain data crosses: the configuration is one object of strings and numbers, and an error is its code, message and
 * hint.
 */
import type { Config } from '../config/schema.js';
import { asRollcallError, RollcallError, type ErrorCode } from '../errors.js';
import type { ExportReport } from '../export/options.js';
import type { Published } from '../lookup/publish.js';
import { lookupPath } from '../lookup/schema.js';
import { directoryPath, openDirectory } from '../store/sqlite/open.js';
import type { RunRecord } from '../store/store.js';
import type { Phase } from '../sync/request.js';
import type { Job, JobHooks } from './jobs.js';

export type Task =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'recover' }
  /** Ends what a thread has left unfinished that is gone. */
  | { readonly kind: 'release'; readonly thread: number }
  | { readonly kind: 'publish'; readonly force: boolean }
  /** Reads lookup.db through, and builds it anew when it is damaged. */
  | { readonly kind: 'verify' }
  | { readonly kind: 'maintain' }
  /** Writes the map files; `onlyDue`: those that have something to do. */
  | { readonly kind: 'export'; readonly onlyDue: boolean };

export interface Recovered {
  /** Runs found unfinished. */
  readonly interrupted: readonly number[];
  readonly published?: Published;
  /** Why lookup.db could not be brought up to date; everything else is well. */
  readonly publishError?: string;
}

export interface TaskResults {
  readonly job: RunRecord;
  readonly recover: Recovered;
  readonly release: readonly number[];
  readonly publish: Published;
  readonly verify: Published | undefined;
  readonly maintain: { readonly pruned: number };
  readonly export: readonly ExportReport[];
}

export type TaskResult = TaskResults[Task['kind']];

/** What a worker is started with. */
export interface WorkerOrder {
  readonly config: Config;
  readonly task: Task;
}

export type WorkerRequest = 'abort';

export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export type WorkerReply =
  | { readonly kind: 'progress'; readonly phase: Phase; readonly done: number; readonly total?: number }
  | { readonly kind: 'done'; readonly result: TaskResult }
  | { readonly kind: 'failed'; readonly error: PlainError };

export function toPlainError(error: unknown): PlainError {
  const { code, message, hint } = asRollcallError(error);
  return { code, message, hint };
}

export function fromPlainError({ code, message, hint }: PlainError): RollcallError {
  return new RollcallError(code, message, { hint });
}

/** What a task needs is loaded for it: a thread lives as long as one task, and loading is most of what a small one costs. */
export async function performTask({ config, task }: WorkerOrder, hooks: JobHooks): Promise<TaskResult> {
  const now = hooks.now ?? Date.now;
  if (task.kind === 'job') return (await import('./jobs.js')).runJob(config, task.job, hooks);
  if (task.kind === 'export') {
    const { runExports } = await import('./exports.js');
    return runExports(config, { onlyDue: task.onlyDue }, hooks);
  }
  const house = await import('./housekeeping.js');
  if (task.kind === 'recover') return recoverStore(house.recover, config, now());
  if (task.kind === 'release') return house.release(config, task.thread, now());
  if (task.kind === 'publish') return house.publishNow(config, task.force);
  if (task.kind === 'maintain') return house.maintain(config, now());
  const { isSound } = await import('./lookup-state.js');
  return isSound(lookupPath(config.dataDir)) ? undefined : house.publishNow(config, true);
}

/** Fails only when the store itself cannot be used: a full disk must not keep control from starting. */
function recoverStore(
  recover: (config: Config, now: number) => Recovered,
  config: Config,
  now: number,
): Recovered {
  try {
    return recover(config, now);
  } catch (error) {
    openDirectory(directoryPath(config.dataDir)).close();
    return { interrupted: [], publishError: asRollcallError(error).message };
  }
}
