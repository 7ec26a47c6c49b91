/** The proxy door: what becomes of a message, and of those under way at a stop. */
import { describe, expect, it } from 'vitest';
import { openClient, smtpAsk, smtpReply } from './client.js';
import { askAll, begin, gone, house } from './proxy-house.js';

describe('a message', () => {
  it('passes as it is, and the next hop’s words with it', async () => {
    const made = await house({
      reply: (command) => (command.startsWith('RCPT') ? '250-2.1.5 one\r\n250 2.1.5 two' : undefined),
      final: () => '250-2.0.0 of many\r\n250 2.0.0 lines',
    });
    const { hop, client } = made;
    await askAll(client, begin.slice(0, 2));
    client.send('RCPT TO:<known@example.com>\r\n');
    expect(await smtpReply(client)).toEqual(['250-2.1.5 one', '250 2.1.5 two']);
    expect(await smtpAsk(client, 'DATA')).toBe('354 Go ahead');
    const message = Buffer.from(
      'Subject: x\r\n\r\n..stuffed\r\nbare\nfeed \xff\0 dots. .\r\n.\r\n',
      'latin1',
    );
    client.send(message);
    expect(await smtpReply(client)).toEqual(['250-2.0.0 of many', '250 2.0.0 lines']);
    expect(hop.messages).toEqual([message]);
    expect(await smtpAsk(client, 'QUIT')).toBe('221 2.0.0 Bye');
    expect(hop.commands.slice(0, 4)).toEqual([
      'EHLO edge.example',
      'MAIL FROM:<sender@client.example>',
      'RCPT TO:<known@example.com>',
      'DATA',
    ]);
    await gone(made.edge, made.hop);
    expect(hop.commands.at(-1)).toBe('QUIT');
  });

  it('passes however its bytes are cut, and several in one session', async () => {
    const { hop, client } = await house();
    await askAll(client, begin.slice(0, 1));
    const message = 'a\r\n..\r\n\r\nb\r\n.\r\n';
    for (let cut = 0; cut <= message.length; cut += 1) {
      expect(await askAll(client, [...begin.slice(1), 'DATA'])).toHaveLength(3);
      client.send(message.slice(0, cut));
      await new Promise(setImmediate);
      client.send(message.slice(cut));
      expect(await smtpReply(client)).toEqual(['250 2.0.0 Ok: queued as FAKE']);
    }
    expect(new Set(hop.messages.map(String))).toEqual(new Set([message]));
    expect(hop.messages).toHaveLength(message.length + 1);
    expect(hop.total()).toBe(1);
    client.close();
  });

  it('passes pipelined with its commands, and the next one behind it', async () => {
    const made = await house();
    const { hop, client } = made;
    const one =
      'MAIL FROM:<>\r\nRCPT TO:<known@example.com>\r\nRCPT TO:<unknown@example.com>\r\nDATA\r\nx\r\n.\r\n';
    client.send(`EHLO c\r\n${one}${one}QUIT\r\n`);
    const codes = (await client.rest()).map((line) => line.slice(0, 4)).filter((code) => code !== '250-');
    const answers = ['250 ', '250 ', '550 ', '354 ', '250 '];
    expect(codes).toEqual(['250 ', ...answers, ...answers, '221 ']);
    expect(hop.messages.map(String)).toEqual(['x\r\n.\r\n', 'x\r\n.\r\n']);
    await gone(made.edge, made.hop);
  });

  it('that ends otherwise for some servers is refused, and none of it is accepted', async () => {
    const made = await house();
    const { hop, client } = made;
    await askAll(client, [...begin, 'DATA']);
    client.send('Subject: x\r\n');
    await expect.poll(() => hop.bytes(), { timeout: 10_000 }).toBe(12);
    client.send('\r\nhello\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<x@other.example>\r\n');
    expect(await client.rest()).toEqual([expect.stringMatching(/^521 5\.5\.2 .*closing$/)]);
    await gone(made.edge, made.hop);
    expect(hop.messages).toEqual([]);
    expect(hop.halves.map(String).join('')).toBe('Subject: x\r\n');
    expect(hop.commands.filter((command) => command.startsWith('MAIL'))).toHaveLength(1);
  });

  it('is refused here when nobody is left to take it', async () => {
    const { hop, client } = await house();
    const answers = await askAll(client, [...begin.slice(0, 2), 'RCPT TO:<unknown@example.com>', 'DATA']);
    expect(answers.at(-1)).toBe('554 5.5.1 No valid recipients');
    expect(hop.commands).not.toContain('DATA');
    expect(await smtpAsk(client, 'RSET')).toBe('250 2.0.0 Ok');
    expect(hop.commands.at(-1)).toBe('RSET');
    client.close();
  });
});

describe('drain', () => {
  it('lets a message under way end, then says 421', async () => {
    const { edge, hop, client } = await house({}, { drainTimeoutMs: 10_000 });
    await askAll(client, [...begin, 'DATA']);
    const drained = edge.drain();
    client.send('hello\r\n');
    expect(await smtpAsk(client, '.')).toBe('250 2.0.0 Ok: queued as FAKE');
    expect(await client.rest()).toEqual(['421 4.3.2 Shutting down, try again in a moment']);
    client.close();
    await drained;
    expect(hop.messages).toHaveLength(1);
  });

  it('sends idle sessions away, and cuts at the deadline those that go on', async () => {
    const { address, edge, hop, client } = await house({}, { drainTimeoutMs: 300 });
    const idle = await openClient(address);
    await smtpReply(idle);
    await askAll(client, begin);
    const drained = edge.drain();
    expect(await idle.rest()).toEqual(['421 4.3.2 Shutting down, try again in a moment']);
    idle.close();
    expect(await client.rest()).toEqual(['421 4.3.2 Shutting down, try again in a moment']);
    await drained;
    await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
    expect(hop.messages).toEqual([]);
  });

  it('answers 100 sessions with a message under way', async () => {
    const { address, edge, hop, client } = await house({}, { drainTimeoutMs: 30_000 });
    client.close();
    const clients = await Promise.all(Array.from({ length: 100 }, () => openClient(address)));
    await Promise.all(clients.map((each) => smtpReply(each)));
    await Promise.all(clients.map((each) => askAll(each, [...begin, 'DATA'])));
    const drained = edge.drain();
    const answers = await Promise.all(clients.map((each) => smtpAsk(each, 'hello\r\n.')));
    expect(new Set(answers)).toEqual(new Set(['250 2.0.0 Ok: queued as FAKE']));
    for (const each of clients) each.close();
    await drained;
    expect(hop.messages).toHaveLength(100);
  });
});
