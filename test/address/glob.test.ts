import { fc } from '../support/property.js';
import { expect, test } from 'vitest';
import { matchesGlob } from '../../src/address/glob.js';

test.each([
  ['ticket-*', 'ticket-1', true],
  ['ticket-*', 'ticket-', true],
  ['ticket-*', 'xticket-1', false],
  ['*-bounce', 'a-b-bounce', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXbYbZ', false],
  ['?', '', false],
  ['v?p', 'vip', true],
  ['a.c', 'abc', false],
  ['**', '', true],
])('%s against %s: %s', (glob, text, matches) => {
  expect(matchesGlob(glob, text)).toBe(matches);
});

test('agrees with the regular expression it stands for', () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(glob, text, (pattern, subject) => {
      const regex = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      expect(matchesGlob(pattern, subject)).toBe(regex.test(subject));
    }),
    { numRuns: 2000 },
  );
});

test('ends soon on a pattern made to backtrack', () => {
  expect(matchesGlob(`${'a*'.repeat(50)}b`, 'a'.repeat(256))).toBe(false);
});
