/** A worker thread that ends and leaves a run open: its source is free at once, and nothing of it stays. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWorkerPool } from '../../src/compose/worker-pool.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { getRun } from '../../src/store/sqlite/run-records.js';
import { House } from '../support/house.js';

const built = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;

/** Worker threads as they are, but for jobs of some actors: those leave a run open, two by dying while it writes. */
const entry = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from 'node:worker_threads';
    const { config, task } = workerData;
    const how = task.kind === 'job' ? task.job.actor : '';
    if (!['exits', 'throws', 'fails'].includes(how)) await import(${JSON.stringify(built('worker.js'))});
    else {
      const { registerSource } = await import(${JSON.stringify(built('store/sqlite/catalog.js'))});
      const { directoryPath, openDirectory } = await import(${JSON.stringify(built('store/sqlite/open.js'))});
      const { beginRun } = await import(${JSON.stringify(built('store/sqlite/runs.js'))});
      const { openStaging } = await import(${JSON.stringify(built('store/sqlite/staging.js'))});
      const db = openDirectory(directoryPath(config.dataDir));
      const ref = registerSource(db, 'default', task.job.source, 'csv');
      const { run } = beginRun(db, { ref, kind: 'sync', actor: how, now: Date.now(), leaseMs: 600000 });
      openStaging(db, run);
      if (how === 'fails') {
        db.close();
        const error = { code: 'store', message: 'that could not be recorded', hint: '' };
        parentPort.postMessage({ kind: 'failed', error });
      } else db.exec('BEGIN IMMEDIATE; DELETE FROM claim');
      if (how === 'exits') process.exit(1);
      if (how === 'throws') setImmediate(() => { throw new Error('a defect'); });
    }
  `)}`,
);

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => {
  house.close();
});

function config(): Config {
  const text = JSON.stringify({
    dataDir: house.folder,
    domains: { 'example.com': { sources: ['staff'] } },
    sources: { staff: { kind: 'csv', path: join(house.folder, 'list.csv') } },
  });
  const parsed = parseConfig(text, { file: join(house.folder, 'config.json') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

describe('a thread that ends in the middle of a run', () => {
  it.each([
    ['exits', 'internal', 'it ended with status 1'],
    ['throws', 'internal', 'a defect'],
    ['fails', 'store', 'could not be recorded'],
  ])('and %s frees its source at once', async (actor, code, why) => {
    writeFileSync(join(house.folder, 'list.csv'), 'email\na@example.com\nb@example.com\n');
    const workers = createWorkerPool({ size: 1, entry });
    const sync = (who: string): Promise<unknown> =>
      workers.run(config, { kind: 'job', job: { kind: 'sync', source: 'staff', dryRun: false, actor: who } });
    expect(await sync('control')).toMatchObject({ run: 1, state: 'applied' });
    const dies = expect(sync(actor)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(why) as string,
    });
    // it waited for the one that dies
    const next = sync('control');
    await dies;
    expect(getRun(house.db, 2)).toMatchObject({
      state: 'interrupted',
      reasons: ['the thread of the run ended before it did'],
    });
    expect(readdirSync(join(house.folder, 'staging'))).not.toContain('run-2.db');
    expect(await next).toMatchObject({ run: 3, state: 'unchanged' });
    expect(house.claims()).toContain('b@example.com');
    expect(await workers.close(0)).toBe(0);
  });
});
