import { afterEach, beforeEach, expect, test } from 'vitest';
import { prune } from '../../src/store/sqlite/maintain.js';
import { people } from '../support/array-source.js';
import { hour, House } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => {
  house.close();
});

const historyMs = 90 * 24 * hour;

async function someoneLeaves(): Promise<void> {
  await house.sync({ entries: people(30) });
  house.now += hour;
  await house.sync({ entries: people(29) });
}

test('what is too old goes: runs, and marks of who has left', async () => {
  await someoneLeaves();
  house.now += 400 * 24 * hour;
  await house.sync({ entries: people(28) });
  expect(prune(house.db, { now: house.now, historyMs })).toEqual({ runs: 2, removals: 1 });
});

test('a clock that is ahead for a while makes nothing old', async () => {
  await someoneLeaves();
  const now = house.now + 10 * 365 * 24 * hour;
  expect(prune(house.db, { now, historyMs })).toEqual({ runs: 0, removals: 0 });
  house.publish();
  expect(house.answer('p29@example.com')).toBe('defer removed 450 4.2.1');
});
