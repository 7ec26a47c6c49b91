/** Postfix with the very lines that `rollcall snippet postfix` prints. */
import { expect, it } from 'vitest';
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta, mtaDomains, rcpt } from './scenario.js';
import { snippetOf } from './snippets.js';

const ofTable = /^550 5\.1\.1 .*: User unknown in relay recipient table$/;

for (const { door, refusal } of [
  { door: 'policy' },
  {
    door: 'smtp',
    refusal: /^550 5\.1\.1 .*: undeliverable address: Mailbox unknown here, or it cannot be checked now$/,
  },
  { door: 'socketmap', refusal: ofTable },
  { door: 'tcp', refusal: ofTable },
  { door: 'milter' },
]) {
  describeMta(`Postfix with the snippet for the door ${door}`, {
    have: havePostfix,
    edges: ({ port }) => ({ [door]: { listen: `127.0.0.1:${port}` } }),
    start: async ({ rollcall }) => {
      const { 'main.cf': lines = [], 'master.cf': services = [] } = await snippetOf(
        rollcall,
        'postfix',
        door,
      );
      return startPostfix({
        domains: mtaDomains,
        check: { lines },
        // for mail; probes must not mind
        mainCf: ['smtp_tls_security_level = encrypt', 'smtp_bind_address = 192.0.2.1'],
        masterCf: ['smtp inet n - n - 50 smtpd', ...services],
      });
    },
    ...(refusal !== undefined && { refusal }),
  });
}

let port = 0;
describeMta('Postfix with the snippet for the door proxy', {
  have: havePostfix,
  edges: ({ port, port2 }) => ({
    proxy: {
      listen: `127.0.0.1:${port}`,
      nextHops: [`127.0.0.1:${port2}`],
      clientInfo: 'xforward',
      foreignDomains: 'pass',
    },
  }),
  start: async ({ rollcall }) => {
    const { 'master.cf': lines = [] } = await snippetOf(rollcall, 'postfix', 'proxy');
    const postfix = await startPostfix({
      domains: mtaDomains,
      check: { lines: [] },
      masterCf: lines,
      mainCf: ['smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination'],
    });
    port = postfix.port;
    return postfix;
  },
  more: () => {
    it('lets a user of its own write to other domains, and nobody else', async () => {
      const write = (from: string) => rcpt(port, 'friend@foreign.test', 'person@example.com', from);
      // mynetworks of the test
      expect(await write('127.0.0.9')).toMatch(/^250 /);
      expect(await write('127.0.0.1')).toMatch(/^554 5\.7\.1 .*Relay access denied/);
    });
  },
});
