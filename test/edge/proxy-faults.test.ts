/** The proxy when either side fails: what the client is told, that nothing is half accepted, and that nothing stays behind. */
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { openClient, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runProxy, type ProxyTestOptions, type Running } from './edges.js';
import { recorder, verdictFor } from './fake-decide.js';
import { runHop, type FakeHop, type HopScript, type Say } from './fake-hop.js';

type Options = ProxyTestOptions;

interface House extends Running {
  readonly hop: FakeHop;
  readonly client: LineClient;
}

async function enter({ address }: Running): Promise<LineClient> {
  const client = await openClient(address);
  await smtpReply(client);
  return client;
}

async function house(script: HopScript = {}, options: Options = {}): Promise<House> {
  const hop = await runHop(script);
  const running = await runProxy({ nextHops: [hop.target], ...options });
  return { ...running, hop, client: await enter(running) };
}

async function askAll(client: LineClient, commands: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const command of commands) answers.push(await smtpAsk(client, command));
  return answers;
}

const begin = ['EHLO c', 'MAIL FROM:<a@client.example>', 'RCPT TO:<known@example.com>'];
const lost = '451 4.4.2 The server behind was lost, try again later';
const nobody = '421 4.4.1 No server behind answers, try again later';
const queued = '250 2.0.0 Ok: queued as FAKE';

async function gone(edge: Running['edge'], hop?: FakeHop): Promise<void> {
  await expect.poll(() => edge.connections(), { timeout: 10_000 }).toBe(0);
  if (hop !== undefined) await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
}

