import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recover } from '../../src/compose/jobs.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
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

test('a start on a restored backup makes nobody unknown until the lists are read again', async () => {
  await house.sync({ entries: people(30) });
  const backup = join(house.folder, 'backup.db');
  house.db.exec(`VACUUM INTO '${backup}'`);
  await house.sync({ entries: people(33) });
  house.db.close();
  for (const suffix of ['-wal', '-shm']) rmSync(house.directoryFile + suffix, { force: true });
  copyFileSync(backup, house.directoryFile);
  expect(recover(config(), house.now).published.how).toBe('rebuilt');
  expect(house.answer('p31@example.com')).toBe('defer stale 451 4.4.3');
  expect(house.answer('p3@example.com')).toBe('accept known 250 2.1.5');
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
