/** The proxy door: who the client is, and how the next hop learns it. */
import { describe, expect, it } from 'vitest';
import { silentLogger, type Logger } from '../../src/telemetry/log.js';
import { openClient, smtpAsk, smtpReply } from './client.js';
import { runProxy } from './edges.js';
import { recorder } from './fake-decide.js';
import { runHop, type HopScript } from './fake-hop.js';
import { askAll, begin, house } from './proxy-house.js';

describe('who the client is', () => {
  const attributes = 'NAME=a.example ADDR=192.0.2.9 PORT=77 PROTO=SMTP HELO=a.example IDENT=x SOURCE=REMOTE';
  const features = ['XFORWARD NAME ADDR PROTO HELO PORT SOURCE IDENT', 'XCLIENT ADDR HELO PROTO'];

  it('is taken from a front that is trusted, for the verdict and for the next hop, transaction by transaction', async () => {
    const record = recorder();
    const { hop, client } = await house({ features }, { ...record, clientInfo: 'xforward' });
    await askAll(client, ['EHLO front', `XFORWARD ${attributes}`, ...begin.slice(1), 'DATA', 'x\r\n.']);
    expect(record.asked.at(-1)?.client).toBe('192.0.2.9');
    expect(hop.commands[1]).toBe(`XFORWARD ${attributes}`);
    await askAll(client, begin.slice(1));
    expect(record.asked.at(-1)?.client).toBe('127.0.0.1');
    const own = hop.commands.filter((command) => command.startsWith('XFORWARD')).at(-1);
    expect(own).toMatch(
      /^XFORWARD NAME=\[UNAVAILABLE\] ADDR=127\.0\.0\.1 PORT=\d+ PROTO=ESMTP HELO=front SOURCE=REMOTE$/,
    );
    client.close();
  });

  it('is not taken from anybody else', async () => {
    const record = recorder();
    const { client } = await house({ features }, { ...record, trusted: ['192.0.2.0/24'] });
    expect(await smtpAsk(client, 'EHLO c')).not.toMatch(/XFORWARD|XCLIENT/);
    expect(await smtpAsk(client, `XFORWARD ${attributes}`)).toBe('550 5.7.0 Not for you');
    expect(await smtpAsk(client, 'XCLIENT ADDR=192.0.2.9')).toBe('550 5.7.0 Not for you');
    await askAll(client, begin.slice(1));
    expect(record.asked.at(-1)?.client).toBe('127.0.0.1');
    client.close();
  });

  it('is told by XCLIENT before the first transaction, and EHLO follows', async () => {
    const { hop, client } = await house({ features }, { clientInfo: 'xclient' });
    await askAll(client, [...begin, 'RSET', ...begin.slice(1)]);
    expect(hop.commands.map((command) => command.split(' ')[0])).toEqual([
      'EHLO',
      'XCLIENT',
      'EHLO',
      'MAIL',
      'RCPT',
      'RSET',
      'MAIL',
      'RCPT',
    ]);
    expect(hop.commands.slice(0, 3)).toEqual([
      'EHLO edge.example',
      'XCLIENT ADDR=127.0.0.1 PROTO=ESMTP HELO=client.example',
      'EHLO client.example',
    ]);
    client.close();
  });

  it('is not told to a connection that speaks for another already', async () => {
    let told = false;
    const script: HopScript = {
      // Postfix offers XCLIENT to those whom it trusts, and the client told is not one of them
      reply: (command) => {
        if (command.startsWith('EHLO edge')) told = false;
        if (command.startsWith('XCLIENT')) told = true;
        return command.startsWith('EHLO') && told ? '250-hop.example\r\n250 SIZE 5000' : undefined;
      },
      features: ['SIZE 5000', 'DSN', 'XCLIENT NAME ADDR PORT PROTO HELO'],
    };
    const { hop, client } = await house(script, { clientInfo: 'xclient' });
    await askAll(client, ['EHLO front']);
    for (const address of ['203.0.113.9', '198.51.100.7']) {
      await askAll(client, [`XFORWARD ADDR=${address} HELO=h${address}.example`]);
      expect((await askAll(client, [...begin.slice(1), 'DATA', 'x\r\n.'])).at(-1)).toMatch(/^250 /);
    }
    const seen = hop.commands.filter((command) => /^(XCLIENT|EHLO|MAIL)/.test(command));
    const unknowns = 'NAME=[TEMPUNAVAIL]';
    const rest = 'PORT=[UNAVAILABLE] PROTO=ESMTP';
    const mail = 'MAIL FROM:<sender@client.example>';
    expect(seen).toEqual([
      'EHLO edge.example',
      `XCLIENT ${unknowns} ADDR=203.0.113.9 ${rest} HELO=h203.0.113.9.example`,
      'EHLO h203.0.113.9.example',
      mail,
      'EHLO edge.example',
      `XCLIENT ${unknowns} ADDR=198.51.100.7 ${rest} HELO=h198.51.100.7.example`,
      'EHLO h198.51.100.7.example',
      mail,
    ]);
    client.close();
  });

  it('decides what is offered to it, when the next hop is to see it as itself', async () => {
    let told = false;
    const { client } = await house(
      {
        reply: (command) => {
          told ||= command.startsWith('XCLIENT');
          return command.startsWith('EHLO') && told ? '250-hop.example\r\n250 SIZE 5000' : undefined;
        },
        features: ['SIZE 5000', 'DSN', 'XCLIENT NAME ADDR PORT PROTO HELO'],
      },
      { clientInfo: 'xclient', trusted: [] },
    );
    client.send('EHLO c\r\n');
    expect((await smtpReply(client)).map((line) => line.slice(4))).toEqual([
      'edge.example',
      'PIPELINING',
      'SIZE 5000',
    ]);
    expect(await smtpAsk(client, 'MAIL FROM:<>')).toBe('250 2.0.0 Ok');
    client.close();
  });

  it('may be offered more before it is known than after: only what a message needs counts', async () => {
    let told = false;
    const { client } = await house(
      {
        reply: (command) => {
          told ||= command.startsWith('XCLIENT');
          return command.startsWith('EHLO') && told ? '250-hop.example\r\n250 SIZE 5000' : undefined;
        },
        features: ['SIZE 5000', 'DSN', 'XCLIENT NAME ADDR PORT PROTO HELO'],
      },
      { clientInfo: 'xclient' },
    );
    await askAll(client, ['EHLO c', 'XFORWARD ADDR=203.0.113.9']);
    expect(await askAll(client, begin.slice(1))).toEqual(['250 2.0.0 Ok', '250 2.0.0 Ok']);
    client.close();
  });

  it('given by XCLIENT counts until TLS, by XFORWARD for one message', async () => {
    const record = recorder();
    const { client } = await house({}, record);
    await askAll(client, ['EHLO front', 'XCLIENT ADDR=203.0.113.9', ...begin, 'DATA', '.']);
    await askAll(client, ['XFORWARD ADDR=198.51.100.7', ...begin.slice(1), 'DATA', '.', ...begin.slice(1)]);
    expect(record.asked.map((question) => question.client)).toEqual([
      '203.0.113.9',
      '198.51.100.7',
      '203.0.113.9',
    ]);
    client.close();
  });

  it('is greeted for in its own name, or ours when it has none', async () => {
    for (const [name, expected] of [
      ['client.example', 'client.example'],
      ['[192.0.2.1]', '[192.0.2.1]'],
      ['not a <name>', 'edge.example'],
    ]) {
      const { hop, client } = await house({ features }, { clientInfo: 'xclient', trusted: [] });
      await askAll(client, [`EHLO ${name}`]);
      expect(hop.commands.at(-1)).toBe(`EHLO ${expected}`);
      client.close();
    }
  });

  it('is never hidden from a next hop that is to know it: one that does not ask is passed over, and said', async () => {
    const said: unknown[] = [];
    const log = { ...silentLogger(), warn: (...words: unknown[]) => said.push(words) } as unknown as Logger;
    const deaf = await runHop();
    const { hop, client } = await house({ features }, {});
    const running = await runProxy({ nextHops: [deaf.target, hop.target], clientInfo: 'xclient', log });
    const other = await openClient(running.address);
    await smtpReply(other);
    expect(await askAll(other, begin)).toHaveLength(3);
    expect(deaf.commands.filter((command) => !command.startsWith('EHLO'))).toEqual([]);
    expect(hop.commands).toContain('RCPT TO:<known@example.com>');
    expect(JSON.stringify(said)).toContain('it does not offer XCLIENT to us');
    for (const each of [client, other]) each.close();
  });

  it('costs no mail where it is for the log only, and is said once', async () => {
    for (const reply of ['501 5.5.4 Bad', undefined]) {
      const said: unknown[] = [];
      const log = { ...silentLogger(), warn: (...words: unknown[]) => said.push(words) } as unknown as Logger;
      const script = { reply: (command: string) => (command.startsWith('XFORWARD') ? reply : undefined) };
      const offers = reply === undefined ? {} : { features };
      const { client, hop } = await house({ ...script, ...offers }, { clientInfo: 'xforward', log });
      for (let message = 0; message < 2; message += 1)
        expect((await askAll(client, [...begin, 'DATA', '.'])).at(-1)).toMatch(/^250 .*queued/);
      expect(hop.total()).toBe(1);
      expect(said).toHaveLength(1);
      expect(JSON.stringify(said)).toContain('XFORWARD');
      client.close();
    }
  });

  it('refused by the next hop ends the session for now, and is said', async () => {
    const said: unknown[] = [];
    const log = { ...silentLogger(), warn: (...words: unknown[]) => said.push(words) } as unknown as Logger;
    const { client, hop } = await house(
      { features, reply: (command) => (command.startsWith('XCLIENT') ? '554 5.7.1 Blocked' : undefined) },
      { clientInfo: 'xclient', trusted: [], log },
    );
    expect(await smtpAsk(client, 'EHLO c')).toMatch(/^421 4\.4\.1 /);
    expect(hop.total()).toBe(1);
    expect(JSON.stringify(said)).toContain('XCLIENT was answered 554');
    client.close();
  });

  it('given by XCLIENT starts the session anew', async () => {
    const record = recorder();
    const { client } = await house({}, record);
    await askAll(client, ['EHLO c']);
    expect(await smtpAsk(client, 'XCLIENT ADDR=IPV6:2001:db8::7')).toBe('220 edge.example ESMTP');
    expect(await smtpAsk(client, 'MAIL FROM:<>')).toBe('503 5.5.1 Send EHLO first');
    await askAll(client, begin);
    expect(record.asked.at(-1)?.client).toBe('2001:db8::7');
    client.close();
  });

  it('is told by a PROXY header of either version, before anything else', async () => {
    for (const [clientInfo, header, start] of [
      ['proxy-v1', 'line', /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/],
      ['proxy-v2', 28, /^\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01/],
    ] as const) {
      const { hop, client } = await house({ header }, { clientInfo });
      await askAll(client, begin);
      expect(hop.headers.map((each) => each.toString('latin1'))).toEqual([expect.stringMatching(start)]);
      client.close();
    }
  });
});
