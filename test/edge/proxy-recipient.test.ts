/** The proxy door: whom the next hop is asked about, and what is offered to the client. */
import { describe, expect, it } from 'vitest';
import { replies, type Verdict } from '../../src/policy/verdict.js';
import { smtpAsk, smtpReply } from './client.js';
import { recorder, verdictFor } from './fake-decide.js';
import { askAll, begin, house } from './proxy-house.js';

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
