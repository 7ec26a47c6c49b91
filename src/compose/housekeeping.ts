/**
 * Housekeeping: everything that writes directory.db and lookup.db and reads no source. Not with the jobs, because a thread that only
 * publishes should not load what reads directories.
 */
import type { Config } from '../config/schema.js';
import { messageOf, RollcallError } from '../errors.js';
import { readLookupMark } from '../lookup/mark.js';
import { publish, type Published } from '../lookup/publish.js';
import { lookupPath } from '../lookup/schema.js';
import { registerSource } from '../store/sqlite/catalog.js';
import { setAllPending } from '../store/sqlite/coverage.js';
import { prune } from '../store/sqlite/maintain.js';
import { markOf, stampOf, type Mark } from '../store/sqlite/meta.js';
import { directoryPath, openDirectory, type Db } from '../store/sqlite/open.js';
import { interruptRunsOfThread, markInterrupted } from '../store/sqlite/runs.js';
import { sweepStaging } from '../store/sqlite/staging.js';

/** Brings lookup.db up to directory.db; `force` builds it anew. */
export function publishNow(config: Config, force = false): Published {
  const lookupFile = lookupPath(config.dataDir);
  openStore(config).close();
  try {
    return publish({ directoryFile: directoryPath(config.dataDir), lookupFile, force });
  } catch (cause) {
    throw new RollcallError('store', `${lookupFile} could not be brought up to date: ${messageOf(cause)}`, {
      cause,
      hint: 'The edges keep the generation they have; the next run publishes again.',
    });
  }
}

export interface Started {
  /** Runs found unfinished. */
  readonly interrupted: readonly number[];
  readonly published: Published;
}

/** What every start of control does first: finds what a crash left, and publishes. */
export function recover(config: Config, now: number): Started {
  const db = openStore(config);
  try {
    for (const [name, { tenant, kind }] of Object.entries(config.sources))
      if (kind !== 'smtp') registerSource(db, tenant, name, kind);
    const interrupted = markInterrupted(db, now);
    sweepStaging(db);
    return { interrupted, published: publishNow(config) };
  } finally {
    db.close();
  }
}

/** A thread of this process is gone: its run is over, and its source free. Returns the run, if there was one. */
export function release(config: Config, thread: number, now: number): readonly number[] {
  const db = openStore(config);
  try {
    const interrupted = interruptRunsOfThread(db, now, thread);
    sweepStaging(db);
    return interrupted;
  } finally {
    db.close();
  }
}

/**
 * Opens directory.db. A restored backup lacks whoever was added since: before anything is published from it, its lists are marked
 * to make nobody unknown until each is read again.
 */
export function openStore(config: Config): Db {
  const db = openDirectory(directoryPath(config.dataDir));
  if (wasRestored(config, db)) setAllPending(db);
  return db;
}

/** The edges' snapshot knows more than the directory, or another past. It is read first: it never runs ahead. */
function wasRestored(config: Config, db: Db): boolean {
  const published = publishedMark(config);
  if (published === undefined) return false;
  const mark = markOf(db);
  if (published.generation > mark.generation) return true;
  const stamp = published.generation === mark.generation ? mark.stamp : stampOf(db, published.generation);
  return stamp !== undefined && stamp !== published.stamp;
}

function publishedMark(config: Config): Mark | undefined {
  try {
    const published = readLookupMark(lookupPath(config.dataDir));
    return typeof published === 'string' ? undefined : published;
  } catch {
    // whoever publishes meets what is wrong, and looks once more
    return undefined;
  }
}

/** Once a day: drops history and tombstones that are too old to matter. */
export function maintain(config: Config, now: number): { readonly pruned: number } {
  const db = openDirectory(directoryPath(config.dataDir));
  try {
    const pruned = prune(db, { now, historyMs: config.sync.history });
    if (pruned.removals > 0) publishNow(config, true);
    return { pruned: pruned.runs };
  } finally {
    db.close();
  }
}
