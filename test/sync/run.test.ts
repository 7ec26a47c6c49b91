import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RollcallError } from '../../src/errors.js';
import { approveRun, discardRun, rollbackRun } from '../../src/sync/settle.js';
import { changesOf, historyOf, problemsOf } from '../../src/store/sqlite/claims.js';
import { generationOf } from '../../src/store/sqlite/meta.js';
import { openDirectory } from '../../src/store/sqlite/open.js';
import { getRun, listRuns } from '../../src/store/sqlite/run-records.js';
import { beginRun, markInterrupted } from '../../src/store/sqlite/runs.js';
import type { Entry, Source } from '../../src/source/source.js';
import { arraySource, people, person } from '../support/array-source.js';
import { domainOptions, hour, House } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => {
  house.close();
});

const unknown = 'reject unknown 550 5.1.1';
const known = 'accept known 250 2.1.5';

describe('a run', () => {
  test('makes the listed known and everybody else unknown', async () => {
    const run = await house.sync({ entries: people(20) });
    expect(run).toMatchObject({
      state: 'applied',
      complete: true,
      counts: { read: 20, added: 20, removed: 0, held: 0 },
    });
    expect(house.answer('p7@example.com')).toBe(known);
    expect(house.answer('P7@EXAMPLE.com.')).toBe(known);
    expect(house.answer('nobody@example.com')).toBe(unknown);
  });

  test('that finds nothing changed writes no claim and leaves the generation', async () => {
    await house.sync({ entries: people(20) });
    const before = { generation: generationOf(house.db), claims: house.claims() };
    const run = await house.sync({ entries: people(20) });
    expect(run).toMatchObject({ state: 'unchanged', complete: true, generation: null });
    expect({ generation: generationOf(house.db), claims: house.claims() }).toEqual(before);
    expect(changesOf(house.db, run.run, 10)).toEqual([]);
    expect(house.published?.how).toBe('coverage only');
  });

  test('keeps a list fresh by reading it again, changed or not', async () => {
    await house.sync({ entries: people(20) });
    house.now += 47 * hour;
    await house.sync({ entries: people(20) });
    house.now += 47 * hour;
    expect(house.answer('nobody@example.com')).toBe(unknown);
    house.now += 2 * hour;
    expect(house.answer('nobody@example.com')).toBe('defer stale 451 4.4.3');
    expect(house.answer('p7@example.com')).toBe(known);
  });

  test('defers a removed address, then rejects it, and takes it back at once', async () => {
    await house.sync({ entries: people(20) });
    await house.sync({ entries: people(19) });
    expect(house.answer('p19@example.com')).toBe('defer removed 450 4.2.1');
    house.now += 25 * hour;
    expect(house.answer('p19@example.com')).toBe(unknown);
    await house.sync({ entries: people(20) });
    expect(house.answer('p19@example.com')).toBe(known);
    await house.sync({ entries: people(19) });
    expect(house.answer('p19@example.com')).toBe('defer removed 450 4.2.1');
  });

  test('shows a dry run without changing anything', async () => {
    await house.sync({ entries: people(20) });
    const before = house.claims();
    const run = await house.sync({ entries: people(12) }, { dryRun: true });
    expect(run).toMatchObject({ state: 'planned', counts: { removed: 8 }, generation: null });
    expect(house.claims()).toBe(before);
    expect(house.answer('p19@example.com')).toBe(known);
  });

  test('gives a preview the hash of the plan that is then applied', async () => {
    await house.sync({ entries: people(20) });
    const preview = await house.sync({ entries: people(15) }, { dryRun: true });
    const applied = await house.sync({ entries: people(15) });
    expect(applied.planHash).toBe(preview.planHash);
    expect((await house.sync({ entries: people(14) }, { dryRun: true })).planHash).not.toBe(preview.planHash);
  });

  test('that fails changes nothing and says why', async () => {
    await house.sync({ entries: people(20) });
    const error = new RollcallError('source', 'ldaps://dc1 closed the connection after 10 of 20 entries');
    const run = await house.sync({ entries: people(10), error });
    expect(run).toMatchObject({ state: 'failed', complete: false });
    expect(run.reasons[0]).toContain('closed the connection');
    expect(house.answer('p19@example.com')).toBe(known);
  });

  test('without proof of completeness adds, never removes, and does not count as fresh', async () => {
    await house.sync({ entries: people(20) });
    house.now += 40 * hour;
    const run = await house.sync({
      entries: people(10, 'example.com', 15),
      complete: false,
      reasons: ['page 3 was refused'],
    });
    expect(run).toMatchObject({
      state: 'partly-held',
      complete: false,
      counts: { added: 5, removed: 0, held: 15 },
      resolution: null,
    });
    expect(run.reasons).toContain('page 3 was refused');
    expect(house.answer('p0@example.com')).toBe(known);
    expect(house.answer('p24@example.com')).toBe(known);
    house.now += 10 * hour;
    expect(house.answer('nobody@example.com')).toBe('defer stale 451 4.4.3');
  });

  test('takes a missing canary for an incomplete read', async () => {
    await house.sync({ entries: people(20) });
    const run = await house.sync({ entries: people(19) }, { canaries: ['P19@example.com'] });
    expect(run).toMatchObject({ state: 'held', complete: false });
    expect(run.reasons[0]).toBe('canary p19@example.com is missing');
    expect(house.answer('p19@example.com')).toBe(known);
  });

  test('refuses a source that gives nothing, also the first time', async () => {
    expect(await house.sync({ entries: [] })).toMatchObject({ state: 'refused' });
    expect(house.answer('nobody@example.com')).toBe('defer never-synced 451 4.4.3');
    await house.sync({ entries: people(3) });
    expect(await house.sync({ entries: [] })).toMatchObject({ state: 'refused' });
    expect(house.answer('p1@example.com')).toBe(known);
  });

  test('reports what it skipped, and where', async () => {
    const run = await house.sync({
      entries: [...people(5), person('bad', ['not an address', 'x@elsewhere.test', 'ok@example.com'])],
    });
    expect(run.counts).toMatchObject({ read: 6, added: 6, skipped: 2 });
    expect(problemsOf(house.db, run.run, 10)).toEqual([
      { where: 'entry bad', reason: 'mail: "not an address" is not an address' },
    ]);
    expect(run.notes).toEqual(['1 addresses skipped: not in a domain of this tenant (elsewhere.test 1)']);
    expect(house.answer('ok@example.com')).toBe(known);
  });

  test('does not count an address as lost when another object takes it over', async () => {
    await house.sync({ entries: people(20) });
    const renamed = people(20).map((entry) => ({ ...entry, id: `new-${entry.id}` }));
    const run = await house.sync({ entries: renamed }, { limits: { growthPercent: 1000 } });
    expect(run).toMatchObject({ state: 'applied', counts: { removed: 0, held: 0 } });
    expect(house.answer('p3@example.com')).toBe(known);
  });
});

