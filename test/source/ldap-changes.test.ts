/** What a real slapd tells of its changes, with contextCSN and without, and when it cannot be relied on. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { peopleDn } from '../support/slapd-config.js';
import { Follower } from '../support/follow-source.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { optionsFor } from './fake-directory.js';

const person = (name: string, lines = ''): string =>
  `dn: uid=${name},${peopleDn}\nobjectClass: inetOrgPerson\nobjectClass: mailRouting\nuid: ${name}\ncn: ${name}\nsn: x\nmail: ${name}@example.com\n${lines}\n`;

const dn = (name: string): string => `uid=${name},${peopleDn}`;

/** modifyTimestamp has seconds. */
const secondOver = (): Promise<void> => delay(1_000 - (Date.now() % 1_000) + 5);

describe.skipIf(!haveSlapd).each([
  ['contextCSN', true],
  ['modifyTimestamp', false],
])('changes by %s', (_, syncprov) => {
  const people = makePeople(40);
  let slapd: Slapd;
  let follower: Follower;

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif, syncprov });
    // syncprov writes a contextCSN once something has happened; and the base is not to be among what is newest
    await slapd.add(person('first'));
    await secondOver();
    await slapd.add(person('second'));
  });
  afterAll(() => slapd.remove());
  beforeEach(async () => {
    const { bindDn, bindPassword } = { bindDn: slapd.reader.dn, bindPassword: slapd.reader.password };
    follower = new Follower(
      createLdapSource(optionsFor(slapd.url, { bindDn, bindPassword, baseDns: [peopleDn] })),
    );
    await follower.readWhole();
  });
  afterEach(() => follower.source.close?.());

  const idOf = (name: string): string =>
    [...follower.entries.values()].find((entry) => entry.where === dn(name))?.id ?? '';

  it('tells additions, aliases and renames by the stable id', async () => {
    await slapd.add(person('ada') + person('bob'));
    const added = await follower.follow();
    expect(added.report.doubts).toEqual([]);
    expect(follower.addresses()).toEqual(expect.arrayContaining(['ada@example.com', 'bob@example.com']));
    const ada = idOf('ada');

    await slapd.modify(
      `dn: ${dn('ada')}\nchangetype: modify\nadd: mailLocalAddress\nmailLocalAddress: a.da@example.com\n\n` +
        `dn: ${dn('ada')}\nchangetype: modrdn\nnewrdn: uid=ada2\ndeleteoldrdn: 1\n\n`,
    );
    const renamed = await follower.follow();
    expect(renamed.told).toContain(ada);
    expect(renamed.gone).not.toContain(ada);
    expect(idOf('ada2')).toBe(ada);
    expect(follower.addresses()).toContain('a.da@example.com');
    expect(follower.wholeReads).toBe(1);
  });

  it('tells what no longer matches as gone', async () => {
    await slapd.add(person('cyn'));
    await follower.follow();
    const cyn = idOf('cyn');
    await slapd.modify(`dn: ${dn('cyn')}\nchangetype: modify\ndelete: mail\n\n`);
    const { gone } = await follower.follow();
    expect(gone).toContain(cyn);
    expect(follower.addresses()).not.toContain('cyn@example.com');
  });

  it('tells who matches without a usable address as an entry without one', async () => {
    await slapd.add(person('fay', 'mailLocalAddress: nobody'));
    await slapd.modify(`dn: ${dn('fay')}\nchangetype: modify\ndelete: mail\n\n`);
    const { changes, gone } = await follower.follow();
    const fay = changes.find((change) => change.kind === 'entry' && change.entry.where === dn('fay'));
    expect(fay).toMatchObject({ entry: { addresses: [] } });
    expect(fay?.kind === 'entry' && gone.includes(fay.entry.id)).toBe(false);
  });

  it('finds deletions by a listing', async () => {
    await slapd.add(person('dan') + person('don'));
    await follower.follow();
    await slapd.delete([dn('dan')]);
    const without = await follower.follow();
    expect(follower.addresses()).toContain('dan@example.com');
    expect(without.report.proof).toBe(false);
    const { report } = await follower.follow({ listing: true });
    expect(report).toMatchObject({ doubts: [], listed: true, proof: syncprov });
    expect(follower.addresses()).not.toContain('dan@example.com');
  });
});
