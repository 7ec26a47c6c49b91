/** What counts as an address in proxyAddresses: a wrong 550 is worse than an address too many. */
import type { Attribute } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { addAddresses, type Values } from '../../src/source/ldap/mapping.js';

function read(...values: readonly string[]): Values {
  const into: Values = { addresses: [], unusable: [], doubtful: false };
  addAddresses({ type: 'proxyAddresses', values } as unknown as Attribute, 'proxyAddresses', into);
  return into;
}

describe('proxyAddresses', () => {
  it.each(['SMTP:ann@example.com', 'smtp:ann@example.com', 'ann@example.com'])(
    '%s is an address',
    (value) => {
      const { addresses, doubtful } = read(value);
      expect(addresses.map((address) => address.value)).toEqual(['ann@example.com']);
      expect(doubtful).toBe(false);
    },
  );

  it.each([
    'sip:ann@example.com',
    'X500:/o=Example/cn=ann@example.com',
    'SPO:SPO_1@SPO_2',
    'EUM:7@example.com',
  ])('%s is none, and no doubt', (value) => {
    expect(read(value)).toEqual({ addresses: [], unusable: [], doubtful: false });
  });
});