describe('nobody is lost when', () => {
  const team = (id: string, flags = {}): Entry => person(id, ['team@example.com'], flags);

  test('an incomplete read sees only the disabled one of two objects with an address', async () => {
    await house.sync({ entries: [team('group'), team('user', { disabled: true }), ...people(20)] });
    await house.sync({ entries: [team('user', { disabled: true })], complete: false });
    expect(house.answer('team@example.com')).toBe(known);
  });

  test('all object ids change, and the additions are held for growth', async () => {
    await house.sync({ entries: people(100) });
    const renamed = people(100).map((entry) => ({ ...entry, id: `new-${entry.id}` }));
    const run = await house.sync({ entries: renamed });
    expect(run).toMatchObject({ state: 'held', counts: { added: 0, removed: 0, held: 100 } });
    expect(house.answer('p7@example.com')).toBe(known);
    approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    await house.sync({ entries: renamed });
    expect(house.answer('p7@example.com')).toBe(known);
    expect(house.db.prepare('SELECT COUNT(*) FROM claim').pluck().get()).toBe(100);
  });

  test('one value of an entry cannot be used', async () => {
    await house.sync({ entries: people(20) });
    const broken = people(20).map((entry, i) => (i === 3 ? person('id-3', ['p3@example..com, x']) : entry));
    const run = await house.sync({ entries: broken });
    expect(run).toMatchObject({ state: 'unchanged', complete: true, counts: { removed: 0, skipped: 1 } });
    expect(house.answer('p3@example.com')).toBe(known);
  });

  test('the whole directory turns disabled', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(100).map((entry) => ({ ...entry, disabled: true })) });
    expect(run).toMatchObject({ state: 'held', counts: { held: 100, changed: 0 } });
    expect(house.answer('p7@example.com')).toBe(known);
    approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    expect(house.answer('p7@example.com')).toBe('reject disabled 550 5.2.1');
    rollbackRun(house.deps, { ref: house.ref(), run: run.run + 1, actor: 'anna' });
    expect(house.answer('p7@example.com')).toBe(known);
  });

  test('one small domain of a large list vanishes, within the limits', async () => {
    house.domains = [domainOptions('example.com'), domainOptions('small.example')];
    await house.sync({ entries: [...people(1000), ...people(20, 'small.example', 5000)] });
    const run = await house.sync({ entries: people(1000) });
    expect(run).toMatchObject({ state: 'held', resolution: 'pending', counts: { held: 20 } });
    expect(run.reasons).toEqual(['no address in small.example is left of 20']);
    expect(house.answer('p5003@small.example')).toBe(known);
  });

  test('an approval of removals meets additions that were held later', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(60) });
    await house.sync({ entries: people(300), complete: false });
    expect(house.answer('p250@example.com')).toBe('defer stale 451 4.4.3');
    approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    expect(house.answer('p250@example.com')).toBe('defer stale 451 4.4.3');
  });

  test('held additions are discarded', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(200) });
    discardRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    expect(house.answer('p150@example.com')).toBe('defer stale 451 4.4.3');
    await house.sync({ entries: people(100) });
    expect(house.answer('p150@example.com')).toBe(unknown);
  });

  test('a domain leaves the configuration while additions are held, and comes back', async () => {
    house.domains = [domainOptions('example.com'), domainOptions('two.example')];
    await house.sync({ entries: [...people(50), ...people(9, 'two.example', 500)] });
    house.domains = [domainOptions('example.com')];
    const run = await house.sync({ entries: [...people(150), ...people(9, 'two.example', 500)] });
    house.domains = [domainOptions('example.com'), domainOptions('two.example')];
    approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    house.now += 30 * hour;
    expect(house.answer('p503@two.example')).toBe('defer never-synced 451 4.4.3');
  });

  test('an entry spells an address in two ways', async () => {
    house.domains = [domainOptions('example.com', { caseSensitive: true })];
    await house.sync({ entries: [person('j', ['john@example.com', 'John@example.com']), ...people(3)] });
    expect(house.answer('john@example.com')).toBe(known);
    expect(house.answer('John@example.com')).toBe(known);
    expect(house.answer('JOHN@example.com')).toBe(unknown);
  });

  test('a list names one object twice, disabled and not', async () => {
    await house.sync({ entries: [team('t', { disabled: true }), team('t'), ...people(3)] });
    expect(house.answer('team@example.com')).toBe(known);
  });

  test('a directory spells a local part with a space and no quotes', async () => {
    await house.sync({ entries: [person('j', ['john smith@example.com']), ...people(3)] });
    expect(house.answer('john smith@example.com', { form: 'internal' })).toBe(known);
    expect(house.answer('"john smith"@example.com')).toBe(known);
  });
});

