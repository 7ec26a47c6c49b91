import { fc } from '../support/property.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RollcallError } from '../../src/errors.js';
import { readSourceState } from '../../src/store/sqlite/source-state.js';
import { setAllPending } from '../../src/store/sqlite/coverage.js';
import type { RunRecord } from '../../src/store/store.js';
import { runClaim } from '../../src/sync/claim.js';
import type { Reading } from '../../src/sync/request.js';
import { createScope } from '../../src/sync/scope.js';
import { approveRun, rollbackRun } from '../../src/sync/settle.js';
import { person } from '../support/array-source.js';
import { domainOptions, hour, House, noLimits, type SyncOptions } from '../support/house.js';
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

const unknown = 'reject unknown 550 5.1.1';
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

const settle = (run: number) => ({ ref: house.ref(), run, actor: 'test' });

describe('a run that reads changes', () => {
  test('reads everything first, and then only what has changed', async () => {
    expect(await sync()).toMatchObject({ mode: 'full', state: 'applied', counts: { read: 40 } });
    directory.put('id-40', 'p40@example.com');
    directory.put('id-3', 'p3@example.com', 'alias@example.com');
    directory.delete('id-7');
    const run = await sync();
    expect(run).toMatchObject({
      mode: 'changes',
      state: 'applied',
      counts: { read: 3, added: 2, removed: 1 },
    });
    expect(directory.asked).toEqual(['all', 'changes']);
    expect(house.answer('p40@example.com')).toBe(known);
    expect(house.answer('alias@example.com')).toBe(known);
    expect(house.answer('p7@example.com')).toBe(removed);
    expect(house.answer('p8@example.com')).toBe(known);
    expect(house.answer('nobody@example.com')).toBe(unknown);
  });

  test('that finds nothing writes no claim and leaves the generation', async () => {
    await sync();
    const before = house.claims();
    expect(await sync()).toMatchObject({ mode: 'changes', state: 'unchanged', generation: null });
    expect(house.claims()).toBe(before);
  });

  test('keeps a list fresh when nothing can have been missed, and not otherwise', async () => {
    const how = { fullSchedule: undefined };
    await sync({ how });
    house.now += 40 * hour;
    await sync({ how });
    house.now += 40 * hour;
    expect(house.answer('nobody@example.com')).toBe(unknown);
    directory.proof = false;
    await sync({ how });
    house.now += 9 * hour;
    expect(house.answer('nobody@example.com')).toBe('defer stale 451 4.4.3');
  });

  test('follows a rename by the stable id, without a moment of not knowing', async () => {
    await sync();
    directory.put('id-5', 'married@example.com', 'p5@example.com');
    await sync();
    expect(house.answer('p5@example.com')).toBe(known);
    expect(house.answer('married@example.com')).toBe(known);
  });

  test('follows an address that moves to another object, whichever change comes first', async () => {
    await sync();
    directory.put('id-5', 'other@example.com');
    directory.put('id-41', 'p5@example.com');
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 0 } });
    expect(house.answer('p5@example.com')).toBe(known);
    directory.put('id-6', 'p6@example.com', 'p5@example.com');
    await sync();
    directory.put('id-41', 'late@example.com');
    expect(await sync()).toMatchObject({ counts: { added: 1, removed: 0 } });
    expect(house.answer('p5@example.com')).toBe(known);
  });

  test('counts the last state of an object that comes more than once', async () => {
    await sync();
    directory.put('id-5', 'first@example.com');
    directory.put('id-5', 'second@example.com');
    directory.delete('id-6');
    directory.put('id-6', 'back@example.com');
    await sync();
    expect(house.answer('first@example.com')).toBe(unknown);
    expect(house.answer('second@example.com')).toBe(known);
    expect(house.answer('back@example.com')).toBe(known);
  });

  test('keeps what an object had whose values cannot be read', async () => {
    await sync();
    directory.putEntry(person('id-5', ['p5@@broken'], {}));
    await sync();
    expect(house.answer('p5@example.com')).toBe(known);
  });

  test('shows a preview without moving the cursor', async () => {
    await sync();
    directory.delete('id-7');
    expect(await sync({ dryRun: true })).toMatchObject({
      mode: 'changes',
      state: 'planned',
      counts: { removed: 1 },
    });
    expect(house.answer('p7@example.com')).toBe(known);
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
  });
});

