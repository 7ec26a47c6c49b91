/** The pool of worker threads, with a worker that does as the job says. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../src/compose/jobs.js';
import { createWorkerPool, type RunOptions, type WorkerPool } from '../../src/compose/worker-pool.js';
import type { Config } from '../../src/config/schema.js';
import { parseConfig } from '../../src/config/load.js';

/**
 * Obeys the source's name: `ok`, `fail`, `throw`, `exit`, `hang` (until it is aborted), `deaf` (for ever), `stuck` (in the
 * opening of a pipe; it cannot even be cut).
 */
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { openSync } from 'node:fs';
    import { parentPort, workerData } from 'node:worker_threads';
    const [what, ms] = workerData.task.job.source.split(' ');
    const reply = (message) => parentPort.postMessage(message);
    const done = () => { reply({ kind: 'done', result: workerData.task.job.source }); parentPort.close(); };
    if (what !== 'deaf') parentPort.on('message', () => {
      reply({ kind: 'failed', error: { code: 'source', message: 'stopped', hint: '' } });
      parentPort.close();
    });
    reply({ kind: 'progress', phase: 'reading', done: 1, total: 2 });
    if (what === 'ok') setTimeout(done, Number(ms ?? 0));
    if (what === 'fail') reply({ kind: 'failed', error: { code: 'not-found', message: 'no source', hint: 'Look.' } });
    if (what === 'throw') throw new Error('out of memory');
    if (what === 'exit') process.exit(3);
    if (what === 'deaf') setInterval(() => undefined, 1000);
    if (what === 'stuck') setTimeout(() => openSync(ms), 50);
  `)}`,
);

function configOf(): Config {
  const parsed = parseConfig('{}', { file: '/tmp/config.json' });
  if (!parsed.ok) throw new Error('the empty configuration is right');
  return parsed.config;
}
const empty = configOf();
const config = (): Config => empty;

function job(source: string): { kind: 'job'; job: Job } {
  return { kind: 'job', job: { kind: 'sync', source, dryRun: false, actor: 'test' } };
}

function pool(size = 2, maxWaiting = 100): WorkerPool {
  return createWorkerPool({ size, maxWaiting, entry });
}

