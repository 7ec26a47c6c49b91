/** What must hold at every door of requests and replies: no question hangs, no owed answer is lost, garbage accepts nobody. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Verdict } from '../../src/policy/verdict.js';
import { target } from './client.js';
import { requestDoors } from './doors.js';
import type { Running } from './edges.js';
import { verdictFor } from './fake-decide.js';

interface Client {
  readonly socket: Socket;
  readonly got: () => string;
  /** All that came until the server closed. */
  readonly all: Promise<string>;
}

async function open({ address }: Running): Promise<Client> {
  const socket = connect({ ...target(address), allowHalfOpen: true });
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => (got += text));
  socket.on('error', () => undefined);
  const all = new Promise<string>((resolve) => {
    for (const event of ['end', 'close']) socket.on(event, () => resolve(got));
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, got: () => got, all };
}

afterEach(() => vi.useRealTimers());

describe.each(Object.entries(requestDoors))('%s', (_, door) => {
  it('defers when whoever is asked never answers', async () => {
    const confirm = vi.fn(() => new Promise<Verdict>(() => undefined));
    const edge = await door.run({ confirm });
    const client = await open(edge);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    client.socket.write(door.request('unknown@example.com'));
    while (confirm.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(client.got()).toBe('');
    await vi.advanceTimersByTimeAsync(30_000);
    vi.useRealTimers();
    await expect.poll(client.got).toMatch(new RegExp(door.deferral.source));
    expect(client.got()).not.toMatch(new RegExp(door.acceptance.source));
    client.socket.destroy();
  });

  it('defers when whoever is asked fails', async () => {
    const edge = await door.run({ confirm: () => Promise.reject(new Error('a defect')) });
    const client = await open(edge);
    client.socket.write(door.request('unknown@example.com'));
    await expect.poll(client.got).toMatch(new RegExp(door.deferral.source));
    client.socket.destroy();
  });

  it('at its drain loses no answer owed to 500 clients, whether it is ready or not', async () => {
    const waiting: (() => void)[] = [];
    const confirm = (question: { recipient: string }) =>
      question.recipient.startsWith('stale')
        ? new Promise<Verdict>((resolve) => waiting.push(() => resolve(verdictFor('failure'))))
        : undefined;
    const edge = await door.run({ confirm, drainTimeoutMs: 20_000 });
    const clients = await Promise.all(Array.from({ length: 500 }, () => open(edge)));
    await expect.poll(() => edge.edge.connections(), { timeout: 15_000 }).toBe(500);
    const three = ['unknown@example.com', 'stale@example.com', 'known@example.com'];
    for (const { socket } of clients) socket.write(three.map(door.request).join(''));
    await expect.poll(() => waiting.length, { timeout: 15_000 }).toBe(500);
    const drained = edge.edge.drain();
    await new Promise((resolve) => setImmediate(resolve));
    for (const answer of waiting) answer();
    for (const text of await Promise.all(clients.map(({ all }) => all))) {
      expect(text.match(door.refusal)).toHaveLength(1);
      expect(text.match(door.deferral)).toHaveLength(1);
      expect(text.match(door.acceptance)).toHaveLength(1);
    }
    await drained;
    await expect.poll(() => edge.edge.connections()).toBe(0);
  });

  it('accepts nobody and refuses nobody for good out of random bytes, and still answers', async () => {
    const edge = await door.run();
    for (let round = 0; round < 20; round += 1) {
      const client = await open(edge);
      client.socket.end(Buffer.concat([randomBytes(3000), Buffer.from('\n\n'), randomBytes(100)]));
      const text = await client.all;
      expect(text).not.toMatch(new RegExp(door.acceptance.source));
    }
    const client = await open(edge);
    client.socket.write(door.request('known@example.com'));
    await expect.poll(client.got).toMatch(new RegExp(door.acceptance.source));
    client.socket.destroy();
    await expect.poll(() => edge.edge.connections(), { timeout: 15_000 }).toBe(0);
  });

  it('closes a request that is not completed in time, and a connection idle for too long', async () => {
    const half = door.request('known@example.com').slice(0, 8);
    const slow = await open(await door.run({ requestTimeoutMs: 100 }));
    slow.socket.write(half);
    expect(await slow.all).not.toMatch(new RegExp(door.acceptance.source));
    const idle = await open(await door.run({ idleTimeoutMs: 100 }));
    idle.socket.write(door.request('known@example.com'));
    expect(await idle.all).toMatch(new RegExp(door.acceptance.source));
  });
});
