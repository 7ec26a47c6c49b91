/** The directory's own count stays when only the right to read is lost: on a real slapd with cn=monitor. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readWhole } from '../support/read-source.js';
import { haveSlapd, hideEven, makePeople, startSlapd, type Slapd } from '../support/slapd.js';

describe.skipIf(!haveSlapd)('the own count of a real slapd', () => {
  const people = makePeople(200);
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif, monitor: true });
  });
  afterAll(async () => {
    await slapd.remove();
  });
  const read = async () => {
    const options: LdapSourceOptions = {
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
    const { entries, report } = await readWhole(createLdapSource(options));
    return { entries: entries.length, ...report };
  };
  // the suffix, three folders and the reader besides
  const all = 200 + 10 + 5;

  it('stays when half of the people are hidden, and falls when they are deleted', async () => {
    expect(await read()).toMatchObject({ entries: 210, ownCount: all, complete: true });
    await slapd.restart({ hide: hideEven });
    expect(await read()).toMatchObject({ entries: 100, ownCount: all, complete: true });
    await slapd.restart({ hide: undefined });
    await slapd.delete(people.dns.slice(0, 50));
    expect(await read()).toMatchObject({ entries: 160, ownCount: all - 50 });
  });

  it('is absent where cn=monitor cannot be read', async () => {
    await slapd.restart({ monitor: false });
    expect(await read()).toMatchObject({ entries: 160, ownCount: undefined, complete: true });
  });
});
