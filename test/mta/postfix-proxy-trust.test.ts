/** A real Postfix behind the proxy that trusts it: it relays for it, and believes what it says of its clients. */
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { havePostfix } from '../support/postfix.js';
import { connectSmtp } from '../support/smtp-client.js';
import { deliver, startBehind, startProxy } from './proxy-house.js';
import { known, mtaConfig } from './scenario.js';

/** Relays for this machine, and reads `%` and `@` in local parts, as it does by itself. */
const relaying = [
  'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination',
  'mynetworks = 127.0.0.0/8',
  'mydestination = example.com',
  'relay_domains =',
  'local_recipient_maps =',
  'local_transport = discard:',
  'default_transport = discard:',
];

/** All of which Postfix takes for `victim@evil.example.net`. */
const routed = [
  'victim%evil.example.net@example.com',
  'evil.example.net!victim@example.com',
  '"victim@evil.example.net"@example.com',
  'person+v%evil.example.net@example.com',
];

describe.skipIf(!havePostfix)('a Postfix behind that trusts the proxy', () => {
  const defer = deferred();

  it('is handed nothing that it would relay, whatever the mode of the domain', async () => {
    const [port, port2] = [await freePort(), await freePort()];
    const proxy = { listen: `127.0.0.1:${port}`, nextHops: `127.0.0.1:${port2}` };
    const { rollcall, edge } = await startProxy(proxy);
    defer(() => rollcall.remove());
    const behind = await startBehind(port2, relaying);
    defer(() => behind.stop());
    // it would: nobody is between
    expect((await deliver(port2, routed)).slice(1, 5), behind.log()).toEqual(
      routed.map(() => expect.stringMatching(/^250 /) as string),
    );
    expect((await deliver(port, [...routed, known])).slice(1, 6)).toEqual([
      ...routed.map(() => expect.stringMatching(/^550 5\.[17]\.1 /) as string),
      expect.stringMatching(/^250 /),
    ]);
    await edge.stop();
    const config = mtaConfig({ proxy });
    rollcall.configure({ ...config, domains: { 'example.com': { mode: 'observe', sources: ['staff'] } } });
    await rollcall.start('edge');
    expect((await deliver(port, [...routed, 'nobody@example.com'])).slice(1, 6)).toEqual([
      ...routed.map(() => expect.stringMatching(/^550 5\.7\.1 Relaying denied/) as string),
      expect.stringMatching(/^250 /),
    ]);
  }, 60_000);

  it('hears by XCLIENT of each client on a connection of its own', async () => {
    const [port, port2] = [await freePort(), await freePort()];
    const proxy = { listen: `127.0.0.1:${port}`, nextHops: `127.0.0.1:${port2}`, clientInfo: 'xclient' };
    const { rollcall } = await startProxy(proxy);
    defer(() => rollcall.remove());
    const behind = await startBehind(port2, ['smtpd_authorized_xclient_hosts = 127.0.0.0/8']);
    defer(() => behind.stop());
    const client = await connectSmtp(port);
    await client.ask('EHLO front.elsewhere.test');
    const addresses = ['203.0.113.9', '198.51.100.7'];
    for (const address of addresses) {
      await client.ask(`XFORWARD ADDR=${address} HELO=mail.elsewhere.test`);
      await client.ask('MAIL FROM:<somebody@elsewhere.test>');
      expect(await client.ask(`RCPT TO:<${known}>`), behind.log()).toMatch(/^250 /);
      await client.ask('DATA');
      expect(await client.ask('Subject: x\r\n\r\nx\r\n.')).toMatch(/^250 2\.0\.0 Ok: queued as/);
    }
    await client.quit();
    for (const address of addresses)
      await eventually(
        () => behind.log(),
        (log) => log.includes(`client=unknown[${address}]`),
      );
  }, 60_000);
});
