/** The proxy when the next hop does not answer, or is lost: what the client is told, and who takes its place. */
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { smtpAsk } from './client.js';
import { runProxy } from './edges.js';
import { runHop, type HopScript } from './fake-hop.js';
import { askAll, enter, gone, house, lost, nobody, queued } from './proxy-house.js';

const begin = ['EHLO c', 'MAIL FROM:<a@client.example>', 'RCPT TO:<known@example.com>'];

describe('while no next hop answers', () => {
  it('the client is told to come again, and the next one is served when it is back', async () => {
    const port = await freePort();
    const running = await runProxy({ nextHops: [{ host: '127.0.0.1', port }] });
    const client = await enter(running);
    expect(await smtpAsk(client, 'EHLO c')).toBe(nobody);
    expect(await client.rest()).toEqual([]);
    client.close();
    await runHop({ port });
    expect(await askAll(await enter(running), [...begin, 'DATA', '.'])).toContain(queued);
  });

  const bad: Record<string, HopScript> = {
    'refuses in its greeting': { greeting: '554 5.3.2 Not today' },
    'greets with 421': { greeting: { say: '421 4.3.2 Busy', then: 'close' } },
    'closes at once': { greeting: { then: 'kill' } },
    'says nothing': { greeting: { then: 'silence' } },
    'is no SMTP server': { greeting: 'HTTP/1.1 400 Bad Request' },
    'refuses EHLO': { reply: () => '502 5.5.1 No' },
    'never ends its line': { greeting: 'x'.repeat(10_000) },
    'never ends its reply': { greeting: '220-x\r\n'.repeat(300) },
  };
  for (const [name, script] of Object.entries(bad)) {
    it(`one that ${name} is passed over`, async () => {
      const broken = await runHop(script);
      const good = await runHop();
      const running = await runProxy({
        nextHops: [broken.target, good.target],
        timeouts: { greetingMs: 200 },
      });
      const client = await enter(running);
      expect(await askAll(client, [...begin, 'DATA', '.'])).toContain(queued);
      expect(broken.open()).toBe(0);
      client.close();
      await gone(running.edge, good);
    });
  }

  it('the first in order is taken, one that failed is left alone for a while, and then tried again', async () => {
    let well = false;
    const first = await runHop({
      reply: (command) => (well || !command.startsWith('EHLO') ? undefined : '421 No'),
    });
    const second = await runHop();
    const running = await runProxy({ nextHops: [first.target, second.target], retryAfterMs: 400 });
    const visit = async () => {
      const client = await enter(running);
      await smtpAsk(client, 'EHLO c');
      client.close();
      return [first.total(), second.total()];
    };
    expect(await visit()).toEqual([1, 1]);
    expect(await visit()).toEqual([1, 2]);
    well = true;
    await expect.poll(visit, { timeout: 10_000, interval: 100 }).toEqual([2, expect.any(Number)]);
    const before = second.total();
    expect(await visit()).toEqual([3, before]);
  });
});

