/**
 * Control's watch over all drop folders: looks into each at its interval, and sooner when a file is about to settle.
 *
 * Promises: folders do not wait for each other; `stop` waits until the file in hand is put away. What goes wrong is in the log.
 */
import { join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { RollcallError } from '../../errors.js';
import type { RunRecord } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import type { Job } from '../jobs.js';
import {
  createDropFolder,
  type DropDeps,
  type DropFolder,
  type DropOptions,
  type Request,
} from './drop-folder.js';
import { troubleOf } from './trouble.js';

export interface DropWatchOptions {
  /** The configuration in force. */
  readonly config: () => Config;
  readonly run: DropDeps['run'];
  readonly problems: DropDeps['problems'];
  readonly log: Logger;
}

export interface DropWatch {
  /** Takes up what the configuration says now. */
  reload(): void;
  /** A sync of a source that has a folder, as somebody asked; undefined for any other job. */
  run(job: Job): Promise<RunRecord> | undefined;
  stop(): Promise<void>;
}

/** A folder, and how often it is looked at. */
export interface WatchedOptions extends DropOptions {
  readonly intervalMs: number;
}

/** The folder of a source, if it has one. */
export function dropOptionsOf(config: Config, name: string): WatchedOptions | undefined {
  const source = config.sources[name];
  if (source?.kind !== 'csv' || source.folder === undefined) return undefined;
  return {
    source: name,
    folder: source.folder,
    patterns: source.pattern,
    settleMs: source.settle,
    intervalMs: source.interval,
    keep: { files: source.keep.files, ageMs: source.keep.age },
    maxBytes: source.maxSize,
    lockFile: join(config.dataDir, `drop-${name}.lock`),
  };
}

export function startDropWatch({ config, run, problems, log }: DropWatchOptions): DropWatch {
  const watched = new Map<string, Watched>();
  const ending = new Set<Promise<void>>();
  const deps: DropDeps = { run, problems, tell: (level, fields, message) => log[level](fields, message) };

  function reload(): void {
    const now = config();
    for (const [name, each] of watched)
      if (JSON.stringify(dropOptionsOf(now, name)) !== JSON.stringify(each.options)) drop(name, each);
    for (const name of Object.keys(now.sources)) {
      const options = watched.has(name) ? undefined : dropOptionsOf(now, name);
      if (options !== undefined) watched.set(name, watch(options, deps, log));
    }
  }

  function drop(name: string, each: Watched): void {
    watched.delete(name);
    const ended = each.stop().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  reload();
  return {
    reload,
    run: (job) =>
      job.kind === 'sync'
        ? watched.get(job.source)?.take({ actor: job.actor, dryRun: job.dryRun, atOnce: true })
        : undefined,
    async stop() {
      for (const [name, each] of [...watched]) drop(name, each);
      await Promise.all([...ending]);
    },
  };
}

interface Watched {
  readonly options: WatchedOptions;
  /** For somebody who asked. Throws `conflict` when nothing waits. */
  take(request: Request): Promise<RunRecord>;
  /** Settles when the file in hand is put away. */
  stop(): Promise<void>;
}

const [soonestMs, pruneEveryMs] = [500, 3_600_000];

function watch(options: WatchedOptions, deps: DropDeps, log: Logger): Watched {
  const folder = createDropFolder(options, deps);
  const tell = troubleOf(options.source, log);
  let [isStopped, prunedAt] = [false, 0];
  let timer: NodeJS.Timeout | undefined;
  /** One after the other, so that two do not meet at one lock. Never rejects. */
  let last: Promise<unknown> = Promise.resolve();

  async function turn(): Promise<void> {
    if (isStopped) return;
    let nextInMs: number | undefined;
    try {
      ({ nextInMs } = await folder.take({ actor: 'folder', dryRun: false, atOnce: false }));
      tell(undefined);
      await pruneAtTimes();
    } catch (error) {
      tell(error);
    }
    again(Math.min(options.intervalMs, Math.max(soonestMs, nextInMs ?? options.intervalMs)));
  }

  async function pruneAtTimes(): Promise<void> {
    if (Date.now() - prunedAt < pruneEveryMs) return;
    prunedAt = Date.now();
    await folder.prune();
  }

  function again(inMs: number): void {
    if (!isStopped) timer = setTimeout(next, inMs).unref();
  }

  function next(): void {
    last = last.then(turn);
  }

  next();
  return {
    options,
    take(request) {
      const asked = last.then(() => takeNow(folder, options, request));
      last = asked.catch(() => undefined);
      return asked;
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await last;
    },
  };
}

/** For somebody who asked for a sync. Throws `conflict` when nothing waits. */
export async function takeNow(
  folder: DropFolder,
  { folder: path }: DropOptions,
  request: Request,
): Promise<RunRecord> {
  const { record, nextInMs } = await folder.take(request);
  if (record !== undefined) return record;
  if (nextInMs === undefined) throw new RollcallError('conflict', `no list waits in ${path}`);
  throw new RollcallError('conflict', `the list in ${path} may still be on its way`, {
    hint: `Try again in ${String(Math.ceil(nextInMs / 1000))} s, or set \`settle\` of the source lower.`,
  });
}
