/**
 * A scripted next hop: an SMTP server that says what the test wants at each command, and remembers all it was told.
 * Closed at the end of each test.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach } from 'vitest';
import type { NextHop } from '../../src/edge/proxy/next-hop.js';

/** What is said; `kill` destroys the connection, `silence` says nothing. */
export type Say = string | { readonly then: 'kill' | 'silence' | 'close'; readonly say?: string } | undefined;

export interface HopScript {
  readonly port?: number;
  readonly greeting?: Say;
  readonly features?: readonly string[];
  /** The reply to a command; undefined is what a server would say. */
  readonly reply?: (command: string) => Say;
  /** The reply to the final dot. */
  readonly final?: () => Say;
  /** Called with what has come of a message so far. */
  readonly onBytes?: (total: number, socket: Socket) => void;
  /** Bytes before the greeting: a PROXY header ends at the first line feed, or after so many bytes. */
  readonly header?: number | 'line';
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Sent in plaintext right behind the reply to STARTTLS. */
  readonly injected?: string;
}

export interface FakeHop {
  readonly target: NextHop;
  /** Commands in the order in which they came, over all connections; DATA's message is not among them. */
  readonly commands: string[];
  /** Whole messages, with their final dot. */
  readonly messages: Buffer[];
  /** Messages that were begun and not finished. */
  readonly halves: Buffer[];
  readonly headers: Buffer[];
  /** Connections there are now, and have been. */
  readonly open: () => number;
  readonly total: () => number;
  /** Of messages, all in all. */
  readonly bytes: () => number;
  /** Destroys every connection. */
  kill(): void;
  close(): Promise<void>;
}

const running: FakeHop[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((hop) => hop.close()));
});

const standard = ['PIPELINING', 'SIZE 10240000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'];

export async function runHop(script: HopScript = {}): Promise<FakeHop> {
  const sockets = new Set<Socket>();
  let total = 0;
  let bytes = 0;
  const kept = { commands: [], messages: [], halves: [], headers: [] } as Pick<
    FakeHop,
    'commands' | 'messages' | 'halves' | 'headers'
  >;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    total += 1;
    socket.on('close', () => sockets.delete(socket));
    serve(socket, script, kept, (count) => (bytes += count));
  });
  await new Promise<void>((resolve) => server.listen(script.port ?? 0, '127.0.0.1', resolve));
  const kill = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const hop: FakeHop = {
    ...kept,
    target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    open: () => sockets.size,
    total: () => total,
    bytes: () => bytes,
    kill,
    close: () => {
      kill();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  running.push(hop);
  return hop;
}

function serve(
  plain: Socket,
  script: HopScript,
  kept: Pick<FakeHop, 'commands' | 'messages' | 'halves' | 'headers'>,
  count: (bytes: number) => void,
): void {
  let socket = plain;
  let held = Buffer.alloc(0);
  let mode: 'header' | 'commands' | 'data' = script.header === undefined ? 'commands' : 'header';
  let parts: Buffer[] = [];
  let size = 0;
  let tail = '\r\n';
  let secure = false;

  function say(what: Say, usual: string): void {
    const text = what === undefined || typeof what === 'string' ? (what ?? usual) : what.say;
    if (text !== undefined) socket.write(`${text}\r\n`, 'latin1');
    if (typeof what !== 'object') return;
    if (what.then === 'kill') socket.destroy();
    if (what.then === 'close') socket.end();
  }

  function usual(command: string): string {
    const verb = command.split(' ')[0]?.toUpperCase();
    if (verb === 'EHLO') {
      const features = [...(script.features ?? standard), ...(script.tls && !secure ? ['STARTTLS'] : [])];
      const lines = ['hop.example', ...features];
      return lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
    }
    if (verb === 'DATA') return '354 Go ahead';
    if (verb === 'XCLIENT') return '220 hop.example again';
    return verb === 'QUIT' ? '221 2.0.0 Bye' : '250 2.0.0 Ok';
  }

  function onCommand(command: string): void {
    kept.commands.push(command);
    if (command === 'STARTTLS' && script.tls !== undefined) {
      startTls(script.tls);
      return;
    }
    const what = script.reply?.(command);
    const said = typeof what === 'string' ? what : usual(command);
    if (command === 'DATA' && said.startsWith('354') && typeof what !== 'object') {
      mode = 'data';
      parts = [];
      size = 0;
      tail = '\r\n';
    }
    say(what, usual(command));
    if (command === 'QUIT') socket.end();
  }

  function startTls(tls: { cert: string; key: string }): void {
    plain.removeAllListeners('data');
    plain.write(`220 2.0.0 Ready\r\n${script.injected ?? ''}`);
    socket = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext(tls) });
    secure = true;
    held = Buffer.alloc(0);
    socket.on('error', () => plain.destroy());
    socket.on('data', onData);
  }

  function onData(chunk: Buffer): void {
    if (mode === 'data') {
      onMessage(chunk);
      return;
    }
    held = Buffer.concat([held, chunk]);
    if (mode === 'header') onHeader();
    while (mode === 'commands') {
      const end = held.indexOf('\r\n');
      if (end === -1) return;
      const command = held.toString('latin1', 0, end);
      held = held.subarray(end + 2);
      onCommand(command);
      if ((mode as string) === 'data' && held.length > 0) onMessage(held);
    }
  }

  function onHeader(): void {
    const end = script.header === 'line' ? held.indexOf('\n') + 1 : (script.header ?? 0);
    if (end === 0 || held.length < end) return;
    kept.headers.push(held.subarray(0, end));
    held = held.subarray(end);
    mode = 'commands';
    say(script.greeting, '220 hop.example ESMTP');
  }

  function onMessage(chunk: Buffer): void {
    held = Buffer.alloc(0);
    size += chunk.length;
    count(chunk.length);
    if (size < 1_000_000) parts.push(chunk);
    script.onBytes?.(size, socket);
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5);
    if (tail !== '\r\n.\r\n') return;
    kept.messages.push(Buffer.concat(parts));
    mode = 'commands';
    parts = [];
    say(script.final?.(), '250 2.0.0 Ok: queued as FAKE');
  }

  plain.on('error', () => plain.destroy());
  plain.on('data', onData);
  plain.on('close', () => {
    if (mode === 'data') kept.halves.push(Buffer.concat(parts));
  });
  if (mode !== 'header') say(script.greeting, '220 hop.example ESMTP');
}
