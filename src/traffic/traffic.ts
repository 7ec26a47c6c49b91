/**
 * Traffic: what the edges saw, put together in memory and written to `traffic.db` every five seconds by another thread.
 *
 * Promises that `record` never waits, never throws, and that memory stays bounded: while the writer is slow or its disk
 * is full, events beyond the limits are dropped and counted. Loses at most one interval when the process dies.
 */
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { createAggregate } from './aggregate.js';
import type { TrafficBatch, TrafficEvent } from './event.js';

/** Where batches go. One at a time: the next is sent when the promise of the last has settled. */
export interface TrafficSink {
  /** Rejects when the batch was not written. */
  write(batch: TrafficBatch): Promise<void>;
  close(): Promise<void>;
}

export interface TrafficLimits {
  /** Kept in memory between two flushes. Defaults: 100,000 count rows, 100,000 addresses, 10,000 rejections. */
  readonly counts?: number;
  readonly accepted?: number;
  readonly rejections?: number;
}

export interface TrafficOptions {
  readonly sink: TrafficSink;
  /** Default 5,000: what is seen of one address in between becomes one write. */
  readonly flushIntervalMs?: number;
  readonly limits?: TrafficLimits;
  readonly log?: Logger;
}

export interface Traffic {
  record(event: TrafficEvent): void;
  /** Resolves when everything recorded before is written, or dropped because it could not be. */
  flush(): Promise<void>;
  /** Flushes and closes the sink. Nothing is recorded afterwards. */
  close(): Promise<void>;
  /** Events lost so far. */
  dropped(): number;
}

export function createTraffic(options: TrafficOptions): Traffic {
  const { counts = 100_000, accepted = 100_000, rejections = 10_000 } = options.limits ?? {};
  const aggregate = createAggregate({ counts, accepted, rejections });
  let writing: Promise<void> | undefined;
  let dropped = 0;
  let closed = false;

  const timer = setInterval(() => void tick(), options.flushIntervalMs ?? 5000);
  timer.unref();

  function record(event: TrafficEvent): void {
    drop(closed ? 1 : aggregate.add(event));
  }

  function drop(events: number): void {
    dropped += events;
  }

  /** Nothing while the last batch is under way: what comes meanwhile gathers, up to the limits. */
  function tick(): Promise<void> {
    if (writing !== undefined) return writing;
    const batch = aggregate.take();
    if (batch === undefined) return Promise.resolve();
    writing = write(batch).finally(() => (writing = undefined));
    return writing;
  }

  async function write(batch: TrafficBatch): Promise<void> {
    try {
      await options.sink.write(batch);
    } catch (error) {
      const events = batch.counts.reduce((sum, row) => sum + row.count, 0);
      drop(events);
      options.log?.warn({ events, err: messageOf(error) }, 'traffic not written');
    }
  }

  async function flush(): Promise<void> {
    while (writing !== undefined) await writing;
    await tick();
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    clearInterval(timer);
    await flush();
    await options.sink.close();
  }

  return { record, flush, close, dropped: () => dropped };
}
