/** Members of groups in a real Samba AD: the matching rule, primary groups, and the directory's own count. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readWhole } from '../support/read-source.js';
import { staffDn, suffix } from '../support/samba-config.js';
import { haveSamba, startSamba, type Samba } from '../support/samba.js';

const user = (name: string): string =>
  `dn: CN=${name},${staffDn}\nobjectClass: user\nsAMAccountName: ${name}\nmail: ${name}@example.com\n\n`;
const group = (name: string, members: readonly string[]): string =>
  `dn: CN=${name},${staffDn}\nobjectClass: group\nsAMAccountName: ${name}\nmail: ${name}@example.com\n${members
    .map((member) => `member: CN=${member},${staffDn}\n`)
    .join('')}\n`;

const ldif = [
  ...['ada', 'bob', 'cleo', 'dora'].map(user),
  group('inner', ['bob']),
  group('outer', ['ada', 'inner']),
  group('bare', []),
].join('');

describe.skipIf(!haveSamba)('members of groups in a real Samba AD', () => {
  let samba: Samba;
  beforeAll(async () => {
    samba = await startSamba({ ldif });
  }, 60_000);
  afterAll(async () => {
    await samba.remove();
  });

  const read = async (of: string, nested = true, includeGroups = true) => {
    const options: LdapSourceOptions = {
      name: 'staff',
      urls: [samba.ldapsUrl],
      startTls: false,
      tls: samba.tls,
      bindDn: samba.reader.dn,
      bindPassword: samba.reader.password,
      baseDns: [samba.suffix],
      preset: 'active-directory',
      filter: '(mail=*)',
      scope: 'sub',
      respectDisabled: false,
      pageSize: 100,
      timeoutMs: 10_000,
      timeLimitSeconds: 60,
      connectTimeoutMs: 3_000,
      members: { of: [of], nested, includeGroups },
    };
    const { addresses, report } = await readWhole(createLdapSource(options));
    return { names: addresses.map((address) => address.replace(/@.*/, '')).sort(), report };
  };

  it.each([
    ['nested, by the matching rule', `cn=OUTER,${staffDn}`, true, true, ['ada', 'bob', 'inner', 'outer']],
    ['direct only', `CN=outer,${staffDn}`, false, true, ['ada', 'inner', 'outer']],
    ['without the group itself', `CN=outer,${staffDn}`, true, false, ['ada', 'bob', 'inner']],
    ['a primary group', `CN=Domain Users,CN=Users,${suffix}`, true, false, ['ada', 'bob', 'cleo', 'dora']],
  ])('%s', async (_, of, nested, includeGroups, expected) => {
    const { names, report } = await read(of, nested, includeGroups);
    expect(names).toEqual(expected);
    expect(report).toMatchObject({ complete: true, reasons: [] });
  });

  it('a group without members is a doubt, one that is not there an error', async () => {
    const { report } = await read(`CN=bare,${staffDn}`, true, false);
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toContain('shows no member');
    await expect(read(`CN=none,${staffDn}`)).rejects.toMatchObject({ code: 'source' });
  });

  it('Samba tells no count of its own, as Windows does: absent', async () => {
    expect((await read(`CN=outer,${staffDn}`)).report.ownCount).toBeUndefined();
  });
});
