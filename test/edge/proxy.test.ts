/** The proxy door: what passes through, what does not, and in which order. */
import { describe, expect, it } from 'vitest';
import { replies, type Verdict } from '../../src/policy/verdict.js';
import { silentLogger, type Logger } from '../../src/telemetry/log.js';
import { openClient, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runProxy, type Running } from './edges.js';
import { recorder, verdictFor } from './fake-decide.js';
import { runHop, type FakeHop, type HopScript } from './fake-hop.js';

interface House extends Running {
  readonly hop: FakeHop;
  readonly client: LineClient;
}

async function house(
  script: HopScript = {},
  options: Partial<Parameters<typeof runProxy>[0]> = {},
): Promise<House> {
  const hop = await runHop(script);
  const running = await runProxy({ nextHops: [hop.target], ...options });
  const client = await openClient(running.address);
  expect(await smtpReply(client)).toEqual(['220 edge.example ESMTP']);
  return { ...running, hop, client };
}

async function askAll(client: LineClient, commands: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const command of commands) answers.push(await smtpAsk(client, command));
  return answers;
}

const begin = ['EHLO client.example', 'MAIL FROM:<sender@client.example>', 'RCPT TO:<known@example.com>'];

async function gone({ edge, hop }: House): Promise<void> {
  await expect.poll(() => edge.connections(), { timeout: 10_000 }).toBe(0);
  await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
}

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
    await gone(made);
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
    await gone(made);
  });

  it('that ends otherwise for some servers is refused, and none of it is accepted', async () => {
    const made = await house();
    const { hop, client } = made;
    await askAll(client, [...begin, 'DATA']);
    client.send('Subject: x\r\n');
    await expect.poll(() => hop.bytes(), { timeout: 10_000 }).toBe(12);
    client.send('\r\nhello\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<x@other.example>\r\n');
    expect(await client.rest()).toEqual([expect.stringMatching(/^521 5\.5\.2 .*closing$/)]);
    await gone(made);
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

describe('a recipient', () => {
  it('that is refused or deferred by the verdict never reaches the next hop', async () => {
    const record = recorder();
    const { hop, client } = await house({}, record);
    await askAll(client, begin.slice(0, 2));
    const { unknown, stale, 'not-our-domain': foreign } = replies;
    expect(await smtpAsk(client, 'RCPT TO:<unknown@example.com>')).toMatch(`550 5.1.1 ${unknown.text}`);
    expect(await smtpAsk(client, 'RCPT TO:<stale@example.com>')).toMatch(`451 4.4.3 ${stale.text}`);
    expect(await smtpAsk(client, 'RCPT TO:<a@other.example>')).toMatch(`550 5.7.1 ${foreign.text}`);
    expect(await smtpAsk(client, 'RCPT TO:<broken@example.com>')).toMatch(/^451 4\.4\.3 /);
    expect(hop.commands.filter((command) => command.startsWith('RCPT'))).toEqual([]);
    expect(record.told.map(({ verdict }) => verdict.reason)).toEqual(
      ['unknown', 'stale', 'not-our-domain'].concat('failure'),
    );
    expect(record.asked[0]).toEqual({
      recipient: 'unknown@example.com',
      form: 'smtp',
      sender: 'sender@client.example',
      client: '127.0.0.1',
      edge: 'proxy',
    });
    client.close();
  });

  it('that is known gets the next hop’s own answer, whatever it is', async () => {
    const said: Record<string, string> = {
      full: '452 4.2.2 Mailbox full',
      nobody: '550-5.1.1 not\r\n550 5.1.1 here',
      moved: '251 2.1.5 Will forward',
    };
    const { client } = await house({
      reply: (command) => said[/^RCPT TO:<(\w+)@/.exec(command)?.[1] ?? ''],
    });
    await askAll(client, begin.slice(0, 2));
    for (const [name, reply] of Object.entries(said)) {
      client.send(`RCPT TO:<${name}@example.com>\r\n`);
      expect((await smtpReply(client)).join('\r\n')).toBe(reply);
    }
    client.close();
  });

  it('is put to the next hop without its source route, and with its parameters', async () => {
    const { hop, client } = await house();
    await askAll(client, begin.slice(0, 2));
    await askAll(client, [
      'RCPT  TO: <@a.example,@[127.0.0.1]:known@example.com>   NOTIFY=NEVER',
      'rcpt to:<"a b>c"@example.com>',
      'RCPT TO:<Postmaster>',
    ]);
    expect(hop.commands.slice(2)).toEqual([
      'RCPT TO:<known@example.com> NOTIFY=NEVER',
      'RCPT TO:<"a b>c"@example.com>',
      'RCPT TO:<Postmaster>',
    ]);
    client.close();
  });

  it('in a domain that is not ours passes unjudged when it is to, and is no answer of ours', async () => {
    const record = recorder();
    const said: Record<string, string> = { nowhere: '554 5.7.1 Relay access denied' };
    const reply = (command: string) => said[/^RCPT TO:<(\w+)/.exec(command)?.[1] ?? ''];
    const { hop, client } = await house({ reply }, { ...record, foreignDomains: 'pass' });
    await askAll(client, begin.slice(0, 2));
    const asked = ['a@other.example', '@relay.example:b@other.example', 'nowhere@other.example'];
    const answers = await askAll(
      client,
      [...asked, 'unknown@example.com'].map((recipient) => `RCPT TO:<${recipient}>`),
    );
    expect(answers).toEqual([
      '250 2.0.0 Ok',
      '250 2.0.0 Ok',
      said['nowhere'],
      expect.stringMatching(/^550 5\.1\.1 /),
    ]);
    expect(hop.commands.filter((command) => command.startsWith('RCPT'))).toEqual([
      'RCPT TO:<a@other.example>',
      'RCPT TO:<b@other.example>',
      'RCPT TO:<nowhere@other.example>',
    ]);
    expect(record.asked.map(({ advisory }) => advisory)).toEqual([true, true, true, true]);
    expect(record.told.map(({ verdict }) => verdict.reason)).toEqual(['unknown']);
    client.close();
  });

  const routed = [
    'victim%evil.example@example.com',
    'evil.example!victim@example.com',
    '"victim@evil.example"@example.com',
    '"vic\\%tim"@example.com',
    '@relay.example:victim%evil.example@example.com',
    'a@victim@example.com',
  ];
  const relayed: Record<string, (verdict: Verdict) => Verdict> = {
    'in mode observe': (verdict) => ({
      ...verdict,
      reason: 'unknown',
      wouldBe: { ...replies.unknown, reason: 'unknown' },
    }),
    'in mode off': (verdict) => ({ ...verdict, reason: 'off' }),
    'by a subaddress': (verdict) => ({ ...verdict, reason: 'subaddress' }),
    'by a pattern': (verdict) => ({ ...verdict, reason: 'pattern' }),
    'by a catch-all': (verdict) => ({ ...verdict, reason: 'catch-all' }),
  };
  for (const [name, change] of Object.entries(relayed))
    it(`that names a way to another domain is not handed on when it is accepted ${name}`, async () => {
      const record = recorder(() => change(verdictFor('known')));
      const { hop, client } = await house({}, record);
      await askAll(client, begin.slice(0, 2));
      for (const recipient of routed)
        expect(await smtpAsk(client, `RCPT TO:<${recipient}>`)).toMatch(
          /^550 5\.7\.1 Relaying denied: .*\(ref /,
        );
      expect(hop.commands.filter((command) => command.startsWith('RCPT'))).toEqual([]);
      expect(new Set(record.told.map(({ verdict }) => verdict.action))).toEqual(new Set(['reject']));
      expect(await smtpAsk(client, 'RCPT TO:<@relay.example:plain@example.com>')).toBe('250 2.0.0 Ok');
      expect(hop.commands.at(-1)).toBe('RCPT TO:<plain@example.com>');
      client.close();
    });

  it('that names a way to another domain is handed on when the list has that very address', async () => {
    for (const reason of ['known', 'alias-domain'] as const) {
      const { hop, client } = await house(
        {},
        recorder(() => verdictFor(reason)),
      );
      await askAll(client, [...begin.slice(0, 2), 'RCPT TO:<a%b@example.com>']);
      expect(hop.commands.at(-1)).toBe('RCPT TO:<a%b@example.com>');
      client.close();
    }
  });

  it('that names a way to another domain is not handed on because the next hop knows it', async () => {
    const { hop, client } = await house(
      {},
      { decide: () => verdictFor('unknown'), confirm: () => verdictFor('known') },
    );
    await askAll(client, begin);
    expect(hop.commands.at(-1)).toMatch(/^RCPT /);
    expect(await smtpAsk(client, 'RCPT TO:<a%b@example.com>')).toMatch(/^550 5\.7\.1 /);
    client.close();
  });

  it('that names a way to another domain is deferred while the lists are in doubt', async () => {
    const stale = { ...verdictFor('known'), reason: 'stale' } as const;
    const { hop, client } = await house({}, { decide: () => stale });
    await askAll(client, begin);
    expect(hop.commands.at(-1)).toMatch(/^RCPT /);
    expect(await smtpAsk(client, 'RCPT TO:<a%b@example.com>')).toMatch(/^451 4\.4\.3 /);
    client.close();
  });

  it('waits for a verdict that comes later, in order', async () => {
    let answer: (() => void) | undefined;
    const { hop, client } = await house(
      {},
      {
        confirm: (question, verdict) =>
          question.recipient.startsWith('unknown')
            ? new Promise((resolve) => (answer = () => resolve(verdict)))
            : undefined,
      },
    );
    await askAll(client, begin.slice(0, 2));
    client.send('RCPT TO:<unknown@example.com>\r\nRCPT TO:<known@example.com>\r\nNOOP\r\n');
    await expect.poll(() => answer !== undefined, { timeout: 10_000 }).toBe(true);
    expect(hop.commands.filter((command) => command.startsWith('RCPT'))).toEqual([]);
    answer?.();
    const codes = (await client.lines(3)).map((line) => line.slice(0, 3));
    expect(codes).toEqual(['550', '250', '250']);
    client.close();
  });
});

describe('EHLO', () => {
  it('offers what the next hop can do and we can pass', async () => {
    const features = [
      'SIZE 5000',
      'CHUNKING',
      'AUTH PLAIN',
      'BINARYMIME',
      '8BITMIME',
      'X-ODD',
      'XFORWARD NAME',
    ];
    const { client } = await house({ features }, { trusted: [] });
    client.send('EHLO c\r\n');
    expect(await smtpReply(client)).toEqual([
      '250-edge.example',
      '250-PIPELINING',
      '250-8BITMIME',
      '250 SIZE 5000',
    ]);
    expect(await smtpAsk(client, 'MAIL FROM:<> SMTPUTF8')).toBe('555 5.5.4 Parameter not recognised');
    expect(await smtpAsk(client, 'MAIL FROM:<> BODY=BINARYMIME')).toBe('555 5.5.4 Parameter not recognised');
    expect(await smtpAsk(client, 'MAIL FROM:<> SIZE=10 BODY=8BITMIME')).toBe('250 2.0.0 Ok');
    client.close();
  });

  it('passes UTF-8 as the octets that came', async () => {
    const record = recorder();
    const { hop, client } = await house({}, record);
    await askAll(client, [
      'EHLO c',
      'MAIL FROM:<jürgen@client.example> SMTPUTF8',
      'RCPT TO:<zoë@example.com>',
    ]);
    expect(record.asked[0]?.recipient).toBe('zoë@example.com');
    expect(Buffer.from(hop.commands.at(-1) ?? '', 'latin1').toString()).toBe('RCPT TO:<zoë@example.com>');
    client.close();
  });

  it('given again ends the transaction at the next hop too', async () => {
    const { hop, client } = await house();
    await askAll(client, [...begin, 'EHLO again', 'MAIL FROM:<>']);
    expect(hop.commands.slice(1)).toEqual([
      'MAIL FROM:<sender@client.example>',
      'RCPT TO:<known@example.com>',
      'RSET',
      'MAIL FROM:<>',
    ]);
    client.close();
  });
});

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
