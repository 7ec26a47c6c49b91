/** Postfix asks by access policy delegation; what it passes on as typed; and what keeps such names out altogether. */
import { describe, expect, it } from 'vitest';
import { runPolicy } from '../edge/edges.js';
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta, mtaDomains, rcpt } from './scenario.js';

// The names that Postfix completes become addresses of ours: the worst case.
const mainCf = ['myorigin = example.com', 'mydomain = com', 'append_dot_mydomain = yes'];

describeMta('Postfix with check_policy_service', {
  have: havePostfix,
  edges: ({ port }) => ({ policy: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startPostfix({ domains: mtaDomains, check: { policy: `inet:127.0.0.1:${port}` }, mainCf }),
  more: (ask) => {
    it('refuses nobody for what it passes as typed and completes later', async () => {
      const spelled = ['person', 'person@example', 'example.com!person', 'person%example.com'];
      for (const spelling of [...spelled, 'person @ example.com', 'person(comment)@example.com'])
        expect(await ask(spelling), spelling).toMatch(/^250 /);
      for (const spelling of ['example.com!nobody', 'nobody%example.com'])
        expect(await ask(spelling), spelling).toMatch(/^451 4\.4\.3 /);
      for (const spelling of ['nobody @ example.com', 'nobody(comment)@example.com'])
        expect(await ask(spelling), spelling).toMatch(/^550 5\.1\.1 /);
    });

    it('leaves names alone to Postfix', async () => {
      for (const spelling of ['nobody', 'nobody@example']) expect(await ask(spelling)).toMatch(/^250 /);
    });
  },
});

describe.skipIf(!havePostfix)('Postfix with reject_non_fqdn_recipient before check_policy_service', () => {
  it('asks about whole addresses only, and still takes postmaster', async () => {
    const { address } = await runPolicy();
    const policy = `inet:127.0.0.1:${'port' in address ? address.port : 0}`;
    const check = `smtpd_recipient_restrictions = reject_non_fqdn_recipient, check_policy_service ${policy}`;
    const postfix = await startPostfix({
      domains: mtaDomains,
      check: { policy },
      mainCf: [...mainCf, check],
    });
    try {
      for (const spelling of ['unknown', 'unknown@example', 'example.com!unknown', 'known'])
        expect(await rcpt(postfix.port, spelling), spelling).toMatch(/^504 5\.5\.2 /);
      expect(await rcpt(postfix.port, 'unknown@example.com')).toMatch(/^550 5\.1\.1 /);
      for (const spelling of ['known@example.com', 'postmaster'])
        expect(await rcpt(postfix.port, spelling), spelling).toMatch(/^250 /);
    } finally {
      await postfix.stop();
    }
  }, 60_000);
});
