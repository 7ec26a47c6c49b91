/** Groups as the list, and entries left out by filter, on a real slapd. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readWhole } from '../support/read-source.js';
import { haveSlapd, startSlapd, type Slapd } from '../support/slapd.js';

const suffix = 'dc=example,dc=com';
const groups = `ou=groups,${suffix}`;

const person = (uid: string, more = ''): string =>
  `dn: uid=${uid},ou=people,${suffix}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\nmail: ${uid}@example.com\n${more}\n`;
const memberDn = (name: string): string => (name.includes('=') ? name : `uid=${name},ou=people,${suffix}`);
/** `more` begins with further object classes. */
const group = (cn: string, members: readonly string[], more = ''): string =>
  `dn: cn=${cn},${groups}\nobjectClass: groupOfNames\n${more}cn: ${cn}\n${members.map((name) => `member: ${memberDn(name)}\n`).join('')}\n`;

const ldif = [
  ...['ada', 'bob', 'cleo', 'dora', 'eve', 'fritz', 'gina', 'hugo'].map((uid) => person(uid)),
  person('robot1', 'employeeType: robot\n'),
  `dn: cn=Comma\\, Carl,ou=people,${suffix}\nobjectClass: inetOrgPerson\ncn: Comma, Carl\nsn: Carl\nmail: carl@example.com\n\n`,
  `dn: uid=silent,ou=people,${suffix}\nobjectClass: inetOrgPerson\nuid: silent\ncn: s\nsn: s\n\n`,
  // a circle, of three
  group('all', ['ada', `cn=sub,${groups}`, `cn=Comma\\2c CARL,ou=People,${suffix}`, 'silent']),
  group(
    'sub',
    ['bob', `CN=SubSub, OU=Groups,${suffix}`, 'robot1'],
    'objectClass: mailRouting\nmail: sub@example.com\n',
  ),
  group('subsub', ['cleo', `cn=all,${groups}`]),
  `dn: cn=unique,${groups}\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: ${memberDn('dora')}#'0101'B\nuniqueMember: ${memberDn('eve')}\n\n`,
  `dn: cn=posix,${groups}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 7\nmemberUid: FRITZ\nmemberUid: gina\n\n`,
  `dn: cn=nobody,${groups}\nobjectClass: posixGroup\ncn: nobody\ngidNumber: 8\n\n`,
  group('dangling', ['ada', 'gone']),
  group('hidden', ['hugo']),
  group('over', ['ada', `cn=hidden,${groups}`]),
].join('');

