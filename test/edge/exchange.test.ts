/** The common ground of the protocols of requests and replies, with a protocol of lines whose answers come when a test says. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { replies, type Question, type Verdict } from '../../src/policy/verdict.js';
import { createBatch } from '../../src/edge/batch.js';
import { openExchange, type Answer } from '../../src/edge/exchange.js';
import { createLineParser } from '../../src/edge/line-parser.js';
import { createListener, type Edge } from '../../src/edge/listener.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { createMailLog } from '../../src/telemetry/mail-log.js';
import { openClient, type LineClient } from './client.js';

interface Options {
  readonly idleTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly onProblem?: string;
}

interface House {
  readonly listener: Edge;
  readonly client: LineClient;
  /** Lines asked so far. */
  readonly asked: string[];
  /** Lines whose answers the witness was told of. */
  readonly told: string[];
  /** Answers a line `late …`, the first of that name still open. */
  settle(line: string): void;
  /** Fails it, which the contract rules out. */
  breakDown(line: string): void;
}

const listeners: Edge[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(listeners.splice(0).map((listener) => listener.drain()));
});

/** `late …` is answered by `settle`, `bad` is not the protocol, everything else is answered at once. */
async function open(options: Options = {}): Promise<House> {
  const asked: string[] = [];
  const told: string[] = [];
  const open = new Map<string, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  const verdict: Verdict = { ...replies.known, reason: 'known' };
  const answerTo = (line: string): Answer => ({
    text: `${line}!\n`,
    question: { recipient: line, form: 'smtp', edge: 'test' },
    verdict,
  });
  const log = silentLogger();
  const mailLog = createMailLog(log);
  const batch = createBatch();
  const listener = createListener({
    name: 'test',
    listen: [{ host: '127.0.0.1', port: 0 }],
    maxConnections: 10,
    drainTimeoutMs: 20_000,
    log,
    mailLog,
    onConnection: (socket, closed) =>
      openExchange(
        socket,
        {
          name: 'test',
          decide: () => verdict,
          witness: ({ recipient }: Question) => told.push(recipient),
          log,
          mailLog,
          batch,
          idleTimeoutMs: 60_000,
          requestTimeoutMs: 60_000,
          ...options,
          parser: createLineParser({
            maxLineBytes: 100,
            endIsLineEnd: true,
            read: (line) => (line === 'bad' ? undefined : line),
          }),
          answer: (line: string) => {
            asked.push(line);
            if (!line.startsWith('late')) return answerTo(line);
            return new Promise<Answer>((resolve, reject) => open.set(line, { resolve, reject }));
          },
        },
        closed,
      ),
  });
  listeners.push(listener);
  const [address] = await listener.listen();
  if (address === undefined) throw new Error('no address');
  return {
    listener,
    client: await openClient(address),
    asked,
    told,
    settle: (line) => open.get(line)?.resolve(answerTo(line)),
    breakDown: (line) => open.get(line)?.reject(new Error('a defect')),
  };
}

const seen = (house: House, line: string) => expect.poll(() => house.asked).toContain(line);

describe('answers', () => {
  it('come in the order of the requests, whenever they are ready', async () => {
    const house = await open();
    house.client.send('a\nlate 1\nb\nlate 2\nc\n');
    expect(await house.client.line()).toBe('a!');
    await seen(house, 'c');
    house.settle('late 2');
    house.settle('late 1');
    expect(await house.client.lines(4)).toEqual(['late 1!', 'b!', 'late 2!', 'c!']);
    expect(house.told).toEqual(['a', 'late 1', 'b', 'late 2', 'c']);
    house.client.send('d\n');
    expect(await house.client.line()).toBe('d!');
  });

  it('are given after the client has shut down its side', async () => {
    const house = await open();
    house.client.send('late 1\nb\nc');
    house.client.socket.end();
    await seen(house, 'b');
    house.settle('late 1');
    expect(await house.client.rest()).toEqual(['late 1!', 'b!', 'c!']);
  });

  it('that come last of all, after the half-close, still arrive', async () => {
    const house = await open();
    house.client.send('late 1');
    house.client.socket.end();
    await seen(house, 'late 1');
    house.settle('late 1');
    expect(await house.client.rest()).toEqual(['late 1!']);
    await expect.poll(() => house.listener.connections()).toBe(0);
  });

  it('nobody waits for do no harm', async () => {
    const house = await open();
    house.client.send('late 1\n');
    await seen(house, 'late 1');
    house.client.socket.resetAndDestroy();
    // paused, so nothing tells of the end before the answer is written
    house.settle('late 1');
    await expect.poll(() => house.listener.connections()).toBe(0);
    expect(house.told).toEqual(['late 1']);
  });

  it('that fail against their contract close the connection, and no other', async () => {
    const house = await open();
    house.client.send('late 1\nb\n');
    await seen(house, 'b');
    house.breakDown('late 1');
    expect(await house.client.rest()).toEqual([]);
  });
});

