/**
 * The proxy between two real Postfix: as `smtpd_proxy_filter` of the one in front (SMTPD_PROXY_README), and as the front
 * itself of the one behind.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { havePostfix, startPostfix, type Postfix } from '../support/postfix.js';
import { connectSmtp } from '../support/smtp-client.js';
import { deliver, startBehind, startProxy } from './proxy-house.js';
import {
  describeMta,
  known,
  knownInStale,
  mtaConfig,
  mtaDomains,
  staleAfterMs,
  tempfail,
  unknown,
  unknownInStale,
  type Mta,
} from './scenario.js';

function startFront(filter: number, mainCf: readonly string[] = []): Promise<Postfix> {
  return startPostfix({
    domains: mtaDomains,
    check: { lines: [`smtpd_proxy_filter = 127.0.0.1:${filter}`, 'smtpd_proxy_timeout = 20s'] },
    mainCf,
  });
}

/** A client in the `mynetworks` of test/support/postfix-config.ts: a user of the mail server. */
const ownUser = '127.0.0.9';

/** Both as one. */
function together(front: Pick<Mta, 'port'> & Partial<Mta>, behind: Postfix): Mta {
  return {
    port: front.port,
    log: () => `${front.log?.() ?? ''}${behind.log()}`,
    async stop() {
      await front.stop?.();
      await behind.stop();
    },
  };
}

describeMta('Postfix with smtpd_proxy_filter', {
  have: havePostfix,
  edges: ({ port, port2 }) => ({
    proxy: { listen: `127.0.0.1:${port}`, nextHops: `127.0.0.1:${port2}`, clientInfo: 'xforward' },
  }),
  start: async ({ port, port2 }) => together(await startFront(port), await startBehind(port2)),
});

describe.skipIf(!havePostfix)('a message through the proxy', () => {
  const defer = deferred();

  async function rollcallAt(port: number, nextHop: number, more = {}) {
    const house = await startProxy({
      listen: `127.0.0.1:${port}`,
      nextHops: `127.0.0.1:${nextHop}`,
      ...more,
    });
    defer(() => house.rollcall.remove());
    return house;
  }

  it('passes from Postfix to Postfix, which answers for it and knows who sent it', async () => {
    const [port, port2] = [await freePort(), await freePort()];
    await rollcallAt(port, port2, { clientInfo: 'xforward' });
    const behind = await startBehind(port2);
    defer(() => behind.stop());
    const front = await startFront(port);
    defer(() => front.stop());
    const replies = await deliver(front.port, [known, unknown]);
    const logs = `${front.log()}${behind.log()}`;
    expect(replies[1], logs).toMatch(/^250 2\.1\.5/);
    expect(replies[2], logs).toMatch(/^550 5\.1\.1 .*No such mailbox here/);
    expect(replies[4], logs).toMatch(/^250 2\.0\.0 Ok: queued as \w+$/);
    const queued = replies[4]?.split(' ').at(-1) ?? '';
    await eventually(
      () => behind.log(),
      (log) => log.includes(`${queued}: removed`),
    );
    expect(behind.log()).toMatch(new RegExp(`${queued}: client=.*orig_client=.*127\\.0\\.0\\.1`));
    expect(front.log()).toContain('proxy-accept');
  }, 60_000);

  it('of a user to the world passes the filter when it is to, and strangers relay nothing', async () => {
    const [port, port2] = [await freePort(), await freePort()];
    const { rollcall, edge } = await rollcallAt(port, port2);
    const relays = 'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination';
    const behind = await startBehind(port2, [
      relays,
      'mynetworks = 127.0.0.0/8',
      'default_transport = discard:',
    ]);
    defer(() => behind.stop());
    const front = await startFront(port, [relays]);
    defer(() => front.stop());
    const abroad = 'friend@elsewhere.test';
    expect((await deliver(front.port, [abroad], ownUser))[1]).toMatch(/^550 5\.7\.1 .*not a domain served/);

    await edge.stop();
    const proxy = { listen: `127.0.0.1:${port}`, nextHops: `127.0.0.1:${port2}`, foreignDomains: 'pass' };
    rollcall.configure(mtaConfig({ proxy }));
    await rollcall.start('edge');
    const replies = await deliver(front.port, [abroad, known, unknown], ownUser);
    const logs = () => `${front.log()}${behind.log()}`;
    expect(replies.slice(1, 4), logs()).toEqual([
      expect.stringMatching(/^250 2\.1\.5/),
      expect.stringMatching(/^250 2\.1\.5/),
      expect.stringMatching(/^550 5\.1\.1 .*No such mailbox here/),
    ]);
    expect(replies[5], logs()).toMatch(/^250 2\.0\.0 Ok: queued as \w+$/);
    expect((await deliver(front.port, [abroad, known]))[1], logs()).toMatch(
      /^554 5\.7\.1 .*Relay access denied/,
    );
  }, 60_000);

  it('passes as the front itself, with what the next hop can do', async () => {
    const [port, port2] = [await freePort(), await freePort()];
    await rollcallAt(port, port2);
    const behind = await startBehind(port2);
    defer(() => behind.stop());
    const client = await connectSmtp(port);
    const features = await client.ask('EHLO client.elsewhere.test');
    for (const feature of ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 10240000', 'DSN'])
      expect(features).toContain(feature);
    for (const feature of ['VRFY', 'ETRN', 'CHUNKING', 'AUTH']) expect(features).not.toContain(feature);
    client.close();
    const replies = await deliver(port, [unknown, 'somebody@not-ours.example', known]);
    expect(replies[1]).toMatch(/^550 5\.1\.1 /);
    expect(replies[2]).toMatch(/^550 5\.7\.1 /);
    expect(replies[5], behind.log()).toMatch(/^250 2\.0\.0 Ok: queued as \w+$/);
    expect(await deliver(port, [unknown])).toEqual([
      expect.stringMatching(/^250 2\.1\.0/),
      expect.stringMatching(/^550 5\.1\.1 /),
      expect.stringMatching(/^554 5\.5\.1 /),
    ]);
  }, 60_000);

  it('as the front refuses nobody for good while the next hop is down, or Rollcall is', async () => {
    const [port, port2] = [await freePort(), await freePort()];
    const { edge, rollcall } = await rollcallAt(port, port2);
    const client = await connectSmtp(port);
    expect(await client.ask('EHLO client.elsewhere.test')).toMatch(/^421 4\.4\.1 /);
    const behind = await startBehind(port2);
    defer(() => behind.stop());
    expect((await deliver(port, [known])).at(-1), behind.log()).toMatch(/^250 2\.0\.0 Ok: queued as/);
    await delay(staleAfterMs);
    const [, later = '', alike = ''] = await deliver(port, [unknownInStale, knownInStale]);
    expect(later).toMatch(tempfail);
    expect(alike).toMatch(/^250 /);
    await edge.stop();
    // nobody listens: whoever has mail keeps it and comes again
    await expect(connectSmtp(port)).rejects.toThrow(/ECONNREFUSED/);
    await rollcall.start('edge');
    expect((await deliver(port, [known])).at(-1), behind.log()).toMatch(/^250 2\.0\.0 Ok: queued as/);
  }, 60_000);
});
