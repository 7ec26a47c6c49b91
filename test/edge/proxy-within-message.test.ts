/** The proxy when either side fails within a message: nothing is half accepted, and nothing stays behind. */
import { describe, expect, it } from 'vitest';
import { smtpReply, type LineClient } from './client.js';
import type { ProxyTestOptions } from './edges.js';
import type { FakeHop, HopScript } from './fake-hop.js';
import { askAll, enter, gone, house, lost, queued } from './proxy-house.js';

const begin = ['EHLO c', 'MAIL FROM:<a@client.example>', 'RCPT TO:<known@example.com>'];

/** Sockets and timers of this process. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCPSocketWrap|Timeout|TLSWrap|TTYWrap/.test(name))
    .sort();
}

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
  async function all(
    options: ProxyTestOptions,
    script: HopScript,
    end: (client: LineClient) => Promise<unknown>,
  ) {
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