describe.skipIf(!haveSlapd)('members of groups on a real slapd', () => {
  let slapd: Slapd;
  let options: LdapSourceOptions;

  beforeAll(async () => {
    slapd = await startSlapd({ ldif, schemas: ['nis'] });
    options = {
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
      timeoutMs: 10_000,
      timeLimitSeconds: 60,
      connectTimeoutMs: 3_000,
    };
  });
  afterAll(async () => {
    await slapd.remove();
  });

  const source = (
    of: readonly string[],
    more: Partial<LdapSourceOptions> = {},
    nested = true,
    includeGroups = true,
  ) =>
    createLdapSource({
      ...options,
      members: { of: of.map((cn) => `cn=${cn},${groups}`), nested, includeGroups },
      ...more,
    });
  const read = async (...args: Parameters<typeof source>) => {
    const { addresses, report } = await readWhole(source(...args));
    return { names: addresses.map((address) => address.replace(/@.*/, '')).sort(), report };
  };

  it('nested, in a circle, with DNs spelled differently: everyone once, and the mail of a member group', async () => {
    const { names, report } = await read(['all']);
    expect(names).toEqual(['ada', 'bob', 'carl', 'cleo', 'robot1', 'sub']);
    expect(report).toMatchObject({ complete: true, reasons: [] });
    expect(report.description).toContain(`6 of them members of cn=all,${groups}`);
  });

  it.each([
    ['direct members only', ['all'], false, true, ['ada', 'carl', 'sub']],
    ['the group itself has mail', ['sub'], false, true, ['bob', 'robot1', 'sub']],
    ['without the group itself', ['sub'], false, false, ['bob', 'robot1']],
    ['uniqueMember, one with a bit string', ['unique'], true, true, ['dora', 'eve']],
    ['memberUid, in another case', ['posix'], true, true, ['fritz', 'gina']],
    ['several groups', ['unique', 'posix', 'subsub'], false, true, ['cleo', 'dora', 'eve', 'fritz', 'gina']],
  ])('%s', async (_, of, nested, includeGroups, expected) => {
    const { names, report } = await read(of, {}, nested, includeGroups);
    expect(names).toEqual(expected);
    expect(report).toMatchObject({ complete: true });
  });

  it('a group that is not there fails the run', async () => {
    await expect(read(['unique', 'nosuch'])).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining(`group cn=nosuch,${groups} is not there`) as string,
    });
  });

  it('a group without a member is a doubt', async () => {
    const { names, report } = await read(['unique', 'nobody']);
    expect(names).toEqual(['dora', 'eve']);
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toContain(`group cn=nobody,${groups} shows no member`);
  });

  it('a member that is not to be seen is a doubt, as it may be a group', async () => {
    const { names, report } = await read(['dangling']);
    expect(names).toEqual(['ada']);
    expect(report.reasons).toEqual([
      expect.stringContaining(`members that cannot be seen, and may be groups: uid=gone,`),
    ]);
    expect((await read(['dangling'], {}, false)).report.complete).toBe(true);
  });

  it('a nested group that the account loses sight of removes nobody', async () => {
    expect((await read(['over'])).names).toEqual(['ada', 'hugo']);
    await slapd.restart({ hide: '^cn=hidden,' });
    try {
      const { names, report } = await read(['over']);
      expect(names).toEqual(['ada']);
      expect(report.complete).toBe(false);
      await expect(read(['hidden'])).rejects.toMatchObject({ code: 'source' });
    } finally {
      await slapd.restart({ hide: undefined });
    }
  });

  it('members below other bases than those read are no doubt, and none of the list', async () => {
    const { names, report } = await read(['all'], { baseDns: [groups] });
    expect(names).toEqual(['sub']);
    expect(report.complete).toBe(true);
  });

  it('a look-up of one address finds members only', async () => {
    const all = source(['all', 'posix']);
    const context = { signal: new AbortController().signal };
    const found = async (address: string) =>
      ((await all.find?.(address, context)) ?? []).map(({ addresses }) => addresses[0]?.value);
    expect(await found('cleo@example.com')).toEqual(['cleo@example.com']);
    expect(await found('gina@example.com')).toEqual(['gina@example.com']);
    expect(await found('dora@example.com')).toEqual([]);
    expect('changes' in all).toBe(false);
    await all.close?.();
  });

  describe('left out by filter', () => {
    const everyone = ['ada', 'bob', 'carl', 'cleo', 'dora', 'eve', 'fritz', 'gina', 'hugo', 'robot1', 'sub'];
    it.each([
      ['what matches', '(& (employeeType=robot) )', everyone.filter((name) => name !== 'robot1')],
      ['nobody, when the server does not know the attribute', '(noSuchAttribute=x)', everyone],
      ['all with the attribute', '(uid=*)', ['carl', 'sub']],
    ])('%s', async (_, excludeFilter, expected) => {
      const { names, report } = await read([], { members: undefined, excludeFilter });
      expect(names).toEqual(expected);
      expect(report.complete).toBe(true);
    });

    it('goes with members, and is told', async () => {
      const { names, report } = await read(['all'], { excludeFilter: '(employeeType=robot)' });
      expect(names).toEqual(['ada', 'bob', 'carl', 'cleo', 'sub']);
      expect(report.description).toContain('1 entries left out by exclude.filter');
    });

    it('holds for look-ups too', async () => {
      const without = source([], { members: undefined, excludeFilter: '(employeeType=robot)' });
      const context = { signal: new AbortController().signal };
      expect(await without.find?.('robot1@example.com', context)).toEqual([]);
      expect(await without.find?.('bob@example.com', context)).toHaveLength(1);
      await without.close?.();
    });

    it('a filter that cannot be read is told at once', () => {
      expect(() => source([], { members: undefined, excludeFilter: '(&(x y=*))' })).toThrow(
        /exclude\.filter/,
      );
    });
  });
});
