import { afterEach, beforeEach, expect, test } from 'vitest';
import { createToken, listTokens, revokeToken, verifyToken } from '../../src/store/sqlite/tokens.js';
import { House } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => {
  house.close();
});

test('a token is shown once, works, and is nowhere in the database', () => {
  const token = createToken(house.db, { tenant: 'acme', name: 'ci', role: 'upload', actor: 'anna', now: 1 });
  expect(verifyToken(house.db, token)).toEqual({ tenant: 'acme', name: 'ci', role: 'upload', createdAt: 1 });
  expect(verifyToken(house.db, `${token}x`)).toBeUndefined();
  const dump = house.db.prepare('SELECT * FROM token').all();
  expect(JSON.stringify(dump)).not.toContain(token.slice(9));
});

test('a revoked token works no more, and both acts are in the audit trail', () => {
  const token = createToken(house.db, { tenant: 'acme', name: 'ci', role: 'read', actor: 'anna', now: 1 });
  expect(revokeToken(house.db, { tenant: 'other', name: 'ci', actor: 'eve', now: 2 })).toBe(false);
  expect(verifyToken(house.db, token)).toBeDefined();
  expect(revokeToken(house.db, { tenant: 'acme', name: 'ci', actor: 'anna', now: 3 })).toBe(true);
  expect(verifyToken(house.db, token)).toBeUndefined();
  expect(house.db.prepare('SELECT actor, action, detail FROM audit ORDER BY n').all()).toEqual([
    { actor: 'anna', action: 'token create', detail: 'ci (read)' },
    { actor: 'anna', action: 'token revoke', detail: 'ci' },
  ]);
});

test('two tokens of a tenant have two names', () => {
  const create = (tenant: string): string =>
    createToken(house.db, { tenant, name: 'ci', role: 'read', actor: 'a', now: 1 });
  create('acme');
  expect(() => create('acme')).toThrow(/already a token named ci/);
  create('other');
  expect(listTokens(house.db, 'acme')).toHaveLength(1);
  expect(listTokens(house.db)).toHaveLength(2);
});
