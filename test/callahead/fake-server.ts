/** A mail server that does as it is told: what it says to each command, how slowly, and what it was asked. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { freePort } from '../support/free-port.js';

export interface Script {
  /** Sent at the start; undefined: nothing. Default `220 fake ESMTP`. */
  greeting?: string | undefined;
  /** The reply to EHLO. */
  ehlo?: string;
  mail?: string;
  /** The reply to RCPT, by address; undefined: no answer; `close`: the connection ends. */
  rcpt?: (address: string) => string | undefined;
  /** Milliseconds before the reply to RCPT. */
  delayMs?: number | ((address: string) => number);
  /** Sends its replies a byte at a time, with this pause. */
  dripMs?: number;
  tls?: { readonly cert: string; readonly key: string };
}

export interface FakeServer {
  readonly port: number;
  /** May be changed at any time. */
  script: Script;
  /** Addresses of RCPT, in order. */
  readonly asked: string[];
  /** All commands. */
  readonly commands: string[];
  readonly secure: { count: number };
  connections(): number;
  /** The most sessions that were open at once. */
  mostOpen(): number;
  stop(): Promise<void>;
}

/** Answers of a server that tells its recipients apart. */
export function only(...known: readonly string[]): (address: string) => string {
  return (address) =>
    known.includes(address)
      ? '250 2.1.5 Ok'
      : `550 5.1.1 <${address}>: Recipient address rejected: User unknown`;
}

export async function startFakeServer(script: Script = {}, port?: number): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let mostOpen = 0;
  const fake = {
    script,
    asked: [] as string[],
    commands: [] as string[],
    secure: { count: 0 },
    connections: () => connections,
    mostOpen: () => mostOpen,
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    mostOpen = Math.max(mostOpen, sockets.size);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const { greeting = '220 fake ESMTP' } = { ...fake.script };
    if (!('greeting' in fake.script) || fake.script.greeting !== undefined)
      void send(socket, greeting, fake.script);
    serve(fake, socket);
  });
  // one that it can be started at again
  server.listen(port ?? (await freePort()), '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(fake, {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

function serve(fake: Omit<FakeServer, 'port' | 'stop'>, socket: Socket): void {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('utf8');
    for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      fake.commands.push(line);
      void answer(fake, socket, line);
    }
  });
}

async function answer(fake: Omit<FakeServer, 'port' | 'stop'>, socket: Socket, line: string): Promise<void> {
  const { script } = fake;
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === 'STAR' && script.tls !== undefined) {
    socket.removeAllListeners('data');
    socket.write('220 go\r\n');
    fake.secure.count += 1;
    const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(script.tls) });
    secure.on('error', () => undefined);
    serve(fake, secure);
    return;
  }
  if (verb === 'RCPT') {
    const address = /<(.*)>/.exec(line)?.[1] ?? '';
    fake.asked.push(address);
    const delay = typeof script.delayMs === 'function' ? script.delayMs(address) : (script.delayMs ?? 0);
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    const reply = (script.rcpt ?? only())(address);
    if (reply === 'close') socket.destroy();
    else if (reply !== undefined) await send(socket, reply, script);
    return;
  }
  if (verb === 'QUIT') socket.end('221 bye\r\n');
  else if (verb === 'EHLO') await send(socket, script.ehlo ?? '250-fake\r\n250 PIPELINING', script);
  else if (verb === 'MAIL') await send(socket, script.mail ?? '250 2.1.0 Ok', script);
  else await send(socket, '250 Ok', script);
}

async function send(socket: Socket, reply: string, { dripMs }: Script): Promise<void> {
  if (dripMs === undefined) {
    socket.write(`${reply}\r\n`);
    return;
  }
  for (const byte of `${reply}\r\n`) {
    if (socket.destroyed) return;
    socket.write(byte);
    await new Promise((resolve) => setTimeout(resolve, dripMs));
  }
}
