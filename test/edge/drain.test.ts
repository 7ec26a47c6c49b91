/** Drain, as at SIGTERM: nothing that was asked goes unanswered, and nobody can hold the process. */
import { describe, expect, it } from 'vitest';
import { openClient, policyRequest, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runPolicy, runSmtp } from './edges.js';

async function many(count: number, open: () => Promise<LineClient>): Promise<LineClient[]> {
  return Promise.all(Array.from({ length: count }, open));
}

describe('drain of the policy edge', () => {
  it('answers every question sent before it, on every connection', async () => {
    const { address, edge } = await runPolicy({ drainTimeoutMs: 5000 });
    const clients = await many(100, () => openClient(address));
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(100);
    const question = policyRequest({ recipient: 'unknown@example.com' });
    for (const client of clients) client.send(question.repeat(20));
    await edge.drain();
    for (const client of clients) expect(await client.rest()).toHaveLength(40);
  });

  it('waits for a request that has begun', async () => {
    const { address, edge } = await runPolicy({ drainTimeoutMs: 5000 });
    const client = await openClient(address);
    const idle = await openClient(address);
    const question = policyRequest({ recipient: 'unknown@example.com' });
    client.send(question + question.slice(0, 20));
    await client.lines(2);
    const drained = edge.drain();
    expect(await idle.line()).toBeUndefined();
    client.send(question.slice(20));
    expect(await client.rest()).toHaveLength(2);
    await drained;
  });

  it('cuts at the deadline a client that never finishes its request', async () => {
    const { address, edge } = await runPolicy({ drainTimeoutMs: 50 });
    const client = await openClient(address);
    client.send('request=');
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(1);
    await edge.drain();
    expect(await client.rest()).toEqual([]);
  });
});

describe('drain of the SMTP edge', () => {
  const transaction = `HELO c\r\nMAIL FROM:<>\r\n${'RCPT TO:<unknown@example.com>\r\n'.repeat(250)}`;

  it('answers all that was pipelined before it, lets the transaction end, and says 421', async () => {
    const { address, edge } = await runSmtp({ drainTimeoutMs: 5000, maxRejected: 1000 });
    const clients = await many(50, () => openClient(address));
    await Promise.all(clients.map((client) => smtpReply(client)));
    for (const client of clients) client.send(transaction);
    const drained = edge.drain();
    for (const client of clients) {
      const replies = await client.lines(252);
      expect(replies.filter((reply) => reply.startsWith('550 5.1.1'))).toHaveLength(250);
      expect(await smtpAsk(client, 'RCPT TO:<known@example.com>')).toMatch(/^250 2\.1\.5/);
      client.send('RSET\r\n');
      expect(await client.rest()).toEqual(['250 2.0.0 Ok', '421 4.3.2 Shutting down, try again in a moment']);
      client.close();
    }
    await drained;
  });

  it('answers a long pipeline outside a transaction to its end', async () => {
    const { address, edge } = await runSmtp({ drainTimeoutMs: 5000 });
    const client = await openClient(address);
    await smtpReply(client);
    client.send('NOOP\r\n'.repeat(1000));
    const drained = edge.drain();
    expect(await client.lines(1000)).toEqual(Array(1000).fill('250 2.0.0 Ok'));
    expect(await client.line()).toMatch(/^421 4\.3\.2 /);
    client.close();
    await drained;
  });

  it('sends idle sessions away at once and takes no new ones', async () => {
    const { address, edge } = await runSmtp({ drainTimeoutMs: 5000 });
    const client = await openClient(address);
    await smtpReply(client);
    const drained = edge.drain();
    expect(await client.line()).toBe('421 4.3.2 Shutting down, try again in a moment');
    client.close();
    await drained;
    await expect(openClient(address)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('cuts at the deadline a transaction that goes on, with a 421', async () => {
    const { address, edge } = await runSmtp({ drainTimeoutMs: 50 });
    const client = await openClient(address);
    await smtpReply(client);
    await smtpAsk(client, 'HELO c');
    await smtpAsk(client, 'MAIL FROM:<>');
    await edge.drain();
    expect(await client.rest()).toEqual(['421 4.3.2 Shutting down, try again in a moment']);
  });
});