describe('everything is read', () => {
  test.each([
    ['on a doubt', () => void directory.doubts.push('the cursor has expired'), {}, 'the cursor has expired'],
    ['when it is asked for', () => undefined, { incremental: false }, undefined],
    ['under another configuration', () => undefined, { madeFrom: 'b' }, 'the configuration of the source'],
    ['when its time has come', () => (house.now += 24 * hour), {}, 'fullSchedule'],
  ])('%s', async (_, happen, how, note) => {
    await sync();
    happen();
    directory.delete('id-7');
    const run = await sync({ how });
    expect(run).toMatchObject({ mode: 'full', counts: { read: 39, removed: 1 } });
    if (note !== undefined) expect(run.notes.join()).toContain(note);
    directory.doubts.length = 0;
    expect(await sync({ how: { ...how, incremental: true } })).toMatchObject({ mode: 'changes' });
  });

  test('after a rollback, as the claims are no longer what the cursor takes them for', async () => {
    await sync();
    directory.put('id-50', 'p50@example.com');
    const run = await sync();
    rollbackRun(house.deps, settle(run.run));
    expect(house.answer('p50@example.com')).not.toBe(unknown);
    expect(await sync()).toMatchObject({ mode: 'full' });
    expect(house.answer('p50@example.com')).toBe(known);
  });

  test('in a restored directory', async () => {
    await sync();
    setAllPending(house.db);
    expect(await sync()).toMatchObject({ mode: 'full' });
  });

  test('while additions are held: the people that were left out are in no later change', async () => {
    await sync();
    for (let n = 100; n < 200; n += 1) directory.put(`id-${n}`, `p${n}@example.com`);
    expect(await sync()).toMatchObject({ mode: 'full', state: 'held' });
    expect(house.answer('p150@example.com')).not.toBe(unknown);
    const again = await sync();
    expect(again).toMatchObject({ mode: 'full', state: 'held' });
    approveRun(house.deps, settle(again.run));
    expect(house.answer('p150@example.com')).toBe(known);
    await sync();
    expect(await sync()).toMatchObject({ mode: 'changes' });
  });
});

describe('a clock that was ahead and is set back', () => {
  const year = 365 * 24 * hour;

  test('leaves no read of everything that is not due for years, nor a list without an age', async () => {
    house.now += year;
    await sync();
    house.now -= year;
    expect(await sync()).toMatchObject({ mode: 'full', complete: true });
    expect(house.answer('nobody@example.com')).toBe(unknown);
    expect(await sync()).toMatchObject({ mode: 'changes' });
    house.now += 24 * hour;
    expect(await sync()).toMatchObject({ mode: 'full' });
  });

  test('nor one that only reads of changes have kept fresh', async () => {
    await sync();
    house.now += year;
    expect(await sync({ how: { fullSchedule: undefined } })).toMatchObject({ mode: 'changes' });
    house.now -= year;
    expect(await sync()).toMatchObject({ mode: 'full' });
    expect(house.answer('nobody@example.com')).toBe(unknown);
  });
});

