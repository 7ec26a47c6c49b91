/** The runner, with a pool in which the test says when a task starts and ends. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Job } from '../../src/compose/jobs.js';
import { createRunner, type Runner } from '../../src/compose/runner.js';
import type { WorkerPool } from '../../src/compose/worker-pool.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { RollcallError } from '../../src/errors.js';
import type { RunRecord } from '../../src/store/store.js';
import { silentLogger } from '../../src/telemetry/log.js';

interface Queued {
  readonly job: Job;
  readonly admit: boolean;
  /** The configuration it starts with. */
  readonly start: () => Config;
  readonly end: () => void;
  readonly refuse: (error: Error) => void;
}

let queue: Queued[];
let config: Config;
let runner: Runner;
const warned = vi.fn();

const pool = {
  run: (start: () => Config, task: { job: Job }, options?: { admit?: boolean }) =>
    new Promise((resolve, reject) => {
      const end = (): void => resolve(record);
      queue.push({ job: task.job, admit: options?.admit === true, start, end, refuse: reject });
    }),
  running: () => 0,
  close: () => Promise.resolve(0),
} as unknown as WorkerPool;

const record = { state: 'applied', reasons: [], counts: {} } as unknown as RunRecord;

beforeEach(() => {
  vi.useFakeTimers();
  queue = [];
  config = configOf('default');
  warned.mockReset();
  const log = Object.assign(silentLogger(), { warn: warned });
  runner = createRunner({ jobs: pool, config: () => config, log });
});
afterEach(() => {
  runner.stop();
  vi.useRealTimers();
});

function configOf(tenant: string): Config {
  const json = {
    tenants: { acme: {} },
    sources: { staff: { kind: 'csv', path: '/tmp/list.csv', tenant } },
  };
  const parsed = parseConfig(JSON.stringify(json), { file: '/tmp/config.json' });
  if (!parsed.ok) throw new Error('this configuration is right');
  return parsed.config;
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('runner', () => {
  it('syncs once more when it is asked while a sync is under way, with what is in force then', async () => {
    runner.soon('staff', 'changed');
    queue[0]?.start();
    config = configOf('acme');
    runner.soon('staff', 'domain example.com changed');
    expect(queue).toHaveLength(2);
    queue[0]?.end();
    await settled();
    expect(queue[1]?.start()).toBe(config);
  });

  it('has at most one sync of a source waiting, which starts with the newest configuration', async () => {
    runner.soon('staff', 'changed');
    const slot = runner.scheduled('staff');
    config = configOf('acme');
    runner.soon('staff', 'changed');
    expect(queue).toHaveLength(1);
    expect(queue[0]?.start()).toBe(config);
    queue[0]?.end();
    await slot;
    runner.soon('staff', 'changed');
    expect(queue).toHaveLength(2);
  });

  it('is not turned away by a full queue, unlike a person', () => {
    runner.soon('staff', 'changed');
    void runner.run({ kind: 'sync', source: 'staff', dryRun: false, actor: 'token:a' });
    expect(queue.map(({ admit }) => admit)).toEqual([true, false]);
  });

  it('says loudly that a sync could not be run, and tries it again', async () => {
    const slot = runner.scheduled('staff');
    queue[0]?.start();
    queue[0]?.refuse(new RollcallError('conflict', 'run 7 of source staff is still in progress'));
    await slot;
    expect(warned).toHaveBeenCalledOnce();
    expect(queue).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(queue).toHaveLength(2);
  });

  it('tries nothing again once it is stopped', async () => {
    const refuse = (at: number): void => queue[at]?.refuse(new RollcallError('conflict', 'no'));
    runner.soon('staff', 'changed');
    refuse(0);
    await settled();
    runner.stop();
    runner.soon('staff', 'changed');
    refuse(1);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(queue).toHaveLength(2);
  });

  it('asks again after one that ended before it started', async () => {
    runner.soon('staff', 'changed');
    queue[0]?.refuse(new RollcallError('internal', 'no'));
    await settled();
    runner.soon('staff', 'changed');
    expect(queue).toHaveLength(2);
  });

  it("never puts one tenant's upload into a source that has become another's", async () => {
    const upload = { path: '/tmp/a', label: 'a' };
    void runner.run({ kind: 'upload', source: 'staff', dryRun: false, actor: 'token:a', upload });
    config = configOf('acme');
    expect(() => queue[0]?.start()).toThrow('another tenant');
  });
});
