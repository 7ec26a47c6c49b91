import {
  existsSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  openSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { fc } from '../support/property.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { damagedMarkerPath } from '../../src/lookup/schema.js';
import { openLookup } from '../../src/lookup/reader.js';
import { publish } from '../../src/lookup/publish.js';
import { prune } from '../../src/store/sqlite/maintain.js';
import { rollbackRun } from '../../src/sync/settle.js';
import { people, person } from '../support/array-source.js';
import { domainOptions, hour, House, noLimits } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House([domainOptions('example.com', { sources: ['staff', 'lists'] })]);
});
afterEach(() => {
  house.close();
});

const files = (): { directoryFile: string; lookupFile: string } => ({
  directoryFile: house.directoryFile,
  lookupFile: house.lookupFile,
});

/** Everything an edge can see, as one comparable text. */
function seen(lookupFile: string, keys: readonly string[]): string {
  const lookup = openLookup({ path: lookupFile });
  try {
    const slots = keys.map((key) =>
      [...lookup.find('default', key)].sort((a, b) => a.source.localeCompare(b.source)),
    );
    return JSON.stringify([lookup.generation(), slots]);
  } finally {
    lookup.close();
  }
}

describe('publishing', () => {
  test('by changes gives what building anew gives, whatever the history', async () => {
    const pool = Array.from({ length: 12 }, (_, i) => `P${i}@example.com`);
    const keys = pool.map((address) => address.toLowerCase());
    const entry = fc.record({
      id: fc.constantFrom('o1', 'o2', 'o3', 'o4'),
      addresses: fc.uniqueArray(fc.constantFrom(...pool, ...keys), { minLength: 1, maxLength: 4 }),
      disabled: fc.boolean(),
      internalOnly: fc.boolean(),
    });
    const step = fc.record({
      source: fc.constantFrom('staff', 'lists'),
      entries: fc.uniqueArray(entry, { minLength: 1, maxLength: 5, selector: (e) => e.id }),
      undo: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const own = new House([domainOptions('example.com', { sources: ['staff', 'lists'] })]);
        try {
          for (const { source, entries, undo } of steps) {
            const read = {
              entries: entries.map((e) =>
                person(e.id, e.addresses, { disabled: e.disabled, internalOnly: e.internalOnly }),
              ),
            };
            const run = await own.sync(read, { source, limits: noLimits });
            expect(['applied', 'unchanged', 'partly-held', 'held']).toContain(run.state);
            if (undo && run.generation !== null) {
              rollbackRun(own.deps, { ref: own.ref(source), run: run.run, actor: 'test' });
            }
          }
          const byChanges = seen(own.lookupFile, keys);
          publish({ directoryFile: own.directoryFile, lookupFile: own.lookupFile, force: true });
          expect(seen(own.lookupFile, keys)).toBe(byChanges);
        } finally {
          own.close();
        }
      }),
      { numRuns: 25 },
    );
  });

  test('merges two sources, and forgets one without losing the other', async () => {
    await house.sync({ entries: people(30) });
    await house.sync({ entries: people(30) }, { source: 'lists' });
    await house.sync({ entries: people(28) });
    expect(house.answer('p29@example.com')).toBe('accept known 250 2.1.5');
    await house.sync({ entries: people(28) }, { source: 'lists' });
    expect(house.answer('p29@example.com')).toBe('defer removed 450 4.2.1');
  });

  test('is quick to notice a restored, older directory and builds anew', async () => {
    await house.sync({ entries: people(30) });
    await house.sync({ entries: people(30) }, { source: 'lists' });
    house.db.exec(
      "UPDATE meta SET value = '1' WHERE name = 'generation'; UPDATE run SET generation = NULL WHERE generation = 2",
    );
    expect(publish(files()).how).toBe('rebuilt');
    expect(seen(house.lookupFile, [])).toContain('[1,');
  });

  test('tells a restored backup that went on to the same number from the history it knows', async () => {
    await house.sync({ entries: people(30) });
    await house.sync({ entries: people(30) }, { source: 'lists' });
    await house.sync({ entries: people(30, 'example.com', 100) }, { limits: noLimits });
    // the directory as it was, and another life from there
    house.db.exec(`UPDATE meta SET value = '2' WHERE name = 'generation';
      UPDATE run SET generation = NULL WHERE generation = 3; DELETE FROM removal;
      DELETE FROM claim WHERE source = (SELECT source FROM source WHERE name = 'staff')`);
    const other = await house.sync({ entries: people(30, 'example.com', 200) }, { limits: noLimits });
    expect(other.generation).toBe(3);
    expect(house.published?.how).toBe('rebuilt');
    expect(house.answer('p205@example.com')).toBe('accept known 250 2.1.5');
  });

  test('builds anew when history it would need is gone', async () => {
    await house.sync({ entries: people(30) });
    const old = new House();
    const firstStamp = Number(house.db.prepare("SELECT value FROM meta WHERE name = 'stamp'").pluck().get());
    await house.sync({ entries: people(31) });
    await house.sync({ entries: people(32) });
    house.now += 400 * 24 * hour;
    await house.sync({ entries: people(33) });
    expect(prune(house.db, { now: house.now, historyMs: 24 * hour }).runs).toBe(3);
    // the snapshot as it was at generation 1
    old.db.exec(`UPDATE meta SET value = '1' WHERE name = 'generation';
      UPDATE meta SET value = ${firstStamp} WHERE name = 'stamp'`);
    old.publish();
    expect(publish({ directoryFile: house.directoryFile, lookupFile: old.lookupFile }).how).toBe('rebuilt');
    expect(seen(old.lookupFile, ['p32@example.com'])).toContain('"staff"');
    old.close();
  });
});