describe('the split commit', () => {
  test('applies additions, holds removals, and the list keeps working', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: [...people(60), ...people(5, 'example.com', 200)] });
    expect(run).toMatchObject({
      state: 'partly-held',
      resolution: 'pending',
      complete: true,
      counts: { added: 5, removed: 0, held: 40 },
    });
    expect(run.reasons).toEqual(['40 of 100 claims would be removed; the limit is 5 % (at least 10)']);
    expect(house.answer('p203@example.com')).toBe(known);
    expect(house.answer('p99@example.com')).toBe(known);
    expect(house.answer('nobody@example.com')).toBe(unknown);
  });

  test('applies what was held when the right hash is named, and nothing under another', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(60) });
    const settle = { ref: house.ref(), run: run.run, actor: 'anna' };
    expect(() => approveRun(house.deps, settle, 'feedfeedfeedfeed')).toThrow(
      /has plan .* not feedfeedfeedfeed/,
    );
    expect(house.answer('p99@example.com')).toBe(known);
    const approved = approveRun(house.deps, settle, run.planHash ?? '');
    expect(approved).toMatchObject({
      state: 'applied',
      kind: 'approve',
      parent: run.run,
      counts: { removed: 40 },
    });
    expect(house.answer('p99@example.com')).toBe('defer removed 450 4.2.1');
    expect(getRun(house.db, run.run)?.resolution).toBe('approved');
    expect(() => approveRun(house.deps, settle)).toThrow(/nothing to approve/);
  });

  test('lets an approval stand while newer runs hold the same, not when the plan has changed', async () => {
    await house.sync({ entries: people(100) });
    const first = await house.sync({ entries: people(60) });
    await house.sync({ entries: people(60) });
    const settle = { ref: house.ref(), run: first.run, actor: 'anna' };
    await house.sync({ entries: people(50) });
    expect(() => approveRun(house.deps, settle)).toThrow(/has changed since/);
    await house.sync({ entries: people(60) });
    expect(approveRun(house.deps, settle)).toMatchObject({ state: 'applied', counts: { removed: 40 } });
  });

  test('forgets a hold when the people are back', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(60) });
    await house.sync({ entries: people(100) });
    expect(getRun(house.db, run.run)?.resolution).toBe('superseded');
    expect(() => approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' })).toThrow(
      /has changed since/,
    );
  });

  test('keeps a hold open while reads are incomplete', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(60) });
    await house.sync({ entries: people(10), complete: false });
    expect(approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' })).toMatchObject({
      counts: { removed: 40 },
    });
  });

  test('does not take an approval when part of what was held has come true since', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(200) });
    await house.sync({ entries: people(105), complete: false });
    const before = house.claims();
    expect(() => approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' })).toThrow(
      /has changed since/,
    );
    expect(house.claims()).toBe(before);
    expect(listRuns(house.db, { limit: 1 })[0]).toMatchObject({ kind: 'approve', state: 'failed' });
  });

  test('discards what was held, and the list stays', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(60) });
    expect(discardRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' }).resolution).toBe(
      'discarded',
    );
    expect(house.answer('p99@example.com')).toBe(known);
    expect(() => approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' })).toThrow(
      /was discarded/,
    );
  });

  test('holds sudden growth, and makes nobody unknown while it does', async () => {
    await house.sync({ entries: people(100) });
    const run = await house.sync({ entries: people(200) });
    expect(run).toMatchObject({ state: 'held', counts: { added: 0, held: 100 } });
    expect(house.answer('p150@example.com')).toBe('defer stale 451 4.4.3');
    approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    expect(house.answer('p150@example.com')).toBe(known);
    expect(house.answer('nobody@example.com')).toBe(unknown);
  });
});

