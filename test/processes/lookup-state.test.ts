/** What control sees of lookup.db, and what the edges' metric says, wherever the directory has gone meanwhile. */
import { unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookupState } from '../../src/compose/lookup-state.js';
import { person } from '../support/array-source.js';
import { House } from '../support/house.js';

let house: House;
beforeEach(async () => {
  house = new House();
  await house.sync({ entries: [person('a', ['a@example.com']), person('b', ['b@example.com'])] });
});
afterEach(() => house.close());

const state = (): string => lookupState(house.lookupFile, house.directoryFile);
const change = (name: string, value: string): unknown =>
  house.db.prepare(`UPDATE meta SET value = ${value} WHERE name = ?`).run(name);
function generation(): number | undefined {
  house.lookup.refresh();
  return house.lookup.generation();
}

describe('state of lookup.db', () => {
  it('is current after a run, and missing or damaged when it is', () => {
    expect(state()).toBe('current');
    writeFileSync(house.lookupFile, 'no database at all, but long enough');
    expect(state()).toBe('damaged');
    unlinkSync(house.lookupFile);
    expect(state()).toBe('missing');
  });

  it.each([
    ['something else that the edges must see', 'revision', 'CAST(value AS INTEGER) + 1', 1],
    ['the same number in another history', 'stamp', "'7'", 1],
    ['an older backup', 'generation', "'0'", 0],
  ])('is behind after %s, and current once it is published, with the right generation', (...how) => {
    const [, name, value, number] = how;
    change(name, value);
    expect(state()).toBe('behind');
    house.publish();
    expect(state()).toBe('current');
    expect(generation()).toBe(number);
  });
});
