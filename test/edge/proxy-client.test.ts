/** The proxy and clients that go, stay too long, or do not speak SMTP. */
import { describe, expect, it } from 'vitest';
import { openClient, smtpAsk } from './client.js';
import { recorder, verdictFor } from './fake-decide.js';
import type { Say } from './fake-hop.js';
import { askAll, gone, house, queued } from './proxy-house.js';

const begin = ['EHLO c', 'MAIL FROM:<a@client.example>', 'RCPT TO:<known@example.com>'];

describe('a client', () => {
  it('that goes while the next hop is being reached leaves nothing behind', async () => {
    const { client, hop, edge } = await house({ greeting: { then: 'silence' } });
    client.send('EHLO c\r\n');
    await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(1);
    client.close();
    await gone(edge, hop);
  });

  it('that goes while an answer is awaited leaves nothing behind', async () => {
    const { client, hop, edge } = await house({
      reply: (command): Say => (command.startsWith('RCPT') ? { then: 'silence' } : undefined),
    });
    await askAll(client, begin.slice(0, 2));
    client.send('RCPT TO:<known@example.com>\r\n');
    await expect.poll(() => hop.commands.length, { timeout: 10_000 }).toBe(3);
    client.close();
    await gone(edge, hop);
  });

  it('that shuts down its side still gets its answers', async () => {
    const { client, hop } = await house();
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<known@example.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n');
    client.socket.end();
    expect((await client.rest()).slice(-3)).toEqual(['354 Go ahead', queued, '221 2.0.0 Bye']);
    expect(hop.messages.map(String)).toEqual(['x\r\n.\r\n']);
  });

  it('that sends a line without end, or controls, or bare line feeds, is told', async () => {
    const { client } = await house({}, { maxErrors: 3 });
    expect(await askAll(client, ['NOOP\x07', 'NOOP\nNOOP'])).toEqual([
      '500 5.5.2 Control characters are not allowed',
      '500 5.5.2 Lines end with CR LF',
    ]);
    expect(await client.line()).toBe('250 2.0.0 Ok');
    client.send('x'.repeat(5000));
    expect(await client.rest()).toEqual(['500 5.5.2 Line too long', '421 4.3.2 Closing']);
    client.close();
  });

  it('is cut at its limits', async () => {
    const { client, address } = await house(
      {},
      { maxRejected: 2, maxRecipients: 4, maxErrors: 2, maxConnections: 1 },
    );
    expect(await (await openClient(address)).rest()).toEqual([
      '421 4.3.2 Too many connections, try again in a moment',
    ]);
    await askAll(client, begin);
    const rcpt = (name: string) => smtpAsk(client, `RCPT TO:<${name}@example.com>`);
    for (const name of ['unknown', 'unknown']) expect(await rcpt(name)).toMatch(/^550 /);
    expect(await rcpt('known')).toMatch(/^421 4\.7\.0 Too many rejected/);
    client.close();
  });

  it('that asks and never reads is answered as much as there is room for, and cut', async () => {
    const text = 'x'.repeat(300);
    const record = recorder(() => ({ ...verdictFor('stale'), text }));
    const limits = { idleTimeoutMs: 400, maxRecipients: 1_000_000 };
    const { client, edge, hop } = await house({}, { ...record, ...limits });
    await askAll(client, begin.slice(0, 2));
    client.socket.removeAllListeners('data');
    client.socket.pause();
    client.send('RCPT TO:<stale@example.com>\r\n'.repeat(100_000));
    await expect.poll(() => edge.connections(), { timeout: 20_000 }).toBe(0);
    // what the kernel takes of 33 MB, and a little of ours
    expect(record.asked.length).toBeLessThan(50_000);
    client.close();
    await gone(edge, hop);
  }, 30_000);

  it('that stays for too long, or is silent, is cut', async () => {
    const { client, edge } = await house({}, { sessionTimeoutMs: 300 });
    await smtpAsk(client, 'EHLO c');
    expect(await client.rest()).toEqual(['421 4.4.2 Session lasted too long, closing']);
    client.close();
    await gone(edge);
    const silent = await house({}, { idleTimeoutMs: 150 });
    silent.client.send('EHL');
    expect(await silent.client.rest()).toEqual(['421 4.4.2 Idle for too long, closing']);
    silent.client.close();
    await gone(silent.edge);
  });
});
