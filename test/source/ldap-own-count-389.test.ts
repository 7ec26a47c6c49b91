/** The directory's own count on a real 389-ds: numSubordinates, whoever may see whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { readWhole } from '../support/read-source.js';
import { peopleDn } from '../support/ds389-config.js';
import { haveDs389, startDs389, type Ds389 } from '../support/ds389.js';

const person = (n: number): string =>
  `dn: uid=p${n},${peopleDn}\nobjectClass: inetOrgPerson\nuid: p${n}\ncn: p\nsn: p\nmail: p${n}@example.com\nemployeeType: ${n % 2 === 0 ? 'even' : 'odd'}\n\n`;

describe.skipIf(!haveDs389)('the own count of a real 389-ds', () => {
  let server: Ds389;
  beforeAll(async () => {
    server = await startDs389({ ldif: Array.from({ length: 20 }, (_, n) => person(n)).join('') });
  }, 90_000);
  afterAll(async () => {
    await server.remove();
  });
  const read = async () => {
    const source = createLdapSource({
      name: 'staff',
      urls: [server.url],
      startTls: false,
      tls: { verify: true },
      bindDn: server.reader.dn,
      bindPassword: server.reader.password,
      baseDns: [server.suffix],
      preset: '389ds',
      scope: 'sub',
      respectDisabled: false,
      pageSize: 100,
      timeoutMs: 10_000,
      timeLimitSeconds: 60,
      connectTimeoutMs: 3_000,
    });
    const { entries, report } = await readWhole(source);
    return { entries: entries.length, ownCount: report.ownCount ?? 0 };
  };

  it('stays when half of the people are hidden, and falls when they are deleted', async () => {
    const before = await read();
    expect(before.entries).toBe(20);
    expect(before.ownCount).toBeGreaterThanOrEqual(20);
    const hide = `(targetattr = "*")(targetfilter = "(employeeType=even)")(version 3.0; acl "hide"; deny (all) userdn = "ldap:///${server.reader.dn}";)`;
    await server.modify(`dn: ${peopleDn}\nchangetype: modify\nadd: aci\naci: ${hide}\n`);
    expect(await read()).toEqual({ entries: 10, ownCount: before.ownCount });
    await server.delete([1, 3, 5].map((n) => `uid=p${n},${peopleDn}`));
    expect(await read()).toEqual({ entries: 7, ownCount: before.ownCount - 3 });
  });
});
