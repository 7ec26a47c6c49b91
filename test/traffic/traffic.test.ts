import { describe, expect, it } from 'vitest';
import type { TrafficBatch } from '../../src/traffic/event.js';
import { createTraffic, type TrafficSink } from '../../src/traffic/traffic.js';
import { acceptedEvent, rejectedEvent } from './events.js';

interface FakeSink extends TrafficSink {
  readonly batches: TrafficBatch[];
  /** Lets the batch under way be written, or fail. */
  settle(error?: Error): void;
  closed: boolean;
}

/** Holds each batch until it is told to let go. */
function heldSink(): FakeSink {
  let settleOne: ((error?: Error) => void) | undefined;
  const sink: FakeSink = {
    batches: [],
    closed: false,
    settle: (error) => settleOne?.(error),
    write(batch) {
      sink.batches.push(batch);
      return new Promise((resolve, reject) => {
        settleOne = (error) => (error === undefined ? resolve() : reject(error));
      });
    },
    close() {
      sink.closed = true;
      return Promise.resolve();
    },
  };
  return sink;
}

const never = 1_000_000;

describe('traffic', () => {
  it('puts the same answers together, by hour, and keeps the newest acceptance', async () => {
    const sink = heldSink();
    const traffic = createTraffic({ sink, flushIntervalMs: never });
    traffic.record(acceptedEvent({ at: 2000 }));
    traffic.record(acceptedEvent({ at: 1000 }));
    traffic.record(acceptedEvent({ at: 3_600_000 }));
    traffic.record(rejectedEvent());
    const flushed = traffic.flush();
    sink.settle();
    await flushed;
    const [batch] = sink.batches;
    expect(batch?.counts.map((row) => [row.reason, row.hour, row.count])).toEqual([
      ['known', 0, 2],
      ['known', 1, 1],
      ['unknown', 0, 1],
    ]);
    expect(batch?.accepted).toEqual([{ tenant: 'default', key: 'anna@example.com', at: 3_600_000 }]);
    expect(batch?.rejections).toHaveLength(1);
    await traffic.close();
  });

  it('lists what observe mode let pass, and does not count it as accepted mail of that address', async () => {
    const sink = heldSink();
    const traffic = createTraffic({ sink, flushIntervalMs: never });
    traffic.record(rejectedEvent({ action: 'accept', observed: true, key: 'nobody@example.com' }));
    const closing = traffic.close();
    sink.settle();
    await closing;
    expect(sink.batches[0]).toMatchObject({ accepted: [], rejections: [{ observed: true, code: 550 }] });
    expect(sink.closed).toBe(true);
  });

  it('gathers while the writer is slow, up to the limits, and counts what it drops', async () => {
    const sink = heldSink();
    const limits = { rejections: 5, accepted: 2, counts: 3 };
    const traffic = createTraffic({ sink, flushIntervalMs: never, limits });
    traffic.record(acceptedEvent({ key: 'first@example.com' }));
    void traffic.flush();
    for (let at = 0; at < 8; at += 1) traffic.record(rejectedEvent());
    for (let at = 0; at < 4; at += 1) traffic.record(acceptedEvent({ key: `k${at}@example.com` }));
    expect(traffic.dropped()).toBe(3 + 2);
    traffic.record(rejectedEvent({ domain: 'third.example' }));
    traffic.record(acceptedEvent({ domain: 'fourth.example' }));
    expect(traffic.dropped()).toBe(3 + 2 + 2);
    expect(sink.batches).toHaveLength(1);
    sink.settle();
    const flushed = traffic.flush();
    await expect.poll(() => sink.batches.length, { timeout: 15_000 }).toBe(2);
    sink.settle();
    await flushed;
    expect(sink.batches[1]?.rejections).toHaveLength(5);
    // Counts are whole although rows of the ring are lost.
    expect(sink.batches[1]?.counts.find((row) => row.reason === 'unknown')?.count).toBe(8);
    expect(traffic.dropped()).toBe(7);
  });

  it('goes on after a batch that could not be written, and counts its events as lost', async () => {
    const sink = heldSink();
    const traffic = createTraffic({ sink, flushIntervalMs: never });
    traffic.record(rejectedEvent());
    traffic.record(rejectedEvent());
    const failing = traffic.flush();
    sink.settle(new Error('disk full'));
    await failing;
    expect(traffic.dropped()).toBe(2);
    traffic.record(rejectedEvent());
    const flushed = traffic.flush();
    sink.settle();
    await flushed;
    expect(sink.batches).toHaveLength(2);
    expect(traffic.dropped()).toBe(2);
  });

  it('flushes by itself at each interval', async () => {
    const sink = heldSink();
    const traffic = createTraffic({ sink, flushIntervalMs: 5 });
    traffic.record(rejectedEvent());
    await expect.poll(() => sink.batches.length, { timeout: 15_000 }).toBe(1);
    sink.settle();
    await traffic.close();
    traffic.record(rejectedEvent());
    expect(traffic.dropped()).toBe(1);
  });
});
