import type { HttpServer, HttpServerOptions } from './options.js';
export function createHttpServer(options: HttpServerOptions): HttpServer {
  throw new Error(`soon ${String(options)}`);
}
