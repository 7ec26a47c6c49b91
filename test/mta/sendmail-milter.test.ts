/** Sendmail asks by milter, over a unix socket (over TCP: snippet-sendmail.test.ts). */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runMilter } from '../edge/edges.js';
import { connectSmtp } from '../support/smtp-client.js';
import { haveSendmail, startSendmail } from '../support/sendmail.js';
import { describeOddAddresses } from './odd-addresses.js';
import { describeMta, known, mtaDomains, unknown } from './scenario.js';
import { byWayOf, common } from './spellings.js';

// Sendmail takes no socket below a folder that anybody may write to, such as /tmp.
const folder = haveSendmail ? mkdtempSync('/run/rollcall-milter-') : '';
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const socket = join(folder, 'milter.sock');

let port = 0;
describeMta('Sendmail with a milter on a unix socket', {
  have: haveSendmail,
  edges: () => ({ milter: { listen: `unix:${socket}` } }),
  start: async () => {
    const sendmail = await startSendmail({ domains: mtaDomains, milter: `local:${socket}` });
    port = sendmail.port;
    return sendmail;
  },
  more: (ask) => {
    it('asks about each of many recipients, in message after message', async () => {
      const client = await connectSmtp(port);
      expect(await client.ask('EHLO client.elsewhere.test')).toMatch(/^250/);
      for (let message = 0; message < 3; message += 1) {
        expect(await client.ask('MAIL FROM:<somebody@elsewhere.test>')).toMatch(/^250 /);
        const many = Array.from({ length: 50 }, (_, at) => `RCPT TO:<${at % 2 === 0 ? known : unknown}>`);
        const replies = await client.pipeline(many);
        expect(replies.filter((reply) => reply.startsWith('550 5.1.1 '))).toHaveLength(25);
        expect(replies.filter((reply) => reply.startsWith('250 2.1.5 '))).toHaveLength(25);
        expect(await client.ask('RSET')).toMatch(/^250 /);
      }
      await client.quit();
    });

    it('asks about the address as Sendmail reads it, by way of its own name too', async () => {
      const spelled = (name: string) => [
        ...common(name),
        ...byWayOf('mx.edge.test', name),
        ...byWayOf('localhost', name),
      ];
      for (const spelling of spelled('person')) expect(await ask(spelling), spelling).toMatch(/^250 /);
      for (const spelling of spelled('nobody'))
        expect(await ask(spelling), spelling).toMatch(/^550 5\.1\.1 /);
    });

    it('has no opinion on a domain that cannot exist, and on names of Sendmail itself', async () => {
      for (const spelling of ['x@1.2.3.4', 'x@mx.edge.test', 'x @ mx.edge.test'])
        expect(await ask(spelling), spelling).toMatch(/^250 /);
    });

    it('leaves names without a domain to Sendmail', async () => {
      expect(await ask('@relay.example:nobody@example.com')).toMatch(/^550 5\.1\.1 /);
      expect(await ask('postmaster')).toMatch(/^250 /);
    });
  },
});

describeOddAddresses('Sendmail with the door milter', {
  have: haveSendmail,
  edges: ({ port: milter }) => ({ milter: { listen: `127.0.0.1:${milter}` } }),
  start: ({ port: milter }) => startSendmail({ domains: mtaDomains, milter: `inet:${milter}@127.0.0.1` }),
});

describe.skipIf(!haveSendmail)('a session of Sendmail with a milter', () => {
  it('is deferred to its end when Rollcall has left within it, or between two messages', async () => {
    const { edge, address } = await runMilter({ drainTimeoutMs: 100 });
    const milter = 'port' in address ? address.port : 0;
    const sendmail = await startSendmail({ domains: mtaDomains, milter: `inet:${milter}@127.0.0.1` });
    try {
      const [within, between] = [await connectSmtp(sendmail.port), await connectSmtp(sendmail.port)];
      const begin = [
        'EHLO client.elsewhere.test',
        'MAIL FROM:<somebody@elsewhere.test>',
        `RCPT TO:<${known}>`,
      ];
      for (const client of [within, between])
        for (const command of begin) expect(await client.ask(command)).toMatch(/^250/);
      expect(await between.ask('RSET')).toMatch(/^250 /);
      await edge.drain();
      for (const recipient of [known, unknown])
        expect(await within.ask(`RCPT TO:<${recipient}>`)).toMatch(/^451 4\.3\.2 /);
      expect(await within.ask('DATA')).toMatch(/^451 4\.3\.2 /);
      expect(await between.ask(begin[1] ?? '')).toMatch(/^451 4\.3\.2 /);
      within.close();
      between.close();
    } finally {
      await sendmail.stop();
    }
  }, 60_000);
});
