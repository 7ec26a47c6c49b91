/** Addresses that this account may search for and not read: people without mail, to the eye. On a real slapd. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import type { Source } from '../../src/source/source.js';
import { readChanges } from '../support/follow-source.js';
import { readWhole } from '../support/read-source.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { optionsFor } from './fake-directory.js';

const addressAttributes = 'mail,mailAlternateAddress,mailLocalAddress,proxyAddresses';
const doubt = /entries match because of their addresses and show none/;

describe.skipIf(!haveSlapd)('addresses that may be searched for and not read', () => {
  const people = makePeople(20);
  const first = people.dns[0] ?? '';
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif, syncprov: true });
    await slapd.modify(`dn: ${first}\nchangetype: modify\nreplace: sn\nsn: a\n\n`);
  });
  afterAll(() => slapd.remove());

  const sourceOf = (changes: Partial<LdapSourceOptions> = {}): Source => {
    const { dn: bindDn, password: bindPassword } = slapd.reader;
    return createLdapSource(optionsFor(slapd.url, { bindDn, bindPassword, ...changes }));
  };

  it('are a doubt of a whole read, of changes and of a look-up; a filter of one’s own may find people without', async () => {
    const sound = await readWhole(sourceOf());
    expect(sound.report).toMatchObject({ complete: true });
    await slapd.restart({ searchable: addressAttributes });

    const whole = await readWhole(sourceOf());
    expect(whole.entries).toEqual([]);
    expect(whole.report.complete).toBe(false);
    expect(whole.report.reasons.join()).toMatch(doubt);

    await slapd.modify(`dn: ${first}\nchangetype: modify\nreplace: sn\nsn: b\n\n`);
    const { report } = await readChanges(sourceOf(), sound.report.cursor);
    expect(report.doubts.join()).toMatch(doubt);

    const asked = sourceOf();
    await expect(
      asked.find?.(people.known[0] ?? '', { signal: AbortSignal.timeout(10_000) }),
    ).rejects.toThrow(doubt);
    await asked.close?.();

    const own = await readWhole(sourceOf({ filter: '(objectClass=inetOrgPerson)' }));
    expect(own.report).toMatchObject({ complete: true });
    const few = await readWhole(sourceOf({ attributes: { addresses: ['mailLocalAddress'] } }));
    expect(few.report).toMatchObject({ complete: true });
  });
});
