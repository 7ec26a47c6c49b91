/** The watch of control: exports follow what is published, one round at a time, and a failure is tried again. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchExports, type ExportWatch } from '../../src/compose/export-watch.js';
import type { Config } from '../../src/config/schema.js';
import type { ExportReport } from '../../src/export/options.js';
import { silentLogger } from '../../src/telemetry/log.js';

let mark: string;
let rounds: { at: number; onlyDue: boolean }[];
let fails: boolean;
let busy: boolean;
let release: (() => void) | undefined;
let watch: ExportWatch;

const busyReport: ExportReport = {
  ...{ name: 'edge', state: 'failed', format: 'plain', path: '/x', generation: null, domains: [], hint: '' },
  ...{ reasons: ['another process'], warnings: [], hook: null, busy: true },
};

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  [mark, rounds, fails, busy, release] = ['1', [], false, false, undefined];
  watch = watchExports({
    // only whether there are any exports is looked at
    config: () => ({ exports: { edge: {} } }) as unknown as Config,
    mark: () => mark,
    run: (onlyDue) => {
      rounds.push({ at: Date.now() / 1000, onlyDue });
      if (fails) return Promise.reject(new Error('disk full'));
      if (busy) return Promise.resolve([busyReport]);
      return release === undefined ? Promise.resolve([]) : new Promise((done) => (release = () => done([])));
    },
    log: silentLogger(),
  });
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

describe('the watch over exports', () => {
  it('looks at all of them at a start and after a reload, and at those with work after each publish', async () => {
    await vi.advanceTimersByTimeAsync(5000);
    mark = '2';
    await vi.advanceTimersByTimeAsync(5000);
    watch.reload();
    await vi.advanceTimersByTimeAsync(5000);
    expect(rounds).toEqual([
      { at: 1, onlyDue: false },
      { at: 6, onlyDue: true },
      { at: 11, onlyDue: false },
    ]);
  });

  it('tries again in ten minutes, also when a round failed', async () => {
    fails = true;
    await vi.advanceTimersByTimeAsync(1_300_000);
    expect(rounds.map(({ at }) => at)).toEqual([1, 601, 1201]);
  });

  it('tries again in seconds while another process is at it', async () => {
    busy = true;
    await vi.advanceTimersByTimeAsync(12_000);
    busy = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rounds.map(({ at }) => at)).toEqual([1, 6, 11, 16]);
  });

  it('has one round at a time, and one more for what was published meanwhile', async () => {
    release = () => undefined;
    await vi.advanceTimersByTimeAsync(1000);
    mark = '2';
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rounds).toHaveLength(1);
    release();
    await vi.advanceTimersByTimeAsync(1000);
    expect(rounds).toHaveLength(2);
  });
});
