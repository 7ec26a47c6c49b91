import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dueAtStart } from '../../src/compose/due.js';
import { runJob } from '../../src/compose/jobs.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { RunRecord } from '../../src/store/store.js';
import { House } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => {
  house.close();
});

/** Two lists for one domain, and a third for another. */
function config(): Config {
  const list = (name: string, guard = {}): unknown => ({
    kind: 'csv',
    path: join(house.folder, `${name}.csv`),
    guard,
  });
  const text = JSON.stringify({
    dataDir: house.folder,
    domains: {
      'example.com': { sources: ['staff', 'school'] },
      'elsewhere.example': { sources: ['other'] },
    },
    sources: {
      staff: list('staff'),
      school: list('school', { canaries: ['c@example.com'] }),
      other: list('other'),
    },
  });
  const parsed = parseConfig(text, { file: join(house.folder, 'config.json') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

function list(name: string, ...addresses: string[]): void {
  writeFileSync(join(house.folder, `${name}.csv`), `email\n${addresses.join('\n')}\n`);
}

function sync(source: string, dryRun = false): Promise<RunRecord> {
  const job = { kind: 'sync', source, dryRun, actor: 'test' } as const;
  return runJob(config(), job, { signal: new AbortController().signal });
}

test('removals wait while another source of the domain is in error, and go when it is well again', async () => {
  list('staff', 'a@example.com', 'b@example.com', 'moved@example.com');
  list('school', 'c@example.com');
  list('other', 'd@elsewhere.example');
  for (const name of ['staff', 'school', 'other']) await sync(name);
  writeFileSync(join(house.folder, 'school.csv'), '%PDF-1.7 no list at all');
  writeFileSync(join(house.folder, 'other.csv'), '%PDF-1.7 no list at all');
  expect(await sync('school')).toMatchObject({ state: 'refused' });
  expect(await sync('other')).toMatchObject({ state: 'refused' });

  list('staff', 'a@example.com', 'b@example.com', 'new@example.com');
  const run = await sync('staff');
  expect(run).toMatchObject({ state: 'partly-held', counts: { added: 1, removed: 0, held: 1 } });
  expect(run.reasons).toEqual([
    'removals wait: source school, which also speaks for example.com, is in error (run 4 refused)',
  ]);

  list('school', 'c@example.com', 'moved@example.com');
  expect(await sync('school')).toMatchObject({ state: 'applied' });
  expect(await sync('staff')).toMatchObject({ state: 'applied', counts: { removed: 1 } });
});

test('a preview that fails says nothing about the source: neither its neighbours wait, nor is it read at the next start', async () => {
  list('staff', 'a@example.com', 'b@example.com');
  list('school', 'c@example.com');
  for (const name of ['staff', 'school']) await sync(name);
  rmSync(join(house.folder, 'school.csv'));
  expect(await sync('school', true)).toMatchObject({ kind: 'preview', state: 'failed' });
  list('staff', 'a@example.com');
  expect(await sync('staff')).toMatchObject({ state: 'applied', counts: { removed: 1 } });
  const due = dueAtStart(config(), Date.now()).map(({ source }) => source);
  expect(due).toEqual(['other']);
});

test('a list that was cut short is in error too: who moved to it may be in the part that is missing', async () => {
  list('staff', 'a@example.com', 'b@example.com', 'moved@example.com');
  list('school', 'c@example.com', 'd@example.com');
  for (const name of ['staff', 'school']) await sync(name);
  list('school', 'd@example.com');
  expect(await sync('school')).toMatchObject({ complete: false });
  list('staff', 'a@example.com', 'b@example.com');
  const run = await sync('staff');
  expect(run).toMatchObject({ state: 'held', counts: { removed: 0, held: 1 } });
  expect(run.reasons).toEqual([
    'removals wait: source school, which also speaks for example.com, is in error (run 3 was not complete)',
  ]);
  list('school', 'c@example.com', 'd@example.com', 'moved@example.com');
  expect(await sync('school')).toMatchObject({ state: 'applied', complete: true });
  expect(await sync('staff')).toMatchObject({ state: 'applied', counts: { removed: 1 } });
});
