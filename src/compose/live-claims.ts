/**
 * Has the list claim what live look-ups have found: what comes within a second is one run.
 *
 * Promises one run of a source at a time, bounded batches, and another try while a sync has the source. What is dropped at last
 * is not lost: it is found again with the next mail for it.
 */
import type { Entry } from '../source/source.js';
import { asRollcallError } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

export interface LiveClaimsOptions {
  /** Claims entries as a run of their source. Throws `conflict` while another run has it. */
  readonly run: (source: string, entries: readonly Entry[]) => Promise<unknown>;
  readonly log: Logger;
  /** Until a batch is claimed; default 1 s. */
  readonly gatherMs?: number;
  /** Until it is tried again; default 10 s. */
  readonly againMs?: number;
}

export interface LiveClaims {
  add(source: string, entries: readonly Entry[]): void;
  /** Drops what waits: the sources are others now. */
  forget(): void;
  close(): void;
}

/** Of one source. */
const maxWaiting = 500;
const maxTries = 60;

interface Batch {
  /** By the object's id: its newest state counts. */
  entries: Map<string, Entry>;
  timer: NodeJS.Timeout | undefined;
  isRunning: boolean;
  tries: number;
}

export function createLiveClaims(options: LiveClaimsOptions): LiveClaims {
  const { log, gatherMs = 1000, againMs = 10_000 } = options;
  const batches = new Map<string, Batch>();
  let closed = false;

  function add(source: string, entries: readonly Entry[]): void {
    const batch = batchOf(source);
    for (const entry of entries)
      if (batch.entries.size < maxWaiting || batch.entries.has(entry.id)) batch.entries.set(entry.id, entry);
    wake(source, batch, gatherMs);
  }

  function batchOf(source: string): Batch {
    let batch = batches.get(source);
    if (batch === undefined) {
      batch = { entries: new Map(), timer: undefined, isRunning: false, tries: 0 };
      batches.set(source, batch);
    }
    return batch;
  }

  function wake(source: string, batch: Batch, ms: number): void {
    if (closed || batch.isRunning || batch.timer !== undefined || batch.entries.size === 0) return;
    batch.timer = setTimeout(() => void flush(source, batch), ms).unref();
  }

  async function flush(source: string, batch: Batch): Promise<void> {
    batch.timer = undefined;
    const taken = batch.entries;
    batch.entries = new Map();
    batch.isRunning = true;
    let again = gatherMs;
    try {
      await options.run(source, [...taken.values()]);
      batch.tries = 0;
    } catch (error) {
      again = putBack(source, batch, taken, error);
    }
    batch.isRunning = false;
    if (batches.get(source) === batch) wake(source, batch, again);
  }

  /** Returns when to try again. */
  function putBack(source: string, batch: Batch, taken: Map<string, Entry>, error: unknown): number {
    const { code, message } = asRollcallError(error);
    batch.tries += 1;
    if (code === 'conflict' && batch.tries < maxTries) {
      batch.entries = new Map([...taken, ...batch.entries]);
      return againMs;
    }
    batch.tries = 0;
    if (!closed)
      log.error({ source, code, err: message, entries: taken.size }, 'the claim of found entries went wrong');
    return gatherMs;
  }

  function forget(): void {
    for (const { timer } of batches.values()) clearTimeout(timer);
    batches.clear();
  }

  return {
    add,
    forget,
    close() {
      closed = true;
      forget();
    },
  };
}
