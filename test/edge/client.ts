/** A line client for tests: waits for lines and for the end of the connection, never for time to pass. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { ListenAddress } from '../../src/edge/bind.js';

export interface LineClient {
  readonly socket: Socket;
  send(text: string | Buffer): void;
  /** The next line without its line end; undefined when the server has closed. */
  line(): Promise<string | undefined>;
  lines(count: number): Promise<string[]>;
  /** All that comes until the server closes. */
  rest(): Promise<string[]>;
  close(): void;
}

export function target(address: ListenAddress): NetConnectOpts {
  return 'path' in address ? { path: address.path } : { host: address.host, port: address.port };
}

export async function openClient(address: ListenAddress): Promise<LineClient> {
  const socket = connect({ ...target(address), allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return lineClient(socket);
}

export function lineClient(socket: Socket): LineClient {
  const ready: string[] = [];
  let partial = '';
  let ended = false;
  let wake: (() => void) | undefined;
  const notify = (): void => wake?.();
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    const parts = (partial + chunk.toString('utf8')).split(/\r?\n/);
    partial = parts.pop() ?? '';
    ready.push(...parts);
    notify();
  });
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      ended = true;
      notify();
    });

  async function line(): Promise<string | undefined> {
    while (ready.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
    return ready.shift();
  }

  async function lines(count: number): Promise<string[]> {
    const got: string[] = [];
    while (got.length < count) {
      const next = await line();
      if (next === undefined) break;
      got.push(next);
    }
    return got;
  }

  return {
    socket,
    send: (text) => void socket.write(text),
    line,
    lines,
    rest: () => lines(Number.POSITIVE_INFINITY),
    close: () => socket.destroy(),
  };
}

/** The lines of one SMTP reply. */
export async function smtpReply(client: LineClient): Promise<string[]> {
  const reply: string[] = [];
  for (;;) {
    const next = await client.line();
    if (next === undefined) return reply;
    reply.push(next);
    if (next[3] !== '-') return reply;
  }
}

/** Sends and gives the last line of the reply. */
export async function smtpAsk(client: LineClient, command: string): Promise<string> {
  client.send(`${command}\r\n`);
  return (await smtpReply(client)).at(-1) ?? '';
}

/** One policy request. */
export function policyRequest(attributes: Readonly<Record<string, string>>): string {
  const all = { request: 'smtpd_access_policy', protocol_state: 'RCPT', ...attributes };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}\n`;
}

/** The action of the next answer; undefined when the server has closed. */
export async function policyAction(client: LineClient): Promise<string | undefined> {
  const action = await client.line();
  if (action === undefined) return undefined;
  await client.line();
  return action.replace(/^action=/, '');
}
