/** The live socket, both ends of it: a real Unix socket, and whoever else may be at it. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { AskLive, LiveAnswer, LiveQuestion } from '../../src/live/answer.js';
import { bind, closeServer } from '../../src/edge/bind.js';
import { createLiveClient, type LiveClient } from '../../src/live/client.js';
import { createLiveServer } from '../../src/live/server.js';
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '../../src/live/wire.js';
import { eventually } from '../support/eventually.js';

const ada: LiveQuestion = { source: 'staff', address: 'ada@example.com', look: false };
const found: LiveAnswer = { kind: 'found', claims: [{ flags: 2, spelling: 'Ada@example.com' }] };
const silent: LiveAnswer = { kind: 'no-answer', forMs: 0 };

let folder: string;
let path: string;
const closers: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-live-'));
  path = join(folder, 'live.sock');
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

interface House {
  readonly asked: LiveQuestion[];
  stop(): Promise<void>;
}

async function control(
  answer: (question: LiveQuestion) => ReturnType<AskLive> = () => found,
): Promise<House> {
  const asked: LiveQuestion[] = [];
  const live = createLiveServer({
    ask: (question) => {
      asked.push(question);
      return answer(question);
    },
  });
  const server = createServer((socket) => live.serve(socket));
  await bind(server, { path }, 'live');
  const stop = async (): Promise<void> => {
    live.close();
    if (server.listening) await closeServer(server);
  };
  closers.push(stop);
  return { asked, stop };
}

function edge(options: Partial<Parameters<typeof createLiveClient>[0]> = {}): LiveClient {
  const client = createLiveClient({ path, ...options });
  closers.push(() => client.close());
  return client;
}

/** A server that does as the test says. */
async function impostor(serve: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await once(server.listen(path), 'listening');
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await closeServer(server);
  });
  return server;
}