describe('a snapshot that is lost', () => {
  test.each([
    [
      'deleted',
      (): void => {
        rmSync(house.lookupFile);
      },
    ],
    [
      'empty',
      (): void => {
        truncateSync(house.lookupFile, 0);
      },
    ],
    [
      'not a database',
      (): void => {
        writeFileSync(house.lookupFile, 'x'.repeat(8192));
      },
    ],
    [
      'of another version',
      (): void => {
        setVersion(house.lookupFile);
      },
    ],
  ])('%s is built anew', async (_, harm) => {
    await house.sync({ entries: people(30) });
    await house.sync({ entries: people(30) }, { source: 'lists' });
    harm();
    rmSync(`${house.lookupFile}-wal`, { force: true });
    rmSync(`${house.lookupFile}-shm`, { force: true });
    expect(publish(files())).toMatchObject({ how: 'rebuilt', generation: 2 });
    expect(house.answer('p3@example.com')).toBe('accept known 250 2.1.5');
    expect(house.answer('nobody@example.com')).toBe('reject unknown 550 5.1.1');
  });

  test('makes the edge defer, never reject, and is marked for control when damaged', async () => {
    await house.sync({ entries: people(3000) });
    await house.sync({ entries: people(3000) }, { source: 'lists' });
    house.lookup.close();
    publish({ ...files(), force: true }); // everything in the file, nothing in its WAL
    damage(house.lookupFile);
    house.lookup = openLookup({ path: house.lookupFile });
    const answers = new Set(people(150).map((entry) => house.answer(entry.addresses[0]?.value ?? '')));
    for (const answer of answers)
      expect(answer).toMatch(/^(accept known 250 2.1.5|defer failure 451 4.4.3)$/);
    expect(answers).toContain('defer failure 451 4.4.3');
    expect(existsSync(damagedMarkerPath(house.lookupFile))).toBe(true);
    house.publish();
    expect(house.published?.how).toBe('rebuilt');
    expect(existsSync(damagedMarkerPath(house.lookupFile))).toBe(false);
    expect(house.answer('p77@example.com')).toBe('accept known 250 2.1.5');
  });

  test('is found again by an edge that is running', async () => {
    await house.sync({ entries: people(30) });
    await house.sync({ entries: people(30) }, { source: 'lists' });
    rmSync(house.lookupFile);
    expect(house.answer('nobody@example.com')).toBe('defer failure 451 4.4.3');
    house.publish();
    expect(house.answer('nobody@example.com')).toBe('reject unknown 550 5.1.1');
  });
});

function setVersion(path: string): void {
  // the user version is at offset 60 of the header (SQLite file format §1.3)
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from([0, 0, 0, 99]), 0, 4, 60);
  closeSync(fd);
}

/** Overwrites everything after the first pages. */
function damage(path: string): void {
  const { size } = statSync(path);
  const fd = openSync(path, 'r+');
  const from = 4096 * 8;
  writeSync(fd, Buffer.alloc(size - from, 0xa5), 0, size - from, from);
  closeSync(fd);
}
