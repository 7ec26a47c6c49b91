import { describe, expect, it } from 'vitest';
import { exactKeyOf, foldLocal, keyOf } from '../../src/address/key.js';
import { lacksBases, subaddressBases } from '../../src/address/subaddress.js';

describe('the key of a mailbox', () => {
  it.each([
    ['john', 'john'],
    ['John.SMITH', 'john.smith'],
    ['JÖRG', 'jörg'],
    ['JO\u0308RG', 'jörg'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφοσ'],
    ['σίσυφος', 'σίσυφοσ'],
    ['J\u030c', '\u01f0'],
    ['I', 'i'],
    ['İ', 'i\u0307'],
    ['STRASSE', 'strasse'],
    ['straße', 'straße'],
  ])('folds %s to %s', (local, expected) => {
    expect(foldLocal(local)).toBe(expected);
    expect(foldLocal(expected)).toBe(expected);
  });

  it('keeps the case of the local part only where it is asked to', () => {
    const mailbox = { local: 'John', domain: 'example.com' };
    expect(keyOf(mailbox)).toBe('john@example.com');
    expect(exactKeyOf(mailbox)).toBe('John@example.com');
  });
});

describe('a subaddress', () => {
  it.each([
    ['john+news', ['+'], ['john']],
    ['john+news+more', ['+'], ['john+news', 'john']],
    ['john+', ['+'], ['john']],
    ['mary-jane+news', ['+', '-'], ['mary-jane', 'mary']],
    ['john--news-more', ['--'], ['john']],
    ['john', ['+'], []],
    ['+news', ['+'], []],
    ['+news+more', ['+'], ['+news']],
    ['john+news', [], []],
    ['john', [''], []],
    ['a+b+c+d+e+f', ['+'], ['a+b+c+d+e', 'a+b+c+d', 'a+b+c', 'a+b', 'a']],
    ['mary-jane+a-b', ['-', '+', '--'], ['mary-jane+a', 'mary-jane', 'mary']],
  ])('of %s by %j has the bases %j', (local, delimiters, bases) => {
    expect(subaddressBases(local, delimiters)).toEqual(bases);
    expect(lacksBases(local, delimiters)).toBe(false);
  });

  it('has all of 32 bases, and of more the 16 longest and the 16 shortest', () => {
    const names = Array.from({ length: 33 }, (_, at) => `a${'+x'.repeat(at)}`).reverse();
    const whole = `${names[0] ?? ''}+x`;
    expect(subaddressBases(names[0] ?? '', ['+'])).toEqual(names.slice(1));
    expect(lacksBases(names[0] ?? '', ['+'])).toBe(false);
    expect(subaddressBases(whole, ['+'])).toEqual([...names.slice(0, 16), ...names.slice(17)]);
    expect(lacksBases(whole, ['+'])).toBe(true);
    expect(lacksBases('x'.repeat(100), ['+'])).toBe(false);
  });
});