/** Whether cleanly or by a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('an edge and control', () => {
  it('talk over one connection, in any order', async () => {
    const { asked } = await control(({ address }) =>
      address.startsWith('slow')
        ? new Promise((resolve) => setTimeout(() => resolve(found), 100))
        : { kind: 'not-found', forMs: 60_000 },
    );
    const client = edge();
    const slow = client.ask({ ...ada, address: 'slow@example.com' }, 2000);
    expect(await client.ask(ada, 2000)).toEqual({ kind: 'not-found', forMs: 60_000 });
    expect(await slow).toEqual(found);
    expect(asked.map(({ address }) => address)).toEqual(['slow@example.com', 'ada@example.com']);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('ask and answer about odd addresses unchanged', async () => {
    const { asked } = await control();
    const client = edge();
    for (const address of [
      '"a b"\\@c@example.com',
      'jörg\u{1f600}@example.com',
      `${'x'.repeat(980)}@example.com`,
    ])
      expect(await client.ask({ ...ada, address }, 2000)).toEqual(found);
    expect(asked.map(({ address }) => address.length)).toEqual([20, 18, 992]);
  });

  it('do not ask again what was said lately, until a reload', async () => {
    let now = 0;
    const { asked } = await control(() => ({ kind: 'not-found', forMs: 1000 }));
    const client = edge({ now: () => now });
    await client.ask(ada, 2000);
    for (let i = 0; i < 100; i += 1) expect(client.ask(ada, 2000)).toMatchObject({ kind: 'not-found' });
    expect(asked.length).toBe(1);
    now = 1001;
    await client.ask(ada, 2000);
    expect(asked.length).toBe(2);
    client.forget();
    await client.ask(ada, 2000);
    expect(asked.length).toBe(3);
  });

  it('ask about a source that is left alone again after a minute: control may know better by then', async () => {
    let now = 0;
    const { asked } = await control(() => ({ kind: 'no-answer', forMs: 3_600_000 }));
    const client = edge({ now: () => now });
    await client.ask(ada, 2000);
    now = 59_999;
    expect(client.ask({ ...ada, address: 'bob@example.com' }, 2000)).toMatchObject({ kind: 'no-answer' });
    expect(asked.length).toBe(1);
    now = 60_001;
    await client.ask(ada, 2000);
    expect(asked.length).toBe(2);
  });

  it('let a harvest hardly cross the socket', async () => {
    let now = 0;
    const { asked } = await control(() => ({ kind: 'limited', forMs: 200 }));
    const client = edge({ now: () => now });
    for (let i = 0; i < 2000; i += 1) {
      await client.ask({ ...ada, address: `h${i}@example.com` }, 2000);
      now += 1;
    }
    expect(asked.length).toBe(10);
    expect(await client.ask({ ...ada, address: 'h@other.example' }, 2000)).toMatchObject({ kind: 'limited' });
    expect(asked.length).toBe(11);
  });

  it('keep whom control has found for ten minutes, where it has no answer any more', async () => {
    let now = 0;
    let answer: LiveAnswer = found;
    const house = await control(() => answer);
    const client = edge({ now: () => now });
    expect(await client.ask(ada, 2000)).toEqual(found);
    answer = { kind: 'limited', forMs: 1000 };
    expect(await client.ask(ada, 2000)).toEqual(found);
    expect(await client.ask({ ...ada, address: 'eve@example.com' }, 2000)).toMatchObject({ kind: 'limited' });
    await house.stop();
    now = 599_000;
    expect(await client.ask(ada, 2000)).toEqual(found);
    now = 600_000;
    expect(await client.ask(ada, 2000)).toEqual(silent);
  });

  it('have a bounded number of questions under way', async () => {
    const { asked } = await control(() => new Promise(() => undefined));
    const client = edge();
    const answers = Array.from({ length: 2000 }, (_, i) =>
      client.ask({ ...ada, address: `h${i}@example.com` }, 25_000),
    );
    expect(answers.filter((answer) => !(answer instanceof Promise)).length).toBe(2000 - 256);
    await eventually(
      () => asked.length,
      (length) => length >= 256,
    );
    expect(asked.length).toBe(256);
    client.close();
    await Promise.all(answers.map((answer) => Promise.resolve(answer)));
  });
});

describe('without control', () => {
  it('the edge has no answer, at once', async () => {
    const states: string[] = [];
    const client = edge({ onState: (state) => states.push(state) });
    const began = performance.now();
    expect(await client.ask(ada, 5000)).toEqual(silent);
    expect(client.ask(ada, 5000)).toEqual(silent);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(states).toEqual(['lost']);
  });

  it('a path too long for a socket leads nowhere, least of all to the socket that it is cut to', async () => {
    const long = join(folder, 'x'.repeat(200));
    const server = createServer(() => undefined);
    closers.push(() => closeServer(server));
    let connections = 0;
    server.on('connection', (socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(long.slice(0, 107), resolve));
    const states: string[] = [];
    const client = edge({ path: long, onState: (state, detail) => states.push(`${state} ${detail}`) });
    expect(await client.ask(ada, 1000)).toEqual(silent);
    expect(await client.ask(ada, 1000)).toEqual(silent);
    expect(states.length).toBe(1);
    expect(states[0]).toMatch(/^lost the path of its socket is longer than 107 bytes/);
    expect(connections).toBe(0);
  });

  it('that stops, whoever waits is let go; when it is back, it is asked again', async () => {
    let now = 0;
    const states: string[] = [];
    const first = await control(() => new Promise(() => undefined));
    const client = edge({ now: () => now, onState: (state) => states.push(state) });
    const waiting = client.ask(ada, 30_000);
    await eventually(
      () => first.asked.length,
      (length) => length === 1,
    );
    await first.stop();
    expect(await waiting).toEqual(silent);
    await control();
    expect(client.ask(ada, 2000)).toEqual(silent);
    now += 501;
    expect(await client.ask(ada, 2000)).toEqual(found);
    expect(states).toEqual(['lost', 'connected']);
  });

  it('that was killed, the socket it left is taken over by the next', async () => {
    const script = `require('net').createServer().listen(process.argv[1], () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    expect(await edge().ask(ada, 2000)).toEqual(silent);
    await control();
    expect(await edge().ask(ada, 2000)).toEqual(found);
  });

  it('a file in its place is left alone, and a socket that is in use', async () => {
    writeFileSync(path, 'mine');
    await expect(control()).rejects.toThrow('live edge cannot listen');
    rmSync(path);
    const { asked } = await control();
    await expect(control()).rejects.toThrow('live edge cannot listen');
    await edge().ask(ada, 2000);
    expect(asked.length).toBe(1);
  });
});

describe('control that hangs', () => {
  it('delays nobody past the deadline, and after a few is left alone', async () => {
    await impostor(() => undefined);
    let now = 0;
    const client = edge({ now: () => now });
    const began = performance.now();
    for (let i = 0; i < 3; i += 1) expect(await client.ask(ada, 100)).toEqual(silent);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(client.ask(ada, 100)).toEqual(silent);
    now += 5001;
    expect(client.ask(ada, 100)).toBeInstanceOf(Promise);
  });
});

describe('what is not the protocol', () => {
  test.each([
    ['no JSON', 'hello\n'],
    ['no object', '[1]\n'],
    ['null', 'null\n'],
    ['another version', '{"v":2,"id":1,"source":"s","address":"a@b","look":false}\n'],
    ['no address', '{"v":1,"id":1,"source":"s","look":false}\n'],
    [
      'an address past all bounds',
      `{"v":1,"id":1,"source":"s","address":"${'x'.repeat(2000)}","look":false}\n`,
    ],
    ['a line without an end', 'x'.repeat(100_000)],
    ['an empty line', '\n'],
  ])('%s: control closes the connection, and asks nobody', async (_, text) => {
    const { asked } = await control();
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.write(text);
    await closed(socket);
    expect(asked).toEqual([]);
    expect(await edge().ask(ada, 2000)).toEqual(found);
  });

  test.each([
    ['no JSON', () => 'hello\n'],
    ['an unknown answer', (id: number) => `{"v":1,"id":${id},"kind":"perhaps"}\n`],
    ['found, but nothing', (id: number) => `{"v":1,"id":${id},"kind":"found","claims":[]}\n`],
    [
      'flags that are none',
      (id: number) => `{"v":1,"id":${id},"kind":"found","claims":[{"flags":9,"spelling":null}]}\n`,
    ],
    ['for ever', (id: number) => `{"v":1,"id":${id},"kind":"not-found","forMs":1e300}\n`],
    ['an answer without an end', () => 'x'.repeat(200_000)],
  ])('%s: the edge takes it for no answer, at once', async (_, reply) => {
    await impostor((socket) =>
      socket.on('data', (line: Buffer) =>
        socket.write(reply((JSON.parse(line.toString()) as { id: number }).id)),
      ),
    );
    const began = performance.now();
    expect(await edge().ask(ada, 20_000)).toEqual(silent);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('an answer to a question that nobody asked: ignored', async () => {
    await impostor((socket) =>
      socket.on('data', (line: Buffer) => {
        const { id } = JSON.parse(line.toString()) as { id: number };
        socket.write(encodeAnswer(id + 7, { kind: 'not-found', forMs: 1 }) + encodeAnswer(id, found));
      }),
    );
    expect(await edge().ask(ada, 2000)).toEqual(found);
  });

  it('too many connections, or questions on one: cut', async () => {
    const { asked } = await control(() => new Promise(() => undefined));
    const flood = connect(path);
    flood.on('error', () => undefined);
    for (let id = 0; id < 1100; id += 1) flood.write(encodeQuestion(id, ada));
    await closed(flood);
    expect(asked.length).toBe(1000);
    const sockets = Array.from({ length: 33 }, () => connect(path).on('error', () => undefined));
    closers.push(() => sockets.forEach((socket) => socket.destroy()));
    await Promise.race(sockets.map(closed));
  });

  it('what was written is what is read', () => {
    for (const answer of [found, silent, { kind: 'limited', forMs: 3.5 }] satisfies LiveAnswer[])
      expect(decodeAnswer(encodeAnswer(7, answer))).toEqual({ id: 7, body: answer });
    expect(decodeQuestion(encodeQuestion(8, ada))).toEqual({ id: 8, body: ada });
  });
});
