/** Distinguished names: which spellings are one name. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { isBelow, normaliseDn, parentOf } from '../../src/source/ldap/dn.js';

describe('one name, many spellings', () => {
  it.each([
    ['CN=Ada Lovelace,OU=Staff,DC=example,DC=com', 'cn=ada  lovelace , ou=STAFF,dc=Example,dc=com'],
    ['CN=Lovelace\\, Ada,DC=x', 'cn=Lovelace\\2c Ada,dc=x'],
    ['CN=Lovelace\\, Ada,DC=x', 'cn="Lovelace, Ada";dc=x'],
    ['CN=M\\C3\\BCller,DC=x', 'cn=MÜLLER,dc=x'],
    ['2.5.4.3=a,0.9.2342.19200300.100.1.25=x', 'CommonName=A,DC=x'],
    ['uid=a+cn=b,dc=x', 'CN=B + UID=A,dc=x'],
    ['cn=\\ a\\ ,dc=x', 'cn=a,dc=x'],
    ['cn=a\\+b,dc=x', 'cn=a\\2Bb,dc=x'],
  ])('%s is %s', (one, other) => {
    expect(normaliseDn(one)).toBeDefined();
    expect(normaliseDn(one)).toBe(normaliseDn(other));
  });

  it.each([
    ['cn=a,dc=x', 'cn=b,dc=x'],
    ['cn=a+b,dc=x', 'cn=a\\+b,dc=x'],
    ['cn=a,dc=x', 'uid=a,dc=x'],
    ['cn=a\\,dc\\=x', 'cn=a,dc=x'],
  ])('%s is not %s', (one, other) => {
    expect(normaliseDn(one)).not.toBe(normaliseDn(other));
  });

  it.each(['ada', 'cn', '=a', 'cn=a,', ',cn=a', 'cn="a', 'cn=a\\', 'c n=a'])('%j is none', (dn) => {
    expect(normaliseDn(dn)).toBeUndefined();
  });

  it('the normal form is a DN with itself as its normal form', () => {
    const value = fc
      .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
      .filter((text) => text.trim() !== '');
    const escaped = value.map((text) =>
      [...Buffer.from(text)].map((octet) => `\\${octet.toString(16).padStart(2, '0')}`).join(''),
    );
    fc.assert(
      fc.property(fc.array(escaped, { minLength: 1, maxLength: 4 }), (values) => {
        const normal = normaliseDn(values.map((text) => `cn=${text}`).join(','));
        expect(normal).toBeDefined();
        expect(normaliseDn(normal ?? '')).toBe(normal);
      }),
    );
  });
});

it('knows what is above', () => {
  const dn = normaliseDn('CN=a\\,b,OU=Staff,DC=x') ?? '';
  expect(parentOf('CN=a\\,b,OU=Staff,DC=x')).toBe('ou=staff,dc=x');
  expect(parentOf('DC=x')).toBe('');
  expect(parentOf('')).toBeUndefined();
  expect([isBelow(dn, 'ou=staff,dc=x'), isBelow(dn, 'dc=x'), isBelow(dn, dn), isBelow(dn, '')]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(isBelow('ou=otherstaff,dc=x', 'ou=staff,dc=x')).toBe(false);
});
