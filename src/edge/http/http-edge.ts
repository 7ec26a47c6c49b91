/**
 * The http edge: `GET /v1/verdict` for scripts and filters that can speak nothing better.
 *
 * Promises bounds on everything a client can take: connections, headers, time for a request, time without one. A stop answers
 * what was asked, tells clients that keep connections to close them, and after `drainTimeoutMs` cuts the rest. There is no
 * token: whoever can reach the address may ask.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { DropArgument, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { bind, boundAddress, closeServer, describeAddress, type ListenAddress } from '../bind.js';
import type { AskingEdgeOptions } from '../edge-options.js';
import type { Edge } from '../listener.js';
import { createVerdictApp } from './app.js';

const maxHeaderSize = 16_384;
/** Of one connection. Node reads on while requests wait, and each costs memory until its answer. */
const maxUnderWay = 100;

export function createHttpEdge(options: AskingEdgeOptions): Edge {
  const { mailLog } = options;
  const servers: Server[] = [];
  let app: FastifyInstance | undefined;
  /** Each connection with the number of its requests that are not answered. */
  const open = new Map<Socket, number>();
  let draining = false;
  let drained: Promise<void> | undefined;

  async function listen(): Promise<readonly ListenAddress[]> {
    app = await createVerdictApp(options, (socket) => draining && open.get(socket) === 1);
    try {
      const bound: ListenAddress[] = [];
      for (const address of options.listen) bound.push(await listenOn(address, app));
      return bound;
    } catch (error) {
      await drain();
      throw error;
    }
  }

  async function listenOn(address: ListenAddress, routes: FastifyInstance): Promise<ListenAddress> {
    const server = newServer(options, (request, response) => {
      if (begin(request.socket, response)) routes.routing(request, response);
    });
    await bind(server, address, 'http');
    servers.push(server);
    server.on('error', (error) => options.log.error({ edge: 'http', err: error }, 'accept failed'));
    server.on('drop', (dropped?: DropArgument) =>
      mailLog.connectionRefused('http', dropped?.remoteAddress, 'too many connections'),
    );
    server.on('connection', (socket) => {
      open.set(socket, 0);
      socket.once('close', () => open.delete(socket));
    });
    const actual = boundAddress(server, address);
    mailLog.listening('http', describeAddress(actual));
    return actual;
  }

  /** False when there are too many under way: the connection is closed then, and whoever waits there must defer. */
  function begin(socket: Socket, response: ServerResponse): boolean {
    if (socket.destroyed) return false;
    const underWay = (open.get(socket) ?? 0) + 1;
    if (underWay > maxUnderWay) {
      mailLog.protocolError('http', socket.remoteAddress, `more than ${maxUnderWay} requests at a time`);
      socket.destroy();
      return false;
    }
    open.set(socket, underWay);
    response.once('close', () => {
      if (!open.has(socket)) return;
      open.set(socket, (open.get(socket) ?? 1) - 1);
      if (draining) leaveIfIdle(socket);
    });
    return true;
  }

  /** After one more turn of the loop, in which what it has sent is read. */
  function leaveIfIdle(socket: Socket): void {
    setImmediate(() => {
      if (open.get(socket) === 0) socket.destroySoon();
    });
  }

  async function drain(): Promise<void> {
    draining = true;
    let cut = 0;
    const timer = setTimeout(() => {
      cut = open.size;
      for (const server of servers) server.closeAllConnections();
    }, options.drainTimeoutMs);
    const closed = servers.map(closeServer);
    setImmediate(() => [...open.keys()].forEach(leaveIfIdle));
    await Promise.all(closed);
    clearTimeout(timer);
    await app?.close();
    mailLog.drained('http', cut);
  }

  return { name: 'http', listen, drain: () => (drained ??= drain()), connections: () => open.size };
}

function newServer(options: AskingEdgeOptions, onRequest: RequestListener): Server {
  const { requestTimeoutMs: requestTimeout, idleTimeoutMs, maxConnections } = options;
  const server = createServer(
    {
      requestTimeout,
      headersTimeout: requestTimeout,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, requestTimeout),
      maxHeaderSize,
      noDelay: true,
    },
    onRequest,
  );
  // a client that has shut down its side still gets its answer, as at the other doors
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxConnections = maxConnections;
  return server;
}
