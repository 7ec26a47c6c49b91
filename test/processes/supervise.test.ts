/** The supervisor of one child, with a child that is a fake and a clock that only the test moves. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { supervise } from '../../src/compose/supervise.js';
import { silentLogger } from '../../src/telemetry/log.js';

class FakeChild extends EventEmitter {
  readonly killed: string[] = [];
  constructor(readonly pid: number) {
    super();
  }
  kill(signal: string): boolean {
    this.killed.push(signal);
    return true;
  }
  die(status: number | null = 1): void {
    this.emit('exit', status, status === null ? 'SIGKILL' : null);
  }
  ready(): void {
    this.emit('message', { type: 'ready', process: 'edge', pid: this.pid, doors: [] });
  }
}

const children: FakeChild[] = [];
let readies = 0;

function start(onEarlyDeath: (status: number | null) => boolean = () => true) {
  return supervise({
    name: 'edge',
    start: () => {
      const child = new FakeChild(100 + children.length);
      children.push(child);
      return child as unknown as ChildProcess;
    },
    onReady: () => (readies += 1),
    onEarlyDeath,
    log: silentLogger(),
    now: Date.now,
  });
}

const newest = (): FakeChild => children.at(-1) ?? new FakeChild(0);

beforeEach(() => {
  vi.useFakeTimers();
  children.length = 0;
  readies = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

describe('supervise', () => {
  it('starts a child that died again, later each time, at most half a minute', async () => {
    start();
    const delays: number[] = [];
    for (let death = 0; death < 11; death += 1) {
      newest().ready();
      newest().die();
      const count = children.length;
      const diedAt = Date.now();
      while (children.length === count) await vi.advanceTimersToNextTimerAsync();
      delays.push(Date.now() - diedAt);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(readies).toBe(11);
  });

  it('begins anew with a short delay after a child that lived a minute', async () => {
    start();
    for (let death = 0; death < 4; death += 1) {
      newest().die();
      await vi.advanceTimersToNextTimerAsync();
    }
    await vi.advanceTimersByTimeAsync(60_000);
    newest().die(null);
    await vi.advanceTimersByTimeAsync(100);
    expect(children).toHaveLength(6);
  });

  it('leaves it to the caller whether a child that never came up is tried again', async () => {
    const statuses: (number | null)[] = [];
    start((status) => {
      statuses.push(status);
      return status !== 2;
    });
    newest().die(1);
    await vi.advanceTimersByTimeAsync(100);
    newest().die(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(statuses).toEqual([1, 2]);
    expect(children).toHaveLength(2);
  });

  it('starts a child that could not be started at all again', async () => {
    start();
    const failed = newest();
    Object.defineProperty(failed, 'pid', { value: undefined });
    failed.emit('error', new Error('spawn ENOMEM'));
    await vi.advanceTimersByTimeAsync(100);
    expect(children).toHaveLength(2);
  });

  it('asks a child to end, kills it when it does not, and starts none afterwards', async () => {
    const supervised = start();
    const stopped = supervised.stop(5000);
    expect(newest().killed).toEqual(['SIGTERM']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(newest().killed).toEqual(['SIGTERM', 'SIGKILL']);
    newest().die(null);
    await stopped;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(children).toHaveLength(1);
  });

  it('stops at once while it waits to start a child again', async () => {
    const supervised = start();
    newest().die();
    await supervised.stop(5000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(children).toHaveLength(1);
  });
});