describe('worker pool', () => {
  it('gives back what the task gave, its errors whole, and its progress', async () => {
    const workers = pool();
    const seen: unknown[] = [];
    const progress = (...told: unknown[]): void => void seen.push(told);
    expect(await workers.run(config, job('ok'), { progress })).toBe('ok');
    expect(seen).toEqual([['reading', 1, 2]]);
    await expect(workers.run(config, job('fail'))).rejects.toMatchObject({
      name: 'RollcallError',
      code: 'not-found',
      message: 'no source',
      hint: 'Look.',
    });
  });

  it('rejects with `internal` when the thread dies, and goes on', async () => {
    const workers = pool(1);
    await expect(workers.run(config, job('throw'))).rejects.toMatchObject({ code: 'internal' });
    await expect(workers.run(config, job('exit'))).rejects.toMatchObject({ code: 'internal' });
    expect(await workers.run(config, job('ok'))).toBe('ok');
    expect(workers.running()).toBe(0);
  });

  it('runs no more than its size at a time, and one of a source', async () => {
    const workers = pool(2);
    const order: string[] = [];
    const run = async (source: string): Promise<void> => {
      await workers.run(config, job(source));
      order.push(source);
    };
    const all = [run('ok 300'), run('ok 300'), run('ok 1'), run('ok 2')];
    expect(workers.running()).toBe(2);
    await Promise.all(all);
    // the second `ok 300` had to wait for the first, and let the others pass
    expect(order.indexOf('ok 1')).toBe(0);
    expect(order.at(-1)).toBe('ok 300');
  });

  it('refuses what is more than may wait', async () => {
    const workers = pool(1, 1);
    const first = workers.run(config, job('ok 100'));
    const second = workers.run(config, job('ok 1'));
    await expect(workers.run(config, job('ok 2'))).rejects.toMatchObject({ code: 'conflict' });
    await Promise.all([first, second]);
  });

  it('leaves others their part of the queue, and always takes what must be taken', async () => {
    const workers = createWorkerPool({ size: 1, maxWaitingEach: 2, maxWaiting: 4, entry });
    const run = (source: string, options?: RunOptions): Promise<unknown> =>
      workers.run(config, job(source), options);
    const all = [run('ok 100'), run('ok 100'), run('ok 100')];
    await expect(run('ok 100')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('source ok 100') as string,
    });
    all.push(run('ok 1'), run('ok 2'));
    await expect(run('ok 3')).rejects.toMatchObject({ code: 'conflict' });
    all.push(run('ok 3', { admit: true }));
    await Promise.all(all);
  });

  it('counts decisions on the runs of one tenant together', async () => {
    const workers = createWorkerPool({ size: 1, maxWaitingEach: 1, entry });
    const decide = (tenant: string): Promise<unknown> =>
      workers.run(config, { kind: 'job', job: { kind: 'discard', run: 1, actor: 'test', tenant } });
    const first = workers.run(config, job('ok 50'));
    // without a source the worker dies; what matters is whether they had their turn
    const second = expect(decide('acme')).rejects.toMatchObject({ code: 'internal' });
    await expect(decide('acme')).rejects.toMatchObject({ code: 'conflict' });
    await expect(decide('other')).rejects.toMatchObject({ code: 'internal' });
    await Promise.all([first, second]);
  });

  it('asks for the configuration when a task starts', async () => {
    const workers = pool(1);
    const asked: string[] = [];
    const named = (name: string) => (): Config => {
      asked.push(name);
      return empty;
    };
    const first = workers.run(named('first'), job('ok 50'));
    const second = workers.run(named('second'), job('ok'));
    expect(asked).toEqual(['first']);
    await Promise.all([first, second]);
    expect(asked).toEqual(['first', 'second']);
  });

  it('settles a task that cannot be started, and goes on with that source and the others', async () => {
    const workers = pool(1);
    const broken = (): Config => {
      throw new Error('no memory');
    };
    await expect(workers.run(broken, job('ok'))).rejects.toMatchObject({
      code: 'internal',
      message: 'no memory',
    });
    // what cannot be copied into a thread: `new Worker` throws
    const notData = (): Config => ({ ...empty, bad: () => undefined }) as Config;
    const first = workers.run(config, job('ok 20'));
    const afterIt = expect(workers.run(notData, job('ok 20'))).rejects.toMatchObject({ code: 'internal' });
    expect(await workers.run(config, job('ok'))).toBe('ok');
    await Promise.all([first, afterIt]);
    expect(await workers.run(config, job('ok 20'))).toBe('ok 20');
    expect(workers.running()).toBe(0);
  });

  it('hands an abort on', async () => {
    const stop = new AbortController();
    const running = pool().run(config, job('hang'), {
      signal: stop.signal,
      progress: () => stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'source', message: 'stopped' });
  });

  it('at its close lets short tasks end, stops long ones, cuts deaf ones, and refuses new ones', async () => {
    const workers = pool(3);
    const short = workers.run(config, job('ok 100'));
    const long = workers.run(config, job('hang'));
    const deaf = workers.run(config, job('deaf'));
    const waiting = workers.run(config, job('ok'));
    const outcomes = Promise.allSettled([short, long, deaf, waiting]);
    expect(await workers.close(1000)).toBe(0);
    expect(
      (await outcomes).map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : code(outcome.reason))),
    ).toEqual(['ok', 'source', 'internal', 'conflict']);
    await expect(workers.run(config, job('ok'))).rejects.toMatchObject({ code: 'conflict' });
  });

  it('closes in bounded time also when a thread cannot be cut', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-pool-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const workers = pool();
    const stuck = expect(workers.run(config, job(`stuck ${pipe}`))).rejects.toMatchObject({
      code: 'internal',
    });
    const [left, leftAgain] = await Promise.all([workers.close(200), workers.close(200)]);
    await stuck;
    expect([left, leftAgain, workers.running()]).toEqual([1, 1, 0]);
    // lets the thread go
    closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    rmSync(folder, { recursive: true });
  });
});

function code(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