describe('the guard of changes', () => {
  test('reads everything before it holds a mass removal, and holds that', async () => {
    await sync();
    for (let n = 0; n < 20; n += 1) directory.delete(`id-${n}`);
    const run = await sync();
    expect(run).toMatchObject({ mode: 'full', state: 'held', resolution: 'pending', counts: { held: 20 } });
    expect(house.answer('p3@example.com')).toBe(known);
    expect(await sync()).toMatchObject({ mode: 'changes', state: 'unchanged' });
    approveRun(house.deps, settle(run.run));
    expect(house.answer('p3@example.com')).toBe(removed);
  });

  test('counts what a slow mass removal takes away in many small runs', async () => {
    await sync();
    for (let n = 0; n < 10; n += 1) {
      directory.delete(`id-${n}`);
      expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
    }
    directory.delete('id-10');
    expect(await sync()).toMatchObject({ mode: 'full' });
  });

  test('reads everything when a domain would lose all its addresses, or a canary', async () => {
    house.domains.push(domainOptions('small.example'));
    directory.put('id-60', 'a@small.example');
    directory.put('id-61', 'b@small.example');
    await sync();
    directory.delete('id-60');
    directory.delete('id-61');
    expect(await sync()).toMatchObject({ mode: 'full', state: 'held' });
    directory.delete('id-1');
    expect(await sync({ canaries: ['p1@example.com'] })).toMatchObject({
      mode: 'full',
      complete: false,
    });
    expect(house.answer('p1@example.com')).toBe(known);
  });

  test('leaves removals out while a source of the same domain is in error, and makes them good afterwards', async () => {
    await sync();
    directory.delete('id-7');
    directory.put('id-70', 'p70@example.com');
    const waits = ['removals wait: source other is in error'];
    expect(await sync({ waits })).toMatchObject({
      mode: 'changes',
      state: 'partly-held',
      reasons: waits,
      counts: { added: 1, removed: 0, held: 1 },
    });
    expect(house.answer('p7@example.com')).toBe(known);
    expect(house.answer('p70@example.com')).toBe(known);
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { added: 0, removed: 1 } });
    expect(house.answer('p7@example.com')).toBe(removed);
  });
});

describe('deletions that a directory does not tell', () => {
  const how = { listEveryMs: hour };
  beforeEach(() => {
    directory.silentDeletions = true;
    directory.proof = false;
  });

  test('are found by the listing of ids', async () => {
    await sync({ how });
    directory.delete('id-7');
    expect(await sync({ how })).toMatchObject({ state: 'unchanged' });
    expect(house.answer('p7@example.com')).toBe(known);
    house.now += hour;
    expect(await sync({ how })).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
    expect(directory.asked).toEqual(['all', 'changes', 'changes and ids']);
    expect(house.answer('p7@example.com')).toBe(removed);
  });

  test('an object that the changes have missed makes the run read everything', async () => {
    await sync({ how });
    house.now += hour;
    await sync({ how });
    directory.entries.set('hidden', person('hidden', ['hidden@example.com']));
    house.now += hour;
    expect(await sync({ how })).toMatchObject({ mode: 'full', counts: { added: 1 } });
    expect(house.answer('hidden@example.com')).toBe(known);
  });

  test('objects without an address of ours are no reason to read everything, and hide nobody who was missed', async () => {
    directory.put('foreign', 'x@elsewhere.test');
    await sync({ how });
    house.now += hour;
    await sync({ how });
    for (let n = 0; n < 5; n += 1) directory.put(`foreign-${n}`, `x${n}@elsewhere.test`);
    directory.put('foreign', 'y@elsewhere.test');
    await sync({ how });
    directory.put('foreign', 'z@elsewhere.test');
    house.now += hour;
    expect(await sync({ how })).toMatchObject({ mode: 'changes' });
    directory.put('foreign-1', 'still@elsewhere.test');
    directory.entries.set('hidden', person('hidden', ['hidden@example.com']));
    house.now += hour;
    expect(await sync({ how })).toMatchObject({ mode: 'full', counts: { added: 1 } });
  });
});

describe('a failure', () => {
  test('leaves claims and cursor; the next run reads everything, in case only the changes cannot be read', async () => {
    await sync();
    directory.put('id-50', 'p50@example.com');
    directory.error = new RollcallError('source', 'the directory is down');
    expect(await sync()).toMatchObject({ state: 'failed' });
    directory.error = undefined;
    expect(house.answer('p5@example.com')).toBe(known);
    expect(await sync()).toMatchObject({ mode: 'full', counts: { added: 1 } });
    expect(await sync()).toMatchObject({ mode: 'changes' });
  });

  test('of a whole read that was cut short keeps the older cursor', async () => {
    await sync();
    directory.complete = false;
    directory.put('id-50', 'p50@example.com');
    directory.delete('id-7');
    expect(await sync({ how: { incremental: false } })).toMatchObject({ complete: false });
    expect(house.answer('p7@example.com')).toBe(known);
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { added: 0, removed: 1 } });
  });
});

