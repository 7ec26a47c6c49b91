/** The watch over lookup.db, with a state that the test sets and a clock that only the test moves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LookupState } from '../../src/compose/lookup-state.js';
import { watchLookup, type LookupWatch } from '../../src/compose/lookup-watch.js';
import { silentLogger } from '../../src/telemetry/log.js';

let state: LookupState;
let fails: boolean;
let published: { at: number; force: boolean }[];
let watch: LookupWatch;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  [state, fails, published] = ['current', false, []];
  watch = watchLookup({
    look: () => state,
    publish: (force) => {
      published.push({ at: Date.now() / 1000, force });
      if (fails) return Promise.reject(new Error('disk full'));
      state = 'current';
      return Promise.resolve({ generation: 1, how: 'rebuilt', lockedMs: 0 });
    },
    log: silentLogger(),
  });
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

describe('watch over lookup.db', () => {
  it('leaves a current file alone and publishes one that is missing or damaged within a second', async () => {
    await vi.advanceTimersByTimeAsync(10_000);
    expect(published).toEqual([]);
    for (const bad of ['missing', 'damaged'] as const) {
      state = bad;
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(published.map(({ force }) => force)).toEqual([false, true]);
  });

  it('gives a run a few seconds to publish what it changed, and then does it, whatever else runs', async () => {
    state = 'behind';
    await vi.advanceTimersByTimeAsync(3000);
    state = 'current';
    await vi.advanceTimersByTimeAsync(3000);
    state = 'behind';
    await vi.advanceTimersByTimeAsync(3000);
    expect(published).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(published.map(({ force }) => force)).toEqual([false]);
  });

  it('does not wait for a clock that was set back', async () => {
    [fails, state] = [true, 'missing'];
    await vi.advanceTimersByTimeAsync(1000);
    vi.setSystemTime(Date.now() - 365 * 86_400_000);
    fails = false;
    await vi.advanceTimersByTimeAsync(3000);
    expect(state).toBe('current');
  });

  it('tries again less and less often while it fails, and at once after that', async () => {
    [fails, state] = [true, 'missing'];
    await vi.advanceTimersByTimeAsync(130_000);
    expect(published.map(({ at }) => at)).toEqual([1, 2, 4, 8, 16, 32, 64, 124]);
    fails = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(published).toHaveLength(9);
    state = 'missing';
    await vi.advanceTimersByTimeAsync(1000);
    expect(published).toHaveLength(10);
  });
});
