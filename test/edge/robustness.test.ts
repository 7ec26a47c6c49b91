/** Clients that are broken, hostile, or silent: bounded, and the others are served. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ListenAddress } from '../../src/edge/bind.js';
import { openClient, policyAction, policyRequest, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runPolicy, runSmtp } from './edges.js';

async function stillServesSmtp(address: ListenAddress): Promise<void> {
  const client = await openClient(address);
  await smtpReply(client);
  await smtpAsk(client, 'HELO c');
  await smtpAsk(client, 'MAIL FROM:<>');
  expect(await smtpAsk(client, 'RCPT TO:<unknown@example.com>')).toMatch(/^550 5\.1\.1 /);
  client.close();
}

async function stillServesPolicy(address: ListenAddress): Promise<void> {
  const client = await openClient(address);
  client.send(policyRequest({ recipient: 'unknown@example.com' }));
  expect(await policyAction(client)).toMatch(/^550 5\.1\.1 /);
  client.close();
}

async function silent(address: ListenAddress, count: number): Promise<LineClient[]> {
  const clients: LineClient[] = [];
  while (clients.length < count)
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => openClient(address)))));
  return clients;
}

describe('the SMTP edge', () => {
  it('serves others beside 1,000 silent connections, at less than 60 KB each', async () => {
    const { address, edge } = await runSmtp({ maxConnections: 2000 });
    const before = process.memoryUsage().rss;
    const clients = await silent(address, 1000);
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(1000);
    await stillServesSmtp(address);
    // Both ends live in this process.
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000 * 1000);
    for (const client of clients) client.close();
  });

  it('closes a line that is too long, ended or not', async () => {
    for (const end of ['', '\r\n']) {
      const { address } = await runSmtp();
      const client = await openClient(address);
      client.send(`HELO ${'x'.repeat(3000)}${end}`);
      expect((await client.rest()).slice(1)).toEqual(['500 5.5.2 Line too long', '421 4.3.2 Closing']);
    }
  });

  it('takes a line of the longest path that RFC 5321 knows, with parameters', async () => {
    const { address } = await runSmtp();
    const client = await openClient(address);
    await smtpReply(client);
    await smtpAsk(client, 'HELO c');
    await smtpAsk(client, 'MAIL FROM:<>');
    const long = `RCPT TO:<${'x'.repeat(240)}@example.com> ORCPT=rfc822;${'y'.repeat(500)}`;
    expect(await smtpAsk(client, long)).toBe('250 2.1.5 Recipient ok');
  });

  it('sends away who says nothing, who takes for ever, and who talks before a delayed greeting', async () => {
    const idle = await openClient((await runSmtp({ idleTimeoutMs: 50 })).address);
    expect((await idle.rest()).at(-1)).toBe('421 4.4.2 Idle for too long, closing');
    const slow = await openClient((await runSmtp({ sessionTimeoutMs: 50 })).address);
    expect((await slow.rest()).at(-1)).toBe('421 4.4.2 Session lasted too long, closing');
    const early = await openClient((await runSmtp({ greetingDelayMs: 5000 })).address);
    early.send('EHLO c\r\n');
    expect(await early.rest()).toEqual(['421 4.7.0 You talk too soon, closing']);
  });

  it('stops reading from a client that never reads', async () => {
    const { address, edge } = await runSmtp({ maxRecipients: 10_000_000, maxRejected: 10_000_000 });
    const client = await openClient(address);
    client.socket.pause();
    client.send('HELO c\r\nMAIL FROM:<>\r\n');
    const flood = 'RCPT TO:<unknown@example.com>\r\n'.repeat(2000);
    // What the kernel holds for both sides is a few megabytes; what the edge would read without end is all of it.
    let sent = 0;
    while (sent < 40_000_000 && (await taken(client, flood))) sent += flood.length;
    expect(sent).toBeLessThan(40_000_000);
    client.close();
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(0);
    await stillServesSmtp(address);
  });

  it('survives random bytes', async () => {
    const { address, edge } = await runSmtp();
    for (let round = 0; round < 20; round += 1) {
      const client = await openClient(address);
      client.send(randomBytes(5000));
      client.socket.end();
      expect((await client.rest()).join('\n')).not.toMatch(/^250 2\.1\.5/m);
    }
    await stillServesSmtp(address);
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(0);
  });
});

describe('the policy edge', () => {
  it('serves others beside 1,000 silent connections, at less than 60 KB each', async () => {
    const { address, edge } = await runPolicy();
    const before = process.memoryUsage().rss;
    const clients = await silent(address, 1000);
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(1000);
    await stillServesPolicy(address);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000 * 1000);
    for (const client of clients) client.close();
  });

  it('closes a request that is not completed in time, and a connection idle for too long', async () => {
    const slow = await openClient((await runPolicy({ requestTimeoutMs: 50 })).address);
    slow.send('request=smtpd_access_policy\n');
    expect(await slow.rest()).toEqual([]);
    const idle = await openClient((await runPolicy({ idleTimeoutMs: 50 })).address);
    expect(await idle.rest()).toEqual([]);
  });

  it('never answers garbage with DUNNO', async () => {
    const { address, edge } = await runPolicy();
    for (let round = 0; round < 20; round += 1) {
      const client = await openClient(address);
      client.send(Buffer.concat([randomBytes(2000), Buffer.from('\n\n'), randomBytes(100)]));
      client.socket.end();
      expect(await client.rest()).toEqual([]);
    }
    await stillServesPolicy(address);
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(0);
  });
});

/** Whether the text left for the kernel; false when nothing has moved for two seconds. */
function taken(client: LineClient, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 2000);
    client.socket.write(text, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
