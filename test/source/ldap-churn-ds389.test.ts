/** 389 Directory Server: after 10,000 random changes, its changes told one after another and a whole read give the same. */
import { describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { Churn } from '../support/churn.js';
import { peopleDn, suffix } from '../support/ds389-config.js';
import { haveDs389, startDs389 } from '../support/ds389.js';
import { liveThrough } from '../support/live-through.js';
import { optionsFor } from './fake-directory.js';

describe.skipIf(!haveDs389)('10,000 random changes in 389-ds', () => {
  it.each([
    ['entryusn', true, 10],
    ['modifyTimestamp', false, 2],
  ])(
    'followed by %s',
    async (_, usn, rounds) => {
      const churn = new Churn({
        seed: usn ? 3 : 4,
        suffix,
        base: peopleDn,
        objectClasses: ['inetOrgPerson', 'mailRecipient'],
        aliasAttribute: 'mailAlternateAddress',
      });
      const server = await startDs389({ usn, ldif: churn.units() });
      try {
        await server.modify(churn.changes(200));
        const { dn, password } = server.reader;
        const options = {
          bindDn: dn,
          bindPassword: password,
          baseDns: [peopleDn],
          pageSize: 500,
          preset: '389ds' as const,
        };
        const wholeReads = await liveThrough({
          churn,
          source: createLdapSource(optionsFor(server.url, options)),
          modify: (ldif) => server.modify(ldif),
          search: [
            '-H',
            server.url,
            '-D',
            dn,
            '-w',
            password,
            '-b',
            peopleDn,
            '(uid=*)',
            'mail',
            'mailAlternateAddress',
          ],
          rounds,
          changesPerRound: 980,
        });
        expect(wholeReads).toBe(1);
      } finally {
        await server.remove();
      }
    },
    120_000,
  );
});
