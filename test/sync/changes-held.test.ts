/** What waits for a person, while changes and claims of single entries go on. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Entry } from '../../src/source/source.js';
import { readCoverage } from '../../src/store/sqlite/coverage.js';
import type { RunRecord } from '../../src/store/store.js';
import { runClaim } from '../../src/sync/claim.js';
import type { Reading } from '../../src/sync/request.js';
import { createScope } from '../../src/sync/scope.js';
import { approveRun } from '../../src/sync/settle.js';
import { person } from '../support/array-source.js';
import { domainOptions, hour, House, type SyncOptions } from '../support/house.js';
import { LiveDirectory } from '../support/live-directory.js';

let house: House;
let directory: LiveDirectory;
beforeEach(() => {
  house = new House();
  directory = new LiveDirectory();
  for (let n = 0; n < 40; n += 1) directory.put(`id-${n}`, `p${n}@example.com`);
});
afterEach(() => {
  house.close();
});

const known = 'accept known 250 2.1.5';
const removed = 'defer removed 450 4.2.1';
const reading: Reading = {
  incremental: true,
  madeFrom: 'a',
  fullSchedule: { expression: '@daily', timezone: 'UTC' },
  listEveryMs: 24 * hour,
};

function sync(options: SyncOptions & { how?: Partial<Reading> } = {}): Promise<RunRecord> {
  house.now += 60_000;
  return house.syncFrom(directory.source(), { reading: { ...reading, ...options.how }, ...options });
}

function claim(...entries: Entry[]): RunRecord {
  house.now += 60_000;
  return runClaim(house.deps, {
    ref: house.ref(),
    actor: 'live',
    entries,
    scope: createScope(house.domains),
    maxProblems: 10,
  });
}

const approve = (run: number): RunRecord => approveRun(house.deps, { ref: house.ref(), run, actor: 'test' });

describe('removals that are held', () => {
  async function holdTwenty(): Promise<RunRecord> {
    await sync();
    for (let n = 0; n < 20; n += 1) directory.delete(`id-${n}`);
    const run = await sync();
    expect(run).toMatchObject({ mode: 'full', state: 'held', resolution: 'pending', counts: { held: 20 } });
    return run;
  }

  test('of somebody who has come back cannot be approved any more', async () => {
    const held = await holdTwenty();
    directory.put('id-3', 'p3@example.com');
    const newer = await sync();
    expect(() => approve(held.run)).toThrow('has changed');
    expect(newer).toMatchObject({ mode: 'full', resolution: 'pending', counts: { held: 19 } });
    approve(newer.run);
    expect(house.answer('p3@example.com')).toBe(known);
    expect(house.answer('p4@example.com')).toBe(removed);
  });

  test('of somebody who was found when mail came cannot be approved any more', async () => {
    const held = await holdTwenty();
    directory.put('id-3', 'p3@example.com', 'third@example.com');
    claim(person('id-3', ['p3@example.com', 'third@example.com']));
    expect(() => approve(held.run)).toThrow('has changed');
    expect(house.answer('p3@example.com')).toBe(known);
    expect(house.answer('third@example.com')).toBe(known);
  });

  test('stay held when they are told again', async () => {
    const held = await holdTwenty();
    for (let n = 0; n < 5; n += 1) directory.delete(`id-${n}`);
    expect(await sync()).toMatchObject({ mode: 'changes', state: 'unchanged' });
    expect(house.answer('p3@example.com')).toBe(known);
    approve(held.run);
    expect(house.answer('p3@example.com')).toBe(removed);
  });

  test('stay held when a listing is without them, also where nobody of a domain is left', async () => {
    house.domains.push(domainOptions('small.example'));
    directory.put('id-60', 'a@small.example');
    directory.put('id-61', 'b@small.example');
    await sync();
    directory.delete('id-60');
    directory.delete('id-61');
    expect(await sync()).toMatchObject({ mode: 'full', state: 'held' });
    house.now += hour;
    expect(await sync({ how: { listEveryMs: hour } })).toMatchObject({ mode: 'changes', state: 'unchanged' });
    expect(house.answer('a@small.example')).toBe(known);
  });
});

test('a denial that is held does not come over somebody who was enabled again', async () => {
  await sync();
  for (let n = 0; n < 20; n += 1)
    directory.putEntry(person(`id-${n}`, [`p${n}@example.com`], { disabled: true }));
  const held = await sync();
  expect(held).toMatchObject({ mode: 'full', state: 'held', counts: { held: 20 } });
  directory.putEntry(person('id-3', ['p3@example.com']));
  const newer = await sync();
  expect(() => approve(held.run)).toThrow('has changed');
  approve(newer.run);
  expect(house.answer('p3@example.com')).toBe(known);
  expect(house.answer('p4@example.com')).toBe('reject disabled 550 5.2.1');
});

test('a denial that is held of somebody who has left meanwhile leaves the others to be approved', async () => {
  await sync();
  for (let n = 0; n < 20; n += 1)
    directory.putEntry(person(`id-${n}`, [`p${n}@example.com`], { disabled: true }));
  await sync();
  directory.delete('id-3');
  const newer = await sync();
  expect(newer).toMatchObject({ mode: 'full', resolution: 'pending' });
  approve(newer.run);
  expect(house.answer('p3@example.com')).toBe(removed);
  expect(house.answer('p4@example.com')).toBe('reject disabled 550 5.2.1');
});

test('a mass removal in slices from one domain is held once it is over the limit of a domain', async () => {
  const limits = { removals: { percent: 100, floor: 5, domainPercent: 50 } };
  house.domains.push(domainOptions('small.example'));
  for (let n = 0; n < 20; n += 1) directory.put(`small-${n}`, `p${n}@small.example`);
  const slice = async (from: number): Promise<RunRecord> => {
    for (let n = from; n < from + 5; n += 1) directory.delete(`small-${n}`);
    return sync({ limits });
  };
  await sync({ limits });
  expect(await slice(0)).toMatchObject({ mode: 'changes', counts: { removed: 5 } });
  expect(await slice(5)).toMatchObject({ mode: 'changes', counts: { removed: 5 } });
  expect(await slice(10)).toMatchObject({
    mode: 'full',
    state: 'held',
    counts: { held: 5 },
    reasons: [
      '15 of 20 addresses in small.example would be removed, 10 of them already gone by reads of changes; the limit for one domain is 50 %',
    ],
  });
  expect(house.answer('p12@small.example')).toBe(known);
  expect(await sync({ limits })).toMatchObject({ mode: 'changes', state: 'unchanged' });
  expect(house.answer('p12@small.example')).toBe(known);
  house.now += 24 * hour;
  expect(await sync({ limits })).toMatchObject({ mode: 'full', state: 'applied', counts: { removed: 5 } });
});

test('a mass removal in slices is held once it is over the limit, until a person or a new day says otherwise', async () => {
  await sync();
  for (let n = 0; n < 10; n += 1) {
    directory.delete(`id-${n}`);
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
  }
  directory.delete('id-10');
  expect(await sync()).toMatchObject({ mode: 'full', state: 'held', resolution: 'pending' });
  directory.delete('id-11');
  const held = await sync();
  expect(held).toMatchObject({ mode: 'full', state: 'held', counts: { held: 2 } });
  expect(held.reasons.join()).toContain('10 of them');
  expect(house.answer('p10@example.com')).toBe(known);
  approve(held.run);
  directory.delete('id-12');
  expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
});

test('a right to read that was lost is recognised by a listing too', async () => {
  const limits = { removals: { percent: 100, floor: 10, domainPercent: 100 } };
  const how = { listEveryMs: hour };
  directory.silentDeletions = true;
  directory.ownCount = 41;
  await sync({ limits, how });
  for (let n = 0; n < 15; n += 1) directory.entries.delete(`id-${n}`);
  house.now += hour;
  expect(await sync({ limits, how })).toMatchObject({ mode: 'full', state: 'held', counts: { held: 15 } });
  house.now += hour;
  expect(await sync({ limits, how })).toMatchObject({ mode: 'changes', state: 'unchanged' });
  expect(house.answer('p3@example.com')).toBe(known);
});

test('an attribute that gives no address any more is taken for hidden, unless another configuration asks for others', async () => {
  const limits = { removals: { percent: 100, floor: 10, domainPercent: 100 } };
  const alias = (n: number) => ({ value: `alias${n}@example.com`, attribute: 'proxyAddresses' });
  const mail = (n: number) => ({ value: `p${n}@example.com`, attribute: 'mail' });
  const show = (n: number, addresses: Entry['addresses']) =>
    directory.entries.set(`id-${n}`, { ...person(`id-${n}`, []), addresses });
  for (let n = 0; n < 15; n += 1) show(n, [mail(n), alias(n)]);
  await sync({ limits });
  for (let n = 0; n < 15; n += 1) show(n, [mail(n)]);
  house.now += 24 * hour;
  expect(await sync({ limits })).toMatchObject({
    mode: 'full',
    state: 'held',
    counts: { held: 15 },
    reasons: [
      'no address comes from proxyAddresses any more, and 15 of its addresses would go: it may have been renamed, or hidden from this account',
    ],
  });
  expect(house.answer('alias3@example.com')).toBe(known);
  expect(await sync({ limits, how: { madeFrom: 'b' } })).toMatchObject({
    mode: 'full',
    state: 'applied',
    counts: { removed: 15 },
  });
});

describe('how many addresses a domain has', () => {
  const addresses = (domain = 'example.com'): number | undefined =>
    readCoverage(house.db, house.ref()).get(domain)?.addresses;

  test('counts nobody twice who came twice', async () => {
    house.domains.push(domainOptions('small.example'));
    directory.put('id-60', 'a@small.example');
    directory.put('id-61', 'b@small.example');
    const { entries } = directory;
    entries.set('again', person('id-60', ['a@small.example']));
    entries.set('again too', person('id-61', ['b@small.example']));
    await sync();
    expect(addresses('small.example')).toBe(2);
    entries.delete('again');
    entries.delete('again too');
    directory.delete('id-60');
    directory.delete('id-61');
    expect(await sync()).toMatchObject({ mode: 'full', state: 'held' });
  });

  test('falls with what moves, also while removals wait', async () => {
    await sync();
    directory.put('id-50', 'p5@example.com');
    await sync();
    directory.delete('id-50');
    directory.delete('id-7');
    expect(await sync({ waits: ['another is in error'] })).toMatchObject({ state: 'partly-held' });
    expect(addresses()).toBe(40);
    await sync();
    expect(addresses()).toBe(39);
  });
});

test('an address that only a disabled object is left of counts as taken away', async () => {
  await sync();
  for (let n = 0; n < 20; n += 1) {
    directory.delete(`id-${n}`);
    directory.putEntry(person(`copy-${n}`, [`p${n}@example.com`], { disabled: true }));
  }
  expect(await sync({ limits: { growthPercent: 100 } })).toMatchObject({
    mode: 'full',
    state: 'partly-held',
    counts: { added: 20, held: 20 },
  });
  expect(house.answer('p3@example.com')).toBe(known);
});

test('an object without an address that was touched during a listing is expected in the next one', async () => {
  const how = { listEveryMs: hour };
  await sync({ how });
  house.now += hour;
  directory.put('empty');
  expect(await sync({ how })).toMatchObject({ mode: 'changes' });
  house.now += hour;
  expect(await sync({ how })).toMatchObject({ mode: 'changes' });
});

test('a read of changes asks for the claims of what was touched, and does not walk through all', async () => {
  await sync();
  directory.delete('id-7');
  const plans: string[] = [];
  const prepare = house.db.prepare.bind(house.db);
  vi.spyOn(house.db, 'prepare').mockImplementation((sql: string) => {
    if (sql.includes('stage.touched') && sql.includes('claim c')) {
      const steps = prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
      plans.push(
        ...steps
          .all(
            ...sql
              .split('?')
              .slice(1)
              .map(() => 1),
          )
          .map(({ detail }) => detail),
      );
    }
    return prepare(sql);
  });
  expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
  const searches = plans.filter((detail) => /\bc\b/.test(detail));
  expect(searches.length).toBeGreaterThan(0);
  for (const detail of searches) expect(detail).toContain('object=?');
});