describe('rollback', () => {
  test('restores every claim, as a recorded run', async () => {
    const mixed = [...people(60), person('boss', ['Boss@example.com', 'b@example.com'], { disabled: true })];
    await house.sync({ entries: mixed });
    const before = house.claims();
    const bad = [
      ...people(30),
      person('boss', ['boss@example.com'], { internalOnly: true }),
      ...people(3, 'example.com', 500),
    ];
    const run = await house.sync({ entries: bad });
    approveRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    expect(house.claims()).not.toBe(before);
    const back = rollbackRun(house.deps, { ref: house.ref(), run: run.run, actor: 'anna' });
    expect(back).toMatchObject({ kind: 'rollback', parent: run.run, state: 'applied' });
    expect(house.claims()).toBe(before);
    expect(house.answer('p59@example.com')).toBe(known);
    expect(house.answer('p501@example.com')).toBe('defer removed 450 4.2.1');
    // the source had named p501: its list is not what it says until it is read again
    expect(house.answer('nobody@example.com')).toBe('defer stale 451 4.4.3');
    expect(historyOf(house.db, 'default', 'p59@example.com', 10).map((change) => change.op)).toEqual([
      '+',
      '-',
      '+',
    ]);
  });

  test('is refused for a run that changed nothing', async () => {
    await house.sync({ entries: people(5) });
    const same = await house.sync({ entries: people(5) });
    expect(() => rollbackRun(house.deps, { ref: house.ref(), run: same.run, actor: 'anna' })).toThrow(
      /changed nothing/,
    );
  });
});