describe('a next hop that is lost', () => {
  const atCommand: Record<string, (verb: string) => HopScript> = {
    'goes away': (verb) => ({
      reply: (command) => (command.startsWith(verb) ? { then: 'kill' } : undefined),
    }),
    'talks nonsense': (verb) => ({ reply: (command) => (command.startsWith(verb) ? 'What?' : undefined) }),
    'is out of step': (verb) => ({
      reply: (command) => (command.startsWith(verb) ? (verb === 'DATA' ? '250 Ok' : '354 Go') : undefined),
    }),
    'says nothing': (verb) => ({
      reply: (command) => (command.startsWith(verb) ? { then: 'silence' } : undefined),
    }),
  };
  for (const [name, scriptFor] of Object.entries(atCommand))
    for (const verb of ['MAIL', 'RCPT', 'DATA'])
      it(`because it ${name} at ${verb} is a 451, also for what follows`, async () => {
        const { client, hop, edge } = await house(scriptFor(verb), {
          timeouts: { commandMs: 200, dataMs: 200 },
        });
        const answers = await askAll(client, [...begin, 'DATA']);
        const from = ['EHLO', 'MAIL', 'RCPT', 'DATA'].indexOf(verb);
        expect(answers.slice(0, from).every((answer) => answer.startsWith('250'))).toBe(true);
        expect(answers[from]).toBe(lost);
        if (verb === 'RCPT') expect(answers[3]).toBe(lost);
        // who is unknown stays so without the next hop
        if (verb !== 'MAIL')
          expect(await smtpAsk(client, 'RCPT TO:<unknown@example.com>')).toMatch(/^550 5\.1\.1 /);
        expect(hop.messages).toEqual([]);
        client.close();
        await gone(edge, hop);
      });

  it('between two transactions is replaced without a word', async () => {
    const { client, hop } = await house();
    expect(await askAll(client, [...begin, 'DATA', '.'])).toContain(queued);
    hop.kill();
    await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
    expect(await askAll(client, [...begin.slice(1), 'DATA', '.'])).toContain(queued);
    expect(hop.total()).toBe(2);
    client.close();
  });

  it('is not replaced by one that can do less than was promised', async () => {
    const { client, hop } = await house();
    const less = await runHop({ features: ['SIZE 1'] });
    const running = await runProxy({ nextHops: [hop.target, less.target] });
    const other = await enter(running);
    await smtpAsk(other, 'EHLO c');
    await hop.close();
    expect(await smtpAsk(other, 'MAIL FROM:<> BODY=8BITMIME')).toMatch(/^421 4\.4\.1 Another server/);
    expect(less.commands).not.toContain('MAIL FROM:<> BODY=8BITMIME');
    client.close();
    other.close();
  });

  it('at the first word of a message is replaced, when the connection was kept from before', async () => {
    let broken = false;
    const { client, hop } = await house({
      reply: (command) => {
        if (!broken || !command.startsWith('MAIL')) return undefined;
        broken = false;
        return { then: 'kill' };
      },
    });
    expect(await askAll(client, [...begin, 'DATA', '.'])).toContain(queued);
    broken = true;
    expect((await askAll(client, [...begin.slice(1), 'DATA', '.'])).at(-1)).toBe(queued);
    expect(hop.total()).toBe(2);
    client.close();
  });

  it('at MAIL is a 451 for all that was sent along with it, until the next MAIL', async () => {
    let well = false;
    const { client } = await house({
      reply: (command) => (!well && command.startsWith('MAIL') ? { then: 'kill' } : undefined),
    });
    expect((await askAll(client, [...begin, 'DATA'])).slice(1)).toEqual([lost, lost, lost]);
    well = true;
    expect(await askAll(client, [...begin.slice(1), 'DATA', '.'])).toContain(queued);
    expect(await smtpAsk(client, 'RCPT TO:<known@example.com>')).toBe('503 5.5.1 Send MAIL first');
    client.close();
  });

  for (const [code, verb] of [
    [530, 'MAIL'],
    [503, 'MAIL'],
    [534, 'RCPT'],
    [538, 'RCPT'],
    [503, 'DATA'],
  ] as const)
    it(`because it has something against us (${code} to ${verb}) is a 451, and the next one is taken`, async () => {
      const first = await runHop({
        reply: (command) => (command.startsWith(verb) ? `${code} 5.7.0 Not from you` : undefined),
      });
      const second = await runHop();
      const running = await runProxy({ nextHops: [first.target, second.target] });
      const client = await enter(running);
      const answers = await askAll(client, [...begin, 'DATA']);
      expect(answers.filter((answer) => answer.startsWith('5'))).toEqual([]);
      // nothing was under way at MAIL
      if (verb === 'MAIL') expect(answers.at(-1)).toBe('354 Go ahead');
      else expect(answers.at(-1)).toBe(lost);
      client.close();
      const other = await enter(running);
      expect(await askAll(other, [...begin, 'DATA', '.'])).toContain(queued);
      expect(first.total()).toBe(1);
      other.close();
    });

  it('because it refuses RSET is replaced', async () => {
    let open = false;
    const { client, hop } = await house({
      reply: (command) => {
        if (command.startsWith('EHLO')) open = false;
        if (command === 'RSET') return '500 5.5.2 What?';
        if (!command.startsWith('MAIL')) return undefined;
        const nested = open;
        open = true;
        return nested ? '503 5.5.1 Nested' : undefined;
      },
    });
    expect(await askAll(client, [...begin, 'RSET', ...begin.slice(1), 'DATA', '.'])).toContain(queued);
    expect(hop.total()).toBe(2);
    client.close();
  });

  it('is not replaced by one that has room for less', async () => {
    for (const [size, next, answer] of [
      ['SIZE 5000', 'SIZE 4000', /^421 /],
      ['SIZE 0', 'SIZE 4000', /^421 /],
      ['SIZE 4000', 'SIZE 5000', /^250 /],
      ['SIZE 4000', 'SIZE', /^250 /],
    ] as const) {
      const first = await runHop({ features: [size] });
      const second = await runHop({ features: [next] });
      const client = await enter(await runProxy({ nextHops: [first.target, second.target] }));
      await smtpAsk(client, 'EHLO c');
      await first.close();
      expect(await smtpAsk(client, 'MAIL FROM:<>')).toMatch(answer);
      client.close();
    }
  });

  it('is replaced by one that can do less, when the message needs no more', async () => {
    const first = await runHop();
    const second = await runHop({ features: ['SIZE 10240000'] });
    const client = await enter(await runProxy({ nextHops: [first.target, second.target] }));
    await smtpAsk(client, 'EHLO c');
    await first.close();
    expect(await askAll(client, [...begin.slice(1), 'DATA', '.'])).toContain(queued);
    expect(await askAll(client, begin.slice(1, 2))).toEqual(['250 2.0.0 Ok']);
    expect(await smtpAsk(client, 'RCPT TO:<known@example.com> NOTIFY=NEVER')).toMatch(/^421 4\.4\.1 Another/);
    client.close();
  });

  it('leaves no message refused for good whose recipients were only deferred', async () => {
    const later = '451 4.3.0 No recipient could be taken now, try again later';
    const { client } = await house({
      reply: (command) => (command.startsWith('RCPT TO:<full') ? '452 4.2.2 Mailbox full' : undefined),
    });
    const [unknown, stale, full] = ['unknown', 'stale', 'full'].map(
      (name) => `RCPT TO:<${name}@example.com>`,
    );
    for (const recipients of [[stale], [full], [unknown, full], [stale, unknown]])
      expect((await askAll(client, [...begin.slice(0, 2), ...recipients.map(String), 'DATA'])).at(-1)).toBe(
        later,
      );
    expect((await askAll(client, [...begin.slice(0, 2), String(unknown), 'DATA'])).at(-1)).toMatch(/^554 /);
    client.close();
  });

  it('with a 421 of its own is heard by the client, whose session ends as well', async () => {
    const { client, edge, hop } = await house({
      reply: (command) =>
        command.startsWith('RCPT') ? { say: '421 4.3.2 Going down', then: 'close' } : undefined,
    });
    await askAll(client, begin.slice(0, 2));
    expect(await smtpAsk(client, 'RCPT TO:<known@example.com>')).toBe('421 4.3.2 Going down');
    expect(await client.rest()).toEqual([]);
    client.close();
    await gone(edge, hop);
  });
});