/** Sockets and timers of this process. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCPSocketWrap|Timeout|TLSWrap|TTYWrap/.test(name))
    .sort();
}

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

describe('within a message', () => {
  const dies: Record<string, HopScript> = {
    'is killed in the midst of it': { onBytes: (_, socket) => socket.destroy() },
    'is killed after the dot': { final: () => ({ then: 'kill' }) },
    'says nothing to the dot': { final: () => ({ then: 'silence' }) },
    'takes nothing more': { onBytes: (_, socket) => socket.pause() },
    'says it is done before the end': {
      onBytes: (total, socket) => {
        if (total < 200) socket.write('250 2.0.0 Ok\r\n');
      },
      final: () => ({ then: 'silence' }),
    },
    'answers the dot with 354': { final: () => '354 More' },
  };
  for (const [name, script] of Object.entries(dies))
    it(`a next hop that ${name} is a 451, and the session goes on`, async () => {
      let faults = 1;
      const once: HopScript = {
        onBytes: (total, socket) => {
          if (faults > 0) script.onBytes?.(total, socket);
        },
        final: () => (faults > 0 ? script.final?.() : undefined),
      };
      const { client, hop, edge } = await house(once, { timeouts: { blockMs: 300, finalMs: 300 } });
      await askAll(client, [...begin, 'DATA']);
      client.send('Subject: x\r\n');
      await expect.poll(() => hop.bytes(), { timeout: 10_000 }).toBeGreaterThan(0);
      client.send(`${`${'x'.repeat(78)}\r\n`.repeat(100_000)}.\r\n`);
      expect(await smtpReply(client)).toEqual([lost]);
      faults = 0;
      expect(await askAll(client, [...begin.slice(1), 'DATA', '.'])).toContain(queued);
      expect(hop.total()).toBe(2);
      client.close();
      hop.kill();
      await gone(edge, hop);
    });

  it('a refusal before the end reaches the client at its end, as it is', async () => {
    const { client, hop } = await house({
      onBytes: (total, socket) => {
        if (total < 100) socket.write('552-5.3.4 too\r\n552 5.3.4 big\r\n');
      },
      final: () => ({ then: 'silence' }),
    });
    await askAll(client, [...begin, 'DATA']);
    client.send('Subject: x\r\n');
    await expect.poll(() => hop.bytes(), { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(() => hop.open(), { timeout: 1000 }).toBe(1);
    client.send(`${'x\r\n'.repeat(100)}.\r\n`);
    expect(await smtpReply(client)).toEqual(['552-5.3.4 too', '552 5.3.4 big']);
    expect(await askAll(client, [...begin.slice(1)])).toEqual(['250 2.0.0 Ok', '250 2.0.0 Ok']);
    client.close();
  });

  it('a client that goes leaves the next hop without a final dot', async () => {
    for (const leave of ['close', 'end', 'reset'] as const) {
      const { client, hop, edge } = await house();
      await askAll(client, [...begin, 'DATA']);
      client.send('Subject: x\r\n\r\nnot all of it\r\n.');
      await expect.poll(() => hop.bytes(), { timeout: 10_000 }).toBeGreaterThan(0);
      if (leave === 'close') client.close();
      if (leave === 'end') client.socket.end();
      if (leave === 'reset') client.socket.resetAndDestroy();
      await gone(edge, hop);
      expect(hop.messages).toEqual([]);
      expect(hop.halves.map(String)).toEqual(['Subject: x\r\n\r\nnot all of it\r\n']);
    }
  });

  it('a client that goes silent is cut', async () => {
    const { client, hop, edge } = await house({}, { idleTimeoutMs: 200 });
    await askAll(client, [...begin, 'DATA']);
    client.send('Subject: x\r\n');
    expect(await client.rest()).toEqual(['421 4.4.2 Idle for too long, closing']);
    client.close();
    await gone(edge, hop);
    expect(hop.messages).toEqual([]);
  });

  it('a slow next hop slows the client, and little is held', async () => {
    let behind: { pause(): void; resume(): void } | undefined;
    const { client, hop } = await house({
      onBytes: (_, socket) => {
        if (behind === undefined) socket.pause();
        behind ??= socket;
      },
    });
    await askAll(client, [...begin, 'DATA']);
    const before = process.memoryUsage().external;
    const line = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(64));
    let sent = 0;
    // until the pipe is full: what the kernel holds, and a little of ours
    for (let more = true; more && sent < 400; sent += 1) more = client.socket.write(line);
    await expect.poll(() => behind !== undefined, { timeout: 10_000 }).toBe(true);
    let full = 0;
    while (full < 5 && sent < 2000) {
      if (client.socket.writableLength > 1_000_000) {
        full += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      } else {
        client.socket.write(line);
        sent += 1;
        await new Promise(setImmediate);
      }
    }
    expect(sent).toBeLessThan(2000);
    expect(process.memoryUsage().external - before).toBeLessThan(20_000_000);
    behind?.resume();
    client.send('.\r\n');
    expect(await smtpReply(client)).toEqual([queued]);
    expect(hop.bytes()).toBe(sent * line.length + 3);
    client.close();
  });
});

describe('200 sessions at once', () => {
  let killing: FakeHop | undefined;
  async function all(options: Options, script: HopScript, end: (client: LineClient) => Promise<unknown>) {
    const { client, ...made } = await house(script, options);
    client.close();
    killing = made.hop;
    await gone(made.edge, made.hop);
    const before = resources();
    const clients = await Promise.all(Array.from({ length: 200 }, () => enter(made)));
    await Promise.all(clients.map((each) => askAll(each, [...begin, 'DATA'])));
    for (const each of clients) each.send(`Subject: x\r\n\r\n${'x\r\n'.repeat(1000)}`);
    await expect.poll(() => made.hop.bytes(), { timeout: 20_000 }).toBeGreaterThan(200 * 3000);
    const answers = await Promise.all(clients.map(end));
    for (const each of clients) each.close();
    await gone(made.edge, made.hop);
    await expect.poll(resources, { timeout: 10_000 }).toEqual(before);
    return { ...made, answers };
  }
  const dot = async (client: LineClient) => {
    client.send('.\r\n');
    return (await smtpReply(client)).join('\n');
  };

  it('have each their message accepted', async () => {
    const { hop, answers } = await all({}, {}, dot);
    expect(new Set(answers)).toEqual(new Set([queued]));
    expect(hop.messages).toHaveLength(200);
  }, 30_000);

  it('hear each the refusal after the dot', async () => {
    const refusal = '554 5.7.1 Content refused';
    const { answers } = await all({}, { final: () => refusal }, dot);
    expect(new Set(answers)).toEqual(new Set([refusal]));
  }, 30_000);

  it('hear each 451 when the next hop is killed in the midst', async () => {
    let killed = 0;
    const { hop, answers } = await all({}, {}, async (client) => {
      if (killed === 0) killing?.kill();
      killed += 1;
      return dot(client);
    });
    expect(new Set(answers)).toEqual(new Set([lost]));
    expect(hop.messages).toEqual([]);
  }, 30_000);

  it('leave no final dot when the clients go', async () => {
    const { hop } = await all({}, {}, (client) => {
      client.close();
      return Promise.resolve();
    });
    expect(hop.messages).toEqual([]);
    expect(hop.halves).toHaveLength(200);
  }, 30_000);
});

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
