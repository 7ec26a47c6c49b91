/** Addresses as they are written into directories: nothing with an `@` in it is dropped in silence. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { newFindings, readValue, type Findings } from '../../src/source/written-address.js';

function read(value: string): Findings {
  const found = newFindings();
  readValue(value, found);
  return found;
}

describe('a value of a directory', () => {
  it.each<[string, readonly string[]]>([
    ['one@example.com', ['one@example.com']],
    [' one@example.com\u00a0\u200b', ['one@example.com']],
    ['SMTP: one@example.com', ['one@example.com']],
    ['mailto:one@example.com', ['one@example.com']],
    ['One <one@example.com>', ['one@example.com']],
    ['One, Ann <one@example.com>', ['one@example.com']],
    ['"One, Ann" <SMTP:one@example.com>; <two@example.com>', ['one@example.com', 'two@example.com']],
    ['One <one@example.com> Two <two@example.com>', ['one@example.com', 'two@example.com']],
    ['p3@example.com, p3b@example.com', ['p3@example.com', 'p3b@example.com']],
    ['p3@example.com p3b@example.com', ['p3@example.com', 'p3b@example.com']],
    ['john smith@example.com', ['john smith@example.com']],
    ['smtp:john smith@example.com', ['john smith@example.com']],
    ['"john smith"@example.com', ['"john smith"@example.com']],
    ['a|b@example.com', ['a|b@example.com']],
    ['sip:one@example.com', []],
    ['X500:/o=Ex Org/ou=a/cn=one@example.com', []],
    ['X400:c=US;a= ;p=Org;s=One;', []],
    ['SPO:SPO_1@SPO_2', []],
    [' ', []],
  ])('%j is read whole', (value, addresses) => {
    expect(read(value)).toMatchObject({ addresses, refused: [] });
  });

  it.each([
    ['@example.com', []],
    ['*@example.com', []],
    ['one@@example.com', []],
    ['one@example.com, two@', ['one@example.com']],
    ['One <one@>', []],
    ['john smith@example.com ann@example.com', []],
    ['one', []],
  ])('%j is complained of', (value, addresses) => {
    const found = read(value);
    expect(found.addresses).toEqual(addresses);
    expect(found.refused).toHaveLength(1);
  });

  it('never loses an @ without a word', () => {
    const piece = fc.constantFrom(
      'a',
      'b@x.example',
      '@',
      ' ',
      ',',
      ';',
      '<',
      '>',
      '"',
      '\\',
      '|',
      '\n',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { addresses, refused } = read(pieces.join(''));
        if (pieces.join('').includes('@')) expect(addresses.length + refused.length).toBeGreaterThan(0);
      }),
      { numRuns: 3000 },
    );
  });
});
