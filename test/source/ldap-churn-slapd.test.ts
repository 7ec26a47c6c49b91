/** OpenLDAP: after 10,000 random changes, its changes told one after another and a whole read give the same. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { Churn } from '../support/churn.js';
import { liveThrough } from '../support/live-through.js';
import { peopleDn, suffix } from '../support/slapd-config.js';
import { haveSlapd, startSlapd } from '../support/slapd.js';
import { optionsFor } from './fake-directory.js';

describe.skipIf(!haveSlapd)('10,000 random changes in OpenLDAP', () => {
  it.each([
    ['contextCSN', true],
    ['modifyTimestamp', false],
  ])(
    'followed by %s',
    async (_, syncprov) => {
      const churn = new Churn({
        seed: syncprov ? 1 : 2,
        suffix,
        base: peopleDn,
        objectClasses: ['inetOrgPerson', 'mailRouting'],
        aliasAttribute: 'mailLocalAddress',
      });
      const slapd = await startSlapd({ syncprov, ldif: churn.units() });
      try {
        // so that the base is not among what was changed in the newest second, of which everything is read again
        await delay(1_100);
        await slapd.modify(churn.changes(200));
        const { dn, password } = slapd.reader;
        const options = { bindDn: dn, bindPassword: password, baseDns: [peopleDn], pageSize: 500 };
        const wholeReads = await liveThrough({
          churn,
          source: createLdapSource(optionsFor(slapd.url, options)),
          modify: (ldif) => slapd.modify(ldif),
          search: [
            '-H',
            slapd.url,
            '-D',
            dn,
            '-w',
            password,
            '-b',
            peopleDn,
            '(uid=*)',
            'mail',
            'mailLocalAddress',
          ],
          rounds: 10,
          changesPerRound: 980,
        });
        expect(wholeReads).toBe(1);
      } finally {
        await slapd.remove();
      }
    },
    60_000,
  );
});
