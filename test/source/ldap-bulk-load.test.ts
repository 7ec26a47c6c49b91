/** A slapd that was loaded a moment ago, when everything is new: what the cursor for its changes costs, and that it misses nobody. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { readChanges } from '../support/follow-source.js';
import { readWhole } from '../support/read-source.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { optionsFor } from './fake-directory.js';

const change = (dn: string, mail: string): string =>
  `dn: ${dn}\nchangetype: modify\nreplace: mail\nmail: ${mail}\n\n`;

describe.skipIf(!haveSlapd)('a slapd loaded a moment ago, without contextCSN', () => {
  const people = makePeople(3_000);
  const pageSize = 100;
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif, monitor: true });
    // the base is not to be among what is newest: modifyTimestamp has seconds
    await delay(1_000 - (Date.now() % 1_000) + 5);
    await slapd.modify(change(people.dns.at(-1) ?? '', 'later@example.com'));
  });
  afterAll(() => slapd.remove());

  /** Entries that it has sent since it was started. */
  async function sent(): Promise<number> {
    const client = new Client({ url: slapd.url });
    try {
      await client.bind(slapd.reader.dn, slapd.reader.password);
      const { searchEntries } = await client.search('cn=Entries,cn=Statistics,cn=Monitor', {
        scope: 'base',
        attributes: ['monitorCounter'],
      });
      return Number(searchEntries[0]?.['monitorCounter']);
    } finally {
      await client.unbind();
    }
  }

  it('sends each entry once, a few pages more, and containers; and who changes meanwhile is told', async () => {
    const { dn: bindDn, password: bindPassword } = slapd.reader;
    const source = createLdapSource(optionsFor(slapd.url, { bindDn, bindPassword, pageSize }));
    const first = people.dns[0] ?? '';
    const before = await sent();
    const { entries, report } = await readWhole(source, {
      onBatch: async (soFar) => {
        if (soFar <= pageSize) await slapd.modify(change(first, 'meanwhile@example.com'));
      },
    });
    expect(report).toMatchObject({ complete: true });
    expect(report.cursor).toContain('"by":"time"');
    expect((await sent()) - before).toBeLessThan(entries.length + 5 * pageSize);
    const { changes, report: after } = await readChanges(source, report.cursor);
    expect(after.doubts).toEqual([]);
    const told = changes.find((change) => change.kind === 'entry' && change.entry.where === first);
    expect(told).toMatchObject({
      entry: {
        addresses: expect.arrayContaining([{ value: 'meanwhile@example.com', attribute: 'mail' }]) as unknown,
      },
    });
  });
});