describe('what is not the protocol', () => {
  it('ends the connection after the answers owed', async () => {
    const house = await open({ onProblem: 'what?\n' });
    house.client.send('a\nlate 1\nbad\nnever\n');
    expect(await house.client.line()).toBe('a!');
    await seen(house, 'late 1');
    house.settle('late 1');
    expect(await house.client.rest()).toEqual(['late 1!', 'what?']);
    expect(house.asked).not.toContain('never');
  });

  it('ends it though the client writes on and reads late', async () => {
    const house = await open({ onProblem: 'what?\n' });
    house.client.socket.pause();
    house.client.send(`a\nbad\n${'x\n'.repeat(100_000)}`);
    await expect.poll(() => house.listener.connections(), { timeout: 5000 }).toBe(0);
    house.client.socket.resume();
    expect((await house.client.rest()).slice(0, 2)).toEqual(['a!', 'what?']);
    expect(house.asked).toEqual(['a']);
  });
});

describe('time', () => {
  it('of a request does not pass while its forerunner is waited for, and passes then', async () => {
    const house = await open({ requestTimeoutMs: 50, onProblem: 'too slow\n' });
    house.client.send('late 1\nhal');
    await seen(house, 'late 1');
    await new Promise((resolve) => setTimeout(resolve, 150));
    house.settle('late 1');
    expect(await house.client.line()).toBe('late 1!');
    house.client.send('f\nhal');
    expect(await house.client.line()).toBe('half!');
    expect(await house.client.rest()).toEqual(['too slow']);
  });

  it('of idleness does not cut an answer that is waited for', async () => {
    const house = await open({ idleTimeoutMs: 50 });
    house.client.send('late 1\n');
    await seen(house, 'late 1');
    await new Promise((resolve) => setTimeout(resolve, 150));
    house.settle('late 1');
    expect(await house.client.rest()).toEqual(['late 1!']);
  });
});

describe('a client', () => {
  it('is not read while it is owed an answer', async () => {
    const house = await open();
    house.client.send('late 1\n');
    await seen(house, 'late 1');
    house.client.send('x\n'.repeat(200_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(house.asked.length).toBeLessThan(40_000); // of one packet
    house.settle('late 1');
    expect(await house.client.lines(200_001)).toHaveLength(200_001);
  });

  it('that reads nothing is not read, and gets everything once it does', async () => {
    const house = await open();
    house.client.socket.pause();
    const line = `${'y'.repeat(90)}\n`;
    const count = 200_000; // 18 MB: more than the kernel keeps for both
    house.client.send(line.repeat(count));
    let last = -1;
    await expect
      .poll(
        () => {
          const still = house.asked.length === last;
          last = house.asked.length;
          return still && last > 0;
        },
        { interval: 200, timeout: 15_000 },
      )
      .toBe(true);
    expect(house.asked.length).toBeLessThan(count);
    house.client.socket.resume();
    expect(await house.client.lines(count)).toHaveLength(count);
  });
});

describe('a drain', () => {
  it('waits for the answers owed, reads what was sent by then, and closes', async () => {
    const house = await open();
    house.client.send('late 1\nb\n');
    await seen(house, 'b');
    const drained = house.listener.drain();
    house.client.send('c\n'.repeat(50_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    house.settle('late 1');
    const got = await house.client.rest();
    expect(got.slice(0, 3)).toEqual(['late 1!', 'b!', 'c!']);
    expect(got).toHaveLength(50_002);
    await drained;
    expect(house.listener.connections()).toBe(0);
  });
});
