/** Members of groups in a real Samba AD: the matching rule, primary groups, and the directory's own count. */
import type { SearchEntry } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberFilter } from '../../src/source/ldap/ad-members.js';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import type { Scan } from '../../src/source/ldap/scan.js';
import { readWhole } from '../support/read-source.js';
import { staffDn, suffix } from '../support/samba-config.js';
import { haveSamba, startSamba, type Samba } from '../support/samba.js';

/** A catalog of one domain that answers about groups of another: no Samba here has two domains. */
async function doubtsOfCatalog(groupType: number, nestedType: number, domain = 'DC=other,DC=test') {
  const group = (cn: string, type: number) =>
    ({
      name: `CN=${cn},${domain}`,
      attributes: [
        { type: 'groupType', values: [String(type)], parsedBuffers: [] },
        { type: 'member', values: ['CN=x'], parsedBuffers: [] },
      ],
    }) as unknown as SearchEntry;
  const bases: string[] = [];
  const scan = {
    session: {
      server: 'ldaps://dc1.example.test:3269',
      search: () => Promise.resolve({ status: 0, searchEntries: [group('outer', groupType)] }),
    },
    facts: { root: new Map([['defaultnamingcontext', [suffix]]]) },
    options: { timeLimitSeconds: 10 },
    async *pages(base: string) {
      bases.push(base);
      yield [group('inner', nestedType)];
    },
  } as unknown as Scan;
  const how = { of: [`CN=outer,${domain}`], nested: true, includeGroups: false };
  const { doubts } = await memberFilter(scan, how);
  return { doubts: doubts.join(), bases };
}

describe('members of groups in a global catalog', () => {
  const [globalGroup, universalGroup] = [-2147483646, -2147483640];

  it('of other domains are known of universal groups only; any other is a doubt', async () => {
    expect((await doubtsOfCatalog(globalGroup, universalGroup)).doubts).toContain('CN=outer');
    expect((await doubtsOfCatalog(universalGroup, globalGroup)).doubts).toContain('CN=inner');
    expect((await doubtsOfCatalog(globalGroup, globalGroup, `DC=child,${suffix}`)).doubts).toContain('inner');
    expect(await doubtsOfCatalog(universalGroup, universalGroup)).toEqual({ doubts: '', bases: [''] });
    expect((await doubtsOfCatalog(globalGroup, globalGroup, suffix)).doubts).toBe('');
  });
});

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
  }, 240_000);
  afterAll(async () => {
    await samba.remove();
  });

  const read = async (of: string, nested = true, includeGroups = true, url = samba.ldapsUrl) => {
    const options: LdapSourceOptions = {
      name: 'staff',
      urls: [url],
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

  it('of its own domain a global catalog knows every group', async () => {
    const { names, report } = await read(`CN=outer,${staffDn}`, true, true, samba.globalCatalogUrl);
    expect(names).toEqual(['ada', 'bob', 'inner', 'outer']);
    expect(report).toMatchObject({ complete: true, reasons: [] });
  });

  it('Samba tells no count of its own, as Windows does: absent', async () => {
    expect((await read(`CN=outer,${staffDn}`)).report.ownCount).toBeUndefined();
  });
});
