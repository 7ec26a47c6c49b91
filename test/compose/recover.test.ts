import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recover } from '../../src/compose/housekeeping.js';
import { runJob } from '../../src/compose/jobs.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { nextGeneration } from '../../src/store/sqlite/meta.js';
import { openDirectory } from '../../src/store/sqlite/open.js';
import { people } from '../support/array-source.js';
import { House } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => {
  house.close();
});

function config(): Config {
  const parsed = parseConfig('{}', { file: join(house.folder, 'config.json') });
  if (!parsed.ok) throw new Error('the empty configuration is refused');
  return { ...parsed.config, dataDir: house.folder };
}

/** The same with a list of another domain. */
function withSchool(): Config {
  const text = JSON.stringify({
    dataDir: house.folder,
    domains: { 'school.example': { sources: ['school'] } },
    sources: { school: { kind: 'csv', path: join(house.folder, 'list.csv') } },
  });
  const parsed = parseConfig(text, { file: join(house.folder, 'config.json') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

async function backedUp(): Promise<string> {
  await house.sync({ entries: people(30) });
  const backup = join(house.folder, 'backup.db');
  house.db.exec(`VACUUM INTO '${backup}'`);
  return backup;
}

function restore(backup: string): void {
  house.db.close();
  for (const suffix of ['-wal', '-shm']) rmSync(house.directoryFile + suffix, { force: true });
  copyFileSync(backup, house.directoryFile);
}

test('a start on a restored backup makes nobody unknown until the lists are read again', async () => {
  const backup = await backedUp();
  await house.sync({ entries: people(33) });
  restore(backup);
  expect(recover(config(), house.now).published.how).toBe('rebuilt');
  expect(house.answer('p31@example.com')).toBe('defer stale 451 4.4.3');
  expect(house.answer('p3@example.com')).toBe('accept known 250 2.1.5');
});

test.each([0, 1, 2])(
  'nor does a sync of another source before control starts, with %i runs between backup and snapshot',
  async (runs) => {
    const backup = await backedUp();
    for (let run = 0; run <= runs; run += 1) await house.sync({ entries: people(33 + run) });
    restore(backup);
    writeFileSync(join(house.folder, 'list.csv'), 'email\nc@school.example\n');
    for (let again = 0; again < 2; again += 1) {
      const job = { kind: 'sync', source: 'school', dryRun: false, actor: 'test' } as const;
      expect(await runJob(withSchool(), job, { signal: new AbortController().signal })).toMatchObject({
        complete: true,
      });
      expect(house.answer('p31@example.com')).toBe('defer stale 451 4.4.3');
    }
    recover(withSchool(), house.now);
    expect(house.answer('p31@example.com')).toBe('defer stale 451 4.4.3');
  },
);

test('a restored directory is told by its stamp when it has gone on past the snapshot', async () => {
  const backup = await backedUp();
  await house.sync({ entries: people(31) });
  restore(backup);
  const db = openDirectory(house.directoryFile);
  for (const generation of [2, 3]) {
    db.transaction(() => {
      nextGeneration(db);
      db.prepare(
        `INSERT INTO run (run, tenant, source, kind, actor, state, started_at, generation, stamp)
         SELECT ?, 1, 1, 'sync', 'test', 'applied', 0, ?, value FROM meta WHERE name = 'stamp'`,
      ).run(generation, generation);
    })();
  }
  db.close();
  recover(config(), house.now);
  expect(house.answer('p30@example.com')).toBe('defer stale 451 4.4.3');
});

test('an ordinary start changes nothing', async () => {
  await house.sync({ entries: people(30) });
  expect(recover(config(), house.now)).toMatchObject({
    interrupted: [],
    published: { how: 'coverage only' },
  });
  expect(house.answer('nobody@example.com')).toBe('reject unknown 550 5.1.1');
});

test('a snapshot that is merely behind is no sign of a restore', async () => {
  await house.sync({ entries: people(30) });
  house.publish = () => undefined;
  await house.sync({ entries: people(33) });
  expect(recover(config(), house.now).published).toMatchObject({ how: 'changes', generation: 2 });
  expect(house.answer('nobody@example.com')).toBe('reject unknown 550 5.1.1');
});
