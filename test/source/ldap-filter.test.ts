/** What a written filter matches in a real slapd: escapes of RFC 4515 §3 mean octets, whatever ldapts makes of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readWhole } from '../support/read-source.js';
import { peopleDn } from '../support/slapd-config.js';
import { haveSlapd, startSlapd, type Slapd } from '../support/slapd.js';

const person = (name: string, city: string): string =>
  `dn: uid=${name},${peopleDn}\nobjectClass: inetOrgPerson\ncn: ${name}\nsn: ${name}\nmail: ${name}@example.com\nl:: ${Buffer.from(city).toString('base64')}\n\n`;

describe.skipIf(!haveSlapd)('a filter', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: person('ann', 'München') + person('bob', 'Ulm (Donau)*') });
  });
  afterAll(async () => {
    await slapd.remove();
  });

  const source = (changes: Partial<LdapSourceOptions>) =>
    createLdapSource({
      name: 'staff',
      urls: [slapd.url],
      startTls: false,
      tls: { verify: true },
      bindDn: slapd.reader.dn,
      bindPassword: slapd.reader.password,
      baseDns: [slapd.suffix],
      preset: 'openldap',
      scope: 'sub',
      respectDisabled: false,
      pageSize: 100,
      timeoutMs: 5_000,
      timeLimitSeconds: 10,
      connectTimeoutMs: 3_000,
      ...changes,
    });

  it.each([
    ['(l=M\\c3\\bcnchen)', 'ann'],
    ['(l=M\\C3\\BCn*)', 'ann'],
    ['(l=*\\c3\\bc*)', 'ann'],
    ['(l=\\4dünchen)', 'ann'],
    ['(l:caseIgnoreMatch:=M\\c3\\bcnchen)', 'ann'],
    ['(& (mail=*)\n  (! (l=M\\c3\\bcnchen) ) )', 'bob'],
    ['(l=Ulm \\28Donau\\29\\2a)', 'bob'],
  ])('%s matches %s', async (filter, name) => {
    expect((await readWhole(source({ filter }))).addresses).toEqual([`${name}@example.com`]);
  });

  it('of what is left out means the same', async () => {
    const excludeFilter = '(l=M\\c3\\bcnchen)';
    const { addresses } = await readWhole(source({ filter: '(mail=*)', excludeFilter }));
    expect(addresses).toEqual(['bob@example.com']);
  });

  it('with octets that are no text is refused, not sent as something else', () => {
    expect(() => source({ filter: '(l=\\c3\\28)' })).toThrow(/the filter \(l=\\c3\\28\) cannot be read/);
  });
});
