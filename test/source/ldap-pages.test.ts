/** What the pages about OpenLDAP and 389-ds tell people to write is taken as it stands, and is enough. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/config/issues.js';
import { parseConfig } from '../../src/config/load.js';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { Follower } from '../support/follow-source.js';
import { peopleDn } from '../support/slapd-config.js';
import { haveSlapd, makePeople, startSlapd } from '../support/slapd.js';
import { optionsFor } from './fake-directory.js';

const page = (name: string): string =>
  readFileSync(new URL(`../../docs/directory-${name}.md`, import.meta.url), 'utf8');

it.each(['openldap', '389ds'])('directory-%s.md gives settings that are taken', (name) => {
  const examples = [...page(name).matchAll(/```json\n([^]*?)```/g)].map(([, text]) => text ?? '');
  expect(examples).toHaveLength(1);
  for (const text of examples) {
    const result = parseConfig(text, { file: '/etc/rollcall/config.json' });
    expect(result.ok ? [] : result.issues.map(formatIssue)).toEqual([]);
  }
});

describe.skipIf(!haveSlapd)('directory-openldap.md', () => {
  it('names the rights that a read and changes by contextCSN need', async () => {
    const readable = /^ *attrs=(\S+)$/m.exec(page('openldap'))?.[1] ?? '';
    const slapd = await startSlapd({ ldif: makePeople(20).ldif, syncprov: true, readable });
    try {
      const add = (name: string): Promise<void> =>
        slapd.add(
          `dn: uid=${name},${peopleDn}\nobjectClass: inetOrgPerson\nuid: ${name}\ncn: x\nsn: x\nmail: ${name}@example.com\n\n`,
        );
      await add('first');
      const { dn, password } = slapd.reader;
      const options = { bindDn: dn, bindPassword: password, attributes: { addresses: ['mail'] } };
      const follower = new Follower(createLdapSource(optionsFor(slapd.url, options)));
      await follower.readWhole();
      expect(follower.cursor).toContain('"by":"csn"');
      await add('ada');
      const { report } = await follower.follow({ listing: true });
      expect(report).toMatchObject({ doubts: [], listed: true, proof: true });
      expect(follower.addresses()).toHaveLength(23);
      expect(await follower.source.find?.('ada@example.com', new AbortController())).toHaveLength(1);
      await follower.source.close?.();
    } finally {
      await slapd.remove();
    }
  });
});
