/** Schedules, with a clock that only the test moves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startScheduler, type ScheduledSource, type Scheduler } from '../../src/sync/schedule.js';
import { silentLogger } from '../../src/telemetry/log.js';

const minute = 60_000;
let scheduler: Scheduler | undefined;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  scheduler?.stop();
  vi.useRealTimers();
});

function at(time: string): void {
  vi.setSystemTime(Date.parse(time));
}

/** Starts one source; returns the times at which it ran. */
function start(source: Partial<ScheduledSource>, lastsMs = 0, random = () => 0): string[] {
  const ran: string[] = [];
  scheduler = startScheduler({
    sources: [{ name: 'staff', expression: '* * * * *', timezone: 'UTC', jitterMs: 0, ...source }],
    run: async () => {
      ran.push(new Date().toISOString().replace('.000Z', 'Z'));
      if (lastsMs > 0) await new Promise((resolve) => setTimeout(resolve, lastsMs));
    },
    random,
    log: silentLogger(),
  });
  return ran;
}

describe('scheduler', () => {
  it('runs at the times of the expression, in its time zone', async () => {
    at('2026-01-10T12:00:00Z');
    const ran = start({ expression: '0 2 * * *', timezone: 'Europe/Berlin' });
    expect(scheduler?.next()).toEqual([{ source: 'staff', at: Date.parse('2026-01-11T01:00:00Z') }]);
    await vi.advanceTimersByTimeAsync(48 * 60 * minute);
    expect(ran).toEqual(['2026-01-11T01:00:00Z', '2026-01-12T01:00:00Z']);
  });

  it('follows the clocks: nothing in the hour that spring skips, a run in each of the two that autumn has', async () => {
    at('2026-03-28T12:00:00Z');
    const spring = start({ expression: '30 2 * * *', timezone: 'Europe/Berlin' });
    await vi.advanceTimersByTimeAsync(48 * 60 * minute);
    expect(spring).toEqual(['2026-03-30T00:30:00Z']);
    scheduler?.stop();
    at('2026-10-24T12:00:00Z');
    const autumn = start({ expression: '30 2 * * *', timezone: 'Europe/Berlin' });
    await vi.advanceTimersByTimeAsync(24 * 60 * minute);
    expect(autumn).toEqual(['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']);
    scheduler?.stop();
    // and whoever runs every few minutes does not pause for an hour
    at('2026-10-24T23:40:00Z');
    const often = start({ expression: '*/15 * * * *', timezone: 'Europe/Berlin' });
    await vi.advanceTimersByTimeAsync(2.5 * 60 * minute);
    expect(often).toHaveLength(10);
  });

  it('goes on by a clock that was set back, and by one that was set forward, without walking through the years', async () => {
    at('2036-01-10T12:00:30Z');
    const ran = start({ timezone: 'Europe/Berlin' });
    await vi.advanceTimersByTimeAsync(minute);
    at('2026-01-10T12:00:30Z');
    await vi.advanceTimersByTimeAsync(3 * minute);
    expect(ran.at(-1)).toMatch(/^2026-01-10T12:0[23]/);
    const before = ran.length;
    const began = vi.getRealSystemTime();
    at('2046-01-10T12:00:30Z');
    await vi.advanceTimersByTimeAsync(minute);
    expect(ran.slice(before)).toEqual([expect.stringMatching(/^2046-01-10T12:0/)]);
    expect(vi.getRealSystemTime() - began).toBeLessThan(5000);
  });

  it('waits a random time below the jitter before each run', async () => {
    at('2026-01-10T12:00:30Z');
    const draws = [0.5, 0.999, 0];
    const ran = start({ jitterMs: 20_000 }, 0, () => draws.shift() ?? 0);
    await vi.advanceTimersByTimeAsync(3 * minute);
    expect(ran).toEqual(['2026-01-10T12:01:10Z', '2026-01-10T12:02:19.980Z', '2026-01-10T12:03:00Z']);
  });

  it('never lets two runs of a source overlap: a slot that comes meanwhile is left out', async () => {
    at('2026-01-10T12:00:30Z');
    const ran = start({}, 2.5 * minute);
    await vi.advanceTimersByTimeAsync(8 * minute);
    expect(ran).toEqual(['2026-01-10T12:01:00Z', '2026-01-10T12:04:00Z', '2026-01-10T12:07:00Z']);
  });

  it('makes slots that passed while the process was blocked good by exactly one run, however late', async () => {
    at('2026-01-10T12:00:30Z');
    const ran = start({ expression: '*/5 * * * *' });
    // the clock jumps and no timer has fired: a machine that slept
    at('2026-01-10T15:02:00Z');
    await vi.advanceTimersByTimeAsync(2.5 * minute);
    expect(ran).toEqual(['2026-01-10T15:03:00Z']);
    await vi.advanceTimersByTimeAsync(6 * minute);
    expect(ran.slice(1)).toEqual(['2026-01-10T15:05:00Z', '2026-01-10T15:10:00Z']);
  });

  it('goes on after a run that throws', async () => {
    at('2026-01-10T12:00:30Z');
    let runs = 0;
    scheduler = startScheduler({
      sources: [{ name: 'staff', expression: '* * * * *', timezone: 'UTC', jitterMs: 0 }],
      run: () => {
        runs += 1;
        return Promise.reject(new Error('no'));
      },
      log: silentLogger(),
    });
    await vi.advanceTimersByTimeAsync(3 * minute);
    expect(runs).toBe(3);
  });

  it('begins nothing after a stop, not even a run that waits for its jitter', async () => {
    at('2026-01-10T12:00:30Z');
    const ran = start({ jitterMs: 20_000 }, 0, () => 0.9);
    await vi.advanceTimersByTimeAsync(35_000);
    scheduler?.stop();
    await vi.advanceTimersByTimeAsync(5 * minute);
    expect(ran).toEqual([]);
    expect(scheduler?.next()).toEqual([]);
  });
});
