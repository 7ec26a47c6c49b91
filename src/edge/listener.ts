/**
 * The one listener behind every edge: accepts connections on TCP and unix sockets, hands each to the edge as a session,
 * limits them, and drains them.
 *
 * Promises: never more than `maxConnections` sessions (a client over the limit gets `busyReply`, if the protocol has one,
 * and is closed); a socket's errors never leave its session; `drain` stops accepting, lets every session finish what it
 * owes, and after `drainTimeoutMs` cuts the rest. Sockets are half-open capable: a client that has shut down its side
 * still gets its answers. The session closes the socket and calls `closed` once, when it is gone.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../telemetry/log.js';
import type { MailLog } from '../telemetry/mail-log.js';
import { bind, boundAddress, closeServer, describeAddress, type ListenAddress } from './bind.js';

/** One client's conversation. */
export interface Session {
  /** Answer what was asked already, say goodbye in the protocol's way, close. */
  finish(): void;
  /** Close now. */
  destroy(): void;
}

export interface ListenerOptions {
  /** Of the edge: `smtp`, `policy`. */
  readonly name: string;
  readonly listen: readonly ListenAddress[];
  readonly maxConnections: number;
  /** Of one IP address; 0 or absent: no limit of its own. */
  readonly maxConnectionsPerClient?: number;
  /** `address`: where it came in. */
  readonly onConnection: (socket: Socket, closed: () => void, address: ListenAddress) => Session;
  /** Sent to a client over the limit, before it is closed. */
  readonly busyReply?: string;
  readonly drainTimeoutMs: number;
  readonly log: Logger;
  readonly mailLog: MailLog;
}

/** What every edge is, once made. */
export interface Edge {
  readonly name: string;
  /** The addresses really bound (port 0 resolved). Throws RollcallError `config` when one cannot be. */
  listen(): Promise<readonly ListenAddress[]>;
  drain(): Promise<void>;
  connections(): number;
}

export function createListener(options: ListenerOptions): Edge {
  const servers: Server[] = [];
  const room = createRoom(options);
  let drained: Promise<void> | undefined;

  async function listen(): Promise<readonly ListenAddress[]> {
    try {
      const bound: ListenAddress[] = [];
      for (const address of options.listen) bound.push(await listenOn(address));
      return bound;
    } catch (error) {
      await Promise.all(servers.map(closeServer));
      throw error;
    }
  }

  async function listenOn(address: ListenAddress): Promise<ListenAddress> {
    // Replies are written whole: Nagle's algorithm would only hold them back.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      room.admit(socket, address),
    );
    await bind(server, address, options.name);
    servers.push(server);
    server.on('error', (error) => options.log.error({ edge: options.name, err: error }, 'accept failed'));
    const actual = boundAddress(server, address);
    options.mailLog.listening(options.name, describeAddress(actual));
    return actual;
  }

  async function drain(): Promise<void> {
    const closed = servers.map(closeServer);
    const cut = await room.empty(options.drainTimeoutMs);
    await Promise.all(closed);
    options.mailLog.drained(options.name, cut);
  }

  return {
    name: options.name,
    listen,
    drain: () => (drained ??= drain()),
    connections: () => room.size(),
  };
}

interface Room {
  admit(socket: Socket, address: ListenAddress): void;
  /** Finishes all sessions; resolves with the number that had to be cut. */
  empty(timeoutMs: number): Promise<number>;
  size(): number;
}

/** The sessions under way, and the limits on them. */
function createRoom(options: ListenerOptions): Room {
  const sessions = new Map<Socket, Session>();
  const perClient = new Map<string, number>();
  const perClientLimit = options.maxConnectionsPerClient ?? 0;
  let emptied: (() => void) | undefined;
  let draining = false;

  function admit(socket: Socket, address: ListenAddress): void {
    socket.on('error', () => socket.destroy());
    const client = socket.remoteAddress ?? '';
    const refusal = refusalFor(client);
    if (refusal !== undefined) {
      refuse(socket, client, refusal);
      return;
    }
    perClient.set(client, (perClient.get(client) ?? 0) + 1);
    let gone = false;
    const closed = (): void => {
      if (!gone) leave(socket, client);
      gone = true;
    };
    const session = options.onConnection(socket, closed, address);
    sessions.set(socket, session);
  }

  function refusalFor(client: string): string | undefined {
    if (draining) return 'shutting down';
    if (sessions.size >= options.maxConnections) return 'too many connections';
    const ofClient = perClientLimit > 0 && client !== '' ? (perClient.get(client) ?? 0) : 0;
    return perClientLimit > 0 && ofClient >= perClientLimit
      ? 'too many connections of this client'
      : undefined;
  }

  function refuse(socket: Socket, client: string, why: string): void {
    options.mailLog.connectionRefused(options.name, client, why);
    if (options.busyReply !== undefined) socket.write(options.busyReply);
    socket.destroySoon();
  }

  function leave(socket: Socket, client: string): void {
    sessions.delete(socket);
    const left = (perClient.get(client) ?? 1) - 1;
    if (left > 0) perClient.set(client, left);
    else perClient.delete(client);
    if (sessions.size === 0) emptied?.();
  }

  async function empty(timeoutMs: number): Promise<number> {
    draining = true;
    for (const session of [...sessions.values()]) session.finish();
    await new Promise<void>((resolve) => {
      emptied = resolve;
      setTimeout(resolve, timeoutMs).unref();
      if (sessions.size === 0) resolve();
    });
    const cut = sessions.size;
    for (const session of [...sessions.values()]) session.destroy();
    return cut;
  }

  return { admit, empty, size: () => sessions.size };
}
