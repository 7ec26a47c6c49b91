/** Runs of a real slapd from beginning to end: everything first, then only what has changed, at the price of what has. */
import { afterAll, beforeAll, expect, it, describe } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { Source } from '../../src/source/source.js';
import type { RunRecord } from '../../src/store/store.js';
import { hour, House } from '../support/house.js';
import { peopleDn } from '../support/slapd-config.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { optionsFor } from './fake-directory.js';

describe.skipIf(!haveSlapd)('runs of a slapd with contextCSN', () => {
  const house = new House();
  let slapd: Slapd;
  let source: Source;

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: makePeople(500).ldif, syncprov: true });
    await slapd.add(personLdif('first'));
    const { dn, password } = slapd.reader;
    source = createLdapSource(optionsFor(slapd.url, { bindDn: dn, bindPassword: password }));
  });
  afterAll(async () => {
    house.close();
    await slapd.remove();
  });

  const personLdif = (name: string): string =>
    `dn: uid=${name},${peopleDn}\nobjectClass: inetOrgPerson\nuid: ${name}\ncn: ${name}\nsn: x\nmail: ${name}@example.com\n\n`;

  function sync(): Promise<RunRecord> {
    house.now += 60_000;
    const reading = { incremental: true, madeFrom: 'a', listEveryMs: hour };
    return house.syncFrom(source, { reading });
  }

  it('reads everything, then what has changed, and finds who left by a listing', async () => {
    expect(await sync()).toMatchObject({ mode: 'full', state: 'applied', counts: { read: 526 } });
    await slapd.add(personLdif('ada'));
    await slapd.modify(
      `dn: uid=person1,${peopleDn}\nchangetype: modify\nadd: mail\nmail: one@example.com\n\n` +
        `dn: uid=person2,${peopleDn}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n\n`,
    );
    const run = await sync();
    expect(run).toMatchObject({ mode: 'changes', state: 'applied', counts: { added: 2, removed: 0 } });
    expect(run.counts.read).toBeLessThan(10);
    for (const known of ['ada', 'one', 'person2'])
      expect(house.answer(`${known}@example.com`)).toBe('accept known 250 2.1.5');

    await slapd.delete([`uid=person9,${peopleDn}`]);
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 0 } });
    house.now += 2 * hour;
    expect(await sync()).toMatchObject({ mode: 'changes', counts: { removed: 2 } }); // with its alias
    expect(house.answer('person9@example.com')).toBe('defer removed 450 4.2.1');
  });

  it('keeps both of two entries that share a configured id: such a source is always read whole', async () => {
    const shared = (name: string): string =>
      personLdif(name).replace('sn: x\n', 'sn: x\nemployeeNumber: 77\n');
    await slapd.add(shared('twin1') + shared('twin2'));
    const { dn, password } = slapd.reader;
    const changes = { bindDn: dn, bindPassword: password, filter: '(employeeNumber=*)' };
    const twins = createLdapSource(
      optionsFor(slapd.url, { ...changes, attributes: { id: 'employeeNumber' } }),
    );
    const other = new House();
    const run = (): Promise<RunRecord> => {
      other.now += 60_000;
      return other.syncFrom(twins, { reading: { incremental: true, madeFrom: 'a', listEveryMs: hour } });
    };
    try {
      const first = await run();
      expect(first).toMatchObject({ mode: 'full', state: 'applied', counts: { added: 2 } });
      expect(first.description).toContain('changes cannot be told: employeeNumber');
      await slapd.modify(
        `dn: uid=twin1,${peopleDn}\nchangetype: modify\nadd: mail\nmail: alias@example.com\n\n`,
      );
      expect(await run()).toMatchObject({ mode: 'full', counts: { added: 1, removed: 0 } });
      expect(other.answer('twin2@example.com')).toBe('accept known 250 2.1.5');
    } finally {
      other.close();
    }
  });
});
