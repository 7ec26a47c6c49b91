/** The pool of worker threads, with a worker that does as the job says. */
import { describe, expect, it } from 'vitest';
import type { Job } from '../../src/compose/jobs.js';
import { createWorkerPool, type WorkerPool } from '../../src/compose/worker-pool.js';
import type { Config } from '../../src/config/schema.js';
import { parseConfig } from '../../src/config/load.js';

/** Obeys the source's name: `ok`, `fail`, `throw`, `exit`, `hang` (until it is aborted), `deaf` (for ever). */
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
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
  `)}`,
);

function configOf(): Config {
  const parsed = parseConfig('{}', { file: '/tmp/config.json' });
  if (!parsed.ok) throw new Error('the empty configuration is right');
  return parsed.config;
}
const config = configOf();

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
    await workers.close(1000);
    expect(
      (await outcomes).map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : code(outcome.reason))),
    ).toEqual(['ok', 'source', 'internal', 'conflict']);
    await expect(workers.run(config, job('ok'))).rejects.toMatchObject({ code: 'conflict' });
  });
});

function code(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
