/** SIGTERM to the built edge while 200 clients are in the midst of mail through the proxy: nobody is left without an answer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openClient, smtpAsk, smtpReply, type LineClient } from '../edge/client.js';
import { runHop } from '../edge/fake-hop.js';
import { deferred } from '../support/defer.js';
import { createRollcall } from '../support/rollcall.js';

const each = 100;

describe('SIGTERM with 200 live sessions of the proxy', () => {
  const defer = deferred();

  it('lets messages under way have the next hop’s reply, and sends the others away with 421', async () => {
    const hop = await runHop();
    const rollcall = createRollcall({
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
      sources: { staff: { kind: 'csv', path: 'staff.csv' } },
      edges: {
        proxy: {
          listen: '127.0.0.1:0',
          nextHops: `127.0.0.1:${hop.target.port}`,
          drainTimeout: '30s',
        },
      },
    });
    defer(() => rollcall.remove());
    mkdirSync(rollcall.folder, { recursive: true });
    writeFileSync(join(rollcall.folder, 'staff.csv'), 'email\nknown@example.com\n');
    expect((await rollcall.cli(['sync', 'staff'])).status).toBe(0);
    const edge = await rollcall.start('edge');

    const open = async (commands: readonly string[]): Promise<LineClient> => {
      const client = await openClient({ host: '127.0.0.1', port: edge.port('proxy') });
      await smtpReply(client);
      for (const command of commands) expect(await smtpAsk(client, command)).toMatch(/^[23]5\d /);
      return client;
    };
    const clients = (commands: readonly string[]) =>
      Promise.all(Array.from({ length: each }, () => open(commands)));
    const between = await clients(['EHLO c']);
    const within = await clients(['EHLO c', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA']);
    const body = `${'x'.repeat(998)}\r\n`.repeat(20);
    for (const client of within) client.send(body);
    await expect.poll(() => hop.bytes(), { timeout: 10_000 }).toBe(each * body.length);

    const stopped = edge.stop();
    const goodbye = /^421 /;
    for (const client of between) expect(await client.rest()).toEqual([expect.stringMatching(goodbye)]);
    // one that was cut would be with the next hop as a half by now
    expect(hop.halves).toEqual([]);
    expect(hop.messages).toEqual([]);
    expect(edge.isRunning()).toBe(true);
    for (const client of within) client.send(`${body}.\r\n`);
    for (const client of within)
      expect(await client.rest()).toEqual(['250 2.0.0 Ok: queued as FAKE', expect.stringMatching(goodbye)]);
    await stopped;
    expect(hop.messages).toHaveLength(each);
    expect(hop.halves).toEqual([]);
    expect(hop.open()).toBe(0);
  }, 60_000);
});