describe('leases', () => {
  test('keep a run that was taken over while it read from writing anything', async () => {
    const source = arraySource({ entries: people(5) });
    const stolen: Source = {
      async *read(context) {
        const report = yield* source.read(context);
        house.db.prepare("UPDATE lease SET owner = 'elsewhere:1:1'").run();
        return report;
      },
    };
    const before = house.claims();
    await expect(house.syncFrom(stolen)).rejects.toThrow(
      /lost the lease of source staff; nothing was written/,
    );
    expect(house.claims()).toBe(before);
  });

  test('that cannot be renewed for the moment, as another run is writing, are no reason to fail', async () => {
    house.db.pragma('busy_timeout = 10');
    const other = openDirectory(house.directoryFile);
    const waits: Source = {
      async *read(context) {
        yield people(1);
        other.exec('BEGIN IMMEDIATE');
        house.now += 30_000;
        yield people(2);
        other.exec('ROLLBACK');
        return yield* arraySource({ entries: people(3) }).read(context);
      },
    };
    expect(await house.syncFrom(waits)).toMatchObject({ state: 'applied', counts: { added: 3 } });
    other.close();
  });

  test('keep two runs of a source apart', async () => {
    beginRun(house.db, { ref: house.ref(), kind: 'sync', actor: 'other', now: house.now, leaseMs: 60_000 });
    await expect(house.sync({ entries: people(5) })).rejects.toThrow(
      /run 1 of source staff is still in progress/,
    );
    await expect(house.sync({ entries: people(5) }, { source: 'lists' })).resolves.toMatchObject({
      state: 'applied',
    });
  });

  test('expire, and the abandoned run is marked interrupted', async () => {
    const handle = beginRun(house.db, {
      ref: house.ref(),
      kind: 'sync',
      actor: 'other',
      now: house.now,
      leaseMs: 60_000,
    });
    house.now += 61_000;
    await house.sync({ entries: people(5) });
    expect(getRun(house.db, handle.run)).toMatchObject({ state: 'interrupted' });
  });

  test('of a clock that was ahead do not last until it comes there', async () => {
    const { run } = beginRun(house.db, {
      ref: house.ref(),
      kind: 'sync',
      actor: 'other',
      now: house.now + 365 * 24 * 3_600_000,
      leaseMs: 60_000,
    });
    await house.sync({ entries: people(5) });
    expect(getRun(house.db, run)).toMatchObject({ state: 'interrupted' });
  });

  test('of a process that is gone are free at once', () => {
    const handle = beginRun(house.db, {
      ref: house.ref(),
      kind: 'sync',
      actor: 'other',
      now: house.now,
      leaseMs: 60_000,
    });
    expect(markInterrupted(house.db, house.now)).toEqual([]);
    house.db.prepare('UPDATE lease SET owner = replace(owner, ?, ?)').run(`:${process.pid}:`, ':999999999:');
    expect(markInterrupted(house.db, house.now)).toEqual([handle.run]);
    expect(listRuns(house.db, { limit: 1 })[0]).toMatchObject({ state: 'interrupted' });
  });
});

describe('tenants', () => {
  test('never assert addresses in each other’s domains', async () => {
    house.domains = [
      domainOptions('a.example', { tenant: 'a' }),
      domainOptions('b.example', { tenant: 'b' }),
    ];
    const entries = [person('1', ['x@a.example', 'x@b.example'])];
    await house.sync({ entries }, { tenant: 'a' });
    expect(house.answer('x@a.example')).toBe(known);
    expect(house.answer('x@b.example')).toBe('defer never-synced 451 4.4.3');
    await house.sync({ entries: [person('2', ['y@b.example', 'z@a.example'])] }, { tenant: 'b' });
    expect(house.answer('x@b.example')).toBe(unknown);
    expect(house.answer('z@a.example')).toBe(unknown);
  });
});
