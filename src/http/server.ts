/**
 * The HTTP server: one application behind any number of listen addresses.
 *
 * Promises bounds on everything a client can take: connections, headers, time for a request, size of a body. A stop lets
 * requests under way end for a few seconds, then cuts them.
 */
import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.js';
import { createDirectoryReader } from './directory.js';
import { bindHttp } from './bind.js';
import type { HttpAddress, HttpServer, HttpServerOptions } from './options.js';
import { sweepSpool } from './spool.js';

const [maxConnections, headersMs, keepAliveMs, closeMs] = [512, 15_000, 10_000, 5_000];

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const directory = createDirectoryReader(options.directoryFile);
  const servers: Server[] = [];
  let app: FastifyInstance | undefined;

  async function listen(): Promise<readonly HttpAddress[]> {
    await sweepSpool(options.spoolDir, (options.now ?? Date.now)());
    app = await createApp(options, directory);
    const bound: HttpAddress[] = [];
    try {
      for (const address of options.listen) {
        const server = newServer(options, app);
        bound.push(await bindHttp(server, address));
        servers.push(server);
      }
      return bound;
    } catch (error) {
      await close();
      throw error;
    }
  }

  async function close(): Promise<void> {
    await Promise.all(servers.splice(0).map(closeServer));
    await app?.close();
    app = undefined;
    directory.reset();
  }

  return { listen, close };
}

function newServer(options: HttpServerOptions, app: FastifyInstance): Server {
  const server = createServer(
    {
      requestTimeout: options.requestTimeoutMs,
      headersTimeout: Math.min(headersMs, options.requestTimeoutMs),
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      if (!server.listening) response.setHeader('connection', 'close');
      app.routing(request, response);
    },
  );
  server.maxConnections = maxConnections;
  return server;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), closeMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