test('access that is lost is recognised by the count of the directory itself', async () => {
  directory.ownCount = 41;
  await sync({ limits: noLimits });
  for (let n = 0; n < 15; n += 1) directory.entries.delete(`id-${n}`);
  const limits = { removals: { percent: 100, floor: 10, domainPercent: 100 } };
  const run = await sync({ limits, how: { incremental: false } });
  expect(run).toMatchObject({ state: 'held', counts: { held: 15 } });
  expect(run.reasons.join()).toContain('may have lost the right to read');
  directory.ownCount = 26;
  expect(await sync({ limits, how: { incremental: false } })).toMatchObject({ state: 'applied' });
});

test('entries that were asked for are claimed, and nothing is taken away by it', async () => {
  await sync();
  const claim = (...entries: ReturnType<typeof person>[]): RunRecord =>
    runClaim(house.deps, {
      ref: house.ref(),
      actor: 'live',
      entries,
      scope: createScope(house.domains),
      maxProblems: 10,
    });
  const run = claim(person('new', ['new@example.com', 'New.Person@example.com', 'x@elsewhere.test']));
  expect(run).toMatchObject({ kind: 'claim', mode: 'claim', state: 'applied', counts: { added: 2 } });
  expect(house.answer('new.person@example.com')).toBe(known);
  claim(person('id-5', ['p5@example.com', 'fifth@example.com'], { disabled: true }));
  expect(house.answer('p5@example.com')).toBe(known);
  expect(readSourceState(house.db, house.ref()).cursor).not.toBeNull();
  directory.put('new', 'new@example.com');
  expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 1 } });
});

test('a run whose publishing fails says that it is in the store', async () => {
  await sync();
  house.publish = () => {
    throw new RollcallError('store', 'lookup.db could not be brought up to date: the disk is full');
  };
  const claim = (): RunRecord =>
    runClaim(house.deps, {
      ref: house.ref(),
      actor: 'live',
      entries: [person('new', ['new@example.com'])],
      scope: createScope(house.domains),
      maxProblems: 10,
    });
  expect(claim).toThrow(
    'run 2 is in the store (applied), but the edges lack it: lookup.db could not be brought up to date: the disk is full',
  );
  expect(house.claims()).toContain('new@example.com');
  directory.put('id-41', 'p41@example.com');
  await expect(sync()).rejects.toThrow('run 3 is in the store (applied), but the edges lack it');
});

test(
  'changes and a read of everything come to the same claims, whatever happens',
  { timeout: 120_000 },
  async () => {
    const id = fc.integer({ min: 0, max: 12 });
    const event = fc.oneof(
      fc.record({
        do: fc.constant('put' as const),
        id,
        n: fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 3 }),
      }),
      fc.record({ do: fc.constant('delete' as const), id, n: fc.constant([]) }),
      fc.record({ do: fc.constant('sync' as const), id, n: fc.constant([]) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        const [one, two] = [new House(), new House()];
        try {
          const live = new LiveDirectory();
          live.put('always', 'always@example.com');
          const run = (on: House, how: Partial<Reading>): Promise<RunRecord> =>
            on.syncFrom(live.source(), {
              limits: noLimits,
              reading: { ...reading, fullSchedule: undefined, ...how },
            });
          await run(one, {});
          for (const { do: what, id: object, n } of events) {
            if (what === 'put') live.put(`o${object}`, ...n.map((each) => `a${each}@example.com`));
            if (what === 'delete') live.delete(`o${object}`);
            if (what === 'sync') expect(await run(one, {})).toMatchObject({ mode: 'changes' });
          }
          await run(one, {});
          await run(two, { incremental: false });
          expect(one.claims()).toBe(two.claims());
          const addresses = (on: House): unknown =>
            on.db.prepare('SELECT domain, addresses FROM coverage ORDER BY domain').all();
          expect(addresses(one)).toEqual(addresses(two));
        } finally {
          one.close();
          two.close();
        }
      }),
      { numRuns: 25 },
    );
  },
);
