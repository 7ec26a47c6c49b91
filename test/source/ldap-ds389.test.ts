/** The ldap source against a real 389 Directory Server: what it reads, tells of changes, and finds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { peopleDn } from '../support/ds389-config.js';
import { haveDs389, startDs389, type Ds389 } from '../support/ds389.js';
import { Follower } from '../support/follow-source.js';
import { optionsFor } from './fake-directory.js';

const person = (name: string): string =>
  `dn: uid=${name},${peopleDn}\nobjectClass: inetOrgPerson\nobjectClass: mailRecipient\nuid: ${name}\ncn: ${name}\nsn: x\nmail: ${name}@example.com\n\n`;

const dn = (name: string): string => `uid=${name},${peopleDn}`;

describe.skipIf(!haveDs389).each([
  ['entryusn', true],
  ['modifyTimestamp', false],
])('389-ds, changes by %s', (_, usn) => {
  let server: Ds389;
  let follower: Follower;

  beforeAll(async () => {
    const names = Array.from({ length: 300 }, (_, index) => `person${String(index)}`);
    server = await startDs389({ usn, ldif: names.map(person).join('') });
    await server.add(person('first'));
    const { reader } = server;
    follower = new Follower(
      createLdapSource(
        optionsFor(server.url, {
          bindDn: reader.dn,
          bindPassword: reader.password,
          baseDns: [peopleDn],
          preset: '389ds',
        }),
      ),
    );
    await follower.readWhole();
  }, 90_000);
  afterAll(async () => {
    await server.remove();
    await follower.source.close?.();
  });

  const idOf = (name: string): string =>
    [...follower.entries.values()].find((entry) => entry.where === dn(name))?.id ?? '';

  it('tells additions, aliases, renames, and what no longer matches', async () => {
    expect(follower.entries.size).toBe(301);
    await server.add(person('ada'));
    expect((await follower.follow()).report.doubts).toEqual([]);
    const ada = idOf('ada');
    await server.modify(
      `dn: ${dn('ada')}\nchangetype: modify\nadd: mailAlternateAddress\nmailAlternateAddress: a.da@example.com\n\n` +
        `dn: ${dn('ada')}\nchangetype: modrdn\nnewrdn: uid=ada2\ndeleteoldrdn: 1\n\n` +
        `dn: ${dn('person7')}\nchangetype: modify\ndelete: mail\n\n`,
    );
    const person7 = idOf('person7');
    const { gone } = await follower.follow();
    expect(gone).toContain(person7);
    expect(idOf('ada2')).toBe(ada);
    expect(follower.addresses()).toContain('a.da@example.com');
    expect(follower.wholeReads).toBe(1);
  });

  it('finds deletions by a listing', async () => {
    await server.delete([dn('person8')]);
    await follower.follow();
    await server.add(person('eve'));
    const { report } = await follower.follow({ listing: true });
    expect(report).toMatchObject({ doubts: [], listed: true, proof: usn });
    expect(follower.addresses()).not.toContain('person8@example.com');
    expect(follower.addresses()).toContain('eve@example.com');
    expect(follower.wholeReads).toBe(1);
  });

  it('finds one address', async () => {
    const { signal } = new AbortController();
    const found = await follower.source.find?.('Person9@example.com', { signal });
    expect(found).toMatchObject([{ addresses: [{ value: 'person9@example.com' }] }]);
    expect(await follower.source.find?.('nobody@example.com', { signal })).toEqual([]);
  });
});
