/**
 * The http edge: `GET /v1/verdict` for scripts and filters that can speak nothing better.
 *
 * Promises bounds on everything a client can take: connections, headers, time for a request, time without one. A stop answers
 * what was asked, tells clients that keep connections to close them, and after `drainTimeoutMs` cuts the rest. There is no
 * token: whoever can reach the address may ask.
 */
import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Confirm, Decide, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import { bind, boundAddress, describeAddress, type ListenAddress } from '../bind.js';
import type { Edge } from '../listener.js';
import { createVerdictApp } from './app.js';

export interface HttpEdgeOptions {
  readonly listen: readonly ListenAddress[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  /** Default 512. */
  readonly maxConnections?: number;
  /** Of a connection without requests; default 60 s. */
  readonly idleTimeoutMs?: number;
  /** From the first byte of a request to its last; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

const maxHeaderSize = 16_384;

export function createHttpEdge(options: HttpEdgeOptions): Edge {
  const mailLog = options.mailLog ?? createMailLog(options.log);
  const servers: Server[] = [];
  let app: FastifyInstance | undefined;
  let open = 0;
  let drained: Promise<void> | undefined;

  async function listen(): Promise<readonly ListenAddress[]> {
    app = await createVerdictApp(options);
    try {
      const bound: ListenAddress[] = [];
      for (const address of options.listen) bound.push(await listenOn(address, app));
      return bound;
    } catch (error) {
      await drain();
      throw error;
    }
  }

  async function listenOn(address: ListenAddress, { routing }: FastifyInstance): Promise<ListenAddress> {
    const server = newServer(options, routing);
    await bind(server, address, 'http');
    servers.push(server);
    server.on('error', (error) => options.log.error({ edge: 'http', err: error }, 'accept failed'));
    server.on('drop', (dropped) =>
      mailLog.connectionRefused('http', dropped?.remoteAddress, 'too many connections'),
    );
    server.on('connection', (socket) => {
      open += 1;
      socket.once('close', () => (open -= 1));
    });
    const actual = boundAddress(server, address);
    mailLog.listening('http', describeAddress(actual));
    return actual;
  }

  async function drain(): Promise<void> {
    let cut = 0;
    const timer = setTimeout(() => {
      cut = open;
      for (const server of servers) server.closeAllConnections();
    }, options.drainTimeoutMs ?? 10_000);
    await Promise.all(servers.map(closeServer));
    clearTimeout(timer);
    await app?.close();
    mailLog.drained('http', cut);
  }

  return { name: 'http', listen, drain: () => (drained ??= drain()), connections: () => open };
}

function newServer(options: HttpEdgeOptions, routing: FastifyInstance['routing']): Server {
  const requestTimeout = options.requestTimeoutMs ?? 10_000;
  const server = createServer(
    {
      requestTimeout,
      headersTimeout: requestTimeout,
      keepAliveTimeout: options.idleTimeoutMs ?? 60_000,
      connectionsCheckingInterval: Math.min(1000, requestTimeout),
      maxHeaderSize,
      noDelay: true,
    },
    (request, response) => {
      if (!server.listening) response.setHeader('connection', 'close');
      routing(request, response);
    },
  );
  server.maxConnections = options.maxConnections ?? 512;
  return server;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
